/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm-training.c: batch normalization on the batch's own statistics, with the activation that follows it, and its gradient (Ioffe & Szegedy 2015,
 * arXiv:1502.03167).
 *
 *   BatchNormTraining (x, gamma, beta, running mean, running variance, sums) -> y, mean, 1 / sigma
 *       y = f (gamma (x - mean) / sigma + beta); the running statistics, variables, move towards the batch's by `momentum` (the variance unbiased).
 *       y is left out where all who read it normalize x themselves (batch-norm-parts.h)
 *   BatchNormGradient (x, dy, gamma, beta, mean, 1 / sigma, sums) -> dx, dgamma, dbeta, coefficients
 *       what the activation saw is computed again from x, so that only x is kept. dx is left out where those who read it make it from the coefficients
 *       (NormGradientBlock, one for each block)
 *
 * The sums, part by part of the images and block by block, are made by the convolutions that x and dy come from, where these can (compile/fuse-norm.c);
 * otherwise a part is an image. They are joined in double: the same for any number of threads.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/batch-norm-parts.h"
#include "ops/families.h"
#include "ops/gradient.h"

/* The inputs that the sums are. */
#define TRAINING_SUMS 5
#define GRADIENT_SUMS 6

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
  guint          sums;  /* the input that they are, where they are given; or 0 */
  gsize          parts; /* that they are over */
} NormState;

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

/* (parts, blocks) */
static NormSums *
sums_of (const Step *step)
{
  const NormState *state = step->state;

  return state->sums ? step->in[state->sums].data : (gpointer) step->workspace;
}

/* The sums of a channel. */
static void
join_sums (const Step *step, gsize channel, double *first, double *second)
{
  const NormState *state = step->state;
  const NormSums  *sums = (const NormSums *) sums_of (step) + channel / KERNEL_BLOCK;

  *first = *second = 0.0;
  for (gsize part = 0; part < state->parts; part++)
    {
      *first += sums[part * state->blocks][0][channel % KERNEL_BLOCK];
      *second += sums[part * state->blocks][1][channel % KERNEL_BLOCK];
    }
}

static void
add_phase (Step *step, StepRun run, gsize n_tasks, gsize grain)
{
  step->phase[step->n_phases].run = run;
  step->phase[step->n_phases].n_tasks = n_tasks;
  step->phase[step->n_phases++].grain = grain;
}

/* sums_input: where they are given. */
static gboolean
norm_prepare (Step *step, guint sums_input, StepRun sums, StepRun join, StepRun apply, GError **error)
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
  state->parts = state->images;
  if (sums_input < step->n_inputs)
    {
      state->sums = sums_input;
      state->parts = (gsize) step->in[sums_input].shape.dims[0];
    }
  else if (!g_size_checked_mul (&step->workspace_size, state->images * state->blocks, sizeof (NormSums)))
    return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its input is too large.");
  step->kernel = "batch statistics";
  if (!state->sums)
    add_phase (step, sums, state->images * state->blocks, 1);
  add_phase (step, join, state->blocks, state->blocks);
  if (step->out[0].value)
    add_phase (step, apply, state->images * state->blocks, 1);
  return TRUE;
}

/* ---- forward ------------------------------------------------------------------------------------------------------- */

static void
training_sums (const Step *step, gsize first, gsize last, guint thread)
{
  const NormState *state = step->state;

  for (gsize task = first; task < last; task++)
    norm_sums_set (state->kernels, pixels_of (state, &step->in[0], task), state->pixels, sums_of (step)[task]);
}

static void
training_join (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;
  const double      n = (double) (state->images * state->pixels);
  float            *running_mean = step->in[3].data, *running_variance = step->in[4].data;

  for (gsize c = first * KERNEL_BLOCK; c < MIN (last * KERNEL_BLOCK, state->channels); c++)
    {
      double sum, squares, mean, variance;

      join_sums (step, c, &sum, &squares);
      mean = sum / n;
      variance = MAX (squares / n - mean * mean, 0.0);
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
      KernelNorm norm = norm_block_fill (&step->in[1], &step->in[2], &step->out[1], &step->out[2], block_of (state, task), &params->activation, &block);

      state->kernels->norm_apply (&norm, pixels_of (state, &step->in[0], task), (float *) pixels_of (state, &step->out[0], task), state->pixels);
    }
}

gboolean
batch_norm_activation (const Node *node, const char *type, Activation *activation)
{
  if (strcmp (node->domain, "fovea") != 0 || strcmp (node->type, type) != 0)
    return FALSE;
  *activation = ((const NormParams *) node->params)->activation;
  return TRUE;
}

static gboolean
training_prepare (Step *step, GError **error)
{
  return norm_prepare (step, TRAINING_SUMS, training_sums, training_join, training_apply, error);
}

/* ---- gradient ------------------------------------------------------------------------------------------------------ */

static void
gradient_sums (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      NormBlock  block;
      KernelNorm norm = norm_block_fill (&step->in[2], &step->in[3], &step->in[4], &step->in[5], block_of (state, task), &params->activation, &block);

      norm_gradient_sums_set (state->kernels, &norm, pixels_of (state, &step->in[0], task), pixels_of (state, &step->in[1], task), state->pixels,
                              sums_of (step)[task]);
    }
}

/* dx = gamma / sigma (g - mean (g) - xhat mean (g xhat)), as a g + b x + c for each channel. */
static void
fill_gradient_block (const Step *step, gsize block, NormGradientBlock *out)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;
  const double      n = (double) (state->images * state->pixels);
  NormBlock        *norm = &out->norm;

  norm_block_fill (&step->in[2], &step->in[3], &step->in[4], &step->in[5], block, &params->activation, norm);
  for (gsize i = 0; i < KERNEL_BLOCK; i++)
    {
      gsize  channel = block * KERNEL_BLOCK + i;
      double slope = channel_number (state, &step->out[1], channel) / n * norm->inverse[i];

      out->a[i] = norm->scale[i];
      out->b[i] = (float) (-norm->scale[i] * slope);
      out->c[i] = (float) (norm->scale[i] * (slope * norm->mean[i] - channel_number (state, &step->out[2], channel) / n));
    }
}

static void
gradient_join (const Step *step, gsize first, gsize last, guint thread)
{
  const NormState *state = step->state;

  for (gsize c = first * KERNEL_BLOCK; c < MIN (last * KERNEL_BLOCK, state->channels); c++)
    {
      double sum, product;

      join_sums (step, c, &sum, &product);
      ((float *) step->out[1].data)[c] = (float) product;
      ((float *) step->out[2].data)[c] = (float) sum;
    }
  for (gsize block = first; block < last && step->n_outputs > BATCH_NORM_COEFFICIENTS; block++)
    fill_gradient_block (step, block, (NormGradientBlock *) step->out[BATCH_NORM_COEFFICIENTS].data + block);
}

static void
gradient_apply (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const NormState  *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      NormGradientBlock block;

      fill_gradient_block (step, block_of (state, task), &block);
      norm_gradient_apply (&block, &params->activation, state->kernels, pixels_of (state, &step->in[0], task), pixels_of (state, &step->in[1], task),
                           (float *) pixels_of (state, &step->out[0], task), state->pixels);
    }
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  step->in_place = 1;
  return norm_prepare (step, GRADIENT_SUMS, gradient_sums, gradient_join, gradient_apply, error);
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
