/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plan-print.c: the plan as `fovea info --plan` shows it: a line per step, then the life of each tensor in the arena.
 */

#include "compile/plan.h"

static void
append_value (GString *line, const TensorView *view)
{
  g_autofree char *shape = shape_to_string (&view->shape);

  g_string_append_printf (line, "%s%s", shape, view->layout == LAYOUT_BLOCKED ? " blocked" : "");
}

static void
append_steps (GString *text, const Plan *plan)
{
  g_string_append_printf (text, "%5s  %-20s %-26s %-34s %-34s %s\n", "step", "operator", "kernel", "in", "out", "layer");
  for (guint s = 0; s < plan->n_steps; s++)
    {
      const Step         *step = &plan->steps[s];
      g_autoptr (GString) in = g_string_new (NULL), out = g_string_new (NULL);

      if (step->n_inputs > 0 && step->in[0].value)
        append_value (in, &step->in[0]);
      if (step->n_outputs > 0 && step->out[0].value)
        append_value (out, &step->out[0]);
      g_string_append_printf (text, "%5u  %-20s %-26s %-34s %-34s %s\n", s, step->node->type, step->view >= 0 ? "view" : step->kernel, in->str,
                              out->str, step->node->name);
    }
}

static void
append_tensors (GString *text, const Plan *plan)
{
  g_string_append_printf (text, "\n%12s %12s  %-11s %s\n", "offset", "bytes", "steps", "tensor");
  for (guint i = 0; i < plan->tensors->len; i++)
    {
      const PlanTensor *tensor = &g_array_index (plan->tensors, PlanTensor, i);
      g_autofree char  *life = g_strdup_printf ("%d-%d", tensor->first, tensor->last);

      g_string_append_printf (text, "%12" G_GSIZE_FORMAT " %12" G_GSIZE_FORMAT "  %-11s %s", tensor->offset, tensor->bytes, life,
                              tensor->value->name);
      if (tensor->root != (gint) i)
        g_string_append_printf (text, " (in the memory of %s)", g_array_index (plan->tensors, PlanTensor, tensor->root).value->name);
      g_string_append_c (text, '\n');
    }
}

char *
plan_print (const Plan *plan)
{
  GString         *text = g_string_new (NULL);
  g_autofree char *arena = g_format_size_full (plan->arena_bytes, G_FORMAT_SIZE_IEC_UNITS);
  gsize            sum = 0;
  g_autofree char *unshared = NULL, *weights = g_format_size_full (plan->weight_bytes, G_FORMAT_SIZE_IEC_UNITS);

  for (guint i = 0; i < plan->tensors->len; i++)
    sum += g_array_index (plan->tensors, PlanTensor, i).bytes;
  unshared = g_format_size_full (sum, G_FORMAT_SIZE_IEC_UNITS);

  append_steps (text, plan);
  append_tensors (text, plan);
  g_string_append_printf (text, "\narena: %s for tensors of %s in all; weights: %s\n", arena, unshared, weights);
  return g_string_free (text, FALSE);
}
