/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * box-view.c: see box-view.h.
 */

#include "box-view.h"

#include <glib/gi18n.h>
#include <math.h>

typedef struct
{
  const FoveaObjects *objects;
  const guint8       *ticked;
  gint                selected;
  void              (*on_select) (gint object, gpointer user_data);
  gpointer            user_data;
} BoxView;

/* The smallest object under a place of the photo: the one that a larger would hide. -1: none. */
static gint
find_object (const BoxView *view, double x, double y)
{
  double smallest = INFINITY;
  gint   found = -1;

  for (gsize i = 0; view->objects && i < view->objects->n; i++)
    {
      const FoveaObject *object = &view->objects->objects[i];
      double             area = object->width * object->height;

      if (x < object->x || y < object->y || x > object->x + object->width || y > object->y + object->height || area >= smallest)
        continue;
      smallest = area;
      found = (gint) i;
    }
  return found;
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static char *
describe (const FoveaObject *object)
{
  return g_strdup_printf ("%s %.0f %%", object->label, 100 * object->score);
}

static void
draw_name (GtkWidget *widget, cairo_t *cr, const FoveaObject *object, const double rgb[3], double x, double y)
{
  g_autofree char *text = describe (object);
  PangoLayout     *layout = gtk_widget_create_pango_layout (widget, text);
  int              width, height;
  double           ink = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] > 0.45 ? 0 : 1;

  pango_layout_get_pixel_size (layout, &width, &height);
  y = y >= height ? y - height : y;
  cairo_rectangle (cr, x, y, width + 6, height);
  cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
  cairo_fill (cr);
  cairo_set_source_rgb (cr, ink, ink, ink);
  cairo_move_to (cr, x + 3, y);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
}

static void
draw_object (GtkWidget *widget, cairo_t *cr, const BoxView *view, gsize i, const PhotoPlace *place)
{
  const FoveaObject *object = &view->objects->objects[i];
  gboolean           chosen = !view->ticked || view->ticked[i], selected = view->selected == (gint) i;
  double             x = (object->x - place->x) * place->scale, y = (object->y - place->y) * place->scale, line = selected ? 4 : 2, rgb[3];
  guint8             bytes[3];

  fovea_get_class_colour (object->index, bytes);
  for (int c = 0; c < 3; c++)
    rgb[c] = bytes[c] / 255.0;
  cairo_rectangle (cr, x + line / 2, y + line / 2, MAX (object->width * place->scale - line, 1), MAX (object->height * place->scale - line, 1));
  cairo_set_source_rgba (cr, 0, 0, 0, chosen ? 0.6 : 0.25);
  cairo_set_line_width (cr, line + 2);
  cairo_stroke_preserve (cr);
  cairo_set_source_rgba (cr, rgb[0], rgb[1], rgb[2], chosen ? 1 : 0.4);
  cairo_set_line_width (cr, line);
  if (object->rough || !chosen)
    cairo_set_dash (cr, (double[]) { 6, 4 }, 2, 0);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  if (chosen)
    draw_name (widget, cr, object, rgb, x, y);
}

static void
on_draw (GtkWidget *widget, cairo_t *cr, const PhotoPlace *place, gpointer data)
{
  const BoxView *view = data;

  photo_view_paint (widget, cr);
  for (gsize i = view->objects ? view->objects->n : 0; i-- > 0;) /* the best come last, on top; the selected over all */
    if (view->selected != (gint) i)
      draw_object (widget, cr, view, i, place);
  if (view->objects && view->selected >= 0 && view->selected < (gint) view->objects->n)
    draw_object (widget, cr, view, (gsize) view->selected, place);
}

/* ---- the user's hand ---------------------------------------------------------------------------------------- */

static void
on_click (GtkWidget *widget, double x, double y, const GdkEventButton *event, gpointer data)
{
  BoxView *view = data;

  if (event->button != GDK_BUTTON_PRIMARY)
    return;
  box_view_select (widget, find_object (view, x, y));
  view->on_select (view->selected, view->user_data);
}

static char *
on_tell (GtkWidget *widget, double x, double y, gpointer data)
{
  const BoxView *view = data;
  gint           object = find_object (view, x, y);

  return object >= 0 ? describe (&view->objects->objects[object]) : NULL;
}

/* ---- public ------------------------------------------------------------------------------------------------- */

GtkWidget *
box_view_new (void (*selected) (gint object, gpointer user_data), gpointer user_data)
{
  static const PhotoViewHooks hooks = { on_draw, on_click, on_tell };
  BoxView                    *view = g_new0 (BoxView, 1);

  view->selected = -1;
  view->on_select = selected;
  view->user_data = user_data;
  return photo_view_new (_("The photo with its objects"), &hooks, view, g_free);
}

void
box_view_set_objects (GtkWidget *widget, const FoveaObjects *objects, const guint8 *ticked)
{
  BoxView            *view = photo_view_get_data (widget);
  g_autoptr (GString) words = g_string_new (NULL);

  view->objects = objects;
  view->ticked = ticked;
  view->selected = -1;
  for (gsize i = 0; objects && i < objects->n; i++)
    {
      g_autofree char *text = describe (&objects->objects[i]);

      if (!ticked || ticked[i])
        g_string_append_printf (words, "%s%s", words->len ? ", " : "", text);
    }
  atk_object_set_description (gtk_widget_get_accessible (widget), words->str);
  gtk_widget_trigger_tooltip_query (widget); /* of a box that is gone */
  gtk_widget_queue_draw (widget);
}

void
box_view_select (GtkWidget *widget, gint object)
{
  BoxView *view = photo_view_get_data (widget);

  view->selected = object;
  gtk_widget_queue_draw (widget);
}
