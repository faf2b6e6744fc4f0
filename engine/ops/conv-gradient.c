/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-gradient.c: the gradients of Conv by its input and by its weights and bias.
 *
 *   ConvInputGradient (dy, W) -> dx         with stride 1 an ordinary convolution of dy with the weights turned round, so that conv-choose.c picks its
 *                                           kernel (Winograd too); with larger strides a transposed convolution, or a kernel of its own for depthwise ones
 *   ConvWeightGradient (x, dy) -> dW, db    sums of outer products, pixel by pixel (conv-weight-gradient.c)
 *
 * Both carry the attributes of the Conv, and `shape`: that of what they give. Where the sizes have no fast form, plain loops sum in double.
 */

#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/conv-weight-gradient.h"
#include "ops/families.h"
#include "ops/gradient.h"

typedef struct
{
  ConvParams conv;  /* first, as the blocked forms of Conv and ConvTranspose read it */
  FoveaShape shape; /* of output 0 */
} GradientParams;

static gboolean
gradient_parse (Node *node, GError **error)
{
  GradientParams *params = node->params;
  const gint64   *dims;
  gsize           n = node_ints (node, "shape", &dims);

  params->conv.group = node_int (node, "group", 1);
  params->conv.turned = TRUE;
  if (n < 3 || n > 2 + WINDOW_MAX_SPATIAL || params->conv.group < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attributes are no convolution's. The model is damaged.");
  params->shape = shape_make ((guint) n, dims);
  return window_parse (node, &params->conv.window, error);
}

/* The convolution that the node is the gradient of: window resolved, x, w, y being the shapes of its input, weights and output. */
static gboolean
forward_sizes (const Node *node, const FoveaShape *x, const FoveaShape *w, const FoveaShape *y, Window *window, GError **error)
{
  const GradientParams *params = node->params;
  gboolean              fits = x->n_dims == w->n_dims && x->n_dims == y->n_dims && x->n_dims >= 3 && x->dims[0] == y->dims[0] && w->dims[0] == y->dims[1]
                  && w->dims[1] >= 1 && w->dims[1] <= x->dims[1] && x->dims[1] == w->dims[1] * params->conv.group
                  && w->dims[0] % params->conv.group == 0;

  if (!fits || !window_resolve (node, &params->conv.window, x->n_dims - 2, w->dims + 2, window, error))
    return fits ? FALSE : node_error (node, error, FOVEA_ERROR_SHAPE, "its shapes don't belong to a convolution. The model is damaged.");
  for (guint i = 0; i < window->n_spatial; i++)
    {
      gint64 out;

      if (!window_output (node, window, i, x->dims[2 + i], &out, error))
        return FALSE;
      if (out != y->dims[2 + i])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its shapes don't belong to a convolution. The model is damaged.");
    }
  return TRUE;
}

static gboolean
check_inputs (const Node *node, guint n_outputs, GError **error)
{
  return infer_check_inputs (node, 2, 2, error) && infer_check_outputs (node, n_outputs, error)
         && infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE)
         && infer_check_type (node, 1, error, node_input (node, 0)->type, FOVEA_TYPE_NONE);
}

static ConvShape
conv_shape (const Node *node, const FoveaShape *x, const FoveaShape *y, const Window *window)
{
  return (ConvShape) { .n = x->dims[0], .channels = x->dims[1], .outputs = y->dims[1], .group = ((const GradientParams *) node->params)->conv.group,
                       .h = x->dims[2], .w = x->dims[3], .out_h = y->dims[2], .out_w = y->dims[3], .window = *window };
}

/* ---- plain loops, for both ----------------------------------------------------------------------------------------- */

typedef struct
{
  gsize  images, channels, outputs, group; /* channels and outputs of a group */
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
} PlainConv;

static gint64
third (const gint64 *values, guint n, guint i, gint64 otherwise)
{
  return i + n < 3 ? otherwise : values[i + n - 3];
}

