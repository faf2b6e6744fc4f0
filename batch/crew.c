/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crew.c: see crew.h. The photos that are in memory lie in a ring:
 *
 *      delivered              next             delivered + window
 *   ───────┼───────────────────┼────────────────────┼───────
 *     gone │ decoding, decoded,│ not begun          │ must wait until
 *          │ at work or done   │                    │ earlier ones have gone
 */

#include "crew.h"

#define PLACES_A_WORKER 4 /* results that may wait for an earlier one */

typedef enum { PLACE_EMPTY, PLACE_DECODING, PLACE_DECODED, PLACE_AT_WORK, PLACE_DONE } PlaceState;

typedef struct
{
  PlaceState state;
  gpointer   content; /* a decoded photo or a result */
} Place;

struct _Crew
{
  GMutex    lock;
  GCond     changed;
  CrewTasks tasks;
  gpointer  data;
  gsize     n, next, delivered;
  gsize     window;
  Place    *places;   /* window */
  guint     n_ahead, most_ahead; /* photos that are being decoded or wait for a worker */
  guint     n_workers;
  GThread **threads;  /* n_workers + 1; NULL: wasn't started */
  gboolean  stopping;
};

typedef struct
{
  Crew *crew;
  guint worker; /* n_workers: the one that only decodes */
} Member;

static Place *
place_of (Crew *crew, gsize i)
{
  return &crew->places[i % crew->window];
}

/* The first photo that waits for a worker; crew->next: there is none. */
static gsize
find_decoded (Crew *crew)
{
  gsize i = crew->delivered;

  while (i < crew->next && place_of (crew, i)->state != PLACE_DECODED)
    i++;
  return i;
}

/* The next two hold the lock, and let go of it while they compute. */
static void
decode_next (Crew *crew)
{
  gsize    i = crew->next++;
  gpointer decoded;

  place_of (crew, i)->state = PLACE_DECODING;
  crew->n_ahead++;
  g_mutex_unlock (&crew->lock);
  decoded = crew->tasks.decode (i, crew->data);
  g_mutex_lock (&crew->lock);
  *place_of (crew, i) = (Place) { PLACE_DECODED, decoded };
  g_cond_broadcast (&crew->changed);
}

static void
work_on (Crew *crew, gsize i, guint worker)
{
  Place   *place = place_of (crew, i);
  gpointer decoded = place->content, result;

  place->state = PLACE_AT_WORK;
  crew->n_ahead--;
  g_cond_broadcast (&crew->changed);
  g_mutex_unlock (&crew->lock);
  result = crew->tasks.work (i, worker, decoded, crew->data);
  g_mutex_lock (&crew->lock);
  *place = (Place) { PLACE_DONE, result };
  g_cond_broadcast (&crew->changed);
}

static gpointer
run_member (gpointer data)
{
  Member  *member = data;
  Crew    *crew = member->crew;
  gboolean decodes_only = member->worker == crew->n_workers;

  g_mutex_lock (&crew->lock);
  while (!crew->stopping)
    {
      gsize i = decodes_only ? crew->next : find_decoded (crew);

      if (i < crew->next)
        work_on (crew, i, member->worker);
      else if (crew->next < MIN (crew->n, crew->delivered + crew->window) && crew->n_ahead < crew->most_ahead)
        decode_next (crew);
      else if (crew->next == crew->n && (decodes_only || crew->n_ahead == 0))
        break;
      else
        g_cond_wait (&crew->changed, &crew->lock);
    }
  g_mutex_unlock (&crew->lock);
  g_free (member);
  return NULL;
}

/* A crew works as well with fewer threads than it was to have. */
static gboolean
start_member (Crew *crew, guint i, GError **error)
{
  Member *member = g_new (Member, 1);

  *member = (Member) { crew, i };
  crew->threads[i] = g_thread_try_new ("fovea-photos", run_member, member, error);
  if (crew->threads[i])
    return TRUE;
  g_free (member);
  return FALSE;
}

Crew *
crew_new (gsize n, guint n_workers, gboolean decodes_ahead, const CrewTasks *tasks, gpointer data, GError **error)
{
  Crew *crew = g_new0 (Crew, 1);

  g_mutex_init (&crew->lock);
  g_cond_init (&crew->changed);
  crew->tasks = *tasks;
  crew->data = data;
  crew->n = n;
  crew->n_workers = n_workers;
  crew->window = (gsize) n_workers * PLACES_A_WORKER;
  crew->most_ahead = n_workers + 1;
  crew->places = g_new0 (Place, crew->window);
  crew->threads = g_new0 (GThread *, n_workers + 1);
  if (!start_member (crew, 0, error))
    {
      crew_free (crew);
      return NULL;
    }
  for (guint i = 1; i < n_workers + (decodes_ahead ? 1 : 0); i++)
    start_member (crew, i, NULL);
  return crew;
}

gpointer
crew_next (Crew *crew, gint64 microseconds)
{
  gint64   until = microseconds < 0 ? G_MAXINT64 : g_get_monotonic_time () + microseconds;
  gboolean in_time = TRUE;
  gpointer result = NULL;
  Place   *place;

  g_mutex_lock (&crew->lock);
  place = place_of (crew, crew->delivered);
  while (in_time && crew->delivered < crew->n && place->state != PLACE_DONE)
    {
      if (microseconds < 0)
        g_cond_wait (&crew->changed, &crew->lock);
      else
        in_time = g_cond_wait_until (&crew->changed, &crew->lock, until);
    }
  if (crew->delivered < crew->n && place->state == PLACE_DONE)
    {
      result = place->content;
      *place = (Place) { PLACE_EMPTY, NULL };
      crew->delivered++;
      g_cond_broadcast (&crew->changed);
    }
  g_mutex_unlock (&crew->lock);
  return result;
}

void
crew_free (Crew *crew)
{
  if (!crew)
    return;
  g_mutex_lock (&crew->lock);
  crew->stopping = TRUE;
  g_cond_broadcast (&crew->changed);
  g_mutex_unlock (&crew->lock);
  for (guint i = 0; i <= crew->n_workers; i++)
    if (crew->threads[i])
      g_thread_join (crew->threads[i]);
  for (gsize i = 0; i < crew->window; i++)
    if (crew->places[i].state == PLACE_DECODED)
      crew->tasks.free_photo (crew->places[i].content);
    else if (crew->places[i].state == PLACE_DONE)
      crew->tasks.free_result (crew->places[i].content);
  g_mutex_clear (&crew->lock);
  g_cond_clear (&crew->changed);
  g_free (crew->places);
  g_free (crew->threads);
  g_free (crew);
}
