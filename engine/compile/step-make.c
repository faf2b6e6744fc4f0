/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step-make.c: views on a node's values, constants in the form that run functions read. See step-make.h.
 */

#include "compile/step-make.h"

#include <string.h>

#include "model/mapping.h"
#include "ops/operator.h"

/* A constant as the steps read it: aligned, and of the value's type (float16 is computed as float32). A new reference. */
static FoveaTensor *
constant_for_step (Step *step, const Value *value, GError **error)
{
  FoveaTensor *constant = value->constant, *wide;
  gsize        bytes = 0;

  if (constant->type == value->type && tensor_is_aligned (constant))
    return fovea_tensor_ref (constant);
  if (!shape_bytes_checked (&constant->shape, value->type, &bytes) || !step_hold (step, bytes, error))
    return NULL;
  if (constant->type == value->type)
    return tensor_aligned (constant, error);

  wide = fovea_tensor_new (value->type, &constant->shape, error);
  if (wide)
    tensor_read_float (constant, 0, shape_count (&constant->shape), wide->data);
  return wide;
}

static void
view_value (TensorView *view, Value *value)
{
  memset (view, 0, sizeof *view);
  if (!value)
    return;
  view->value = value;
  view->type = value->type;
  view->layout = value->layout;
  view->shape = value->shape;
}

/* Replaces the constants that prepare has not packed by what run can read; the file's pages of those that it has packed may go. One widened copy
 * serves all steps: it takes the constant's place. */
static gboolean
settle_constants (Step *step, GError **error)
{
  for (guint i = 0; i < step->n_inputs; i++)
    {
      TensorView  *view = &step->in[i];
      FoveaTensor *settled;

      if (!view->value || !view->value->constant)
        continue;
      if (view->packed)
        {
          mapping_release_pages (view->value->constant);
          continue;
        }
      settled = constant_for_step (step, view->value, error);
      if (!settled)
        return FALSE;
      fovea_tensor_unref (view->value->constant);
      view->value->constant = settled;
      view->data = settled->data;
    }
  return TRUE;
}

static void
copy_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize n = shape_count (&step->out[0].shape) * type_size (step->out[0].type);

  if (n > 0)
    memcpy (step->out[0].data, step->in[0].data, n);
}

/* Constants and variables aren't in the arena, so that nothing there can be a view of them. */
static void
copy_viewed_constant (Step *step)
{
  if (step->view != 0 || !(step->in[0].value->constant || step->in[0].value->variable))
    return;
  step->view = -1;
  step_set_run (step, "copy", copy_run, 1, 1);
}

gboolean
step_make (Step *step, const Node *node, gboolean reference, guint n_threads, gsize may_hold, GError **error)
{
  memset (step, 0, sizeof *step);
  step->node = node;
  step->may_hold = may_hold;
  step->kernel = "";
  step->reference = reference;
  step->n_threads = n_threads;
  step->in_place = -1;
  step->view = -1;
  step->n_inputs = node->inputs->len;
  step->n_outputs = node->outputs->len;
  step->in = g_new0 (TensorView, step->n_inputs + 1);
  step->out = g_new0 (TensorView, step->n_outputs + 1);

  for (guint i = 0; i < step->n_inputs; i++)
    {
      view_value (&step->in[i], node_input (node, i));
      if (step->in[i].value && step->in[i].value->constant && tensor_is_aligned (step->in[i].value->constant))
        step->in[i].data = step->in[i].value->constant->data;
      else if (step->in[i].value && step->in[i].value->variable)
        step->in[i].data = step->in[i].value->variable->data;
    }
  for (guint i = 0; i < step->n_outputs; i++)
    view_value (&step->out[i], node_output (node, i));

  if (!node->op->prepare (step, error))
    return FALSE;
  copy_viewed_constant (step);
  return settle_constants (step, error);
}

void
step_clear (Step *step)
{
  if (step->free_state && step->state)
    step->free_state (step->state);
  g_free (step->in);
  g_free (step->out);
  memset (step, 0, sizeof *step);
}
