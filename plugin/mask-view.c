/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-view.c: see mask-view.h. The photo is painted into a picture of the screen's size, whose pixels are then changed row by row.
 */

#include "mask-view.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define SQUARE 8    /* of the ground that shows through a cut-out, pixels of the screen */
#define TINT   0.55f
#define POINT  5    /* radius of a point, pixels of the screen */

typedef struct
{
  FoveaMask        *mask;
  MaskViewKind      kind;
  FoveaPromptPoint *points;
  gsize             n_points;
  void            (*on_click) (double x, double y, gboolean outside, gpointer user_data);
  gpointer          user_data;
} MaskView;

/* What a row of the picture is made of; rgb is changed in place. */
typedef struct
{
  int     width, y;
  guint8 *rgb;          /* (width, 3) */
  float  *pixels;       /* (width, 4): R'G'B'A of a cut-out; the first `width` floats are shares otherwise */
  float  *above;        /* (width): shares of the row above, of an outline */
  guint8  colour[3];
} Row;

static void
show_gray (const Row *row)
{
  for (int x = 0; x < row->width; x++)
    memset (row->rgb + 3 * x, (int) (255 * row->pixels[x] + 0.5f), 3);
}

static void
show_tint (const Row *row)
{
  for (int x = 0; x < row->width; x++)
    for (int c = 0; c < 3; c++)
      row->rgb[3 * x + c] = (guint8) (row->rgb[3 * x + c] + TINT * row->pixels[x] * (row->colour[c] - row->rgb[3 * x + c]) + 0.5f);
}

static void
show_cut_out (const Row *row)
{
  for (int x = 0; x < row->width; x++)
    {
      const float *pixel = row->pixels + 4 * x;
      float        ground = (x / SQUARE + row->y / SQUARE) % 2 ? 0.4f : 0.6f;

      for (int c = 0; c < 3; c++)
        row->rgb[3 * x + c] = (guint8) (255 * (ground + pixel[3] * (pixel[c] - ground)) + 0.5f);
    }
}

/* A line, light and dark side by side, so that it is seen on any ground. */
static void
show_outline (const Row *row)
{
  for (int x = 0; x < row->width; x++)
    {
      gboolean inside = row->pixels[x] >= 0.5f, left = x ? row->pixels[x - 1] >= 0.5f : inside, above = row->y ? row->above[x] >= 0.5f : inside;

      if (inside == left && inside == above)
        continue;
      memset (row->rgb + 3 * x, 255, 3);
      if (x)
        memset (row->rgb + 3 * (x - 1), 0, 3);
    }
}

static void (*const showers[]) (const Row *row) = { show_gray, show_tint, show_cut_out, show_outline };

/* The picture's pixels, native 32-bit numbers, to bytes of red, green, blue, and back. */
static void
change_rows (const MaskView *view, const PhotoPlace *place, cairo_surface_t *picture)
{
  int                width = cairo_image_surface_get_width (picture), height = cairo_image_surface_get_height (picture);
  g_autofree guint8 *rgb = g_new (guint8, 3 * (gsize) width);
  g_autofree float  *pixels = g_new (float, 4 * (gsize) width), *above = g_new (float, width);
  Row                row = { width, 0, rgb, pixels, above, { 0 } };
  double             step = 1 / place->scale;

  fovea_get_class_colour (0, row.colour);
  for (; row.y < height; row.y++)
    {
      guint32 *line = (guint32 *) (gpointer) (cairo_image_surface_get_data (picture) + (gsize) row.y * (gsize) cairo_image_surface_get_stride (picture));
      double   left = place->x + 0.5 * step, top = place->y + (row.y + 0.5) * step;

      for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++)
          rgb[3 * x + c] = (guint8) (line[x] >> (16 - 8 * c));
      if (view->kind != MASK_VIEW_CUT_OUT)
        fovea_mask_sample (view->mask, left, top, step, rgb, width, pixels);
      else if (!fovea_mask_sample_cutout (view->mask, left, top, step, rgb, width, pixels, NULL)) /* short of memory: the photo stays */
        return;
      showers[view->kind] (&row);
      memcpy (above, pixels, (gsize) width * sizeof *above);
      for (int x = 0; x < width; x++)
        line[x] = 0xff000000u | (guint32) rgb[3 * x] << 16 | (guint32) rgb[3 * x + 1] << 8 | rgb[3 * x + 2];
    }
}

