/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * estimate-label.c: see estimate-label.h.
 */

#include "estimate-label.h"

#include "dialog.h"
#include "pixel-training.h"
#include "train-run.h"
#include "training-estimate.h"

#define SETTLE_MS 300

typedef struct
{
  GimpProcedureConfig *config;
  GtkWidget           *label;
  FoveaTask            task;     /* of what there is to learn from */
  gboolean             are_strokes;
  guint                n_photos; /* 0: nothing is said */
  int                  longest;
  guint                waiting;  /* the source that begins; 0: none */
  GThread             *thread;   /* at work; NULL: none */
  gboolean             is_stale; /* … on what no longer holds */
  PhotoOrder          *order;    /* the thread's, as are: */
  PixelTraining       *strokes;  /* NULL: whole photos are learned */
  guint                n_ordered;
  int                  side;     /* of the images with the strokes */
  double               seconds;
} Estimate;

static void
say (Estimate *estimate, double seconds)
{
  g_autofree char *text = dialog_tell_estimate (seconds);

  gtk_label_set_text (GTK_LABEL (estimate->label), text);
}

static void
clear_order (Estimate *estimate)
{
  g_clear_pointer (&estimate->order, photo_order_free);
  g_clear_pointer (&estimate->strokes, pixel_training_free);
}

static void begin_soon (Estimate *estimate);

static gboolean
show (gpointer data)
{
  Estimate *estimate = data;

  g_clear_pointer (&estimate->thread, g_thread_join);
  clear_order (estimate);
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

  estimate->seconds = estimate->strokes ? training_estimate_strokes (estimate->strokes, estimate->order->base, estimate->n_ordered, estimate->side)
                                        : training_estimate (estimate->order, estimate->n_ordered);
  g_idle_add (show, estimate);
  return NULL;
}

static gboolean
begin (gpointer data)
{
  Estimate *estimate = data;

  estimate->waiting = 0;
  if (estimate->n_photos == 0 || estimate->task == FOVEA_TASK_UNKNOWN || (estimate->are_strokes && estimate->longest == 0))
    {
      say (estimate, -1);
      return G_SOURCE_REMOVE;
    }
  estimate->order = train_run_read_order (estimate->config, estimate->task);
  estimate->n_ordered = estimate->n_photos;
  estimate->side = estimate->longest;
  if (estimate->are_strokes)
    {
      estimate->strokes = pixel_training_new ();
      pixel_training_read_settings (estimate->strokes, estimate->config);
    }
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
  clear_order (estimate);
}

GtkWidget *
estimate_label_new (GimpProcedureConfig *config)
{
  static const char *const settings[] = { "notify::base-model", "notify::trainable", "notify::epochs", "notify::minutes", "notify::batch", "notify::validation-share" };
  Estimate                *estimate = g_new0 (Estimate, 1);

  estimate->config = config;
  estimate->label = dialog_text_new ();
  g_object_set_data_full (G_OBJECT (estimate->label), "estimate", estimate, g_free);
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    g_signal_connect_object (config, settings[i], G_CALLBACK (on_setting), estimate->label, 0);
  g_signal_connect (estimate->label, "destroy", G_CALLBACK (on_destroy), estimate);
  return estimate->label;
}

void
estimate_label_set (GtkWidget *label, const TrainFindings *found)
{
  Estimate *estimate = g_object_get_data (G_OBJECT (label), "estimate");

  estimate->n_photos = 0;
  if (found)
    {
      estimate->task = found->task;
      estimate->are_strokes = found->are_strokes;
      estimate->n_photos = found->n_photos;
      estimate->longest = found->longest;
    }
  begin_soon (estimate);
}
