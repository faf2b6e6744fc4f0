/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * infer.c: what the shape inference of many operators shares. See the end of operator.h.
 */

#include <stdarg.h>

#include "base/memory.h"
#include "ops/operator.h"

void
infer_set (const Node *node, guint output, FoveaType type, const FoveaShape *shape)
{
  Value *value = node_output (node, output);

  if (!value)
    return;
  value->type = type;
  value->has_rank = TRUE;
  value->shape = *shape;
}

void
infer_same (const Node *node, guint output, guint input)
{
  const Value *value = node_input (node, input);

  infer_set (node, output, value->type, &value->shape);
}

gboolean
infer_check_inputs (const Node *node, guint min, guint max, GError **error)
{
  if (node->inputs->len < min || node->inputs->len > max)
    return node_error (node, error, FOVEA_ERROR_MODEL,
                       "it has %u inputs where %u to %u belong. The model is damaged, or was written by a faulty exporter.",
                       node->inputs->len, min, max);
  for (guint i = 0; i < min; i++)
    if (!node_input (node, i))
      return node_error (node, error, FOVEA_ERROR_MODEL, "its input %u is missing. The model is damaged, or was written by a faulty exporter.",
                         i);
  return TRUE;
}

gboolean
infer_check_outputs (const Node *node, guint max, GError **error)
{
  if (node->outputs->len > max)
    return node_error (node, error, FOVEA_ERROR_MODEL,
                       "it has %u outputs where at most %u belong. The model is damaged, or was written by a faulty exporter.",
                       node->outputs->len, max);
  return TRUE;
}

gboolean
infer_check_type (const Node *node, guint i, GError **error, ...)
{
  FoveaType actual = node_input (node, i)->type, type;
  gboolean  found = FALSE;
  va_list   types;

  va_start (types, error);
  while (!found && (type = (FoveaType) va_arg (types, int)) != FOVEA_TYPE_NONE)
    found = type == actual;
  va_end (types);

  return found || node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                              "its input %u is of type %s, which this engine doesn't compute here. Convert the model to float32.", i,
                              type_name (actual));
}

gboolean
infer_broadcast (const Node *node, const FoveaShape *a, const FoveaShape *b, FoveaShape *out, GError **error)
{
  guint n_dims = MAX (a->n_dims, b->n_dims);

  out->n_dims = n_dims;
  for (guint i = 0; i < n_dims; i++)
    {
      gint64 first = i + a->n_dims >= n_dims ? a->dims[i + a->n_dims - n_dims] : 1;
      gint64 second = i + b->n_dims >= n_dims ? b->dims[i + b->n_dims - n_dims] : 1;

      if (first != second && first != 1 && second != 1)
        {
          g_autofree char *a_text = shape_to_string (a), *b_text = shape_to_string (b);

          return node_error (node, error, FOVEA_ERROR_SHAPE, "inputs of the shapes %s and %s don't fit together. Check the input's size.",
                             a_text, b_text);
        }
      out->dims[i] = first == 1 ? second : first;
    }
  return TRUE;
}

gboolean
infer_axis (const Node *node, gint64 axis, guint rank, guint *out, GError **error)
{
  if (axis < -(gint64) rank || axis >= (gint64) rank)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " doesn't exist in a tensor of %u dimensions.", axis, rank);
  *out = (guint) (axis < 0 ? axis + rank : axis);
  return TRUE;
}

gboolean
infer_ints (const Node *node, InferContext *context, guint i, const char *name, gint64 *values, gsize max, gssize *n, GError **error)
{
  const gint64 *attribute;
  gsize         count;

  *n = -1;
  if (node_input (node, i))
    {
      const FoveaTensor *tensor = context->constant (context, node, i, error);

      if (!tensor)
        return FALSE;
      count = shape_count (&tensor->shape);
      if (!type_is_integer (tensor->type) || count > max)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its input %u must be at most %" G_GSIZE_FORMAT " whole numbers.", i, max);
      tensor_read_int64 (tensor, 0, count, values);
      *n = (gssize) count;
    }
  else if (name && node_attribute (node, name))
    {
      count = node_ints (node, name, &attribute);
      if (count > max)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute %s has more than %" G_GSIZE_FORMAT " values.", name, max);
      for (gsize j = 0; j < count; j++)
        values[j] = attribute[j];
      *n = (gssize) count;
    }
  return TRUE;
}
