/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.c: see dataset.h. Finds the layout, lets its reader gather a draft with labels by name, and makes classes, known labels and splits of it.
 */

#include "train/dataset.h"

#include <glib/gi18n.h>
#include <string.h>

#include "train/dataset-private.h"
#include "train/random.h"

#define FEW_EXAMPLES 5 /* of a class: it will hardly be learned */

/* ---- the draft ------------------------------------------------------------------------------------------------------------------ */

void
draft_box_clear (gpointer box)
{
  g_free (((DraftBox *) box)->label);
}

static void
draft_sample_free (gpointer data)
{
  DraftSample *sample = data;

  g_free (sample->file);
  g_free (sample->mask);
  g_free (sample->source);
  g_strfreev (sample->labels);
  g_clear_pointer (&sample->boxes, g_array_unref);
  g_free (sample);
}

DraftSample *
draft_add (Draft *draft, char *file, char *source, char **labels, gint split)
{
  DraftSample *sample = g_new0 (DraftSample, 1);

  sample->file = file;
  sample->source = source ? source : g_strdup ("");
  sample->labels = labels ? labels : g_new0 (char *, 1);
  sample->split = split;
  sample->boxes = g_array_new (FALSE, TRUE, sizeof (DraftBox));
  g_array_set_clear_func (sample->boxes, draft_box_clear);
  g_ptr_array_add (draft->samples, sample);
  return sample;
}

