/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lesson.h: what a network's answers to one batch should have been, by task: the loss that the trainer gives to its learner.
 */
#pragma once

#include "run/session.h"
#include "train/loader.h"

typedef struct _Lesson Lesson;

typedef struct
{
  FoveaLoss loss;
  double    smoothing;
  double   *class_weights; /* (classes): what a photo of each weighs, or each tag that a photo shows; taken over, or NULL: all the same */
  double    distill;       /* share of the loss that the teacher's answers have against the labels; 0: the teacher has features */
  double    temperature;   /* that both are divided by */
} LessonSettings;

/* For batches of `batch` photos of `size` pixels. `dataset` must outlive it. */
Lesson *lesson_new      (const Dataset *dataset, guint batch, int size, const LessonSettings *settings);
void    lesson_free     (Lesson *lesson);

/* What the next step is about: both are borrowed. taught: what the teacher says of it (batch, features), or (batch, classes) logits, NAN: it doesn't know that
 * class; NULL: no teacher. */
void    lesson_begin    (Lesson *lesson, const Batch *batch, const float *taught);

/* A SessionLoss; user_data is the lesson. */
void    lesson_lose     (const TensorView *outputs, const TensorView *gradients, guint n, gpointer lesson);

/* Of the step that was last taken. */
double  lesson_get_loss (const Lesson *lesson);