static PlainConv *
plain_new (const Node *node, const FoveaShape *x, const FoveaShape *y, const Window *window)
{
  const GradientParams *params = node->params;
  PlainConv            *conv = g_new0 (PlainConv, 1);

  conv->images = (gsize) x->dims[0];
  conv->group = (gsize) params->conv.group;
  conv->channels = (gsize) (x->dims[1] / params->conv.group);
  conv->outputs = (gsize) (y->dims[1] / params->conv.group);
  for (guint i = 0; i < 3; i++)
    {
      conv->in[i] = third (x->dims + 2, window->n_spatial, i, 1);
      conv->out[i] = third (y->dims + 2, window->n_spatial, i, 1);
      conv->kernel[i] = third (window->kernel, window->n_spatial, i, 1);
      conv->stride[i] = third (window->stride, window->n_spatial, i, 1);
      conv->dilation[i] = third (window->dilation, window->n_spatial, i, 1);
      conv->pad[i] = third (window->pad_begin, window->n_spatial, i, 0);
    }
  return conv;
}

static gsize
volume (const gint64 size[3])
{
  return (gsize) (size[0] * size[1] * size[2]);
}

static double
element (const TensorView *view, gsize i)
{
  return view->type == FOVEA_TYPE_FLOAT64 ? ((const double *) view->data)[i] : (double) ((const float *) view->data)[i];
}

static void
set_element (const TensorView *view, gsize i, double number)
{
  if (view->type == FOVEA_TYPE_FLOAT64)
    ((double *) view->data)[i] = number;
  else
    ((float *) view->data)[i] = (float) number;
}

/* The output's place, along one axis, that sees input `in` under tap `tap`; -1: none. */
static gint64
output_place (const PlainConv *conv, guint axis, gint64 in, gint64 tap)
{
  gint64 at = in + conv->pad[axis] - tap * conv->dilation[axis];

  return at >= 0 && at % conv->stride[axis] == 0 && at / conv->stride[axis] < conv->out[axis] ? at / conv->stride[axis] : -1;
}

static void
split_place (gsize i, const gint64 size[3], gint64 place[3])
{
  place[2] = (gint64) (i % (gsize) size[2]);
  place[1] = (gint64) (i / (gsize) size[2] % (gsize) size[1]);
  place[0] = (gint64) (i / (gsize) (size[1] * size[2]));
}

/* A task is one channel of one image. */
static void
plain_input_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PlainConv *conv = step->state;
  gsize            n_in = volume (conv->in), n_out = volume (conv->out), taps = volume (conv->kernel);

  for (gsize task = first; task < last; task++)
    for (gsize i = 0; i < n_in; i++)
      {
        gsize  image = task / (conv->channels * conv->group), channel = task % (conv->channels * conv->group), group = channel / conv->channels;
        gint64 at[3];
        double sum = 0.0;

        split_place (i, conv->in, at);
        for (gsize t = 0; t < taps; t++)
          {
            gint64 tap[3], y, x, z;

            split_place (t, conv->kernel, tap);
            z = output_place (conv, 0, at[0], tap[0]);
            y = output_place (conv, 1, at[1], tap[1]);
            x = output_place (conv, 2, at[2], tap[2]);
            for (gsize k = group * conv->outputs; z >= 0 && y >= 0 && x >= 0 && k < (group + 1) * conv->outputs; k++)
              sum += element (&step->in[0], (image * conv->outputs * conv->group + k) * n_out + (gsize) ((z * conv->out[1] + y) * conv->out[2] + x))
                     * element (&step->in[1], (k * conv->channels + channel % conv->channels) * taps + t);
          }
        set_element (&step->out[0], task * n_in + i, sum);
      }
}

/* The sum over all pixels for one weight. */
static double
plain_weight (const Step *step, const PlainConv *conv, gsize k, gsize channel, const gint64 tap[3])
{
  gsize  n_in = volume (conv->in), n_out = volume (conv->out);
  double sum = 0.0;

  for (gsize image = 0; image < conv->images; image++)
    for (gsize i = 0; i < n_out; i++)
      {
        gint64   at[3], place = 0;
        gboolean inside = TRUE;

        split_place (i, conv->out, at);
        for (guint axis = 0; axis < 3; axis++)
          {
            gint64 in = at[axis] * conv->stride[axis] - conv->pad[axis] + tap[axis] * conv->dilation[axis];

            inside &= in >= 0 && in < conv->in[axis];
            place = place * conv->in[axis] + in;
          }
        if (inside)
          sum += element (&step->in[0], (image * conv->channels * conv->group + channel) * n_in + (gsize) place)
                 * element (&step->in[1], (image * conv->outputs * conv->group + k) * n_out + i);
      }
  return sum;
}

