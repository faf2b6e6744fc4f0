/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool-gradient.c: PoolGradient (x, y, dy) -> dx for all pooling operators, in one to three dimensions, plain or blocked. The gradient of a maximum goes
 * to the first of its window that equals it.
 *
 * Plain and blocked differ only in how many numbers lie side by side for one pixel: 1 or 16 lanes.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/gradient.h"
#include "ops/pool.h"

typedef struct
{
  Kind   kind;
  double p;
  gint64 count_padding;
  guint  n_spatial;
  gint64 kernel[3], stride[3], dilation[3], begin[3], end[3]; /* as three dimensions */
} GradientParams;

static gboolean
read_three (Node *node, const char *name, gint64 out[3], gint64 otherwise, gint64 least, GError **error)
{
  const gint64 *values;
  gsize         n = node_ints (node, name, &values);

  for (gsize i = 0; i < 3; i++)
    {
      out[i] = i + n < 3 ? otherwise : values[i + n - 3];
      if (n > 3 || n < 1 || out[i] < least || out[i] > 1 << 30)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its attributes are no pool's. The model is damaged.");
    }
  ((GradientParams *) node->params)->n_spatial = (guint) n;
  return TRUE;
}

static gboolean
gradient_parse (Node *node, GError **error)
{
  GradientParams *params = node->params;

  params->kind = (Kind) CLAMP (node_int (node, "kind", 0), KIND_MAX, KIND_LP);
  params->p = (double) node_int (node, "p", 2);
  params->count_padding = node_int (node, "count_padding", 0);
  return read_three (node, "kernel_shape", params->kernel, 1, 1, error) && read_three (node, "strides", params->stride, 1, 1, error)
         && read_three (node, "dilations", params->dilation, 1, 1, error) && read_three (node, "begin", params->begin, 0, 0, error)
         && read_three (node, "end", params->end, 0, 0, error);
}

static gboolean
gradient_infer (const Node *node, InferContext *context, GError **error)
{
  const GradientParams *params = node->params;
  const Value          *x, *y, *dy;

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  x = node_input (node, 0);
  y = node_input (node, 1);
  dy = node_input (node, 2);
  if (y->type != x->type || dy->type != x->type || !shape_equal (&y->shape, &dy->shape) || x->shape.n_dims != y->shape.n_dims
      || x->shape.n_dims != 2 + params->n_spatial || x->shape.dims[0] != y->shape.dims[0] || x->shape.dims[1] != y->shape.dims[1])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its inputs don't belong to a pool. The model is damaged.");
  for (guint i = 0; i < params->n_spatial; i++)
    {
      guint axis = 3 - params->n_spatial + i;

      if ((y->shape.dims[2 + i] - 1) * params->stride[axis] - params->begin[axis] > x->shape.dims[2 + i] + params->end[axis])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its inputs don't belong to a pool. The model is damaged.");
    }
  infer_same (node, 0, 0);
  return TRUE;
}

static gboolean
gradient_blocked (const Node *node, BlockedForm *form)
{
  const Value *x = node_input (node, 0);

  if (x->type != FOVEA_TYPE_FLOAT32 || x->shape.n_dims != 4)
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 7;
  form->outputs = 1;
  return TRUE;
}

typedef struct
{
  gint64 in[3], out[3];
  gsize  lanes, planes;
} GradientState;

/* One window: where it begins, which of its taps lie inside, and how many of its pixels count. */
typedef struct
{
  gint64 at[3], first[3], last[3]; /* last: the first that doesn't, again */
  double count;
} Place;

static Place
window_place (const GradientParams *params, const GradientState *state, gsize i)
{
  gint64 out[3] = { (gint64) i / (state->out[1] * state->out[2]), (gint64) i / state->out[2] % state->out[1], (gint64) i % state->out[2] };
  Place  place = { .count = 1.0 };

  for (guint axis = 0; axis < 3; axis++)
    {
      gint64 n = 0;

      place.at[axis] = out[axis] * params->stride[axis] - params->begin[axis];
      for (gint64 k = 0; k < params->kernel[axis]; k++)
        {
          gint64 at = place.at[axis] + k * params->dilation[axis];

          place.first[axis] += at < 0;
          place.last[axis] += at < state->in[axis];
          n += params->count_padding ? at < state->in[axis] + params->end[axis] : at >= 0 && at < state->in[axis];
        }
      place.count *= (double) n;
    }
  return place;
}

