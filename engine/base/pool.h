/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.h: threads that take ranges of tasks and steal from each other when theirs is done.
 *
 * Every thread, the caller among them, owns a contiguous range of the task numbers; it takes from the front of its own and,
 * when that is empty, from the end of the others'. Which thread runs a task is left open: a task writes only what no other
 * task writes, so that results are the same with any number of threads. Workers flush denormals.
 */
#pragma once

#include <glib.h>

typedef struct _Pool Pool;

/* Computes tasks [first, last). `thread` is 0 … n_threads - 1, unique among those running at the moment. */
typedef void (*PoolFunc) (gconstpointer data, gsize first, gsize last, guint thread);

/* n_threads 0: one per processor that this process may use. Starts n_threads - 1 threads; NULL with an error if it can't. */
Pool *pool_new         (guint n_threads, GError **error);
void  pool_free        (Pool *pool);
guint pool_get_threads (const Pool *pool);

/* Runs all tasks and returns when the last is done. Tasks are handed out `grain` at a time (at least 1). When *stop becomes non-zero
 * (stop may be NULL) tasks not yet begun are left out. n_tasks <= grain stays on the caller. Called by one thread at a time. */
void  pool_run         (Pool *pool, gsize n_tasks, gsize grain, PoolFunc func, gconstpointer data, const gint *stop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pool, pool_free)
