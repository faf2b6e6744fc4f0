/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * thread-pool.c: each task runs once whatever the number of threads, threads steal, stop is obeyed, small jobs stay on the caller, denormals are flushed
 * and the caller's floating-point mode is its own again afterwards. The thread sanitizer runs this too.
 */

#include <float.h>
#include <stdatomic.h>

#include "base/pool.h"

#define MAX_TASKS   2000
#define MAX_THREADS 8

typedef struct
{
  atomic_int runs[MAX_TASKS];
  atomic_int inside[MAX_THREADS]; /* how many are computing under this number now */
  atomic_int n_done, n_wrong, n_normal;
  guint      n_threads;
  gsize      n_tasks, grain, stop_after;
  gint       stop;
} Job;

static Pool *
new_pool (guint n_threads)
{
  g_autoptr (GError) error = NULL;
  Pool              *pool = pool_new (n_threads, &error);

  g_assert_no_error (error);
  return pool;
}

static void
count_runs (gconstpointer data, gsize first, gsize last, guint thread)
{
  Job *job = (Job *) data;

  if (thread >= job->n_threads || atomic_fetch_add (&job->inside[thread], 1) != 0 || last > job->n_tasks || last - first > job->grain)
    atomic_fetch_add (&job->n_wrong, 1);
  for (gsize i = first; i < last; i++)
    atomic_fetch_add (&job->runs[i], 1);
  atomic_fetch_sub (&job->inside[thread], 1);
}

static void
test_each_once (void)
{
  static const gsize tasks[] = { 0, 1, 2, 7, 64, MAX_TASKS }, grains[] = { 1, 3, 1000 };

  for (guint n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
    {
      g_autoptr (Pool) pool = new_pool (n_threads);

      g_assert_cmpuint (pool_get_threads (pool), ==, n_threads);
      for (gsize t = 0; t < G_N_ELEMENTS (tasks) * G_N_ELEMENTS (grains); t++)
        {
          g_autofree Job *job = g_new0 (Job, 1);

          job->n_threads = n_threads;
          job->n_tasks = tasks[t % G_N_ELEMENTS (tasks)];
          job->grain = grains[t / G_N_ELEMENTS (tasks)];
          pool_run (pool, job->n_tasks, job->grain, count_runs, job, NULL);
          g_assert_cmpint (job->n_wrong, ==, 0);
          for (gsize i = 0; i < MAX_TASKS; i++)
            g_assert_cmpint (job->runs[i], ==, i < job->n_tasks);
        }
    }
}

/* Many small jobs in a row: workers that are late for one must not disturb the next. */
static void
test_many_jobs (void)
{
  g_autoptr (Pool) pool = new_pool (4);
  g_autofree Job  *job = g_new0 (Job, 1);

  *job = (Job){ .n_threads = 4, .n_tasks = 8, .grain = 1 };
  for (guint i = 0; i < 5000; i++)
    pool_run (pool, job->n_tasks, job->grain, count_runs, job, NULL);
  g_assert_cmpint (job->n_wrong, ==, 0);
  for (gsize i = 0; i < job->n_tasks; i++)
    g_assert_cmpint (job->runs[i], ==, 5000);
}

/* The first task doesn't end before all others have: that can only be if another thread takes the rest of its range. */
static void
wait_for_others (gconstpointer data, gsize first, gsize last, guint thread)
{
  Job   *job = (Job *) data;
  gint64 deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (first == 0 && atomic_load (&job->n_done) < (gint) job->n_tasks - 1)
    {
      if (g_get_monotonic_time () > deadline)
        {
          atomic_fetch_add (&job->n_wrong, 1);
          break;
        }
      g_thread_yield ();
    }
  atomic_fetch_add (&job->n_done, 1);
}

static void
test_stealing (void)
{
  for (guint n_threads = 2; n_threads <= MAX_THREADS; n_threads++)
    {
      g_autoptr (Pool) pool = new_pool (n_threads);
      Job              job = { .n_threads = n_threads, .n_tasks = 100 };

      pool_run (pool, job.n_tasks, 1, wait_for_others, &job, NULL);
      g_assert_cmpint (job.n_wrong, ==, 0);
      g_assert_cmpint (job.n_done, ==, 100);
    }
}

static void
stop_soon (gconstpointer data, gsize first, gsize last, guint thread)
{
  Job *job = (Job *) data;

  if (atomic_fetch_add (&job->n_done, 1) + 1 >= (gint) job->stop_after)
    g_atomic_int_set (&job->stop, 1);
}

static void
test_stop (void)
{
  for (guint n_threads = 1; n_threads <= MAX_THREADS; n_threads++)
    {
      g_autoptr (Pool) pool = new_pool (n_threads);
      Job              job = { .n_tasks = MAX_TASKS, .stop_after = 10 };

      pool_run (pool, job.n_tasks, 1, stop_soon, &job, &job.stop);
      g_assert_cmpint (job.n_done, >=, 10);
      /* A task each may have been begun already. */
      g_assert_cmpint (job.n_done, <=, 10 + (gint) n_threads - 1);

      job.n_done = 0;
      pool_run (pool, job.n_tasks, 1, stop_soon, &job, &job.stop);
      g_assert_cmpint (job.n_done, ==, 0);
    }
}

static void
note_thread (gconstpointer data, gsize first, gsize last, guint thread)
{
  if (thread == 0)
    *(GThread **) data = g_thread_self ();
}

static void
test_small_stays (void)
{
  g_autoptr (Pool) pool = new_pool (4);

  for (guint i = 0; i < 100; i++)
    {
      GThread *ran = NULL;

      pool_run (pool, 16, 16, note_thread, &ran, NULL);
      g_assert_true (ran == g_thread_self ());
    }
}

#if defined(__SSE2__) || defined(__aarch64__)
static float
halve_smallest (void)
{
  volatile float smallest = FLT_MIN;

  return smallest * 0.5f;
}

static void
halve (gconstpointer data, gsize first, gsize last, guint thread)
{
  if (halve_smallest () != 0)
    atomic_fetch_add (&((Job *) data)->n_normal, 1);
}

static void
test_denormals (void)
{
  g_autoptr (Pool) pool = new_pool (3);
  Job              job = { 0 };

  g_assert_true (halve_smallest () > 0);
  pool_run (pool, 1, 1, halve, &job, NULL);
  pool_run (pool, 300, 1, halve, &job, NULL);
  g_assert_cmpint (job.n_normal, ==, 0);
  g_assert_true (halve_smallest () > 0);
}
#endif

static void
test_default_threads (void)
{
  g_autoptr (Pool) pool = new_pool (0);

  g_assert_cmpuint (pool_get_threads (pool), ==, g_get_num_processors ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/thread-pool/each-once", test_each_once);
  g_test_add_func ("/thread-pool/many-jobs", test_many_jobs);
  g_test_add_func ("/thread-pool/stealing", test_stealing);
  g_test_add_func ("/thread-pool/stop", test_stop);
  g_test_add_func ("/thread-pool/small-stays", test_small_stays);
#if defined(__SSE2__) || defined(__aarch64__)
  g_test_add_func ("/thread-pool/denormals", test_denormals);
#endif
  g_test_add_func ("/thread-pool/default-threads", test_default_threads);
  return g_test_run ();
}
