/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * unary.c: functions of one number, of any type, that no network spends its time in: signs, roundings, trigonometry, tests, negations, Shrink. Plain
 * only.
 */

#include <math.h>
#include <string.h>

#include "ops/elementwise.h"
#include "ops/families.h"

typedef double (*Function) (double x);

typedef struct
{
  Function function;  /* for floats; NULL: integers only */
  gboolean positive, negative; /* IsInf: what counts */
} UnaryParams;

static double
sign (double x)
{
  return isnan (x) ? x : (x > 0) - (x < 0);
}

static double
negate (double x)
{
  return -x;
}

static double
is_nan (double x)
{
  return isnan (x) != 0;
}

static const struct
{
  const char *type;
  Function    function;
  gboolean    integers; /* takes integers too */
} names[] = {
  { "Abs", fabs, TRUE },    { "Neg", negate, TRUE },  { "Sign", sign, TRUE },   { "Floor", floor, FALSE }, { "Ceil", ceil, FALSE },
  { "Round", nearbyint, FALSE }, { "Log", log, FALSE }, { "Sin", sin, FALSE },  { "Cos", cos, FALSE },     { "Tan", tan, FALSE },
  { "Asin", asin, FALSE },  { "Acos", acos, FALSE },  { "Atan", atan, FALSE },  { "Sinh", sinh, FALSE },   { "Cosh", cosh, FALSE },
  { "Asinh", asinh, FALSE }, { "Acosh", acosh, FALSE }, { "Atanh", atanh, FALSE }, { "IsNaN", is_nan, FALSE }, { "IsInf", NULL, FALSE },
};

static gboolean
unary_parse (Node *node, GError **error)
{
  UnaryParams *params = node->params;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, node->type) == 0)
      params->function = names[i].function;
  params->positive = node_int (node, "detect_positive", 1) != 0;
  params->negative = node_int (node, "detect_negative", 1) != 0;
  return TRUE;
}

static gboolean
takes_integers (const Node *node)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, node->type) == 0)
      return names[i].integers;
  return FALSE;
}

static gboolean
is_test (const Node *node)
{
  return strcmp (node->type, "IsNaN") == 0 || strcmp (node->type, "IsInf") == 0;
}

static gboolean
unary_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaType type;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  type = node_input (node, 0)->type;
  if (!type_is_float (type) && !(takes_integers (node) && type_is_integer (type)))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't compute numbers of type %s. Convert the model to float32.", type_name (type));
  infer_set (node, 0, is_test (node) ? FOVEA_TYPE_BOOL : type, &node_input (node, 0)->shape);
  return TRUE;
}

static double
read_float (const TensorView *view, gsize i)
{
  return view->type == FOVEA_TYPE_FLOAT64 ? ((const double *) view->data)[i] : ((const float *) view->data)[i];
}

static void
float_run (const Step *step, gsize first, gsize last, guint thread)
{
  const UnaryParams *params = step->node->params;
  gsize              end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));

  for (gsize i = first * ELEMENTWISE_CHUNK; i < end; i++)
    {
      double x = read_float (&step->in[0], i);
      double y = params->function ? params->function (x) : isinf (x) && (x > 0 ? params->positive : params->negative);

      if (step->out[0].type == FOVEA_TYPE_BOOL)
        ((guint8 *) step->out[0].data)[i] = y != 0;
      else if (step->out[0].type == FOVEA_TYPE_FLOAT64)
        ((double *) step->out[0].data)[i] = y;
      else
        ((float *) step->out[0].data)[i] = (float) y;
    }
}

/* -x, |x| or the sign of x, wrapping: |the least number| is itself. */
static guint64
integer_function (char which, gint64 x)
{
  if (which == 'N')
    return 0 - (guint64) x;
  if (which == 'A')
    return x < 0 ? 0 - (guint64) x : (guint64) x;
  return (guint64) (gint64) ((x > 0) - (x < 0));
}

static void
integer_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize       end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  char        which = step->node->type[0] == 'S' ? 'S' : step->node->type[0];
  const void *in = step->in[0].data;
  void       *out = step->out[0].data;

  for (gsize i = first * ELEMENTWISE_CHUNK; i < end; i++)
    switch (step->in[0].type)
      {
      case FOVEA_TYPE_INT8:   ((gint8 *) out)[i] = (gint8) integer_function (which, ((const gint8 *) in)[i]); break;
      case FOVEA_TYPE_INT16:  ((gint16 *) out)[i] = (gint16) integer_function (which, ((const gint16 *) in)[i]); break;
      case FOVEA_TYPE_INT32:  ((gint32 *) out)[i] = (gint32) integer_function (which, ((const gint32 *) in)[i]); break;
      case FOVEA_TYPE_INT64:  ((gint64 *) out)[i] = (gint64) integer_function (which, ((const gint64 *) in)[i]); break;
      case FOVEA_TYPE_UINT8:  ((guint8 *) out)[i] = (guint8) integer_function (which, ((const guint8 *) in)[i]); break;
      case FOVEA_TYPE_UINT16: ((guint16 *) out)[i] = (guint16) integer_function (which, ((const guint16 *) in)[i]); break;
      case FOVEA_TYPE_UINT32: ((guint32 *) out)[i] = (guint32) integer_function (which, ((const guint32 *) in)[i]); break;
      case FOVEA_TYPE_UINT64:
        {
          guint64 x = ((const guint64 *) in)[i];

          ((guint64 *) out)[i] = which == 'S' ? x > 0 : which == 'A' ? x : 0 - x;
        }
        break;
      default: break;
      }
}

