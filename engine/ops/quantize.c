/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * quantize.c: QuantizeLinear, DequantizeLinear (one scale for all, one for each index along an axis, or one for each block along it) and
 * DynamicQuantizeLinear. Plain only.
 *
 * The tensor is seen as (outer, length, inner), length along the axis. A task is a chunk of one row of `inner` elements, which share a scale unless
 * scales go by blocks: then each element of the row has its own.
 */

#include <math.h>
#include <string.h>

#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/integer.h"

typedef struct
{
  gint64    axis, block;
  FoveaType to; /* QuantizeLinear's output_dtype */
} QuantizeParams;

typedef struct
{
  gsize length, inner, chunks;
  gsize block; /* 0: a scale for each index along the axis */
} Rows;

static gboolean
is_quantize (const Node *node)
{
  return strcmp (node->type, "QuantizeLinear") == 0;
}

static gboolean
quantize_parse (Node *node, GError **error)
{
  QuantizeParams *params = node->params;

  params->axis = node_int (node, "axis", 1);
  params->block = node_int (node, "block_size", 0);
  params->to = cast_type_of_onnx (node_int (node, "output_dtype", 0));
  if (params->block < 0)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “block_size” must not be negative.");
  return TRUE;
}

/* Whether `shape`, of scales or zero points, fits the tensor. */
static gboolean
check_scales (const Node *node, const FoveaShape *in, const FoveaShape *shape, guint axis, GError **error)
{
  const QuantizeParams *params = node->params;
  gboolean              fits = shape_is_single (shape);

  if (!fits && params->block == 0)
    fits = shape->n_dims == 1 && axis < in->n_dims && shape->dims[0] == in->dims[axis];
  else if (!fits && shape->n_dims == in->n_dims && axis < in->n_dims)
    {
      fits = TRUE;
      for (guint i = 0; i < in->n_dims; i++)
        fits &= shape->dims[i] == (i == axis ? (in->dims[i] + params->block - 1) / params->block : in->dims[i]);
    }
  return fits || node_error (node, error, FOVEA_ERROR_SHAPE, "its scales or zero points don't fit its input. The model is damaged, or was written by a faulty exporter.");
}

static gboolean
quantize_axis (const Node *node, guint *axis, GError **error)
{
  const FoveaShape *in = &node_input (node, 0)->shape;

  *axis = 0;
  return shape_is_single (&node_input (node, 1)->shape)
         || infer_axis (node, ((const QuantizeParams *) node->params)->axis, in->n_dims, axis, error);
}

static gboolean
quantize_infer (const Node *node, InferContext *context, GError **error)
{
  const QuantizeParams *params = node->params;
  const Value          *in, *zero;
  FoveaType             integer;
  guint                 axis;

  if (!infer_check_inputs (node, 2, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE) || !quantize_axis (node, &axis, error))
    return FALSE;
  in = node_input (node, 0);
  zero = node_input (node, 2);
  if (!check_scales (node, &in->shape, &node_input (node, 1)->shape, axis, error)
      || (zero && !check_scales (node, &in->shape, &zero->shape, axis, error)))
    return FALSE;
  integer = zero ? zero->type : !is_quantize (node) ? in->type : params->to != FOVEA_TYPE_NONE ? params->to : FOVEA_TYPE_UINT8;
  if (is_quantize (node) ? !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_INT32, FOVEA_TYPE_NONE)
                         : !infer_check_type (node, 0, error, FOVEA_TYPE_UINT8, FOVEA_TYPE_INT8, FOVEA_TYPE_UINT16, FOVEA_TYPE_INT16, FOVEA_TYPE_INT32,
                                              FOVEA_TYPE_NONE))
    return FALSE;
  if (is_quantize (node) ? type_size (integer) > 2 || !type_is_integer (integer) : integer != in->type)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its zero point is of type %s, which this engine doesn't compute here. Quantize the model to 8 bits.",
                       type_name (integer));
  infer_set (node, 0, is_quantize (node) ? integer : FOVEA_TYPE_FLOAT32, &in->shape);
  return TRUE;
}

/* The scale's index of element i of row `row`; the same along the row where there are no blocks. */
static inline gsize
scale_index (const Rows *rows, gsize row, gsize i)
{
  gsize at = row % rows->length, n_blocks;

  if (rows->block == 0)
    return at;
  n_blocks = (rows->length + rows->block - 1) / rows->block;
  return (row / rows->length * n_blocks + at / rows->block) * rows->inner + i;
}

static void
quantize_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Rows *rows = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize row = task / rows->chunks, begin = task % rows->chunks * ELEMENTWISE_CHUNK, end = MIN (begin + ELEMENTWISE_CHUNK, rows->inner);

      for (gsize i = begin; i < end; i++)
        {
          gsize     at = row * rows->inner + i, index = scale_index (rows, row, i);
          Quantizer quantizer = quantizer_make (step->out[0].type, integer_zero (step, 2, index));
          float     x = step->in[0].type == FOVEA_TYPE_INT32 ? (float) ((const gint32 *) step->in[0].data)[at] : ((const float *) step->in[0].data)[at];

          quantizer_write (&quantizer, x / integer_scale (step, 1, index), step->out[0].data, at);
        }
    }
}

