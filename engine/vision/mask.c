/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask.c: FoveaMasks and FoveaMask: from what the network said to masks of the photo's own pixels. What needs a pixel's neighbours (growing, feathering, colours
 * of the foreground) happens at the guide's size; only the border's refinement looks at the photo's full size, row by row.
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/masks.h"
#include "vision/matting.h"
#include "vision/plane.h"
#include "vision/refine.h"

#define HAIR_RADIUS   2     /* of the windows along which a mask with hair is brought to the photo, pixels of the guide */
#define COLOUR_RADIUS 0.045 /* of the windows that colours are taken from, share of the guide's longer side */

struct _FoveaMask
{
  const FoveaMasks *masks;
  FoveaMaskOptions  options;
  MaskStack         one;        /* the union, before anything is done to it */
  Refinement       *refinement; /* NULL: not wanted yet */
  int               band;       /* within which that has hair, pixels of the guide; 0: none */
  float            *plain;      /* (guide_height, guide_width): the union; NULL: not wanted yet, likewise: */
  float            *refined;
  float            *plane;      /* (guide_height, guide_width), with all options */
  float            *colours;    /* (guide_height, guide_width, 6): of foreground and background; NULL: not computed yet */
};

FoveaMasks *
masks_new (int photo_width, int photo_height, MaskStack *stack, const FoveaSettings *settings, const guint8 *guide, int guide_width, int guide_height,
           guint n_threads)
{
  FoveaMasks *masks = g_new0 (FoveaMasks, 1);

  masks->photo_width = photo_width;
  masks->photo_height = photo_height;
  masks->stack = stack;
  masks->labels = g_new0 (char *, stack->n + 1);
  for (gsize i = 0; i < stack->n; i++)
    masks->labels[i] = fovea_settings_get_label (settings, stack->classes[i]);
  masks->guide_width = guide_width;
  masks->guide_height = guide_height;
  masks->n_threads = n_threads;
  masks->guide = g_memdup2 (guide, (gsize) guide_width * (gsize) guide_height * 3);
  return masks;
}

void
fovea_masks_free (FoveaMasks *masks)
{
  if (!masks)
    return;
  mask_stack_free (masks->stack);
  mask_stack_free (masks->objects);
  g_strfreev (masks->labels);
  g_free (masks->guide);
  g_free (masks);
}

gsize
fovea_masks_count (const FoveaMasks *masks)
{
  return masks->stack->n;
}

const char *
fovea_masks_get_label (const FoveaMasks *masks, gsize i)
{
  return masks->labels[i];
}

gsize
fovea_masks_get_class (const FoveaMasks *masks, gsize i)
{
  return masks->stack->classes[i];
}

void
fovea_masks_find_best (const FoveaMasks *masks, guint8 *best, float *share)
{
  const MaskStack *stack = masks->stack;
  gsize            size = (gsize) stack->width * (gsize) stack->height;

  memset (best, 0, size);
  memset (share, 0, size * sizeof *share);
  for (gsize k = 0; k < stack->n; k++)
    for (gsize i = 0; i < size; i++)
      if (stack->shares[k * size + i] > share[i])
        {
          share[i] = stack->shares[k * size + i];
          best[i] = (guint8) stack->classes[k];
        }
}

/* ---- at the guide's size ----------------------------------------------------------------------------------------------------------------- */

static float
shape_share (const FoveaMaskOptions *options, float share)
{
  double x = options->softness >= 1.0 && options->threshold == 0.5 ? share : 0.5 + (share - options->threshold) / MAX (options->softness, 1e-3);

  return (float) CLAMP (x, 0.0, 1.0);
}

static float *
alloc_plane (const FoveaMask *mask, gsize fields, GError **error)
{
  return memory_alloc_n ((gsize) mask->masks->guide_width * (gsize) mask->masks->guide_height, fields * sizeof (float), "the mask", error);
}

