/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draw.c: pictures with frames and names, by Cairo and Pango. Widths and letters fit the photo's size; frames have a dark edge, so that they show on any
 * background.
 */

#include "draw.h"

#include <glib/gi18n.h>
#include <pango/pangocairo.h>

#include "image.h"

#define LINE_SHARE   300 /* of the shorter side: a frame's width */
#define LETTER_SHARE 40  /* the height of letters */

#define SHEET_LETTERS 13 /* pixels, on sheets */
#define SHEET_LINE    17

/* ---- pixels ----------------------------------------------------------------------------------------------------------------------------- */

/* Cairo has a pixel in one word; transparent parts count as white. */
static cairo_surface_t *
make_surface (const GdkPixbuf *photo, GError **error)
{
  int              width = gdk_pixbuf_get_width (photo), height = gdk_pixbuf_get_height (photo);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  g_autofree guint8 *row = g_new (guint8, (gsize) width * 3);

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("A picture of %d×%d pixels can't be drawn: %s. Scale the photo down."), width, height,
                   cairo_status_to_string (cairo_surface_status (surface)));
      cairo_surface_destroy (surface);
      return NULL;
    }
  for (int y = 0; y < height; y++)
    {
      guint32 *out = (guint32 *) (cairo_image_surface_get_data (surface) + (gsize) y * cairo_image_surface_get_stride (surface));

      image_read ((gpointer) photo, 0, y, width, 1, row, 0, NULL);
      for (int x = 0; x < width; x++)
        out[x] = (guint32) row[3 * x] << 16 | (guint32) row[3 * x + 1] << 8 | row[3 * x + 2];
    }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static GdkPixbuf *
read_surface (cairo_surface_t *surface, GError **error)
{
  int        width = cairo_image_surface_get_width (surface), height = cairo_image_surface_get_height (surface);
  GdkPixbuf *picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);

  cairo_surface_flush (surface);
  for (int y = 0; y < height && picture; y++)
    {
      const guint32 *in = (const guint32 *) (cairo_image_surface_get_data (surface) + (gsize) y * cairo_image_surface_get_stride (surface));
      guint8        *out = gdk_pixbuf_get_pixels (picture) + (gsize) y * gdk_pixbuf_get_rowstride (picture);

      for (int x = 0; x < width; x++, out += 3)
        {
          out[0] = in[x] >> 16 & 255;
          out[1] = in[x] >> 8 & 255;
          out[2] = in[x] & 255;
        }
    }
  if (!picture)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Not enough memory for a picture of %d×%d pixels. Scale the photo down."), width, height);
  return picture;
}

static PangoLayout *
make_layout (cairo_t *cairo, const char *name, int size)
{
  PangoLayout          *layout = pango_cairo_create_layout (cairo);
  PangoFontDescription *font = pango_font_description_from_string (name);

  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  return layout;
}

/* ---- frames and names ------------------------------------------------------------------------------------------------------------------- */

static void
draw_frame (cairo_t *cairo, const FoveaObject *object, const guint8 colour[3], double line)
{
  const double inset = line / 2;

  cairo_rectangle (cairo, object->x + inset, object->y + inset, MAX (object->width - line, 1), MAX (object->height - line, 1));
  cairo_set_source_rgba (cairo, 0, 0, 0, 0.6);
  cairo_set_line_width (cairo, line * 1.8);
  cairo_stroke_preserve (cairo);
  cairo_set_source_rgb (cairo, colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0);
  cairo_set_line_width (cairo, line);
  if (object->rough)
    cairo_set_dash (cairo, (double[]) { 4 * line, 2 * line }, 2, 0);
  cairo_stroke (cairo);
  cairo_set_dash (cairo, NULL, 0, 0);
}

