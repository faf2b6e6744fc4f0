/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-training.h: training on painted pixels as the procedure and the window do it. What takes time takes no GIMP call: it may run in any thread, one at a
 * time. What GIMP is asked is named so.
 */
#pragma once

#include "confusion.h"
#include "label-layers.h"
#include "photo-order.h"

typedef struct
{
  FoveaPixelSettings settings;
  char              *base_name;
  FoveaModel        *base;      /* NULL: an untrained network */
  FoveaPixelTrainer *trainer;
  GPtrArray         *classes;   /* of char*; what the trainer knows, in its order */
  gboolean          *background; /* for each of them */
  gboolean           judges;    /* strokes are kept out to judge by */
  gboolean           is_long;   /* so that it is worth to be kept */
  gboolean           is_resumed; /* an interrupted training went on */
  FoveaPixelScore   *score;     /* NULL: not judged */
  FoveaPixelTrainer *aside;     /* what was set aside, and its score; NULL: nothing was */
  FoveaPixelScore   *aside_score;
  double             next_x, next_y; /* where a stroke on the one photo would help most, 0 to 1; both 0: not known */
} PixelTraining;

PixelTraining *pixel_training_new  (void);
void           pixel_training_free (PixelTraining *training);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PixelTraining, pixel_training_free)

/* Takes what the procedure's settings say of a training on pixels; TRUE where the trainer must begin anew for that. Asks GIMP. */
gboolean       pixel_training_read_settings (PixelTraining *training, GimpProcedureConfig *config);

/* The same of what an order says. */
gboolean       pixel_training_read_order (PixelTraining *training, const PhotoOrder *order);

/* The steps of the next run, those of the other head that it is judged by meanwhile among them. first: it begins anew. */
guint          pixel_training_count_steps (const PixelTraining *training, gboolean first);

/* The trainer goes, and what it has learned; the base stays. */
void           pixel_training_forget      (PixelTraining *training);

/* The same, but what has gone can be brought back, until it is let go. There is one thing set aside at most: the first. */
void           pixel_training_set_aside   (PixelTraining *training);
gboolean       pixel_training_bring_back  (PixelTraining *training); /* FALSE: nothing was */
void           pixel_training_let_go      (PixelTraining *training);

/* name "": the cut-out model, or, where it isn't installed, the tagger. */
gboolean       pixel_training_load_base   (PixelTraining *training, const char *name, GError **error);

/* The classes of an image's labels come to those that are there. */
void           pixel_training_add_classes (PixelTraining *training, const LabelLayers *labels);

/* Makes the trainer, or tells it about other classes. `longest`: pixels of the longer side of the largest photo. */
gboolean       pixel_training_begin       (PixelTraining *training, int longest, GError **error);

/* What is painted, of label-examples.h with the size of the trainer's grid, as the trainer takes it. Free with g_free. */
guint8        *pixel_training_take_labels (const PixelTraining *training, const LabelLayers *labels, const guint8 *raster);

/* Everything as one JSON object: classes, cells, score, warnings. file NULL: it hasn't been saved. */
char          *pixel_training_make_json   (const PixelTraining *training, const char *file, guint n_photos, const char *const *warnings);

/* “accuracy 93 % on strokes kept out” or why there is no such number. Free with g_free. */
char          *pixel_training_tell_score  (const PixelTraining *training);

/* What strokes kept out were taken for; NULL where there are too few to say. Free with confusion_free. */
Confusion     *pixel_training_get_confusion (const PixelTraining *training);

/* Writes the model to where it is found by name. Free the path with g_free. */
char          *pixel_training_save        (PixelTraining *training, const char *name, GError **error);
