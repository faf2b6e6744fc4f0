/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation.c: functions of one number that networks use as activations, and those of unary.c that kernels have too. float32 goes through the
 * kernel table, plain or blocked; float64 through activation_reference in double.
 */

#include "ops/activation.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "ops/elementwise.h"
#include "ops/families.h"

static const struct
{
  const char    *type;
  ActivationKind kind;
  float          alpha, beta; /* where the node doesn't say */
} names[] = {
  { "Relu", ACTIVATION_RELU, 0, 0 },
  { "LeakyRelu", ACTIVATION_LEAKY_RELU, 0.01f, 0 },
  { "ThresholdedRelu", ACTIVATION_THRESHOLDED_RELU, 1, 0 },
  { "Sigmoid", ACTIVATION_SIGMOID, 0, 0 },
  { "HardSigmoid", ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f },
  { "HardSwish", ACTIVATION_HARD_SWISH, 1.0f / 6, 0.5f },
  { "Swish", ACTIVATION_SILU, 1, 0 },
  { "Tanh", ACTIVATION_TANH, 0, 0 },
  { "Elu", ACTIVATION_ELU, 1, 0 },
  { "Celu", ACTIVATION_CELU, 1, 0 },
  { "Selu", ACTIVATION_SELU, 1.67326319217681884765625f, 1.05070102214813232421875f },
  { "Gelu", ACTIVATION_GELU, 0, 0 },
  { "Mish", ACTIVATION_MISH, 0, 0 },
  { "Softplus", ACTIVATION_SOFTPLUS, 0, 0 },
  { "Softsign", ACTIVATION_SOFTSIGN, 0, 0 },
  { "Exp", ACTIVATION_EXP, 0, 0 },
  { "Erf", ACTIVATION_ERF, 0, 0 },
  { "Sqrt", ACTIVATION_SQRT, 0, 0 },
  { "Reciprocal", ACTIVATION_RECIPROCAL, 0, 0 },
};

static gboolean
activation_parse (Node *node, GError **error)
{
  Activation *activation = node->params;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, node->type) == 0)
      {
        activation->kind = names[i].kind;
        activation->alpha = node_float (node, "alpha", names[i].alpha);
        activation->beta = node_float (node, strcmp (node->type, "Selu") == 0 ? "gamma" : "beta", names[i].beta);
      }
  if (strcmp (node->type, "Gelu") == 0)
    {
      const char *approximate = node_string (node, "approximate", "none");

      if (strcmp (approximate, "tanh") == 0)
        activation->kind = ACTIVATION_GELU_TANH;
      else if (strcmp (approximate, "none") != 0)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its approximation “%s” isn't known. Export it with “none” or “tanh”.", approximate);
    }
  return TRUE;
}

static gboolean
activation_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  infer_same (node, 0, 0);
  return TRUE;
}

static void
activation_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Kernels    *kernels = step->state;
  const Activation *activation = step->node->params;
  gsize             begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));

  kernels->activate (activation, (const float *) step->in[0].data + begin, (float *) step->out[0].data + begin, end - begin);
  if (!activation_keeps_zero (activation))
    elementwise_clear_tail (&step->out[0], begin, end);
}

static void
activation_run_double (const Step *step, gsize first, gsize last, guint thread)
{
  const Activation *activation = step->node->params;
  gsize             begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  const double     *in = step->in[0].data;
  double           *out = step->out[0].data;

  for (gsize i = begin; i < end; i++)
    out[i] = activation_reference (activation, in[i]);
}

static gboolean
activation_prepare (Step *step, GError **error)
{
  step->state = (gpointer) (step->reference ? &kernels_reference : kernels_get ());
  if (step->in[0].type == FOVEA_TYPE_FLOAT64)
    elementwise_set_run (step, "double", activation_run_double);
  else
    elementwise_set_run (step, step->out[0].layout == LAYOUT_BLOCKED ? "elementwise blocked" : "elementwise", activation_run);
  return TRUE;
}

gboolean
activation_of_node (const Node *node, Activation *activation)
{
  if (!node->op || node->op->parse != activation_parse)
    return FALSE;
  *activation = *(const Activation *) node->params;
  return TRUE;
}

static const AttributeSpec with_alpha[] = { { "alpha", ATTRIBUTE_FLOAT }, { NULL } };
/* HardSwish has none in ONNX; join-gates gives it those of the HardSigmoid that it comes from. */
static const AttributeSpec with_alpha_beta[] = { { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { NULL } };
static const AttributeSpec with_alpha_gamma[] = { { "alpha", ATTRIBUTE_FLOAT }, { "gamma", ATTRIBUTE_FLOAT }, { NULL } };
static const AttributeSpec gelu_attributes[] = { { "approximate", ATTRIBUTE_STRING }, { NULL } };

#define ACTIVATION(type, attributes) \
  { type, "", sizeof (Activation), activation_parse, activation_infer, elementwise_blocked, activation_prepare, NULL, attributes }

const Operator activation_operators[] = {
  ACTIVATION ("Erf", NULL),        ACTIVATION ("Exp", NULL),        ACTIVATION ("Mish", NULL),     ACTIVATION ("Reciprocal", NULL),
  ACTIVATION ("Relu", NULL),       ACTIVATION ("Sigmoid", NULL),    ACTIVATION ("Softplus", NULL), ACTIVATION ("Softsign", NULL),
  ACTIVATION ("Sqrt", NULL),       ACTIVATION ("Tanh", NULL),
  ACTIVATION ("Celu", with_alpha), ACTIVATION ("Elu", with_alpha),  ACTIVATION ("LeakyRelu", with_alpha),
  ACTIVATION ("Swish", with_alpha), ACTIVATION ("ThresholdedRelu", with_alpha),
  ACTIVATION ("HardSigmoid", with_alpha_beta), ACTIVATION ("HardSwish", with_alpha_beta),
  ACTIVATION ("Selu", with_alpha_gamma), ACTIVATION ("Gelu", gelu_attributes),
  { NULL },
};
