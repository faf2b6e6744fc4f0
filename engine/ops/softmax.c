/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * softmax.c: Softmax, LogSoftmax and Hardmax along one axis; up to opset 12 over all dimensions from the axis on, as one. Plain only.
 */

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ops/element.h"
#include "ops/families.h"

typedef enum
{
  SOFTMAX,
  LOG_SOFTMAX,
  HARDMAX,
} SoftmaxKind;

typedef struct
{
  SoftmaxKind kind;
  guint       axis;
} SoftmaxParams;

static gboolean
softmax_parse (Node *node, GError **error)
{
  SoftmaxParams *params = node->params;

  params->kind = node->type[0] == 'S' ? SOFTMAX : node->type[0] == 'L' ? LOG_SOFTMAX : HARDMAX;
  return TRUE;
}

static gboolean
softmax_infer (const Node *node, InferContext *context, GError **error)
{
  SoftmaxParams *params = node->params;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE)
      || !infer_axis (node, node_int (node, "axis", node->opset < 13 ? 1 : -1), node_input (node, 0)->shape.n_dims, &params->axis, error))
    return FALSE;
  infer_same (node, 0, 0);
  return TRUE;
}

/* The line of `length` elements, `inner` apart, from `base` on. */
static void
softmax_line (const Step *step, SoftmaxKind kind, gsize base, gsize length, gsize inner)
{
  double greatest = -INFINITY, sum = 0;
  gsize  best = 0;

  for (gsize i = 0; i < length; i++)
    {
      double x = element_read_number (&step->in[0], base + i * inner);

      if (x > greatest || isnan (x))
        {
          greatest = x;
          best = i;
        }
    }
  for (gsize i = 0; kind != HARDMAX && i < length; i++)
    sum += exp (element_read_number (&step->in[0], base + i * inner) - greatest);
  for (gsize i = 0; i < length; i++)
    {
      double x = element_read_number (&step->in[0], base + i * inner) - greatest;

      element_write_number (&step->out[0], base + i * inner, kind == HARDMAX ? i == best : kind == SOFTMAX ? exp (x) / sum : x - log (sum));
    }
}

static void
softmax_run (const Step *step, gsize first, gsize last, guint thread)
{
  const SoftmaxParams *params = step->node->params;
  const FoveaShape    *shape = &step->in[0].shape;
  gboolean             flat = step->node->opset < 13;
  gsize                length = flat ? shape_count_range (shape, params->axis, shape->n_dims) : (gsize) shape->dims[params->axis];
  gsize                inner = flat ? 1 : shape_count_range (shape, params->axis + 1, shape->n_dims);
  const Kernels       *kernels = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize base = task / inner * length * inner + task % inner;

      if (kernels && inner == 1)
        kernels->softmax ((const float *) step->in[0].data + base, (float *) step->out[0].data + base, length, params->kind == LOG_SOFTMAX);
      else
        softmax_line (step, params->kind, base, length, inner);
    }
}

static gboolean
softmax_prepare (Step *step, GError **error)
{
  const SoftmaxParams *params = step->node->params;
  const FoveaShape    *shape = &step->in[0].shape;
  gsize                count = shape_count (shape), length;

  length = step->node->opset < 13 ? shape_count_range (shape, params->axis, shape->n_dims) : (gsize) shape->dims[params->axis];
  if (step->in[0].type == FOVEA_TYPE_FLOAT32 && params->kind != HARDMAX && !step->reference)
    step->state = (gpointer) kernels_get ();
  step->in_place = params->kind == HARDMAX ? -1 : 0;
  step_set_run (step, "softmax", softmax_run, length ? count / length : 0, 1 + 4096 / MAX (length, 1));
  return TRUE;
}

static const AttributeSpec softmax_attributes[] = { { "axis", ATTRIBUTE_INT }, { NULL } };

#define SOFTMAX_OPERATOR(type) { type, "", sizeof (SoftmaxParams), softmax_parse, softmax_infer, NULL, softmax_prepare, NULL, softmax_attributes }

const Operator softmax_operators[] = {
  SOFTMAX_OPERATOR ("Hardmax"), SOFTMAX_OPERATOR ("LogSoftmax"), SOFTMAX_OPERATOR ("Softmax"), { NULL },
};
