/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * constant.c: tensors out of nothing, or of a shape: Constant, ConstantOfShape, Shape, Size, Range, EyeLike. All of them are folded while
 * compiling, unless their result is large.
 */

#include <math.h>
#include <string.h>

#include "ops/cast.h"
#include "ops/families.h"

/* ---- Constant ---------------------------------------------------------------------------------------------- */

/* The value that one of the attributes gives; a new reference. */
static FoveaTensor *
constant_tensor (const Node *node, GError **error)
{
  const Attribute *attribute;
  FoveaTensor     *tensor = NULL;
  FoveaShape       scalar = { 0, { 0 } }, line = { 1, { 0 } };

  if ((attribute = node_attribute (node, "value")) && attribute->kind == ATTRIBUTE_TENSOR)
    return tensor_aligned (attribute->tensor, error);
  if ((attribute = node_attribute (node, "value_int")) && attribute->kind == ATTRIBUTE_INT)
    {
      tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &scalar, error);
      if (tensor)
        *(gint64 *) tensor->data = attribute->i;
    }
  else if ((attribute = node_attribute (node, "value_float")) && attribute->kind == ATTRIBUTE_FLOAT)
    {
      tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &scalar, error);
      if (tensor)
        *(float *) tensor->data = attribute->f;
    }
  else if ((attribute = node_attribute (node, "value_ints")) && attribute->kind == ATTRIBUTE_INTS)
    {
      line.dims[0] = (gint64) attribute->n;
      tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &line, error);
      if (tensor && attribute->n)
        memcpy (tensor->data, attribute->ints, tensor->size);
    }
  else if ((attribute = node_attribute (node, "value_floats")) && attribute->kind == ATTRIBUTE_FLOATS)
    {
      line.dims[0] = (gint64) attribute->n;
      tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &line, error);
      if (tensor && attribute->n)
        memcpy (tensor->data, attribute->floats, tensor->size);
    }
  else
    node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its value isn't a tensor of numbers. Use a model without text or sparse tensors.");
  return tensor;
}

static gboolean
constant_infer (const Node *node, InferContext *context, GError **error)
{
  g_autoptr (FoveaTensor) tensor = NULL;

  if (!infer_check_inputs (node, 0, 0, error) || !infer_check_outputs (node, 1, error) || !(tensor = constant_tensor (node, error)))
    return FALSE;
  infer_set (node, 0, tensor->type, &tensor->shape);
  return TRUE;
}

static void
constant_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaTensor *tensor = step->state;
  gsize              count = shape_count (&tensor->shape);

  if (tensor->type == step->out[0].type)
    memcpy (step->out[0].data, tensor->data, tensor->size);
  else
    tensor_read_float (tensor, 0, count, step->out[0].data); /* float16 is computed as float32 */
}

static gboolean
constant_prepare (Step *step, GError **error)
{
  FoveaTensor *tensor = constant_tensor (step->node, error);

  if (!tensor)
    return FALSE;
  step->state = tensor;
  step->free_state = (GDestroyNotify) fovea_tensor_unref;
  step_set_run (step, "copy", constant_run, tensor->size > 0, 1);
  return TRUE;
}

/* ---- ConstantOfShape --------------------------------------------------------------------------------------- */

static gboolean
of_shape_infer (const Node *node, InferContext *context, GError **error)
{
  const Attribute *value = node_attribute (node, "value");
  FoveaShape       shape = { 0, { 0 } };
  gssize           n;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 0, NULL, shape.dims, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  if (value && (value->kind != ATTRIBUTE_TENSOR || shape_count (&value->tensor->shape) != 1))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its value isn't a single number. The model is damaged.");
  shape.n_dims = (guint) n;
  infer_set (node, 0, value ? value->tensor->type : FOVEA_TYPE_FLOAT32, &shape);
  return TRUE;
}

