/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resample.c: antialiased resizing of 8-bit RGB, as Pillow does it, since that is what nearly all networks were trained and measured with.
 *
 * The method (Pillow's "convolution based resampling"): the filter is stretched by the scale when shrinking, sampled at the pixels' centres,
 * normalized and rounded to 22 fractional bits; first the rows are resized and rounded to 8 bits, then the columns. All sums are exact integers,
 * so that columns can be summed as rows come in, in any order, with the same result: a photo of any height needs the sums of the output only.
 * Nearest neighbour and a side that keeps its size are axes with a single weight of 1.
 */

#include "vision/resample.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static double
filter_box (double x)
{
  return x >= -0.5 && x < 0.5 ? 1 : 0;
}

static double
filter_triangle (double x)
{
  x = fabs (x);
  return x < 1 ? 1 - x : 0;
}

/* Keys 1981 with a = -0.5. */
static double
filter_cubic (double x)
{
  const double a = -0.5;

  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2)
    return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (x * G_PI) / (x * G_PI);
}

static double
filter_lanczos (double x)
{
  return x >= -3 && x < 3 ? sinc (x) * sinc (x / 3) : 0;
}

static const struct
{
  double (*value) (double x);
  double support; /* pixels to either side */
} filters[] = {
  [FOVEA_FILTER_NEAREST]  = { filter_box, 0.5 },
  [FOVEA_FILTER_BILINEAR] = { filter_triangle, 1 },
  [FOVEA_FILTER_BICUBIC]  = { filter_cubic, 2 },
  [FOVEA_FILTER_LANCZOS]  = { filter_lanczos, 3 },
};

/* ---- weights ---------------------------------------------------------------------------------------------------------------------------- */

/* Output pixel i takes one input pixel as it is. */
static void
set_single (ResampleAxis *axis, int i, gint64 source, int n_in)
{
  axis->first[i] = (int) CLAMP (source, 0, n_in - 1);
  axis->n[i] = 1;
  axis->weights[(gsize) i * axis->max_taps] = 1 << RESAMPLE_PRECISION;
}