/* What a window adds to its pixels: numbers that lie side by side, one or, where `lanes` is a constant, a block. */
typedef struct
{
  float    part[KERNEL_BLOCK], y[KERNEL_BLOCK];
  gboolean open; /* its maximum hasn't been met */
} Lanes;

static inline void
spread_tap (const GradientParams *params, Lanes *restrict lanes, gsize n, const float *restrict x, float *restrict dx)
{
  switch (params->kind)
    {
    case KIND_AVERAGE:
      for (gsize lane = 0; lane < n; lane++)
        dx[lane] += lanes->part[lane];
      break;
    case KIND_MAX: /* plain */
      if (lanes->open && x[0] == lanes->y[0])
        {
          dx[0] += lanes->part[0];
          lanes->open = FALSE;
        }
      break;
    default:
      for (gsize lane = 0; lane < n; lane++)
        if (lanes->y[lane] > 0.0f)
          dx[lane] += lanes->part[lane] * (float) (copysign (pow (fabs (x[lane]), params->p - 1.0), x[lane]) / pow (lanes->y[lane], params->p - 1.0));
    }
}

/* Adds one window's part. */
static void
spread_floats (const GradientParams *params, const GradientState *state, const Place *place, const float *x, const float *y, const float *dy, float *dx)
{
  Lanes lanes = { .open = TRUE };

  for (gsize lane = 0; lane < state->lanes; lane++)
    {
      lanes.part[lane] = params->kind == KIND_AVERAGE && place->count > 0 ? dy[lane] / (float) place->count : dy[lane];
      lanes.y[lane] = y[lane];
    }
  for (gint64 i = place->first[0]; i < place->last[0]; i++)
    for (gint64 j = place->first[1]; j < place->last[1]; j++)
      {
        gint64 row = ((place->at[0] + i * params->dilation[0]) * state->in[1] + place->at[1] + j * params->dilation[1]) * state->in[2] + place->at[2];

        for (gint64 k = place->first[2]; k < place->last[2]; k++)
          {
            gint64 pixel = row + k * params->dilation[2];

            if (state->lanes == KERNEL_BLOCK)
              spread_tap (params, &lanes, KERNEL_BLOCK, x + pixel * KERNEL_BLOCK, dx + pixel * KERNEL_BLOCK);
            else
              spread_tap (params, &lanes, 1, x + pixel, dx + pixel);
          }
      }
}

static void
spread_doubles (const GradientParams *params, const GradientState *state, const Place *place, const double *x, double y, double dy, double *dx)
{
  gboolean open = TRUE;

  for (gint64 i = place->first[0]; i < place->last[0]; i++)
    for (gint64 j = place->first[1]; j < place->last[1]; j++)
      for (gint64 k = place->first[2]; k < place->last[2]; k++)
        {
          gint64 pixel = ((place->at[0] + i * params->dilation[0]) * state->in[1] + place->at[1] + j * params->dilation[1]) * state->in[2] + place->at[2] + k * params->dilation[2];

          if (params->kind == KIND_AVERAGE)
            dx[pixel] += dy / place->count;
          else if (params->kind == KIND_MAX && open && x[pixel] == y)
            {
              dx[pixel] += dy;
              open = FALSE;
            }
          else if (params->kind == KIND_LP && y > 0.0)
            dx[pixel] += dy * copysign (pow (fabs (x[pixel]), params->p - 1.0), x[pixel]) / pow (y, params->p - 1.0);
        }
}

/* A task is one plane (channel or block) of one image. */
static void
gradient_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GradientParams *params = step->node->params;
  const GradientState  *state = step->state;
  gsize                 n_in = (gsize) (state->in[0] * state->in[1] * state->in[2]) * state->lanes;
  gsize                 n_out = (gsize) (state->out[0] * state->out[1] * state->out[2]);

  for (gsize task = first; task < last; task++)
    {
      gsize size = type_size (step->out[0].type);

      memset ((guint8 *) step->out[0].data + task * n_in * size, 0, n_in * size);
      for (gsize i = 0; i < n_out; i++)
        {
          Place place = window_place (params, state, i);
          gsize at = (task * n_out + i) * state->lanes;

          if (step->out[0].type == FOVEA_TYPE_FLOAT64)
            spread_doubles (params, state, &place, (const double *) step->in[0].data + task * n_in, ((const double *) step->in[1].data)[at],
                            ((const double *) step->in[2].data)[at], (double *) step->out[0].data + task * n_in);
          else
            spread_floats (params, state, &place, (const float *) step->in[0].data + task * n_in, (const float *) step->in[1].data + at,
                           (const float *) step->in[2].data + at, (float *) step->out[0].data + task * n_in);
        }
    }
}

