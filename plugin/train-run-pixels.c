/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run-pixels.c: the painted pixels of images, from their layers to a model.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "label-examples.h"
#include "models.h"
#include "pixel-training.h"
#include "pixels.h"
#include "train-run-private.h"

#define BAND_ROWS 256

/* What the steps of a training on pixels need. */
typedef struct
{
  PixelTraining *training;
  TrainRun      *run;
  const char    *base;
  FoveaPhoto     photo;
  gboolean       suggest;
} Work;

/* ---- in a worker --------------------------------------------------------------------------------------------------- */

static void
note_progress (double fraction, gpointer data)
{
  g_atomic_int_set (&((Work *) data)->run->thousandths, (gint) (1000 * fraction));
}

static gboolean
load_base (gpointer data, GError **error)
{
  Work *work = data;

  return pixel_training_load_base (work->training, work->base, error);
}

static gboolean
add_photo (gpointer data, GError **error)
{
  Work *work = data;

  return fovea_pixel_trainer_add_photo (work->training->trainer, &work->photo, work->run->cancellable, error) >= 0;
}

/* Where the next stroke would help most. */
static gboolean
suggest (Work *work, GError **error)
{
  PixelTraining          *training = work->training;
  g_autoptr (FoveaMasks)  masks = fovea_pixel_trainer_look (training->trainer, 0, work->run->cancellable, error);
  g_autoptr (FoveaTensor) doubt = NULL;
  int                     grid = fovea_pixel_trainer_get_grid (training->trainer), x, y;

  doubt = masks ? fovea_pixel_trainer_doubt (training->trainer, 0, masks, &x, &y, error) : NULL;
  if (!doubt)
    return FALSE;
  training->next_x = (x + 0.5) / grid;
  training->next_y = (y + 0.5) / grid;
  return TRUE;
}

static gboolean
learn (gpointer data, GError **error)
{
  Work          *work = data;
  PixelTraining *training = work->training;

  if (!fovea_pixel_trainer_run (training->trainer, work->run->cancellable, note_progress, work, error) || (work->suggest && !suggest (work, error)))
    return FALSE;
  training->score = training->judges ? fovea_pixel_trainer_judge (training->trainer, work->run->cancellable, error) : NULL;
  return training->score || !training->judges;
}

/* ---- photos and labels --------------------------------------------------------------------------------------------- */

/* A photo in memory, for a worker. */
typedef struct
{
  int     width, height;
  guint8 *rgb;
} Copy;

static gboolean
read_copy (gpointer data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  const Copy *copy = data;

  for (int row = 0; row < height; row++)
    memcpy (rgb + (gsize) row * row_stride, copy->rgb + ((gsize) (y + row) * (gsize) copy->width + (gsize) x) * 3, (gsize) width * 3);
  return TRUE;
}

/* The whole image, since the labels lie on that. */
static gboolean
copy_photo (GimpImage *image, Copy *copy, GError **error)
{
  g_autoptr (PixelReader) reader = pixel_reader_new (image, NULL, "image", error);
  gsize                   stride;

  if (!reader)
    return FALSE;
  pixel_reader_get_size (reader, &copy->width, &copy->height);
  stride = (gsize) copy->width * 3;
  copy->rgb = g_try_malloc_n (stride, (gsize) copy->height);
  if (!copy->rgb)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("There isn't memory enough for a copy of the photo. Make the image smaller."));
      return FALSE;
    }
  for (int y = 0; y < copy->height; y += BAND_ROWS)
    if (!pixel_reader_read (reader, 0, y, copy->width, MIN (BAND_ROWS, copy->height - y), copy->rgb + (gsize) y * stride, stride, error))
      return FALSE;
  return pixel_reader_check_opaque (reader, error);
}

