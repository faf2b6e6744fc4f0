/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train.c: the procedure plug-in-fovea-train: a model from what is labelled. GIMP is asked on the main thread; what takes time runs beside it.
 */

#include "train.h"

#include <glib/gi18n.h>
#include <string.h>

#include "arguments.h"
#include "label-examples.h"
#include "models.h"
#include "pixel-training.h"
#include "pixels.h"
#include "train-sources.h"

#define BAND_ROWS 256
#define TICK      (G_TIME_SPAN_SECOND / 10)

static const char *const tasks[] = { "auto", "segment", "classify", "detect", NULL };
static const char *const sources_words[] = { "image", "open-images", "folder", NULL };

/* A step that a worker does. */
typedef struct _Work Work;

struct _Work
{
  gboolean     (*run) (Work *work, GError **error);
  PixelTraining *training;
  const char    *base;
  FoveaPhoto     photo;
  gboolean       judge;
  gint           fraction; /* thousandths; atomic */
  GMutex         mutex;
  GCond          cond;
  gboolean       done, ok;
  GError        *error;
};

/* ---- in a worker --------------------------------------------------------------------------------------------------- */

static gpointer
run_thread (gpointer data)
{
  Work    *work = data;
  gboolean ok = work->run (work, &work->error);

  g_mutex_lock (&work->mutex);
  work->ok = ok;
  work->done = TRUE;
  g_cond_signal (&work->cond);
  g_mutex_unlock (&work->mutex);
  return NULL;
}

/* Meanwhile the main thread shows how far it is. */
static gboolean
run_beside (Work *work, gboolean (*run) (Work *work, GError **error), GError **error)
{
  GThread *thread;

  work->run = run;
  work->done = FALSE;
  g_mutex_init (&work->mutex);
  g_cond_init (&work->cond);
  thread = g_thread_new ("train", run_thread, work);
  g_mutex_lock (&work->mutex);
  while (!work->done)
    if (!g_cond_wait_until (&work->cond, &work->mutex, g_get_monotonic_time () + TICK))
      {
        g_mutex_unlock (&work->mutex);
        gimp_progress_update (g_atomic_int_get (&work->fraction) / 1000.0);
        g_mutex_lock (&work->mutex);
      }
  g_mutex_unlock (&work->mutex);
  g_thread_join (thread);
  g_mutex_clear (&work->mutex);
  g_cond_clear (&work->cond);
  if (work->error)
    g_propagate_error (error, g_steal_pointer (&work->error));
  return work->ok;
}

static void
note_progress (double fraction, gpointer data)
{
  g_atomic_int_set (&((Work *) data)->fraction, (gint) (1000 * fraction));
}

static gboolean
load_base (Work *work, GError **error)
{
  return pixel_training_load_base (work->training, work->base, error);
}

static gboolean
add_photo (Work *work, GError **error)
{
  return fovea_pixel_trainer_add_photo (work->training->trainer, &work->photo, NULL, error) >= 0;
}

static gboolean
learn (Work *work, GError **error)
{
  PixelTraining *training = work->training;

  if (!fovea_pixel_trainer_run (training->trainer, NULL, note_progress, work, error))
    return FALSE;
  training->score = work->judge ? fovea_pixel_trainer_judge (training->trainer, NULL, error) : NULL;
  return training->score || !work->judge;
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
  g_autofree guint8 *cells = pixels_check_image (labels->image, error) ? pixel_training_draw_labels (work->training, labels, NULL, error) : NULL;
  gboolean           ok = cells && copy_photo (labels->image, &copy, error);

  work->photo = (FoveaPhoto) { copy.width, copy.height, read_copy, &copy };
  ok = ok && run_beside (work, add_photo, error) && fovea_pixel_trainer_set_labels (work->training->trainer, (int) number, cells, error);
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

static gboolean
train_pixels (GimpProcedureConfig *config, const TrainSources *sources, char **file, char **json, GError **error)
{
  g_autoptr (PixelTraining) training = pixel_training_new ();
  g_autofree char          *base = NULL, *name = NULL, *path = NULL;
  g_auto (GStrv)            warnings = NULL;
  Work                      work = { .training = training };
  int                       epochs, seed;
  double                    rate, share;

  g_object_get (config, "base-model", &base, "name", &name, "epochs", &epochs, "learning-rate", &rate, "validation-share", &share, "seed", &seed, NULL);
  training->settings.seed = (guint64) seed;
  training->settings.first_steps = epochs > 0 ? (guint) epochs * 10 : training->settings.first_steps;
  training->settings.learning_rate = rate > 0 ? rate : training->settings.learning_rate;
  work.base = base;
  work.judge = share > 0;
  for (guint i = 0; i < sources->labels->len; i++)
    pixel_training_add_classes (training, sources->labels->pdata[i]);
  path = models_make_path (name, error); /* what can't be said before, not after the work */
  warnings = path ? advise (sources, error) : NULL;
  if (!warnings || !run_beside (&work, load_base, error) || !pixel_training_begin (training, sources->longest, error))
    return FALSE;
  for (guint i = 0; i < sources->images->len; i++)
    if (!add_image (&work, sources->labels->pdata[i], i, error))
      return FALSE;
  if (!check_painted (training, warnings, error) || !run_beside (&work, learn, error))
    return FALSE;
  *file = pixel_training_save (training, name, error);
  *json = *file ? pixel_training_make_json (training, *file, sources->images->len, (const char *const *) warnings) : NULL;
  return *file != NULL;
}

/* ---- the procedure ------------------------------------------------------------------------------------------------- */

static gboolean
train (GimpProcedureConfig *config, GimpImage *image, char **file, char **json, GError **error)
{
  g_autofree char         *folder = NULL, *source = NULL;
  g_autoptr (TrainSources) sources = NULL;
  guint                    task, place;

  if (!argument_read_word (config, "task", tasks, &task, error) || !argument_read_word (config, "source", sources_words, &place, error))
    return FALSE;
  g_object_get (config, "source", &source, "folder", &folder, NULL);
  gimp_progress_init (_("Training"));
  sources = train_sources_open (source, image, folder, error);
  if (!sources)
    return FALSE;
  if (task > 1 || (task == 0 && ((LabelLayers *) sources->labels->pdata[0])->task != FOVEA_TASK_SEGMENT))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("Here painted pixels are learned. Set the label group to “segment”, or train whole images and objects with the command “fovea train”."));
      return FALSE;
    }
  return train_pixels (config, sources, file, json, error);
}

