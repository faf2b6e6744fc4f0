/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm.c: BatchNormalization in inference (Ioffe & Szegedy 2015, arXiv:1502.03167): a scale and a shift per channel, made once when the
 * statistics are constant. Mostly folded into the convolution before it (compile/fold-batch-norm); what is left runs here.
 */

#include "ops/batch-norm.h"

#include <math.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/families.h"

typedef struct
{
  double epsilon;
} BatchNormParams;

static gboolean
batch_norm_parse (Node *node, GError **error)
{
  ((BatchNormParams *) node->params)->epsilon = node_float (node, "epsilon", 1e-5f);
  if (node_int (node, "training_mode", 0))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it is in training mode. Export the model for inference (in PyTorch: model.eval ()).");
  if (!node_int (node, "spatial", 1))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it has statistics for each pixel. Export the model with opset 9 or later.");
  return TRUE;
}

static gboolean
batch_norm_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *in;

  if (!infer_check_inputs (node, 5, 5, error) || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  for (guint i = 1; i < node->outputs->len; i++)
    if (node_output (node, i))
      return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it gives statistics back, as in training. Export the model for inference (in PyTorch: model.eval ()).");
  in = node_input (node, 0);
  for (guint i = 1; i < 5; i++)
    {
      const Value *value = node_input (node, i);

      if (value->shape.n_dims != 1 || value->shape.dims[0] != (in->shape.n_dims > 1 ? in->shape.dims[1] : 1) || !type_is_float (value->type))
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its input %u doesn't have a number per channel. The model is damaged.", i);
    }
  infer_same (node, 0, 0);
  return TRUE;
}

gboolean
batch_norm_scale_shift (const Node *node, double *scale, double *shift)
{
  const BatchNormParams *params = node->params;
  gsize                  n = (gsize) node_input (node, 1)->shape.dims[0];

  for (guint i = 1; i < 5; i++)
    if (!node_input (node, i)->constant)
      return FALSE;
  for (gsize c = 0; c < n; c++)
    {
      double value[5];

      for (guint i = 1; i < 5; i++)
        tensor_read_double (node_input (node, i)->constant, c, 1, &value[i]);
      scale[c] = value[1] / sqrt (value[4] + params->epsilon);
      shift[c] = value[2] - value[3] * scale[c];
    }
  return TRUE;
}

static gboolean
batch_norm_blocked (const Node *node, BlockedForm *form)
{
  const Value *in = node_input (node, 0);

  for (guint i = 1; i < 5; i++)
    if (!node_input (node, i)->constant)
      return FALSE;
  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4)
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

/* Constant statistics: scale and shift of each channel, in double (plain) and as (C/16, 16) floats (blocked). */
typedef struct
{
  double *scale, *shift;
  float  *block_scale, *block_shift;
} BatchNormState;

static double
read_number (const TensorView *view, gsize i)
{
  return view->type == FOVEA_TYPE_FLOAT64 ? ((const double *) view->data)[i] : ((const float *) view->data)[i];
}

/* A task is one channel of one image. */
static void
plain_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BatchNormParams *params = step->node->params;
  const BatchNormState  *state = step->state;
  const FoveaShape      *shape = &step->in[0].shape;
  gsize                  channels = shape->n_dims > 1 ? (gsize) shape->dims[1] : 1;
  gsize                  pixels = shape_count_range (shape, MIN (2, shape->n_dims), shape->n_dims);

  for (gsize task = first; task < last; task++)
    {
      gsize  c = task % channels;
      double scale, shift;

      if (state->scale)
        {
          scale = state->scale[c];
          shift = state->shift[c];
        }
      else
        {
          scale = read_number (&step->in[1], c) / sqrt (read_number (&step->in[4], c) + params->epsilon);
          shift = read_number (&step->in[2], c) - read_number (&step->in[3], c) * scale;
        }
      for (gsize i = task * pixels; i < (task + 1) * pixels; i++)
        if (step->in[0].type == FOVEA_TYPE_FLOAT64)
          ((double *) step->out[0].data)[i] = ((const double *) step->in[0].data)[i] * scale + shift;
        else
          ((float *) step->out[0].data)[i] = ((const float *) step->in[0].data)[i] * (float) scale + (float) shift;
    }
}

static void
blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BatchNormState *state = step->state;
  gsize                 blocks = kernel_blocks ((gsize) step->in[0].shape.dims[1]);
  gsize                 pixels = (gsize) (step->in[0].shape.dims[2] * step->in[0].shape.dims[3]);

  for (gsize task = first; task < last; task++)
    kernels_get ()->scale_shift_channels ((const float *) step->in[0].data + task * pixels * KERNEL_BLOCK,
                                          state->block_scale + task % blocks * KERNEL_BLOCK, state->block_shift + task % blocks * KERNEL_BLOCK,
                                          (float *) step->out[0].data + task * pixels * KERNEL_BLOCK, pixels);
}

static void
state_free (gpointer data)
{
  BatchNormState *state = data;

  g_free (state->scale);
  g_free (state->shift);
  memory_free (state->block_scale);
  memory_free (state->block_shift);
  g_free (state);
}

static gboolean
batch_norm_prepare (Step *step, GError **error)
{
  BatchNormState *state = g_new0 (BatchNormState, 1);
  gsize           channels = (gsize) step->in[1].shape.dims[0], blocks = kernel_blocks (channels);
  gsize           images = step->in[0].shape.n_dims > 0 ? (gsize) step->in[0].shape.dims[0] : 1;

  step->state = state;
  step->free_state = state_free;
  step->in_place = 0;
  state->scale = g_new (double, channels + 1);
  state->shift = g_new (double, channels + 1);
  if (!batch_norm_scale_shift (step->node, state->scale, state->shift))
    g_clear_pointer (&state->scale, g_free);

  if (step->out[0].layout == LAYOUT_PLAIN)
    {
      step_set_run (step, "plain", plain_run, images * channels, 1);
      return TRUE;
    }
  state->block_scale = step_alloc (step, blocks * KERNEL_BLOCK, sizeof (float), error);
  if (state->block_scale)
    state->block_shift = step_alloc (step, blocks * KERNEL_BLOCK, sizeof (float), error);
  if (!state->block_shift)
    return FALSE;
  for (gsize c = 0; c < channels; c++)
    {
      state->block_scale[c] = (float) state->scale[c];
      state->block_shift[c] = (float) state->shift[c];
    }
  for (guint i = 1; i < 5; i++)
    step->in[i].packed = TRUE;
  step_set_run (step, "scale and shift blocked", blocked_run, images * blocks, 1);
  return TRUE;
}

static const AttributeSpec batch_norm_attributes[] = {
  { "epsilon", ATTRIBUTE_FLOAT }, { "momentum", ATTRIBUTE_FLOAT }, { "spatial", ATTRIBUTE_INT },
  { "training_mode", ATTRIBUTE_INT }, { NULL },
};

const Operator batch_norm_operators[] = {
  { "BatchNormalization", "", sizeof (BatchNormParams), batch_norm_parse, batch_norm_infer, batch_norm_blocked, batch_norm_prepare, NULL, batch_norm_attributes },
  { NULL },
};
