/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * strided.c: see strided.h.
 */

#include "ops/strided.h"

#include <string.h>

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
  return 1 + 16384 / ((gsize) MAX (copy->dims[copy->n_dims - 1], 1) * copy->size);
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

void
strided_run (const StridedCopy *copy, const void *in, void *out, gsize first, gsize last)
{
  guint  row_dim = copy->n_dims - 1;
  gint64 size = (gint64) copy->size;

  for (gsize row = first; row < last; row++)
    {
      gint64 from = copy->in_offset, to = copy->out_offset;
      gsize  rest = row;

      for (guint i = row_dim; i-- > 0;)
        {
          gint64 at = (gint64) (rest % (gsize) copy->dims[i]);

          rest /= (gsize) copy->dims[i];
          from += at * copy->in_strides[i];
          to += at * copy->out_strides[i];
        }
      copy_row ((const guint8 *) in + from * size, copy->in_strides[row_dim], (guint8 *) out + to * size, copy->out_strides[row_dim],
                copy->dims[row_dim], copy->size);
    }
}
