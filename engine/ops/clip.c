/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clip.c: Clip, whose bounds are attributes up to opset 10 and inputs from 11 on. float32 with constant bounds runs blocked and can be fused.
 */

#include "ops/clip.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ops/element.h"
#include "ops/elementwise.h"
#include "ops/families.h"

static gboolean
clip_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, node->opset < 11 ? 1 : 3, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  if (node_input (node, 0)->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it can't clip bools. The model is damaged.");
  for (guint i = 1; i < 3; i++)
    {
      const Value *bound = node_input (node, i);

      if (bound && (bound->type != node_input (node, 0)->type || shape_count (&bound->shape) != 1))
        return node_error (node, error, FOVEA_ERROR_MODEL, "its bound %u isn't a single number of its input's type. The model is damaged.", i);
    }
  infer_same (node, 0, 0);
  return TRUE;
}

gboolean
clip_bounds (const Node *node, float *low, float *high)
{
  float *bounds[] = { low, high };

  *low = node->opset < 11 ? node_float (node, "min", -FLT_MAX) : -INFINITY;
  *high = node->opset < 11 ? node_float (node, "max", FLT_MAX) : INFINITY;
  for (guint i = 1; i < 3; i++)
    if (node_input (node, i))
      {
        if (!node_input (node, i)->constant)
          return FALSE;
        tensor_read_float (node_input (node, i)->constant, 0, 1, bounds[i - 1]);
      }
  return TRUE;
}

static gboolean
clip_blocked (const Node *node, BlockedForm *form)
{
  float low, high;

  return clip_bounds (node, &low, &high) && elementwise_blocked (node, form);
}

static void
kernel_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Activation *activation = step->state;
  gsize             begin = first * ELEMENTWISE_CHUNK, end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));

  kernels_get ()->activate (activation, (const float *) step->in[0].data + begin, (float *) step->out[0].data + begin, end - begin);
  if (!activation_keeps_zero (activation))
    elementwise_clear_tail (&step->out[0], begin, end);
}

/* min (max (x, low), high), NaN stays NaN; low above high gives high. Input 1 and 2 are the bounds, where they are there. */
static void
clip_number (const Step *step, gsize i)
{
  double x = element_read_number (&step->in[0], i);

  if (step->n_inputs > 1 && step->in[1].value && x < element_read_number (&step->in[1], 0))
    x = element_read_number (&step->in[1], 0);
  if (step->n_inputs > 2 && step->in[2].value && x > element_read_number (&step->in[2], 0))
    x = element_read_number (&step->in[2], 0);
  element_write_number (&step->out[0], i, x);
}

static void
clip_integer (const Step *step, gsize i)
{
  gint64 x = element_read_integer (&step->in[0], i), low, high;

  low = step->n_inputs > 1 && step->in[1].value ? element_read_integer (&step->in[1], 0) : x;
  x = element_compare_integers (step->in[0].type, x, low) < 0 ? low : x;
  high = step->n_inputs > 2 && step->in[2].value ? element_read_integer (&step->in[2], 0) : x;
  x = element_compare_integers (step->in[0].type, x, high) > 0 ? high : x;
  element_write_integer (&step->out[0], i, (guint64) x);
}

static void
plain_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize    end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  gboolean is_float = type_is_float (step->in[0].type);

  for (gsize i = first * ELEMENTWISE_CHUNK; i < end; i++)
    if (is_float)
      clip_number (step, i);
    else
      clip_integer (step, i);
}

static gboolean
clip_prepare (Step *step, GError **error)
{
  Activation activation = { ACTIVATION_CLIP, 0, 0 };

  if (step->in[0].type == FOVEA_TYPE_FLOAT32 && clip_bounds (step->node, &activation.alpha, &activation.beta))
    {
      step->state = g_memdup2 (&activation, sizeof activation);
      step->free_state = g_free;
      for (guint i = 1; i < step->n_inputs; i++)
        step->in[i].packed = TRUE;
      elementwise_set_run (step, step->out[0].layout == LAYOUT_BLOCKED ? "elementwise blocked" : "elementwise", kernel_run);
    }
  else
    elementwise_set_run (step, "plain", plain_run);
  return TRUE;
}

static const AttributeSpec clip_attributes[] = { { "min", ATTRIBUTE_FLOAT }, { "max", ATTRIBUTE_FLOAT }, { NULL } };

const Operator clip_operators[] = {
  { "Clip", "", 0, NULL, clip_infer, clip_blocked, clip_prepare, NULL, clip_attributes },
  { NULL },
};
