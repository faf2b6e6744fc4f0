/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-survey.c: see train-survey.h. Images are counted in an idle source, a band of rows at a time; labelled photos in a thread, which asks GIMP nothing.
 */

#include "train-survey.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "label-examples.h"
#include "pixels.h"
#include "train-run.h"
#include "train-sources.h"

struct _TrainSurvey
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  void               (*changed) (gpointer user_data);
  gpointer             user_data;
  TrainFindings        found;
  TrainSources        *sources;   /* images and files; NULL: there are none */
  char                *source;    /* the setting, as it was looked at */
  char                *folder;    /* of labelled photos; NULL: images are learned */
  FoveaTask            wanted;    /* UNKNOWN: what the labels are for */
  char                *asked;     /* settings and files of the last look */
  gboolean             is_known;  /* files that haven't changed since needn't be counted again */
  guint                next;      /* of the sources' images */
  LabelCounter        *counter;   /* of the image before that; NULL: none is at work */
  guint                counting;  /* the idle source; 0: none */
  GPtrArray           *names;     /* of char*: the classes of all images that have been counted */
  GArray              *counts;    /* of LabelCount: theirs */
  guint64              contradictions;
  guint                n_images;  /* that have been counted */
  GThread             *thread;    /* reads a folder's lists; NULL: none does */
  gboolean             is_stale;  /* … of another folder than is wanted now */
  FoveaLabelled       *labelled;  /* what it has found */
  GError              *error;
};

/* ---- the sum ------------------------------------------------------------------------------------------------------ */

static void
count_clear (gpointer data)
{
  g_clear_pointer (&((LabelCount *) data)->objects, g_array_unref);
}

static void
clear_sum (TrainSurvey *survey)
{
  g_clear_pointer (&survey->names, g_ptr_array_unref);
  g_clear_pointer (&survey->counts, g_array_unref);
  survey->names = g_ptr_array_new_with_free_func (g_free);
  survey->counts = g_array_new (FALSE, FALSE, sizeof (LabelCount));
  g_array_set_clear_func (survey->counts, count_clear);
  survey->contradictions = 0;
  survey->n_images = 0;
}

static LabelCount *
find_class (TrainSurvey *survey, const char *name)
{
  LabelCount fresh = { .objects = g_array_new (FALSE, FALSE, sizeof (LabelBlob)) };
  guint      index;

  if (g_ptr_array_find_with_equal_func (survey->names, name, g_str_equal, &index))
    {
      g_array_unref (fresh.objects);
      return &g_array_index (survey->counts, LabelCount, index);
    }
  g_ptr_array_add (survey->names, g_strdup (name));
  g_array_append_val (survey->counts, fresh);
  return &g_array_index (survey->counts, LabelCount, survey->counts->len - 1);
}

static void
add_counts (TrainSurvey *survey, const LabelLayers *labels, const LabelCounts *counts)
{
  for (guint i = 0; i < counts->n; i++)
    {
      const LabelCount *from = &counts->classes[i];
      LabelCount       *to = find_class (survey, labels->classes[i].name);

      to->pixels += from->pixels;
      to->outside += from->outside;
      to->layers += from->layers;
      g_array_append_vals (to->objects, from->objects->data, from->objects->len);
    }
  survey->contradictions += counts->contradictions;
  survey->n_images++;
}

/* What was found no longer holds. */
static void
forget (TrainSurvey *survey)
{
  g_clear_pointer (&survey->found.text, g_free);
  g_clear_pointer (&survey->found.advice, g_strfreev);
  g_clear_pointer (&survey->found.trouble, g_free);
  survey->found = (TrainFindings) { .task = survey->wanted };
  survey->is_known = FALSE;
  survey->is_stale = survey->thread != NULL;
}

/* ---- in words ------------------------------------------------------------------------------------------------------- */

static void
add_line (GString *text, char *line)
{
  g_string_append_printf (text, "%s%s", text->len ? "\n" : "", line);
  g_free (line);
}

static char *
describe_class (FoveaTask task, const char *name, gsize n)
{
  if (task == FOVEA_TASK_CLASSIFY)
    return g_strdup_printf (ngettext ("%s: %u photo", "%s: %u photos", n), name, (guint) n);
  if (task == FOVEA_TASK_DETECT)
    return g_strdup_printf (ngettext ("%s: %u object", "%s: %u objects", n), name, (guint) n);
  return g_strdup_printf (ngettext ("%s: %u pixel painted", "%s: %u pixels painted", n), name, (guint) n);
}

