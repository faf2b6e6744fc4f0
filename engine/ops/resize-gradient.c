/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize-gradient.c: ResizeGradient (dy) -> dx for images whose height and width were resized: each output gives back to the inputs it was made of, as much
 * as it took. Attributes: `shape` of dx, and the tables of resize.h for both axes. Plain or blocked: 1 or 16 numbers for each pixel.
 */

#include <string.h>

#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/gradient.h"
#include "ops/resize.h"

typedef struct
{
  FoveaShape     shape;
  gsize          n[2];         /* taps of height and width */
  gsize          size[2];      /* of the tables */
  const gint64  *positions[2]; /* owned by the node */
  const float   *weights[2];
} ResizeGradientParams;

static gboolean
gradient_parse (Node *node, GError **error)
{
  static const char *const names[2][2] = { { "rows", "row_weights" }, { "columns", "column_weights" } };
  ResizeGradientParams    *params = node->params;
  const gint64            *dims;
  gsize                    n = node_ints (node, "shape", &dims);
  gboolean                 fits = n == 4;

  if (fits)
    params->shape = shape_make (4, dims);
  for (guint axis = 0; fits && axis < 2; axis++)
    {
      const Attribute *weights = node_attribute (node, names[axis][1]);

      params->size[axis] = node_ints (node, names[axis][0], &params->positions[axis]);
      fits = weights && weights->kind == ATTRIBUTE_FLOATS && weights->n == params->size[axis];
      params->weights[axis] = fits ? weights->floats : NULL;
      for (gsize i = 0; fits && i < params->size[axis]; i++)
        fits = params->positions[axis][i] >= 0 && params->positions[axis][i] < dims[2 + axis];
    }
  return fits || node_error (node, error, FOVEA_ERROR_MODEL, "its tables are no resize's. The model is damaged.");
}

static gboolean
gradient_infer (const Node *node, InferContext *context, GError **error)
{
  ResizeGradientParams *params = node->params;
  const Value          *dy;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  dy = node_input (node, 0);
  for (guint axis = 0; axis < 2; axis++)
    {
      gsize out = dy->shape.n_dims == 4 ? (gsize) dy->shape.dims[2 + axis] : 0;

      if (out == 0 || params->size[axis] % out != 0 || dy->shape.dims[0] != params->shape.dims[0] || dy->shape.dims[1] != params->shape.dims[1])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its tables don't belong to its input. The model is damaged.");
      params->n[axis] = params->size[axis] / out;
    }
  infer_set (node, 0, dy->type, &params->shape);
  return TRUE;
}

static gboolean
gradient_blocked (const Node *node, BlockedForm *form)
{
  if (node_input (node, 0)->type != FOVEA_TYPE_FLOAT32)
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

/* One row of dy, times `weight`, to a row of dx. */
static void
spread_row (const ResizeGradientParams *params, const float *dy, gsize width, gsize lanes, float weight, float *dx)
{
  for (gsize x = 0; x < width; x++)
    for (gsize i = x * params->n[1]; i < (x + 1) * params->n[1]; i++)
      {
        float  share = weight * params->weights[1][i];
        float *to = dx + (gsize) params->positions[1][i] * lanes;

        for (gsize lane = 0; share != 0.0f && lane < lanes; lane++)
          to[lane] += share * dy[x * lanes + lane];
      }
}

static void
spread_row_double (const ResizeGradientParams *params, const double *dy, gsize width, double weight, double *dx)
{
  for (gsize x = 0; x < width; x++)
    for (gsize i = x * params->n[1]; i < (x + 1) * params->n[1]; i++)
      dx[params->positions[1][i]] += weight * (double) params->weights[1][i] * dy[x];
}

/* A task is one channel, or block, of one image. */
static void
gradient_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ResizeGradientParams *params = step->node->params;
  gsize                       lanes = step->out[0].layout == LAYOUT_BLOCKED ? KERNEL_BLOCK : 1, size = type_size (step->out[0].type);
  gsize                       height = (gsize) step->in[0].shape.dims[2], width = (gsize) step->in[0].shape.dims[3];
  gsize                       in_width = (gsize) params->shape.dims[3], plane = (gsize) params->shape.dims[2] * in_width * lanes;

  for (gsize task = first; task < last; task++)
    {
      memset ((guint8 *) step->out[0].data + task * plane * size, 0, plane * size);
      for (gsize y = 0; y < height; y++)
        for (gsize i = y * params->n[0]; i < (y + 1) * params->n[0]; i++)
          {
            gsize from = (task * height + y) * width * lanes, to = task * plane + (gsize) params->positions[0][i] * in_width * lanes;

            if (step->out[0].type == FOVEA_TYPE_FLOAT64)
              spread_row_double (params, (const double *) step->in[0].data + from, width, (double) params->weights[0][i], (double *) step->out[0].data + to);
            else if (params->weights[0][i] != 0.0f)
              spread_row (params, (const float *) step->in[0].data + from, width, lanes, params->weights[0][i], (float *) step->out[0].data + to);
          }
    }
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  const FoveaShape *shape = &step->out[0].shape;
  gboolean          blocked = step->out[0].layout == LAYOUT_BLOCKED;

  step_set_run (step, blocked ? "resize blocked" : "plain", gradient_run,
                (gsize) shape->dims[0] * (blocked ? kernel_blocks ((gsize) shape->dims[1]) : (gsize) shape->dims[1]), 1);
  return TRUE;
}

gboolean
resize_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *x = node_input (node, 0), *y = node_output (node, 0), *dy = gradient_get (gradients, y);
  Node  *gradient;

  if (x->shape.n_dims != 4 || x->shape.dims[0] != y->shape.dims[0] || x->shape.dims[1] != y->shape.dims[1])
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "only resizing of height and width can be trained through. Freeze the layers up to it.");
  gradient = gradient_begin (gradients, "fovea", "ResizeGradient", 1, &dy);
  node_set_ints (gradient, "shape", x->shape.dims, 4);
  for (guint axis = 0; axis < 2; axis++)
    {
      g_autofree gint64 *positions = NULL;
      g_autofree float  *weights = NULL;
      gsize              n = resize_table (node, 2 + axis, &positions, &weights, error) * (gsize) y->shape.dims[2 + axis];

      if (!positions)
        return FALSE;
      node_set_ints (gradient, axis ? "columns" : "rows", positions, n);
      node_set_floats (gradient, axis ? "column_weights" : "row_weights", weights, n);
    }
  return gradient_give (gradients, x, gradient_end (gradients, gradient, 1, error), error);
}

static const AttributeSpec gradient_attributes[] = {
  { "shape", ATTRIBUTE_INTS }, { "rows", ATTRIBUTE_INTS }, { "row_weights", ATTRIBUTE_FLOATS },
  { "columns", ATTRIBUTE_INTS }, { "column_weights", ATTRIBUTE_FLOATS }, { NULL },
};

const Operator resize_gradient_operators[] = {
  { "ResizeGradient", "fovea", sizeof (ResizeGradientParams), gradient_parse, gradient_infer, gradient_blocked, gradient_prepare, NULL, gradient_attributes },
  { NULL },
};
