/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * strided-copy.c: see strided-copy.h.
 *
 * A box is first made simple: dimensions of one element go, neighbours that are walked as one are merged. Its last dimension is then a row. Rows
 * that are dense on both sides are copied as bytes. Where rows are gathered with a stride, the dimension that is dense in the input is moved beside
 * the row, and tiles of TILE x TILE elements are copied, so that each cache line is read once.
 */

#include "ops/strided-copy.h"

#include <string.h>

#include "base/tensor.h"

#define CHUNK 16384 /* elements of a row that a task copies */
#define TILE 16

typedef struct
{
  StridedCopy box;
  gsize       n_rows;     /* of all dimensions but the last two */
  gsize       row_groups; /* pieces of the last but one */
  gsize       group;      /* rows of a piece */
  gsize       chunks;     /* pieces of the last */
  gsize       first_task;
} Part;

struct _StridedCopies
{
  gsize   element_size;
  GArray *parts;
  gsize   n_tasks;
};

static void
free_copies (gpointer data)
{
  StridedCopies *copies = data;

  g_array_unref (copies->parts);
  g_free (copies);
}

void
strided_copy_strides (const FoveaShape *shape, gint64 *strides)
{
  gint64 stride = 1;

  for (guint i = shape->n_dims; i-- > 0;)
    {
      strides[i] = stride;
      stride *= MAX (shape->dims[i], 1);
    }
}

StridedCopies *
strided_copies_new (Step *step, gsize element_size)
{
  StridedCopies *copies = g_new0 (StridedCopies, 1);

  copies->element_size = element_size;
  copies->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  step->state = copies;
  step->free_state = free_copies;
  return copies;
}

/* Drops and merges dimensions; at least two are left. */
static void
simplify (const StridedCopy *copy, StridedCopy *box)
{
  guint n = 0;

  *box = *copy;
  for (guint i = 0; i < copy->n_dims; i++)
    {
      gint64 size = copy->dims[i], in = copy->in_strides[i], out = copy->out_strides[i];

      if (size == 1)
        continue;
      if (n > 0 && box->in_strides[n - 1] == in * size && box->out_strides[n - 1] == out * size)
        box->dims[--n] *= size;
      else
        box->dims[n] = size;
      box->in_strides[n] = in;
      box->out_strides[n++] = out;
    }
  for (; n < 2; n++)
    {
      for (guint i = n; i > 0; i--)
        {
          box->dims[i] = box->dims[i - 1];
          box->in_strides[i] = box->in_strides[i - 1];
          box->out_strides[i] = box->out_strides[i - 1];
        }
      box->dims[0] = 1;
      box->in_strides[0] = box->out_strides[0] = n == 0 ? 1 : 0;
    }
  box->n_dims = n;
}

static void
swap_dims (StridedCopy *box, guint a, guint b)
{
  gint64 dim = box->dims[a], in = box->in_strides[a], out = box->out_strides[a];

  box->dims[a] = box->dims[b];
  box->in_strides[a] = box->in_strides[b];
  box->out_strides[a] = box->out_strides[b];
  box->dims[b] = dim;
  box->in_strides[b] = in;
  box->out_strides[b] = out;
}

void
strided_copies_add (StridedCopies *copies, const StridedCopy *copy)
{
  Part  part = { .n_rows = 1, .group = 1 };
  guint last;

  for (guint i = 0; i < copy->n_dims; i++)
    if (copy->dims[i] == 0)
      return;

  simplify (copy, &part.box);
  last = part.box.n_dims - 1;
  if (part.box.in_strides[last] != 1)
    {
      for (guint i = 0; i < last; i++)
        if (part.box.in_strides[i] == 1 && part.box.dims[i] > 1)
          {
            swap_dims (&part.box, i, last - 1);
            break;
          }
      part.group = TILE;
    }
  else if (part.box.dims[last] < TILE * TILE)
    part.group = TILE;
  for (guint i = 0; i + 1 < last; i++)
    part.n_rows *= (gsize) part.box.dims[i];
  part.row_groups = ((gsize) part.box.dims[last - 1] + part.group - 1) / part.group;
  part.chunks = ((gsize) part.box.dims[last] + CHUNK - 1) / CHUNK;
  part.first_task = copies->n_tasks;
  copies->n_tasks += part.n_rows * part.row_groups * part.chunks;
  g_array_append_val (copies->parts, part);
}

