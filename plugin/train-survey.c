/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-survey.c: see train-survey.h. Images are counted in an idle source, a band of rows at a time; then labelled photos in a thread, which asks GIMP nothing: their
 * lists, and masks for a while each time, so that nobody ever waits long for it.
 */

#include "train-survey.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "image.h"
#include "label-examples.h"
#include "pixels.h"
#include "train-run.h"
#include "train-sources.h"

#define WHILE 0.3 /* seconds that masks are read at a time */
#define FEW   5   /* examples of a class */

struct _TrainSurvey
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  void               (*changed) (gpointer user_data);
  gpointer             user_data;
  TrainFindings        found;
  TrainSources        *sources;   /* images and files; NULL: there are none */
  char                *source;    /* the setting, as it was looked at */
  char                *folder;    /* that may have labelled photos; NULL: open images are learned */
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
  GThread             *thread;    /* reads a folder's lists or masks; NULL: none does, and what follows is the main thread's */
  gboolean             is_stale;  /* … of another folder than is wanted now */
  gboolean             is_due;    /* the folder is to be read when the thread ends */
  gboolean             is_at_work; /* FALSE: it has been stopped */
  FoveaLabelled       *labelled;  /* photos that are found there; NULL: none */
  gboolean             are_beside; /* they, beside XCF files with labels */
  char                *digest;    /* tells their masks from others */
  char                *unused;    /* what is said of photos that are of no use; NULL: nothing */
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
  survey->are_beside = FALSE;
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

/* Whether masks of photos beside the images show the class, as far as that is known: then it doesn't matter that nothing of it is painted. */
static gboolean
are_in_masks (const TrainSurvey *survey, const char *name)
{
  const FoveaLabelled *labelled = survey->are_beside && survey->found.task == FOVEA_TASK_SEGMENT ? survey->labelled : NULL;

  for (guint c = 0; labelled && labelled->classes[c]; c++)
    if (strcmp (labelled->classes[c], name) == 0)
      return labelled->counts[c] > 0 || labelled->n_seen < labelled->n_photos;
  return FALSE;
}

static void
advise (TrainSurvey *survey)
{
  g_autofree LabelClass   *classes = g_new0 (LabelClass, survey->names->len + 1);
  g_autofree LabelCount   *own = g_new0 (LabelCount, survey->names->len + 1);
  LabelLayers              labels = { .task = survey->found.task, .classes = classes };
  const LabelCount        *all = (const LabelCount *) (gconstpointer) survey->counts->data;
  LabelCounts              counts = { 0, own, survey->contradictions };
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();
  g_auto (GStrv)           sentences = NULL;

  for (guint i = 0; i < survey->names->len; i++)
    if (!are_in_masks (survey, survey->names->pdata[i]))
      {
        classes[counts.n].name = survey->names->pdata[i];
        own[counts.n++] = all[i];
      }
  labels.n = counts.n;
  sentences = survey->are_beside && counts.n < 2 ? NULL : label_counts_advise (&counts, &labels);
  if (survey->unused)
    g_strv_builder_add (advice, survey->unused);
  if (sentences)
    g_strv_builder_addv (advice, (const char **) sentences);
  g_strfreev (survey->found.advice);
  survey->found.advice = g_strv_builder_end (advice);
}

/* What is known of labelled photos: of masks as far as they have been read. */
static void
describe_labelled (const FoveaLabelled *labelled, GString *text)
{
  if (labelled->n_seen < labelled->n_photos)
    add_line (text, g_strdup_printf (_("Counted so far: %u"), labelled->n_seen));
  for (guint c = 0; labelled->classes[c]; c++)
    add_line (text, labelled->n_seen == 0 ? g_strdup (labelled->classes[c])
                                          : describe_class (labelled->task == FOVEA_TASK_DETECT ? FOVEA_TASK_DETECT : FOVEA_TASK_CLASSIFY, labelled->classes[c],
                                                            labelled->counts[c]));
}

