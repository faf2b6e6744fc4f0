/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run-pixels.c: the painted pixels of images, from their layers to a model; and those of photos with masks beside them.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "image.h"
#include "label-examples.h"
#include "models.h"
#include "pixel-keeping.h"
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
  guint          number, n_photos; /* of that photo; of all */
  const FoveaLabelled *others;     /* photos with masks; NULL: none */
  PixelKeeping  *keeping;        /* NULL: nothing is kept */
  const char    *checkpoint;     /* of that, when all is read */
  gboolean       suggest;
} Work;

/* ---- in a worker --------------------------------------------------------------------------------------------------- */

static void
note_progress (double fraction, gpointer data)
{
  const Work *work = data;

  g_atomic_int_set (&work->run->thousandths, (gint) (1000 * fraction));
  train_run_wait_while (&work->run->is_paused, work->run->halt);
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

  note_progress ((double) work->number / work->n_photos, work);
  return fovea_pixel_trainer_add_photo (work->training->trainer, &work->photo, work->run->halt, error) >= 0;
}

static gboolean
keep (const Work *work, const guint8 *cells, GError **error)
{
  return !work->keeping || pixel_keeping_add (work->keeping, work->training, &work->photo, cells, error);
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

/* The user has ended it, and what was learned until then is kept. */
static gboolean
is_stopped (const Work *work)
{
  return g_cancellable_is_cancelled (work->run->halt) && !g_cancellable_is_cancelled (work->run->cancellable);
}

/* After a step. */
static void
note_step (double fraction, gpointer data)
{
  Work                  *work = data;
  FoveaPixelTrainer     *trainer = work->training->trainer;
  const TrainingPoint    point = { fraction, fovea_pixel_trainer_get_loss (trainer), fovea_pixel_trainer_get_score (trainer) };
  g_autoptr (FoveaModel) model = NULL;

  training_report_add_step (work->run->report, &point);
  if (training_report_is_due (work->run->report))
    model = fovea_pixel_trainer_make_model (trainer, NULL, NULL);
  if (model)
    training_report_ask (work->run->report, model, work->run->halt);
  note_progress (fraction, data);
}

static gboolean
learn (gpointer data, GError **error)
{
  Work   *work = data;
  GError *local = NULL;

  if (!fovea_pixel_trainer_run (work->training->trainer, work->checkpoint, work->run->halt, note_step, work, &local) && !is_stopped (work))
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  g_clear_error (&local);
  return !work->suggest || suggest (work, error);
}

static gboolean
judge (gpointer data, GError **error)
{
  Work          *work = data;
  PixelTraining *training = work->training;
  GError        *local = NULL;

  training->judges &= !is_stopped (work);
  training->score = training->judges ? fovea_pixel_trainer_judge (training->trainer, work->run->halt, &local) : NULL;
  training->judges &= !is_stopped (work);
  if (!training->judges)
    g_clear_error (&local);
  if (local)
    g_propagate_error (error, local);
  return !local;
}

/* What the model says of the open image. */
static gboolean
ask (gpointer data, GError **error)
{
  TrainRun              *run = ((Work *) data)->run;
  g_autoptr (FoveaModel) model = fovea_model_load (run->file, NULL);

  training_report_ask (run->report, model, run->cancellable);
  return TRUE;
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

/* The classes of masks, by their values; names are borrowed. Free `classes` with g_free. */
static LabelLayers
list_mask_classes (const Work *work)
{
  const PixelTraining *training = work->training;
  guint                n = g_strv_length (work->others->classes);
  LabelLayers          labels = { .task = FOVEA_TASK_SEGMENT, .n = 1 + n, .classes = g_new0 (LabelClass, 1 + n) };
  gboolean             has_rest = training->classes->len > 0 && training->background[0];

  labels.classes[0] = (LabelClass) { .name = has_rest ? training->classes->pdata[0] : (char *) _("Background"), .background = TRUE };
  for (guint i = 0; i < n; i++)
    labels.classes[1 + i].name = work->others->classes[i];
  return labels;
}

/* The longer side of the largest; photos that can't be read are for add_others to complain of. */
static int
find_longest (const FoveaLabelled *others)
{
  int longest = 0, width, height;

  for (guint i = 0; others && i < others->n_photos; i++)
    if (gdk_pixbuf_get_file_info (fovea_labelled_get_photo (others, i, NULL), &width, &height))
      longest = MAX (longest, MAX (width, height));
  return longest;
}

/* A photo and its mask, in a worker. */
static gboolean
add_other (Work *work, const LabelLayers *labels, guint i, GError **error)
{
  PixelTraining     *training = work->training;
  const char        *mask_file, *file = fovea_labelled_get_photo (work->others, i, &mask_file);
  Copy               copy = { 0 };
  int                width, height, grid = fovea_pixel_trainer_get_grid (training->trainer);
  g_autofree guint8 *mask = image_read_file (mask_file, 1, &width, &height, NULL, error), *raster = NULL, *cells = NULL;
  gboolean           ok = mask && (copy.rgb = image_read_file (file, 3, &copy.width, &copy.height, NULL, error));

  if (ok)
    {
      raster = g_new (guint8, (gsize) grid * (gsize) grid);
      for (int v = 0; v < grid; v++)
        for (int u = 0; u < grid; u++)
          {
            guint8 value = mask[(gsize) ((2 * v + 1) * (gint64) height / (2 * grid)) * (gsize) width + (gsize) ((2 * u + 1) * (gint64) width / (2 * grid))];

            raster[v * grid + u] = value < labels->n ? (guint8) (value + 1) : LABEL_NONE;
          }
      cells = pixel_training_take_labels (training, labels, raster);
      work->photo = (FoveaPhoto) { copy.width, copy.height, read_copy, &copy };
      ok = add_photo (work, error) && keep (work, cells, error) && fovea_pixel_trainer_set_labels (training->trainer, (int) work->number, cells, error);
    }
  g_free (copy.rgb);
  return ok;
}

static gboolean
add_others (gpointer data, GError **error)
{
  Work                  *work = data;
  const LabelLayers      labels = list_mask_classes (work);
  g_autofree LabelClass *classes = labels.classes;

  for (guint i = 0; i < work->others->n_photos; i++, work->number++)
    if (!add_other (work, &labels, i, error))
      return FALSE;
  return TRUE;
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
  work->number = number;
  ok = ok && train_run_beside (work->run, add_photo, work, error) && keep (work, cells, error)
       && fovea_pixel_trainer_set_labels (work->training->trainer, (int) number, cells, error);
  g_free (copy.rgb);
  return ok;
}

/* What was left out and what is doubtful about the labels, in words. Free with g_strfreev. */
static char **
advise (const TrainSources *sources, char *const *left_out, GError **error)
{
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();

  g_strv_builder_addv (advice, (const char **) left_out);
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

/* From the labels to the model in the memory. */
static gboolean
learn_images (Work *work, const TrainSources *sources, PhotoOrder *order, GError **error)
{
  PixelTraining *training = work->training;
  TrainRun      *run = work->run;

  if (!train_run_beside (run, load_base, work, error) || !pixel_training_begin (training, MAX (sources->longest, find_longest (work->others)), error))
    return FALSE;
  run->stage = TRAIN_STAGE_LOOKING;
  work->n_photos = sources->images->len + (work->others ? work->others->n_photos : 0);
  for (guint i = 0; i < sources->images->len; i++)
    if (!add_image (work, sources->labels->pdata[i], i, error))
      return FALSE;
  work->number = sources->images->len;
  if (work->others && !train_run_beside (run, add_others, work, error))
    return FALSE;
  if (!check_painted (training, run->warnings, error) || (work->keeping && !(work->checkpoint = pixel_keeping_begin (work->keeping, training, order, run->left, error))))
    return FALSE;
  run->stage = TRAIN_STAGE_LEARNING;
  if (!train_run_beside (run, learn, work, error))
    return FALSE;
  run->stage = TRAIN_STAGE_JUDGING;
  return train_run_beside (run, judge, work, error);
}

gboolean
train_run_pixels (TrainRun *run, const TrainSources *sources, const FoveaLabelled *others, char *const *left_out, PhotoOrder *order, GError **error)
{
  g_autoptr (PixelKeeping)  keeping = NULL;
  g_autoptr (PixelTraining) training = pixel_training_new ();
  g_autoptr (GCancellable)  halt = g_cancellable_new ();
  g_autofree char          *path = NULL;
  Work                      work = { .training = training, .run = run, .others = others, .base = order->base };
  gulong                    cancelled;
  gboolean                  ok;

  pixel_training_read_order (training, order);
  training->settings.judged_steps = training->judges && run->photo ? 1 : 0; /* where somebody watches */
  work.suggest = sources->images->len == 1 && !others;
  for (guint i = 0; i < sources->labels->len; i++)
    pixel_training_add_classes (training, sources->labels->pdata[i]);
  if (others)
    {
      const LabelLayers      labels = list_mask_classes (&work);
      g_autofree LabelClass *classes = labels.classes;

      pixel_training_add_classes (training, &labels);
    }
  path = models_make_path (order->name, error); /* what can't be said before, not after the work */
  if (!path)
    return FALSE;
  photo_order_take_name (order, path);
  if (training->is_long && !(work.keeping = keeping = pixel_keeping_new (order->name, error)))
    return FALSE;
  run->warnings = advise (sources, left_out, error);
  run->halt = halt;
  cancelled = train_run_couple (run->cancellable, halt);
  ok = run->warnings && learn_images (&work, sources, order, error);
  run->halt = NULL;
  g_cancellable_disconnect (run->cancellable, cancelled);
  run->file = ok ? pixel_training_save (training, order->name, error) : NULL;
  if (!run->file)
    return FALSE;
  if (keeping)
    pixel_keeping_remove (keeping);
  run->score = pixel_training_tell_score (training);
  run->confusion = pixel_training_get_confusion (training);
  run->json = pixel_training_make_json (training, run->file, work.n_photos, (const char *const *) run->warnings);
  return !run->photo || train_run_beside (run, ask, &work, error);
}