void
draft_warn (Draft *draft, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (draft->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

gboolean
is_photo_name (const char *name)
{
  static const char *const ends[] = { ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif" };
  g_autofree char *small = g_ascii_strdown (name, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    if (g_str_has_suffix (small, ends[i]))
      return TRUE;
  return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
list_folder (const char *path, GError **error)
{
  g_autoptr (GDir)      folder = g_dir_open (path, 0, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char           *name;

  if (!folder)
    {
      g_ptr_array_set_free_func (names, g_free);
      return NULL;
    }
  while ((name = g_dir_read_name (folder)))
    if (name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_steal (names, NULL);
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------- */

static void
gather_label (GHashTable *found, GPtrArray *names, const char *label)
{
  if (*label && g_hash_table_add (found, (gpointer) label))
    g_ptr_array_add (names, (gpointer) label);
}

/* The names of all classes: the layout's own order, or sorted. */
static char **
name_classes (const Draft *draft, char **tags)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray)  names = g_ptr_array_new ();

  if (tags || draft->classes)
    return g_strdupv (tags ? tags : draft->classes);
  for (guint i = 0; i < draft->samples->len; i++)
    {
      const DraftSample *sample = g_ptr_array_index (draft->samples, i);

      if (draft->task == FOVEA_TASK_DETECT)
        for (guint b = 0; b < sample->boxes->len; b++)
          gather_label (found, names, g_array_index (sample->boxes, DraftBox, b).label);
      else
        for (guint l = 0; sample->labels[l]; l++)
          gather_label (found, names, sample->labels[l]);
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return g_strdupv ((char **) names->pdata);
}

static guint
find_class (GHashTable *indices, const char *label)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (indices, label)); /* 1 more than the index; 0: none */
}

/* ---- which classes a source knows -------------------------------------------------------------------------------------------------- */

/* The row of `known` for a source, made of the tag list's knowledge, or of the labels that occur in it. */
static guint
find_known (Dataset *dataset, GHashTable *rows, GHashTable *indices, const char *source, GHashTable *from_tags)
{
  guint8        *row;
  GHashTable    *tags = from_tags ? g_hash_table_lookup (from_tags, source) : NULL;
  GHashTableIter iter;
  gpointer       tag;

  if (g_hash_table_contains (rows, source))
    return GPOINTER_TO_UINT (g_hash_table_lookup (rows, source));
  row = g_new0 (guint8, dataset->n_classes);
  if (!from_tags && *source == '\0')
    memset (row, 1, dataset->n_classes);
  if (tags)
    {
      g_hash_table_iter_init (&iter, tags);
      while (g_hash_table_iter_next (&iter, &tag, NULL))
        row[find_class (indices, tag) - 1] = 1;
    }
  g_hash_table_insert (rows, (gpointer) source, GUINT_TO_POINTER (dataset->known->len));
  g_ptr_array_add (dataset->known, row);
  g_ptr_array_add (dataset->sources, g_strdup (source));
  return dataset->known->len - 1;
}

/* ---- from draft to data ------------------------------------------------------------------------------------------------------------- */

static void
sample_clear (gpointer data)
{
  Sample *sample = data;

  g_free (sample->file);
  g_free (sample->mask);
  g_free (sample->labels);
  g_free (sample->boxes);
}

static gint
compare_indices (gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;

  return x < y ? -1 : x > y;
}

static void
add_label (Sample *sample, guint label)
{
  for (guint l = 0; l < sample->n_labels; l++)
    if (sample->labels[l] == label)
      return;
  sample->labels[sample->n_labels++] = label;
}

static void
take_labels (Sample *sample, const DraftSample *draft, GHashTable *indices)
{
  sample->labels = g_new0 (guint, g_strv_length (draft->labels) + 1);
  for (guint l = 0; draft->labels[l]; l++)
    {
      guint index = find_class (indices, draft->labels[l]);

      if (index > 0)
        add_label (sample, index - 1);
    }
  qsort (sample->labels, sample->n_labels, sizeof *sample->labels, compare_indices);
}

static void
take_boxes (Sample *sample, const DraftSample *draft, GHashTable *indices)
{
  sample->boxes = g_new0 (SampleBox, draft->boxes->len + 1);
  for (guint b = 0; b < draft->boxes->len; b++)
    {
      const DraftBox *box = &g_array_index (draft->boxes, DraftBox, b);
      guint           index = find_class (indices, box->label);

      if (index > 0 && box->width > 0.0f && box->height > 0.0f)
        sample->boxes[sample->n_boxes++] = (SampleBox) { index - 1, box->x, box->y, box->width, box->height, box->ignored };
    }
}

/* A detector's photo shows what its boxes do. */
static void
take_box_labels (Sample *sample)
{
  g_free (sample->labels);
  sample->labels = g_new0 (guint, sample->n_boxes + 1);
  sample->n_labels = 0;
  for (guint b = 0; b < sample->n_boxes; b++)
    if (!sample->boxes[b].ignored)
      add_label (sample, sample->boxes[b].index);
  qsort (sample->labels, sample->n_labels, sizeof *sample->labels, compare_indices);
}

/* Every class gives the same share of its samples, chosen by the seed; at least one stays for training. */
static void
choose_validation (Dataset *dataset, const DatasetSettings *settings)
{
  for (guint c = 0; c < MAX (dataset->n_classes, 1); c++)
    {
      g_autoptr (GArray) mine = g_array_new (FALSE, FALSE, sizeof (guint));
      Random             random = random_stream (settings->seed, 0x5911, c);
      guint              n;

      for (guint i = 0; i < dataset->samples->len; i++)
        {
          const Sample *sample = &g_array_index (dataset->samples, Sample, i);
          guint         first = sample->n_labels ? sample->labels[0] : sample->n_boxes ? sample->boxes[0].index : 0;

          if (first == c && sample->split == SPLIT_TRAIN)
            g_array_append_val (mine, i);
        }
      random_shuffle (&random, (guint *) (gpointer) mine->data, mine->len);
      n = MIN ((guint) (settings->validation_share * mine->len + 0.5), mine->len > 0 ? mine->len - 1 : 0);
      for (guint k = 0; k < n; k++)
        g_array_index (dataset->samples, Sample, g_array_index (mine, guint, k)).split = SPLIT_VAL;
    }
}

static gboolean
has_labels (const Dataset *dataset, const Sample *sample)
{
  switch (dataset->task)
    {
    case FOVEA_TASK_DETECT: /* photos without a box are good to learn from, too, where it is known that nothing is there */
      return sample->n_boxes > 0 || memchr (g_ptr_array_index (dataset->known, sample->known), 1, dataset->n_classes);
    case FOVEA_TASK_SEGMENT:
      return sample->mask != NULL;
    default:
      for (guint c = 0; c < dataset->n_classes; c++)
        if (((const guint8 *) g_ptr_array_index (dataset->known, sample->known))[c])
          return !dataset->exclusive || sample->n_labels == 1;
      return FALSE;
    }
}

static Dataset *
make_dataset (Draft *draft, char **tags, GHashTable *tags_known, const DatasetSettings *settings)
{
  Dataset               *dataset = g_new0 (Dataset, 1);
  g_autoptr (GHashTable) indices = g_hash_table_new (g_str_hash, g_str_equal), rows = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean               has_split = FALSE;

  dataset->task = draft->task;
  dataset->classes = name_classes (draft, tags);
  dataset->n_classes = g_strv_length (dataset->classes);
  dataset->samples = g_array_new (FALSE, TRUE, sizeof (Sample));
  g_array_set_clear_func (dataset->samples, sample_clear);
  dataset->known = g_ptr_array_new_with_free_func (g_free);
  dataset->sources = g_ptr_array_new_with_free_func (g_free);
  dataset->warnings = g_ptr_array_ref (draft->warnings);
  dataset->exclusive = draft->task == FOVEA_TASK_CLASSIFY && !tags;
  for (guint c = 0; c < dataset->n_classes; c++)
    g_hash_table_insert (indices, dataset->classes[c], GUINT_TO_POINTER (c + 1));
  for (guint i = 0; i < draft->samples->len; i++)
    {
      const DraftSample *from = g_ptr_array_index (draft->samples, i);
      Sample             sample = { .file = g_strdup (from->file), .mask = g_strdup (from->mask), .split = from->split == SPLIT_VAL ? SPLIT_VAL : SPLIT_TRAIN };

      take_labels (&sample, from, indices);
      take_boxes (&sample, from, indices);
      if (draft->task == FOVEA_TASK_DETECT)
        take_box_labels (&sample);
      sample.known = find_known (dataset, rows, indices, from->source, tags_known);
      if (!tags_known && sample.n_labels > 0)
        for (guint l = 0; l < sample.n_labels; l++)
          ((guint8 *) g_ptr_array_index (dataset->known, sample.known))[sample.labels[l]] = 1;
      has_split = has_split || from->split >= 0;
      dataset->exclusive = dataset->exclusive && sample.n_labels == 1;
      g_array_append_val (dataset->samples, sample);
    }
  if (!has_split)
    choose_validation (dataset, settings);
  return dataset;
}

static gboolean
check_dataset (const Dataset *dataset, const char *path, gboolean is_part, GError **error)
{
  g_autoptr (GArray) train = dataset_list (dataset, SPLIT_TRAIN);

  if (train->len == 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   dataset->task == FOVEA_TASK_DETECT
                     ? _("No photo in “%s” has boxes to train on. Put photos of each class into a folder of its name, or see the manual for the other layouts.")
                   : dataset->task == FOVEA_TASK_SEGMENT
                     ? _("No photo in “%s” has masks to train on. Put photos of each class into a folder of its name, or see the manual for the other layouts.")
                     : _("No photo in “%s” has labels to train on. Put photos of each class into a folder of its name, or see the manual for the other layouts."),
                   path);
      return FALSE;
    }
  if (dataset->exclusive && dataset->n_classes < 2 && !is_part)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is only one class, “%s”, in “%s”. Add photos of something else, so that there is a difference to learn."),
                   dataset->classes[0], path);
      return FALSE;
    }
  return TRUE;
}

guint
dataset_count_boxes (const Dataset *dataset, Split split, guint index)
{
  guint n = 0;

  for (guint i = 0; i < dataset->samples->len; i++)
    {
      const Sample *sample = &g_array_index (dataset->samples, Sample, i);

      for (guint b = 0; b < sample->n_boxes && sample->split == split; b++)
        n += sample->boxes[b].index == index && !sample->boxes[b].ignored;
    }
  return n;
}

/* What masks show, the loader sees: of their classes none has more photos than there are with masks. */
static void
warn_of_rare_classes (Draft *draft, const Dataset *dataset)
{
  g_autoptr (GArray) train = dataset_list (dataset, SPLIT_TRAIN);

  if (dataset->task == FOVEA_TASK_SEGMENT && train->len < FEW_EXAMPLES)
    draft_warn (draft, ngettext ("There is only %u photo with masks to learn from; ten or more serve better.", "There are only %u photos with masks to learn from; ten or more serve better.",
                                 train->len), train->len);
  for (guint c = 0; c < dataset->n_classes && dataset->task != FOVEA_TASK_SEGMENT; c++)
    {
      gboolean boxes = dataset->task == FOVEA_TASK_DETECT;
      guint    n = boxes ? dataset_count_boxes (dataset, SPLIT_TRAIN, c) : dataset_count (dataset, SPLIT_TRAIN, c);

      if (n < FEW_EXAMPLES)
        draft_warn (draft, boxes ? ngettext ("Class “%s” has %u box to learn from; ten or more serve better.", "Class “%s” has %u boxes to learn from; ten or more serve better.", n)
                                 : ngettext ("Class “%s” has %u photo to learn from; ten or more serve better.", "Class “%s” has %u photos to learn from; ten or more serve better.", n),
                    dataset->classes[c], n);
    }
}

static gboolean
read_layout (Draft *draft, const char *path, GError **error)
{
  g_autofree char *manifest = g_build_filename (path, "manifest.jsonl", NULL), *masks = g_build_filename (path, "masks", NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("There is no “%s”. Give a folder with labelled photos."), path);
      return FALSE;
    }
  if (g_str_has_suffix (path, ".jsonl"))
    return dataset_read_manifest (draft, path, error);
  if (g_file_test (manifest, G_FILE_TEST_EXISTS))
    return dataset_read_manifest (draft, manifest, error);
  if (draft->task == FOVEA_TASK_SEGMENT && g_file_test (masks, G_FILE_TEST_IS_DIR))
    return dataset_read_masks (draft, path, error);
  if (draft->task == FOVEA_TASK_DETECT && dataset_has_boxes (path))
    return dataset_read_boxes (draft, path, error);
  return dataset_read_folders (draft, path, error);
}

/* Boxes before masks before labels: whoever drew them meant them. */
static FoveaTask
guess_of_samples (const GPtrArray *samples)
{
  FoveaTask task = FOVEA_TASK_UNKNOWN;

  for (guint i = 0; i < samples->len; i++)
    {
      const DraftSample *sample = g_ptr_array_index (samples, i);

      if (sample->boxes->len > 0)
        return FOVEA_TASK_DETECT;
      if (sample->mask)
        task = FOVEA_TASK_SEGMENT;
      else if (task == FOVEA_TASK_UNKNOWN && sample->labels[0])
        task = FOVEA_TASK_CLASSIFY;
    }
  return task;
}

FoveaTask
fovea_guess_task (const char *data)
{
  static const FoveaTask tasks[] = { FOVEA_TASK_SEGMENT, FOVEA_TASK_DETECT }; /* folders of classes are found by either */
  FoveaTask              task = FOVEA_TASK_UNKNOWN;

  for (guint i = 0; i < G_N_ELEMENTS (tasks) && (task == FOVEA_TASK_UNKNOWN || task == FOVEA_TASK_CLASSIFY); i++)
    {
      Draft draft = { .task = tasks[i], .samples = g_ptr_array_new_with_free_func (draft_sample_free), .warnings = g_ptr_array_new_with_free_func (g_free) };

      if (read_layout (&draft, data, NULL))
        task = guess_of_samples (draft.samples);
      g_ptr_array_unref (draft.samples);
      g_ptr_array_unref (draft.warnings);
      g_strfreev (draft.classes);
    }
  return task;
}

/* The tags in the order of their lines. */
static char **
list_tags (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GStrvBuilder) tags = g_strv_builder_new ();

  for (guint i = 0; lines[i]; i++)
    {
      char *sign = strchr (lines[i], '=');

      if (lines[i][0] == '#' || !sign)
        continue;
      *sign = '\0';
      g_strv_builder_add (tags, g_strstrip (lines[i]));
    }
  return g_strv_builder_end (tags);
}

