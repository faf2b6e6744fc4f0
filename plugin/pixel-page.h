/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-page.h: the part of the Train window that learns the painted pixels of the open image while they are painted.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "train-survey.h"

typedef struct _PixelPage PixelPage;

PixelPage *pixel_page_new        (GimpProcedureConfig *config, GimpImage *image, TrainSurvey *survey);

/* Before the window goes: cancels what is under way and waits for it. */
void       pixel_page_free       (PixelPage *page);

GtkWidget *pixel_page_get_widget (const PixelPage *page);

/* It only looks and learns while it is shown. */
void       pixel_page_set_shown  (PixelPage *page, gboolean is_shown);

/* Shows what the survey advises. */
void       pixel_page_tell       (PixelPage *page);

/* Strokes are being learned, or are about to be. */
gboolean   pixel_page_is_learning (const PixelPage *page);
void       pixel_page_cancel     (PixelPage *page);

/* There is a model that hasn't been saved. */
gboolean   pixel_page_is_unsaved (const PixelPage *page);
void       pixel_page_save       (PixelPage *page);
