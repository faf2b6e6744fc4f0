/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt.c: masks of what the user pointed at. The network looks at the part of the photo around it and gives a first guess, or, where it knows nothing of what lies
 * there, the even region around the points is one; colours inside and outside, learned from that guess, and the photo's edges decide (as in Rother, Kolmogorov & Blake,
 * "GrabCut", 2004): the least cut is the mask.
 *
 *   prompt ──> part of the photo ── network ──> guess ──> colours ⇄ cut ──> mask of the part ──> the whole photo
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/colour-model.h"
#include "vision/graph-cut.h"
#include "vision/input.h"
#include "vision/masks.h"
#include "vision/plane.h"
#include "vision/region-grow.h"

#define MARGIN       0.15f /* around what the prompt covers, share of its size */
#define WORK_SIDE    320   /* the longer side of the part that is cut, at most */
#define PLACED_SIDE  2048  /* of the mask of the whole photo */
#define POINT_RADIUS 0.012 /* of what a point says for certain, share of the part's longer side */
#define N_ROUNDS     3
#define SMOOTHNESS   12.0f /* of a link between two pixels of one colour */
#define TRUST        1.5f  /* in the network's guess, beside the colours */
#define REGION_TRUST 0.5f  /* in a region that was grown */
#define LEAST_SEEN   0.08  /* share of a region that the network must see something in */
#define LEAST_FIT    0.3   /* of its guess and the points (fit_points) */
#define GREATEST     5.0f  /* that a colour may say for one side */
#define CERTAIN      1e4f
#define REGION_LABEL "region" /* of what the network doesn't know; labels are English */
#define LEAST_GROWN  6     /* times what points mark: a cut that takes less has taken nothing but them */

/* The part of the photo that is cut, at the size at which it is. */
typedef struct
{
  const FoveaPhoto  *photo;
  const FoveaPrompt *prompt;
  int                x, y, side_x, side_y; /* the part, in the photo's pixels */
  int                width, height;        /* when it is cut */
  float              trust;                /* in the guess, beside the colours */
  guint8            *rgb;                  /* (height, width, 3) */
  float             *guess, *costs_inside, *costs_outside, *weights; /* (height, width) */
  float             *links;                /* (height, width, GRAPH_LINKS) */
  guint8            *inside;               /* (height, width) */
  guint8            *known;                /* (height, width); for certain: REGION_… */
} Part;

static void
part_clear (Part *part)
{
  memory_free (part->rgb);
  memory_free (part->guess);
  memory_free (part->costs_inside);
  memory_free (part->costs_outside);
  memory_free (part->weights);
  memory_free (part->links);
  memory_free (part->inside);
  memory_free (part->known);
  *part = (Part) { .photo = part->photo, .prompt = part->prompt };
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Part, part_clear)

static gboolean
part_alloc (Part *part, GError **error)
{
  gsize  n = (gsize) part->width * (gsize) part->height;
  float **planes[] = { &part->guess, &part->costs_inside, &part->costs_outside, &part->weights };

  for (gsize k = 0; k < G_N_ELEMENTS (planes); k++)
    if (!(*planes[k] = memory_alloc_n (n, sizeof (float), "the cut-out", error)))
      return FALSE;
  return (part->rgb = memory_alloc_n (n, 3, "the cut-out", error)) && (part->links = memory_alloc_n (n, GRAPH_LINKS * sizeof (float), "the cut-out", error))
         && (part->inside = memory_alloc_n (n, 1, "the cut-out", error)) && (part->known = memory_alloc_n (n, 1, "the cut-out", error));
}

/* ---- the part --------------------------------------------------------------------------------------------------------------------------- */

