/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.c: MaxPool, AveragePool, LpPool and their global forms, in one to three dimensions. Two-dimensional maxima and averages of float32
 * have a blocked form by the kernels; everything else runs in plain loops, in double: the meaning.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/pool.h"

/* ---- attributes and shapes -------------------------------------------------------------------------------- */

static gboolean
max_pool_parse (Node *node, GError **error)
{
  PoolParams *params = node->params;

  params->kind = KIND_MAX;
  params->column_major = node_int (node, "storage_order", 0) != 0;
  return window_parse (node, &params->window, error);
}

static gboolean
average_pool_parse (Node *node, GError **error)
{
  PoolParams *params = node->params;

  params->kind = KIND_AVERAGE;
  params->count_padding = node_int (node, "count_include_pad", 0) != 0;
  return window_parse (node, &params->window, error);
}

static gboolean
read_p (const Node *node, PoolParams *params, GError **error)
{
  params->kind = KIND_LP;
  params->p = (double) node_int (node, "p", 2);
  if (params->p < 1.0)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “p” must be at least 1.");
  return TRUE;
}

static gboolean
lp_pool_parse (Node *node, GError **error)
{
  PoolParams *params = node->params;

  return read_p (node, params, error) && window_parse (node, &params->window, error);
}

static gboolean
global_pool_parse (Node *node, GError **error)
{
  PoolParams *params = node->params;

  params->global = TRUE;
  params->kind = strcmp (node->type, "GlobalMaxPool") == 0 ? KIND_MAX : KIND_AVERAGE;
  return TRUE;
}

static gboolean
global_lp_pool_parse (Node *node, GError **error)
{
  PoolParams *params = node->params;

  params->global = TRUE;
  return read_p (node, params, error);
}

/* What a window rounded up hangs over the end isn't counted as padding (PyTorch, ONNX Runtime), except, says ONNX's test data, where it
 * is dilated: as no exporter has that, there is nothing that contradicts. */
static void
pad_dilated (Window *window, const FoveaShape *in, const FoveaShape *out)
{
  gboolean dilated = FALSE;

  for (guint i = 0; i < window->n_spatial; i++)
    dilated |= window->dilation[i] > 1;
  for (guint i = 0; dilated && i < window->n_spatial; i++)
    {
      gint64 reach = (out->dims[2 + i] - 1) * window->stride[i] + (window->kernel[i] - 1) * window->dilation[i] + 1;

      window->pad_end[i] = MAX (window->pad_end[i], reach - in->dims[2 + i] - window->pad_begin[i]);
    }
}

/* The window for the input's shape, and the shape of the output. */
static gboolean
pool_sizes (const Node *node, Window *window, FoveaShape *out, GError **error)
{
  const PoolParams *params = node->params;
  const FoveaShape *in = &node_input (node, 0)->shape;

  if (in->n_dims < 3)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input has %u dimensions, but pooling needs at least 3.", in->n_dims);
  *out = *in;
  if (params->global)
    {
      memset (window, 0, sizeof *window);
      window->n_spatial = MIN (in->n_dims - 2, WINDOW_MAX_SPATIAL);
      for (guint i = 2; i < in->n_dims; i++)
        {
          if (in->dims[i] < 1)
            return node_error (node, error, FOVEA_ERROR_SHAPE, "its input is empty. Use a larger input.");
          out->dims[i] = 1;
        }
      return TRUE;
    }

  if (!window_resolve (node, &params->window, in->n_dims - 2, NULL, window, error))
    return FALSE;
  for (guint i = 0; i < window->n_spatial; i++)
    if (!window_output (node, window, i, in->dims[2 + i], &out->dims[2 + i], error))
      return FALSE;
  if (params->count_padding)
    pad_dilated (window, in, out);
  return TRUE;
}