static gboolean
unary_prepare (Step *step, GError **error)
{
  elementwise_set_run (step, "plain", type_is_float (step->in[0].type) ? float_run : integer_run);
  return TRUE;
}

/* ---- Not, BitwiseNot -------------------------------------------------------------------------------------- */

static gboolean
not_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaType type;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  type = node_input (node, 0)->type;
  if (strcmp (node->type, "Not") == 0 ? type != FOVEA_TYPE_BOOL : !type_is_integer (type))
    return node_error (node, error, FOVEA_ERROR_MODEL, "it can't negate numbers of type %s. The model is damaged.", type_name (type));
  infer_same (node, 0, 0);
  return TRUE;
}

static void
not_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize         size = type_size (step->in[0].type), end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step)) * size;
  const guint8 *in = step->in[0].data;
  guint8       *out = step->out[0].data;

  for (gsize i = first * ELEMENTWISE_CHUNK * size; i < end; i++)
    out[i] = step->in[0].type == FOVEA_TYPE_BOOL ? !in[i] : (guint8) ~in[i];
}

static gboolean
not_prepare (Step *step, GError **error)
{
  elementwise_set_run (step, "plain", not_run);
  return TRUE;
}

/* ---- Shrink ------------------------------------------------------------------------------------------------- */

typedef struct
{
  double bias, lambda;
} ShrinkParams;

static gboolean
shrink_parse (Node *node, GError **error)
{
  ShrinkParams *params = node->params;

  params->bias = node_float (node, "bias", 0);
  params->lambda = node_float (node, "lambd", 0.5f);
  return TRUE;
}

static gboolean
shrink_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  if (node_input (node, 0)->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it can't shrink bools. The model is damaged.");
  infer_same (node, 0, 0);
  return TRUE;
}

/* Integers too are moved in double and cut to a whole number; what then doesn't fit keeps its low bits. */
static void
shrink_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ShrinkParams *params = step->node->params;
  const FoveaTensor   in = { .type = step->in[0].type, .data = step->in[0].data };
  gsize               end = MIN (last * ELEMENTWISE_CHUNK, elementwise_count (step));
  void               *out = step->out[0].data;

  for (gsize i = first * ELEMENTWISE_CHUNK; i < end; i++)
    {
      double x, y;
      gint64 whole;

      tensor_read_double (&in, i, 1, &x);
      y = x < -params->lambda ? x + params->bias : x > params->lambda ? x - params->bias : 0;
      whole = isnan (y) ? 0 : (gint64) CLAMP (y, -9e18, 9e18);
      switch (in.type)
        {
        case FOVEA_TYPE_FLOAT32: ((float *) out)[i] = (float) y; break;
        case FOVEA_TYPE_FLOAT64: ((double *) out)[i] = y; break;
        case FOVEA_TYPE_UINT64:  ((guint64 *) out)[i] = y >= 9e18 && y < 1.8e19 ? (guint64) y : (guint64) whole; break;
        case FOVEA_TYPE_INT64:   ((gint64 *) out)[i] = whole; break;
        case FOVEA_TYPE_INT32:
        case FOVEA_TYPE_UINT32:  ((guint32 *) out)[i] = (guint32) whole; break;
        case FOVEA_TYPE_INT16:
        case FOVEA_TYPE_UINT16:  ((guint16 *) out)[i] = (guint16) whole; break;
        default:                 ((guint8 *) out)[i] = (guint8) whole; break;
        }
    }
}

static gboolean
shrink_prepare (Step *step, GError **error)
{
  elementwise_set_run (step, "plain", shrink_run);
  return TRUE;
}

static const AttributeSpec infinity_attributes[] = { { "detect_negative", ATTRIBUTE_INT }, { "detect_positive", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec shrink_attributes[] = { { "bias", ATTRIBUTE_FLOAT }, { "lambd", ATTRIBUTE_FLOAT }, { NULL } };

#define UNARY(type) { type, "", sizeof (UnaryParams), unary_parse, unary_infer, NULL, unary_prepare, NULL }

const Operator unary_operators[] = {
  UNARY ("Abs"),   UNARY ("Acos"), UNARY ("Acosh"), UNARY ("Asin"),  UNARY ("Asinh"), UNARY ("Atan"), UNARY ("Atanh"),
  UNARY ("Ceil"),  UNARY ("Cos"),  UNARY ("Cosh"),  UNARY ("Floor"), UNARY ("IsNaN"), UNARY ("Log"),  UNARY ("Neg"),
  UNARY ("Round"), UNARY ("Sign"), UNARY ("Sin"),   UNARY ("Sinh"),  UNARY ("Tan"),
  { "BitwiseNot", "", 0, NULL, not_infer, NULL, not_prepare, NULL },
  { "IsInf", "", sizeof (UnaryParams), unary_parse, unary_infer, NULL, unary_prepare, NULL, infinity_attributes },
  { "Not", "", 0, NULL, not_infer, NULL, not_prepare, NULL },
  { "Shrink", "", sizeof (ShrinkParams), shrink_parse, shrink_infer, NULL, shrink_prepare, NULL, shrink_attributes },
  { NULL },
};
