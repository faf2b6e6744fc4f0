/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * limits.c: what this machine can do at most, measured: multiply-adds in registers, reads from memory. Shares of these tell what a step could still gain.
 */

#include <time.h>

#include "base/memory.h"
#include "base/pool.h"
#include "fovea.h"
#include "kernels/kernels.h"

#define ROUNDS      7
#define ROUND_MACS  (16 * 1000 * 1000)          /* of a thread: some milliseconds */
#define READ_FLOATS ((gsize) 16 * 1024 * 1024)  /* of a thread: 64 MiB, past any cache */

typedef struct
{
  const Kernels *kernels;
  float         *data;       /* NULL: arithmetic */
  double         macs;       /* of a task */
} Probe;

static double
seconds (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
probe_run (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Probe *probe = data;

  for (gsize i = first; i < last; i++)
    {
      float sums[KERNEL_BLOCK];

      if (probe->data)
        probe->data[i * READ_FLOATS] = probe->kernels->sum (probe->data + i * READ_FLOATS, READ_FLOATS);
      else
        probe->kernels->multiply_adds (ROUND_MACS, sums);
    }
}

/* The shortest of some rounds, a task for each thread. */
static double
shortest (Pool *pool, const Probe *probe)
{
  double least = G_MAXDOUBLE;

  for (int i = 0; i < ROUNDS; i++)
    {
      double before = seconds ();

      pool_run (pool, pool_get_threads (pool), 1, probe_run, probe, NULL);
      least = MIN (least, seconds () - before);
    }
  return least;
}

gboolean
fovea_measure_limits (guint n_threads, FoveaLimits *limits, GError **error)
{
  g_autoptr (Pool) pool = pool_new (n_threads, error);
  Probe            probe = { .kernels = kernels_get () };
  double           n;

  if (!pool)
    return FALSE;
  n = pool_get_threads (pool);
  limits->gflops = 2e-9 * n * (double) ROUND_MACS / shortest (pool, &probe);

  probe.data = memory_alloc_n ((gsize) n * READ_FLOATS, sizeof (float), "measuring the memory", error);
  if (!probe.data)
    return FALSE;
  for (gsize i = 0; i < (gsize) n * READ_FLOATS; i += 512) /* pages that nothing was written to are all one */
    probe.data[i] = 1;
  limits->gbytes = 1e-9 * n * (double) READ_FLOATS * sizeof (float) / shortest (pool, &probe);
  memory_free (probe.data);
  return TRUE;
}
