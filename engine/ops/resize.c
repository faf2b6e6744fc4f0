/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize.c: Resize (opset 10 to 22) and Upsample (7 to 9): nearest, linear, cubic, in any number of dimensions.
 *
 * Interpolation is separable: for each dimension a table says which input coordinates an output coordinate is made of, and how much of each. The
 * general path adds up the products over all dimensions, in double. Images go through the two tables of height and width (resize-image.c).
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "ops/element.h"
#include "ops/families.h"
#include "ops/resize.h"

typedef enum
{
  MODE_NEAREST,
  MODE_LINEAR,
  MODE_CUBIC,
} ResizeMode;

typedef enum
{
  COORDINATE_HALF_PIXEL,
  COORDINATE_HALF_PIXEL_SYMMETRIC,
  COORDINATE_PYTORCH_HALF_PIXEL,
  COORDINATE_ALIGN_CORNERS,
  COORDINATE_ASYMMETRIC,
  COORDINATE_CROP,
} Coordinate;

typedef enum
{
  NEAREST_ROUND_PREFER_FLOOR,
  NEAREST_ROUND_PREFER_CEIL,
  NEAREST_FLOOR,
  NEAREST_CEIL,
} Nearest;

typedef struct
{
  ResizeMode mode;
  Coordinate coordinate;
  Nearest    nearest;
  gboolean   antialias, exclude_outside;
  double     cubic, extrapolation;
  double     scale[FOVEA_MAX_DIMS];              /* set by infer */
  double     crop_start[FOVEA_MAX_DIMS], crop_end[FOVEA_MAX_DIMS]; /* of COORDINATE_CROP, set by infer */
} ResizeParams;

/* ---- parse and infer --------------------------------------------------------------------------------------- */

/* The index of `word` in `words`, or -1. */
static gint
find_word (const char *const *words, gsize n, const char *word)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (words[i], word) == 0)
      return (gint) i;
  return -1;
}

