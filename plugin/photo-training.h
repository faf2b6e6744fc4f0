/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-training.h: training on whole photos (classes, boxes, masks from files) as the procedure and the window do it, through the engine's trainer: what `fovea
 * train` does, with settings chosen for few photos. No GIMP: it runs in any thread, and others may watch, pause and stop it.
 */
#pragma once

#include "confusion.h"
#include "photo-order.h"
#include "training-report.h"

typedef struct _PhotoTraining PhotoTraining;

/* Takes the order over. Another process that trains a model of that name, a name that can't be, no room: NULL with an error in words. An empty name becomes a
 * free one. */
PhotoTraining    *photo_training_new       (PhotoOrder *order, GError **error);

/* What the interrupted training of the model of that name was asked for. NULL with an error in words. */
PhotoOrder       *photo_training_read_left (const char *name, GError **error);
void              photo_training_free      (PhotoTraining *training);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhotoTraining, photo_training_free)

const PhotoOrder *photo_training_get_order  (const PhotoTraining *training);

/* Where photos are copied to. */
const char       *photo_training_get_folder (const PhotoTraining *training);

/* Before it runs: tells the copied photos from others. */
void              photo_training_set_digest (PhotoTraining *training, const char *digest);

/* What was left out, and what is doubtful: goes into the answer. */
void              photo_training_warn       (PhotoTraining *training, const char *text);

/* Borrowed; what happens goes there from now on. Before it runs. */
void              photo_training_set_report (PhotoTraining *training, TrainingReport *report);

/* Learns, judges and writes the model to where it is found by name. Where the same was interrupted it goes on. FALSE with an error in words, or G_IO_ERROR_CANCELLED
 * within 0.2 s; earlier models stay as they were. */
gboolean          photo_training_run        (PhotoTraining *training, GCancellable *cancellable, GError **error);

/* ---- meanwhile, from any thread ---- */

typedef struct
{
  gboolean finds_rate;   /* learning rates are being tried, which is no learning yet */
  gboolean is_learning;  /* FALSE: the photos are being looked at; there is nothing to stop yet */
  double   fraction;     /* of that */
  double   seconds_left; /* likewise; negative: not known yet */
} PhotoState;

PhotoState  photo_training_get_state (PhotoTraining *training);
const gint *photo_training_watch     (PhotoTraining *training); /* thousandths of the whole; atomic */
void        photo_training_pause     (PhotoTraining *training, gboolean pause);
void        photo_training_stop      (PhotoTraining *training); /* ends well, with what was best */

/* ---- afterwards ---- */

const char *photo_training_get_file   (const PhotoTraining *training);
char       *photo_training_tell_score (const PhotoTraining *training); /* in words; free with g_free */

/* What photos kept out were taken for; NULL: there are too few, or it isn't about whole images. Free with confusion_free. */
Confusion  *photo_training_get_confusion (const PhotoTraining *training);
char       *photo_training_make_json  (const PhotoTraining *training);

/* Of char*. */
const GPtrArray *photo_training_get_warnings (const PhotoTraining *training);
