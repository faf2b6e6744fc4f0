/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * present-view.h: the open image's photo with what a network that is being trained says of it at present, and the same in words.
 */
#pragma once

#include <libgimp/gimp.h>
#include <gtk/gtk.h>

#include "model-answer.h"

GtkWidget        *present_view_new   (void);

/* Copies the image's photo for a training that begins. The answer before goes. NULL: there is none, and nothing is shown. Valid until the next call, in any thread. */
const FoveaPhoto *present_view_begin (GtkWidget *view, GimpImage *image);

/* Takes the answer over. */
void              present_view_set   (GtkWidget *view, ModelAnswer *answer);