static gboolean
add_image (Work *work, const LabelLayers *labels, guint number, GError **error)
{
  Copy               copy = { 0 };
  int                grid = fovea_pixel_trainer_get_grid (work->training->trainer);
  g_autofree guint8 *raster = pixels_check_image (labels->image, error) ? label_examples_draw (labels, grid, grid, error) : NULL;
  g_autofree guint8 *cells = raster ? pixel_training_take_labels (work->training, labels, raster) : NULL;
  gboolean           ok = cells && copy_photo (labels->image, &copy, error);

  work->photo = (FoveaPhoto) { copy.width, copy.height, read_copy, &copy };
  ok = ok && train_run_beside (work->run, add_photo, work, error) && fovea_pixel_trainer_set_labels (work->training->trainer, (int) number, cells, error);
  g_free (copy.rgb);
  return ok;
}

/* What is doubtful about the labels, in words. Free with g_strfreev. */
static char **
advise (const TrainSources *sources, GError **error)
{
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();

  for (guint i = 0; i < sources->labels->len; i++)
    {
      const LabelLayers      *labels = sources->labels->pdata[i];
      g_autoptr (LabelCounts) counts = label_examples_count (labels, error);
      g_auto (GStrv)          sentences = counts ? label_counts_advise (counts, labels) : NULL;

      if (!counts)
        return NULL;
      for (guint k = 0; sentences[k]; k++)
        if (sources->labels->len == 1)
          g_strv_builder_add (advice, sentences[k]);
        else
          {
            g_autofree char *name = gimp_image_get_name (labels->image);

            g_strv_builder_take (advice, g_strdup_printf ("%s: %s", name, sentences[k]));
          }
    }
  return g_strv_builder_end (advice);
}

/* ---- painted pixels ------------------------------------------------------------------------------------------------ */

static gboolean
check_painted (const PixelTraining *training, char **warnings, GError **error)
{
  g_autoptr (GString) empty = g_string_new (NULL);
  guint               n = 0;

  for (guint i = 0; i < training->classes->len; i++)
    if (fovea_pixel_trainer_count (training->trainer, i) > 0)
      n++;
    else
      g_string_append_printf (empty, "%s“%s”", empty->len ? ", " : "", (const char *) training->classes->pdata[i]);
  if (n >= 2)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, n == 0 ? _("Nothing is painted yet. Paint some strokes for each class on its label layer: %s.")
                                                                : _("One class only is painted. Paint some strokes for another, too: %s."),
               empty->str);
  if (warnings[0])
    g_prefix_error (error, "%s ", warnings[g_strv_length (warnings) - 1]);
  return FALSE;
}

gboolean
train_run_pixels (TrainRun *run, const TrainSources *sources, GError **error)
{
  g_autoptr (PixelTraining) training = pixel_training_new ();
  g_autofree char          *base = NULL, *name = NULL, *path = NULL;
  Work                      work = { .training = training, .run = run };

  g_object_get (run->config, "base-model", &base, "name", &name, NULL);
  pixel_training_read_settings (training, run->config);
  work.base = base;
  work.suggest = sources->images->len == 1;
  for (guint i = 0; i < sources->labels->len; i++)
    pixel_training_add_classes (training, sources->labels->pdata[i]);
  path = models_make_path (name, error); /* what can't be said before, not after the work */
  run->warnings = path ? advise (sources, error) : NULL;
  if (!run->warnings || !train_run_beside (run, load_base, &work, error) || !pixel_training_begin (training, sources->longest, error))
    return FALSE;
  for (guint i = 0; i < sources->images->len; i++)
    if (!add_image (&work, sources->labels->pdata[i], i, error))
      return FALSE;
  if (!check_painted (training, run->warnings, error) || !train_run_beside (run, learn, &work, error))
    return FALSE;
  run->file = pixel_training_save (training, name, error);
  run->score = pixel_training_tell_score (training);
  run->confusion = pixel_training_get_confusion (training);
  run->json = run->file ? pixel_training_make_json (training, run->file, sources->images->len, (const char *const *) run->warnings) : NULL;
  return run->file != NULL;
}