static void
dequantize_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Rows *rows = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize row = task / rows->chunks, begin = task % rows->chunks * ELEMENTWISE_CHUNK, end = MIN (begin + ELEMENTWISE_CHUNK, rows->inner);

      for (gsize i = begin; i < end; i++)
        {
          gsize  at = row * rows->inner + i, index = scale_index (rows, row, i);
          gint64 q = (gint64) integer_element (&step->in[0], at) - integer_zero (step, 2, index);

          ((float *) step->out[0].data)[at] = (float) q * integer_scale (step, 1, index);
        }
    }
}

static gboolean
quantize_prepare (Step *step, GError **error)
{
  const QuantizeParams *params = step->node->params;
  const FoveaShape     *in = &step->in[0].shape;
  Rows                 *rows = g_new0 (Rows, 1);
  gsize                 count = shape_count (in);
  guint                 axis;

  step->state = rows;
  step->free_state = g_free;
  if (!quantize_axis (step->node, &axis, error))
    return FALSE;
  rows->length = 1;
  rows->inner = MAX (count, 1);
  if (!shape_is_single (&step->in[1].shape) && count > 0)
    {
      rows->length = (gsize) in->dims[axis];
      rows->inner = shape_count_range (in, axis + 1, in->n_dims);
      rows->block = (gsize) params->block;
    }
  rows->chunks = (rows->inner + ELEMENTWISE_CHUNK - 1) / ELEMENTWISE_CHUNK;
  step_set_run (step, "plain", is_quantize (step->node) ? quantize_run : dequantize_run, count / rows->inner * rows->chunks,
                1 + ELEMENTWISE_CHUNK / rows->inner);
  return TRUE;
}

/* ---- DynamicQuantizeLinear -------------------------------------------------------------------------------- */

static gboolean
dynamic_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape scalar = { 0, { 0 } };

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 3, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE))
    return FALSE;
  infer_set (node, 0, FOVEA_TYPE_UINT8, &node_input (node, 0)->shape);
  infer_set (node, 1, FOVEA_TYPE_FLOAT32, &scalar);
  infer_set (node, 2, FOVEA_TYPE_UINT8, &scalar);
  return TRUE;
}

/* Least and most of each chunk, 0 among them, to the workspace. */
static void
dynamic_range_run (const Step *step, gsize first, gsize last, guint thread)
{
  const float *in = step->in[0].data;
  float       *ranges = (float *) step->workspace;

  for (gsize task = first; task < last; task++)
    {
      float least = 0, most = 0;

      for (gsize i = task * ELEMENTWISE_CHUNK; i < MIN ((task + 1) * ELEMENTWISE_CHUNK, elementwise_count (step)); i++)
        {
          least = in[i] < least ? in[i] : least;
          most = in[i] > most ? in[i] : most;
        }
      ranges[2 * task] = least;
      ranges[2 * task + 1] = most;
    }
}

static void
dynamic_run (const Step *step, gsize first, gsize last, guint thread)
{
  const float *in = step->in[0].data, *ranges = (const float *) step->workspace;
  float        least = 0, most = 0, scale;
  Quantizer    quantizer = quantizer_make (FOVEA_TYPE_UINT8, 0);

  for (gsize i = 0; i < step->phase[0].n_tasks; i++)
    {
      least = MIN (least, ranges[2 * i]);
      most = MAX (most, ranges[2 * i + 1]);
    }
  scale = most == least ? 1.0f : (most - least) / 255.0f;
  quantizer = quantizer_make (FOVEA_TYPE_UINT8, quantizer_round (&quantizer, -least / scale));
  if (first == 0 && step->n_outputs > 1 && step->out[1].value)
    *(float *) step->out[1].data = scale;
  if (first == 0 && step->n_outputs > 2 && step->out[2].value)
    *(guint8 *) step->out[2].data = (guint8) quantizer.zero;
  for (gsize i = first * ELEMENTWISE_CHUNK; i < MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step)); i++)
    quantizer_write (&quantizer, in[i] / scale, step->out[0].data, i);
}

static gboolean
dynamic_prepare (Step *step, GError **error)
{
  gsize n = MAX ((elementwise_count (step) + ELEMENTWISE_CHUNK - 1) / ELEMENTWISE_CHUNK, 1);

  step_set_run (step, "plain", dynamic_range_run, n, 1);
  step->workspace_size = n * 2 * sizeof (float);
  step->n_phases = 2;
  step->phase[1].run = dynamic_run;
  step->phase[1].n_tasks = n;
  step->phase[1].grain = 1;
  return TRUE;
}

static const AttributeSpec quantize_attributes[] = {
  { "axis", ATTRIBUTE_INT }, { "block_size", ATTRIBUTE_INT }, { "output_dtype", ATTRIBUTE_INT },
  { "saturate", ATTRIBUTE_INT }, { "precision", ATTRIBUTE_INT }, { NULL },
};

const Operator quantize_operators[] = {
  { "DequantizeLinear", "", sizeof (QuantizeParams), quantize_parse, quantize_infer, NULL, quantize_prepare, NULL, quantize_attributes },
  { "DynamicQuantizeLinear", "", 0, NULL, dynamic_infer, NULL, dynamic_prepare, NULL },
  { "QuantizeLinear", "", sizeof (QuantizeParams), quantize_parse, quantize_infer, NULL, quantize_prepare, NULL, quantize_attributes },
  { NULL },
};