gboolean
pool_resolve (const Node *node, PoolParams *resolved, GError **error)
{
  const FoveaShape *in = &node_input (node, 0)->shape;
  FoveaShape        out;

  *resolved = *(const PoolParams *) node->params;
  if (!pool_sizes (node, &resolved->window, &out, error))
    return FALSE;
  for (guint i = 0; resolved->global && i < resolved->window.n_spatial; i++)
    {
      resolved->window.kernel[i] = in->dims[2 + i];
      resolved->window.stride[i] = resolved->window.dilation[i] = 1;
    }
  return TRUE;
}

static gboolean
pool_infer (const Node *node, InferContext *context, GError **error)
{
  const PoolParams *params = node->params;
  gboolean          is_max = params->kind == KIND_MAX && !params->global;
  FoveaShape        shape;
  Window            window;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, is_max ? 2 : 1, error))
    return FALSE;
  if (is_max ? !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_FLOAT16, FOVEA_TYPE_INT8,
                                  FOVEA_TYPE_UINT8, FOVEA_TYPE_NONE)
             : !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_FLOAT16, FOVEA_TYPE_NONE))
    return FALSE;
  if (!pool_sizes (node, &window, &shape, error))
    return FALSE;
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  infer_set (node, 1, FOVEA_TYPE_INT64, &shape);
  return TRUE;
}

static gboolean
pool_fits_kernels (const FoveaShape *in, const FoveaShape *out, const Window *window)
{
  for (guint i = 0; i < 2; i++)
    if (window->kernel[i] > 1 << 14 || window->stride[i] > 1 << 14 || window->dilation[i] > 1 << 14 || window->pad_begin[i] > 1 << 20
        || window->pad_end[i] > 1 << 20 || in->dims[2 + i] > 1 << 20 || out->dims[2 + i] > 1 << 20)
      return FALSE;
  return TRUE;
}

static gboolean
pool_blocked (const Node *node, BlockedForm *form)
{
  const PoolParams *params = node->params;
  const Value      *in = node_input (node, 0);
  FoveaShape        shape;
  Window            window;

  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4 || params->kind == KIND_LP || node_output (node, 1)
      || !pool_sizes (node, &window, &shape, NULL) || (!params->global && !pool_fits_kernels (&in->shape, &shape, &window)))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 1u << 0;
  form->outputs = 1u << 0;
  return TRUE;
}

/* ---- blocked ---------------------------------------------------------------------------------------------- */

typedef struct
{
  const Kernels *kernels;
  KernelPool     pool;    /* of image 0, without data */
  gsize          n_blocks, in_image, out_image;
  gsize          n_bands; /* of rows, that a block of an image is cut into, each a task */
  float          scale;   /* global average */
} PoolState;

/* A task: a band of rows of one block of one image. */
static void
pool_blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PoolState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize      band = task % state->n_bands, block = task / state->n_bands % state->n_blocks, image = task / state->n_bands / state->n_blocks;
      KernelPool pool = state->pool;
      gsize      rows = (gsize) pool.out_h;

      pool.in = (const float *) step->in[0].data + image * state->in_image;
      pool.out = (float *) step->out[0].data + image * state->out_image;
      state->kernels->pool (&pool, block, block + 1, rows * band / state->n_bands, rows * (band + 1) / state->n_bands);
    }
}

static void
global_average_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PoolState *state = step->state;

  for (gsize task = first; task < last; task++)
    state->kernels->sum_pixels ((const float *) step->in[0].data + task * state->pool.in_plane,
                                (gsize) state->pool.in_h * (gsize) state->pool.in_w, state->scale,
                                (float *) step->out[0].data + task * KERNEL_BLOCK);
}

