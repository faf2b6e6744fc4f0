/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.c: a job is cut into chunks of `grain` tasks, numbered from 0; each thread owns a range of chunks.
 *
 *   range   [ first ........ last )   two 32-bit numbers in one atomic 64-bit word
 *             ^ its owner takes here         ^ thieves take here
 *
 * A job starts when the caller has stored the ranges and raised `generation`; workers wait for that, spinning for a moment and then asleep. It ends when
 * `busy`, the number of workers that may still touch it, is back to zero. Only pthread mutexes and C11 atomics, so that the thread
 * sanitizer can follow.
 */

#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "fovea.h"

/* Polls of the generation before a worker goes to sleep: some tens of microseconds, the usual gap between two steps. */
#define SPIN_COUNT 4000

typedef struct
{
  _Alignas (64) _Atomic uint64_t range;
  pthread_t thread;
  Pool     *pool;
  guint     index;
} Worker;

struct _Pool
{
  guint    n_threads;
  Worker  *workers; /* n_threads; the first stands for the caller */
  guint    n_started;

  /* the job */
  PoolFunc      func;
  gconstpointer data;
  gsize         n_tasks, grain;
  const gint   *stop;

  _Alignas (64) atomic_uint generation;
  _Alignas (64) atomic_uint busy;
  atomic_bool     quit;
  pthread_mutex_t mutex;
  pthread_cond_t  wake, done;
};

static inline uint64_t
range_make (uint32_t first, uint32_t last)
{
  return (uint64_t) last << 32 | first;
}

static gboolean
take_front (Worker *worker, uint32_t *chunk)
{
  uint64_t range = atomic_load_explicit (&worker->range, memory_order_relaxed);

  do
    {
      *chunk = (uint32_t) range;
      if (*chunk >= (uint32_t) (range >> 32))
        return FALSE;
    }
  while (!atomic_compare_exchange_weak_explicit (&worker->range, &range, range + 1, memory_order_acq_rel, memory_order_relaxed));
  return TRUE;
}

static gboolean
take_back (Worker *worker, uint32_t *chunk)
{
  uint64_t range = atomic_load_explicit (&worker->range, memory_order_relaxed);

  do
    {
      if ((uint32_t) range >= (uint32_t) (range >> 32))
        return FALSE;
      *chunk = (uint32_t) (range >> 32) - 1;
    }
  while (!atomic_compare_exchange_weak_explicit (&worker->range, &range, range - (UINT64_C (1) << 32), memory_order_acq_rel,
                                                 memory_order_relaxed));
  return TRUE;
}

static void
run_chunk (Pool *pool, uint32_t chunk, guint thread)
{
  gsize first = chunk * pool->grain;

  if (pool->stop && g_atomic_int_get (pool->stop))
    return;
  pool->func (pool->data, first, MIN (first + pool->grain, pool->n_tasks), thread);
}

static void
work (Pool *pool, guint thread)
{
  uint32_t chunk;

  while (take_front (&pool->workers[thread], &chunk))
    run_chunk (pool, chunk, thread);
  for (guint i = 1; i < pool->n_threads; i++)
    while (take_back (&pool->workers[(thread + i) % pool->n_threads], &chunk))
      run_chunk (pool, chunk, thread);
}

/* Denormals cost a hundred times a normal number and mean nothing in a network. */
static void
flush_denormals (void)
{
#if defined(__SSE2__)
  _mm_setcsr (_mm_getcsr () | 0x8040);
#elif defined(__aarch64__)
  uint64_t control;

  __asm__ volatile ("mrs %0, fpcr" : "=r"(control));
  control |= UINT64_C (1) << 24;
  __asm__ volatile ("msr fpcr, %0" : : "r"(control));
#endif
}

static inline void
relax (void)
{
#if defined(__SSE2__)
  _mm_pause ();
#elif defined(__aarch64__)
  __asm__ volatile ("yield");
#endif
}

/* Returns when the generation is no longer `seen`, with the new one. */
static guint
wait_for_job (Pool *pool, guint seen)
{
  guint generation;

  for (guint i = 0; i < SPIN_COUNT; i++)
    {
      generation = atomic_load_explicit (&pool->generation, memory_order_acquire);
      if (generation != seen)
        return generation;
      relax ();
    }

  pthread_mutex_lock (&pool->mutex);
  while ((generation = atomic_load_explicit (&pool->generation, memory_order_acquire)) == seen)
    pthread_cond_wait (&pool->wake, &pool->mutex);
  pthread_mutex_unlock (&pool->mutex);
  return generation;
}

