/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-page-learn.c: how the strokes' page learns, in a worker. What is asked for with Train and takes long begins anew, and is kept (pixel-keeping.h) from its first
 * step on; Live goes on warm.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "models.h"
#include "pixel-page-private.h"
#include "train-run.h"

gboolean
pixel_page_has_run (const PixelPage *page)
{
  return page->training->trainer && fovea_pixel_trainer_has_run (page->training->trainer);
}

void
pixel_page_forget_kept (PixelPage *page, gboolean remove)
{
  if (page->keeping && remove)
    pixel_keeping_remove (page->keeping);
  g_clear_pointer (&page->keeping, pixel_keeping_free);
}

gboolean
pixel_page_begin_learning (PixelPage *page, GError **error)
{
  g_autofree char *path = NULL;

  g_clear_object (&page->halt);
  page->halt = g_cancellable_new ();
  page->keeps = page->training->is_long && !page->is_live;
  pixel_page_forget_kept (page, !page->keeps); /* it has other labels by now */
  g_clear_pointer (&page->order, photo_order_free);
  if (!page->keeps)
    return TRUE;
  page->is_other |= pixel_page_has_run (page);
  page->order = train_run_read_strokes (page->config);
  path = models_make_path (page->order->name, error);
  if (!path)
    return FALSE;
  photo_order_take_name (page->order, path);
  page->keeping = pixel_keeping_new (page->order->name, error);
  return page->keeping != NULL;
}

void
pixel_page_end_learning (PixelPage *page, gboolean done)
{
  if (!done && page->learns && page->keeps)
    {
      if (pixel_training_bring_back (page->training))
        page->has_photo = page->are_new = TRUE; /* the classes may have been others then */
      else
        page->is_other = TRUE;
      if (!page->wants) /* it was cancelled */
        pixel_page_forget_kept (page, TRUE);
    }
  pixel_training_let_go (page->training);
  page->learns = FALSE;
}

/* Who is told of each step, beside the report. */
typedef struct
{
  PixelPage    *page;
  FoveaProgress progress;
  gpointer      progress_data;
} Steps;

/* What it says of the photo by now, for those who watch. */
static void
look_meanwhile (PixelPage *page)
{
  PixelTraining         *training = page->training;
  gint64                 began = g_get_monotonic_time ();
  g_autoptr (FoveaMasks) masks = began < page->next_present ? NULL : fovea_pixel_trainer_look (training->trainer, 0, page->halt, NULL);
  TrainAnswer           *answer = masks ? train_answer_new (training, masks, NULL) : NULL;

  if (!answer)
    return;
  train_answer_free (g_atomic_pointer_exchange (&page->new_present, answer));
  page->next_present = training_report_rest (began);
}

static void
note_step (double fraction, gpointer data)
{
  const Steps        *steps = data;
  FoveaPixelTrainer  *trainer = steps->page->training->trainer;
  const TrainingPoint point = { fraction, fovea_pixel_trainer_get_loss (trainer), fovea_pixel_trainer_get_score (trainer) };

  training_report_add_step (steps->page->report, &point);
  steps->progress (fraction, steps->progress_data);
  if (steps->page->keeps)
    look_meanwhile (steps->page);
  train_run_wait_while (&steps->page->is_paused, steps->page->halt);
}

/* To the end, or until the user has had enough. */
static gboolean
take_steps (PixelPage *page, const char *checkpoint, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, GError **error)
{
  FoveaPixelTrainer *trainer = page->training->trainer;
  Steps              steps = { page, progress, progress_data };
  gulong             cancelled = train_run_couple (cancellable, page->halt);
  GError            *local = NULL;

  g_atomic_int_set (&page->takes_steps, TRUE);
  fovea_pixel_trainer_run (trainer, checkpoint, page->halt, note_step, &steps, &local);
  g_atomic_int_set (&page->takes_steps, FALSE);
  g_cancellable_disconnect (cancellable, cancelled);
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED) && !g_cancellable_is_cancelled (cancellable) && fovea_pixel_trainer_has_run (trainer))
    g_clear_error (&local);
  if (local)
    g_propagate_error (error, local);
  return !local;
}

gboolean
pixel_page_look_again (PixelPage *page, GCancellable *cancellable, GError **error)
{
  g_clear_pointer (&page->new_masks, fovea_masks_free);
  g_clear_pointer (&page->new_answer, train_answer_free);
  page->new_masks = fovea_pixel_trainer_look (page->training->trainer, 0, cancellable, error);
  page->new_answer = page->new_masks ? train_answer_new (page->training, page->new_masks, error) : NULL;
  return page->new_answer != NULL;
}

static gboolean
learn (PixelPage *page, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, GError **error)
{
  PixelTraining *training = page->training;
  guint          n_steps = pixel_training_count_steps (training, !pixel_page_has_run (page));
  gint64         began = g_get_monotonic_time ();
  const char    *checkpoint = NULL;

  page->next_present = training_report_rest (began);
  if (!fovea_pixel_trainer_set_labels (training->trainer, 0, page->cells, error))
    return FALSE;
  if (page->keeps && !(pixel_keeping_add (page->keeping, training, photo, page->cells, error)
                       && (checkpoint = pixel_keeping_begin (page->keeping, training, page->order, NULL, error))))
    return FALSE;
  if (!take_steps (page, checkpoint, cancellable, progress, progress_data, error))
    return FALSE;
  if (!(checkpoint && training->is_resumed) && !g_cancellable_is_cancelled (page->halt))
    {
      page->learn_seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
      page->n_steps = n_steps;
    }
  g_clear_pointer (&training->score, fovea_pixel_score_free);
  return pixel_page_look_again (page, cancellable, error);
}

/* First the photo is looked at, which needs to be done once; what is painted can be drawn when the trainer has said how fine. */
gboolean
pixel_page_run (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  PixelPage *page = data;

  if (page->is_other)
    {
      if (page->keeps && page->learns)
        pixel_training_set_aside (page->training);
      else
        pixel_training_forget (page->training);
      page->has_photo = page->is_other = FALSE;
    }
  if (!page->training->trainer || page->are_new)
    {
      if (!pixel_training_begin (page->training, MAX (photo->width, photo->height), error))
        return FALSE;
      page->are_new = FALSE;
    }
  if (!page->has_photo)
    {
      gint64 began = g_get_monotonic_time ();

      page->has_photo = fovea_pixel_trainer_add_photo (page->training->trainer, photo, cancellable, error) >= 0;
      page->look_seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
      if (!page->has_photo)
        return FALSE;
    }
  return !page->learns || learn (page, photo, cancellable, progress, progress_data, error);
}