gboolean
prompt_find_cover (const FoveaPrompt *prompt, const FoveaPhoto *photo, double cover[4], GError **error)
{
  double *left = &cover[0], *top = &cover[1], *right = &cover[2], *bottom = &cover[3];

  *left = *top = G_MAXDOUBLE;
  *right = *bottom = -1.0;
  for (int y = 0; prompt->region && y < prompt->region_height; y++)
    for (int x = 0; x < prompt->region_width; x++)
      if (prompt->region[(gsize) y * (gsize) prompt->region_width + (gsize) x] >= 0.5f)
        {
          *left = MIN (*left, (double) x / prompt->region_width * photo->width);
          *right = MAX (*right, (x + 1.0) / prompt->region_width * photo->width);
          *top = MIN (*top, (double) y / prompt->region_height * photo->height);
          *bottom = MAX (*bottom, (y + 1.0) / prompt->region_height * photo->height);
        }
  for (gsize i = 0; !prompt->region && i < prompt->n_points; i++)
    if (prompt->points[i].inside)
      {
        *left = MIN (*left, prompt->points[i].x);
        *right = MAX (*right, prompt->points[i].x);
        *top = MIN (*top, prompt->points[i].y);
        *bottom = MAX (*bottom, prompt->points[i].y);
      }
  if (*right >= *left && *bottom >= *top)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Nothing is marked: %s.",
               prompt->region ? "select the thing, or draw around it" : "put a point on the thing");
  return FALSE;
}

/* `wide`, `high`: at least, around the middle of what is covered. */
static void
place_part (Part *part, const double cover[4], double wide, double high)
{
  double x = (cover[0] + cover[2]) / 2, y = (cover[1] + cover[3]) / 2;

  wide = CLAMP (wide, 1, part->photo->width);
  high = CLAMP (high, 1, part->photo->height);
  part->x = (int) CLAMP (x - wide / 2, 0, part->photo->width - wide);
  part->y = (int) CLAMP (y - high / 2, 0, part->photo->height - high);
  part->side_x = MIN ((int) ceil (wide), part->photo->width - part->x);
  part->side_y = MIN ((int) ceil (high), part->photo->height - part->y);
}

/* Reads rows of the part as a photo of its own. */
static gboolean
read_part (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize stride, GError **error)
{
  const Part *part = user_data;

  return part->photo->read (part->photo->user_data, part->x + x, part->y + y, width, height, rgb, stride, error);
}

/* The network's guess of the part, and its colours, at the size at which it is cut. */
static gboolean
look_at_part (Part *part, FoveaSegmenter *segmenter, GCancellable *cancellable, GError **error)
{
  FoveaPhoto             photo = { part->side_x, part->side_y, read_part, part };
  double                 scale = MIN (1.0, WORK_SIDE / (double) MAX (part->side_x, part->side_y));
  g_autoptr (FoveaMasks) masks = fovea_segmenter_run (segmenter, &photo, 1, cancellable, NULL, NULL, error);
  const MaskStack       *stack;

  if (!masks)
    return FALSE;
  stack = masks->stack;
  part->width = MAX (1, (int) rint (part->side_x * scale));
  part->height = MAX (1, (int) rint (part->side_y * scale));
  if (!part_alloc (part, error))
    return FALSE;
  for (int y = 0; y < part->height; y++)
    for (int x = 0; x < part->width; x++)
      {
        gsize         at = (gsize) y * (gsize) part->width + (gsize) x;
        double        u = (x + 0.5) / part->width, v = (y + 0.5) / part->height;
        int           column = MIN ((int) (u * masks->guide_width), masks->guide_width - 1), row = MIN ((int) (v * masks->guide_height), masks->guide_height - 1);
        const guint8 *pixel = masks->guide + 3 * ((gsize) row * (gsize) masks->guide_width + (gsize) column);

        memcpy (part->rgb + 3 * at, pixel, 3);
        for (gsize k = 0; k < stack->n; k++)
          {
            float share;

            plane_sample (stack->shares + k * (gsize) stack->width * (gsize) stack->height, stack->width, stack->height, 1, u, v, &share);
            part->guess[at] = MAX (part->guess[at], share);
          }
      }
  return TRUE;
}

/* How well the guess fits the points, -1 to 1. */
static double
fit_points (const Part *part)
{
  double sums[2] = { 0.0 };
  int    counts[2] = { 0 };

  for (gsize i = 0; i < part->prompt->n_points; i++)
    {
      const FoveaPromptPoint *point = &part->prompt->points[i];
      double                  u = (point->x - part->x) / part->side_x, v = (point->y - part->y) / part->side_y;
      float                   share = 0.0f;

      if (u >= 0 && u <= 1 && v >= 0 && v <= 1)
        plane_sample (part->guess, part->width, part->height, 1, u, v, &share);
      sums[point->inside != 0] += share;
      counts[point->inside != 0]++;
    }
  return (counts[1] ? sums[1] / counts[1] : 0.0) - (counts[0] ? sums[0] / counts[0] : 0.0);
}

