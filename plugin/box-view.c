/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * box-view.c: see box-view.h. Only what is visible is drawn: from a small copy of the photo as long as that has pixels enough, from a part of the photo itself
 * where the user has zoomed in.
 */

#include "box-view.h"

#include <glib/gi18n.h>
#include <math.h>

#define VIEW_WIDTH  480
#define VIEW_HEIGHT 400
#define SMALL_SIDE  1400 /* of the small copy, pixels */
#define MAX_ZOOM    64.0
#define ZOOM_STEP   1.25

typedef struct
{
  GdkPixbuf          *photo, *small;
  const FoveaObjects *objects;
  const guint8       *ticked;
  gint                selected;
  double              zoom;             /* 1: the whole photo fits */
  double              centre_x, centre_y; /* what is in the middle, the photo's pixels */
  double              pressed_x, pressed_y, drag_x, drag_y;
  gboolean            is_dragging;
  void              (*on_select) (gint object, gpointer user_data);
  gpointer            user_data;
} BoxView;

static void
box_view_free (gpointer data)
{
  BoxView *view = data;

  g_clear_object (&view->photo);
  g_clear_object (&view->small);
  g_free (view);
}

static BoxView *
get_view (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "box-view");
}

/* ---- where things are --------------------------------------------------------------------------------------- */

/* Screen = (photo - origin) * scale. */
static double
get_scale (GtkWidget *widget, double origin[2])
{
  const BoxView *view = get_view (widget);
  int            width = gtk_widget_get_allocated_width (widget), height = gtk_widget_get_allocated_height (widget);
  double         scale = view->zoom * MIN (width / (double) gdk_pixbuf_get_width (view->photo), height / (double) gdk_pixbuf_get_height (view->photo));

  origin[0] = view->centre_x - width / scale / 2;
  origin[1] = view->centre_y - height / scale / 2;
  return scale;
}