/* Above the frame, or inside where there is no room. */
static void
draw_name (cairo_t *cairo, PangoLayout *layout, const FoveaObject *object, const guint8 colour[3], int width, int height)
{
  g_autofree char *text = g_strdup_printf ("%s%s %.0f %%", object->label, object->rough ? " (about)" : "", 100 * object->score);
  int              text_width, text_height;
  double           x, y, light = (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255, pad;

  pango_layout_set_text (layout, text, -1);
  pango_layout_get_pixel_size (layout, &text_width, &text_height);
  pad = text_height / 5.0;
  x = CLAMP (object->x, 0, MAX (width - text_width - 2 * pad, 0));
  y = object->y >= text_height ? object->y - text_height : MIN (object->y, MAX (height - text_height, 0));
  cairo_rectangle (cairo, x, y, text_width + 2 * pad, text_height);
  cairo_set_source_rgb (cairo, colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0);
  cairo_fill (cairo);
  cairo_set_source_rgb (cairo, light > 0.45 ? 0 : 1, light > 0.45 ? 0 : 1, light > 0.45 ? 0 : 1);
  cairo_move_to (cairo, x + pad, y);
  pango_cairo_show_layout (cairo, layout);
}

GdkPixbuf *
draw_objects (const GdkPixbuf *photo, const FoveaObjects *objects, GError **error)
{
  cairo_surface_t *surface = make_surface (photo, error);
  int              width = gdk_pixbuf_get_width (photo), height = gdk_pixbuf_get_height (photo), shorter = MIN (width, height);
  g_autoptr (PangoLayout) layout = NULL;
  GdkPixbuf *picture;
  cairo_t   *cairo;

  if (!surface)
    return NULL;
  cairo = cairo_create (surface);
  layout = make_layout (cairo, "Sans Bold", MAX (shorter / LETTER_SHARE, 9));
  for (gsize i = objects->n; i-- > 0;) /* the best come last, on top */
    {
      guint8 colour[3];

      fovea_get_class_colour (objects->objects[i].index, colour);
      draw_frame (cairo, &objects->objects[i], colour, MAX (shorter / (double) LINE_SHARE, 1.5));
      draw_name (cairo, layout, &objects->objects[i], colour, width, height);
    }
  cairo_destroy (cairo);
  picture = read_surface (surface, error);
  cairo_surface_destroy (surface);
  return picture;
}

/* ---- sheets ------------------------------------------------------------------------------------------------------------------------------ */

struct _DrawnSheet
{
  cairo_surface_t *surface;
  cairo_t         *cairo;
  PangoLayout     *layout;
  int              side, gap;
};

/* The top of a row's pictures. */
static double
row_top (const DrawnSheet *sheet, guint row)
{
  return row * (double) (sheet->side + 5 * SHEET_LINE + 2 * sheet->gap) + SHEET_LINE + sheet->gap;
}

DrawnSheet *
drawn_sheet_new (guint n_rows, guint n_columns, int side, int gap, GError **error)
{
  DrawnSheet *sheet = g_new0 (DrawnSheet, 1);

  sheet->side = side;
  sheet->gap = gap;
  sheet->surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) n_columns * (side + gap) + gap, (int) row_top (sheet, n_rows) - SHEET_LINE);
  sheet->cairo = cairo_create (sheet->surface);
  sheet->layout = make_layout (sheet->cairo, "Sans", SHEET_LETTERS);
  pango_layout_set_width (sheet->layout, side * PANGO_SCALE);
  pango_layout_set_height (sheet->layout, -2);
  pango_layout_set_ellipsize (sheet->layout, PANGO_ELLIPSIZE_END);
  cairo_set_source_rgb (sheet->cairo, 1, 1, 1);
  cairo_paint (sheet->cairo);
  if (cairo_status (sheet->cairo) == CAIRO_STATUS_SUCCESS)
    return sheet;
  drawn_sheet_free (sheet);
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "There is no memory for the sheet. Close other programs.");
  return NULL;
}

void
drawn_sheet_free (DrawnSheet *sheet)
{
  g_object_unref (sheet->layout);
  cairo_destroy (sheet->cairo);
  cairo_surface_destroy (sheet->surface);
  g_free (sheet);
}

static void
write_words (DrawnSheet *sheet, double x, double y, const char *words)
{
  pango_layout_set_text (sheet->layout, words, -1);
  cairo_set_source_rgb (sheet->cairo, 0, 0, 0);
  cairo_move_to (sheet->cairo, x, y);
  pango_cairo_show_layout (sheet->cairo, sheet->layout);
}

void
drawn_sheet_title (DrawnSheet *sheet, guint row, const char *title)
{
  write_words (sheet, sheet->gap, row_top (sheet, row) - SHEET_LINE, title);
}

gboolean
drawn_sheet_put (DrawnSheet *sheet, guint row, guint column, const GdkPixbuf *picture, const char *words, GError **error)
{
  int              width = gdk_pixbuf_get_width (picture), height = gdk_pixbuf_get_height (picture);
  double           x = sheet->gap + column * (double) (sheet->side + sheet->gap), y = row_top (sheet, row), scale = MIN ((double) sheet->side / MAX (width, height), 1.0);
  cairo_surface_t *surface = make_surface (picture, error);

  if (!surface)
    return FALSE;
  cairo_save (sheet->cairo);
  cairo_translate (sheet->cairo, x, y);
  cairo_scale (sheet->cairo, scale, scale);
  cairo_set_source_surface (sheet->cairo, surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (sheet->cairo), CAIRO_FILTER_GOOD);
  cairo_paint (sheet->cairo);
  cairo_restore (sheet->cairo);
  cairo_surface_destroy (surface);
  write_words (sheet, x, y + sheet->side, words);
  return TRUE;
}

GdkPixbuf *
drawn_sheet_finish (DrawnSheet *sheet, GError **error)
{
  GdkPixbuf *picture = read_surface (sheet->surface, error);

  drawn_sheet_free (sheet);
  return picture;
}
