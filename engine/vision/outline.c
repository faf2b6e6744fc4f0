/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * outline.c: the border of a mask as closed curves, holes among them: libpotrace (Selinger 2003) fits cubic Béziers to where the mask crosses one half. Small
 * photos are traced twice as fine as their pixels, as a soft mask says more than its pixels; very large ones more coarsely.
 */

#include <errno.h>
#include <math.h>
#include <potracelib.h>

#include "base/memory.h"
#include "vision/masks.h"

#define FINE_SIDE   2048 /* up to this longer side, samples are half a pixel apart */
#define COARSE_SIDE 8192 /* the longer side of what is traced at most */
#define TOLERANCE   0.2  /* how far, in pixels of the photo, a curve may stray from the one that it simplifies */

#define WORD_BITS ((int) (8 * sizeof (potrace_word)))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (potrace_param_t, potrace_param_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (potrace_state_t, potrace_state_free)

/* One bit a sample: inside. Row 0 of the bitmap is the photo's first, so that potrace's coordinates are the photo's. */
static gboolean
fill_bitmap (FoveaMask *mask, const FoveaPhoto *photo, double step, potrace_bitmap_t *bitmap, GError **error)
{
  gboolean           needs_photo = mask_needs_photo (mask);
  g_autofree guint8 *row = g_new (guint8, (gsize) photo->width * 3), *rgb = g_new (guint8, (gsize) bitmap->w * 3);
  g_autofree float  *shares = g_new (float, bitmap->w);
  int                read = -1;

  for (int y = 0; y < bitmap->h; y++)
    {
      potrace_word *words = bitmap->map + (gsize) y * (gsize) bitmap->dy;
      int           wanted = MIN ((int) ((y + 0.5) * step), photo->height - 1);

      if (needs_photo && wanted != read && !photo->read (photo->user_data, 0, wanted, photo->width, 1, row, (gsize) photo->width * 3, error))
        return FALSE;
      read = wanted;
      for (int x = 0; x < bitmap->w && needs_photo; x++)
        {
          const guint8 *pixel = row + 3 * (gsize) MIN ((int) ((x + 0.5) * step), photo->width - 1);

          for (int c = 0; c < 3; c++)
            rgb[3 * x + c] = pixel[c];
        }
      fovea_mask_sample (mask, 0.5 * step, (y + 0.5) * step, step, rgb, bitmap->w, shares);
      for (int x = 0; x < bitmap->w; x++)
        if (shares[x] >= 0.5f)
          words[x / WORD_BITS] |= (potrace_word) 1 << (WORD_BITS - 1 - x % WORD_BITS);
    }
  return TRUE;
}

static void
set_segment (double (*points)[2], const double start[2], const double a[2], const double b[2], const double end[2])
{
  const double *const from[] = { a ? a : start, b ? b : end, end };

  for (int k = 0; k < 3; k++)
    for (int c = 0; c < 2; c++)
      points[k][c] = from[k][c];
}

/* potrace's curves have Béziers and corners, which are two straight lines. */
static void
convert_curve (const potrace_path_t *path, double step, FoveaCurve *curve)
{
  const potrace_curve_t *from = &path->curve;
  double                 start[2] = { from->c[from->n - 1][2].x * step, from->c[from->n - 1][2].y * step };

  curve->hole = path->sign == '-';
  curve->points = g_malloc_n (6 * (gsize) from->n, sizeof *curve->points); /* a corner makes two segments */
  for (int i = 0; i < from->n; i++)
    {
      double p[3][2];

      for (int k = 0; k < 3; k++)
        {
          p[k][0] = from->c[i][k].x * step;
          p[k][1] = from->c[i][k].y * step;
        }
      if (from->tag[i] == POTRACE_CORNER)
        {
          set_segment (curve->points + 3 * curve->n++, start, NULL, NULL, p[1]);
          set_segment (curve->points + 3 * curve->n++, p[1], NULL, NULL, p[2]);
        }
      else
        set_segment (curve->points + 3 * curve->n++, start, p[0], p[1], p[2]);
      start[0] = p[2][0];
      start[1] = p[2][1];
    }
}

/* The integral of x dy along a cubic Bézier. */
static double
integrate (const double a[2], const double (*p)[2])
{
  const double x[4] = { a[0], p[0][0], p[1][0], p[2][0] }, y[4] = { a[1], p[0][1], p[1][1], p[2][1] };
  /* Of Bernstein's polynomials B_i of degree 3 and B_j of degree 2: 3 ∫ B_i B_j = 3 C(3, i) C(2, j) / (6 C(5, i + j)). */
  static const double binomial3[] = { 1, 3, 3, 1 }, binomial2[] = { 1, 2, 1 }, binomial5[] = { 1, 5, 10, 10, 5, 1 };
  double              sum = 0.0;

  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 3; j++)
      sum += x[i] * (y[j + 1] - y[j]) * 0.5 * binomial3[i] * binomial2[j] / binomial5[i + j];
  return sum;
}

static double
curve_area (const FoveaCurve *curve)
{
  double        sum = 0.0;
  const double *start = curve->points[3 * curve->n - 1];

  for (gsize i = 0; i < curve->n; i++)
    {
      sum += integrate (start, (const double (*)[2]) (curve->points + 3 * i));
      start = curve->points[3 * i + 2];
    }
  return fabs (sum);
}

FoveaOutline *
fovea_mask_trace (FoveaMask *mask, const FoveaPhoto *photo, double speck, GError **error)
{
  int                         side = MAX (photo->width, photo->height);
  double                      step = side <= FINE_SIDE ? 0.5 : MAX (1.0, ceil (side / (double) COARSE_SIDE));
  potrace_bitmap_t            bitmap = { .w = MAX (1, (int) (photo->width / step)), .h = MAX (1, (int) (photo->height / step)) };
  g_autoptr (potrace_param_t) parameters = potrace_param_default ();
  g_autoptr (potrace_state_t) state = NULL;
  g_autoptr (FoveaOutline)    outline = g_new0 (FoveaOutline, 1);
  gboolean                    filled;

  bitmap.dy = (bitmap.w + WORD_BITS - 1) / WORD_BITS;
  bitmap.map = memory_alloc_n ((gsize) bitmap.dy * (gsize) bitmap.h, sizeof (potrace_word), "the outline", error);
  if (!bitmap.map)
    return NULL;
  filled = fill_bitmap (mask, photo, step, &bitmap, error);
  if (filled && parameters)
    {
      parameters->turdsize = (int) MIN (speck / (step * step), 1e6);
      parameters->opttolerance = TOLERANCE / step;
      state = potrace_trace (parameters, &bitmap);
    }
  memory_free (bitmap.map);
  if (!filled)
    return NULL;
  if (!state || state->status != POTRACE_STATUS_OK)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "The outline can't be traced: %s. Free some memory and try again.", g_strerror (errno));
      return NULL;
    }
  for (const potrace_path_t *path = state->plist; path; path = path->next)
    outline->n++;
  outline->curves = g_new0 (FoveaCurve, outline->n);
  outline->n = 0;
  for (const potrace_path_t *path = state->plist; path; path = path->next)
    {
      FoveaCurve *curve = &outline->curves[outline->n++];

      convert_curve (path, step, curve);
      outline->area += curve->hole ? -curve_area (curve) : curve_area (curve);
    }
  return g_steal_pointer (&outline);
}

void
fovea_outline_free (FoveaOutline *outline)
{
  if (!outline)
    return;
  for (gsize i = 0; i < outline->n; i++)
    g_free (outline->curves[i].points);
  g_free (outline->curves);
  g_free (outline);
}