/* Filled: it belongs to the thing; a ring: it doesn't. */
static void
draw_points (const MaskView *view, cairo_t *cr, const PhotoPlace *place)
{
  for (gsize i = 0; i < view->n_points; i++)
    {
      const FoveaPromptPoint *point = &view->points[i];

      cairo_arc (cr, (point->x - place->x) * place->scale, (point->y - place->y) * place->scale, POINT, 0, 2 * G_PI);
      cairo_set_source_rgb (cr, 1, 1, 1);
      if (point->inside)
        cairo_fill_preserve (cr);
      cairo_set_line_width (cr, 4);
      cairo_stroke_preserve (cr);
      cairo_set_source_rgb (cr, 0, 0, 0);
      cairo_set_line_width (cr, 2);
      cairo_stroke (cr);
    }
}

static void
draw_mask (GtkWidget *widget, cairo_t *cr, const PhotoPlace *place, const MaskView *view)
{
  PhotoExtent      extent = photo_view_get_extent (widget);
  cairo_surface_t *picture;
  cairo_t         *painter;
  PhotoPlace       inside = *place;

  if (!view->mask || extent.width < 1 || extent.height < 1)
    {
      photo_view_paint (widget, cr);
      return;
    }
  picture = cairo_image_surface_create (CAIRO_FORMAT_RGB24, extent.width, extent.height);
  painter = cairo_create (picture);
  cairo_translate (painter, -extent.x, -extent.y);
  photo_view_paint (widget, painter);
  cairo_destroy (painter);
  cairo_surface_flush (picture);
  inside.x += extent.x / place->scale;
  inside.y += extent.y / place->scale;
  change_rows (view, &inside, picture);
  cairo_surface_mark_dirty (picture);
  cairo_set_source_surface (cr, picture, extent.x, extent.y);
  cairo_paint (cr);
  cairo_surface_destroy (picture);
}

static void
on_draw (GtkWidget *widget, cairo_t *cr, const PhotoPlace *place, gpointer data)
{
  draw_mask (widget, cr, place, data);
  draw_points (data, cr, place);
}

static void
on_click (GtkWidget *widget, double x, double y, const GdkEventButton *event, gpointer data)
{
  const MaskView *view = data;

  if (view->on_click && event->button == GDK_BUTTON_PRIMARY)
    view->on_click (x, y, (event->state & GDK_CONTROL_MASK) != 0, view->user_data);
}

static char *
on_tell (GtkWidget *widget, double x, double y, gpointer data)
{
  return ((const MaskView *) data)->on_click ? g_strdup (_("Click on what is meant, with Ctrl on what isn't.")) : NULL;
}

static void
free_view (gpointer data)
{
  g_free (((MaskView *) data)->points);
  g_free (data);
}

GtkWidget *
mask_view_new (void (*clicked) (double x, double y, gboolean outside, gpointer user_data), gpointer user_data)
{
  static const PhotoViewHooks hooks = { on_draw, on_click, on_tell };
  MaskView                   *view = g_new0 (MaskView, 1);

  view->kind = MASK_VIEW_PHOTO;
  view->on_click = clicked;
  view->user_data = user_data;
  return photo_view_new (_("The photo with its mask"), &hooks, view, free_view);
}

void
mask_view_set_points (GtkWidget *widget, const FoveaPromptPoint *points, gsize n)
{
  MaskView *view = photo_view_get_data (widget);

  g_free (view->points);
  view->points = n ? g_memdup2 (points, n * sizeof *points) : NULL;
  view->n_points = n;
  gtk_widget_queue_draw (widget);
}

void
mask_view_set_kind (GtkWidget *widget, MaskViewKind kind)
{
  MaskView *view = photo_view_get_data (widget);

  view->kind = kind;
  gtk_widget_queue_draw (widget);
}

void
mask_view_set_mask (GtkWidget *widget, FoveaMask *mask)
{
  MaskView        *view = photo_view_get_data (widget);
  g_autofree char *words = mask ? g_strdup_printf ("%.1f %%", 100 * fovea_mask_get_area (mask)) : g_strdup ("");

  view->mask = mask;
  atk_object_set_description (gtk_widget_get_accessible (widget), words);
  gtk_widget_queue_draw (widget);
}
