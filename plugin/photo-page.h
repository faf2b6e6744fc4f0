/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-page.h: the part of the Train window that learns whole images and objects, and painted pixels of several images: what is there to learn from, how the
 * training goes, and what came of it.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "train-survey.h"

typedef struct _PhotoPage PhotoPage;

PhotoPage *photo_page_new        (GimpProcedureConfig *config, GimpImage *image, TrainSurvey *survey);
void       photo_page_free       (PhotoPage *page);
GtkWidget *photo_page_get_widget (const PhotoPage *page);

/* Shows what the survey has found. */
void       photo_page_tell       (PhotoPage *page);

/* The GtkInfoBar that offers to go on with a training that was interrupted: for the window to put above its pages. When it has answered its “response” the page is busy
 * if it goes on. */
GtkWidget *photo_page_get_offer  (const PhotoPage *page);

/* A training is under way: the window must not close. */
gboolean   photo_page_is_busy    (const PhotoPage *page);
void       photo_page_stop       (PhotoPage *page); /* ends well, with what was best */
void       photo_page_cancel     (PhotoPage *page);
