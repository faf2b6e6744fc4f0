/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * arg-max.c: ArgMax and ArgMin along one axis; CumSum. Plain only.
 */

#include <math.h>
#include <string.h>

#include "ops/element.h"
#include "ops/families.h"

typedef struct
{
  guint    axis;
  gboolean keep_dims, last, least; /* ArgMax */
  gboolean exclusive, reverse;     /* CumSum */
} AxisParams;

static gboolean
axis_parse (Node *node, GError **error)
{
  AxisParams *params = node->params;

  params->keep_dims = node_int (node, "keepdims", 1) != 0;
  params->last = node_int (node, "select_last_index", 0) != 0;
  params->least = strcmp (node->type, "ArgMin") == 0;
  params->exclusive = node_int (node, "exclusive", 0) != 0;
  params->reverse = node_int (node, "reverse", 0) != 0;
  return TRUE;
}

/* Elements before, along and after the axis. */
static void
split_shape (const FoveaShape *shape, guint axis, gsize *outer, gsize *length, gsize *inner)
{
  *outer = shape_count_range (shape, 0, axis);
  *length = (gsize) shape->dims[axis];
  *inner = shape_count_range (shape, axis + 1, shape->n_dims);
}

/* ---- ArgMax, ArgMin --------------------------------------------------------------------------------------- */

static gboolean
arg_infer (const Node *node, InferContext *context, GError **error)
{
  AxisParams       *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape = { 0, { 0 } };

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (!infer_axis (node, node_int (node, "axis", 0), in->n_dims, &params->axis, error))
    return FALSE;
  if (in->dims[params->axis] == 0)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "there is nothing to choose from along its axis. Check the input's size.");
  for (guint i = 0; i < in->n_dims; i++)
    if (i != params->axis || params->keep_dims)
      shape.dims[shape.n_dims++] = i == params->axis ? 1 : in->dims[i];
  infer_set (node, 0, FOVEA_TYPE_INT64, &shape);
  return TRUE;
}

static void
arg_run (const Step *step, gsize first, gsize last, guint thread)
{
  const AxisParams *params = step->node->params;
  gsize             outer, length, inner;
  gint64           *out = step->out[0].data;

  split_shape (&step->in[0].shape, params->axis, &outer, &length, &inner);
  for (gsize task = first; task < last; task++)
    {
      gsize  base = task / inner * length * inner + task % inner, best = 0;
      double best_value = element_read_number (&step->in[0], base);

      for (gsize i = 1; i < length; i++)
        {
          double value = element_read_number (&step->in[0], base + i * inner);

          if ((params->least ? value < best_value : value > best_value) || (isnan (value) && !isnan (best_value))
              || (params->last && value == best_value))
            {
              best = i;
              best_value = value;
            }
        }
      out[task] = (gint64) best;
    }
}

static gboolean
arg_prepare (Step *step, GError **error)
{
  const AxisParams *params = step->node->params;
  gsize             outer, length, inner;

  split_shape (&step->in[0].shape, params->axis, &outer, &length, &inner);
  step_set_run (step, "plain", arg_run, outer * inner, 1 + 4096 / length);
  return TRUE;
}

/* ---- CumSum ----------------------------------------------------------------------------------------------- */

static gboolean
cumsum_infer (const Node *node, InferContext *context, GError **error)
{
  AxisParams *params = node->params;
  gint64      axis;
  gssize      n;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, &axis, 1, &n, error))
    return FALSE;
  if (n != 1 || node_input (node, 0)->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it needs numbers and one axis. The model is damaged, or was written by a faulty exporter.");
  if (!infer_axis (node, axis, node_input (node, 0)->shape.n_dims, &params->axis, error))
    return FALSE;
  infer_same (node, 0, 0);
  return TRUE;
}

static void
cumsum_run (const Step *step, gsize first, gsize last, guint thread)
{
  const AxisParams *params = step->node->params;
  gsize             outer, length, inner;

  split_shape (&step->in[0].shape, params->axis, &outer, &length, &inner);
  for (gsize task = first; task < last; task++)
    {
      gsize   base = task / inner * length * inner + task % inner;
      double  sum = 0;
      guint64 integer_sum = 0;

      for (gsize i = 0; i < length; i++)
        {
          gsize  at = base + (params->reverse ? length - 1 - i : i) * inner;
          double  before = sum;
          guint64 integer_before = integer_sum;

          if (type_is_float (step->in[0].type))
            {
              sum += element_read_number (&step->in[0], at);
              element_write_number (&step->out[0], at, params->exclusive ? before : sum);
              continue;
            }
          integer_sum += (guint64) element_read_integer (&step->in[0], at);
          element_write_integer (&step->out[0], at, params->exclusive ? integer_before : integer_sum);
        }
    }
}

static gboolean
cumsum_prepare (Step *step, GError **error)
{
  const AxisParams *params = step->node->params;
  gsize             outer, length, inner;

  split_shape (&step->in[0].shape, params->axis, &outer, &length, &inner);
  step_set_run (step, "plain", cumsum_run, length ? outer * inner : 0, 1 + 4096 / MAX (length, 1));
  return TRUE;
}

static const AttributeSpec arg_attributes[] = {
  { "axis", ATTRIBUTE_INT }, { "keepdims", ATTRIBUTE_INT }, { "select_last_index", ATTRIBUTE_INT }, { NULL },
};
static const AttributeSpec cumsum_attributes[] = { { "exclusive", ATTRIBUTE_INT }, { "reverse", ATTRIBUTE_INT }, { NULL } };

const Operator arg_max_operators[] = {
  { "ArgMax", "", sizeof (AxisParams), axis_parse, arg_infer, NULL, arg_prepare, NULL, arg_attributes },
  { "ArgMin", "", sizeof (AxisParams), axis_parse, arg_infer, NULL, arg_prepare, NULL, arg_attributes },
  { "CumSum", "", sizeof (AxisParams), axis_parse, cumsum_infer, NULL, cumsum_prepare, NULL, cumsum_attributes },
  { NULL },
};
