/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crew.h: many photos, several at once. Each worker takes a photo that has been decoded and looks at it; where none has, it decodes the next one itself. Where
 * workers are fewer than processors, one thread more does nothing but decode ahead. Results come out in the photos' order. However many photos there are, only a
 * few are in memory.
 */
#pragma once

#include <glib.h>

typedef struct _Crew Crew;

/* `data` is that of crew_new. None may be NULL. The results of decode and work are never NULL: what went wrong is in them. */
typedef struct
{
  gpointer (*decode)      (gsize i, gpointer data);                                      /* on any thread */
  gpointer (*work)        (gsize i, guint worker, gpointer decoded, gpointer data); /* on the worker's thread; takes `decoded` */
  void     (*free_photo)  (gpointer decoded);
  void     (*free_result) (gpointer result);
} CrewTasks;

/* Begins with photos 0 … n - 1 at once. decodes_ahead: with the thread that only decodes. NULL with an error where no thread can be started. */
Crew    *crew_new  (gsize n, guint n_workers, gboolean decodes_ahead, const CrewTasks *tasks, gpointer data, GError **error);

/* The next result, to be freed by the caller; NULL when it hasn't come in so many microseconds (negative: waits), or there is none left. One thread only. */
gpointer crew_next (Crew *crew, gint64 microseconds);

/* Begins no further photo, and waits until the threads are done with theirs: none may be at work when the process ends. */
void     crew_free (Crew *crew);