static void
set_filtered (ResampleAxis *axis, int i, FoveaFilter filter, double centre, double scale, double *values, int n_in)
{
  double  support = filters[filter].support * scale, inverse = 1 / scale, sum = 0;
  int     first = (int) MAX (centre - support + 0.5, 0), end = (int) MIN (centre + support + 0.5, n_in), n = MAX (end - first, 0);
  gint32 *weights = axis->weights + (gsize) i * axis->max_taps;

  for (int k = 0; k < n; k++)
    {
      values[k] = filters[filter].value ((k + first - centre + 0.5) * inverse);
      sum += values[k];
    }
  if (n == 0 || sum == 0)
    {
      set_single (axis, i, (gint64) centre, n_in);
      return;
    }
  for (int k = 0; k < n; k++)
    {
      double weight = values[k] / sum * (1 << RESAMPLE_PRECISION);

      weights[k] = (gint32) (weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  axis->first[i] = first;
  axis->n[i] = n;
}

/* Pillow walks from pixel to pixel, so that where two are equally near the rounding of that walk decides; so it is walked here, too, but for the
 * absurdly long. */
static void
set_nearest (ResampleAxis *axis, double ratio, gint64 crop, int n_in)
{
  const gint64 longest_walk = 1 << 24;
  gint64       i = crop > longest_walk ? crop : 0;
  double       position = (i + 0.5) * ratio;

  for (; i < crop + axis->n_out; i++, position += ratio)
    if (i >= crop)
      set_single (axis, (int) (i - crop), (gint64) position, n_in);
}

ResampleAxis *
resample_axis_new (FoveaFilter filter, int n_in, gint64 n_scaled, gint64 crop, int n_out, GError **error)
{
  g_autoptr (ResampleAxis) axis = g_new0 (ResampleAxis, 1);
  double   ratio = (double) n_in / n_scaled, scale = MAX (ratio, 1);
  gboolean single = filter == FOVEA_FILTER_NEAREST || n_scaled == n_in;
  double  *values;

  axis->n_out = n_out;
  axis->max_taps = single ? 1 : (int) MIN (ceil (filters[filter].support * scale) * 2 + 1, n_in);
  axis->first = memory_alloc_n (n_out, sizeof *axis->first, "resizing a photo", error);
  axis->n = axis->first ? memory_alloc_n (n_out, sizeof *axis->n, "resizing a photo", error) : NULL;
  axis->weights = axis->n ? memory_alloc_n ((gsize) n_out * axis->max_taps, sizeof *axis->weights, "resizing a photo", error) : NULL;
  values = axis->weights ? memory_alloc_n (axis->max_taps, sizeof *values, "resizing a photo", error) : NULL;
  if (!values)
    return NULL;

  if (filter == FOVEA_FILTER_NEAREST)
    set_nearest (axis, ratio, crop, n_in);
  for (int i = 0; i < n_out && filter != FOVEA_FILTER_NEAREST; i++)
    if (single)
      set_single (axis, i, crop + i, n_in);
    else
      set_filtered (axis, i, filter, (crop + i + 0.5) * ratio, scale, values, n_in);
  memory_free (values);

  axis->begin = axis->first[0];
  for (int i = 0; i < n_out; i++)
    axis->end = MAX (axis->end, axis->first[i] + axis->n[i]);
  return g_steal_pointer (&axis);
}

void
resample_axis_free (ResampleAxis *axis)
{
  if (!axis)
    return;
  memory_free (axis->first);
  memory_free (axis->n);
  memory_free (axis->weights);
  g_free (axis);
}

/* ---- rows and columns ------------------------------------------------------------------------------------------------------------------- */

static inline guint8
round_sum (gint32 sum)
{
  gint32 value = sum >> RESAMPLE_PRECISION;

  return (guint8) CLAMP (value, 0, 255);
}

void
resample_row (const ResampleAxis *axis, const guint8 *in, guint8 *out)
{
  for (int i = 0; i < axis->n_out; i++, out += 3)
    {
      const guint8 *pixel = in + (gsize) (axis->first[i] - axis->begin) * 3;
      const gint32 *weights = axis->weights + (gsize) i * axis->max_taps;
      gint32        red, green, blue;

      red = green = blue = 1 << (RESAMPLE_PRECISION - 1);
      for (int k = 0; k < axis->n[i]; k++, pixel += 3)
        {
          red += pixel[0] * weights[k];
          green += pixel[1] * weights[k];
          blue += pixel[2] * weights[k];
        }
      out[0] = round_sum (red);
      out[1] = round_sum (green);
      out[2] = round_sum (blue);
    }
}

gboolean
resample_columns_init (ResampleColumns *columns, const ResampleAxis *axis, gsize width, GError **error)
{
  gsize n;

  if (!g_size_checked_mul (&n, axis->n_out, width))
    n = G_MAXSIZE / sizeof *columns->sums;
  columns->axis = axis;
  columns->width = width;
  columns->row = axis->begin;
  columns->finished = 0;
  columns->sums = memory_alloc_n (n, sizeof *columns->sums, "resizing a photo", error);
  if (!columns->sums)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    columns->sums[i] = 1 << (RESAMPLE_PRECISION - 1);
  return TRUE;
}

void
resample_columns_clear (ResampleColumns *columns)
{
  memory_free (columns->sums);
  columns->sums = NULL;
}

gboolean
resample_columns_needs (const ResampleColumns *columns)
{
  const ResampleAxis *axis = columns->axis;

  for (int i = columns->finished; i < axis->n_out && axis->first[i] <= columns->row; i++)
    if (columns->row < axis->first[i] + axis->n[i])
      return TRUE;
  return FALSE;
}

/* sums += weight * row: the loop over a photo's columns. */
static void
add_row (gint32 *restrict sums, const guint8 *restrict row, gint32 weight, gsize n)
{
  for (gsize i = 0; i < n; i++)
    sums[i] += row[i] * weight;
}

void
resample_columns_push (ResampleColumns *columns, const guint8 *row)
{
  const ResampleAxis *axis = columns->axis;
  int                 y = columns->row++;

  while (columns->finished < axis->n_out && axis->first[columns->finished] + axis->n[columns->finished] <= y)
    columns->finished++;
  for (int i = columns->finished; i < axis->n_out && axis->first[i] <= y; i++)
    if (y < axis->first[i] + axis->n[i])
      add_row (columns->sums + (gsize) i * columns->width, row, axis->weights[(gsize) i * axis->max_taps + (y - axis->first[i])], columns->width);
}

void
resample_columns_get (const ResampleColumns *columns, int i, guint8 *out)
{
  const gint32 *sums = columns->sums + (gsize) i * columns->width;

  for (gsize x = 0; x < columns->width; x++)
    out[x] = round_sum (sums[x]);
}
