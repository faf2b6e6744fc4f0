/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * answer-view.c: see answer-view.h. A stack of the views that there are for each kind of answer.
 */

#include "answer-view.h"

#include "box-view.h"
#include "mask-view.h"
#include "preview.h"

#define MOST_NAMES 5

typedef struct
{
  GtkWidget *stack, *boxes, *masks, *bars;
} AnswerView;

static AnswerView *
get_view (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "answer-view");
}

static void
box_clicked (gint object, gpointer data)
{
  box_view_select (((AnswerView *) data)->boxes, object);
}

GtkWidget *
answer_view_new (int width, int height)
{
  AnswerView *view = g_new0 (AnswerView, 1);

  view->stack = gtk_stack_new ();
  view->bars = bars_new ();
  view->boxes = box_view_new (box_clicked, view);
  view->masks = mask_view_new (NULL, NULL);
  mask_view_set_kind (view->masks, MASK_VIEW_PHOTO);
  gtk_container_add (GTK_CONTAINER (view->stack), view->boxes);
  gtk_container_add (GTK_CONTAINER (view->stack), view->bars);
  gtk_container_add (GTK_CONTAINER (view->stack), view->masks);
  gtk_widget_set_size_request (view->boxes, width, height); /* smaller than in the windows that are there for it */
  gtk_widget_set_size_request (view->masks, width, height);
  gtk_widget_set_size_request (view->stack, width, height);
  g_object_set_data_full (G_OBJECT (view->stack), "answer-view", view, g_free);
  return view->stack;
}

void
answer_view_set_photo (GtkWidget *widget, GdkPixbuf *photo, GdkPixbuf *small)
{
  AnswerView *view = get_view (widget);

  answer_view_set (widget, NULL);
  photo_view_set_photo (view->boxes, photo, small);
  photo_view_set_photo (view->masks, photo, small);
}

void
answer_view_set (GtkWidget *widget, const ModelAnswer *answer)
{
  AnswerView *view = get_view (widget);

  if (answer && answer->classes)
    bars_set_classes (view->bars, answer->classes, MOST_NAMES, 0);
  box_view_set_objects (view->boxes, answer ? answer->objects : NULL, NULL);
  mask_view_set_mask (view->masks, answer ? answer->mask : NULL);
  if (answer)
    gtk_stack_set_visible_child (GTK_STACK (view->stack), answer->classes ? view->bars : answer->masks ? view->masks : view->boxes);
}
