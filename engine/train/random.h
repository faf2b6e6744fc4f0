/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.h: numbers that depend on nothing but a seed and how many were drawn (SplitMix64: Steele, Lea & Flood 2014). A stream is a single number, so that a
 * photo of an epoch has its own: the same in whatever order, and by whichever thread, photos are made ready.
 */
#pragma once

#include <glib.h>
#include <math.h>

typedef struct
{
  guint64 state;
} Random;

static inline guint64
random_next (Random *random)
{
  guint64 z = (random->state += G_GUINT64_CONSTANT (0x9E3779B97F4A7C15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* The stream of a seed and up to two places in it (an epoch and a photo). */
static inline Random
random_stream (guint64 seed, guint64 first, guint64 second)
{
  Random random = { seed };

  random.state = random_next (&random) ^ first;
  random.state = random_next (&random) ^ second;
  random_next (&random);
  return random;
}

/* At least `low`, below `high`. */
static inline double
random_between (Random *random, double low, double high)
{
  return low + (high - low) * (double) (random_next (random) >> 11) * 0x1p-53;
}

/* 0 … n - 1; n at least 1. */
static inline guint64
random_below (Random *random, guint64 n)
{
  return (guint64) random_between (random, 0.0, (double) n);
}

static inline gboolean
random_chance (Random *random, double probability)
{
  return random_between (random, 0.0, 1.0) < probability;
}

/* Of mean 0 and deviation 1 (Box & Muller 1958). */
static inline double
random_normal (Random *random)
{
  double radius = sqrt (-2.0 * log (1.0 - random_between (random, 0.0, 1.0)));

  return radius * cos (2.0 * G_PI * random_between (random, 0.0, 1.0));
}

/* Puts 0 … n - 1 in an order of chance. */
static inline void
random_shuffle (Random *random, guint *items, guint n)
{
  for (guint i = n; i > 1; i--)
    {
      guint k = (guint) random_below (random, i), kept = items[i - 1];

      items[i - 1] = items[k];
      items[k] = kept;
    }
}
