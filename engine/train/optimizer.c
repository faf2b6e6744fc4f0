/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimizer.c: see optimizer.h.
 */

#include "train/optimizer.h"

#include <math.h>

#include "base/memory.h"

#define CHUNK 32768 /* numbers of a task */

typedef struct
{
  Parameter parameter;
  float    *momentum, *second, *average; /* NULL: not used */
} Slot;

/* A piece of a parameter. */
typedef struct
{
  guint  slot;
  gsize  first, last;
  double squares; /* of the gradient */
} Piece;

struct _Optimizer
{
  OptimizerSettings settings;
  Slot             *slots;
  guint             n_slots;
  GArray           *pieces;
  OptimizerRun      run;
  gpointer          runner;
  guint64           steps;
  double            rate, scale, keep; /* of this step: learning rate, what gradients are multiplied by, share that the average keeps */
};

static gboolean
add_slot (Optimizer *optimizer, const Parameter *parameter, GError **error)
{
  Slot *slot = &optimizer->slots[optimizer->n_slots];

  slot->parameter = *parameter;
  if (parameter->gradient && !(slot->momentum = memory_alloc_n (parameter->n, sizeof (float), "the optimizer", error)))
    return FALSE;
  if (parameter->gradient && optimizer->settings.kind == FOVEA_OPTIMIZER_ADAMW
      && !(slot->second = memory_alloc_n (parameter->n, sizeof (float), "the optimizer", error)))
    return FALSE;
  if (optimizer->settings.average > 0.0)
    {
      slot->average = memory_alloc_n (parameter->n, sizeof (float), "the average of the weights", error);
      if (!slot->average)
        return FALSE;
      for (gsize i = 0; i < parameter->n; i++)
        slot->average[i] = parameter->data[i];
    }
  for (gsize i = 0; i < parameter->n; i += CHUNK)
    {
      Piece piece = { optimizer->n_slots, i, MIN (i + CHUNK, parameter->n), 0.0 };

      g_array_append_val (optimizer->pieces, piece);
    }
  optimizer->n_slots++;
  return TRUE;
}

Optimizer *
optimizer_new (const OptimizerSettings *settings, const Parameter *parameters, guint n, OptimizerRun run, gpointer runner, GError **error)
{
  Optimizer *optimizer = g_new0 (Optimizer, 1);

  optimizer->settings = *settings;
  optimizer->slots = g_new0 (Slot, n + 1);
  optimizer->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  optimizer->run = run;
  optimizer->runner = runner;
  for (guint i = 0; i < n; i++)
    if (!add_slot (optimizer, &parameters[i], error))
      {
        optimizer->n_slots++;
        optimizer_free (optimizer);
        return NULL;
      }
  return optimizer;
}

void
optimizer_free (Optimizer *optimizer)
{
  if (!optimizer)
    return;
  for (guint i = 0; i < optimizer->n_slots; i++)
    {
      memory_free (optimizer->slots[i].momentum);
      memory_free (optimizer->slots[i].second);
      memory_free (optimizer->slots[i].average);
    }
  g_free (optimizer->slots);
  g_array_unref (optimizer->pieces);
  g_free (optimizer);
}

static void
sum_squares (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Optimizer *optimizer = data;

  for (gsize i = first; i < last; i++)
    {
      Piece       *piece = &g_array_index (optimizer->pieces, Piece, i);
      const float *gradient = optimizer->slots[piece->slot].parameter.gradient;
      double       sum[4] = { 0 };
      gsize        k = piece->first;

      for (; gradient && k + 4 <= piece->last; k += 4)
        for (gsize j = 0; j < 4; j++)
          sum[j] += (double) gradient[k + j] * gradient[k + j];
      for (; gradient && k < piece->last; k++)
        sum[0] += (double) gradient[k] * gradient[k];
      piece->squares = sum[0] + sum[1] + sum[2] + sum[3];
    }
}

static void
move_sgd (const Optimizer *optimizer, const Slot *slot, gsize first, gsize last)
{
  float        decay = slot->parameter.decays ? (float) optimizer->settings.weight_decay : 0.0f, momentum = (float) optimizer->settings.momentum;
  float        rate = (float) (optimizer->rate * slot->parameter.rate), scale = (float) optimizer->scale;
  float       *data = slot->parameter.data, *velocity = slot->momentum;
  const float *gradient = slot->parameter.gradient;

  for (gsize i = first; i < last; i++)
    {
      float g = gradient[i] * scale + decay * data[i];

      velocity[i] = momentum * velocity[i] + g;
      data[i] -= rate * (g + momentum * velocity[i]);
    }
}

