/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize-image.c: the resize of images, plain or in blocks, through the tables of height and width. Pixels are `lanes` floats, 1 or 16.
 *
 * Rows are made in the order that is less to do: an image that grows in height has each of its rows widened once, and each output row is then a sum
 * of widened rows, number by number. The few widened rows that output rows are made of lie in a ring:
 *
 *     input row p ──widen──▶ ring[p mod n]           out row = weight ring[p] + weight ring[p + 1]
 *
 * One that shrinks has its rows summed first, and only the sum is narrowed. Which way is taken depends on the shapes alone.
 */

#include <string.h>

#include "kernels/kernels.h"
#include "ops/resize.h"

#define TASK_FLOATS 32768 /* of the output */

/* out = the sum of the rows that a tap names, each times its weight: rows of n floats that lie in turn in `n_rows` places. */
static void
sum_rows (const Axis *axis, const Tap *tap, const float *rows, gsize n_rows, gsize n, float *restrict out)
{
  const gint64 *positions = axis->positions + tap->first;
  const double *weights = axis->weights + tap->first;

  if (tap->n == 2) /* linear, most often */
    {
      const float *row = rows + (gsize) positions[0] % n_rows * n, *other = rows + (gsize) positions[1] % n_rows * n;
      const float  weight = (float) weights[0], other_weight = (float) weights[1];

      for (gsize x = 0; x < n; x++)
        out[x] = weight * row[x] + other_weight * other[x];
      return;
    }
  for (guint i = 0; i < tap->n; i++)
    {
      const float *row = rows + (gsize) positions[i] % n_rows * n;
      const float  weight = (float) weights[i];

      if (i == 0)
        for (gsize x = 0; x < n; x++)
          out[x] = weight * row[x];
      else
        for (gsize x = 0; x < n; x++)
          out[x] += weight * row[x];
    }
}

/* Along one row. */
static void
resize_row (const Axis *axis, const float *row, gsize lanes, gsize out_width, float *restrict out)
{
  for (gsize x = 0; x < out_width; x++)
    {
      const Tap    *tap = &axis->taps[x];
      const gint64 *positions = axis->positions + tap->first;
      const double *weights = axis->weights + tap->first;

      if (lanes == 1 && tap->n == 2)
        {
          out[x] = (float) weights[0] * row[positions[0]] + (float) weights[1] * row[positions[1]];
          continue;
        }
      for (guint i = 0; i < tap->n; i++)
        {
          const float *source = row + (gsize) positions[i] * lanes;
          float        weight = (float) weights[i];

          for (gsize lane = 0; lane < lanes; lane++)
            out[x * lanes + lane] = i == 0 ? weight * source[lane] : out[x * lanes + lane] + weight * source[lane];
        }
    }
}

/* The widened rows that a thread holds: numbers of the input rows, then the rows. */
typedef struct
{
  gsize *held;
  float *rows;
} Ring;

#define RING_HELD_BYTES(n) (((n) * sizeof (gsize) + 63) / 64 * 64)

static void
ring_empty (const Ring *ring, gsize n)
{
  for (gsize i = 0; i < n; i++)
    ring->held[i] = G_MAXSIZE;
}

/* Widens those rows of the plane that the tap names and the ring hasn't. */
static void
ring_fill (const Ring *ring, const ResizeState *state, const Tap *tap, const float *plane, gsize in_width, gsize lanes, gsize out_width)
{
  for (guint i = tap->first; i < tap->first + tap->n; i++)
    {
      gsize row = (gsize) state->axes[2].positions[i], place = row % state->n_ring;

      if (ring->held[place] == row)
        continue;
      ring->held[place] = row;
      resize_row (&state->axes[3], plane + row * in_width * lanes, lanes, out_width, ring->rows + place * out_width * lanes);
    }
}

