/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reduce.c: ReduceSum, Mean, Max, Min, Prod, L1, L2, LogSum, LogSumExp, SumSquare; axes from an attribute (up to opset 12 or 17) or an input.
 *
 * Each output is one task's own: the reduced dimensions are walked in order, sums are made in double, so that nothing depends on the number of
 * threads. The mean over the spatial dimensions of a blocked image (global average pooling in other words) uses the kernels.
 */

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ops/element.h"
#include "ops/families.h"
#include "ops/reduce.h"

typedef enum
{
  REDUCE_SUM,
  REDUCE_MEAN,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_PROD,
  REDUCE_L1,
  REDUCE_L2,
  REDUCE_LOG_SUM,
  REDUCE_LOG_SUM_EXP,
  REDUCE_SUM_SQUARE,
} ReduceKind;

typedef struct
{
  ReduceKind kind;
  gboolean   keep_dims;
  gboolean   noop;            /* empty axes: nothing is reduced */
  gboolean   reduced[FOVEA_MAX_DIMS]; /* set by infer */
} ReduceParams;

gboolean
reduce_is_reduced (const Node *node, guint dim)
{
  return ((const ReduceParams *) node->params)->reduced[dim];
}

static const char *const names[] = { "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
                                     "ReduceLogSumExp", "ReduceSumSquare" };

static gboolean
reduce_parse (Node *node, GError **error)
{
  ReduceParams *params = node->params;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], node->type) == 0)
      params->kind = (ReduceKind) i;
  params->keep_dims = node_int (node, "keepdims", 1) != 0;
  params->noop = node_int (node, "noop_with_empty_axes", 0) != 0;
  return TRUE;
}