static gsize
choose_count (FoveaTask task, const LabelCount *count)
{
  return task == FOVEA_TASK_CLASSIFY ? count->layers : task == FOVEA_TASK_DETECT ? count->objects->len : count->pixels;
}

/* The images, and how far they are counted. */
static void
describe_images (const TrainSurvey *survey, GString *text)
{
  guint n_files = survey->sources->n_files, n_counted = n_files - survey->sources->files->len, n = survey->n_images;

  if (n_files > 0)
    add_line (text, g_strdup_printf (ngettext ("%u XCF file, of which those with labels are learned.", "%u XCF files, of which those with labels are learned.", n_files), n_files));
  if (n_files > 0 && n_counted < n_files)
    add_line (text, g_strdup_printf (_("Counted so far: %u"), n_counted));
  else if (n_files > 0 || g_strcmp0 (survey->source, "image") != 0)
    add_line (text, n_files > 0 ? g_strdup_printf (ngettext ("%u of them has labels.", "%u of them have labels.", n), n)
                                : g_strdup_printf (ngettext ("%u open image has labels.", "%u open images have labels.", n), n));
}

static void
advise (TrainSurvey *survey)
{
  g_autofree LabelClass   *classes = g_new0 (LabelClass, survey->names->len + 1);
  const LabelLayers        labels = { .task = survey->found.task, .n = survey->names->len, .classes = classes };
  const LabelCounts        counts = { survey->names->len, (LabelCount *) (gpointer) survey->counts->data, survey->contradictions };
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();
  g_autofree char         *folder = NULL;
  g_auto (GStrv)           sentences = NULL;
  char                    *beside;

  g_object_get (survey->config, "folder", &folder, NULL);
  for (guint i = 0; i < survey->names->len; i++)
    classes[i].name = survey->names->pdata[i];
  sentences = label_counts_advise (&counts, &labels);
  if (survey->sources->n_files > 0 && (beside = train_sources_tell_others (folder)))
    g_strv_builder_take (advice, beside);
  g_strv_builder_addv (advice, (const char **) sentences);
  g_strfreev (survey->found.advice);
  survey->found.advice = g_strv_builder_end (advice);
}

static void
tell_sum (TrainSurvey *survey, gboolean is_all)
{
  TrainFindings *found = &survey->found;
  GString       *text = g_string_new (NULL);
  guint          n_layers = 0;

  describe_images (survey, text);
  for (guint i = 0; i < survey->names->len; i++)
    {
      const LabelCount *count = &g_array_index (survey->counts, LabelCount, i);

      add_line (text, describe_class (found->task, survey->names->pdata[i], choose_count (found->task, count)));
      n_layers += count->layers;
    }
  g_free (found->text);
  found->text = g_string_free (text, FALSE);
  found->longest = survey->sources->longest;
  if (is_all)
    {
      found->n_photos = found->task == FOVEA_TASK_CLASSIFY ? n_layers : survey->n_images;
      advise (survey);
    }
  survey->changed (survey->user_data);
}

/* None of the images has labels. */
static void
tell_nothing (TrainSurvey *survey)
{
  g_autoptr (GError) error = NULL;

  forget (survey);
  train_sources_check (survey->sources, &error);
  survey->found.trouble = g_strdup (error->message);
  survey->changed (survey->user_data);
}

/* ---- images --------------------------------------------------------------------------------------------------------- */

/* Of another task than the others they are left out, unless the user wants a task whatever they are for. */
static gboolean
is_meant (TrainSurvey *survey, const LabelLayers *labels)
{
  if (survey->found.task == FOVEA_TASK_UNKNOWN)
    survey->found.task = labels->task;
  survey->found.are_strokes = survey->found.task == FOVEA_TASK_SEGMENT;
  return survey->wanted != FOVEA_TASK_UNKNOWN || labels->task == survey->found.task;
}

static void
finish_image (TrainSurvey *survey)
{
  const LabelLayers      *labels = survey->sources->labels->pdata[survey->next - 1];
  g_autoptr (LabelCounts) counts = gimp_image_is_valid (labels->image) ? label_counter_finish (survey->counter) : NULL;

  g_clear_pointer (&survey->counter, label_counter_free);
  if (counts)
    add_counts (survey, labels, counts);
}

