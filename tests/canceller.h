/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * canceller.h: cancels a run at a moment of processor time, so that a busy machine changes nothing in what is measured.
 */
#pragma once

#include <gio/gio.h>
#include <time.h>

typedef struct
{
  GCancellable *cancellable;
  double        when, cancelled; /* seconds of processor time */
  gint          done;            /* the run is over; atomic */
} Canceller;

static double
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* A thread's function. */
static gpointer
cancel_later (gpointer data)
{
  Canceller *canceller = data;

  while (processor_time () < canceller->when && !g_atomic_int_get (&canceller->done))
    g_usleep (500);
  canceller->cancelled = processor_time ();
  g_cancellable_cancel (canceller->cancellable);
  return NULL;
}
