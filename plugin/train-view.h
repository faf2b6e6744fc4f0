/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-view.h: a photo (photo-view.h) with what a training says of it: the classes in their colours, how sure it is, or how unsure; and a mark where the next
 * stroke would help most.
 */
#pragma once

#include <gtk/gtk.h>

#include "pixel-training.h"
#include "photo-view.h"

typedef enum { TRAIN_VIEW_CLASSES, TRAIN_VIEW_CONFIDENCE, TRAIN_VIEW_DOUBT } TrainViewKind;

/* (grid, grid) cells, stretched over the photo. */
typedef struct
{
  int     grid;
  guint8 *best;  /* the class with the largest share */
  float  *share; /* that it has */
  float  *doubt; /* 0 to 1 */
  double  next_x, next_y; /* where a stroke would help most, 0 to 1 */
} TrainAnswer;

/* Any thread. */
TrainAnswer *train_answer_new  (PixelTraining *training, const FoveaMasks *masks, GError **error);
void         train_answer_free (TrainAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainAnswer, train_answer_free)

GtkWidget   *train_view_new        (void);
void         train_view_set_kind   (GtkWidget *view, TrainViewKind kind);

/* Borrowed until another is set; NULL: none. colours: three bytes for each class, copied. */
void         train_view_set_answer (GtkWidget *view, const TrainAnswer *answer, const guint8 *colours, guint n_classes);

/* Of the photo that is shown, pixels. */
void         train_view_set_size   (GtkWidget *view, int width, int height);

/* Only where there is an answer; the mark is moved into the view. */
void         train_view_set_mark   (GtkWidget *view, gboolean visible);
