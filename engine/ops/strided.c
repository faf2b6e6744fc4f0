/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * strided.c: see strided.h.
 */

#include "ops/strided.h"

#include <string.h>

/* Rows and columns that are copied together where rows are gathered from far apart: each line of the cache is then read once, not once a row. */
#define TILE 16

void
strided_dense (const FoveaShape *shape, gint64 *strides)
{
  gint64 stride = 1;

  for (guint i = shape->n_dims; i-- > 0;)
    {
      strides[i] = stride;
      stride *= MAX (shape->dims[i], 1);
    }
}

/* Where the elements of a row lie apart in the input, the dimension that is dense there becomes that of neighbouring rows. */
static void
bring_dense_beside (StridedCopy *copy)
{
  guint beside = copy->n_dims - 2;

  if (copy->n_dims < 3 || ABS (copy->in_strides[beside + 1]) <= 1)
    return;
  for (guint i = 0; i < beside; i++)
    if (copy->in_strides[i] == 1)
      {
        gint64 dim = copy->dims[i], in = copy->in_strides[i], out = copy->out_strides[i];

        copy->dims[i] = copy->dims[beside];
        copy->in_strides[i] = copy->in_strides[beside];
        copy->out_strides[i] = copy->out_strides[beside];
        copy->dims[beside] = dim;
        copy->in_strides[beside] = in;
        copy->out_strides[beside] = out;
        return;
      }
}

void
strided_simplify (StridedCopy *copy)
{
  guint n = 0;

  for (guint i = 0; i < copy->n_dims; i++)
    {
      gint64 size = copy->dims[i], in = copy->in_strides[i], out = copy->out_strides[i];

      if (size == 1)
        continue;
      if (n > 0 && copy->in_strides[n - 1] == in * size && copy->out_strides[n - 1] == out * size)
        copy->dims[n - 1] *= size;
      else
        copy->dims[n++] = size;
      copy->in_strides[n - 1] = in;
      copy->out_strides[n - 1] = out;
    }
  if (n == 0)
    {
      copy->dims[0] = 1;
      copy->in_strides[0] = copy->out_strides[0] = 1;
      n = 1;
    }
  copy->n_dims = n;
  bring_dense_beside (copy);
}

static gboolean
is_tiled (const StridedCopy *copy)
{
  guint row = copy->n_dims - 1;

  return row > 0 && ABS (copy->in_strides[row]) > 1 && copy->in_strides[row - 1] == 1;
}

gsize
strided_rows (const StridedCopy *copy)
{
  gsize rows = 1;

  for (guint i = 0; i < copy->n_dims; i++)
    if (copy->dims[i] == 0)
      return 0;
  for (guint i = 0; i + 1 < copy->n_dims; i++)
    rows *= (gsize) copy->dims[i];
  return rows;
}

gsize
strided_grain (const StridedCopy *copy)
{
  gsize rows = 1 + 16384 / ((gsize) MAX (copy->dims[copy->n_dims - 1], 1) * copy->size);

  return is_tiled (copy) ? MAX (rows, TILE) : rows;
}

#define COPY_ELEMENTS(T)                                                            \
  {                                                                                 \
    const T *from = (const T *) in;                                                 \
    T       *to = (T *) out;                                                        \
                                                                                    \
    for (gint64 i = 0; i < n; i++)                                                  \
      to[i * out_stride] = from[i * in_stride];                                     \
  }                                                                                 \
  break

static void
copy_row (const guint8 *in, gint64 in_stride, guint8 *out, gint64 out_stride, gint64 n, gsize size)
{
  if (in_stride == 1 && out_stride == 1)
    memcpy (out, in, (gsize) n * size);
  else
    switch (size)
      {
      case 1: COPY_ELEMENTS (guint8);
      case 2: COPY_ELEMENTS (guint16);
      case 4: COPY_ELEMENTS (guint32);
      default: COPY_ELEMENTS (guint64);
      }
}

/* Where row `row` begins on both sides, in elements. */
static void
find_row (const StridedCopy *copy, gsize row, gint64 *from, gint64 *to)
{
  *from = copy->in_offset;
  *to = copy->out_offset;
  for (guint i = copy->n_dims - 1; i-- > 0;)
    {
      gint64 at = (gint64) (row % (gsize) copy->dims[i]);

      row /= (gsize) copy->dims[i];
      *from += at * copy->in_strides[i];
      *to += at * copy->out_strides[i];
    }
}

/* `n_rows` neighbouring rows, TILE columns at a time. */
static void
copy_rows (const StridedCopy *copy, const guint8 *in, guint8 *out, gsize n_rows)
{
  guint  row = copy->n_dims - 1;
  gint64 size = (gint64) copy->size, n = copy->dims[row], in_column = copy->in_strides[row], out_column = copy->out_strides[row];

  for (gint64 column = 0; column < n; column += TILE)
    for (gsize i = 0; i < n_rows; i++)
      copy_row (in + ((gint64) i + column * in_column) * size, in_column, out + ((gint64) i * copy->out_strides[row - 1] + column * out_column) * size,
                out_column, MIN (TILE, n - column), copy->size);
}

void
strided_run (const StridedCopy *copy, const void *in, void *out, gsize first, gsize last)
{
  guint  row_dim = copy->n_dims - 1;
  gint64 size = (gint64) copy->size, from, to;

  for (gsize row = first; row < last;)
    {
      gsize n_rows = 1;

      find_row (copy, row, &from, &to);
      if (is_tiled (copy))
        {
          gsize neighbours = (gsize) copy->dims[row_dim - 1] - row % (gsize) copy->dims[row_dim - 1];

          n_rows = MIN (MIN (neighbours, TILE), last - row);
          copy_rows (copy, (const guint8 *) in + from * size, (guint8 *) out + to * size, n_rows);
        }
      else
        copy_row ((const guint8 *) in + from * size, copy->in_strides[row_dim], (guint8 *) out + to * size, copy->out_strides[row_dim],
                  copy->dims[row_dim], copy->size);
      row += n_rows;
    }
}
