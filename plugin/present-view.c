/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * present-view.c: see present-view.h.
 */

#include "present-view.h"

#include <glib/gi18n.h>

#include "answer-view.h"
#include "dialog.h"
#include "photo-copy.h"
#include "photo-view.h"
#include "pixels.h"

#define WIDTH  420
#define HEIGHT 190

typedef struct
{
  GtkWidget   *view, *words;
  GdkPixbuf   *pixels;
  FoveaPhoto   photo;  /* of them */
  ModelAnswer *answer; /* NULL: none yet */
} PresentView;

static PresentView *
get_view (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "present-view");
}

static gboolean
read_pixels (gpointer data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  const GdkPixbuf *pixels = data;
  const guint8    *from = gdk_pixbuf_read_pixels (pixels);
  gsize            stride = (gsize) gdk_pixbuf_get_rowstride (pixels);

  for (int row = 0; row < height; row++)
    memcpy (rgb + (gsize) row * row_stride, from + (gsize) (y + row) * stride + 3 * (gsize) x, 3 * (gsize) width);
  return TRUE;
}

static void
on_destroy (GtkWidget *widget, PresentView *view)
{
  g_clear_pointer (&view->answer, model_answer_free);
  g_clear_object (&view->pixels);
}

GtkWidget *
present_view_new (void)
{
  PresentView *view = g_new0 (PresentView, 1);
  GtkWidget   *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  view->view = answer_view_new (WIDTH, HEIGHT);
  view->words = dialog_text_new ();
  gtk_box_pack_start (GTK_BOX (box), view->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), view->words, FALSE, FALSE, 0);
  gtk_widget_show_all (box);
  gtk_widget_hide (box);
  gtk_widget_set_no_show_all (box, TRUE);
  g_object_set_data_full (G_OBJECT (box), "present-view", view, g_free);
  g_signal_connect (box, "destroy", G_CALLBACK (on_destroy), view);
  return box;
}

const FoveaPhoto *
present_view_begin (GtkWidget *widget, GimpImage *image)
{
  PresentView            *view = get_view (widget);
  g_autoptr (PixelReader) reader = pixel_reader_new (image, NULL, "image", NULL);
  GdkPixbuf              *pixels = reader ? photo_copy_read (reader, PHOTO_VIEW_SMALL, NULL) : NULL;

  answer_view_set_photo (view->view, pixels, pixels);
  g_clear_pointer (&view->answer, model_answer_free);
  g_clear_object (&view->pixels);
  view->pixels = pixels;
  gtk_label_set_text (GTK_LABEL (view->words), "");
  gtk_widget_set_visible (widget, pixels != NULL);
  if (!pixels)
    return NULL;
  view->photo = (FoveaPhoto) { gdk_pixbuf_get_width (pixels), gdk_pixbuf_get_height (pixels), read_pixels, pixels };
  return &view->photo;
}

void
present_view_set (GtkWidget *widget, ModelAnswer *answer)
{
  PresentView     *view = get_view (widget);
  g_autofree char *words = model_answer_tell (answer), *text = *words ? g_strdup_printf (_("Now: %s"), words) : g_strdup (_("Now: nothing is found yet"));

  answer_view_set (view->view, answer->classes ? NULL : answer); /* names stand below: the photo stays to be seen */
  g_clear_pointer (&view->answer, model_answer_free);
  view->answer = answer;
  gtk_label_set_text (GTK_LABEL (view->words), text);
}
