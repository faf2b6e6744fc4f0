/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * power.c: Pow, whose base and exponent may be of different types. Squares and roots with a constant exponent have loops of their own. Plain only.
 */

#include <math.h>

#include "base/tensor.h"
#include "ops/broadcast.h"
#include "ops/element.h"
#include "ops/families.h"

static gboolean
power_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *base, *exponent;
  FoveaShape   shape;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  base = node_input (node, 0);
  exponent = node_input (node, 1);
  if (base->type == FOVEA_TYPE_BOOL || exponent->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it can't raise bools to a power. The model is damaged.");
  if (!infer_broadcast (node, &base->shape, &exponent->shape, &shape, error))
    return FALSE;
  infer_set (node, 0, base->type, &shape);
  return TRUE;
}

/* By squaring, wrapping as integers do; a negative exponent gives what 1 / x is rounded to. */
static guint64
integer_power (gint64 base, gint64 exponent)
{
  guint64 power = 1, factor = (guint64) base;

  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent & 1 ? (guint64) -1 : 1) : 0;
  for (; exponent; exponent >>= 1, factor *= factor)
    if (exponent & 1)
      power *= factor;
  return power;
}

static void
power_one (const Step *step, gsize a, gsize b, gsize out)
{
  if (step->in[0].type == FOVEA_TYPE_FLOAT32)
    ((float *) step->out[0].data)[out] = (float) pow (((const float *) step->in[0].data)[a], element_read_number (&step->in[1], b));
  else if (step->in[0].type == FOVEA_TYPE_FLOAT64)
    ((double *) step->out[0].data)[out] = pow (((const double *) step->in[0].data)[a], element_read_number (&step->in[1], b));
  else if (type_is_integer (step->in[1].type))
    element_write_integer (&step->out[0], out, integer_power (element_read_integer (&step->in[0], a), element_read_integer (&step->in[1], b)));
  else
    {
      double power = pow (element_read_number (&step->in[0], a), element_read_number (&step->in[1], b));

      element_write_integer (&step->out[0], out, (guint64) (gint64) (isfinite (power) ? CLAMP (power, -9e18, 9e18) : 0));
    }
}

static void
power_run (const Step *step, gsize first, gsize last, guint thread)
{
  for (gsize task = first; task < last; task++)
    {
      BroadcastPiece piece;
      const float   *in;
      float         *out, exponent;

      broadcast_piece (step->state, task, &piece);
      in = (const float *) step->in[0].data + piece.in[0];
      out = (float *) step->out[0].data + piece.out;
      exponent = step->in[1].type == FOVEA_TYPE_FLOAT32 ? ((const float *) step->in[1].data)[piece.in[1]] : 0;
      if (step->in[0].type == FOVEA_TYPE_FLOAT32 && piece.step[0] == 1 && piece.step[1] == 0 && exponent == 2.0f)
        for (gsize i = 0; i < piece.n; i++)
          out[i] = in[i] * in[i];
      else if (step->in[0].type == FOVEA_TYPE_FLOAT32 && piece.step[0] == 1 && piece.step[1] == 0 && exponent == 3.0f)
        for (gsize i = 0; i < piece.n; i++)
          out[i] = in[i] * in[i] * in[i];
      else
        for (gsize i = 0; i < piece.n; i++)
          power_one (step, piece.in[0] + i * piece.step[0], piece.in[1] + i * piece.step[1], piece.out + i);
    }
}

static gboolean
power_prepare (Step *step, GError **error)
{
  Broadcast        *broadcast = g_new0 (Broadcast, 1);
  const FoveaShape *shapes[] = { &step->in[0].shape, &step->in[1].shape };

  broadcast_init (broadcast, &step->out[0].shape, shapes, 2);
  step->state = broadcast;
  step->free_state = g_free;
  step_set_run (step, "plain", power_run, broadcast->n_tasks, broadcast->grain);
  if (shape_equal (shapes[0], &step->out[0].shape))
    step->in_place = 0;
  return TRUE;
}

const Operator power_operators[] = {
  { "Pow", "", 0, NULL, power_infer, NULL, power_prepare, NULL },
  { NULL },
};
