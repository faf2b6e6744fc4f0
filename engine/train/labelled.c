/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * labelled.c: what is labelled in a folder of photos, before anything is learned from it: see fovea.h.
 */

#include <json-glib/json-glib.h>

#include "train/dataset.h"

#define UNKNOWN 255 /* in masks */

typedef struct
{
  Dataset *dataset;
  GArray  *photos;    /* of guint: indices of its samples, those to learn from first, then those to judge by */
  gboolean has_split; /* the data say which are which */
} Samples;

FoveaLabelled *
fovea_labelled_new (const char *data, FoveaTask task, gboolean is_part, GError **error)
{
  const DatasetSettings settings = { .validation_share = 0, .is_part = is_part };
  g_autoptr (Dataset)   dataset = NULL;
  g_autoptr (GArray)    val = NULL;
  FoveaLabelled        *labelled;
  Samples              *samples;

  if (task == FOVEA_TASK_UNKNOWN)
    task = fovea_guess_task (data);
  dataset = dataset_load (data, task == FOVEA_TASK_UNKNOWN ? FOVEA_TASK_CLASSIFY : task, &settings, error);
  if (!dataset)
    return NULL;
  labelled = g_new0 (FoveaLabelled, 1);
  labelled->task = dataset->task;
  labelled->classes = g_strdupv (dataset->classes);
  labelled->counts = g_new0 (gsize, dataset->n_classes + 1);
  labelled->samples = samples = g_new0 (Samples, 1);
  samples->photos = dataset_list (dataset, SPLIT_TRAIN);
  val = dataset_list (dataset, SPLIT_VAL);
  samples->has_split = val->len > 0;
  g_array_append_vals (samples->photos, val->data, val->len);
  labelled->n_photos = samples->photos->len;
  for (guint c = 0; c < dataset->n_classes && dataset->task != FOVEA_TASK_SEGMENT; c++)
    for (Split split = SPLIT_TRAIN; split <= SPLIT_VAL; split++)
      labelled->counts[c] += task == FOVEA_TASK_DETECT ? dataset_count_boxes (dataset, split, c) : dataset_count (dataset, split, c);
  labelled->n_seen = dataset->task == FOVEA_TASK_SEGMENT ? 0 : labelled->n_photos;
  samples->dataset = g_steal_pointer (&dataset);
  return labelled;
}

void
fovea_labelled_free (FoveaLabelled *labelled)
{
  Samples *samples = labelled ? labelled->samples : NULL;

  if (!labelled)
    return;
  dataset_free (samples->dataset);
  g_array_unref (samples->photos);
  g_free (samples);
  g_strfreev (labelled->classes);
  g_free (labelled->counts);
  g_free (labelled);
}

static const Sample *
get_sample (const FoveaLabelled *labelled, guint i)
{
  const Samples *samples = labelled->samples;

  return &g_array_index (samples->dataset->samples, Sample, g_array_index (samples->photos, guint, i));
}

const char *
fovea_labelled_get_photo (const FoveaLabelled *labelled, guint i, const char **mask)
{
  const Sample *sample = get_sample (labelled, i);

  if (mask)
    *mask = sample->mask;
  return sample->file;
}

/* ---- a row ------------------------------------------------------------------------------------------------------------------------------- */

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, text);
}

static void
add_path (JsonBuilder *json, const char *name, const char *path)
{
  g_autofree char *whole = g_canonicalize_filename (path, NULL);

  add_text (json, name, whole);
}

static void
add_boxes (JsonBuilder *json, const char *name, const FoveaLabelled *labelled, const Sample *sample, gboolean ignored)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (guint b = 0; b < sample->n_boxes; b++)
    {
      const SampleBox *box = &sample->boxes[b];
      const float      numbers[] = { box->x, box->y, box->width, box->height };

      if (box->ignored != ignored)
        continue;
      json_builder_begin_array (json);
      json_builder_add_string_value (json, labelled->classes[box->index]);
      for (guint k = 0; k < G_N_ELEMENTS (numbers); k++)
        json_builder_add_double_value (json, (double) numbers[k]);
      json_builder_end_array (json);
    }
  json_builder_end_array (json);
}

char *
fovea_labelled_make_row (const FoveaLabelled *labelled, guint i)
{
  const Sample           *sample = get_sample (labelled, i);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;

  json_builder_begin_object (json);
  add_path (json, "file", sample->file);
  if (sample->mask)
    add_path (json, "mask", sample->mask);
  if (((const Samples *) labelled->samples)->has_split)
    add_text (json, "split", sample->split == SPLIT_VAL ? "val" : "train");
  if (labelled->task == FOVEA_TASK_DETECT)
    {
      add_boxes (json, "boxes", labelled, sample, FALSE);
      add_boxes (json, "crowd", labelled, sample, TRUE);
    }
  else
    {
      json_builder_set_member_name (json, "labels");
      json_builder_begin_array (json);
      for (guint l = 0; l < sample->n_labels; l++)
        json_builder_add_string_value (json, labelled->classes[sample->labels[l]]);
      json_builder_end_array (json);
    }
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

/* ---- what masks show --------------------------------------------------------------------------------------------------------------------- */

static void
count_mask (FoveaLabelled *labelled, const guint8 *mask, gsize n)
{
  gboolean shows[256] = { FALSE };

  for (gsize i = 0; i < n; i++)
    shows[mask[i]] = TRUE;
  for (guint c = 0; labelled->classes[c] && c + 1 < UNKNOWN; c++)
    labelled->counts[c] += (gsize) shows[c + 1];
}

gboolean
fovea_labelled_see (FoveaLabelled *labelled, FoveaReadFile read, gpointer read_data, double seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);

  while (labelled->n_seen < labelled->n_photos && g_get_monotonic_time () < end)
    {
      const Sample      *sample = get_sample (labelled, labelled->n_seen++);
      int                width, height;
      g_autofree guint8 *mask = sample->mask ? read (sample->mask, 1, &width, &height, read_data, NULL) : NULL;

      if (mask)
        count_mask (labelled, mask, (gsize) width * (gsize) height);
    }
  return labelled->n_seen < labelled->n_photos;
}
