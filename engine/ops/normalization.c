/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * normalization.c: norms whose statistics are those of the input itself: Instance-, Layer-, Group- and RMSNormalization, MeanVarianceNormalization,
 * LpNormalization, LRN. All plain, sums in double.
 *
 * Most of them are one thing: the input is cut into sets of `length` elements, (x - mean) / deviation is made in each, then a scale and a bias are applied
 * whose index is a function of the position.
 */

#include <math.h>
#include <string.h>

#include "ops/element.h"
#include "ops/families.h"
#include "ops/gradient.h"

typedef struct
{
  gint64   axis, groups, p, size;
  double   epsilon, alpha, beta, bias;
  gboolean root_mean_square; /* RMSNormalization: no mean is taken off */
  gboolean scale_per_group;  /* GroupNormalization before opset 21 */
  guint    first;            /* first normalized axis, set by infer */
  gboolean reduced[FOVEA_MAX_DIMS]; /* MeanVarianceNormalization */
} NormParams;

static gboolean
norm_parse (Node *node, GError **error)
{
  NormParams *params = node->params;

  params->epsilon = node_float (node, "epsilon", 1e-5f);
  params->axis = node_int (node, "axis", -1);
  params->groups = node_int (node, "num_groups", 1);
  params->p = node_int (node, "p", 2);
  params->size = node_int (node, "size", 1);
  params->alpha = node_float (node, "alpha", 0.0001f);
  params->beta = node_float (node, "beta", 0.75f);
  params->bias = node_float (node, "bias", 1.0f);
  params->root_mean_square = strcmp (node->type, "RMSNormalization") == 0;
  params->scale_per_group = strcmp (node->type, "GroupNormalization") == 0 && node->opset < 21;
  if (params->p != 1 && params->p != 2)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it takes norm %" G_GINT64_FORMAT "; only 1 and 2 are defined.", params->p);
  if (params->groups < 1 || params->size < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its number of groups or its size isn't positive. The model is damaged.");
  return TRUE;
}

static gboolean
check_float (const Node *node, guint min, guint max, GError **error)
{
  return infer_check_inputs (node, min, max, error)
         && infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE);
}

/* ---- Instance-, Layer-, Group-, RMSNormalization ----------------------------------------------------------- */