static char **
advise_labelled (const FoveaLabelled *labelled)
{
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();

  for (guint c = 0; labelled->classes[c]; c++)
    {
      const char *name = labelled->classes[c];
      guint       n = (guint) labelled->counts[c];

      if (n == 0)
        g_strv_builder_take (advice, g_strdup_printf (_("No photo shows “%s”: add some that do, or leave the class out."), name));
      else if (n < FEW)
        g_strv_builder_take (advice, g_strdup_printf (ngettext ("“%s” has only %d example: ten or more are better.", "“%s” has only %d examples: ten or more are better.", n),
                                                      name, (int) n));
    }
  return g_strv_builder_end (advice);
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

      if (choose_count (found->task, count) > 0 || !are_in_masks (survey, survey->names->pdata[i]))
        add_line (text, describe_class (found->task, survey->names->pdata[i], choose_count (found->task, count)));
      n_layers += count->layers;
    }
  if (survey->are_beside)
    add_line (text, g_strdup_printf (ngettext ("%u labelled photo beside them is learned, too.", "%u labelled photos beside them are learned, too.", survey->labelled->n_photos),
                                     survey->labelled->n_photos));
  if (survey->are_beside && found->task == FOVEA_TASK_SEGMENT)
    describe_labelled (survey->labelled, text);
  g_free (found->text);
  found->text = g_string_free (text, FALSE);
  found->longest = survey->sources->longest;
  if (is_all)
    {
      found->n_photos = found->task == FOVEA_TASK_CLASSIFY ? n_layers : survey->n_images + (survey->are_beside ? survey->labelled->n_photos : 0);
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

static void count_folder (TrainSurvey *survey);

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
  if (survey->folder)
    count_folder (survey);
  else if (survey->n_images > 0)
    tell_sum (survey, TRUE);
  else
    tell_nothing (survey);
  return G_SOURCE_REMOVE;
}

/* ---- labelled photos -------------------------------------------------------------------------------------------------- */

static void
tell_folder (TrainSurvey *survey)
{
  TrainFindings       *found = &survey->found;
  const FoveaLabelled *labelled = survey->labelled;
  GString             *text = g_string_new (NULL);

  found->task = labelled->task;
  found->are_strokes = FALSE;
  found->n_photos = labelled->n_photos;
  add_line (text, g_strdup_printf (ngettext ("%u labelled photo", "%u labelled photos", found->n_photos), found->n_photos));
  describe_labelled (labelled, text);
  g_free (found->text);
  found->text = g_string_free (text, FALSE);
  g_clear_pointer (&found->advice, g_strfreev);
  if (labelled->n_seen == labelled->n_photos)
    found->advice = advise_labelled (labelled);
}

/* Photos beside images with labels count with these. */
static void
add_labelled (TrainSurvey *survey)
{
  const FoveaLabelled *labelled = survey->labelled;

  survey->are_beside = TRUE;
  for (guint c = 0; labelled->classes[c]; c++)
    {
      LabelCount *to = find_class (survey, labelled->classes[c]);

      if (labelled->task == FOVEA_TASK_CLASSIFY)
        to->layers += (guint) labelled->counts[c];
      else if (labelled->task == FOVEA_TASK_DETECT)
        g_array_set_size (to->objects, to->objects->len + (guint) labelled->counts[c]);
    }
}

/* The thread has come to its end. */
static void
tell_labelled (TrainSurvey *survey)
{
  g_clear_pointer (&survey->found.trouble, g_free);
  if (survey->n_images > 0)
    {
      if (survey->labelled && !survey->are_beside)
        add_labelled (survey);
      tell_sum (survey, TRUE);
    }
  else if (survey->labelled)
    tell_folder (survey);
  else if (survey->sources->n_files > 0)
    tell_nothing (survey);
  else
    survey->found.trouble = g_strdup (survey->error->message);
  survey->is_known = survey->sources->n_files > 0 && (!survey->labelled || survey->labelled->n_seen == survey->labelled->n_photos);
  survey->changed (survey->user_data);
}

typedef struct
{
  TrainSurvey *survey;
  char        *folder; /* NULL: its masks are read on */
  FoveaTask    task;
  gboolean     are_beside;
} FolderWork;

