/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pick-channels.c: the engine's own operator PickChannels: images (N, Ci, H, W) to one image whose channels are any of theirs, in any order. The
 * pass fold-shuffles puts it where a network joins images, shuffles their channels and takes the result apart again; no model has it.
 *
 *   channels   for each channel of the output: its number among those of all inputs, one after the other
 */

#include <string.h>

#include "kernels/kernels.h"
#include "ops/families.h"

/* Numbers that a task moves. */
#define TASK_FLOATS 32768

typedef struct
{
  gsize n_channels;      /* of the output */
  gsize n_blocks, n_pixels, n_chunks; /* blocks of channels (plain: channels), pixels of an image, chunks of pixels */
  guint *input;          /* of each channel: which input, … */
  gsize *channel;        /* … and which of its channels */
} PickState;

static gboolean
pick_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape    shape;
  const gint64 *channels;
  gint64        n_all = 0;
  gsize         n = node_ints (node, "channels", &channels);

  if (!infer_check_inputs (node, 1, 31, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE))
    return FALSE;
  shape = node_input (node, 0)->shape;
  for (guint i = 0; i < node->inputs->len; i++)
    n_all += node_input (node, i)->shape.n_dims == 4 ? node_input (node, i)->shape.dims[1] : 0;
  for (gsize i = 0; i < n; i++)
    if (channels[i] < 0 || channels[i] >= n_all)
      return node_error (node, error, FOVEA_ERROR_SHAPE, "it picks a channel that isn't there.");
  shape.dims[1] = (gint64) n;
  infer_set (node, 0, FOVEA_TYPE_FLOAT32, &shape);
  return TRUE;
}

static gboolean
pick_blocked (const Node *node, BlockedForm *form)
{
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = (1u << node->inputs->len) - 1;
  form->outputs = 1;
  return TRUE;
}

static void
pick_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PickState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize       image = task / state->n_channels, k = task % state->n_channels;
      const TensorView *in = &step->in[state->input[k]];

      memcpy ((float *) step->out[0].data + task * state->n_pixels,
              (const float *) in->data + (image * (gsize) in->shape.dims[1] + state->channel[k]) * state->n_pixels, state->n_pixels * sizeof (float));
    }
}

/* n lanes of each of n_pixels pixels, from where `from` says; the others become zero. n is a constant where whole blocks are moved. */
static inline void
pick_lanes (const float *const from[KERNEL_BLOCK], gsize n, gsize n_pixels, float *out)
{
  for (gsize at = 0; at < n_pixels * KERNEL_BLOCK; at += KERNEL_BLOCK)
    {
      for (gsize lane = 0; lane < n; lane++)
        out[at + lane] = from[lane][at];
      for (gsize lane = n; lane < KERNEL_BLOCK; lane++)
        out[at + lane] = 0;
    }
}

/* A task is a chunk of the pixels of a block. */
static void
pick_blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  const PickState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize        chunk = task % state->n_chunks, block = task / state->n_chunks % state->n_blocks, image = task / state->n_chunks / state->n_blocks;
      gsize        begin = state->n_pixels * chunk / state->n_chunks, end = state->n_pixels * (chunk + 1) / state->n_chunks;
      gsize        n = MIN (state->n_channels - block * KERNEL_BLOCK, KERNEL_BLOCK);
      const float *from[KERNEL_BLOCK];
      float       *out = (float *) step->out[0].data + ((image * state->n_blocks + block) * state->n_pixels + begin) * KERNEL_BLOCK;

      for (gsize lane = 0; lane < n; lane++)
        {
          gsize             k = block * KERNEL_BLOCK + lane, channel = state->channel[k];
          const TensorView *in = &step->in[state->input[k]];
          gsize             in_block = image * kernel_blocks ((gsize) in->shape.dims[1]) + channel / KERNEL_BLOCK;

          from[lane] = (const float *) in->data + (in_block * state->n_pixels + begin) * KERNEL_BLOCK + channel % KERNEL_BLOCK;
        }
      if (n == KERNEL_BLOCK)
        pick_lanes (from, KERNEL_BLOCK, end - begin, out);
      else
        pick_lanes (from, n, end - begin, out);
    }
}

static void
state_free (gpointer data)
{
  PickState *state = data;

  g_free (state->input);
  g_free (state->channel);
  g_free (state);
}

static gboolean
pick_prepare (Step *step, GError **error)
{
  const FoveaShape *shape = &step->out[0].shape;
  PickState        *state = g_new0 (PickState, 1);
  const gint64     *channels;
  gsize             n_images = (gsize) shape->dims[0];

  step->state = state;
  step->free_state = state_free;
  state->n_channels = node_ints (step->node, "channels", &channels);
  state->n_pixels = shape_count_range (shape, 2, 4);
  state->input = g_new0 (guint, state->n_channels + 1);
  state->channel = g_new0 (gsize, state->n_channels + 1);
  for (gsize k = 0; k < state->n_channels; k++)
    {
      gint64 channel = channels[k];

      while (channel >= step->in[state->input[k]].shape.dims[1])
        channel -= step->in[state->input[k]++].shape.dims[1];
      state->channel[k] = (gsize) channel;
    }
  if (step->out[0].layout == LAYOUT_PLAIN)
    {
      step_set_run (step, "pick", pick_run, n_images * state->n_channels, 1 + TASK_FLOATS / MAX (state->n_pixels, 1));
      return TRUE;
    }
  state->n_blocks = kernel_blocks (state->n_channels);
  state->n_chunks = CLAMP (state->n_pixels * KERNEL_BLOCK / TASK_FLOATS, 1, MAX (state->n_pixels, 1));
  step_set_run (step, "pick lanes", pick_blocked_run, n_images * state->n_blocks * state->n_chunks,
                1 + TASK_FLOATS / MAX (state->n_pixels * KERNEL_BLOCK, 1));
  return TRUE;
}

static const AttributeSpec pick_attributes[] = { { "channels", ATTRIBUTE_INTS }, { NULL } };

const Operator pick_channels_operators[] = {
  { "PickChannels", "fovea", 0, NULL, pick_infer, pick_blocked, pick_prepare, NULL, pick_attributes },
  { NULL },
};