static gboolean
reduce_infer (const Node *node, InferContext *context, GError **error)
{
  ReduceParams *params = node->params;
  const Value  *in;
  FoveaShape    shape = { 0, { 0 } };
  gint64        axes[FOVEA_MAX_DIMS];
  gssize        n;

  if (!infer_check_inputs (node, 1, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = node_input (node, 0);
  if (in->type == FOVEA_TYPE_BOOL ? params->kind != REDUCE_MAX && params->kind != REDUCE_MIN : FALSE)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it can't add up bools. The model is damaged.");
  if (!infer_ints (node, context, 1, "axes", axes, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  for (guint i = 0; i < in->shape.n_dims; i++)
    params->reduced[i] = n <= 0 && !params->noop;
  for (gssize i = 0; i < n; i++)
    {
      guint axis;

      if (!infer_axis (node, axes[i], in->shape.n_dims, &axis, error))
        return FALSE;
      params->reduced[axis] = TRUE;
    }
  for (guint i = 0; i < in->shape.n_dims; i++)
    if (!params->reduced[i] || params->keep_dims)
      shape.dims[shape.n_dims++] = params->reduced[i] ? 1 : in->shape.dims[i];
  infer_set (node, 0, in->type, &shape);
  return TRUE;
}

/* ---- plain ------------------------------------------------------------------------------------------------ */

/* Dimensions that are kept and those that are reduced, with the input's strides. */
typedef struct
{
  guint n_kept, n_reduced;
  gsize kept[FOVEA_MAX_DIMS], kept_strides[FOVEA_MAX_DIMS];
  gsize reduced[FOVEA_MAX_DIMS], reduced_strides[FOVEA_MAX_DIMS];
  gsize count; /* elements reduced to one */
} Reduction;

/* The input's offset of reduced element i. */
static gsize
walk (const gsize *sizes, const gsize *strides, guint n, gsize i)
{
  gsize offset = 0;

  for (guint d = n; d-- > 0;)
    {
      offset += i % sizes[d] * strides[d];
      i /= sizes[d];
    }
  return offset;
}

/* Of floats along one dimension: what gradients of biases are, many a step. */
static double
sum_along (const float *x, gsize stride, gsize count)
{
  double sum = 0;

  for (gsize i = 0; i < count; i++)
    sum += x[i * stride];
  return sum;
}

static double
reduce_floats (const Step *step, const Reduction *reduction, ReduceKind kind, gsize base)
{
  double result = kind == REDUCE_MAX ? -INFINITY : kind == REDUCE_MIN ? INFINITY : kind == REDUCE_PROD ? 1 : 0, greatest = -INFINITY;

  if (kind == REDUCE_LOG_SUM_EXP)
    for (gsize i = 0; i < reduction->count; i++)
      greatest = fmax (greatest, element_read_number (&step->in[0], base + walk (reduction->reduced, reduction->reduced_strides, reduction->n_reduced, i)));
  if (!isfinite (greatest))
    greatest = 0;
  if ((kind == REDUCE_SUM || kind == REDUCE_MEAN) && step->in[0].type == FOVEA_TYPE_FLOAT32 && reduction->n_reduced == 1)
    {
      result = sum_along ((const float *) step->in[0].data + base, reduction->reduced_strides[0], reduction->count);
      return kind == REDUCE_MEAN ? result / (double) reduction->count : result;
    }

  for (gsize i = 0; i < reduction->count; i++)
    {
      double x = element_read_number (&step->in[0], base + walk (reduction->reduced, reduction->reduced_strides, reduction->n_reduced, i));

      switch (kind)
        {
        case REDUCE_MAX:         result = x > result || isnan (x) ? x : result; break;
        case REDUCE_MIN:         result = x < result || isnan (x) ? x : result; break;
        case REDUCE_PROD:        result *= x; break;
        case REDUCE_L1:          result += fabs (x); break;
        case REDUCE_L2:
        case REDUCE_SUM_SQUARE:  result += x * x; break;
        case REDUCE_LOG_SUM_EXP: result += exp (x - greatest); break;
        default:                 result += x; break;
        }
    }
  switch (kind)
    {
    case REDUCE_MEAN:        return result / (double) reduction->count;
    case REDUCE_L2:          return sqrt (result);
    case REDUCE_LOG_SUM:     return log (result);
    case REDUCE_LOG_SUM_EXP: return greatest + log (result);
    default:                 return result;
    }
}

/* Sums and products of integers wrap; what needs a root or a logarithm goes through double. */
static gint64
reduce_integers (const Step *step, const Reduction *reduction, ReduceKind kind, gsize base)
{
  guint64  result = kind == REDUCE_PROD ? 1 : 0;
  gboolean is_unsigned = step->in[0].type == FOVEA_TYPE_UINT64;

  for (gsize i = 0; i < reduction->count; i++)
    {
      gsize  at = base + walk (reduction->reduced, reduction->reduced_strides, reduction->n_reduced, i);
      gint64 x = element_read_integer (&step->in[0], at);

      switch (kind)
        {
        case REDUCE_MAX:        result = i == 0 || (is_unsigned ? (guint64) x > result : x > (gint64) result) ? (guint64) x : result; break;
        case REDUCE_MIN:        result = i == 0 || (is_unsigned ? (guint64) x < result : x < (gint64) result) ? (guint64) x : result; break;
        case REDUCE_PROD:       result *= (guint64) x; break;
        case REDUCE_L1:         result += x < 0 && !is_unsigned ? 0 - (guint64) x : (guint64) x; break;
        case REDUCE_SUM_SQUARE: result += (guint64) x * (guint64) x; break;
        default:                result += (guint64) x; break;
        }
    }
  if (kind == REDUCE_MEAN && reduction->count > 0)
    return is_unsigned ? (gint64) (result / reduction->count) : (gint64) result / (gint64) reduction->count;
  return (gint64) result;
}

static void
reduce_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Reduction *reduction = step->state;
  ReduceKind       kind = ((const ReduceParams *) step->node->params)->kind;

  for (gsize task = first; task < last; task++)
    {
      gsize base = walk (reduction->kept, reduction->kept_strides, reduction->n_kept, task);

      if (step->in[0].type == FOVEA_TYPE_FLOAT32)
        ((float *) step->out[0].data)[task] = (float) reduce_floats (step, reduction, kind, base);
      else if (step->in[0].type == FOVEA_TYPE_FLOAT64)
        ((double *) step->out[0].data)[task] = reduce_floats (step, reduction, kind, base);
      else if (kind == REDUCE_L2 || kind == REDUCE_LOG_SUM || kind == REDUCE_LOG_SUM_EXP)
        element_write_integer (&step->out[0], task, int64_from_double (reduce_floats (step, reduction, kind, base)));
      else
        element_write_integer (&step->out[0], task, reduce_integers (step, reduction, kind, base));
    }
}

static void
plain_prepare (Step *step)
{
  Reduction          *reduction = g_new0 (Reduction, 1);
  const ReduceParams *params = step->node->params;
  const FoveaShape   *shape = &step->in[0].shape;
  gsize               stride = 1, strides[FOVEA_MAX_DIMS];

  for (guint i = shape->n_dims; i-- > 0;)
    {
      strides[i] = stride;
      stride *= (gsize) MAX (shape->dims[i], 1);
    }
  reduction->count = 1;
  for (guint i = 0; i < shape->n_dims; i++)
    if (params->reduced[i])
      {
        reduction->reduced[reduction->n_reduced] = (gsize) shape->dims[i];
        reduction->reduced_strides[reduction->n_reduced++] = strides[i];
        reduction->count *= (gsize) shape->dims[i];
      }
    else
      {
        reduction->kept[reduction->n_kept] = (gsize) shape->dims[i];
        reduction->kept_strides[reduction->n_kept++] = strides[i];
      }
  step->state = reduction;
  step->free_state = g_free;
  step_set_run (step, "plain", reduce_run, shape_count (&step->out[0].shape), 1 + 16384 / MAX (reduction->count, 1));
}

/* ---- blocked: the mean of each channel -------------------------------------------------------------------- */

/* Where the dimensions go, the means are a plain matrix (N, C). */
static gboolean
reduce_blocked (const Node *node, BlockedForm *form)
{
  const ReduceParams *params = node->params;
  const Value        *in = node_input (node, 0);

  if (params->kind != REDUCE_MEAN || in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4 || params->reduced[0]
      || params->reduced[1] || !params->reduced[2] || !params->reduced[3] || shape_count (&in->shape) == 0)
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 1;
  form->outputs = params->keep_dims ? 1 : 0;
  return TRUE;
}

static void
mean_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize    channels = (gsize) step->in[0].shape.dims[1], blocks = kernel_blocks (channels);
  gsize    pixels = (gsize) (step->in[0].shape.dims[2] * step->in[0].shape.dims[3]);
  gboolean plain = step->out[0].layout == LAYOUT_PLAIN;

  for (gsize task = first; task < last; task++)
    {
      gsize image = task / blocks, channel = task % blocks * KERNEL_BLOCK;
      float means[KERNEL_BLOCK], *out = step->out[0].data;

      kernels_get ()->sum_pixels ((const float *) step->in[0].data + task * pixels * KERNEL_BLOCK, pixels, 1.0f / (float) pixels, means);
      if (plain)
        memcpy (out + image * channels + channel, means, MIN (channels - channel, KERNEL_BLOCK) * sizeof (float));
      else
        memcpy (out + task * KERNEL_BLOCK, means, sizeof means);
    }
}

static gboolean
reduce_prepare (Step *step, GError **error)
{
  if (step->in[0].layout == LAYOUT_BLOCKED)
    step_set_run (step, "global average blocked", mean_run, (gsize) step->in[0].shape.dims[0] * kernel_blocks ((gsize) step->in[0].shape.dims[1]), 1);
  else
    plain_prepare (step);
  return TRUE;
}

static const AttributeSpec reduce_attributes[] = {
  { "axes", ATTRIBUTE_INTS }, { "keepdims", ATTRIBUTE_INT }, { "noop_with_empty_axes", ATTRIBUTE_INT }, { NULL },
};

#define REDUCE(type) { type, "", sizeof (ReduceParams), reduce_parse, reduce_infer, reduce_blocked, reduce_prepare, NULL, reduce_attributes }

const Operator reduce_operators[] = {
  REDUCE ("ReduceL1"),  REDUCE ("ReduceL2"),  REDUCE ("ReduceLogSum"), REDUCE ("ReduceLogSumExp"), REDUCE ("ReduceMax"), REDUCE ("ReduceMean"),
  REDUCE ("ReduceMin"), REDUCE ("ReduceProd"), REDUCE ("ReduceSum"),   REDUCE ("ReduceSumSquare"), { NULL },
};