static gboolean folder_read (gpointer survey);

/* Masks that are the same as before needn't be read again. Free with g_free. */
static char *
make_digest (const FoveaLabelled *labelled)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; i < labelled->n_photos; i++)
    {
      const char      *mask, *photo = fovea_labelled_get_photo (labelled, i, &mask);
      GStatBuf         about = { 0 };
      g_autofree char *text = NULL;

      if (mask)
        g_stat (mask, &about);
      text = g_strdup_printf ("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", mask ? mask : photo, (gint64) about.st_mtime, (gint64) about.st_size);
      g_checksum_update (sum, (const guchar *) text, -1);
    }
  return g_strdup (g_checksum_get_string (sum));
}

static void
find_labelled (TrainSurvey *survey, const FolderWork *work)
{
  FoveaLabelled   *labelled;
  g_autofree char *digest = NULL;

  g_clear_error (&survey->error);
  g_clear_pointer (&survey->unused, g_free);
  labelled = work->are_beside ? train_sources_find_others (work->folder, work->task) : fovea_labelled_new (work->folder, work->task, FALSE, &survey->error);
  survey->unused = work->are_beside ? train_sources_tell_others (work->folder, work->task) : NULL;
  digest = labelled ? make_digest (labelled) : NULL;
  if (labelled && survey->labelled && labelled->task == survey->labelled->task && g_strcmp0 (digest, survey->digest) == 0
      && g_strv_equal ((const char *const *) labelled->classes, (const char *const *) survey->labelled->classes))
    {
      fovea_labelled_free (labelled);
      return;
    }
  fovea_labelled_free (survey->labelled);
  survey->labelled = labelled;
  g_free (survey->digest);
  survey->digest = g_steal_pointer (&digest);
}

static gpointer
read_folder (gpointer data)
{
  FolderWork  *work = data;
  TrainSurvey *survey = work->survey;

  if (work->folder)
    find_labelled (survey, work);
  else
    fovea_labelled_see (survey->labelled, image_read_file, NULL, WHILE);
  g_idle_add (folder_read, survey);
  g_free (work->folder);
  g_free (work);
  return NULL;
}

static void
begin_thread (TrainSurvey *survey, const char *folder)
{
  FolderWork work = { survey, g_strdup (folder), survey->n_images > 0 ? survey->found.task : survey->wanted, survey->n_images > 0 };

  survey->is_stale = FALSE;
  survey->thread = g_thread_new ("survey", read_folder, g_memdup2 (&work, sizeof work));
}

static gboolean
folder_read (gpointer data)
{
  TrainSurvey *survey = data;

  g_clear_pointer (&survey->thread, g_thread_join);
  if (survey->is_due)
    count_folder (survey);
  else if (!survey->is_stale && survey->sources && !survey->counting) /* when images are counted again, so will the photos be */
    {
      tell_labelled (survey);
      if (survey->is_at_work && survey->labelled && survey->labelled->n_seen < survey->labelled->n_photos)
        begin_thread (survey, NULL);
    }
  return G_SOURCE_REMOVE;
}

static void
count_folder (TrainSurvey *survey)
{
  survey->is_due = survey->thread && survey->folder;
  if (!survey->thread && survey->folder)
    begin_thread (survey, survey->folder);
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
  survey->folder = is_folder && survey->sources ? g_strdup (folder) : NULL;
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
  if (is_folder && survey->sources && survey->sources->n_files > 0 && !survey->is_known)
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
  survey->is_at_work = TRUE;
  clear_sum (survey);
  if (survey->folder && survey->sources->n_files == 0)
    count_folder (survey);
  else if (survey->sources)
    {
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
  survey->is_at_work = FALSE;
  survey->is_due = FALSE;
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
  g_free (survey->digest);
  g_free (survey->unused);
  g_ptr_array_unref (survey->names);
  g_array_unref (survey->counts);
  g_free (survey->source);
  g_free (survey->folder);
  g_free (survey->asked);
  g_free (survey);
}