/* The photos right in a folder. */
static gboolean
list_backgrounds (Dataset *dataset, const char *folder, GError **error)
{
  g_auto (GStrv)           names = list_folder (folder, error);
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  if (!names)
    return FALSE;
  for (guint i = 0; names[i]; i++)
    if (is_photo_name (names[i]))
      {
        g_strv_builder_take (paths, g_build_filename (folder, names[i], NULL));
        dataset->n_backgrounds++;
      }
  dataset->backgrounds = g_strv_builder_end (paths);
  if (dataset->n_backgrounds > 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "There are no photos in “%s” to paste subjects on.", folder);
  return FALSE;
}

Dataset *
dataset_load (const char *path, FoveaTask task, const DatasetSettings *settings, GError **error)
{
  Draft draft = { .task = task, .samples = g_ptr_array_new_with_free_func (draft_sample_free), .warnings = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (GHashTable) known = settings->tags ? g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref) : NULL;
  g_auto (GStrv)         tags = settings->tags ? list_tags (settings->tags) : NULL;
  Dataset               *dataset = NULL;

  if (read_layout (&draft, path, error) && (!tags || dataset_apply_tags (&draft, settings->tags, known, error)))
    {
      dataset = make_dataset (&draft, tags, known, settings);
      if (check_dataset (dataset, path, settings->is_part, error) && (!settings->backgrounds || list_backgrounds (dataset, settings->backgrounds, error)))
        warn_of_rare_classes (&draft, dataset);
      else
        g_clear_pointer (&dataset, dataset_free);
    }
  g_ptr_array_unref (draft.samples);
  g_ptr_array_unref (draft.warnings);
  g_strfreev (draft.classes);
  return dataset;
}

void
dataset_free (Dataset *dataset)
{
  if (!dataset)
    return;
  g_strfreev (dataset->classes);
  g_array_unref (dataset->samples);
  g_ptr_array_unref (dataset->known);
  g_ptr_array_unref (dataset->sources);
  g_ptr_array_unref (dataset->warnings);
  g_strfreev (dataset->backgrounds);
  g_free (dataset);
}

GArray *
dataset_list (const Dataset *dataset, Split split)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < dataset->samples->len; i++)
    {
      const Sample *sample = &g_array_index (dataset->samples, Sample, i);

      if (sample->split == split && has_labels (dataset, sample))
        g_array_append_val (list, i);
    }
  return list;
}

guint
dataset_count (const Dataset *dataset, Split split, guint index)
{
  guint n = 0;

  for (guint i = 0; i < dataset->samples->len; i++)
    {
      const Sample *sample = &g_array_index (dataset->samples, Sample, i);

      for (guint l = 0; l < sample->n_labels && sample->split == split; l++)
        n += sample->labels[l] == index;
    }
  return n;
}