static gboolean
prepare_blocked (Step *step, GError **error)
{
  const PoolParams *params = step->node->params;
  const FoveaShape *in = &step->in[0].shape;
  PoolState        *state = g_new0 (PoolState, 1);
  KernelPool       *pool = &state->pool;
  FoveaShape        out;
  Window            window;
  gsize             n_tasks, work;

  step->state = state;
  step->free_state = g_free;
  if (!pool_sizes (step->node, &window, &out, error))
    return FALSE;
  state->kernels = kernels_get ();
  state->n_blocks = kernel_blocks ((gsize) in->dims[1]);
  pool->kind = params->kind == KIND_MAX ? POOL_MAX : params->count_padding ? POOL_AVERAGE_PADDED : POOL_AVERAGE;
  pool->channels = (gsize) in->dims[1];
  pool->in_h = (int) in->dims[2];
  pool->in_w = (int) in->dims[3];
  pool->out_h = (int) out.dims[2];
  pool->out_w = (int) out.dims[3];
  pool->in_plane = (gsize) pool->in_h * (gsize) pool->in_w * KERNEL_BLOCK;
  pool->out_plane = (gsize) pool->out_h * (gsize) pool->out_w * KERNEL_BLOCK;
  state->in_image = state->n_blocks * pool->in_plane;
  state->out_image = state->n_blocks * pool->out_plane;
  state->scale = 1.0f / ((float) pool->in_h * (float) pool->in_w);
  pool->kernel_h = params->global ? pool->in_h : (int) window.kernel[0];
  pool->kernel_w = params->global ? pool->in_w : (int) window.kernel[1];
  pool->stride_h = params->global ? 1 : (int) window.stride[0];
  pool->stride_w = params->global ? 1 : (int) window.stride[1];
  pool->dilation_h = params->global ? 1 : (int) window.dilation[0];
  pool->dilation_w = params->global ? 1 : (int) window.dilation[1];
  pool->pad_top = (int) window.pad_begin[0];
  pool->pad_left = (int) window.pad_begin[1];
  pool->pad_bottom = (int) window.pad_end[0];
  pool->pad_right = (int) window.pad_end[1];

  work = (gsize) pool->out_w * KERNEL_BLOCK * (gsize) pool->kernel_h * (gsize) pool->kernel_w; /* floats that an output row is made from */
  state->n_bands = params->global && params->kind == KIND_AVERAGE ? 1 : step_pieces ((gsize) pool->out_h, work);
  n_tasks = (gsize) in->dims[0] * state->n_blocks * state->n_bands;
  work *= (gsize) pool->out_h / state->n_bands;
  step_set_run (step, params->global ? "global pool" : "pool",
                params->global && params->kind == KIND_AVERAGE ? global_average_run : pool_blocked_run, n_tasks,
                200000 / MAX (work, 1) + 1);
  return TRUE;
}

/* ---- plain ------------------------------------------------------------------------------------------------ */

/* Everything as three dimensions: the missing ones in front have size 1. A global window takes all dimensions as one. */
typedef struct
{
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  gsize  n_pieces; /* that the output of a channel is cut into, each a task */
} PlainPool;

static inline double
pool_element (const void *data, FoveaType type, gsize i)
{
  switch (type)
    {
    case FOVEA_TYPE_FLOAT32: return ((const float *) data)[i];
    case FOVEA_TYPE_FLOAT64: return ((const double *) data)[i];
    case FOVEA_TYPE_INT8:    return ((const gint8 *) data)[i];
    default:                 return ((const guint8 *) data)[i];
    }
}

static void
pool_store (void *data, FoveaType type, gsize i, double value)
{
  switch (type)
    {
    case FOVEA_TYPE_FLOAT32: ((float *) data)[i] = (float) value; break;
    case FOVEA_TYPE_FLOAT64: ((double *) data)[i] = value; break;
    case FOVEA_TYPE_INT8:    ((gint8 *) data)[i] = (gint8) MAX (value, -128.0); break;
    default:                 ((guint8 *) data)[i] = (guint8) MAX (value, 0.0); break;
    }
}

typedef struct
{
  double result;   /* greatest; sum; sum of |x|^p */
  gint64 at[3];    /* of the greatest; -1 before the first */
  gint64 n_inside, n_padded;
} Window3;