/* FALSE when all have been counted. */
static gboolean
begin_image (TrainSurvey *survey)
{
  TrainSources *sources = survey->sources;

  if (survey->next < sources->labels->len)
    {
      const LabelLayers *labels = sources->labels->pdata[survey->next++];

      if (gimp_image_is_valid (labels->image) && is_meant (survey, labels))
        survey->counter = label_counter_new (labels, NULL);
      return TRUE;
    }
  if (sources->n_files == 0)
    return FALSE;
  train_sources_close (sources);
  survey->next = 0;
  return train_sources_step (sources);
}

/* A band, or a file. */
static gboolean
step (gpointer data)
{
  TrainSurvey *survey = data;

  if (survey->counter)
    {
      const LabelLayers *labels = survey->sources->labels->pdata[survey->next - 1];

      if (gimp_image_is_valid (labels->image) && label_counter_step (survey->counter))
        return G_SOURCE_CONTINUE;
      finish_image (survey);
      if (survey->sources->n_files > 0)
        tell_sum (survey, FALSE);
      return G_SOURCE_CONTINUE;
    }
  if (begin_image (survey))
    return G_SOURCE_CONTINUE;
  survey->counting = 0;
  gimp_progress_end (); /* of the last file */
  if (survey->n_images > 0)
    tell_sum (survey, TRUE);
  else
    tell_nothing (survey);
  survey->is_known = survey->sources->n_files > 0;
  return G_SOURCE_REMOVE;
}

/* ---- labelled photos -------------------------------------------------------------------------------------------------- */

static void count_folder (TrainSurvey *survey);

static void
tell_folder (TrainSurvey *survey)
{
  TrainFindings       *found = &survey->found;
  const FoveaLabelled *labelled = survey->labelled;
  GString             *text = g_string_new (NULL);

  found->task = labelled->task;
  found->n_photos = labelled->n_photos;
  add_line (text, g_strdup_printf (ngettext ("%u labelled photo", "%u labelled photos", found->n_photos), found->n_photos));
  for (guint c = 0; labelled->classes[c]; c++)
    add_line (text, labelled->counts ? describe_class (found->task, labelled->classes[c], labelled->counts[c]) : g_strdup (labelled->classes[c]));
  g_free (found->text);
  found->text = g_string_free (text, FALSE);
}

static gboolean
folder_read (gpointer data)
{
  TrainSurvey *survey = data;

  g_clear_pointer (&survey->thread, g_thread_join);
  if (survey->is_stale)
    count_folder (survey);
  else
    {
      g_clear_pointer (&survey->found.trouble, g_free);
      if (survey->labelled)
        tell_folder (survey);
      else
        survey->found.trouble = g_strdup (survey->error->message);
      survey->changed (survey->user_data);
    }
  return G_SOURCE_REMOVE;
}

typedef struct
{
  TrainSurvey *survey;
  char        *folder;
  FoveaTask    task;
} FolderWork;

static gpointer
read_folder (gpointer data)
{
  FolderWork  *work = data;
  TrainSurvey *survey = work->survey;

  survey->labelled = fovea_labelled_new (work->folder, work->task, &survey->error);
  g_idle_add (folder_read, survey);
  g_free (work->folder);
  g_free (work);
  return NULL;
}

static void
count_folder (TrainSurvey *survey)
{
  FolderWork work = { survey, survey->folder, survey->wanted };

  survey->is_stale = survey->thread != NULL;
  if (survey->thread || !survey->folder)
    return;
  work.folder = g_strdup (survey->folder);
  g_clear_pointer (&survey->labelled, fovea_labelled_free);
  g_clear_error (&survey->error);
  survey->thread = g_thread_new ("survey", read_folder, g_memdup2 (&work, sizeof work));
}

/* ---- looking ------------------------------------------------------------------------------------------------------------ */