static gboolean
group_infer (const Node *node, InferContext *context, GError **error)
{
  NormParams       *params = node->params;
  gboolean          instance = strcmp (node->type, "InstanceNormalization") == 0;
  const FoveaShape *shape;

  if (!check_float (node, 3, 3, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  shape = &node_input (node, 0)->shape;
  if (shape->n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input has no channels. Check the input's size.");
  if (instance)
    params->groups = MAX (shape->dims[1], 1);
  if (shape->dims[1] % params->groups != 0)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "%" G_GINT64_FORMAT " channels can't be cut into %" G_GINT64_FORMAT " groups. The model is damaged.",
                       shape->dims[1], params->groups);
  for (guint i = 1; i < 3; i++)
    if (shape_count (&node_input (node, i)->shape) != (gsize) (params->scale_per_group ? params->groups : shape->dims[1])
        || node_input (node, i)->type != node_input (node, 0)->type)
      return node_error (node, error, FOVEA_ERROR_SHAPE, "its input %u has the wrong size or type. The model is damaged.", i);
  infer_same (node, 0, 0);
  return TRUE;
}

static gboolean
layer_infer (const Node *node, InferContext *context, GError **error)
{
  NormParams       *params = node->params;
  const FoveaShape *shape;
  FoveaShape        statistics;

  if (!check_float (node, 2, 3, error) || !infer_check_outputs (node, 3, error))
    return FALSE;
  shape = &node_input (node, 0)->shape;
  if (!infer_axis (node, params->axis, shape->n_dims, &params->first, error))
    return FALSE;
  for (guint i = 1; i < 3; i++)
    {
      const Value *value = node_input (node, i);
      FoveaShape   both, set = shape_make (shape->n_dims - params->first, shape->dims + params->first);

      if (!value)
        continue;
      if (value->type != node_input (node, 0)->type)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its scale is of another type than its input. Convert the model to float32.");
      if (!infer_broadcast (node, &set, &value->shape, &both, error))
        return FALSE;
      if (!shape_equal (&set, &both) && shape_count (&value->shape) != shape_count (&set))
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its scale varies over more than the normalized dimensions. Use another model.");
    }
  infer_same (node, 0, 0);
  statistics = *shape;
  for (guint i = params->first; i < shape->n_dims; i++)
    statistics.dims[i] = 1;
  infer_set (node, 1, node_input (node, 0)->type, &statistics);
  infer_set (node, 2, node_input (node, 0)->type, &statistics);
  return TRUE;
}

/* How sets and scales lie. */
typedef struct
{
  gsize length;          /* elements of a set */
  gsize sets_per_image;  /* groups; 1 for layer norms */
  gsize pixels;          /* elements that share a scale; 1 for layer norms */
  gsize scales_per_set;  /* of a group: its channels, or 1 */
  gsize n_scales, n_biases; /* elements of the tensors, for layer norms: broadcast from the end */
} Sets;

static void
statistics (const Step *step, gsize base, gsize length, gboolean root_mean_square, double epsilon, double *mean, double *inverse)
{
  double sum = 0, squares = 0;

  *mean = 0;
  for (gsize i = 0; !root_mean_square && i < length; i++)
    sum += element_read_number (&step->in[0], base + i);
  if (!root_mean_square)
    *mean = sum / (double) length;
  for (gsize i = 0; i < length; i++)
    {
      double difference = element_read_number (&step->in[0], base + i) - *mean;

      squares += difference * difference;
    }
  *inverse = 1.0 / sqrt (squares / (double) length + epsilon);
}

static void
sets_run (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const Sets       *sets = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize  base = task * sets->length, group = task % sets->sets_per_image;
      double mean, inverse;

      statistics (step, base, sets->length, params->root_mean_square, params->epsilon, &mean, &inverse);
      for (gsize i = 0; i < sets->length; i++)
        {
          gsize  at = sets->scales_per_set ? group * sets->scales_per_set + (sets->scales_per_set > 1 ? i / sets->pixels : 0) : i;
          double y = (element_read_number (&step->in[0], base + i) - mean) * inverse * element_read_number (&step->in[1], at % sets->n_scales);

          if (sets->n_biases)
            y += element_read_number (&step->in[2], at % sets->n_biases);
          element_write_number (&step->out[0], base + i, y);
        }
      if (step->n_outputs > 1 && step->out[1].value)
        element_write_number (&step->out[1], task, mean);
      if (step->n_outputs > 2 && step->out[2].value)
        element_write_number (&step->out[2], task, inverse);
    }
}

static gboolean
sets_prepare (Step *step, GError **error)
{
  const NormParams *params = step->node->params;
  const FoveaShape *shape = &step->in[0].shape;
  Sets             *sets = g_new0 (Sets, 1);
  gboolean          layer = params->root_mean_square || strcmp (step->node->type, "LayerNormalization") == 0;
  gsize             count = shape_count (shape);

  step->state = sets;
  step->free_state = g_free;
  sets->n_scales = shape_count (&step->in[1].shape);
  sets->n_biases = step->n_inputs > 2 && step->in[2].value ? shape_count (&step->in[2].shape) : 0;
  if (layer)
    {
      sets->length = shape_count_range (shape, params->first, shape->n_dims);
      sets->sets_per_image = 1;
    }
  else
    {
      sets->pixels = shape_count_range (shape, 2, shape->n_dims);
      sets->sets_per_image = (gsize) params->groups;
      sets->scales_per_set = params->scale_per_group ? 1 : (gsize) (shape->dims[1] / params->groups);
      sets->length = sets->pixels * (gsize) (shape->dims[1] / params->groups);
    }
  step->in_place = 0;
  step_set_run (step, "plain", sets_run, sets->length ? count / sets->length : 0, 1 + 4096 / MAX (sets->length, 1));
  return TRUE;
}

/* ---- MeanVarianceNormalization ----------------------------------------------------------------------------- */

static gboolean
mean_variance_infer (const Node *node, InferContext *context, GError **error)
{
  NormParams   *params = node->params;
  const gint64 *axes, usual[] = { 0, 2, 3 };
  gsize         n;

  if (!check_float (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  n = node_ints (node, "axes", &axes);
  if (!node_attribute (node, "axes"))
    {
      axes = usual;
      n = G_N_ELEMENTS (usual);
    }
  for (gsize i = 0; i < n; i++)
    {
      guint axis;

      if (!infer_axis (node, axes[i], node_input (node, 0)->shape.n_dims, &axis, error))
        return FALSE;
      params->reduced[axis] = TRUE;
    }
  infer_same (node, 0, 0);
  return TRUE;
}

/* Whether element i belongs to the set of the kept coordinates `set`. One task does all: this operator is a curiosity. */
static gsize
set_of (const NormParams *params, const FoveaShape *shape, gsize i)
{
  gsize set = 0, factor = 1;

  for (guint d = shape->n_dims; d-- > 0;)
    {
      gsize size = (gsize) shape->dims[d];

      if (!params->reduced[d])
        {
          set += i % size * factor;
          factor *= size;
        }
      i /= size;
    }
  return set;
}

static void
mean_variance_run (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const FoveaShape *shape = &step->in[0].shape;
  gsize             count = shape_count (shape), n_sets = step->workspace_size / (3 * sizeof (double));
  double           *sums = (double *) step->workspace, *squares = sums + n_sets, *counts = squares + n_sets;

  memset (sums, 0, step->workspace_size);
  for (gsize i = 0; i < count; i++)
    {
      gsize set = set_of (params, shape, i);

      sums[set] += element_read_number (&step->in[0], i);
      counts[set] += 1;
    }
  for (gsize i = 0; i < count; i++)
    {
      gsize  set = set_of (params, shape, i);
      double difference = element_read_number (&step->in[0], i) - sums[set] / counts[set];

      squares[set] += difference * difference;
    }
  for (gsize i = 0; i < count; i++)
    {
      gsize set = set_of (params, shape, i);

      element_write_number (&step->out[0], i, (element_read_number (&step->in[0], i) - sums[set] / counts[set]) / (sqrt (squares[set] / counts[set]) + 1e-9));
    }
}

static gboolean
mean_variance_prepare (Step *step, GError **error)
{
  const NormParams *params = step->node->params;
  const FoveaShape *shape = &step->in[0].shape;
  gsize             n_sets = 1;

  for (guint i = 0; i < shape->n_dims; i++)
    if (!params->reduced[i])
      n_sets *= (gsize) shape->dims[i];
  step->workspace_size = n_sets * 3 * sizeof (double);
  step_set_run (step, "plain", mean_variance_run, shape_count (shape) > 0, 1);
  return TRUE;
}

/* ---- LpNormalization ---------------------------------------------------------------------------------------- */

static gboolean
lp_infer (const Node *node, InferContext *context, GError **error)
{
  NormParams *params = node->params;

  if (!check_float (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_axis (node, params->axis, node_input (node, 0)->shape.n_dims, &params->first, error))
    return FALSE;
  infer_same (node, 0, 0);
  return TRUE;
}

static void
lp_run (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const FoveaShape *shape = &step->in[0].shape;
  gsize             length = (gsize) shape->dims[params->first], inner = shape_count_range (shape, params->first + 1, shape->n_dims);

  for (gsize task = first; task < last; task++)
    {
      gsize  base = task / inner * length * inner + task % inner;
      double norm = 0;

      for (gsize i = 0; i < length; i++)
        {
          double x = element_read_number (&step->in[0], base + i * inner);

          norm += params->p == 1 ? fabs (x) : x * x;
        }
      if (params->p == 2)
        norm = sqrt (norm);
      for (gsize i = 0; i < length; i++)
        element_write_number (&step->out[0], base + i * inner, norm == 0 ? 0 : element_read_number (&step->in[0], base + i * inner) / norm);
    }
}

static gboolean
lp_prepare (Step *step, GError **error)
{
  const NormParams *params = step->node->params;
  gsize             length = (gsize) step->in[0].shape.dims[params->first];

  step->in_place = 0;
  step_set_run (step, "plain", lp_run, length ? shape_count (&step->in[0].shape) / length : 0, 1 + 4096 / MAX (length, 1));
  return TRUE;
}

/* ---- LRN: local response normalization (Krizhevsky et al. 2012) --------------------------------------------- */

static gboolean
lrn_infer (const Node *node, InferContext *context, GError **error)
{
  if (!check_float (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  if (node_input (node, 0)->shape.n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input has no channels. Check the input's size.");
  infer_same (node, 0, 0);
  return TRUE;
}

static void
lrn_run (const Step *step, gsize first, gsize last, guint thread)
{
  const NormParams *params = step->node->params;
  const FoveaShape *shape = &step->in[0].shape;
  gint64            channels = shape->dims[1], before = (params->size - 1) / 2, after = params->size - 1 - before;
  gsize             pixels = shape_count_range (shape, 2, shape->n_dims);

  for (gsize task = first; task < last; task++)
    {
      gint64 c = (gint64) (task % (gsize) channels);
      gsize  image = task / (gsize) channels * (gsize) channels;

      for (gsize i = 0; i < pixels; i++)
        {
          double squares = 0;

          for (gint64 k = MAX (0, c - before); k <= MIN (channels - 1, c + after); k++)
            {
              double x = element_read_number (&step->in[0], (image + (gsize) k) * pixels + i);

              squares += x * x;
            }
          element_write_number (&step->out[0], task * pixels + i,
                        element_read_number (&step->in[0], task * pixels + i) / pow (params->bias + params->alpha / (double) params->size * squares, params->beta));
        }
    }
}

static gboolean
lrn_prepare (Step *step, GError **error)
{
  step_set_run (step, "plain", lrn_run, (gsize) (step->in[0].shape.dims[0] * step->in[0].shape.dims[1]), 1);
  return TRUE;
}

/* ---- backward of Instance-, Layer-, Group- and RMSNormalization: the statistics are computed again ------------------------------------------ */

static Value *
mean_of_rows (Gradients *gradients, Value *rows, GError **error)
{
  const gint64 axis = 1;
  Value       *axes = rows ? gradient_ints (gradients, &axis, 1, error) : NULL;

  return axes ? gradient_end (gradients, gradient_begin (gradients, "", "ReduceMean", 2, (Value *[]) { rows, axes }), 1, error) : NULL;
}

/* (x - mean) / deviation in each row, and 1 / deviation. */
static Value *
normalize_rows (Gradients *gradients, const NormParams *params, Value *rows, Value **inverse, GError **error)
{
  Value *variance;

  if (!params->root_mean_square)
    rows = gradient_of_two (gradients, "Sub", rows, mean_of_rows (gradients, rows, error), error);
  variance = mean_of_rows (gradients, gradient_of_two (gradients, "Mul", rows, rows, error), error);
  if (!variance)
    return NULL;
  variance = gradient_of_two (gradients, "Add", variance, gradient_number (gradients, rows->type, params->epsilon, error), error);
  *inverse = gradient_of_one (gradients, "Reciprocal", gradient_of_one (gradients, "Sqrt", variance, error), error);
  return gradient_of_two (gradients, "Mul", rows, *inverse, error);
}

/* In which shape a scale or bias is broadcast over `view`, which is the input's, or images of channels for all but layer norms. */
static FoveaShape
affine_shape (const NormParams *params, const FoveaShape *view, gboolean layer, const Value *value)
{
  const FoveaShape set = layer ? shape_make (view->n_dims - params->first, view->dims + params->first) : shape_make (2, (gint64[]) { view->dims[1], 1 });

  return shape_count (&set) == shape_count (&value->shape) ? set : value->shape;
}

/* With x' the normalized input and g = dy scale:  dx = (g - mean (g) - x' mean (g x')) / deviation,  dscale = sum (dy x'),  dbias = sum (dy). */
gboolean
norm_backward (Gradients *gradients, Node *node, GError **error)
{
  const NormParams *params = node->params;
  Value            *x = node_input (node, 0), *dy = gradient_get (gradients, node_output (node, 0)), *normalized, *inverse = NULL, *g, *dx;
  gboolean          layer = params->root_mean_square || strcmp (node->type, "LayerNormalization") == 0;
  gint64            count = (gint64) shape_count (&x->shape), images = x->shape.dims[0], channels = params->scale_per_group ? params->groups : x->shape.dims[1];
  gint64            sets = layer ? (gint64) shape_count_range (&x->shape, 0, params->first) : images * params->groups;
  FoveaShape        rows = shape_make (2, (gint64[]) { sets, count / MAX (sets, 1) }), scale;
  FoveaShape        view = layer ? x->shape : shape_make (3, (gint64[]) { images, channels, count / MAX (images * channels, 1) });

  if (gradient_get (gradients, node_output (node, 1)) || gradient_get (gradients, node_output (node, 2)) || !dy)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its statistics can't be trained through. Freeze the layers up to it.");
  scale = affine_shape (params, &view, layer, node_input (node, 1));
  normalized = normalize_rows (gradients, params, gradient_reshape (gradients, x, &rows, error), &inverse, error);
  dy = normalized ? gradient_reshape (gradients, dy, &view, error) : NULL;
  g = gradient_of_two (gradients, "Mul", dy, gradient_reshape (gradients, node_input (node, 1), &scale, error), error);
  g = gradient_reshape (gradients, g, &rows, error);
  dx = params->root_mean_square ? g : gradient_of_two (gradients, "Sub", g, mean_of_rows (gradients, g, error), error);
  g = gradient_of_two (gradients, "Mul", normalized, mean_of_rows (gradients, gradient_of_two (gradients, "Mul", g, normalized, error), error), error);
  dx = gradient_of_two (gradients, "Mul", gradient_of_two (gradients, "Sub", dx, g, error), inverse, error);
  if (!gradient_give (gradients, x, gradient_reshape (gradients, dx, &x->shape, error), error))
    return FALSE;
  for (guint i = 1; i < 3; i++)
    {
      Value *part = dy, *value = node_input (node, i);

      if (!gradient_wanted (gradients, value))
        continue;
      scale = affine_shape (params, &view, layer, value);
      if (i == 1)
        part = gradient_of_two (gradients, "Mul", dy, gradient_reshape (gradients, normalized, &view, error), error);
      part = gradient_sum_to (gradients, part, &scale, error);
      if (!gradient_give (gradients, value, gradient_reshape (gradients, part, &value->shape, error), error))
        return FALSE;
    }
  return TRUE;
}

static const AttributeSpec group_attributes[] = {
  { "epsilon", ATTRIBUTE_FLOAT }, { "num_groups", ATTRIBUTE_INT }, { "stash_type", ATTRIBUTE_INT }, { NULL },
};
static const AttributeSpec instance_attributes[] = { { "epsilon", ATTRIBUTE_FLOAT }, { NULL } };
static const AttributeSpec layer_attributes[] = {
  { "axis", ATTRIBUTE_INT }, { "epsilon", ATTRIBUTE_FLOAT }, { "stash_type", ATTRIBUTE_INT }, { NULL },
};
static const AttributeSpec lrn_attributes[] = {
  { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { "bias", ATTRIBUTE_FLOAT }, { "size", ATTRIBUTE_INT },
  { NULL },
};
static const AttributeSpec lp_attributes[] = { { "axis", ATTRIBUTE_INT }, { "p", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec mean_variance_attributes[] = { { "axes", ATTRIBUTE_INTS }, { NULL } };

const Operator normalization_operators[] = {
  { "GroupNormalization", "", sizeof (NormParams), norm_parse, group_infer, NULL, sets_prepare, NULL, group_attributes },
  { "InstanceNormalization", "", sizeof (NormParams), norm_parse, group_infer, NULL, sets_prepare, NULL, instance_attributes },
  { "LRN", "", sizeof (NormParams), norm_parse, lrn_infer, NULL, lrn_prepare, NULL, lrn_attributes },
  { "LayerNormalization", "", sizeof (NormParams), norm_parse, layer_infer, NULL, sets_prepare, NULL, layer_attributes },
  { "LpNormalization", "", sizeof (NormParams), norm_parse, lp_infer, NULL, lp_prepare, NULL, lp_attributes },
  { "MeanVarianceNormalization", "", sizeof (NormParams), norm_parse, mean_variance_infer, NULL, mean_variance_prepare, NULL, mean_variance_attributes },
  { "RMSNormalization", "", sizeof (NormParams), norm_parse, layer_infer, NULL, sets_prepare, NULL, layer_attributes },
  { NULL },
};