static GimpValueArray *
train_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  g_autofree char *file = NULL, *json = NULL;
  GError          *error = NULL;
  GimpValueArray  *values;

  gegl_init (NULL, NULL);
  if (run_mode == GIMP_RUN_INTERACTIVE)
    {
      train_dialog_run (config, image);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
    }
  if (!train (config, image, &file, &json, &error))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GIMP_VALUES_TAKE_STRING (values, 1, g_steal_pointer (&file));
  GIMP_VALUES_TAKE_STRING (values, 2, g_steal_pointer (&json));
  return values;
}

static void
add_arguments (GimpProcedure *procedure)
{
  gimp_procedure_add_string_argument (procedure, "task", _("_Task"), _("What is learned: auto (what the labels are for), segment (painted pixels), classify (whole images) "
                                                                       "or detect (objects)"),
                                      "auto", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "base-model", _("_Base model"), _("What is learned on: name of an installed model, or path of an ONNX file. Empty: the "
                                                                                   "cut-out model for pixels where it is installed, else the tagger"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "name", _("_Name"), _("Of the new model. A model of yours of that name is replaced. Empty: “My model”, or the next free number of it"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "source", _("_Learn from"), _("Whose labels: image, open-images, or folder"), "image", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "folder", _("_Folder"), _("Folder of XCF files with labels"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "epochs", _("_Epochs"), _("Tens of steps of learning. 0: as is usual"), 0, 10000, 0,
                                   G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "learning-rate", _("Learning _rate"), _("At its highest. 0: as is usual"), 0, 10, 0, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "validation-share", _("_Validation share"), _("Above 0: strokes are kept out to judge by; 0: no judgement"), 0, 0.9, 0.15,
                                      G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "output", _("Ma_ke"), _("What the window's Apply makes: layer-mask, selection, channels, layers or cut-out"), "selection",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "seed", _("_Seed"), _("The same seed gives the same model"), 0, G_MAXINT, 1, G_PARAM_READWRITE);
}

GimpProcedure *
train_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure   *procedure = gimp_image_procedure_new (plug_in, TRAIN_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, train_run, NULL, NULL);
  g_autofree char *menu = g_strconcat ("<Image>/Filters/", _("_Fovea"), NULL);

  gimp_procedure_set_image_types (procedure, "*");
  gimp_procedure_set_sensitivity_mask (procedure, GIMP_PROCEDURE_SENSITIVE_DRAWABLE | GIMP_PROCEDURE_SENSITIVE_DRAWABLES | GIMP_PROCEDURE_SENSITIVE_NO_DRAWABLES);
  gimp_procedure_set_menu_label (procedure, _("_Train…"));
  gimp_procedure_add_menu_path (procedure, menu);
  gimp_procedure_set_icon_name (procedure, "gimp-tool-paintbrush");
  gimp_procedure_set_documentation (procedure, _("Train a model of your own on what you have labelled"),
                                    _("What is painted on label layers becomes a model that Segment finds by its name: on this photo and on the next. It is trained on this machine."),
                                    TRAIN_PROCEDURE);
  gimp_procedure_set_attribution (procedure, "Fovea developers", "Fovea developers", "2026");
  add_arguments (procedure);
  gimp_procedure_add_string_return_value (procedure, "model", _("Model"), _("The model's file"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Classes, scores and warnings as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
