/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training.c: the two operators that only training has: Loss, where the trainer steps in (compile/gradients.h), and DropoutTraining (Srivastava et al.
 * 2014), whose mask is a function of seed, training step and place, so that the gradient is the same operator on dy.
 */

#include "kernels/kernels.h"
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/gradient.h"

/* ---- Loss ---------------------------------------------------------------------------------------------------------- */

static gboolean
loss_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_outputs (node, node->inputs->len, error))
    return FALSE;
  for (guint i = 0; i < node->inputs->len; i++)
    if (!node_input (node, i))
      return node_error (node, error, FOVEA_ERROR_MODEL, "its input %u is missing. The model is damaged.", i);
    else
      infer_same (node, i, i);
  return TRUE;
}

/* Nothing runs: the session calls the trainer here. */
static gboolean
loss_prepare (Step *step, GError **error)
{
  step->kernel = "the trainer's";
  return TRUE;
}

/* ---- Dropout ------------------------------------------------------------------------------------------------------- */

typedef struct
{
  float   ratio;
  guint64 seed;
} DropoutParams;

static gboolean
dropout_parse (Node *node, GError **error)
{
  DropoutParams *params = node->params;

  params->ratio = node_float (node, "ratio", 0.5f);
  params->seed = (guint64) node_int (node, "seed", 0);
  if (!(params->ratio >= 0.0f && params->ratio < 1.0f))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its ratio isn't from 0 to below 1. Choose another.");
  return TRUE;
}

static gboolean
dropout_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error) || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_INT64, FOVEA_TYPE_NONE))
    return FALSE;
  if (shape_count (&node_input (node, 1)->shape) < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it isn't told the training step. The model is damaged.");
  infer_same (node, 0, 0);
  return TRUE;
}

/* The finalizer of SplitMix64 (Steele, Lea & Flood 2014): 64 well mixed bits of any number. */
static guint64
mix (guint64 x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static void
dropout_run (const Step *step, gsize first, gsize last, guint thread)
{
  const DropoutParams *params = step->node->params;
  gsize                begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  guint64              base = mix (params->seed + mix ((guint64) *(const gint64 *) step->in[1].data));
  float                keep = 1.0f / (1.0f - params->ratio);
  guint64              threshold = (guint64) ((double) params->ratio * 18446744073709551615.0);
  const float         *in = step->in[0].data;
  float               *out = step->out[0].data;

  for (gsize i = begin; i < end; i++)
    out[i] = mix (base + i * 0x9e3779b97f4a7c15u) < threshold ? 0.0f : in[i] * keep;
}

static gboolean
dropout_prepare (Step *step, GError **error)
{
  elementwise_set_run (step, "elementwise", dropout_run);
  return TRUE;
}

gboolean
dropout_training_backward (Gradients *gradients, Node *node, GError **error)
{
  const DropoutParams *params = node->params;
  Node                *gradient = gradient_begin (gradients, "fovea", "DropoutTraining", 2,
                                                  (Value *[]) { gradient_get (gradients, node_output (node, 0)), node_input (node, 1) });

  node_set_float (gradient, "ratio", params->ratio);
  node_set_int (gradient, "seed", (gint64) params->seed);
  return gradient_give (gradients, node_input (node, 0), gradient_end (gradients, gradient, 1, error), error);
}

/* Plain only: the mask depends on the place in memory, which must be the same both ways. */
static const AttributeSpec dropout_attributes[] = { { "ratio", ATTRIBUTE_FLOAT }, { "seed", ATTRIBUTE_INT }, { NULL } };

const Operator training_operators[] = {
  { "DropoutTraining", "fovea", sizeof (DropoutParams), dropout_parse, dropout_infer, NULL, dropout_prepare, NULL, dropout_attributes },
  { "Loss", "fovea", 0, NULL, loss_infer, NULL, loss_prepare, NULL },
  { NULL },
};
