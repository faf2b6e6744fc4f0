/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * preview.c: see preview.h. Colours come from the theme, so that dark and high-contrast themes look right.
 */

#include "preview.h"

#include <glib/gi18n.h>

#define PREVIEW_SIZE 280
#define BARS_WIDTH   300

/* ---- what the network sees ---------------------------------------------------------------------------------- */

static gboolean
preview_draw (GtkWidget *widget, cairo_t *cr, gpointer unused)
{
  GdkPixbuf *pixels = g_object_get_data (G_OBJECT (widget), "pixels");
  int        width = gtk_widget_get_allocated_width (widget), height = gtk_widget_get_allocated_height (widget);
  double     scale;

  gtk_render_background (gtk_widget_get_style_context (widget), cr, 0, 0, width, height);
  if (!pixels)
    return FALSE;
  scale = MIN (width / (double) gdk_pixbuf_get_width (pixels), height / (double) gdk_pixbuf_get_height (pixels));
  cairo_translate (cr, (width - scale * gdk_pixbuf_get_width (pixels)) / 2, (height - scale * gdk_pixbuf_get_height (pixels)) / 2);
  cairo_scale (cr, scale, scale);
  gdk_cairo_set_source_pixbuf (cr, pixels, 0, 0);
  cairo_paint (cr);
  return FALSE;
}

GtkWidget *
preview_new (void)
{
  GtkWidget *preview = gtk_drawing_area_new ();

  gtk_widget_set_size_request (preview, PREVIEW_SIZE, PREVIEW_SIZE);
  g_signal_connect (preview, "draw", G_CALLBACK (preview_draw), NULL);
  atk_object_set_name (gtk_widget_get_accessible (preview), _("What the network sees"));
  return preview;
}

void
preview_set_pixels (GtkWidget *preview, const guint8 *rgb, int width, int height)
{
  g_autoptr (GBytes) bytes = g_bytes_new (rgb, (gsize) width * (gsize) height * 3);

  g_object_set_data_full (G_OBJECT (preview), "pixels", gdk_pixbuf_new_from_bytes (bytes, GDK_COLORSPACE_RGB, FALSE, 8, width, height, width * 3),
                          g_object_unref);
  gtk_widget_queue_draw (preview);
}

void
preview_clear (GtkWidget *preview)
{
  g_object_set_data (G_OBJECT (preview), "pixels", NULL);
  gtk_widget_queue_draw (preview);
}

/* ---- names and bars ----------------------------------------------------------------------------------------- */

static void
clear_rows (GtkWidget *bars)
{
  g_autoptr (GList) rows = gtk_container_get_children (GTK_CONTAINER (bars));

  for (GList *row = rows; row; row = row->next)
    gtk_widget_destroy (row->data);
}

GtkWidget *
bars_new (void)
{
  GtkWidget *bars = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);

  gtk_widget_set_size_request (bars, BARS_WIDTH, -1);
  gtk_widget_set_valign (bars, GTK_ALIGN_START);
  atk_object_set_name (gtk_widget_get_accessible (bars), _("Names"));
  return bars;
}

static void
add_row (GtkWidget *bars, const FoveaClass *class)
{
  GtkWidget       *row = gtk_grid_new (), *name = gtk_label_new (class->label), *score, *bar = gtk_level_bar_new ();
  g_autofree char *percent = g_strdup_printf ("%.1f %%", class->score * 100);
  GtkLevelBar     *level = GTK_LEVEL_BAR (bar);

  score = gtk_label_new (percent);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_END);
  gtk_widget_set_tooltip_text (name, class->label);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_label_set_xalign (GTK_LABEL (score), 1);
  gtk_level_bar_remove_offset_value (level, GTK_LEVEL_BAR_OFFSET_LOW);
  gtk_level_bar_remove_offset_value (level, GTK_LEVEL_BAR_OFFSET_HIGH);
  gtk_level_bar_remove_offset_value (level, GTK_LEVEL_BAR_OFFSET_FULL);
  gtk_level_bar_set_value (level, CLAMP (class->score, 0, 1));
  gtk_grid_set_row_spacing (GTK_GRID (row), 2);
  gtk_grid_set_column_spacing (GTK_GRID (row), 12);
  gtk_grid_attach (GTK_GRID (row), name, 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (row), score, 1, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (row), bar, 0, 1, 2, 1);
  gtk_box_pack_start (GTK_BOX (bars), row, FALSE, FALSE, 0);
}

void
bars_set_classes (GtkWidget *bars, const FoveaClasses *classes, int top, double threshold)
{
  g_autoptr (GString) words = g_string_new (NULL);
  gsize               shown = 0;

  clear_rows (bars);
  for (gsize i = 0; i < classes->n && shown < (gsize) top && classes->classes[i].score >= threshold; i++, shown++)
    {
      add_row (bars, &classes->classes[i]);
      g_string_append_printf (words, "%s%s %.1f %%", shown ? ", " : "", classes->classes[i].label, classes->classes[i].score * 100);
    }
  if (shown == 0)
    bars_set_message (bars, _("No name is as sure as that. Lower the threshold."));
  atk_object_set_description (gtk_widget_get_accessible (bars), words->str);
  gtk_widget_show_all (bars);
}

void
bars_set_message (GtkWidget *bars, const char *message)
{
  GtkWidget *label = gtk_label_new (message);

  clear_rows (bars);
  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 36);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_box_pack_start (GTK_BOX (bars), label, FALSE, FALSE, 0);
  atk_object_set_description (gtk_widget_get_accessible (bars), message);
  gtk_widget_show_all (bars);
}
