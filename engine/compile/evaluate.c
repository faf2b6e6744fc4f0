/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate.c: a node, run once on constants with the plain reference path. See evaluate.h.
 */

#include "compile/evaluate.h"

#include <string.h>

#include "base/memory.h"
#include "compile/step-make.h"

/* Larger results are computed anew at each run rather than kept: folding must not blow up a model that expands a constant. */
#define MAX_FOLDED_BYTES (64 << 20)

/* These look at their input's shape only. */
static gboolean
reads_values (const Node *node)
{
  return *node->domain || (strcmp (node->type, "Shape") != 0 && strcmp (node->type, "Size") != 0);
}

gboolean
evaluate_can (const Node *node)
{
  for (guint i = 0; i < node->inputs->len; i++)
    {
      const Value *value = node_input (node, i);

      if (value && !value->constant && (reads_values (node) || !value->has_rank || !shape_is_known (&value->shape)))
        return FALSE;
    }
  for (guint i = 0; i < node->outputs->len; i++)
    {
      const Value *value = node_output (node, i);
      gsize        bytes;

      if (value && (value->dynamic || !value->has_rank || !shape_bytes_checked (&value->shape, value->type, &bytes) || bytes > MAX_FOLDED_BYTES))
        return FALSE;
    }
  return TRUE;
}

static gboolean
run_step (Step *step, GError **error)
{
  gpointer scratch = memory_alloc (step->scratch_size, "scratch", error);
  gpointer workspace = memory_alloc (step->workspace_size, "scratch", error);

  if (scratch && workspace)
    {
      step->scratch = scratch;
      step->workspace = workspace;
      for (guint i = 0; i < step->n_phases; i++)
        if (step->phase[i].n_tasks > 0)
          step->phase[i].run (step, 0, step->phase[i].n_tasks, 0);
    }
  memory_free (scratch);
  memory_free (workspace);
  return scratch && workspace;
}

static gboolean
make_outputs (Step *step, FoveaTensor **outputs, GError **error)
{
  for (guint i = 0; i < step->n_outputs; i++)
    if (step->out[i].value)
      {
        outputs[i] = fovea_tensor_new (step->out[i].type, &step->out[i].shape, error);
        if (!outputs[i])
          return FALSE;
        step->out[i].data = outputs[i]->data;
      }
  return TRUE;
}

gboolean
evaluate_node (const Node *node, GError **error)
{
  g_autofree FoveaTensor **outputs = g_new0 (FoveaTensor *, node->outputs->len + 1);
  Step                     step;
  gboolean                 ok = step_make (&step, node, TRUE, 1, G_MAXSIZE, error) && make_outputs (&step, outputs, error);

  ok = ok && run_step (&step, error); /* never a view: those of constants are copies */

  for (guint i = 0; i < node->outputs->len; i++)
    if (ok && outputs[i])
      {
        Value *value = node_output (node, i);

        g_clear_pointer (&value->constant, fovea_tensor_unref);
        value->constant = outputs[i];
      }
    else
      fovea_tensor_unref (outputs[i]);
  step_clear (&step);
  return ok;
}
