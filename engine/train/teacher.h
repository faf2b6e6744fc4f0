/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * teacher.h: what another network makes of the same photos, for a network to learn from beside its labels: knowledge distillation, on features (Romero et al. 2015,
 * arXiv:1412.6550), the numbers that the teacher's own last layer gets, standardized; or on answers (Hinton et al. 2015, arXiv:1503.02531).
 */
#pragma once

#include "train/loader.h"

typedef struct _Teacher Teacher;

/* model: a classifier; only what comes before its last layer is used. plain: the loader settings of the network that learns, without augmentation; order: n
 * of its samples, of which some are looked at to standardize the features. Errors: those of head_replace and of sessions; _UNSUPPORTED where the model doesn't
 * take square RGB; G_IO_ERROR_CANCELLED. */
Teacher *teacher_new   (FoveaModel *model, const LoaderSettings *plain, const guint *order, gsize n, GCancellable *cancellable, GError **error);
void     teacher_free  (Teacher *teacher);

/* One that is asked for its answers, for the classes of the data that it knows. Errors: those of sessions, _UNSUPPORTED as above; _ARGUMENT where the data's photos
 * are of one class each and it doesn't know all of them, or where it knows none. */
Teacher *teacher_new_answers (FoveaModel *model, const LoaderSettings *plain, GError **error);

/* Features a photo; 0 where it is asked for answers. */
gsize    teacher_count (const Teacher *teacher);

/* What it makes of a batch: input as the learning network gets it; out (batch, teacher_count) features, or (batch, classes) logits, NAN where it doesn't know a
 * class; owned by the teacher, valid until the next call. */
const float *teacher_run (Teacher *teacher, const float *input, GCancellable *cancellable, GError **error);
