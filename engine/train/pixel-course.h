/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-course.h: a head that learns what is painted, step by step.
 */
#pragma once

#include "train/pixel-trainer.h"

/* `head` learns n_steps more on all that is painted but `fold` (NULL: on all). The photos and their labels must stay as they are. NULL with an error. */
PixelCourse *pixel_course_new       (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, guint64 seed, GError **error);
void         pixel_course_free      (PixelCourse *course);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PixelCourse, pixel_course_free)

guint        pixel_course_count     (const PixelCourse *course); /* its steps */
guint        pixel_course_get_step  (const PixelCourse *course); /* those that were taken */

/* The next of them. FALSE with an error, or G_IO_ERROR_CANCELLED. */
gboolean     pixel_course_step      (PixelCourse *course, GCancellable *cancellable, GError **error);

/* A mean over the last steps; negative: there was none. */
double       pixel_course_get_loss  (const PixelCourse *course);

/* What it has learned by now. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel  *pixel_course_make_head (const PixelCourse *course, GError **error);

/* A whole course at once: what `head` (NULL: a fresh one) has learned then on all that is painted but `fold`. NULL with an error, or G_IO_ERROR_CANCELLED. */
FoveaModel  *pixel_course_learn     (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, GCancellable *cancellable,
                                     GError **error);

/* All that its next step depends on, to a file and back. Reading refuses what is of another course. */
gboolean     pixel_course_save      (const PixelCourse *course, const char *path, GError **error);
gboolean     pixel_course_load      (PixelCourse *course, const char *path, GError **error);
