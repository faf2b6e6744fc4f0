/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-keeping.h: what a long training on strokes keeps so that it can go on after a crash: the checkpoint, what was asked for, and a digest of photos and labels,
 * which are read again then. Any thread; no GIMP.
 */
#pragma once

#include "pixel-training.h"

typedef struct _PixelKeeping PixelKeeping;

/* Of the model of that name, which it can have. NULL with an error in words where nothing can be kept, or another process trains that model. */
PixelKeeping *pixel_keeping_new    (const char *name, GError **error);

/* Lets go of it; what is kept stays. */
void          pixel_keeping_free   (PixelKeeping *keeping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PixelKeeping, pixel_keeping_free)

/* Each photo and its labels, as pixel_training_take_labels gives them. */
gboolean      pixel_keeping_add    (PixelKeeping *keeping, const PixelTraining *training, const FoveaPhoto *photo, const guint8 *cells, GError **error);

/* After all of them: the checkpoint of the training that is about to run, which goes on from there where the order, which gets the digest, is that of an interrupted
 * one. left: the interrupted training that it must be, or it is refused; NULL: it begins anew where there is none. NULL with an error in words. */
const char   *pixel_keeping_begin  (PixelKeeping *keeping, PixelTraining *training, PhotoOrder *order, const char *left, GError **error);

/* The model is saved, or not wanted: nothing is left. */
void          pixel_keeping_remove (PixelKeeping *keeping);