/* Nearest: a row that comes from the same place as the one before is copied from it. */
static void
nearest_row (const ResizeState *state, const float *plane, gsize in_width, gsize lanes, gsize y, gsize out_width, float *out, gboolean repeated)
{
  const Axis  *vertical = &state->axes[2], *horizontal = &state->axes[3];
  const float *source = plane + (gsize) vertical->positions[vertical->taps[y].first] * in_width * lanes;

  if (repeated)
    {
      memcpy (out, out - out_width * lanes, out_width * lanes * sizeof (float));
      return;
    }
  for (gsize x = 0; x < out_width; x++)
    {
      const float *pixel = source + (gsize) horizontal->positions[horizontal->taps[x].first] * lanes;

      for (gsize lane = 0; lane < lanes; lane++)
        out[x * lanes + lane] = pixel[lane];
    }
}

/* A task is a row of one plane (of one block). */
static void
image_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ResizeState *state = step->state;
  const FoveaShape  *in = &step->in[0].shape, *out = &step->out[0].shape;
  const Axis        *vertical = &state->axes[2];
  gsize              lanes = step->in[0].layout == LAYOUT_BLOCKED ? KERNEL_BLOCK : 1, in_height = (gsize) in->dims[2], in_width = (gsize) in->dims[3];
  gsize              height = (gsize) out->dims[2], width = (gsize) out->dims[3];
  guint8            *scratch = step_scratch (step, thread);
  Ring               ring = { (gsize *) (gpointer) scratch, (float *) (gpointer) (scratch + RING_HELD_BYTES (state->n_ring)) };

  for (gsize task = first; task < last; task++)
    {
      gsize        y = task % height;
      const Tap   *tap = &vertical->taps[y];
      const float *plane = (const float *) step->in[0].data + task / height * in_height * in_width * lanes;
      float       *target = (float *) step->out[0].data + task * width * lanes;

      if (state->nearest)
        nearest_row (state, plane, in_width, lanes, y, width, target,
                     task > first && y > 0 && vertical->positions[tap->first] == vertical->positions[vertical->taps[y - 1].first]);
      else if (state->n_ring > 0)
        {
          if (task == first || y == 0)
            ring_empty (&ring, state->n_ring);
          ring_fill (&ring, state, tap, plane, in_width, lanes, width);
          sum_rows (vertical, tap, ring.rows, state->n_ring, width * lanes, target);
        }
      else
        {
          sum_rows (vertical, tap, plane, in_height, in_width * lanes, ring.rows);
          resize_row (&state->axes[3], ring.rows, lanes, width, target);
        }
    }
}

/* The most rows, from the first to the last, that one output row is made of. */
static gsize
reach (const Axis *axis, gsize n)
{
  gsize most = 1;

  for (gsize i = 0; i < n; i++)
    {
      const gint64 *positions = axis->positions + axis->taps[i].first;

      most = MAX (most, (gsize) (positions[axis->taps[i].n - 1] - positions[0]) + 1);
    }
  return most;
}

void
resize_image_prepare (Step *step, gboolean nearest)
{
  const FoveaShape *in = &step->in[0].shape, *out = &step->out[0].shape;
  ResizeState      *state = step->state;
  gsize             lanes = step->in[0].layout == LAYOUT_BLOCKED ? KERNEL_BLOCK : 1, width = (gsize) out->dims[3] * lanes;
  gsize             planes = (gsize) in->dims[0] * (lanes == 1 ? (gsize) in->dims[1] : kernel_blocks ((gsize) in->dims[1]));

  state->nearest = nearest;
  if (!nearest && out->dims[2] >= in->dims[2])
    state->n_ring = reach (&state->axes[2], (gsize) out->dims[2]);
  if (!nearest)
    step->scratch_size = RING_HELD_BYTES (state->n_ring) + (state->n_ring > 0 ? state->n_ring * width : (gsize) in->dims[3] * lanes) * sizeof (float);
  step_set_run (step, lanes == 1 ? "image" : "image blocked", image_run, shape_count (out) ? planes * (gsize) out->dims[2] : 0,
                1 + TASK_FLOATS / MAX (width, 1));
}
