/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * block.c: the engine's own operators Block and Unblock, between plain images (N, C, H, W) and blocked ones (N, C/16, H, W, 16). The pass
 * block-layout puts them in; no model has them.
 */

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "ops/operator.h"

#define TASK_FLOATS 65536

typedef struct
{
  const Kernels *kernels;
  gsize          channels, n_pixels, n_chunks; /* chunks of pixels of an image */
} BlockState;

static gboolean
block_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE))
    return FALSE;
  if (node_input (node, 0)->shape.n_dims != 4)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "only images of two spatial dimensions have blocks.");
  infer_same (node, 0, 0);
  return TRUE;
}

static gboolean
block_blocked (const Node *node, BlockedForm *form)
{
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 0;
  form->outputs = 1u << 0;
  return TRUE;
}

static gboolean
unblock_blocked (const Node *node, BlockedForm *form)
{
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 1u << 0;
  form->outputs = 0;
  return TRUE;
}

static void
block_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BlockState *state = step->state;
  gboolean          is_block = step->out[0].layout == LAYOUT_BLOCKED;
  gsize             plain = state->channels * state->n_pixels, blocked = kernel_blocks (state->channels) * KERNEL_BLOCK * state->n_pixels;

  for (gsize task = first; task < last; task++)
    {
      gsize        image = task / state->n_chunks, chunk = task % state->n_chunks;
      gsize        begin = state->n_pixels * chunk / state->n_chunks, end = state->n_pixels * (chunk + 1) / state->n_chunks;
      const float *in = (const float *) step->in[0].data + image * (is_block ? plain : blocked);
      float       *out = (float *) step->out[0].data + image * (is_block ? blocked : plain);

      (is_block ? state->kernels->block : state->kernels->unblock) (in, out, state->channels, state->n_pixels, begin, end);
    }
}

static gboolean
block_prepare (Step *step, GError **error)
{
  const FoveaShape *shape = &step->out[0].shape;
  BlockState       *state = g_new0 (BlockState, 1);
  gsize             n_images = (gsize) shape->dims[0];

  step->state = state;
  step->free_state = g_free;
  state->kernels = kernels_get ();
  state->channels = (gsize) shape->dims[1];
  state->n_pixels = shape_count_range (shape, 2, 4);
  state->n_chunks = CLAMP (state->channels * state->n_pixels / TASK_FLOATS, 1, MAX (state->n_pixels, 1));
  step_set_run (step, "reorder", block_run, shape_count (shape) == 0 ? 0 : n_images * state->n_chunks, 1);
  return TRUE;
}

const Operator block_operators[] = {
  { "Block", "fovea", 0, NULL, block_infer, block_blocked, block_prepare, NULL },
  { "Unblock", "fovea", 0, NULL, block_infer, unblock_blocked, block_prepare, NULL },
  { NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL },
};