static void
window_add (Window3 *sum, const PoolParams *params, double value, gint64 z, gint64 y, gint64 x)
{
  sum->n_inside++;
  if (params->kind == KIND_AVERAGE)
    sum->result += value;
  else if (params->kind == KIND_LP)
    sum->result += params->p == 2.0 ? value * value : pow (fabs (value), params->p);
  else if (sum->at[0] < 0 || value > sum->result || (isnan (value) && !isnan (sum->result)))
    {
      sum->result = value;
      sum->at[0] = z;
      sum->at[1] = y;
      sum->at[2] = x;
    }
}

static Window3
pool_window (const PlainPool *pool, const PoolParams *params, const void *in, FoveaType type, gsize plane, const gint64 out[3])
{
  Window3 sum = { params->kind == KIND_MAX ? -INFINITY : 0.0, { -1, -1, -1 }, 0, 0 };

  for (gint64 kz = 0; kz < pool->kernel[0]; kz++)
    for (gint64 ky = 0; ky < pool->kernel[1]; ky++)
      for (gint64 kx = 0; kx < pool->kernel[2]; kx++)
        {
          gint64 z = out[0] * pool->stride[0] - pool->begin[0] + kz * pool->dilation[0];
          gint64 y = out[1] * pool->stride[1] - pool->begin[1] + ky * pool->dilation[1];
          gint64 x = out[2] * pool->stride[2] - pool->begin[2] + kx * pool->dilation[2];

          if (z < pool->in[0] + pool->end[0] && y < pool->in[1] + pool->end[1] && x < pool->in[2] + pool->end[2])
            sum.n_padded++;
          if (z >= 0 && z < pool->in[0] && y >= 0 && y < pool->in[1] && x >= 0 && x < pool->in[2])
            window_add (&sum, params, pool_element (in, type, plane + (gsize) ((z * pool->in[1] + y) * pool->in[2] + x)), z, y, x);
        }
  return sum;
}

static double
pool_result (const PoolParams *params, const Window3 *sum)
{
  if (params->kind == KIND_MAX)
    return sum->result;
  if (params->kind == KIND_LP)
    return params->p == 2.0 ? sqrt (sum->result) : pow (sum->result, 1.0 / params->p);
  if (params->count_padding)
    return sum->n_padded > 0 ? sum->result / (double) sum->n_padded : 0.0;
  return sum->n_inside > 0 ? sum->result / (double) sum->n_inside : 0.0;
}

/* A task: a piece of one channel of one image. */
static void
pool_plain_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PoolParams *params = step->node->params;
  const PlainPool  *pool = step->state;
  gint64           *indices = step->n_outputs > 1 && step->out[1].value ? step->out[1].data : NULL;
  gsize             in_plane = (gsize) (pool->in[0] * pool->in[1] * pool->in[2]), out_plane = (gsize) (pool->out[0] * pool->out[1] * pool->out[2]);
  FoveaType         type = step->in[0].type;

  for (gsize task = first; task < last; task++)
    {
      gsize plane = task / pool->n_pieces, piece = task % pool->n_pieces;

      for (gsize i = out_plane * piece / pool->n_pieces; i < out_plane * (piece + 1) / pool->n_pieces; i++)
        {
          gint64       row = (gint64) i / pool->out[2];
          const gint64 out[3] = { row / pool->out[1], row % pool->out[1], (gint64) i % pool->out[2] };
          Window3      sum = pool_window (pool, params, step->in[0].data, type, plane * in_plane, out);

          pool_store (step->out[0].data, type, plane * out_plane + i, pool_result (params, &sum));
          if (indices)
            indices[plane * out_plane + i] = (gint64) (plane * in_plane)
                                             + (params->column_major ? (sum.at[2] * pool->in[1] + sum.at[1]) * pool->in[0] + sum.at[0]
                                                                     : (sum.at[0] * pool->in[1] + sum.at[1]) * pool->in[2] + sum.at[2]);
        }
    }
}