static gboolean
resize_parse (Node *node, GError **error)
{
  static const char *const modes[] = { "nearest", "linear", "cubic" };
  static const char *const coordinates[] = { "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                                             "tf_crop_and_resize" };
  static const char *const nearests[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" };
  ResizeParams *params = node->params;
  const char   *mode = node_string (node, "mode", "nearest");
  gboolean      old = node->opset < 11;
  const char   *coordinate = old ? "asymmetric" : node_string (node, "coordinate_transformation_mode", "half_pixel");
  const char   *nearest = old ? "floor" : node_string (node, "nearest_mode", "round_prefer_floor");
  gint          found[] = { find_word (modes, G_N_ELEMENTS (modes), strcmp (mode, "bilinear") == 0 ? "linear" : mode),
                            find_word (coordinates, G_N_ELEMENTS (coordinates), coordinate), find_word (nearests, G_N_ELEMENTS (nearests), nearest) };

  if (found[0] < 0 || found[1] < 0 || found[2] < 0)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its mode “%s”, “%s”, “%s” isn't known. Export it with linear and half_pixel.", mode, coordinate,
                       nearest);
  params->mode = (ResizeMode) found[0];
  params->coordinate = (Coordinate) found[1];
  params->nearest = (Nearest) found[2];
  params->antialias = node_int (node, "antialias", 0) != 0;
  params->exclude_outside = node_int (node, "exclude_outside", 0) != 0;
  params->cubic = node_float (node, "cubic_coeff_a", -0.75f);
  params->extrapolation = node_float (node, "extrapolation_value", 0);
  return TRUE;
}

/* Axis numbers that scales, sizes and roi speak of. */
static gboolean
read_axes (const Node *node, guint rank, guint *axes, guint *n, GError **error)
{
  const gint64 *given;
  gsize         n_given = node_ints (node, "axes", &given);

  *n = n_given ? (guint) n_given : rank;
  if (*n > rank)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it names more axes than its input has. The model is damaged.");
  for (guint i = 0; i < *n; i++)
    {
      axes[i] = i;
      if (n_given && !infer_axis (node, given[i], rank, &axes[i], error))
        return FALSE;
    }
  return TRUE;
}

/* The double values of constant input i; *n is -1 where it is left out or empty. */
static gboolean
read_doubles (const Node *node, InferContext *context, guint i, double *values, gsize max, gssize *n, GError **error)
{
  const FoveaTensor *tensor;

  *n = -1;
  if (!node_input (node, i))
    return TRUE;
  tensor = context->constant (context, node, i, error);
  if (!tensor)
    return FALSE;
  if (shape_count (&tensor->shape) > max || tensor->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its input %u has too many numbers. The model is damaged.", i);
  *n = (gssize) shape_count (&tensor->shape);
  tensor_read_double (tensor, 0, (gsize) *n, values);
  if (*n == 0)
    *n = -1;
  return TRUE;
}

/* Sizes instead of scales, with the rule for keeping the proportions. */
static void
apply_sizes (const Node *node, const double *sizes, const guint *axes, guint n, const FoveaShape *in, FoveaShape *out)
{
  ResizeParams *params = node->params;
  const char   *policy = node_string (node, "keep_aspect_ratio_policy", "stretch");
  double        common = strcmp (policy, "not_larger") == 0 ? INFINITY : 0;

  for (guint i = 0; i < n; i++)
    {
      double scale = sizes[i] / (double) in->dims[axes[i]];

      common = strcmp (policy, "not_larger") == 0 ? MIN (common, scale) : MAX (common, scale);
    }
  for (guint i = 0; i < n; i++)
    {
      if (strcmp (policy, "stretch") == 0)
        {
          out->dims[axes[i]] = int64_from_double (CLAMP (sizes[i], 0, 1e15));
          params->scale[axes[i]] = sizes[i] / (double) in->dims[axes[i]];
        }
      else
        {
          out->dims[axes[i]] = int64_from_double (CLAMP (floor (common * (double) in->dims[axes[i]] + 0.5), 0, 1e15));
          params->scale[axes[i]] = common;
        }
    }
}

static gboolean
resize_infer (const Node *node, InferContext *context, GError **error)
{
  ResizeParams *params = node->params;
  const Value  *in;
  FoveaShape    shape;
  double        scales[FOVEA_MAX_DIMS], sizes[FOVEA_MAX_DIMS], roi[2 * FOVEA_MAX_DIMS];
  gssize        n_scales, n_sizes = -1, n_roi = -1;
  guint         axes[FOVEA_MAX_DIMS], n;
  gboolean      simple = node->opset < 11; /* inputs: X, scales */

  if (!infer_check_inputs (node, 1, 4, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = node_input (node, 0);
  if (in->type == FOVEA_TYPE_BOOL || (type_is_integer (in->type) && type_size (in->type) == 8 && params->mode != MODE_NEAREST))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't interpolate numbers of type %s. Convert the model to float32.", type_name (in->type));
  if (!read_axes (node, in->shape.n_dims, axes, &n, error) || !read_doubles (node, context, simple ? 1 : 2, scales, FOVEA_MAX_DIMS, &n_scales, error)
      || (!simple && !read_doubles (node, context, 3, sizes, FOVEA_MAX_DIMS, &n_sizes, error))
      || (!simple && params->coordinate == COORDINATE_CROP && !read_doubles (node, context, 1, roi, 2 * FOVEA_MAX_DIMS, &n_roi, error)))
    return FALSE;
  if (simple && n_scales < 0 && node_attribute (node, "scales") && node_attribute (node, "scales")->kind == ATTRIBUTE_FLOATS
      && node_attribute (node, "scales")->n <= FOVEA_MAX_DIMS)
    {
      n_scales = (gssize) node_attribute (node, "scales")->n; /* Upsample 7 */
      for (gssize i = 0; i < n_scales; i++)
        scales[i] = node_attribute (node, "scales")->floats[i];
    }
  if ((n_scales >= 0) == (n_sizes >= 0) || MAX (n_scales, n_sizes) != (gssize) n || (params->coordinate == COORDINATE_CROP && n_roi != 2 * (gssize) n))
    return node_error (node, error, FOVEA_ERROR_MODEL, "it must say either the scale or the size of each dimension. The model is damaged.");

  shape = in->shape;
  for (guint i = 0; i < shape.n_dims; i++)
    params->scale[i] = 1;
  if (n_sizes >= 0)
    apply_sizes (node, sizes, axes, n, &in->shape, &shape);
  for (gssize i = 0; i < n_scales; i++)
    {
      double size = floor ((double) in->shape.dims[axes[i]] * scales[i]);

      if (params->coordinate == COORDINATE_CROP)
        size = floor ((double) in->shape.dims[axes[i]] * (roi[n + (guint) i] - roi[i]) * scales[i]);
      if (!(scales[i] > 0) || !(size >= 0 && size < 1e15))
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its scale is %g, which can't be. The model is damaged.", scales[i]);
      params->scale[axes[i]] = scales[i];
      shape.dims[axes[i]] = (gint64) size;
    }
  for (guint i = 0; i < n && params->coordinate == COORDINATE_CROP; i++)
    {
      params->crop_start[axes[i]] = roi[i];
      params->crop_end[axes[i]] = roi[n + i];
    }
  for (guint i = 0; i < shape.n_dims; i++)
    if (in->shape.dims[i] == 0 && shape.dims[i] > 0)
      return node_error (node, error, FOVEA_ERROR_SHAPE, "there is nothing to interpolate in dimension %u. Check the input's size.", i);
  infer_set (node, 0, in->type, &shape);
  return TRUE;
}

/* ---- tables ------------------------------------------------------------------------------------------------ */

/* The input coordinate of output coordinate x. */
static double
original (const ResizeParams *params, guint axis, gint64 x, gint64 in, gint64 out)
{
  double scale = params->scale[axis];

  switch (params->coordinate)
    {
    case COORDINATE_HALF_PIXEL:
      return ((double) x + 0.5) / scale - 0.5;
    case COORDINATE_HALF_PIXEL_SYMMETRIC:
      {
        double adjustment = (double) out / (scale * (double) in), centre = (double) in / 2;

        return centre * (1 - adjustment) + ((double) x + 0.5) / scale - 0.5;
      }
    case COORDINATE_PYTORCH_HALF_PIXEL:
      return out > 1 ? ((double) x + 0.5) / scale - 0.5 : 0;
    case COORDINATE_ALIGN_CORNERS:
      {
        double length = scale * (double) in; /* the unrounded output size, as ONNX's reference has it */

        return length > 1 && out > 1 ? (double) x * (double) (in - 1) / (length - 1) : 0;
      }
    case COORDINATE_CROP:
      if (out > 1)
        return params->crop_start[axis] * (double) (in - 1)
               + (double) x * (params->crop_end[axis] - params->crop_start[axis]) * (double) (in - 1) / (double) (out - 1);
      return 0.5 * (params->crop_start[axis] + params->crop_end[axis]) * (double) (in - 1);
    default:
      return (double) x / scale;
    }
}

static gint64
nearest (const ResizeParams *params, double x)
{
  switch (params->nearest)
    {
    case NEAREST_FLOOR:             return int64_from_double (floor (x));
    case NEAREST_CEIL:              return int64_from_double (ceil (x));
    case NEAREST_ROUND_PREFER_CEIL: return int64_from_double (floor (x + 0.5));
    default:                        return int64_from_double (ceil (x - 0.5));
    }
}

/* Keys 1981. */
static double
cubic_weight (double a, double x)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2)
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

static double
filter_weight (const ResizeParams *params, double distance)
{
  return params->mode == MODE_CUBIC ? cubic_weight (params->cubic, distance) : MAX (0, 1 - fabs (distance));
}

static void
add_tap (Axis *axis, Tap *tap, gint64 position, double weight)
{
  axis->positions[axis->n] = position;
  axis->weights[axis->n++] = weight;
  tap->n++;
}

/* How much wider than when it enlarges the filter is, so that it sees all that it skips. */
static double
filter_width (const ResizeParams *params, guint dim)
{
  return params->antialias && params->scale[dim] < 1 ? 1 / params->scale[dim] : 1;
}

static double
filter_support (const ResizeParams *params, guint dim)
{
  return params->mode == MODE_NEAREST ? 0 : (params->mode == MODE_CUBIC ? 2 : 1) * filter_width (params, dim);
}

static void
make_tap (const ResizeParams *params, guint dim, gint64 x, gint64 in, gint64 out, Axis *axis)
{
  Tap   *tap = &axis->taps[x];
  double at = original (params, dim, x, in, out), sum = 0;
  double widen = filter_width (params, dim), support = filter_support (params, dim);

  at = CLAMP (at, -1e12, 1e12);
  tap->first = axis->n;
  tap->outside = params->coordinate == COORDINATE_CROP && (at < 0 || at > (double) (in - 1));
  if (params->mode == MODE_NEAREST)
    {
      add_tap (axis, tap, CLAMP (nearest (params, at), 0, in - 1), 1);
      return;
    }
  if (in == out && params->scale[dim] == 1 && params->coordinate != COORDINATE_CROP)
    {
      add_tap (axis, tap, x, 1);
      return;
    }
  for (gint64 i = int64_from_double (floor (at - support)) + 1; i < int64_from_double (ceil (at + support)); i++)
    {
      double weight = filter_weight (params, ((double) i - at) / widen);

      if (weight == 0 || (params->exclude_outside && (i < 0 || i >= in)))
        continue;
      sum += weight;
      add_tap (axis, tap, CLAMP (i, 0, in - 1), weight);
    }
  if (tap->n == 0) /* far outside with exclude_outside */
    {
      add_tap (axis, tap, CLAMP (int64_from_double (floor (at)), 0, in - 1), 1);
      sum = 1;
    }
  for (guint i = 0; i < tap->n && (params->exclude_outside || params->antialias); i++)
    axis->weights[tap->first + i] /= sum;
}

static void
axis_clear (Axis *axis)
{
  memory_free (axis->taps);
  memory_free (axis->positions);
  memory_free (axis->weights);
}

/* The table of dimension `dim`, of which axis_clear is due in any case. Tables come before tensors: a filter that reaches far beyond the input is asked for politely,
 * from what `step` (may be NULL) may hold. */
static gboolean
axis_make (const Node *node, guint dim, Step *step, Axis *axis, GError **error)
{
  const ResizeParams *params = node->params;
  const gint64        in = node_input (node, 0)->shape.dims[dim], out = node_output (node, 0)->shape.dims[dim];
  double              most = (double) out * (2 * ceil (filter_support (params, dim)) + 2) + 1;

  if (!(most < G_MAXUINT))
    return node_error (node, error, FOVEA_ERROR_MEMORY, "one number of dimension %u would be made of too many. The model is damaged, or its input too large.", dim);
  if (step && !step_hold (step, (gsize) most * (sizeof *axis->positions + sizeof *axis->weights) + (gsize) (out + 1) * sizeof (Tap), error))
    return FALSE;
  axis->taps = memory_alloc_n ((gsize) out + 1, sizeof (Tap), "the table of a resize", error);
  axis->positions = axis->taps ? memory_alloc_n ((gsize) most, sizeof *axis->positions, "the table of a resize", error) : NULL;
  axis->weights = axis->positions ? memory_alloc_n ((gsize) most, sizeof *axis->weights, "the table of a resize", error) : NULL;
  for (gint64 x = 0; axis->weights && x < out; x++)
    make_tap (params, dim, x, in, out, axis);
  return axis->weights != NULL;
}

static void
state_free (gpointer data)
{
  ResizeState *state = data;

  for (guint i = 0; i < state->n_dims; i++)
    axis_clear (&state->axes[i]);
  g_free (state);
}

static ResizeState *
make_state (Step *step, GError **error)
{
  const FoveaShape *in = &step->in[0].shape;
  ResizeState      *state = g_new0 (ResizeState, 1);
  gint64            stride = 1;

  state->n_dims = in->n_dims;
  for (guint i = in->n_dims; i-- > 0;)
    {
      if (!axis_make (step->node, i, step, &state->axes[i], error))
        {
          state_free (state);
          return NULL;
        }
      state->strides[i] = stride;
      stride *= in->dims[i];
    }
  return state;
}

gsize
resize_table (const Node *node, guint dim, gint64 **positions, float **weights, GError **error)
{
  const gsize out = (gsize) node_output (node, 0)->shape.dims[dim];
  Axis        axis = { 0 };
  gsize       most = 0;

  if (axis_make (node, dim, NULL, &axis, error))
    {
      most = 1;
      for (gsize x = 0; x < out; x++)
        most = MAX (most, axis.taps[x].n);
      *positions = g_new0 (gint64, out * most + 1);
      *weights = g_new0 (float, out * most + 1);
      for (gsize x = 0; x < out; x++)
        for (guint i = 0; i < axis.taps[x].n && !axis.taps[x].outside; i++)
          {
            (*positions)[x * most + i] = axis.positions[axis.taps[x].first + i];
            (*weights)[x * most + i] = (float) axis.weights[axis.taps[x].first + i];
          }
    }
  axis_clear (&axis);
  return most;
}

/* ---- general ----------------------------------------------------------------------------------------------- */

/* Integers are cut off as ONNX's reference does it, and stay within their type. */
static void
write_number (const TensorView *view, gsize i, double value)
{
  switch (view->type)
    {
    case FOVEA_TYPE_FLOAT32: ((float *) view->data)[i] = (float) value; break;
    case FOVEA_TYPE_FLOAT64: ((double *) view->data)[i] = value; break;
    case FOVEA_TYPE_INT8:    ((gint8 *) view->data)[i] = (gint8) CLAMP (int64_from_double (value), -128, 127); break;
    case FOVEA_TYPE_UINT8:   ((guint8 *) view->data)[i] = (guint8) CLAMP (int64_from_double (value), 0, 255); break;
    case FOVEA_TYPE_INT16:   ((gint16 *) view->data)[i] = (gint16) CLAMP (int64_from_double (value), -32768, 32767); break;
    case FOVEA_TYPE_UINT16:  ((guint16 *) view->data)[i] = (guint16) CLAMP (int64_from_double (value), 0, 65535); break;
    case FOVEA_TYPE_INT32:   ((gint32 *) view->data)[i] = (gint32) CLAMP (int64_from_double (value), G_MININT32, G_MAXINT32); break;
    case FOVEA_TYPE_UINT32:  ((guint32 *) view->data)[i] = (guint32) CLAMP (int64_from_double (value), 0, G_MAXUINT32); break;
    default:                 break;
    }
}

/* The sum over dimensions [dim, n_dims) from offset `base` on. `at` are the output's coordinates. */
static double
interpolate (const Step *step, const ResizeState *state, guint dim, const gsize *at, gsize base)
{
  const Axis *axis;
  const Tap  *tap;
  double      sum = 0;

  if (dim == state->n_dims)
    return element_read_number (&step->in[0], base);
  axis = &state->axes[dim];
  tap = &axis->taps[at[dim]];
  for (guint i = tap->first; i < tap->first + tap->n; i++)
    sum += axis->weights[i] * interpolate (step, state, dim + 1, at, base + (gsize) (axis->positions[i] * state->strides[dim]));
  return sum;
}

static void
general_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ResizeState  *state = step->state;
  const ResizeParams *params = step->node->params;
  const FoveaShape   *out = &step->out[0].shape;
  gsize               size = type_size (step->out[0].type);

  for (gsize task = first; task < last; task++)
    {
      gsize    at[FOVEA_MAX_DIMS], rest = task, from = 0;
      gboolean outside = FALSE;

      for (guint i = out->n_dims; i-- > 0;)
        {
          at[i] = rest % (gsize) out->dims[i];
          rest /= (gsize) out->dims[i];
          outside |= state->axes[i].taps[at[i]].outside;
          from += (gsize) (state->axes[i].positions[state->axes[i].taps[at[i]].first] * state->strides[i]);
        }
      if (outside)
        write_number (&step->out[0], task, params->extrapolation);
      else if (params->mode == MODE_NEAREST)
        memcpy ((guint8 *) step->out[0].data + task * size, (const guint8 *) step->in[0].data + from * size, size);
      else
        write_number (&step->out[0], task, interpolate (step, state, 0, at, 0));
    }
}

/* ---- as a step --------------------------------------------------------------------------------------------- */

/* Images whose batch and channels stay as they are. */
static gboolean
is_spatial (const Node *node)
{
  const ResizeParams *params = node->params;
  const Value        *in = node_input (node, 0), *out = node_output (node, 0);

  return in->type == FOVEA_TYPE_FLOAT32 && in->shape.n_dims == 4 && in->shape.dims[0] == out->shape.dims[0] && in->shape.dims[1] == out->shape.dims[1]
         && params->coordinate != COORDINATE_CROP && params->scale[0] == 1 && params->scale[1] == 1;
}

static gboolean
resize_blocked (const Node *node, BlockedForm *form)
{
  if (!is_spatial (node))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

static gboolean
resize_prepare (Step *step, GError **error)
{
  const ResizeParams *params = step->node->params;

  step->state = make_state (step, error);
  step->free_state = state_free;
  if (!step->state)
    return FALSE;
  for (guint i = 1; i < step->n_inputs; i++)
    step->in[i].packed = TRUE;
  if (step->reference || !is_spatial (step->node))
    step_set_run (step, "plain", general_run, shape_count (&step->out[0].shape), 1024);
  else
    resize_image_prepare (step, params->mode == MODE_NEAREST);
  return TRUE;
}

static const AttributeSpec resize_attributes[] = {
  { "antialias", ATTRIBUTE_INT }, { "axes", ATTRIBUTE_INTS }, { "coordinate_transformation_mode", ATTRIBUTE_STRING },
  { "cubic_coeff_a", ATTRIBUTE_FLOAT }, { "exclude_outside", ATTRIBUTE_INT },
  { "extrapolation_value", ATTRIBUTE_FLOAT }, { "keep_aspect_ratio_policy", ATTRIBUTE_STRING },
  { "mode", ATTRIBUTE_STRING }, { "nearest_mode", ATTRIBUTE_STRING }, { NULL },
};
static const AttributeSpec upsample_attributes[] = { { "mode", ATTRIBUTE_STRING }, { "scales", ATTRIBUTE_FLOATS }, { NULL } };

const Operator resize_operators[] = {
  { "Resize", "", sizeof (ResizeParams), resize_parse, resize_infer, resize_blocked, resize_prepare, NULL, resize_attributes },
  { "Upsample", "", sizeof (ResizeParams), resize_parse, resize_infer, resize_blocked, resize_prepare, NULL, upsample_attributes },
  { NULL },
};