/* The same of a blocked maximum. */
static void
maximum_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GradientParams *params = step->node->params;
  const GradientState  *state = step->state;
  KernelPool            pool = {
               .kind = POOL_MAX,
               .in = step->in[0].data,
               .in_plane = (gsize) (state->in[1] * state->in[2]) * KERNEL_BLOCK,
               .in_h = (int) state->in[1],
               .in_w = (int) state->in[2],
               .out = step->in[1].data,
               .out_plane = (gsize) (state->out[1] * state->out[2]) * KERNEL_BLOCK,
               .out_h = (int) state->out[1],
               .out_w = (int) state->out[2],
               .kernel_h = (int) params->kernel[1],
               .kernel_w = (int) params->kernel[2],
               .stride_h = (int) params->stride[1],
               .stride_w = (int) params->stride[2],
               .dilation_h = (int) params->dilation[1],
               .dilation_w = (int) params->dilation[2],
               .pad_top = (int) params->begin[1],
               .pad_left = (int) params->begin[2],
  };

  for (gsize task = first; task < last; task++)
    {
      float *out = (float *) step->out[0].data + task * pool.in_plane;

      memset (out, 0, pool.in_plane * sizeof *out);
      kernels_get ()->max_pool_gradient (&pool, step->in[2].data, task, out);
    }
}

static gboolean
gradient_prepare (Step *step, GError **error)
{
  GradientState    *state = g_new0 (GradientState, 1);
  const FoveaShape *x = &step->in[0].shape, *y = &step->in[1].shape;

  step->state = state;
  step->free_state = g_free;
  for (guint i = 0; i < 3; i++)
    {
      state->in[i] = i + x->n_dims < 5 ? 1 : x->dims[i + x->n_dims - 3];
      state->out[i] = i + y->n_dims < 5 ? 1 : y->dims[i + y->n_dims - 3];
    }
  state->lanes = step->out[0].layout == LAYOUT_BLOCKED ? KERNEL_BLOCK : 1;
  state->planes = (gsize) x->dims[0] * (state->lanes > 1 ? kernel_blocks ((gsize) x->dims[1]) : (gsize) x->dims[1]);
  if (state->lanes > 1 && ((const GradientParams *) step->node->params)->kind == KIND_MAX)
    step_set_run (step, "maximum", maximum_run, state->planes, 1);
  else
    step_set_run (step, state->lanes > 1 ? "pool blocked" : "plain", gradient_run, state->planes, 1);
  return TRUE;
}

gboolean
pool_backward (Gradients *gradients, Node *node, GError **error)
{
  PoolParams pool;
  Node      *gradient;
  guint      n;

  if (!pool_resolve (node, &pool, error))
    return FALSE;
  n = pool.window.n_spatial;
  gradient = gradient_begin (gradients, "fovea", "PoolGradient", 3,
                             (Value *[]) { node_input (node, 0), node_output (node, 0), gradient_get (gradients, node_output (node, 0)) });
  node_set_int (gradient, "kind", pool.kind);
  node_set_int (gradient, "p", (gint64) pool.p);
  node_set_int (gradient, "count_padding", pool.count_padding);
  node_set_ints (gradient, "kernel_shape", pool.window.kernel, n);
  node_set_ints (gradient, "strides", pool.window.stride, n);
  node_set_ints (gradient, "dilations", pool.window.dilation, n);
  node_set_ints (gradient, "begin", pool.window.pad_begin, n);
  node_set_ints (gradient, "end", pool.window.pad_end, n);
  return gradient_give (gradients, node_input (node, 0), gradient_end (gradients, gradient, 1, error), error);
}

static const AttributeSpec gradient_attributes[] = {
  { "kind", ATTRIBUTE_INT }, { "p", ATTRIBUTE_INT }, { "count_padding", ATTRIBUTE_INT },
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "begin", ATTRIBUTE_INTS }, { "end", ATTRIBUTE_INTS }, { NULL },
};

const Operator pool_gradient_operators[] = {
  { "PoolGradient", "fovea", sizeof (GradientParams), gradient_parse, gradient_infer, gradient_blocked, gradient_prepare, NULL, gradient_attributes },
  { NULL },
};