/* `size` is a constant where it is called, so that each element is one load and one store. */
static inline void
copy_tile (const guint8 *in, gint64 in_row, gint64 in_column, guint8 *out, gint64 out_row, gint64 out_column, gsize n_rows, gsize n_columns, gsize size)
{
  for (gsize column = 0; column < n_columns; column += TILE)
    for (gsize row = 0; row < n_rows; row++)
      {
        const guint8 *from = in + ((gint64) row * in_row + (gint64) column * in_column) * (gint64) size;
        guint8       *to = out + ((gint64) row * out_row + (gint64) column * out_column) * (gint64) size;

        for (gsize i = MIN (TILE, n_columns - column); i-- > 0; from += in_column * (gint64) size, to += out_column * (gint64) size)
          memcpy (to, from, size);
      }
}

static void
copy_piece (const Part *part, gsize size, gsize task, const guint8 *in, guint8 *out)
{
  const StridedCopy *box = &part->box;
  guint              last = box->n_dims - 1;
  gsize              chunk = task % part->chunks, group = task / part->chunks % part->row_groups, row = task / part->chunks / part->row_groups;
  gsize              first_row = group * part->group, n_rows = MIN (part->group, (gsize) box->dims[last - 1] - first_row);
  gsize              first = chunk * CHUNK, n = MIN (CHUNK, (gsize) box->dims[last] - first);
  gint64             from = (gint64) box->in_offset + (gint64) first_row * box->in_strides[last - 1] + (gint64) first * box->in_strides[last];
  gint64             to = (gint64) box->out_offset + (gint64) first_row * box->out_strides[last - 1] + (gint64) first * box->out_strides[last];

  for (guint i = last - 1; i-- > 0;)
    {
      gint64 at = (gint64) (row % (gsize) box->dims[i]);

      row /= (gsize) box->dims[i];
      from += at * box->in_strides[i];
      to += at * box->out_strides[i];
    }
  in += from * (gint64) size;
  out += to * (gint64) size;

  if (box->in_strides[last] == 1 && box->out_strides[last] == 1)
    {
      for (gsize i = 0; i < n_rows; i++)
        memcpy (out + (gint64) i * box->out_strides[last - 1] * (gint64) size, in + (gint64) i * box->in_strides[last - 1] * (gint64) size, n * size);
      return;
    }
  switch (size)
    {
    case 1:  copy_tile (in, box->in_strides[last - 1], box->in_strides[last], out, box->out_strides[last - 1], box->out_strides[last], n_rows, n, 1); break;
    case 2:  copy_tile (in, box->in_strides[last - 1], box->in_strides[last], out, box->out_strides[last - 1], box->out_strides[last], n_rows, n, 2); break;
    case 4:  copy_tile (in, box->in_strides[last - 1], box->in_strides[last], out, box->out_strides[last - 1], box->out_strides[last], n_rows, n, 4); break;
    default: copy_tile (in, box->in_strides[last - 1], box->in_strides[last], out, box->out_strides[last - 1], box->out_strides[last], n_rows, n, 8); break;
    }
}

static void
run_copies (const Step *step, gsize first, gsize last, guint thread)
{
  const StridedCopies *copies = step->state;
  guint                i = 0;

  for (gsize task = first; task < last; task++)
    {
      const Part *part;

      while (i + 1 < copies->parts->len && g_array_index (copies->parts, Part, i + 1).first_task <= task)
        i++;
      part = &g_array_index (copies->parts, Part, i);
      copy_piece (part, copies->element_size, task - part->first_task, step->in[part->box.in].data, step->out[part->box.out].data);
    }
}

void
strided_copies_finish (Step *step, const char *kernel)
{
  StridedCopies *copies = step->state;
  gsize          elements = 0;

  for (guint i = 0; i < copies->parts->len; i++)
    {
      const Part *part = &g_array_index (copies->parts, Part, i);
      gsize       count = 1;

      for (guint j = 0; j < part->box.n_dims; j++)
        count *= (gsize) part->box.dims[j];
      elements += count;
    }
  step_set_run (step, kernel, run_copies, copies->n_tasks, elements == 0 ? 1 : MAX (CHUNK * copies->n_tasks / elements, 1));
}