static void
move_adamw (const Optimizer *optimizer, const Slot *slot, gsize first, gsize last)
{
  double       t = (double) optimizer->steps + 1.0, rate = optimizer->rate * slot->parameter.rate;
  float        beta1 = (float) optimizer->settings.momentum, beta2 = (float) optimizer->settings.second, scale = (float) optimizer->scale;
  float        shrink = (float) (slot->parameter.decays ? 1.0 - rate * optimizer->settings.weight_decay : 1.0);
  float        correct = (float) (1.0 / sqrt (1.0 - pow (optimizer->settings.second, t)));
  float        rate1 = (float) (rate / (1.0 - pow (optimizer->settings.momentum, t)));
  float       *data = slot->parameter.data, *m = slot->momentum, *v = slot->second;
  const float *gradient = slot->parameter.gradient;

  for (gsize i = first; i < last; i++)
    {
      float g = gradient[i] * scale;

      m[i] = beta1 * m[i] + (1.0f - beta1) * g;
      v[i] = beta2 * v[i] + (1.0f - beta2) * g * g;
      data[i] = data[i] * shrink - rate1 * m[i] / (sqrtf (v[i]) * correct + 1e-8f);
    }
}

static void
move_pieces (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Optimizer *optimizer = data;

  for (gsize i = first; i < last; i++)
    {
      const Piece *piece = &g_array_index (optimizer->pieces, Piece, i);
      const Slot  *slot = &optimizer->slots[piece->slot];
      float        keep = (float) optimizer->keep;

      if (slot->parameter.gradient && optimizer->settings.kind == FOVEA_OPTIMIZER_SGD)
        move_sgd (optimizer, slot, piece->first, piece->last);
      else if (slot->parameter.gradient)
        move_adamw (optimizer, slot, piece->first, piece->last);
      for (gsize k = piece->first; slot->average && k < piece->last; k++)
        slot->average[k] = keep * slot->average[k] + (1.0f - keep) * slot->parameter.data[k];
    }
}

gboolean
optimizer_step (Optimizer *optimizer, double learning_rate, double *norm)
{
  double squares = 0.0, length;

  optimizer->run (optimizer->runner, optimizer->pieces->len, sum_squares, optimizer);
  for (guint i = 0; i < optimizer->pieces->len; i++)
    squares += g_array_index (optimizer->pieces, Piece, i).squares;
  length = sqrt (squares);
  if (norm)
    *norm = length;
  if (!isfinite (length))
    return FALSE;

  optimizer->rate = learning_rate;
  optimizer->scale = optimizer->settings.clip > 0.0 && length > optimizer->settings.clip ? optimizer->settings.clip / length : 1.0;
  /* Young averages forget faster, so that they don't hang on the untrained start. */
  optimizer->keep = MIN (optimizer->settings.average, (1.0 + (double) optimizer->steps) / (10.0 + (double) optimizer->steps));
  optimizer->run (optimizer->runner, optimizer->pieces->len, move_pieces, optimizer);
  optimizer->steps++;
  return TRUE;
}

const float *
optimizer_get_average (const Optimizer *optimizer, const float *data)
{
  for (guint i = 0; i < optimizer->n_slots; i++)
    if (optimizer->slots[i].parameter.data == data && optimizer->slots[i].average)
      return optimizer->slots[i].average;
  return data;
}

float *
optimizer_get_state (Optimizer *optimizer, guint i, gsize *n)
{
  for (guint s = 0; s < optimizer->n_slots; s++)
    {
      float *blocks[] = { optimizer->slots[s].momentum, optimizer->slots[s].second, optimizer->slots[s].average };

      for (gsize b = 0; b < G_N_ELEMENTS (blocks); b++)
        if (blocks[b] && i-- == 0)
          {
            *n = optimizer->slots[s].parameter.n;
            return blocks[b];
          }
    }
  return NULL;
}

guint64
optimizer_get_steps (const Optimizer *optimizer)
{
  return optimizer->steps;
}

void
optimizer_set_steps (Optimizer *optimizer, guint64 steps)
{
  optimizer->steps = steps;
}
