/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crew.c: photos pass through a crew in order, and when it is freed before the last of them, none of its threads is at work any more, and nothing is lost.
 */

#include <glib.h>

#include "crew.h"

#define N_PHOTOS  200
#define N_WORKERS 3
#define AT_WORK   50 /* milliseconds, of each photo */

typedef struct
{
  gint  begun, ended, n_photos, n_results; /* atomic; the last two: in memory */
  guint milliseconds;
} Work;

typedef struct
{
  Work *work;
  gsize i;
} Item;

static gpointer
new_item (Work *work, gsize i, gint *count)
{
  Item *item = g_new (Item, 1);

  *item = (Item) { work, i };
  g_atomic_int_inc (count);
  return item;
}

static gpointer
decode (gsize i, gpointer data)
{
  Work *work = data;

  return new_item (work, i, &work->n_photos);
}

static void
free_photo (gpointer photo)
{
  g_atomic_int_add (&((Item *) photo)->work->n_photos, -1);
  g_free (photo);
}

static void
free_result (gpointer result)
{
  g_atomic_int_add (&((Item *) result)->work->n_results, -1);
  g_free (result);
}

static gpointer
work_on (gsize i, guint worker, gpointer decoded, gpointer data)
{
  Work *work = data;

  g_assert_cmpuint (((Item *) decoded)->i, ==, i);
  g_assert_cmpuint (worker, <, N_WORKERS);
  g_atomic_int_inc (&work->begun);
  g_usleep (work->milliseconds * 1000UL);
  g_atomic_int_inc (&work->ended);
  free_photo (decoded);
  return new_item (work, i, &work->n_results);
}

static Crew *
begin (Work *work, gboolean decodes_ahead)
{
  static const CrewTasks tasks = { decode, work_on, free_photo, free_result };
  g_autoptr (GError)     error = NULL;
  Crew                  *crew = crew_new (N_PHOTOS, N_WORKERS, decodes_ahead, &tasks, work, &error);

  g_assert_no_error (error);
  return crew;
}

static void
check_end (const Work *work)
{
  g_assert_cmpint (work->begun, ==, work->ended);
  g_assert_cmpint (work->n_photos, ==, 0);
  g_assert_cmpint (work->n_results, ==, 0);
}

static void
test_order (gconstpointer decodes_ahead)
{
  Work  work = { 0 };
  Crew *crew = begin (&work, decodes_ahead != NULL);

  for (gsize i = 0; i < N_PHOTOS; i++)
    {
      Item *result = crew_next (crew, -1);

      g_assert_cmpuint (result->i, ==, i);
      free_result (result);
    }
  g_assert_null (crew_next (crew, -1));
  g_assert_cmpint (work.ended, ==, N_PHOTOS);
  crew_free (crew);
  check_end (&work);
}

static void
test_stopped (gconstpointer decodes_ahead)
{
  Work  work = { .milliseconds = AT_WORK };
  Crew *crew = begin (&work, decodes_ahead != NULL);

  free_result (crew_next (crew, -1));
  crew_free (crew);
  g_assert_cmpint (work.begun, <, N_PHOTOS);
  check_end (&work);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/crew/order", NULL, test_order);
  g_test_add_data_func ("/crew/order-ahead", "", test_order);
  g_test_add_data_func ("/crew/stopped", NULL, test_stopped);
  g_test_add_data_func ("/crew/stopped-ahead", "", test_stopped);
  return g_test_run ();
}