/* A region is looked at with a margin. Points may lie on something small: the whole photo is looked at, then ever smaller parts, until the network sees something
 * where they are. */
static gboolean
find_part (Part *part, FoveaSegmenter *segmenter, GCancellable *cancellable, GError **error)
{
  static const double shares[] = { 1.0, 0.6, 0.35, 0.2 };
  double              cover[4], best = -2.0, best_share = 1.0;
  gboolean            region = part->prompt->region != NULL;

  if (!prompt_find_cover (part->prompt, part->photo, cover, error))
    return FALSE;
  if (region)
    {
      place_part (part, cover, (1 + 2 * MARGIN) * (cover[2] - cover[0]), (1 + 2 * MARGIN) * (cover[3] - cover[1]));
      return look_at_part (part, segmenter, cancellable, error);
    }
  for (gsize k = 0; k <= G_N_ELEMENTS (shares); k++)
    {
      double share = k < G_N_ELEMENTS (shares) ? shares[k] : best_share, fit;

      part_clear (part);
      place_part (part, cover, MAX (share * part->photo->width, 1.5 * (cover[2] - cover[0])), MAX (share * part->photo->height, 1.5 * (cover[3] - cover[1])));
      if (!look_at_part (part, segmenter, cancellable, error))
        return FALSE;
      fit = fit_points (part);
      if (fit > 0.5)
        break;
      if (fit > best)
        {
          best = fit;
          best_share = share;
        }
    }
  return TRUE;
}

/* ---- the cut ------------------------------------------------------------------------------------------------------------------------------ */

static void
mark_known (Part *part)
{
  const FoveaPrompt *prompt = part->prompt;
  double             radius = MAX (1.5, POINT_RADIUS * MAX (part->width, part->height));

  for (int y = 0; y < part->height; y++)
    for (int x = 0; x < part->width; x++)
      {
        guint8 *known = part->known + (gsize) y * (gsize) part->width + (gsize) x;
        double  px = part->x + (x + 0.5) / part->width * part->side_x, py = part->y + (y + 0.5) / part->height * part->side_y;

        if (prompt->region)
          {
            int column = MIN ((int) (px / part->photo->width * prompt->region_width), prompt->region_width - 1);
            int row = MIN ((int) (py / part->photo->height * prompt->region_height), prompt->region_height - 1);

            *known = prompt->region[(gsize) row * (gsize) prompt->region_width + (gsize) column] < 0.5f;
          }
        for (gsize i = 0; i < prompt->n_points; i++)
          {
            double dx = (px - prompt->points[i].x) * part->width / part->side_x, dy = (py - prompt->points[i].y) * part->height / part->side_y;

            if (dx * dx + dy * dy <= radius * radius)
              *known = prompt->points[i].inside ? REGION_INSIDE : REGION_OUTSIDE;
          }
      }
}

static void
take_known (Part *part)
{
  for (gsize i = 0; i < (gsize) part->width * (gsize) part->height; i++)
    if (part->known[i])
      part->guess[i] = part->known[i] == REGION_INSIDE ? 1.0f : 0.0f;
}

/* Where the network saw nothing that could be meant, its guess is worth nothing: anything in the region could be the thing. Sets `trust`. */
static void
mend_guess (Part *part)
{
  gsize  n = (gsize) part->width * (gsize) part->height, n_free = 0;
  double sum = 0.0;

  for (gsize i = 0; i < n; i++)
    if (part->known[i] != REGION_OUTSIDE)
      {
        sum += part->guess[i];
        n_free++;
      }
  part->trust = TRUST;
  if (part->prompt->region && sum < LEAST_SEEN * n_free)
    {
      part->trust = 0.0f;
      for (gsize i = 0; i < n; i++)
        part->guess[i] = 1.0f;
    }
  take_known (part);
}

