/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * estimate-label.c: see estimate-label.h.
 */

#include "estimate-label.h"

#include "dialog.h"
#include "train-run.h"
#include "training-estimate.h"

#define SETTLE_MS 300

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *label;
  guint                n_photos;
  guint                waiting;  /* the source that begins; 0: none */
  GThread             *thread;   /* at work; NULL: none */
  gboolean             is_stale; /* … on what no longer holds */
  PhotoOrder          *order;    /* the thread's, as are: */
  guint                n_ordered;
  double               seconds;
} Estimate;

static void
say (Estimate *estimate, double seconds)
{
  g_autofree char *text = dialog_tell_estimate (seconds);

  gtk_label_set_text (GTK_LABEL (estimate->label), text);
}

static void begin_soon (Estimate *estimate);

static gboolean
show (gpointer data)
{
  Estimate *estimate = data;

  g_clear_pointer (&estimate->thread, g_thread_join);
  g_clear_pointer (&estimate->order, photo_order_free);
  if (estimate->is_stale)
    begin_soon (estimate);
  else
    say (estimate, estimate->seconds);
  return G_SOURCE_REMOVE;
}

static gpointer
run (gpointer data)
{
  Estimate *estimate = data;

  estimate->seconds = training_estimate (estimate->order, estimate->n_ordered);
  g_idle_add (show, estimate);
  return NULL;
}

static gboolean
begin (gpointer data)
{
  Estimate *estimate = data;
  FoveaTask task = train_run_guess (estimate->config, estimate->image);

  estimate->waiting = 0;
  if (estimate->n_photos == 0 || task == FOVEA_TASK_UNKNOWN)
    {
      say (estimate, -1);
      return G_SOURCE_REMOVE;
    }
  estimate->order = train_run_read_order (estimate->config, task);
  estimate->n_ordered = estimate->n_photos;
  estimate->thread = g_thread_new ("estimate", run, estimate);
  return G_SOURCE_REMOVE;
}

static void
begin_soon (Estimate *estimate)
{
  estimate->is_stale = estimate->thread != NULL;
  g_clear_handle_id (&estimate->waiting, g_source_remove);
  if (!estimate->thread)
    estimate->waiting = g_timeout_add (SETTLE_MS, begin, estimate);
}

static void
on_setting (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *label)
{
  begin_soon (g_object_get_data (G_OBJECT (label), "estimate"));
}

static void
on_destroy (GtkWidget *label, Estimate *estimate)
{
  g_clear_handle_id (&estimate->waiting, g_source_remove);
  g_clear_pointer (&estimate->thread, g_thread_join);
  g_idle_remove_by_data (estimate);
  g_clear_pointer (&estimate->order, photo_order_free);
}

GtkWidget *
estimate_label_new (GimpProcedureConfig *config, GimpImage *image)
{
  static const char *const settings[] = { "notify::base-model", "notify::trainable", "notify::epochs", "notify::minutes", "notify::batch", "notify::validation-share" };
  Estimate                *estimate = g_new0 (Estimate, 1);

  estimate->config = config;
  estimate->image = image;
  estimate->label = dialog_text_new ();
  g_object_set_data_full (G_OBJECT (estimate->label), "estimate", estimate, g_free);
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    g_signal_connect_object (config, settings[i], G_CALLBACK (on_setting), estimate->label, 0);
  g_signal_connect (estimate->label, "destroy", G_CALLBACK (on_destroy), estimate);
  return estimate->label;
}

void
estimate_label_set (GtkWidget *label, guint n_photos)
{
  Estimate *estimate = g_object_get_data (G_OBJECT (label), "estimate");

  estimate->n_photos = n_photos;
  begin_soon (estimate);
}
