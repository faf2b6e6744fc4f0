/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-order.h: what a training on whole photos, or a long one on strokes, is asked for, and what is chosen where nothing is said. No GIMP.
 */
#pragma once

#include "augmentations.h"

#define PHOTO_ORDER_NO_BASE "none" /* the base of an untrained network */

/* What is asked for. It is kept beside the checkpoint, so that another process can go on. Zero, NULL or empty: as is usual for the task and the photos. */
typedef struct
{
  FoveaTask task;
  char     *name;            /* of the model */
  char     *base;            /* name or file; PHOTO_ORDER_NO_BASE: an untrained network */
  char     *source;          /* of strokes: image, open-images, folder, which is then data; NULL: whole photos */
  char     *data;            /* folder with labelled photos; NULL: they are copied into the training's folder */
  char     *digest;          /* of photos and labels, where they were copied */
  char     *trainable;       /* head, last, all */
  int       epochs, batch, seed;
  double    learning_rate, validation_share;
  double    minutes;         /* above 0: instead of epochs */
  gboolean  find_rate, is_unbalanced;
  double    augmentations[AUGMENTATIONS_MOST]; /* strengths, in the order of the table */
} PhotoOrder;

/* As is usual. */
PhotoOrder *photo_order_new (FoveaTask task);
void        photo_order_free (PhotoOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhotoOrder, photo_order_free)

/* The name is that of the model's file. */
void        photo_order_take_name (PhotoOrder *order, const char *file);

/* As text and back; NULL where the text is no order. */
char       *photo_order_write (const PhotoOrder *order);
PhotoOrder *photo_order_read  (const char *text);

/* "classify", "detect" or "segment". Static. */
const char *photo_order_name_task (FoveaTask task);

/* The base model's file. Free with g_free. */
char       *photo_order_find_base (const PhotoOrder *order, GError **error);

/* What training changes in photos. */
void        photo_order_augment   (const PhotoOrder *order, FoveaAugmentation *augmentation);

/* The engine's settings. Returns the architecture that takes the base's weights; NULL: the base's own. Static. */
const char *photo_order_choose    (const PhotoOrder *order, FoveaModel *base, FoveaTrainSettings *settings);
