/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step.c: what preparing a step takes of memory. See step.h.
 */

#include "ops/step.h"

#include "base/memory.h"

gboolean
step_hold (Step *step, gsize bytes, GError **error)
{
  g_autofree char *wanted = NULL, *left = NULL;

  if (bytes <= step->may_hold - step->held)
    {
      step->held += bytes;
      return TRUE;
    }
  wanted = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  left = g_format_size_full (step->may_hold - step->held, G_FORMAT_SIZE_IEC_UNITS);
  return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its weights and tables take %s, and %s are left of the memory allowed. Use a smaller model, or allow more.",
                     wanted, left);
}

gpointer
step_alloc (Step *step, gsize n_items, gsize item_size, GError **error)
{
  g_autofree char *what = g_strdup_printf ("the weights of layer “%s”", step->node->name);
  gsize            bytes;

  if (!g_size_checked_mul (&bytes, n_items, item_size))
    bytes = G_MAXSIZE;
  return step_hold (step, bytes, error) ? memory_alloc (bytes, what, error) : NULL;
}

float *
step_constant_floats (const Step *step, guint input, GError **error)
{
  const FoveaTensor *tensor = step->in[input].value->constant;
  gsize              count = shape_count (&tensor->shape);
  float             *floats = memory_alloc_n (count, sizeof (float), "weights", error);

  if (floats)
    tensor_read_float (tensor, 0, count, floats);
  return floats;
}