/* What would have to be read again if it were another. Free with g_free. */
static char *
describe_question (const TrainSurvey *survey)
{
  g_autoptr (GString) text = g_string_new (survey->source);

  g_string_append_printf (text, " %d %s", (int) survey->wanted, survey->folder ? survey->folder : "");
  for (guint i = 0; survey->sources && i < survey->sources->files->len; i++)
    {
      const char *file = survey->sources->files->pdata[i];
      GStatBuf    about = { 0 };

      g_stat (file, &about);
      g_string_append_printf (text, "\n%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, file, (gint64) about.st_mtime, (gint64) about.st_size);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Labels say at once what they are for, and of whole images how many there are. */
static void
find_images (TrainSurvey *survey)
{
  TrainFindings *found = &survey->found;

  found->task = survey->wanted;
  found->n_photos = 0;
  for (guint i = 0; i < survey->sources->labels->len; i++)
    {
      const LabelLayers *labels = survey->sources->labels->pdata[i];

      if (!is_meant (survey, labels))
        continue;
      found->n_photos += found->task != FOVEA_TASK_CLASSIFY;
      for (guint c = 0; c < labels->n && found->task == FOVEA_TASK_CLASSIFY; c++)
        found->n_photos += labels->classes[c].layers->len;
    }
  found->longest = survey->sources->longest;
}

void
train_survey_look (TrainSurvey *survey)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *folder = NULL, *asked = NULL;
  gboolean           is_folder, is_one;

  train_survey_stop (survey);
  g_clear_pointer (&survey->source, g_free);
  g_object_get (survey->config, "source", &survey->source, "folder", &folder, NULL);
  is_folder = g_strcmp0 (survey->source, "folder") == 0;
  is_one = g_strcmp0 (survey->source, "image") == 0;
  survey->wanted = train_run_get_task (survey->config);
  if (is_folder ? folder && *folder : !is_one || pixels_check_image (survey->image, &error))
    survey->sources = train_sources_new (survey->source, survey->image, folder, &error);
  g_free (survey->folder);
  survey->folder = is_folder && survey->sources && survey->sources->n_files == 0 ? g_strdup (folder) : NULL;
  asked = describe_question (survey);
  if (g_strcmp0 (asked, survey->asked) != 0)
    forget (survey);
  g_free (survey->asked);
  survey->asked = g_steal_pointer (&asked);
  if (error || !survey->folder)
    {
      g_free (survey->found.trouble);
      survey->found.trouble = error ? g_strdup (error->message) : NULL;
    }
  if (is_folder && survey->sources && !survey->folder && !survey->is_known)
    {
      survey->found.n_photos = survey->sources->n_files;
      survey->found.are_strokes = survey->wanted == FOVEA_TASK_SEGMENT;
    }
  else if (!is_folder && survey->sources)
    find_images (survey);
  if (is_folder && !survey->sources && !error)
    {
      g_free (survey->found.text);
      survey->found.text = g_strdup (_("XCF files with labels; or photos, each class in a folder of its name, or with boxes or masks of other programs."));
    }
}

void
train_survey_count (TrainSurvey *survey)
{
  train_survey_look (survey);
  if (survey->is_known)
    return;
  if (survey->folder)
    count_folder (survey);
  else if (survey->sources)
    {
      clear_sum (survey);
      survey->counting = g_idle_add_full (G_PRIORITY_LOW, step, survey, NULL);
    }
}

void
train_survey_stop (TrainSurvey *survey)
{
  g_clear_handle_id (&survey->counting, g_source_remove);
  g_clear_pointer (&survey->counter, label_counter_free);
  g_clear_pointer (&survey->sources, train_sources_free);
  survey->next = 0;
}

/* ---- its life ------------------------------------------------------------------------------------------------------------ */

const TrainFindings *
train_survey_get (const TrainSurvey *survey)
{
  return &survey->found;
}

TrainSurvey *
train_survey_new (GimpProcedureConfig *config, GimpImage *image, void (*changed) (gpointer user_data), gpointer user_data)
{
  TrainSurvey *survey = g_new0 (TrainSurvey, 1);

  survey->config = config;
  survey->image = image;
  survey->changed = changed;
  survey->user_data = user_data;
  clear_sum (survey);
  return survey;
}

void
train_survey_free (TrainSurvey *survey)
{
  train_survey_stop (survey);
  g_clear_pointer (&survey->thread, g_thread_join);
  g_idle_remove_by_data (survey);
  forget (survey);
  g_clear_pointer (&survey->labelled, fovea_labelled_free);
  g_clear_error (&survey->error);
  g_ptr_array_unref (survey->names);
  g_array_unref (survey->counts);
  g_free (survey->source);
  g_free (survey->folder);
  g_free (survey->asked);
  g_free (survey);
}
