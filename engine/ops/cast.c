/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cast.c: Cast and CastLike between all numeric types. float16 values are computed as float32: casting to it rounds through binary16. Floats outside an
 * integer's range saturate, NaN becomes 0. Plain only.
 */

#include "ops/cast.h"

#include <string.h>

#include "base/half.h"
#include "ops/elementwise.h"
#include "ops/families.h"

typedef struct
{
  FoveaType to;
} CastParams;

/* TensorProto.DataType */
static const FoveaType types[] = {
  [1] = FOVEA_TYPE_FLOAT32, [2] = FOVEA_TYPE_UINT8,    [3] = FOVEA_TYPE_INT8,    [4] = FOVEA_TYPE_UINT16, [5] = FOVEA_TYPE_INT16, [6] = FOVEA_TYPE_INT32,
  [7] = FOVEA_TYPE_INT64,   [9] = FOVEA_TYPE_BOOL,     [10] = FOVEA_TYPE_FLOAT16, [11] = FOVEA_TYPE_FLOAT64, [12] = FOVEA_TYPE_UINT32, [13] = FOVEA_TYPE_UINT64,
};

FoveaType
cast_type_of_onnx (gint64 type)
{
  return type > 0 && type < (gint64) G_N_ELEMENTS (types) ? types[type] : FOVEA_TYPE_NONE;
}

static gboolean
cast_parse (Node *node, GError **error)
{
  CastParams *params = node->params;

  if (strcmp (node->type, "CastLike") == 0)
    return TRUE;
  params->to = cast_type_of_onnx (node_int (node, "to", 0));
  return params->to != FOVEA_TYPE_NONE
         || node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it casts to ONNX's type %" G_GINT64_FORMAT ", which this engine hasn't got. Export it in float32.",
                        node_int (node, "to", 0));
}

static gboolean
cast_infer (const Node *node, InferContext *context, GError **error)
{
  CastParams *params = node->params;
  guint       n = strcmp (node->type, "CastLike") == 0 ? 2 : 1;

  if (!infer_check_inputs (node, n, n, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  if (n == 2)
    params->to = node_input (node, 1)->type;
  infer_set (node, 0, params->to, &node_input (node, 0)->shape);
  return TRUE;
}

static gint64
clamp_integer (gint64 value, gint64 low, gint64 high)
{
  return CLAMP (value, low, high);
}

/* From a float: saturates. */
static void
write_from_double (FoveaType to, void *out, gsize i, double x, gint64 integer)
{
  switch (to)
    {
    case FOVEA_TYPE_FLOAT32: ((float *) out)[i] = (float) x; break;
    case FOVEA_TYPE_FLOAT64: ((double *) out)[i] = x; break;
    case FOVEA_TYPE_BOOL:    ((guint8 *) out)[i] = x != 0; break;
    case FOVEA_TYPE_INT8:    ((gint8 *) out)[i] = (gint8) clamp_integer (integer, G_MININT8, G_MAXINT8); break;
    case FOVEA_TYPE_INT16:   ((gint16 *) out)[i] = (gint16) clamp_integer (integer, G_MININT16, G_MAXINT16); break;
    case FOVEA_TYPE_INT32:   ((gint32 *) out)[i] = (gint32) clamp_integer (integer, G_MININT32, G_MAXINT32); break;
    case FOVEA_TYPE_INT64:   ((gint64 *) out)[i] = integer; break;
    case FOVEA_TYPE_UINT8:   ((guint8 *) out)[i] = (guint8) clamp_integer (integer, 0, G_MAXUINT8); break;
    case FOVEA_TYPE_UINT16:  ((guint16 *) out)[i] = (guint16) clamp_integer (integer, 0, G_MAXUINT16); break;
    case FOVEA_TYPE_UINT32:  ((guint32 *) out)[i] = (guint32) clamp_integer (integer, 0, G_MAXUINT32); break;
    case FOVEA_TYPE_UINT64:  ((guint64 *) out)[i] = x >= 9.3e18 ? (x >= 18446744073709551616.0 ? G_MAXUINT64 : (guint64) x) : (guint64) MAX (integer, 0); break;
    default:                 break;
    }
}

/* From an integer: keeps the low bits, as C does. */
static void
write_from_integer (FoveaType to, void *out, gsize i, gint64 x, gboolean is_unsigned)
{
  switch (to)
    {
    case FOVEA_TYPE_FLOAT32: ((float *) out)[i] = is_unsigned ? (float) (guint64) x : (float) x; break;
    case FOVEA_TYPE_FLOAT64: ((double *) out)[i] = is_unsigned ? (double) (guint64) x : (double) x; break;
    case FOVEA_TYPE_BOOL:    ((guint8 *) out)[i] = x != 0; break;
    default:
      switch (type_size (to))
        {
        case 1: ((guint8 *) out)[i] = (guint8) x; break;
        case 2: ((guint16 *) out)[i] = (guint16) x; break;
        case 4: ((guint32 *) out)[i] = (guint32) x; break;
        default: ((gint64 *) out)[i] = x; break;
        }
    }
}

static void
cast_run (const Step *step, gsize first, gsize last, guint thread)
{
  const CastParams *params = step->node->params;
  const FoveaTensor in = { .type = step->in[0].type, .data = step->in[0].data };
  gsize             end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  gboolean          round_half = params->to == FOVEA_TYPE_FLOAT16;

  for (gsize i = first * ELEMENTWISE_CHUNK; i < end; i++)
    {
      double x = 0;
      gint64 integer;

      if (in.type == FOVEA_TYPE_UINT64)
        integer = (gint64) ((const guint64 *) in.data)[i];
      else
        tensor_read_int64 (&in, i, 1, &integer);
      if (round_half)
        {
          tensor_read_double (&in, i, 1, &x);
          ((float *) step->out[0].data)[i] = half_to_float (half_from_float ((float) x));
        }
      else if (type_is_float (in.type))
        {
          tensor_read_double (&in, i, 1, &x);
          write_from_double (step->out[0].type, step->out[0].data, i, x, integer);
        }
      else
        write_from_integer (step->out[0].type, step->out[0].data, i, integer, in.type == FOVEA_TYPE_UINT64);
    }
}

static gboolean
cast_prepare (Step *step, GError **error)
{
  const CastParams *params = step->node->params;

  if (step->in[0].type == step->out[0].type && params->to != FOVEA_TYPE_FLOAT16)
    {
      step->view = 0;
      return TRUE;
    }
  elementwise_set_run (step, "plain", cast_run);
  return TRUE;
}

static const AttributeSpec cast_attributes[] = {
  { "to", ATTRIBUTE_INT }, { "saturate", ATTRIBUTE_INT }, { "round_mode", ATTRIBUTE_STRING }, { NULL },
};
static const AttributeSpec like_attributes[] = { { "saturate", ATTRIBUTE_INT }, { "round_mode", ATTRIBUTE_STRING }, { NULL } };

const Operator cast_operators[] = {
  { "Cast", "", sizeof (CastParams), cast_parse, cast_infer, NULL, cast_prepare, NULL, cast_attributes },
  { "CastLike", "", sizeof (CastParams), cast_parse, cast_infer, NULL, cast_prepare, NULL, like_attributes },
  { NULL },
};
