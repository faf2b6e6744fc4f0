/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scatter.c: a copy of a tensor with elements written over or joined to it at given places: ScatterElements (Scatter before opset 11), ScatterND. Plain
 * only. Updates are applied in order by one thread, so that places that come twice mean the same every time.
 *
 * Indices are data: one that lies outside can't be refused while running, so it is pushed to the nearest that exists.
 */

#include <string.h>

#include "ops/families.h"

typedef enum { JOIN_NONE, JOIN_ADD, JOIN_MUL, JOIN_MAX, JOIN_MIN, N_JOINS } Join;

typedef struct
{
  guint axis; /* ScatterElements; set by infer */
  Join  join;
} ScatterParams;

static const char *const join_words[N_JOINS] = { "none", "add", "mul", "max", "min" };

static gboolean
scatter_parse (Node *node, GError **error)
{
  ScatterParams *params = node->params;
  const char    *word = node_string (node, "reduction", "none");

  for (Join join = JOIN_NONE; join < N_JOINS; join++)
    if (strcmp (word, join_words[join]) == 0)
      {
        params->join = join;
        return TRUE;
      }
  return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it joins values in a way (“%s”) that isn't known. Export the model for an older opset.", word);
}

/* What both operators want of their inputs. */
static gboolean
check_inputs (const Node *node, GError **error)
{
  const ScatterParams *params = node->params;
  FoveaType            type;

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_INT64, FOVEA_TYPE_INT32, FOVEA_TYPE_NONE))
    return FALSE;
  type = node_input (node, 0)->type;
  if (node_input (node, 2)->type != type)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its updates are of another type than its data. The model is damaged.");
  if (params->join != JOIN_NONE && type != FOVEA_TYPE_FLOAT32 && type != FOVEA_TYPE_FLOAT64 && type != FOVEA_TYPE_INT32 && type != FOVEA_TYPE_INT64)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it joins values of type %s. Export the model with float32.", type_name (type));
  return TRUE;
}

static gsize
read_place (const TensorView *view, gsize i, gint64 size)
{
  gint64 index = view->type == FOVEA_TYPE_INT32 ? ((const gint32 *) view->data)[i] : ((const gint64 *) view->data)[i];

  return (gsize) CLAMP (index < 0 ? index + size : index, 0, size - 1);
}

/* ---- joining ------------------------------------------------------------------------------------------------ */

static double
join_doubles (Join join, double a, double b)
{
  switch (join)
    {
    case JOIN_ADD:
      return a + b;
    case JOIN_MUL:
      return a * b;
    case JOIN_MAX:
      return MAX (a, b);
    case JOIN_MIN:
      return MIN (a, b);
    default:
      return b;
    }
}

/* Sums and products wrap around, as they do elsewhere. */
static gint64
join_integers (Join join, gint64 a, gint64 b)
{
  switch (join)
    {
    case JOIN_ADD:
      return (gint64) ((guint64) a + (guint64) b);
    case JOIN_MUL:
      return (gint64) ((guint64) a * (guint64) b);
    case JOIN_MAX:
      return MAX (a, b);
    case JOIN_MIN:
      return MIN (a, b);
    default:
      return b;
    }
}

/* n elements of `from`, from element `first` on, to `out` at element `at`. */
static void
put (const Step *step, Join join, gsize at, gsize first, gsize n)
{
  const TensorView *updates = &step->in[2];
  gsize             size = type_size (updates->type);

  if (join == JOIN_NONE)
    {
      memcpy ((guint8 *) step->out[0].data + at * size, (const guint8 *) updates->data + first * size, n * size);
      return;
    }
  for (gsize i = 0; i < n; i++)
    if (updates->type == FOVEA_TYPE_FLOAT32)
      {
        float *out = (float *) step->out[0].data + at + i;

        *out = (float) join_doubles (join, *out, ((const float *) updates->data)[first + i]);
      }
    else if (updates->type == FOVEA_TYPE_FLOAT64)
      {
        double *out = (double *) step->out[0].data + at + i;

        *out = join_doubles (join, *out, ((const double *) updates->data)[first + i]);
      }
    else if (updates->type == FOVEA_TYPE_INT32)
      {
        gint32 *out = (gint32 *) step->out[0].data + at + i;

        *out = (gint32) join_integers (join, *out, ((const gint32 *) updates->data)[first + i]);
      }
    else
      {
        gint64 *out = (gint64 *) step->out[0].data + at + i;

        *out = join_integers (join, *out, ((const gint64 *) updates->data)[first + i]);
      }
}

static void
copy_data (const Step *step)
{
  if (step->out[0].data != step->in[0].data)
    memcpy (step->out[0].data, step->in[0].data, shape_count (&step->in[0].shape) * type_size (step->in[0].type));
}

static void
set_run (Step *step, StepRun run)
{
  step_set_run (step, "scatter", run, shape_count (&step->out[0].shape) ? 1 : 0, 1);
  step->in_place = 0;
}