/* A task is one output channel. */
static void
plain_weight_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PlainConv *conv = step->state;
  gsize            taps = volume (conv->kernel), n_out = volume (conv->out);

  for (gsize k = first; k < last; k++)
    {
      for (gsize i = 0; i < conv->channels * taps; i++)
        {
          gint64 tap[3];

          split_place (i % taps, conv->kernel, tap);
          set_element (&step->out[0], k * conv->channels * taps + i, plain_weight (step, conv, k, k / conv->outputs * conv->channels + i / taps, tap));
        }
      if (step->n_outputs > 1 && step->out[1].value)
        {
          double sum = 0.0;

          for (gsize i = 0; i < conv->images * n_out; i++)
            sum += element (&step->in[1], (i / n_out * conv->outputs * conv->group + k) * n_out + i % n_out);
          set_element (&step->out[1], k, sum);
        }
    }
}

/* ---- by the input -------------------------------------------------------------------------------------------------- */

static gboolean
input_sizes (const Node *node, Window *window, GError **error)
{
  const GradientParams *params = node->params;

  return forward_sizes (node, &params->shape, &node_input (node, 1)->shape, &node_input (node, 0)->shape, window, error);
}

static gboolean
input_infer (const Node *node, InferContext *context, GError **error)
{
  const GradientParams *params = node->params;
  Window                window;

  if (!check_inputs (node, 1, error) || !input_sizes (node, &window, error))
    return FALSE;
  infer_set (node, 0, node_input (node, 0)->type, &params->shape);
  return TRUE;
}

ConvShape
conv_turn_shape (const ConvShape *forward)
{
  ConvShape turned = *forward;

  turned.channels = forward->outputs;
  turned.outputs = forward->channels;
  turned.h = forward->out_h;
  turned.w = forward->out_w;
  turned.out_h = forward->h;
  turned.out_w = forward->w;
  if (forward->window.stride[0] == 1 && forward->window.stride[1] == 1)
    for (guint i = 0; i < 2; i++)
      {
        turned.window.pad_begin[i] = (forward->window.kernel[i] - 1) * forward->window.dilation[i] - forward->window.pad_begin[i];
        turned.window.pad_end[i] = (forward->window.kernel[i] - 1) * forward->window.dilation[i] - forward->window.pad_end[i];
      }
  return turned;
}

typedef enum
{
  INPUT_PLAIN,
  INPUT_CONV,
  INPUT_TRANSPOSED,
  INPUT_DEPTHWISE,
} InputWay;

static InputWay
input_way (const Node *node, ConvShape *forward, ConvShape *turned)
{
  const GradientParams *params = node->params;
  Window                window;

  if (node_input (node, 0)->type != FOVEA_TYPE_FLOAT32 || params->shape.n_dims != 4 || !conv_is_packable (node_input (node, 1), NULL)
      || !input_sizes (node, &window, NULL))
    return INPUT_PLAIN;
  *forward = conv_shape (node, &params->shape, &node_input (node, 0)->shape, &window);
  *turned = conv_turn_shape (forward);
  if (window.stride[0] == 1 && window.stride[1] == 1)
    return conv_choose (turned) != CONV_PLAIN ? INPUT_CONV : INPUT_PLAIN;
  if (conv_is_depthwise (forward) && conv_fits_kernels (forward))
    return INPUT_DEPTHWISE;
  return conv_transpose_accepts (turned) ? INPUT_TRANSPOSED : INPUT_PLAIN;
}

gboolean
conv_input_gradient_shape (const Node *node, ConvShape *shape)
{
  ConvShape forward;

  return strcmp (node->domain, "fovea") == 0 && strcmp (node->type, "ConvInputGradient") == 0 && input_way (node, &forward, shape) == INPUT_CONV;
}