/* Along the photo's edges. */
static Refinement *
find_edges (const FoveaMask *mask, GError **error)
{
  const FoveaMasks *masks = mask->masks;

  return refinement_new (masks->guide, masks->guide_width, masks->guide_height, mask->one.shares, mask->one.width, mask->one.height, 0, masks->n_threads, error);
}

/* The same with hair, which is looked for around the border that follows the edges. */
static Refinement *
find_hair (const FoveaMask *mask, int band, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  const FoveaMasks      *masks = mask->masks;
  int                    width = masks->guide_width, height = masks->guide_height;
  g_autoptr (Refinement) edges = find_edges (mask, error);
  Refinement            *hair = NULL;
  float                 *plane = edges ? alloc_plane (mask, 1, error) : NULL;

  if (!plane)
    return NULL;
  refinement_fill (edges, masks->guide, plane);
  g_clear_pointer (&edges, refinement_free);
  if (!g_cancellable_set_error_if_cancelled (cancellable, error)
      && matting_solve (masks->guide, width, height, plane, band, cancellable, progress, user_data, error))
    hair = refinement_new (masks->guide, width, height, plane, width, height, HAIR_RADIUS, masks->n_threads, error);
  memory_free (plane);
  return hair;
}

/* The union's shares at the guide's size, along the photo's edges or without them: computed once each. */
static const float *
get_shares (FoveaMask *mask, gboolean refine, GError **error)
{
  const FoveaMasks *masks = mask->masks;
  int               width = masks->guide_width, height = masks->guide_height;
  float           **plane = refine ? &mask->refined : &mask->plain;

  if (refine && !mask->refinement)
    mask->refinement = mask->band ? find_hair (mask, mask->band, NULL, NULL, NULL, error) : find_edges (mask, error);
  if (*plane || (refine && !mask->refinement))
    return *plane;
  *plane = alloc_plane (mask, 1, error);
  if (*plane && refine)
    refinement_fill (mask->refinement, masks->guide, *plane);
  for (int y = 0; *plane && !refine && y < height; y++)
    for (int x = 0; x < width; x++)
      plane_sample (mask->one.shares, mask->one.width, mask->one.height, 1, (x + 0.5) / width, (y + 0.5) / height, *plane + (gsize) y * width + x);
  return *plane;
}

static gboolean
feather_plane (FoveaMask *mask, int feather, GError **error)
{
  float *scratch = feather > 0 ? alloc_plane (mask, 1, error) : NULL;

  for (int pass = 0; pass < 3 && scratch; pass++) /* three means are nearly a Gaussian */
    plane_mean (mask->plane, mask->masks->guide_width, mask->masks->guide_height, 1, MAX (1, feather / 2), scratch);
  memory_free (scratch);
  return feather <= 0 || scratch;
}

/* In pixels of the guide; 0: hair isn't wanted. */
static int
get_band (const FoveaMask *mask, const FoveaMaskOptions *options)
{
  double scale = (double) mask->masks->guide_width / mask->masks->photo_width;

  return options->refine && options->hair > 0.0 ? MAX (1, (int) rint (options->hair * scale)) : 0;
}

static void
forget_refinement (FoveaMask *mask, int band)
{
  g_clear_pointer (&mask->refinement, refinement_free);
  g_clear_pointer (&mask->refined, memory_free);
  mask->band = band;
}

gboolean
fovea_mask_set_options (FoveaMask *mask, const FoveaMaskOptions *options, GError **error)
{
  int          width = mask->masks->guide_width, height = mask->masks->guide_height;
  double       scale = (double) width / mask->masks->photo_width;
  int          grow = (int) rint (options->grow * scale), feather = (int) rint (options->feather * scale);
  int          band = get_band (mask, options);
  gsize        n = (gsize) width * (gsize) height;
  const float *shares;

  if (options->refine && band != mask->band)
    forget_refinement (mask, band);
  shares = get_shares (mask, options->refine, error);
  if (!shares || (!mask->plane && !(mask->plane = alloc_plane (mask, 1, error))))
    return FALSE;
  mask->options = *options;
  g_clear_pointer (&mask->colours, memory_free);
  for (gsize at = 0; at < n; at++)
    mask->plane[at] = shape_share (options, shares[at]);
  if ((grow && !plane_spread (mask->plane, width, height, grow, error)) || !feather_plane (mask, feather, error))
    return FALSE;
  for (gsize at = 0; at < n && options->invert; at++)
    mask->plane[at] = 1.0f - mask->plane[at];
  return TRUE;
}

