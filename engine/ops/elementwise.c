/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * elementwise.c: see elementwise.h.
 */

#include "ops/elementwise.h"

#include "kernels/kernels.h"

gsize
elementwise_count (const Step *step)
{
  FoveaShape shape = step->in[0].shape;

  if (step->in[0].layout == LAYOUT_BLOCKED)
    shape.dims[1] = (gint64) kernel_blocks ((gsize) shape.dims[1]) * KERNEL_BLOCK;
  return shape_count (&shape);
}

void
elementwise_set_run (Step *step, const char *kernel, StepRun run)
{
  step_set_run (step, kernel, run, (elementwise_count (step) + ELEMENTWISE_CHUNK - 1) / ELEMENTWISE_CHUNK, 1);
  if (type_size (step->in[0].type) == type_size (step->out[0].type))
    step->in_place = 0;
}

gboolean
elementwise_blocked (const Node *node, BlockedForm *form)
{
  const Value *in = node_input (node, 0), *out = node_output (node, 0);

  if (in->type != FOVEA_TYPE_FLOAT32 || out->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4)
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

void
elementwise_clear_tail (const TensorView *view, gsize first, gsize last)
{
  gsize  blocks, used, plane;
  float *data = view->data;

  if (view->layout != LAYOUT_BLOCKED)
    return;
  blocks = kernel_blocks ((gsize) view->shape.dims[1]);
  used = (gsize) view->shape.dims[1] % KERNEL_BLOCK;
  plane = (gsize) (view->shape.dims[2] * view->shape.dims[3]) * KERNEL_BLOCK;
  if (used == 0)
    return;
  for (gsize i = first / KERNEL_BLOCK * KERNEL_BLOCK; i < last; i += KERNEL_BLOCK)
    if (i / plane % blocks == blocks - 1)
      for (gsize lane = used; lane < KERNEL_BLOCK; lane++)
        data[i + lane] = 0.0f;
}