static gboolean
input_blocked (const Node *node, BlockedForm *form)
{
  ConvShape forward, turned;
  InputWay  way = input_way (node, &forward, &turned);

  if (way == INPUT_PLAIN)
    return FALSE;
  form->wish = BLOCKED_PREFERS;
  form->inputs = way == INPUT_CONV && conv_choose (&turned) == CONV_FIRST ? 0 : 1;
  form->outputs = 1;
  return TRUE;
}

typedef struct
{
  const Kernels       *kernels;
  KernelWeightGradient gradient;
  gsize                blocks, taps, channels;
  float               *weights;
} DepthwiseState;

static void
depthwise_free (gpointer data)
{
  DepthwiseState *state = data;

  memory_free (state->weights);
  g_free (state);
}

/* A task is one block of one image. */
static void
depthwise_run (const Step *step, gsize first, gsize last, guint thread)
{
  const DepthwiseState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      KernelWeightGradient gradient = state->gradient;
      gsize                image = task / state->blocks, block = task % state->blocks;

      gradient.gradient = (const float *) step->in[0].data + image * state->blocks * gradient.gradient_plane;
      state->kernels->depthwise_input_gradient (&gradient, state->weights, block, 0, (gsize) gradient.in_h,
                                                (float *) step->out[0].data + task * gradient.in_plane);
    }
}

static void
depthwise_refresh (const Step *step)
{
  const DepthwiseState *state = step->state;

  pack_depthwise (step->in[1].data, state->channels, state->taps, state->weights);
}

static gboolean
prepare_depthwise (Step *step, const ConvShape *forward, GError **error)
{
  DepthwiseState *state = g_new0 (DepthwiseState, 1);

  step->state = state;
  step->free_state = depthwise_free;
  state->kernels = kernels_get ();
  state->gradient = conv_describe_gradient (forward);
  state->channels = (gsize) forward->channels;
  state->blocks = kernel_blocks (state->channels);
  state->taps = (gsize) (forward->window.kernel[0] * forward->window.kernel[1]);
  state->weights = step_alloc (step, pack_depthwise_size (state->channels, state->taps), sizeof (float), error);
  if (!state->weights)
    return FALSE;
  if (step->in[1].value->constant)
    {
      float *weights = step_constant_floats (step, 1, error);

      if (!weights)
        return FALSE;
      pack_depthwise (weights, state->channels, state->taps, state->weights);
      memory_free (weights);
      step->in[1].packed = TRUE;
    }
  else
    step->refresh = depthwise_refresh;
  step_set_run (step, "depthwise", depthwise_run, (gsize) forward->n * state->blocks, 1);
  return TRUE;
}

static gboolean
input_prepare (Step *step, GError **error)
{
  const GradientParams *params = step->node->params;
  ConvShape             forward, turned;
  Window                window;

  if (step->out[0].layout == LAYOUT_BLOCKED)
    switch (input_way (step->node, &forward, &turned))
      {
      case INPUT_DEPTHWISE:  return prepare_depthwise (step, &forward, error);
      case INPUT_CONV:       return conv_prepare_blocked (step, &turned, conv_choose (&turned), error);
      case INPUT_TRANSPOSED: return conv_transpose_prepare_blocked (step, &turned, error);
      case INPUT_PLAIN:      g_assert_not_reached ();
      }
  if (!input_sizes (step->node, &window, error))
    return FALSE;
  step->state = plain_new (step->node, &params->shape, &step->in[0].shape, &window);
  step->free_state = g_free;
  step_set_run (step, "plain", plain_input_run, (gsize) (params->shape.dims[0] * params->shape.dims[1]), 1);
  return TRUE;
}

/* ---- by weights and bias --------------------------------------------------------------------------------------------- */

static gboolean
weight_sizes (const Node *node, Window *window, GError **error)
{
  const GradientParams *params = node->params;

  return forward_sizes (node, &node_input (node, 0)->shape, &params->shape, &node_input (node, 1)->shape, window, error);
}