static void
three (gint64 values[3], const gint64 *given, guint n, gint64 otherwise)
{
  for (guint i = 0; i < 3; i++)
    values[i] = i + n < 3 ? otherwise : given[i + n - 3];
}

static gboolean
pool_prepare (Step *step, GError **error)
{
  const PoolParams *params = step->node->params;
  const FoveaShape *in = &step->in[0].shape;
  PlainPool        *pool;
  FoveaShape        out;
  Window            window;

  if (step->out[0].layout == LAYOUT_BLOCKED)
    return prepare_blocked (step, error);

  if (!pool_sizes (step->node, &window, &out, error))
    return FALSE;
  pool = g_new0 (PlainPool, 1);
  step->state = pool;
  step->free_state = g_free;
  if (params->global)
    {
      const gint64 all = (gint64) shape_count_range (in, 2, in->n_dims), one = 1, zero = 0;

      three (pool->in, &all, 1, 1);
      three (pool->out, &one, 1, 1);
      three (pool->kernel, &all, 1, 1);
      three (pool->stride, &one, 1, 1);
      three (pool->dilation, &one, 1, 1);
      three (pool->begin, &zero, 1, 0);
      three (pool->end, &zero, 1, 0);
    }
  else
    {
      three (pool->in, in->dims + 2, window.n_spatial, 1);
      three (pool->out, out.dims + 2, window.n_spatial, 1);
      three (pool->kernel, window.kernel, window.n_spatial, 1);
      three (pool->stride, window.stride, window.n_spatial, 1);
      three (pool->dilation, window.dilation, window.n_spatial, 1);
      three (pool->begin, window.pad_begin, window.n_spatial, 0);
      three (pool->end, window.pad_end, window.n_spatial, 0);
    }
  pool->n_pieces = step_pieces ((gsize) (pool->out[0] * pool->out[1] * pool->out[2]), (gsize) (pool->kernel[0] * pool->kernel[1] * pool->kernel[2]));
  step_set_run (step, "plain", pool_plain_run, (gsize) (in->dims[0] * in->dims[1]) * pool->n_pieces, 1);
  return TRUE;
}

static const AttributeSpec max_pool_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "ceil_mode", ATTRIBUTE_INT },
  { "storage_order", ATTRIBUTE_INT }, { NULL },
};
static const AttributeSpec average_pool_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "ceil_mode", ATTRIBUTE_INT },
  { "count_include_pad", ATTRIBUTE_INT }, { NULL },
};
static const AttributeSpec lp_pool_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "ceil_mode", ATTRIBUTE_INT }, { "p", ATTRIBUTE_INT },
  { NULL },
};
static const AttributeSpec global_lp_pool_attributes[] = { { "p", ATTRIBUTE_INT }, { NULL } };

const Operator pool_operators[] = {
  { "AveragePool", "", sizeof (PoolParams), average_pool_parse, pool_infer, pool_blocked, pool_prepare, NULL, average_pool_attributes },
  { "GlobalAveragePool", "", sizeof (PoolParams), global_pool_parse, pool_infer, pool_blocked, pool_prepare, NULL },
  { "GlobalLpPool", "", sizeof (PoolParams), global_lp_pool_parse, pool_infer, NULL, pool_prepare, NULL, global_lp_pool_attributes },
  { "GlobalMaxPool", "", sizeof (PoolParams), global_pool_parse, pool_infer, pool_blocked, pool_prepare, NULL },
  { "LpPool", "", sizeof (PoolParams), lp_pool_parse, pool_infer, NULL, pool_prepare, NULL, lp_pool_attributes },
  { "MaxPool", "", sizeof (PoolParams), max_pool_parse, pool_infer, pool_blocked, pool_prepare, NULL, max_pool_attributes },
  { NULL },
};
