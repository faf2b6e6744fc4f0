/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * families.h: the kinds of networks that people have: how each is recognized by its inputs and outputs, and what it takes for granted.
 */
#pragma once

#include "fovea.h"

typedef struct _Family Family;

/* What can be told of a network before it runs: its ports, and what its settings say so far. */
typedef struct
{
  const FoveaModel *model;
  FoveaTask         task;            /* FOVEA_TASK_UNKNOWN: not told */
  gsize             n_labels;        /* 0: not told */
  int               width, height;   /* of the photo's input; 0 where unknown */
  guint             n_inputs, n_outputs;
  const FoveaPort  *inputs, *outputs; /* with all that shape inference could find */
} Signature;

struct _Family
{
  const char *name;     /* "yolox": the word in settings */
  FoveaTask   task;
  gboolean  (*matches) (const Signature *signature);
  const char *reason;   /* what it was recognized by, reading on after a colon */
  int         size;     /* of the input where the model leaves it open; 0: that of classifiers */
  const char *settings; /* what such networks take for granted: the part under "fovea" of a sidecar, in Python's notation; NULL: nothing */
  const char *labels;   /* "coco", "coco-91", "face": names that are usual where the model brings none and the number fits; NULL: none */
};

/* The first family that the signature fits; NULL: none. Each name stands for one way of decoding, so several rows may have the same. */
const Family *family_guess (const Signature *signature);

/* The first row of that name; NULL: not known. */
const Family *family_find  (const char *name);

/* The names of all families, each once, NULL-terminated. Free with g_strfreev. */
char        **family_list  (void);

/* The names of the usual classes, NULL-terminated, and their number; NULL for a word that isn't known. Static. "coco-91" has holes: "". */
const char *const *family_labels (const char *word, gsize *n);

#define N_IMAGENET_LABELS 1000
extern const char *const imagenet_labels[]; /* N_IMAGENET_LABELS, then NULL */

/* How many places a network has that looks at each cell of `first_stride`, 2 first_stride … last_stride pixels once. */
gint64        family_count_places (int width, int height, int first_stride, int last_stride);
