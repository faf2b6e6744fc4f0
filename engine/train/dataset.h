/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset.h: labelled photos on disk, of any layout that people keep them in, as one list of samples. Reads names and labels only: pixels are the loader's.
 *
 * Layouts, told apart by what lies there:
 *   a folder of folders    DIR/CLASS/photo.jpg; DIR/train and DIR/val above them are taken as the split
 *   manifest.jsonl         one JSON object a line: file (beside it, or a whole path), labels ("a;b" or a list), split (train, val), boxes and crowd ([class, x, y, w, h], 0 to 1; a crowd is a region of many), mask (PNG: 0 background, 1 …
 *                          classes, 255 unknown), src (where it comes from: a source knows only the labels that occur in it), fg (the share of the photo that
 *                          the mask shows: below 0.05 the photo has no subject to speak of)
 *   label files            detect: annotations.json, classes.txt with labels/, or Annotations/ of other programs (labels/label-files.h)
 *   images/ and masks/     photos, and masks of the same name (PNG as above); classes.txt has the names of 1 …, a line each
 */
#pragma once

#include "fovea.h"

typedef enum
{
  SPLIT_TRAIN,
  SPLIT_VAL,
} Split;

typedef struct
{
  guint index;               /* of the class */
  float x, y, width, height; /* 0 to 1 of the photo */
  gboolean ignored;          /* a region in which nothing is known: a crowd */
} SampleBox;

typedef struct
{
  char      *file;     /* the whole path */
  char      *mask;     /* likewise; NULL: none */
  guint     *labels;   /* n_labels classes of the whole photo; detect: of its boxes */
  guint      n_labels;
  SampleBox *boxes;    /* n_boxes */
  guint      n_boxes;
  Split      split;
  guint      known;    /* which row of Dataset.known says which classes are known about this photo */
} Sample;

typedef struct
{
  FoveaTask  task;
  char     **classes;   /* n_classes, NULL-terminated; sorted, or in the order of a tag list */
  guint      n_classes;
  gboolean   exclusive; /* classify: each photo has exactly one label */
  GArray    *samples;   /* of Sample, in an order that depends on names only */
  GPtrArray *known;     /* of guint8[n_classes]: 1 where photos of that source tell */
  GPtrArray *sources;   /* of char*: their names, "" for photos of none */
  GPtrArray *warnings;  /* of char*: what was skipped and why, for people */
  char     **backgrounds; /* n_backgrounds paths of photos for subjects to be pasted on; NULL: none */
  guint      n_backgrounds;
} Dataset;

typedef struct
{
  const char *tags;             /* classify, detect: text that gathers labels of sources into tags, see below; NULL: labels are classes */
  double      validation_share; /* of each class, taken from the training samples where the data have no split of their own */
  guint64     seed;             /* of that choice */
  const char *backgrounds;      /* folder of photos; NULL: none */
  gboolean    is_part;          /* others come to it: one class will do */
} DatasetSettings;

/* A tag list has one tag a line: “tag = source:label source:label … [| source …]”. Labels with spaces have _ in their place; # begins a comment. A source
 * whose labels occur on the left of | knows the tag: its other photos don't show it. Sources after | are known to show it nowhere. `source:` alone stands for
 * all photos of the source; `-source:label` leaves those photos out altogether, wherever they occur (on a line of its own). For detectors the labels are
 * those of boxes. */

/* NULL with FOVEA_ERROR_FILE (nothing there, nothing readable) or _ARGUMENT (no labels for this task, one class only): what to do is said. */
Dataset *dataset_load (const char *path, FoveaTask task, const DatasetSettings *settings, GError **error);
void     dataset_free (Dataset *dataset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dataset, dataset_free)

/* Samples of a split with something to learn from: their indices. Free with g_array_unref. */
GArray  *dataset_list  (const Dataset *dataset, Split split);

/* How many samples of a split show a class. */
guint    dataset_count (const Dataset *dataset, Split split, guint index);

/* How many boxes of a class, regions of many left out. */
guint    dataset_count_boxes (const Dataset *dataset, Split split, guint index);