/* ---- ScatterElements ---------------------------------------------------------------------------------------- */

static gboolean
elements_infer (const Node *node, InferContext *context, GError **error)
{
  ScatterParams    *params = node->params;
  const FoveaShape *data, *indices;

  if (!check_inputs (node, error))
    return FALSE;
  data = &node_input (node, 0)->shape;
  indices = &node_input (node, 1)->shape;
  if (!infer_axis (node, node_int (node, "axis", 0), data->n_dims, &params->axis, error))
    return FALSE;
  if (indices->n_dims != data->n_dims || !shape_equal (indices, &node_input (node, 2)->shape))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its indices and updates don't fit its data. The model is damaged.");
  for (guint i = 0; i < data->n_dims; i++)
    if ((i != params->axis && indices->dims[i] > data->dims[i]) || (data->dims[i] == 0 && indices->dims[i] > 0))
      return node_error (node, error, FOVEA_ERROR_SHAPE, "its indices are larger than its data. The model is damaged.");
  infer_same (node, 0, 0);
  return TRUE;
}

static void
elements_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ScatterParams *params = step->node->params;
  const FoveaShape    *data = &step->in[0].shape, *indices = &step->in[1].shape;
  gsize                n = shape_count (indices);

  copy_data (step);
  for (gsize element = 0; element < n; element++)
    {
      gsize at = 0, stride = 1, rest = element;

      for (guint i = data->n_dims; i-- > 0;)
        {
          gsize place = rest % (gsize) indices->dims[i];

          rest /= (gsize) indices->dims[i];
          if (i == params->axis)
            place = read_place (&step->in[1], element, data->dims[i]);
          at += place * stride;
          stride *= (gsize) data->dims[i];
        }
      put (step, params->join, at, element, 1);
    }
}

static gboolean
elements_prepare (Step *step, GError **error)
{
  set_run (step, elements_run);
  return TRUE;
}

/* ---- ScatterND ---------------------------------------------------------------------------------------------- */

static gboolean
nd_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape *data, *indices, *updates;
  guint             n_outer, depth;
  gboolean          fits;

  if (!check_inputs (node, error))
    return FALSE;
  data = &node_input (node, 0)->shape;
  indices = &node_input (node, 1)->shape;
  updates = &node_input (node, 2)->shape;
  if (indices->n_dims < 1 || indices->dims[indices->n_dims - 1] < 1 || indices->dims[indices->n_dims - 1] > data->n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its indices don't fit its data. The model is damaged.");
  n_outer = indices->n_dims - 1;
  depth = (guint) indices->dims[n_outer];
  fits = updates->n_dims == n_outer + data->n_dims - depth;
  for (guint i = 0; i < updates->n_dims && fits; i++)
    fits = updates->dims[i] == (i < n_outer ? indices->dims[i] : data->dims[depth + i - n_outer]);
  for (guint i = 0; i < depth && fits; i++)
    fits = data->dims[i] > 0 || shape_count (updates) == 0;
  if (!fits)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its updates don't fit its indices and data. The model is damaged.");
  infer_same (node, 0, 0);
  return TRUE;
}

static void
nd_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ScatterParams *params = step->node->params;
  const FoveaShape    *data = &step->in[0].shape, *indices = &step->in[1].shape;
  guint                n_outer = indices->n_dims - 1, depth = (guint) indices->dims[n_outer];
  gsize                n = shape_count_range (indices, 0, n_outer), inner = shape_count_range (data, depth, data->n_dims);

  copy_data (step);
  for (gsize k = 0; k < n; k++)
    {
      gsize at = 0;

      for (guint i = 0; i < depth; i++)
        at = at * (gsize) data->dims[i] + read_place (&step->in[1], k * depth + i, data->dims[i]);
      put (step, params->join, at * inner, k * inner, inner);
    }
}

static gboolean
nd_prepare (Step *step, GError **error)
{
  set_run (step, nd_run);
  return TRUE;
}

static const AttributeSpec scatter_attributes[] = { { "axis", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec elements_attributes[] = { { "axis", ATTRIBUTE_INT }, { "reduction", ATTRIBUTE_STRING }, { NULL } };
static const AttributeSpec nd_attributes[] = { { "reduction", ATTRIBUTE_STRING }, { NULL } };

const Operator scatter_operators[] = {
  { "Scatter", "", sizeof (ScatterParams), scatter_parse, elements_infer, NULL, elements_prepare, NULL, scatter_attributes },
  { "ScatterElements", "", sizeof (ScatterParams), scatter_parse, elements_infer, NULL, elements_prepare, NULL, elements_attributes },
  { "ScatterND", "", sizeof (ScatterParams), scatter_parse, nd_infer, NULL, nd_prepare, NULL, nd_attributes },
  { NULL },
};
