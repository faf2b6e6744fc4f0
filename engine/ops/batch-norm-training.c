/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm-training.c: batch normalization on the batch's own statistics, with the activation that follows it, and its gradient (Ioffe & Szegedy 2015,
 * arXiv:1502.03167).
 *
 *   BatchNormTraining (x, gamma, beta, running mean, running variance) -> y, mean, 1 / sigma
 *       y = f (gamma (x - mean) / sigma + beta); the running statistics, variables, move towards the batch's by `momentum` (the variance unbiased)
 *   BatchNormGradient (x, dy, gamma, beta, mean, 1 / sigma) -> dx, dgamma, dbeta
 *       what the activation saw is computed again from x, so that only x is kept
 *
 * Sums go image by image and block by block, in float about a pivot, and are joined in double: the same for any number of threads.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/gradient.h"

#define STRIP 512 /* pixels that are summed in float before the sum is added in double */

typedef struct
{
  float      epsilon, momentum;
  Activation activation;
} NormParams;

static gboolean
norm_parse (Node *node, GError **error)
{
  NormParams *params = node->params;
  gint64      kind = node_int (node, "activation", ACTIVATION_NONE);

  if (kind < 0 || kind >= N_ACTIVATIONS)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its activation isn't known. The model is damaged.");
  params->epsilon = node_float (node, "epsilon", 1e-5f);
  params->momentum = node_float (node, "momentum", 0.1f);
  params->activation = (Activation) { (ActivationKind) kind, node_float (node, "alpha", 0), node_float (node, "beta", 0) };
  return TRUE;
}

/* Inputs [first, last) have a number per channel. */
static gboolean
check_channels (const Node *node, guint first, guint last, GError **error)
{
  const Value *x = node_input (node, 0);

  if (x->type != FOVEA_TYPE_FLOAT32 || x->shape.n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "batch normalization is trained on float32 tensors with channels only. Freeze this layer.");
  for (guint i = first; i < last; i++)
    {
      const Value *value = node_input (node, i);

      if (value->type != FOVEA_TYPE_FLOAT32 || value->shape.n_dims != 1 || value->shape.dims[0] != x->shape.dims[1])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its input %u doesn't have a number per channel. The model is damaged.", i);
    }
  return TRUE;
}

static gboolean
training_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape channels;

  if (!infer_check_inputs (node, 5, 5, error) || !infer_check_outputs (node, 3, error) || !check_channels (node, 1, 5, error))
    return FALSE;
  for (guint i = 3; i < 5; i++)
    if (!node_input (node, i)->variable)
      return node_error (node, error, FOVEA_ERROR_MODEL, "its running statistics can't be written. The model is damaged.");
  channels = shape_make (1, &node_input (node, 0)->shape.dims[1]);
  infer_same (node, 0, 0);
  infer_set (node, 1, FOVEA_TYPE_FLOAT32, &channels);
  infer_set (node, 2, FOVEA_TYPE_FLOAT32, &channels);
  return TRUE;
}

static gboolean
gradient_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape channels;

  if (!infer_check_inputs (node, 6, 6, error) || !infer_check_outputs (node, 3, error) || !check_channels (node, 2, 6, error))
    return FALSE;
  if (node_input (node, 1)->type != FOVEA_TYPE_FLOAT32 || !shape_equal (&node_input (node, 0)->shape, &node_input (node, 1)->shape))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its inputs differ in shape. The model is damaged.");
  channels = shape_make (1, &node_input (node, 0)->shape.dims[1]);
  infer_same (node, 0, 0);
  infer_set (node, 1, FOVEA_TYPE_FLOAT32, &channels);
  infer_set (node, 2, FOVEA_TYPE_FLOAT32, &channels);
  return TRUE;
}