static void
of_shape_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Attribute *value = node_attribute (step->node, "value");
  gsize            size = type_size (step->out[0].type), count = shape_count (&step->out[0].shape);
  guint8           element[8] = { 0 };

  if (value && value->tensor->type == step->out[0].type)
    memcpy (element, value->tensor->data, size);
  else if (value)
    tensor_read_float (value->tensor, 0, 1, (float *) (void *) element);
  for (gsize i = 0; i < count; i++)
    memcpy ((guint8 *) step->out[0].data + i * size, element, size);
}

static gboolean
of_shape_prepare (Step *step, GError **error)
{
  step->in[0].packed = TRUE;
  step_set_run (step, "fill", of_shape_run, shape_count (&step->out[0].shape) > 0, 1);
  return TRUE;
}

/* ---- Shape, Size ------------------------------------------------------------------------------------------- */

static void
shape_range (const Node *node, gint64 *start, gint64 *end)
{
  gint64 rank = node_input (node, 0)->shape.n_dims;

  *start = node_int (node, "start", 0);
  *end = node_int (node, "end", rank);
  *start = CLAMP (*start < 0 ? *start + rank : *start, 0, rank);
  *end = CLAMP (*end < 0 ? *end + rank : *end, *start, rank);
}

static gboolean
shape_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape shape = { 0, { 0 } };
  gint64     start, end;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  if (strcmp (node->type, "Shape") == 0)
    {
      shape_range (node, &start, &end);
      shape = shape_make (1, (gint64[]){ end - start });
    }
  infer_set (node, 0, FOVEA_TYPE_INT64, &shape);
  return TRUE;
}

static void
shape_run (const Step *step, gsize first, gsize last, guint thread)
{
  gint64 *out = step->out[0].data, start, end;

  if (strcmp (step->node->type, "Size") == 0)
    {
      *out = (gint64) shape_count (&step->in[0].shape);
      return;
    }
  shape_range (step->node, &start, &end);
  for (gint64 i = start; i < end; i++)
    out[i - start] = step->in[0].shape.dims[i];
}

static gboolean
shape_prepare (Step *step, GError **error)
{
  step_set_run (step, "shape", shape_run, 1, 1);
  return TRUE;
}

/* ---- Range ------------------------------------------------------------------------------------------------- */

static gboolean
range_infer (const Node *node, InferContext *context, GError **error)
{
  double     number[3], steps;
  FoveaShape shape = { 1, { 0 } };

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      const FoveaTensor *tensor = context->constant (context, node, i, error);

      if (!tensor)
        return FALSE;
      if (shape_count (&tensor->shape) != 1 || tensor->type == FOVEA_TYPE_BOOL || tensor->type != node_input (node, 0)->constant->type)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its start, end and step aren't three numbers of a type. The model is damaged.");
      tensor_read_double (tensor, 0, 1, &number[i]);
    }
  steps = ceil ((number[1] - number[0]) / number[2]);
  if (!isfinite (steps) || steps > 1e15)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it never gets from %g to %g in steps of %g. The model is damaged.", number[0], number[1], number[2]);
  shape.dims[0] = (gint64) MAX (steps, 0);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static void
range_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaTensor start = { .type = step->in[0].type, .data = step->in[0].data }, delta = { .type = step->in[2].type, .data = step->in[2].data };
  gsize             count = shape_count (&step->out[0].shape);
  double            a, d;
  gint64            i_a, i_d;

  tensor_read_double (&start, 0, 1, &a);
  tensor_read_double (&delta, 0, 1, &d);
  tensor_read_int64 (&start, 0, 1, &i_a);
  tensor_read_int64 (&delta, 0, 1, &i_d);
  for (gsize i = 0; i < count; i++)
    {
      guint64 integer = (guint64) i_a + i * (guint64) i_d;

      switch (step->out[0].type)
        {
        case FOVEA_TYPE_FLOAT32: ((float *) step->out[0].data)[i] = (float) (a + (double) i * d); break;
        case FOVEA_TYPE_FLOAT64: ((double *) step->out[0].data)[i] = a + (double) i * d; break;
        case FOVEA_TYPE_INT16:   ((gint16 *) step->out[0].data)[i] = (gint16) integer; break;
        case FOVEA_TYPE_INT32:   ((gint32 *) step->out[0].data)[i] = (gint32) integer; break;
        case FOVEA_TYPE_INT64:   ((gint64 *) step->out[0].data)[i] = (gint64) integer; break;
        default:                 break;
        }
    }
}