/* The smallest object under the pointer: the one that a larger would hide. -1: none. */
static gint
find_object (GtkWidget *widget, double x, double y)
{
  const BoxView *view = get_view (widget);
  double         origin[2], scale, smallest = INFINITY;
  gint           found = -1;

  if (!view->photo || !view->objects)
    return -1;
  scale = get_scale (widget, origin);
  x = x / scale + origin[0];
  y = y / scale + origin[1];
  for (gsize i = 0; i < view->objects->n; i++)
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

/* The photo can't be moved out of the view. */
static void
keep_inside (BoxView *view)
{
  double width = gdk_pixbuf_get_width (view->photo), height = gdk_pixbuf_get_height (view->photo), share = 0.5 / view->zoom;

  view->centre_x = CLAMP (view->centre_x, width * share, width * (1 - share));
  view->centre_y = CLAMP (view->centre_y, height * share, height * (1 - share));
}

static void
show_whole (BoxView *view)
{
  view->zoom = 1;
  view->centre_x = gdk_pixbuf_get_width (view->photo) / 2.0;
  view->centre_y = gdk_pixbuf_get_height (view->photo) / 2.0;
}

/* What is under (x, y) stays there. */
static void
zoom_at (GtkWidget *widget, double factor, double x, double y)
{
  BoxView *view = get_view (widget);
  double   before[2], after[2], scale;

  if (!view->photo)
    return;
  scale = get_scale (widget, before);
  before[0] += x / scale;
  before[1] += y / scale;
  view->zoom = CLAMP (view->zoom * factor, 1, MAX_ZOOM);
  scale = get_scale (widget, after);
  view->centre_x += before[0] - (after[0] + x / scale);
  view->centre_y += before[1] - (after[1] + y / scale);
  keep_inside (view);
  gtk_widget_queue_draw (widget);
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static void
draw_photo (GtkWidget *widget, cairo_t *cr, double scale, const double origin[2])
{
  const BoxView *view = get_view (widget);
  int            width = gdk_pixbuf_get_width (view->photo), height = gdk_pixbuf_get_height (view->photo);
  double         small_scale = gdk_pixbuf_get_width (view->small) / (double) width;
  GdkPixbuf     *part;
  int            x, y, right, bottom;

  cairo_save (cr);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -origin[0], -origin[1]);
  if (scale <= small_scale || view->small == view->photo)
    {
      cairo_scale (cr, 1 / small_scale, 1 / small_scale);
      gdk_cairo_set_source_pixbuf (cr, view->small, 0, 0);
      cairo_paint (cr);
    }
  else
    {
      x = CLAMP ((int) floor (origin[0]), 0, width - 1);
      y = CLAMP ((int) floor (origin[1]), 0, height - 1);
      right = CLAMP ((int) ceil (origin[0] + gtk_widget_get_allocated_width (widget) / scale) + 1, x + 1, width);
      bottom = CLAMP ((int) ceil (origin[1] + gtk_widget_get_allocated_height (widget) / scale) + 1, y + 1, height);
      part = gdk_pixbuf_new_subpixbuf (view->photo, x, y, right - x, bottom - y);
      gdk_cairo_set_source_pixbuf (cr, part, x, y);
      cairo_paint (cr);
      g_object_unref (part);
    }
  cairo_restore (cr);
}

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
draw_object (GtkWidget *widget, cairo_t *cr, gsize i, double scale, const double origin[2])
{
  const BoxView     *view = get_view (widget);
  const FoveaObject *object = &view->objects->objects[i];
  gboolean           chosen = !view->ticked || view->ticked[i], selected = view->selected == (gint) i;
  double             x = (object->x - origin[0]) * scale, y = (object->y - origin[1]) * scale, line = selected ? 4 : 2, rgb[3];
  guint8             bytes[3];

  fovea_get_class_colour (object->index, bytes);
  for (int c = 0; c < 3; c++)
    rgb[c] = bytes[c] / 255.0;
  cairo_rectangle (cr, x + line / 2, y + line / 2, MAX (object->width * scale - line, 1), MAX (object->height * scale - line, 1));
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

static gboolean
on_draw (GtkWidget *widget, cairo_t *cr, gpointer unused)
{
  const BoxView *view = get_view (widget);
  double         origin[2], scale;

  gtk_render_background (gtk_widget_get_style_context (widget), cr, 0, 0, gtk_widget_get_allocated_width (widget), gtk_widget_get_allocated_height (widget));
  if (!view->photo)
    return FALSE;
  scale = get_scale (widget, origin);
  draw_photo (widget, cr, scale, origin);
  for (gsize i = view->objects ? view->objects->n : 0; i-- > 0;) /* the best come last, on top; the selected over all */
    if (view->selected != (gint) i)
      draw_object (widget, cr, i, scale, origin);
  if (view->objects && view->selected >= 0 && view->selected < (gint) view->objects->n)
    draw_object (widget, cr, view->selected, scale, origin);
  return FALSE;
}

/* ---- the user's hand ---------------------------------------------------------------------------------------- */

static gboolean
on_press (GtkWidget *widget, GdkEventButton *event, gpointer unused)
{
  BoxView *view = get_view (widget);

  gtk_widget_grab_focus (widget);
  if (!view->photo || event->button != GDK_BUTTON_PRIMARY)
    return FALSE;
  if (event->type == GDK_2BUTTON_PRESS)
    {
      show_whole (view);
      gtk_widget_queue_draw (widget);
    }
  view->is_dragging = FALSE;
  view->pressed_x = view->drag_x = event->x;
  view->pressed_y = view->drag_y = event->y;
  return TRUE;
}

static gboolean
on_motion (GtkWidget *widget, GdkEventMotion *event, gpointer unused)
{
  BoxView *view = get_view (widget);
  double   origin[2], scale;

  if (!view->photo || !(event->state & GDK_BUTTON1_MASK))
    return FALSE;
  view->is_dragging |= gtk_drag_check_threshold (widget, (gint) view->pressed_x, (gint) view->pressed_y, (gint) event->x, (gint) event->y);
  if (!view->is_dragging)
    return TRUE;
  scale = get_scale (widget, origin);
  view->centre_x -= (event->x - view->drag_x) / scale;
  view->centre_y -= (event->y - view->drag_y) / scale;
  view->drag_x = event->x;
  view->drag_y = event->y;
  keep_inside (view);
  gtk_widget_queue_draw (widget);
  return TRUE;
}

static gboolean
on_release (GtkWidget *widget, GdkEventButton *event, gpointer unused)
{
  BoxView *view = get_view (widget);

  if (!view->photo || event->button != GDK_BUTTON_PRIMARY)
    return FALSE;
  if (!view->is_dragging)
    {
      box_view_select (widget, find_object (widget, event->x, event->y));
      view->on_select (view->selected, view->user_data);
    }
  view->is_dragging = FALSE;
  return TRUE;
}

static gboolean
on_scroll (GtkWidget *widget, GdkEventScroll *event, gpointer unused)
{
  double dx = 0, dy = 0;

  if (event->direction == GDK_SCROLL_SMOOTH)
    gdk_event_get_scroll_deltas ((GdkEvent *) event, &dx, &dy);
  else
    dy = event->direction == GDK_SCROLL_UP ? -1 : event->direction == GDK_SCROLL_DOWN ? 1 : 0;
  zoom_at (widget, pow (ZOOM_STEP, -dy), event->x, event->y);
  return TRUE;
}

static gboolean
on_key (GtkWidget *widget, GdkEventKey *event, gpointer unused)
{
  BoxView *view = get_view (widget);
  double   x = gtk_widget_get_allocated_width (widget) / 2.0, y = gtk_widget_get_allocated_height (widget) / 2.0;

  if (!view->photo)
    return FALSE;
  switch (event->keyval)
    {
    case GDK_KEY_plus:
    case GDK_KEY_KP_Add:
      zoom_at (widget, ZOOM_STEP, x, y);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      zoom_at (widget, 1 / ZOOM_STEP, x, y);
      return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0:
      show_whole (view);
      gtk_widget_queue_draw (widget);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
on_tooltip (GtkWidget *widget, gint x, gint y, gboolean by_key, GtkTooltip *tooltip, gpointer unused)
{
  const BoxView   *view = get_view (widget);
  gint             object = find_object (widget, x, y);
  g_autofree char *text = object >= 0 ? describe (&view->objects->objects[object]) : NULL;

  if (text)
    gtk_tooltip_set_text (tooltip, text);
  return text != NULL;
}

/* ---- public ------------------------------------------------------------------------------------------------- */

GtkWidget *
box_view_new (void (*selected) (gint object, gpointer user_data), gpointer user_data)
{
  GtkWidget *widget = gtk_drawing_area_new ();
  BoxView   *view = g_new0 (BoxView, 1);

  view->selected = -1;
  view->zoom = 1;
  view->on_select = selected;
  view->user_data = user_data;
  g_object_set_data_full (G_OBJECT (widget), "box-view", view, box_view_free);
  gtk_widget_set_size_request (widget, VIEW_WIDTH, VIEW_HEIGHT);
  gtk_widget_set_can_focus (widget, TRUE);
  gtk_widget_set_has_tooltip (widget, TRUE);
  gtk_widget_add_events (widget, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_POINTER_MOTION_MASK | GDK_SCROLL_MASK | GDK_SMOOTH_SCROLL_MASK
                                 | GDK_KEY_PRESS_MASK);
  g_signal_connect (widget, "draw", G_CALLBACK (on_draw), NULL);
  g_signal_connect (widget, "button-press-event", G_CALLBACK (on_press), NULL);
  g_signal_connect (widget, "button-release-event", G_CALLBACK (on_release), NULL);
  g_signal_connect (widget, "motion-notify-event", G_CALLBACK (on_motion), NULL);
  g_signal_connect (widget, "scroll-event", G_CALLBACK (on_scroll), NULL);
  g_signal_connect (widget, "key-press-event", G_CALLBACK (on_key), NULL);
  g_signal_connect (widget, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
  atk_object_set_name (gtk_widget_get_accessible (widget), _("The photo with its objects"));
  return widget;
}

void
box_view_set_photo (GtkWidget *widget, const guint8 *rgb, int width, int height)
{
  BoxView *view = get_view (widget);
  double   scale = SMALL_SIDE / (double) MAX (MAX (width, height), 1);

  g_clear_object (&view->photo);
  g_clear_object (&view->small);
  box_view_set_objects (widget, NULL, NULL);
  if (!rgb)
    return;
  view->photo = gdk_pixbuf_new_from_data (rgb, GDK_COLORSPACE_RGB, FALSE, 8, width, height, width * 3, NULL, NULL);
  view->small = scale >= 1 ? g_object_ref (view->photo)
                           : gdk_pixbuf_scale_simple (view->photo, MAX ((int) (width * scale), 1), MAX ((int) (height * scale), 1), GDK_INTERP_BILINEAR);
  if (!view->small) /* short of memory: the photo itself is slower, but there */
    view->small = g_object_ref (view->photo);
  show_whole (view);
  gtk_widget_queue_draw (widget);
}

void
box_view_set_objects (GtkWidget *widget, const FoveaObjects *objects, const guint8 *ticked)
{
  BoxView *view = get_view (widget);
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
  gtk_widget_queue_draw (widget);
}

void
box_view_select (GtkWidget *widget, gint object)
{
  get_view (widget)->selected = object;
  gtk_widget_queue_draw (widget);
}
