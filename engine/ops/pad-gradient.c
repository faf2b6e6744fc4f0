/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pad-gradient.c: PadGradient (dy) -> dx of a Pad that repeats its input: each number of dx is the sum of dy wherever that number went. Attributes: `shape` of dx, the
 * pads' `begin` of each dimension, and the `mode`. Plain only.
 *
 * A task is a row of dx: it looks for the rows of dy that came from it, in one order, so that threads change nothing.
 */

#include <string.h>

#include "ops/families.h"
#include "ops/gradient.h"
#include "ops/pad.h"

static gboolean
gradient_parse (Node *node, GError **error)
{
  PadParams    *params = node->params;
  const gint64 *dims, *begin;
  gsize         n = node_ints (node, "shape", &dims);

  params->mode = (PadMode) node_int (node, "mode", -1);
  if (n < 1 || n > FOVEA_MAX_DIMS || node_ints (node, "begin", &begin) != n || params->mode < PAD_REFLECT || params->mode > PAD_WRAP)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it is no padding's gradient. The model is damaged.");
  memcpy (params->begin, begin, n * sizeof *begin);
  return TRUE;
}

static gboolean
gradient_infer (const Node *node, InferContext *context, GError **error)
{
  const gint64 *dims;
  gsize         n = node_ints (node, "shape", &dims);
  FoveaShape    shape = shape_make ((guint) n, dims);

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  if (node_input (node, 0)->shape.n_dims != shape.n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its shape doesn't belong to its input. The model is damaged.");
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* Adds a row of dy to the row of dx that it came from. */
static void
add_row (const Step *step, gsize from, gsize row)
{
  const PadParams *params = step->node->params;
  guint            last = step->in[0].shape.n_dims - 1;
  gint64           width = step->in[0].shape.dims[last], in_width = step->out[0].shape.dims[last];

  for (gint64 i = 0; i < width; i++)
    {
      gsize to = row * (gsize) in_width + (gsize) pad_source (params->mode, i - params->begin[last], in_width);

      if (step->out[0].type == FOVEA_TYPE_FLOAT64)
        ((double *) step->out[0].data)[to] += ((const double *) step->in[0].data)[from * (gsize) width + (gsize) i];
      else
        ((float *) step->out[0].data)[to] += ((const float *) step->in[0].data)[from * (gsize) width + (gsize) i];
    }
}

/* The rows of dy, below those of the dimensions before `axis`, that came from `row` of dx, at `at` in each dimension. */
static void
add_rows (const Step *step, guint axis, const gint64 *at, gsize from, gsize row)
{
  const PadParams *params = step->node->params;
  gint64           size = step->in[0].shape.dims[axis], in_size = step->out[0].shape.dims[axis];

  if (axis + 1 >= MIN (step->in[0].shape.n_dims, FOVEA_MAX_DIMS))
    {
      add_row (step, from, row);
      return;
    }
  for (gint64 i = 0; i < size; i++)
    if (pad_source (params->mode, i - params->begin[axis], in_size) == at[axis])
      add_rows (step, axis + 1, at, from * (gsize) size + (gsize) i, row);
}

static void
gradient_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaShape *shape = &step->out[0].shape;
  gsize             width = (gsize) shape->dims[shape->n_dims - 1] * type_size (step->out[0].type);

  memset ((guint8 *) step->out[0].data + first * width, 0, (last - first) * width);
  for (gsize row = first; row < last; row++)
    {
      gint64 at[FOVEA_MAX_DIMS];
      gsize  rest = row;

      for (guint axis = shape->n_dims - 1; axis-- > 0;)
        {
          at[axis] = (gint64) (rest % (gsize) shape->dims[axis]);
          rest /= (gsize) shape->dims[axis];
        }
      add_rows (step, 0, at, 0, row);
    }
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  gsize count = shape_count (&step->out[0].shape), row = (gsize) step->out[0].shape.dims[step->out[0].shape.n_dims - 1];

  step_set_run (step, "pad gradient", gradient_run, count ? count / row : 0, 1 + 4096 / MAX (row, 1));
  return TRUE;
}

static const AttributeSpec gradient_attributes[] = { { "shape", ATTRIBUTE_INTS }, { "begin", ATTRIBUTE_INTS }, { "mode", ATTRIBUTE_INT }, { NULL } };

const Operator pad_gradient_operators[] = {
  { "PadGradient", "fovea", sizeof (PadParams), gradient_parse, gradient_infer, NULL, gradient_prepare, NULL, gradient_attributes },
  { NULL },
};