static gboolean
range_prepare (Step *step, GError **error)
{
  step_set_run (step, "range", range_run, shape_count (&step->out[0].shape) > 0, 1);
  return TRUE;
}

/* ---- EyeLike ----------------------------------------------------------------------------------------------- */

static gboolean
eye_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaType type;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  type = node_attribute (node, "dtype") ? cast_type_of_onnx (node_int (node, "dtype", 1)) : node_input (node, 0)->type;
  if (type == FOVEA_TYPE_NONE || node_input (node, 0)->shape.n_dims != 2)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its type or shape isn't that of a matrix that this engine knows. Use another model.");
  infer_set (node, 0, type, &node_input (node, 0)->shape);
  return TRUE;
}

static void
eye_run (const Step *step, gsize first, gsize last, guint thread)
{
  gint64 rows = step->out[0].shape.dims[0], columns = step->out[0].shape.dims[1], k = node_int (step->node, "k", 0);
  gsize  size = type_size (step->out[0].type);

  memset (step->out[0].data, 0, (gsize) (rows * columns) * size);
  for (gint64 i = 0; i < rows; i++)
    {
      gint64  j = k > columns || k < -rows ? columns : i + k;
      guint8 *at;

      if (j < 0 || j >= columns)
        continue;
      at = (guint8 *) step->out[0].data + (gsize) (i * columns + j) * size;
      if (step->out[0].type == FOVEA_TYPE_FLOAT32)
        *(float *) (void *) at = 1;
      else if (step->out[0].type == FOVEA_TYPE_FLOAT64)
        *(double *) (void *) at = 1;
      else
        {
          guint64 one = 1;

          memcpy (at, &one, size); /* the low bytes of a little-endian number */
        }
    }
}

static gboolean
eye_prepare (Step *step, GError **error)
{
  step_set_run (step, "eye", eye_run, shape_count (&step->out[0].shape) > 0, 1);
  return TRUE;
}

static const AttributeSpec constant_attributes[] = {
  { "value", ATTRIBUTE_TENSOR }, { "value_int", ATTRIBUTE_INT }, { "value_ints", ATTRIBUTE_INTS },
  { "value_float", ATTRIBUTE_FLOAT }, { "value_floats", ATTRIBUTE_FLOATS },
  { "value_string", ATTRIBUTE_STRING }, { "value_strings", ATTRIBUTE_STRINGS }, { NULL },
};
static const AttributeSpec of_shape_attributes[] = { { "value", ATTRIBUTE_TENSOR }, { NULL } };
static const AttributeSpec eye_attributes[] = { { "dtype", ATTRIBUTE_INT }, { "k", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec shape_attributes[] = { { "start", ATTRIBUTE_INT }, { "end", ATTRIBUTE_INT }, { NULL } };

const Operator constant_operators[] = {
  { "Constant", "", 0, NULL, constant_infer, NULL, constant_prepare, NULL, constant_attributes },
  { "ConstantOfShape", "", 0, NULL, of_shape_infer, NULL, of_shape_prepare, NULL, of_shape_attributes },
  { "EyeLike", "", 0, NULL, eye_infer, NULL, eye_prepare, NULL, eye_attributes },
  { "Range", "", 0, NULL, range_infer, NULL, range_prepare, NULL },
  { "Shape", "", 0, NULL, shape_infer, NULL, shape_prepare, NULL, shape_attributes },
  { "Size", "", 0, NULL, shape_infer, NULL, shape_prepare, NULL },
  { NULL },
};