gboolean
fovea_mask_find_hair (FoveaMask *mask, double hair, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  FoveaMaskOptions options = mask->options;
  int              band = get_band (mask, &(FoveaMaskOptions) { .refine = TRUE, .hair = hair });
  Refinement      *found;

  options.hair = hair;
  if (band && band != mask->band)
    {
      found = find_hair (mask, band, cancellable, progress, user_data, error);
      if (!found)
        return FALSE;
      forget_refinement (mask, band);
      mask->refinement = found;
    }
  return fovea_mask_set_options (mask, &options, error);
}

FoveaMask *
fovea_mask_new (const FoveaMasks *masks, const gsize *which, gsize n, const FoveaMaskOptions *options, GError **error)
{
  g_autoptr (FoveaMask) mask = g_new0 (FoveaMask, 1);
  const MaskStack      *stack = masks->stack;
  gsize                 size = (gsize) stack->width * (gsize) stack->height;

  mask->masks = masks;
  mask->one = (MaskStack) { .n = 1, .width = stack->width, .height = stack->height };
  mask->one.shares = memory_alloc_n (size, sizeof (float), "the mask", error);
  if (!mask->one.shares)
    return NULL;
  for (gsize k = 0; k < (n ? n : stack->n); k++)
    for (gsize i = 0; i < size; i++)
      mask->one.shares[i] = MAX (mask->one.shares[i], stack->shares[(n ? which[k] : k) * size + i]);
  return fovea_mask_set_options (mask, options, error) ? g_steal_pointer (&mask) : NULL;
}

void
fovea_mask_free (FoveaMask *mask)
{
  if (!mask)
    return;
  g_clear_pointer (&mask->refinement, refinement_free);
  memory_free (mask->one.shares);
  memory_free (mask->plain);
  memory_free (mask->refined);
  memory_free (mask->plane);
  memory_free (mask->colours);
  g_free (mask);
}

double
fovea_mask_get_area (const FoveaMask *mask)
{
  gsize  n = (gsize) mask->masks->guide_width * (gsize) mask->masks->guide_height;
  double sum = 0.0;

  for (gsize i = 0; i < n; i++)
    sum += mask->plane[i];
  return sum / (double) n;
}

/* ---- at the photo's size ------------------------------------------------------------------------------------------------------------------- */

void
fovea_mask_sample (const FoveaMask *mask, double x, double y, double step, const guint8 *rgb, int n, float *out)
{
  const FoveaMasks *masks = mask->masks;
  double            first = x / masks->photo_width, row = y / masks->photo_height, apart = step / masks->photo_width;
  gboolean          plain = !mask->options.grow && !mask->options.feather, refined = mask_needs_photo (mask);

  if (refined)
    refinement_apply (mask->refinement, first, row, apart, rgb, (gsize) n, out);
  for (int i = 0; i < n; i++)
    {
      /* Straight from the network's own pixels, unless neighbours came in at the guide's size. */
      if (plain && !refined)
        plane_sample (mask->one.shares, mask->one.width, mask->one.height, 1, first + i * apart, row, out + i);
      else if (!plain)
        plane_sample (mask->plane, masks->guide_width, masks->guide_height, 1, first + i * apart, row, out + i);
      if (plain)
        {
          out[i] = shape_share (&mask->options, out[i]);
          out[i] = mask->options.invert ? 1.0f - out[i] : out[i];
        }
    }
}

