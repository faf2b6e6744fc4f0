/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation-gradient.c: ActivationGradient (x, dy) = dy f' (x), for all activations, plain or blocked. Where the derivative can be seen from the output
 * (Relu, Clip), x is the output, so that the input needn't be kept.
 */

#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "ops/activation.h"
#include "ops/clip.h"
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/gradient.h"

static gboolean
gradient_parse (Node *node, GError **error)
{
  Activation *activation = node->params;
  gint64      kind = node_int (node, "activation", ACTIVATION_NONE);

  if (kind < 0 || kind >= N_ACTIVATIONS)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its activation isn't known. The model is damaged.");
  *activation = (Activation) { (ActivationKind) kind, node_float (node, "alpha", 0), node_float (node, "beta", 0) };
  return TRUE;
}

static gboolean
gradient_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE)
      || !infer_check_type (node, 1, error, node_input (node, 0)->type, FOVEA_TYPE_NONE))
    return FALSE;
  if (!shape_equal (&node_input (node, 0)->shape, &node_input (node, 1)->shape))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its inputs differ in shape. The model is damaged.");
  infer_same (node, 0, 1);
  return TRUE;
}

static gboolean
gradient_blocked (const Node *node, BlockedForm *form)
{
  if (!elementwise_blocked (node, form))
    return FALSE;
  form->inputs = 3;
  return TRUE;
}

/* Zero lanes stay so: their gradient is zero. */
static void
gradient_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Kernels *kernels = step->state;
  gsize          begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));

  kernels->activate_gradient (step->node->params, (const float *) step->in[0].data + begin, (const float *) step->in[1].data + begin,
                              (float *) step->out[0].data + begin, end - begin);
}

static void
gradient_run_double (const Step *step, gsize first, gsize last, guint thread)
{
  gsize         begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  const double *x = step->in[0].data, *gradient = step->in[1].data;
  double       *out = step->out[0].data;

  for (gsize i = begin; i < end; i++)
    out[i] = gradient[i] * activation_derivative_reference (step->node->params, x[i]);
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  step->state = (gpointer) (step->reference ? &kernels_reference : kernels_get ());
  elementwise_set_run (step, "elementwise", step->in[0].type == FOVEA_TYPE_FLOAT64 ? gradient_run_double : gradient_run);
  step->in_place = 1;
  return TRUE;
}

gboolean
activation_backward (Gradients *gradients, Node *node, GError **error)
{
  Value     *x = node_input (node, 0), *y = node_output (node, 0);
  Activation activation;
  gboolean   from_output;
  Node      *gradient;

  if (!activation_of_node (node, &activation))
    {
      activation.kind = ACTIVATION_CLIP;
      if (!clip_bounds (node, &activation.alpha, &activation.beta))
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its bounds aren't constant, so it can't be trained through. Freeze the layers up to it.");
    }
  from_output = x->type == FOVEA_TYPE_FLOAT32 && (activation.kind == ACTIVATION_RELU || activation.kind == ACTIVATION_CLIP);
  gradient = gradient_begin (gradients, "fovea", "ActivationGradient", 2,
                             (Value *[]) { from_output ? y : x, gradient_get (gradients, y) });
  node_set_int (gradient, "activation", activation.kind);
  node_set_float (gradient, "alpha", activation.alpha);
  node_set_float (gradient, "beta", activation.beta);
  return gradient_give (gradients, x, gradient_end (gradients, gradient, 1, error), error);
}

static const AttributeSpec gradient_attributes[] = {
  { "activation", ATTRIBUTE_INT }, { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { NULL },
};

const Operator activation_gradient_operators[] = {
  { "ActivationGradient", "fovea", sizeof (Activation), gradient_parse, gradient_infer, gradient_blocked, gradient_prepare, NULL, gradient_attributes },
  { NULL },
};