static void *
worker_main (void *data)
{
  Worker *worker = data;
  Pool   *pool = worker->pool;
  guint   seen = 0;

  flush_denormals ();
  for (;;)
    {
      seen = wait_for_job (pool, seen);
      if (atomic_load (&pool->quit))
        return NULL;
      work (pool, worker->index);
      if (atomic_fetch_sub_explicit (&pool->busy, 1, memory_order_acq_rel) == 1)
        {
          pthread_mutex_lock (&pool->mutex);
          pthread_cond_signal (&pool->done);
          pthread_mutex_unlock (&pool->mutex);
        }
    }
}

static void
start_job (Pool *pool)
{
  pthread_mutex_lock (&pool->mutex);
  atomic_fetch_add_explicit (&pool->generation, 1, memory_order_release);
  pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->mutex);
}

Pool *
pool_new (guint n_threads, GError **error)
{
  Pool *pool = g_aligned_alloc0 (1, sizeof (Pool), 64);

  pool->n_threads = n_threads ? MIN (n_threads, 256) : g_get_num_processors ();
  pool->workers = g_aligned_alloc0 (pool->n_threads, sizeof (Worker), 64);
  pthread_mutex_init (&pool->mutex, NULL);
  pthread_cond_init (&pool->wake, NULL);
  pthread_cond_init (&pool->done, NULL);

  for (guint i = 1; i < pool->n_threads; i++)
    {
      Worker *worker = &pool->workers[i];
      int     code;

      worker->pool = pool;
      worker->index = i;
      code = pthread_create (&worker->thread, NULL, worker_main, worker);
      if (code)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "Thread %u of %u can't be started (%s). Ask for fewer threads.", i + 1,
                       pool->n_threads, g_strerror (code));
          pool_free (pool);
          return NULL;
        }
      pool->n_started++;
    }
  return pool;
}

void
pool_free (Pool *pool)
{
  if (!pool)
    return;
  atomic_store (&pool->quit, TRUE);
  start_job (pool);
  for (guint i = 1; i <= pool->n_started; i++)
    pthread_join (pool->workers[i].thread, NULL);
  pthread_mutex_destroy (&pool->mutex);
  pthread_cond_destroy (&pool->wake);
  pthread_cond_destroy (&pool->done);
  g_aligned_free (pool->workers);
  g_aligned_free (pool);
}

guint
pool_get_threads (const Pool *pool)
{
  return pool->n_threads;
}

/* The caller flushes denormals too, but only for as long as the job runs: its own floating-point mode is not ours. */
static void
work_as_caller (Pool *pool)
{
#if defined(__SSE2__)
  unsigned int saved = _mm_getcsr ();

  flush_denormals ();
  work (pool, 0);
  _mm_setcsr (saved);
#elif defined(__aarch64__)
  uint64_t saved;

  __asm__ volatile ("mrs %0, fpcr" : "=r"(saved));
  flush_denormals ();
  work (pool, 0);
  __asm__ volatile ("msr fpcr, %0" : : "r"(saved));
#else
  work (pool, 0);
#endif
}

void
pool_run (Pool *pool, gsize n_tasks, gsize grain, PoolFunc func, gconstpointer data, const gint *stop)
{
  gsize n_chunks;
  guint n_threads;

  if (n_tasks == 0)
    return;
  grain = MAX (grain, 1);
  grain = MAX (grain, n_tasks / (G_MAXUINT32 / 2)); /* chunk numbers have 32 bits */
  n_chunks = (n_tasks - 1) / grain + 1;
  n_threads = n_chunks == 1 ? 1 : pool->n_threads;

  pool->func = func;
  pool->data = data;
  pool->n_tasks = n_tasks;
  pool->grain = grain;
  pool->stop = stop;
  for (guint i = 0; i < pool->n_threads; i++)
    {
      gsize first = i < n_threads ? n_chunks * i / n_threads : 0, last = i < n_threads ? n_chunks * (i + 1) / n_threads : 0;

      atomic_store_explicit (&pool->workers[i].range, range_make ((uint32_t) first, (uint32_t) last), memory_order_relaxed);
    }

  if (n_threads == 1)
    {
      work_as_caller (pool);
      return;
    }

  atomic_store_explicit (&pool->busy, pool->n_threads - 1, memory_order_relaxed);
  start_job (pool);
  work_as_caller (pool);

  for (guint i = 0; i < SPIN_COUNT && atomic_load_explicit (&pool->busy, memory_order_acquire); i++)
    relax ();
  if (atomic_load_explicit (&pool->busy, memory_order_acquire))
    {
      pthread_mutex_lock (&pool->mutex);
      while (atomic_load_explicit (&pool->busy, memory_order_acquire))
        pthread_cond_wait (&pool->done, &pool->mutex);
      pthread_mutex_unlock (&pool->mutex);
    }
}
