/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * broadcast.c: see broadcast.h.
 */

#include "ops/broadcast.h"

static void
input_strides (const FoveaShape *out, const FoveaShape *in, gint64 *strides)
{
  gint64 stride = 1;

  for (guint i = out->n_dims; i-- > 0;)
    {
      gint64 size = i + in->n_dims >= out->n_dims ? in->dims[i + in->n_dims - out->n_dims] : 1;

      strides[i] = size == 1 ? 0 : stride;
      stride *= MAX (size, 1);
    }
}

/* Whether dimension i and the merged one before it are walked alike by all inputs. */
static gboolean
can_merge (const Broadcast *broadcast, guint i, const gint64 strides[][FOVEA_MAX_DIMS], gint64 size)
{
  for (guint k = 0; k < broadcast->n_inputs; k++)
    if (broadcast->strides[k][broadcast->n_dims - 1] != strides[k][i] * size)
      return FALSE;
  return TRUE;
}

void
broadcast_init (Broadcast *broadcast, const FoveaShape *out, const FoveaShape *const *in, guint n_inputs)
{
  gint64 strides[BROADCAST_MAX_INPUTS][FOVEA_MAX_DIMS] = { { 0 } };
  gsize  rows = 1;

  *broadcast = (Broadcast){ .n_inputs = n_inputs };
  for (guint k = 0; k < n_inputs; k++)
    input_strides (out, in[k], strides[k]);

  for (guint i = 0; i < out->n_dims; i++)
    {
      gint64 size = out->dims[i];

      if (size == 1)
        continue;
      if (broadcast->n_dims > 0 && can_merge (broadcast, i, strides, size))
        broadcast->dims[broadcast->n_dims - 1] *= size;
      else
        broadcast->dims[broadcast->n_dims++] = size;
      for (guint k = 0; k < n_inputs; k++)
        broadcast->strides[k][broadcast->n_dims - 1] = strides[k][i];
    }
  if (broadcast->n_dims == 0)
    {
      broadcast->dims[broadcast->n_dims++] = 1;
      for (guint k = 0; k < n_inputs; k++)
        broadcast->strides[k][0] = 0;
    }

  broadcast->row = (gsize) broadcast->dims[broadcast->n_dims - 1];
  broadcast->chunks = (broadcast->row + BROADCAST_CHUNK - 1) / BROADCAST_CHUNK;
  for (guint i = 0; i + 1 < broadcast->n_dims; i++)
    rows *= (gsize) broadcast->dims[i];
  broadcast->n_tasks = rows * broadcast->chunks;
  broadcast->grain = BROADCAST_CHUNK / CLAMP (broadcast->row, 1, BROADCAST_CHUNK);
}

void
broadcast_piece (const Broadcast *broadcast, gsize task, BroadcastPiece *piece)
{
  gsize row = task / broadcast->chunks, first = task % broadcast->chunks * BROADCAST_CHUNK;
  guint last = broadcast->n_dims - 1;

  piece->n = MIN (broadcast->row - first, (gsize) BROADCAST_CHUNK);
  piece->out = row * broadcast->row + first;
  for (guint k = 0; k < broadcast->n_inputs; k++)
    {
      piece->step[k] = (gsize) broadcast->strides[k][last];
      piece->in[k] = first * piece->step[k];
    }
  for (guint i = last; i-- > 0;)
    {
      gsize size = (gsize) broadcast->dims[i], at = row % size;

      row /= size;
      for (guint k = 0; k < broadcast->n_inputs; k++)
        piece->in[k] += at * (gsize) broadcast->strides[k][i];
    }
}