/* Always on blocks. */
static gboolean
training_blocked (const Node *node, BlockedForm *form)
{
  if (node_input (node, 0)->shape.n_dims != 4)
    return FALSE;
  form->wish = BLOCKED_PREFERS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

static gboolean
gradient_blocked (const Node *node, BlockedForm *form)
{
  if (!training_blocked (node, form))
    return FALSE;
  form->inputs = 3;
  return TRUE;
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

typedef struct
{
  const Kernels *kernels;
  gsize          images, channels, blocks, pixels;
} NormState;

/* A block of 16 channels: what the kernels read of it. */
typedef struct
{
  float scale[KERNEL_BLOCK], shift[KERNEL_BLOCK], mean[KERNEL_BLOCK], inverse[KERNEL_BLOCK];
} NormBlock;

/* Two sums for each image and block, in double. */
typedef double Sums[2][KERNEL_BLOCK];

static gsize
block_of (const NormState *state, gsize task)
{
  return task % state->blocks;
}

static const float *
pixels_of (const NormState *state, const TensorView *view, gsize task)
{
  return (const float *) view->data + task * state->pixels * KERNEL_BLOCK;
}

/* Element c of a tensor with a number per channel; 0 past the end. */
static float
channel_number (const NormState *state, const TensorView *view, gsize c)
{
  return c < state->channels ? ((const float *) view->data)[c] : 0.0f;
}

static void
fill_block (const NormState *state, const Step *step, guint gamma, guint beta, const TensorView *mean, const TensorView *inverse, gsize block,
            NormBlock *out)
{
  for (gsize i = 0; i < KERNEL_BLOCK; i++)
    {
      gsize c = block * KERNEL_BLOCK + i;

      out->mean[i] = channel_number (state, mean, c);
      out->inverse[i] = channel_number (state, inverse, c);
      out->scale[i] = channel_number (state, &step->in[gamma], c) * out->inverse[i];
      out->shift[i] = channel_number (state, &step->in[beta], c) - out->mean[i] * out->scale[i];
    }
}

static KernelNorm
kernel_norm (const NormBlock *block, const Activation *activation)
{
  return (KernelNorm) { .scale = block->scale, .shift = block->shift, .mean = block->mean, .inverse = block->inverse, .activation = *activation };
}

static gboolean
norm_prepare (Step *step, const char *kernel, StepRun sums, StepRun join, StepRun apply, GError **error)
{
  NormState *state = g_new0 (NormState, 1);

  step->state = state;
  step->free_state = g_free;
  if (step->in[0].layout != LAYOUT_BLOCKED)
    return node_error (step->node, error, FOVEA_ERROR_UNSUPPORTED,
                       "batch normalization is trained on images (four dimensions) only, and with block-layout switched on. Freeze this layer.");
  state->kernels = kernels_get ();
  state->images = (gsize) step->in[0].shape.dims[0];
  state->channels = (gsize) step->in[0].shape.dims[1];
  state->blocks = kernel_blocks (state->channels);
  state->pixels = (gsize) (step->in[0].shape.dims[2] * step->in[0].shape.dims[3]);
  if (!g_size_checked_mul (&step->workspace_size, state->images * state->blocks, sizeof (Sums)))
    return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its input is too large.");
  step_set_run (step, kernel, sums, state->images * state->blocks, 1);
  step->n_phases = 3;
  step->phase[1].run = join;
  step->phase[1].n_tasks = state->blocks;
  step->phase[1].grain = state->blocks;
  step->phase[2].run = apply;
  step->phase[2].n_tasks = state->images * state->blocks;
  step->phase[2].grain = 1;
  return TRUE;
}

/* ---- forward ------------------------------------------------------------------------------------------------------- */

/* The pivot of a block: the first pixel of the batch. */
static void
training_sums (const Step *step, gsize first, gsize last, guint thread)
{
  const NormState *state = step->state;
  Sums            *sums = (Sums *) step->workspace;

  for (gsize task = first; task < last; task++)
    {
      const float *in = pixels_of (state, &step->in[0], task), *pivot = pixels_of (state, &step->in[0], block_of (state, task));

      memset (sums[task], 0, sizeof (Sums));
      for (gsize i = 0; i < state->pixels; i += STRIP)
        {
          float strip[2][KERNEL_BLOCK] = { { 0 } };

          state->kernels->norm_sums (in + i * KERNEL_BLOCK, pivot, MIN (STRIP, state->pixels - i), strip[0], strip[1]);
          for (gsize c = 0; c < KERNEL_BLOCK; c++)
            {
              sums[task][0][c] += strip[0][c];
              sums[task][1][c] += strip[1][c];
            }
        }
    }
}

static void
training_join (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;
  const Sums       *sums = (const Sums *) step->workspace;
  const double      n = (double) (state->images * state->pixels);
  float            *running_mean = step->in[3].data, *running_variance = step->in[4].data;

  for (gsize c = first * KERNEL_BLOCK; c < MIN (last * KERNEL_BLOCK, state->channels); c++)
    {
      gsize  block = c / KERNEL_BLOCK, lane = c % KERNEL_BLOCK;
      double sum = 0.0, squares = 0.0, mean, variance, pivot = pixels_of (state, &step->in[0], block)[lane];

      for (gsize image = 0; image < state->images; image++)
        {
          sum += sums[image * state->blocks + block][0][lane];
          squares += sums[image * state->blocks + block][1][lane];
        }
      mean = sum / n;
      variance = MAX (squares / n - mean * mean, 0.0);
      mean += pivot;
      ((float *) step->out[1].data)[c] = (float) mean;
      ((float *) step->out[2].data)[c] = (float) (1.0 / sqrt (variance + params->epsilon));
      running_mean[c] += params->momentum * ((float) mean - running_mean[c]);
      running_variance[c] += params->momentum * ((float) (n > 1.0 ? variance * n / (n - 1.0) : variance) - running_variance[c]);
    }
}

static void
training_apply (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      NormBlock  block;
      KernelNorm norm = kernel_norm (&block, &params->activation);

      fill_block (state, step, 1, 2, &step->out[1], &step->out[2], block_of (state, task), &block);
      state->kernels->norm_apply (&norm, pixels_of (state, &step->in[0], task), (float *) pixels_of (state, &step->out[0], task), state->pixels);
    }
}

static gboolean
training_prepare (Step *step, GError **error)
{
  return norm_prepare (step, "batch statistics", training_sums, training_join, training_apply, error);
}

/* ---- gradient ------------------------------------------------------------------------------------------------------ */

static void
gradient_sums (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;
  Sums             *sums = (Sums *) step->workspace;

  for (gsize task = first; task < last; task++)
    {
      const float *x = pixels_of (state, &step->in[0], task), *dy = pixels_of (state, &step->in[1], task);
      NormBlock    block;
      KernelNorm   norm = kernel_norm (&block, &params->activation);

      fill_block (state, step, 2, 3, &step->in[4], &step->in[5], block_of (state, task), &block);
      memset (sums[task], 0, sizeof (Sums));
      for (gsize i = 0; i < state->pixels; i += STRIP)
        {
          float strip[2][KERNEL_BLOCK] = { { 0 } };

          state->kernels->norm_gradient_sums (&norm, x + i * KERNEL_BLOCK, dy + i * KERNEL_BLOCK, MIN (STRIP, state->pixels - i), strip[0], strip[1]);
          for (gsize c = 0; c < KERNEL_BLOCK; c++)
            {
              sums[task][0][c] += strip[0][c];
              sums[task][1][c] += strip[1][c];
            }
        }
    }
}

static void
gradient_join (const Step *step, gsize first, gsize last, guint thread)
{
  const NormState *state = step->state;
  const Sums      *sums = (const Sums *) step->workspace;

  for (gsize c = first * KERNEL_BLOCK; c < MIN (last * KERNEL_BLOCK, state->channels); c++)
    {
      double sum = 0.0, product = 0.0;

      for (gsize image = 0; image < state->images; image++)
        {
          sum += sums[image * state->blocks + c / KERNEL_BLOCK][0][c % KERNEL_BLOCK];
          product += sums[image * state->blocks + c / KERNEL_BLOCK][1][c % KERNEL_BLOCK];
        }
      ((float *) step->out[1].data)[c] = (float) product;
      ((float *) step->out[2].data)[c] = (float) sum;
    }
}

/* dx = gamma / sigma (g - mean (g) - xhat mean (g xhat)), as a g + b x + c for each channel. */
static void
gradient_apply (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;
  const double      n = (double) (state->images * state->pixels);

  for (gsize task = first; task < last; task++)
    {
      NormBlock  block;
      KernelNorm norm = kernel_norm (&block, &params->activation);
      float      a[KERNEL_BLOCK], b[KERNEL_BLOCK], c[KERNEL_BLOCK];

      fill_block (state, step, 2, 3, &step->in[4], &step->in[5], block_of (state, task), &block);
      for (gsize i = 0; i < KERNEL_BLOCK; i++)
        {
          gsize  channel = block_of (state, task) * KERNEL_BLOCK + i;
          double slope = channel_number (state, &step->out[1], channel) / n * block.inverse[i];

          a[i] = block.scale[i];
          b[i] = (float) (-block.scale[i] * slope);
          c[i] = (float) (block.scale[i] * (slope * block.mean[i] - channel_number (state, &step->out[2], channel) / n));
        }
      state->kernels->norm_gradient (&norm, pixels_of (state, &step->in[0], task), pixels_of (state, &step->in[1], task), a, b, c,
                                     (float *) pixels_of (state, &step->out[0], task), state->pixels);
    }
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  step->in_place = 1;
  return norm_prepare (step, "batch statistics", gradient_sums, gradient_join, gradient_apply, error);
}

gboolean
batch_norm_training_backward (Gradients *gradients, Node *node, GError **error)
{
  const NormParams *params = node->params;
  Value            *dy = gradient_get (gradients, node_output (node, 0)), *dx;
  Node             *gradient;

  if (!dy)
    return TRUE;
  gradient = gradient_begin (gradients, "fovea", "BatchNormGradient", 6, (Value *[]) { node_input (node, 0), dy, node_input (node, 1), node_input (node, 2),
                                                                                      node_output (node, 1), node_output (node, 2) });
  node_set_int (gradient, "activation", params->activation.kind);
  node_set_float (gradient, "alpha", params->activation.alpha);
  node_set_float (gradient, "beta", params->activation.beta);
  dx = gradient_end (gradients, gradient, 3, error);
  return dx && gradient_give (gradients, node_input (node, 0), dx, error)
         && gradient_give (gradients, node_input (node, 1), node_output (gradient, 1), error)
         && gradient_give (gradients, node_input (node, 2), node_output (gradient, 2), error);
}

/* With frozen statistics it is a scale and a shift: dx = dy gamma / sqrt (variance + epsilon). Nothing of it is trained then. */
gboolean
batch_norm_backward (Gradients *gradients, Node *node, GError **error)
{
  Value                 *x = node_input (node, 0), *numbers;
  const FoveaTensor     *gamma = node_input (node, 1)->constant, *variance = node_input (node, 4)->constant;
  double                 epsilon = node_float (node, "epsilon", 1e-5f);
  g_autoptr (FoveaTensor) scale = NULL;
  FoveaShape             shape = x->shape;

  if (!gamma || !variance || x->type != FOVEA_TYPE_FLOAT32 || shape.n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its statistics are half frozen, half trained. Train all five of its inputs or none.");
  for (guint i = 0; i < shape.n_dims; i++)
    shape.dims[i] = i == 1 ? shape.dims[i] : 1;
  scale = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  if (!scale)
    return FALSE;
  for (gsize c = 0; c < (gsize) shape.dims[1]; c++)
    {
      double g, v;

      tensor_read_double (gamma, c, 1, &g);
      tensor_read_double (variance, c, 1, &v);
      ((float *) scale->data)[c] = (float) (g / sqrt (v + epsilon));
    }
  numbers = gradient_constant (gradients, scale);
  return gradient_give (gradients, x, gradient_of_two (gradients, "Mul", gradient_get (gradients, node_output (node, 0)), numbers, error), error);
}

static const AttributeSpec norm_attributes[] = {
  { "epsilon", ATTRIBUTE_FLOAT }, { "momentum", ATTRIBUTE_FLOAT }, { "activation", ATTRIBUTE_INT },
  { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { NULL },
};

const Operator batch_norm_training_operators[] = {
  { "BatchNormTraining", "fovea", sizeof (NormParams), norm_parse, training_infer, training_blocked, training_prepare, NULL, norm_attributes },
  { "BatchNormGradient", "fovea", sizeof (NormParams), norm_parse, gradient_infer, gradient_blocked, gradient_prepare, NULL, norm_attributes },
  { NULL },
};