static gboolean
weight_infer (const Node *node, InferContext *context, GError **error)
{
  const GradientParams *params = node->params;
  FoveaShape            bias;
  Window                window;

  if (!check_inputs (node, 2, error) || !weight_sizes (node, &window, error))
    return FALSE;
  bias = shape_make (1, params->shape.dims);
  infer_set (node, 0, node_input (node, 0)->type, &params->shape);
  infer_set (node, 1, node_input (node, 0)->type, &bias);
  return TRUE;
}

gboolean
conv_weight_gradient_shape (const Node *node, ConvShape *shape)
{
  const Value *x = node_input (node, 0);
  Window       window;

  if (strcmp (node->domain, "fovea") != 0 || strcmp (node->type, "ConvWeightGradient") != 0 || x->type != FOVEA_TYPE_FLOAT32 || x->shape.n_dims != 4
      || !weight_sizes (node, &window, NULL))
    return FALSE;
  *shape = conv_shape (node, &x->shape, &node_input (node, 1)->shape, &window);
  return conv_fits_kernels (shape) && (conv_is_depthwise (shape) || conv_has_whole_blocks (shape));
}

static gboolean
weight_blocked (const Node *node, BlockedForm *form)
{
  ConvShape shape;

  if (!conv_weight_gradient_shape (node, &shape))
    return FALSE;
  form->wish = BLOCKED_PREFERS;
  form->inputs = shape.group == 1 && shape.channels <= 4 ? 2 : 3; /* few channels are read where they lie */
  form->outputs = 0;
  return TRUE;
}

static gboolean
weight_prepare (Step *step, GError **error)
{
  const GradientParams *params = step->node->params;
  ConvShape             shape;
  Window                window;

  if (step->in[1].layout == LAYOUT_BLOCKED)
    {
      gboolean fits = conv_weight_gradient_shape (step->node, &shape);

      g_assert (fits);
      return conv_prepare_weight_gradient (step, &shape, error);
    }
  if (!weight_sizes (step->node, &window, error))
    return FALSE;
  step->state = plain_new (step->node, &step->in[0].shape, &step->in[1].shape, &window);
  step->free_state = g_free;
  step_set_run (step, "plain", plain_weight_run, (gsize) params->shape.dims[0], 1);
  return TRUE;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

static Node *
begin (Gradients *gradients, const Node *conv, const char *type, Value *a, Value *b, const FoveaShape *shape)
{
  static const char *const copied[] = { "kernel_shape", "strides", "dilations", "pads", "auto_pad", "group" };
  Node                    *node = gradient_begin (gradients, "fovea", type, 2, (Value *[]) { a, b });

  for (gsize i = 0; i < G_N_ELEMENTS (copied); i++)
    if (node_attribute (conv, copied[i]))
      node_copy_attribute (node, copied[i], node_attribute (conv, copied[i]));
  node_set_ints (node, "shape", shape->dims, shape->n_dims);
  return node;
}

gboolean
conv_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *x = node_input (node, 0), *weights = node_input (node, 1), *bias = node_input (node, 2), *dy = gradient_get (gradients, node_output (node, 0));

  if (gradient_wanted (gradients, weights) || gradient_wanted (gradients, bias))
    {
      Node *gradient = begin (gradients, node, "ConvWeightGradient", x, dy, &weights->shape);

      if (!gradient_give (gradients, weights, gradient_end (gradients, gradient, bias ? 2 : 1, error), error)
          || (bias && !gradient_give (gradients, bias, node_output (gradient, 1), error)))
        return FALSE;
    }
  if (!gradient_wanted (gradients, x))
    return TRUE;
  return gradient_give (gradients, x, gradient_end (gradients, begin (gradients, node, "ConvInputGradient", dy, weights, &x->shape), 1, error), error);
}

static const AttributeSpec gradient_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "group", ATTRIBUTE_INT },
  { "shape", ATTRIBUTE_INTS }, { NULL },
};

const Operator conv_gradient_operators[] = {
  { "ConvInputGradient", "fovea", sizeof (GradientParams), gradient_parse, input_infer, input_blocked, input_prepare, NULL, gradient_attributes },
  { "ConvWeightGradient", "fovea", sizeof (GradientParams), gradient_parse, weight_infer, weight_blocked, weight_prepare, NULL, gradient_attributes },
  { NULL },
};