/* Links are weak where the colours differ, by the photo's own measure of that. */
static void
link_pixels (Part *part)
{
  static const int   dx[GRAPH_LINKS] = { 1, 0, 1, -1 }, dy[GRAPH_LINKS] = { 0, 1, 1, 1 };
  static const float length[GRAPH_LINKS] = { 1.0f, 1.0f, G_SQRT2, G_SQRT2 };
  double             sum = 0.0;
  gsize              n = 0;

  for (int y = 0; y < part->height; y++)
    for (int x = 0; x < part->width; x++)
      for (int k = 0; k < GRAPH_LINKS; k++)
        {
          int           column = x + dx[k], row = y + dy[k], apart = 0;
          gsize         at = (gsize) y * (gsize) part->width + (gsize) x;
          const guint8 *a = part->rgb + 3 * at, *b;

          if (column < 0 || column >= part->width || row >= part->height)
            continue;
          b = part->rgb + 3 * ((gsize) row * (gsize) part->width + (gsize) column);
          for (int c = 0; c < 3; c++)
            apart += (a[c] - b[c]) * (a[c] - b[c]);
          part->links[GRAPH_LINKS * at + (gsize) k] = (float) apart;
          sum += apart;
          n++;
        }
  for (gsize at = 0; at < (gsize) part->width * (gsize) part->height; at++)
    for (int k = 0; k < GRAPH_LINKS; k++)
      {
        float *link = part->links + GRAPH_LINKS * at + (gsize) k;

        *link = SMOOTHNESS / length[k] * expf (-*link * (float) (n / (2.0 * MAX (sum, 1.0))));
      }
}

/* Learns the colours from the guess weighted, or from the cut before, and cuts again. */
static gboolean
cut_once (Part *part, gboolean first, GCancellable *cancellable, GError **error)
{
  gsize       n = (gsize) part->width * (gsize) part->height;
  ColourModel models[2];
  gboolean    known[2];

  for (int side = 0; side < 2; side++)
    {
      for (gsize i = 0; i < n; i++)
        {
          float inside = first ? part->guess[i] : (float) part->inside[i];

          part->weights[i] = side ? inside : 1.0f - inside;
        }
      known[side] = colour_model_fit (&models[side], part->rgb, part->weights, n);
    }
  for (gsize i = 0; i < n; i++)
    {
      float guess = CLAMP (part->guess[i], 0.02f, 0.98f), colours = 0.0f, both;

      if (known[0] && known[1])
        colours = CLAMP (colour_model_cost (&models[1], part->rgb + 3 * i) - colour_model_cost (&models[0], part->rgb + 3 * i), -GREATEST, GREATEST);
      both = colours + part->trust * (logf (1.0f - guess) - logf (guess)); /* above 0: outside is likelier */
      part->costs_inside[i] = part->known[i] == REGION_OUTSIDE ? CERTAIN : part->known[i] == REGION_INSIDE ? 0.0f : MAX (both, 0.0f);
      part->costs_outside[i] = part->known[i] == REGION_INSIDE ? CERTAIN : part->known[i] == REGION_OUTSIDE ? 0.0f : MAX (-both, 0.0f);
    }
  return graph_cut (part->width, part->height, part->costs_inside, part->costs_outside, part->links, part->inside, cancellable, error);
}

/* Of points, only what hangs together with one of them. */
static gboolean
keep_marked (Part *part, GError **error)
{
  gsize n = (gsize) part->width * (gsize) part->height, n_queue = 0;
  int  *queue = memory_alloc_n (n, sizeof (int), "the cut-out", error);

  if (!queue)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (part->known[i] == REGION_INSIDE)
      {
        part->inside[i] = 2;
        queue[n_queue++] = (int) i;
      }
  for (gsize i = 0; i < n_queue; i++)
    {
      int at = queue[i], x = at % part->width, y = at / part->width;
      int beside[] = { x > 0 ? at - 1 : -1, x < part->width - 1 ? at + 1 : -1, y > 0 ? at - part->width : -1, y < part->height - 1 ? at + part->width : -1 };

      for (int k = 0; k < 4; k++)
        if (beside[k] >= 0 && part->inside[beside[k]] == 1)
          {
            part->inside[beside[k]] = 2;
            queue[n_queue++] = beside[k];
          }
    }
  for (gsize i = 0; i < n; i++)
    part->inside[i] = part->inside[i] == 2;
  memory_free (queue);
  return TRUE;
}

/* TRUE if the cut took more than the points themselves. The shortest border of all is the one around a point: where network and colours say little, it wins over
 * the thing's own. */
static gboolean
has_grown (const Part *part)
{
  gsize n_marked = 0, n_inside = 0;

  for (gsize i = 0; i < (gsize) part->width * (gsize) part->height; i++)
    {
      n_marked += part->known[i] == REGION_INSIDE;
      n_inside += part->inside[i] != 0;
    }
  return n_inside >= LEAST_GROWN * n_marked;
}

