/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * teacher.h: what another network makes of the same photos, for a network to learn from beside its labels: knowledge distillation (Hinton et al. 2015,
 * arXiv:1503.02531), on features (Romero et al. 2015, arXiv:1412.6550): the numbers that the teacher's own last layer gets, standardized.
 */
#pragma once

#include "train/loader.h"

typedef struct _Teacher Teacher;

/* model: a classifier; only what comes before its last layer is used. plain: the loader settings of the network that learns, without augmentation; order: n
 * of its samples, of which some are looked at to standardize the features. Errors: those of head_replace and of sessions; _UNSUPPORTED where the model doesn't
 * take square RGB; G_IO_ERROR_CANCELLED. */
Teacher *teacher_new   (FoveaModel *model, const LoaderSettings *plain, const guint *order, gsize n, GCancellable *cancellable, GError **error);
void     teacher_free  (Teacher *teacher);

/* Numbers a photo. */
gsize    teacher_count (const Teacher *teacher);

/* The features of a batch: input as the learning network gets it; out (batch, teacher_count), owned by the teacher, valid until the next call. */
const float *teacher_run (Teacher *teacher, const float *input, GCancellable *cancellable, GError **error);
