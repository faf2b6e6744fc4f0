/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * labelled.c: what is labelled in a folder of photos, before anything is learned from it: see fovea.h.
 */

#include "train/dataset.h"

FoveaLabelled *
fovea_labelled_new (const char *data, FoveaTask task, GError **error)
{
  const DatasetSettings settings = { .validation_share = 0 };
  g_autoptr (Dataset)   dataset = NULL;
  FoveaLabelled        *labelled;

  if (task == FOVEA_TASK_UNKNOWN)
    task = fovea_guess_task (data);
  dataset = dataset_load (data, task == FOVEA_TASK_UNKNOWN ? FOVEA_TASK_CLASSIFY : task, &settings, error);
  if (!dataset)
    return NULL;
  labelled = g_new0 (FoveaLabelled, 1);
  labelled->task = dataset->task;
  labelled->classes = g_strdupv (dataset->classes);
  labelled->counts = task == FOVEA_TASK_SEGMENT ? NULL : g_new0 (gsize, dataset->n_classes + 1);
  for (Split split = SPLIT_TRAIN; split <= SPLIT_VAL; split++)
    {
      g_autoptr (GArray) photos = dataset_list (dataset, split);

      labelled->n_photos += photos->len;
      for (guint c = 0; labelled->counts && c < dataset->n_classes; c++)
        labelled->counts[c] += task == FOVEA_TASK_DETECT ? dataset_count_boxes (dataset, split, c) : dataset_count (dataset, split, c);
    }
  return labelled;
}

void
fovea_labelled_free (FoveaLabelled *labelled)
{
  if (!labelled)
    return;
  g_strfreev (labelled->classes);
  g_free (labelled->counts);
  g_free (labelled);
}