static gboolean
cut_part (Part *part, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  link_pixels (part);
  for (int round = 0; round < N_ROUNDS; round++)
    {
      if (!cut_once (part, round == 0, cancellable, error))
        return FALSE;
      if (progress)
        progress ((round + 1.0) / (N_ROUNDS + 1), user_data);
    }
  return part->prompt->region || keep_marked (part, error);
}

/* Of points on what the network doesn't know: the even region that they lie in. */
static gboolean
cut_region (Part *part, FoveaSegmenter *segmenter, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  double whole[] = { 0.0, 0.0, part->photo->width, part->photo->height };

  part_clear (part);
  place_part (part, whole, part->photo->width, part->photo->height);
  if (!look_at_part (part, segmenter, cancellable, error))
    return FALSE;
  mark_known (part);
  if (!region_grow (part->rgb, part->width, part->height, part->known, part->guess, error))
    return FALSE;
  take_known (part);
  part->trust = REGION_TRUST;
  return cut_part (part, cancellable, progress, user_data, error);
}

/* ---- the answer ----------------------------------------------------------------------------------------------------------------------------- */

/* The cut, its steps rounded off, in a mask of the whole photo. */
static MaskStack *
place_cut (Part *part, GError **error)
{
  const FoveaPhoto     *photo = part->photo;
  double                scale = MIN ((double) part->width / part->side_x, PLACED_SIDE / (double) MAX (photo->width, photo->height));
  g_autoptr (MaskStack) stack = g_new0 (MaskStack, 1);

  stack->n = 1;
  stack->classes = g_new0 (gsize, 1);
  stack->width = MAX (1, (int) rint (photo->width * scale));
  stack->height = MAX (1, (int) rint (photo->height * scale));
  stack->shares = memory_alloc_n ((gsize) stack->width * (gsize) stack->height, sizeof (float), "the mask", error);
  if (!stack->shares)
    return NULL;
  for (gsize i = 0; i < (gsize) part->width * (gsize) part->height; i++)
    part->guess[i] = part->inside[i];
  plane_mean (part->guess, part->width, part->height, 1, 1, part->weights);
  for (int y = 0; y < stack->height; y++)
    for (int x = 0; x < stack->width; x++)
      {
        double u = ((x + 0.5) / stack->width * photo->width - part->x) / part->side_x, v = ((y + 0.5) / stack->height * photo->height - part->y) / part->side_y;

        if (u >= 0 && u <= 1 && v >= 0 && v <= 1)
          plane_sample (part->guess, part->width, part->height, 1, u, v, stack->shares + (gsize) y * (gsize) stack->width + (gsize) x);
      }
  return g_steal_pointer (&stack);
}

FoveaMasks *
prompt_run (FoveaSegmenter *segmenter, const FoveaPhoto *photo, const FoveaPrompt *prompt, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
            GError **error)
{
  g_auto (Part)          part = { .photo = photo, .prompt = prompt };
  g_autoptr (FoveaInput) guide = NULL;
  gboolean               known = FALSE;
  FoveaMasks            *masks;
  MaskStack             *stack;
  const guint8          *pixels;
  int                    width, height;

  if (!find_part (&part, segmenter, cancellable, error))
    return NULL;
  if (prompt->region || fit_points (&part) >= LEAST_FIT)
    {
      mark_known (&part);
      mend_guess (&part);
      if (!cut_part (&part, cancellable, progress, user_data, error))
        return NULL;
      known = prompt->region || has_grown (&part);
    }
  if (!known && !cut_region (&part, segmenter, cancellable, progress, user_data, error))
    return NULL;
  guide = masks_make_guide (photo, GUIDE_SIDE, error);
  if (!guide || !masks_push_rows (photo, NULL, guide, NULL, cancellable, error) || !(stack = place_cut (&part, error)))
    return NULL;
  pixels = fovea_input_get_pixels (guide, &width, &height);
  masks = masks_new (photo->width, photo->height, stack, fovea_segmenter_get_settings (segmenter), pixels, width, height, segmenter_get_threads (segmenter));
  if (!known)
    {
      g_free (masks->labels[0]);
      masks->labels[0] = g_strdup (REGION_LABEL);
    }
  return masks;
}