gboolean
mask_needs_photo (const FoveaMask *mask)
{
  return mask->options.refine && !mask->options.grow && !mask->options.feather;
}

gboolean
fovea_mask_read (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error)
{
  g_autofree guint8 *rgb = mask_needs_photo (mask) ? g_malloc ((gsize) width * 3) : NULL;

  for (int row = 0; row < height; row++)
    {
      if (rgb && !photo->read (photo->user_data, x, y + row, width, 1, rgb, (gsize) width * 3, error))
        return FALSE;
      fovea_mask_sample (mask, x + 0.5, y + row + 0.5, 1.0, rgb, width, out + (gsize) row * width);
    }
  return TRUE;
}

/* Means of the colours inside and outside the mask around each pixel of the guide. */
static gboolean
find_colours (FoveaMask *mask, GError **error)
{
  const FoveaMasks *masks = mask->masks;
  int               width = masks->guide_width, height = masks->guide_height, radius = MAX (2, (int) (COLOUR_RADIUS * MAX (width, height)));
  gsize             n = (gsize) width * (gsize) height;
  float            *sums = alloc_plane (mask, 16, error), *colours = sums ? alloc_plane (mask, 6, error) : NULL;

  for (gsize at = 0; colours && at < n; at++)
    {
      float share = mask->plane[at];

      for (int c = 0; c < 3; c++)
        {
          sums[8 * at + c] = share * masks->guide[3 * at + c] / 255.0f;
          sums[8 * at + 4 + c] = (1.0f - share) * masks->guide[3 * at + c] / 255.0f;
        }
      sums[8 * at + 3] = share;
      sums[8 * at + 7] = 1.0f - share;
    }
  if (colours)
    plane_mean (sums, width, height, 8, radius, sums + 8 * n);
  for (gsize at = 0; colours && at < n; at++)
    for (int side = 0; side < 2; side++)
      for (int c = 0; c < 3; c++)
        {
          float weight = sums[8 * at + 4 * side + 3];

          colours[6 * at + 3 * side + c] = weight > 1e-4f ? sums[8 * at + 4 * side + c] / weight : masks->guide[3 * at + c] / 255.0f;
        }
  memory_free (sums);
  mask->colours = colours;
  return colours != NULL;
}

gboolean
fovea_mask_sample_cutout (FoveaMask *mask, double x, double y, double step, const guint8 *rgb, int n, float *out, GError **error)
{
  const FoveaMasks *masks = mask->masks;
  g_autofree float *shares = g_new (float, n);

  if (!mask->colours && !find_colours (mask, error))
    return FALSE;
  fovea_mask_sample (mask, x, y, step, rgb, n, shares);
  for (int i = 0; i < n; i++)
    {
      float *pixel = out + 4 * (gsize) i, colours[6], share = shares[i];

      plane_sample (mask->colours, masks->guide_width, masks->guide_height, 6, (x + i * step) / masks->photo_width, y / masks->photo_height, colours);
      for (int c = 0; c < 3; c++)
        {
          float seen = rgb[3 * i + c] / 255.0f, left = seen - share * colours[c] - (1.0f - share) * colours[3 + c];

          /* Where the mask is full, the photo's own colour; where it is thin, the foreground's around. */
          pixel[c] = share >= 0.999f ? seen : CLAMP (colours[c] + share * left, 0.0f, 1.0f);
        }
      pixel[3] = share;
    }
  return TRUE;
}

gboolean
fovea_mask_read_cutout (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error)
{
  g_autofree guint8 *rgb = g_malloc ((gsize) width * 3);

  for (int row = 0; row < height; row++)
    if (!photo->read (photo->user_data, x, y + row, width, 1, rgb, (gsize) width * 3, error)
        || !fovea_mask_sample_cutout (mask, x + 0.5, y + row + 0.5, 1.0, rgb, width, out + (gsize) row * width * 4, error))
      return FALSE;
  return TRUE;
}
