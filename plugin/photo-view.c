/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-view.c: see photo-view.h.
 */

#include "photo-view.h"

#include <math.h>

#define VIEW_WIDTH  480
#define VIEW_HEIGHT 360
#define MAX_ZOOM    64.0
#define ZOOM_STEP   1.25

typedef struct
{
  GdkPixbuf      *photo, *small;
  double          zoom;               /* 1: the whole photo fits */
  double          centre_x, centre_y; /* what is in the middle, the photo's pixels */
  cairo_surface_t *drawn;             /* the photo as it was drawn last; NULL: to be drawn */
  PhotoPlace      drawn_place;        /* … where it lay then */
  int             drawn_width, drawn_height; /* … in a view of that size */
  double          pressed_x, pressed_y, drag_x, drag_y;
  gboolean        is_dragging;
  PhotoViewHooks  hooks;
  gpointer        user_data;
  GDestroyNotify  free_data;
} PhotoView;

static void
photo_view_free (gpointer data)
{
  PhotoView *view = data;

  g_clear_object (&view->photo);
  g_clear_object (&view->small);
  g_clear_pointer (&view->drawn, cairo_surface_destroy);
  if (view->free_data)
    view->free_data (view->user_data);
  g_free (view);
}

static PhotoView *
get_view (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "photo-view");
}

gpointer
photo_view_get_data (GtkWidget *widget)
{
  return get_view (widget)->user_data;
}

gboolean
photo_view_has_photo (GtkWidget *widget)
{
  return get_view (widget)->photo != NULL;
}

/* ---- where things are --------------------------------------------------------------------------------------- */

static PhotoPlace
get_place (GtkWidget *widget)
{
  const PhotoView *view = get_view (widget);
  int              width = gtk_widget_get_allocated_width (widget), height = gtk_widget_get_allocated_height (widget);
  double           fit = MIN (width / (double) gdk_pixbuf_get_width (view->photo), height / (double) gdk_pixbuf_get_height (view->photo));
  PhotoPlace       place = { .scale = view->zoom * fit };

  place.x = view->centre_x - width / place.scale / 2;
  place.y = view->centre_y - height / place.scale / 2;
  return place;
}

PhotoExtent
photo_view_get_extent (GtkWidget *widget)
{
  const PhotoView *view = get_view (widget);
  PhotoPlace       place = get_place (widget);
  int              left = MAX ((int) floor (-place.x * place.scale), 0), top = MAX ((int) floor (-place.y * place.scale), 0);
  int              right = (int) ceil ((gdk_pixbuf_get_width (view->photo) - place.x) * place.scale);
  int              bottom = (int) ceil ((gdk_pixbuf_get_height (view->photo) - place.y) * place.scale);

  return (PhotoExtent) { left, top, MIN (right, gtk_widget_get_allocated_width (widget)) - left, MIN (bottom, gtk_widget_get_allocated_height (widget)) - top };
}

/* The photo can't be moved out of the view. */
static void
keep_inside (PhotoView *view)
{
  double width = gdk_pixbuf_get_width (view->photo), height = gdk_pixbuf_get_height (view->photo), share = 0.5 / view->zoom;

  view->centre_x = CLAMP (view->centre_x, width * share, width * (1 - share));
  view->centre_y = CLAMP (view->centre_y, height * share, height * (1 - share));
}

static void
show_whole (PhotoView *view)
{
  view->zoom = 1;
  view->centre_x = gdk_pixbuf_get_width (view->photo) / 2.0;
  view->centre_y = gdk_pixbuf_get_height (view->photo) / 2.0;
}

void
photo_view_reveal (GtkWidget *widget, double x, double y, int margin)
{
  PhotoView *view = get_view (widget);
  PhotoPlace place;

  if (!view->photo)
    return;
  place = get_place (widget);
  if (fabs (x - view->centre_x) * place.scale + margin < gtk_widget_get_allocated_width (widget) / 2.0
      && fabs (y - view->centre_y) * place.scale + margin < gtk_widget_get_allocated_height (widget) / 2.0)
    return;
  view->centre_x = x;
  view->centre_y = y;
  keep_inside (view);
  gtk_widget_queue_draw (widget);
}

/* What is under (x, y) stays there. */
static void
zoom_at (GtkWidget *widget, double factor, double x, double y)
{
  PhotoView *view = get_view (widget);
  PhotoPlace before, after;

  if (!view->photo)
    return;
  before = get_place (widget);
  view->zoom = CLAMP (view->zoom * factor, 1, MAX_ZOOM);
  after = get_place (widget);
  view->centre_x += before.x + x / before.scale - (after.x + x / after.scale);
  view->centre_y += before.y + y / before.scale - (after.y + y / after.scale);
  keep_inside (view);
  gtk_widget_queue_draw (widget);
}

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static void
paint_photo (GtkWidget *widget, cairo_t *cr)
{
  const PhotoView *view = get_view (widget);
  PhotoPlace       place = get_place (widget);
  int              width = gdk_pixbuf_get_width (view->photo), height = gdk_pixbuf_get_height (view->photo);
  double           small_scale = gdk_pixbuf_get_width (view->small) / (double) width;
  GdkPixbuf       *part;
  int              x, y, right, bottom;

  cairo_save (cr);
  cairo_scale (cr, place.scale, place.scale);
  cairo_translate (cr, -place.x, -place.y);
  if (place.scale <= small_scale || view->small == view->photo)
    {
      cairo_scale (cr, 1 / small_scale, 1 / small_scale);
      gdk_cairo_set_source_pixbuf (cr, view->small, 0, 0);
      cairo_paint (cr);
    }
  else
    {
      x = CLAMP ((int) floor (place.x), 0, width - 1);
      y = CLAMP ((int) floor (place.y), 0, height - 1);
      right = CLAMP ((int) ceil (place.x + gtk_widget_get_allocated_width (widget) / place.scale) + 1, x + 1, width);
      bottom = CLAMP ((int) ceil (place.y + gtk_widget_get_allocated_height (widget) / place.scale) + 1, y + 1, height);
      part = gdk_pixbuf_new_subpixbuf (view->photo, x, y, right - x, bottom - y);
      gdk_cairo_set_source_pixbuf (cr, part, x, y);
      cairo_paint (cr);
      g_object_unref (part);
    }
  cairo_restore (cr);
}

/* Making a photo smaller takes time, which is short where a network runs meanwhile. */
void
photo_view_paint (GtkWidget *widget, cairo_t *cr)
{
  PhotoView *view = get_view (widget);
  PhotoPlace place = get_place (widget);
  int        width = gtk_widget_get_allocated_width (widget), height = gtk_widget_get_allocated_height (widget);

  if (!view->drawn || place.x != view->drawn_place.x || place.y != view->drawn_place.y || place.scale != view->drawn_place.scale || width != view->drawn_width ||
      height != view->drawn_height)
    {
      cairo_t *painter;

      g_clear_pointer (&view->drawn, cairo_surface_destroy);
      view->drawn = gdk_window_create_similar_surface (gtk_widget_get_window (widget), CAIRO_CONTENT_COLOR_ALPHA, width, height);
      view->drawn_place = place;
      view->drawn_width = width;
      view->drawn_height = height;
      painter = cairo_create (view->drawn);
      paint_photo (widget, painter);
      cairo_destroy (painter);
    }
  cairo_save (cr);
  cairo_set_source_surface (cr, view->drawn, 0, 0);
  cairo_paint (cr);
  cairo_restore (cr);
}

static gboolean
on_draw (GtkWidget *widget, cairo_t *cr, gpointer unused)
{
  const PhotoView *view = get_view (widget);
  PhotoPlace       place;

  gtk_render_background (gtk_widget_get_style_context (widget), cr, 0, 0, gtk_widget_get_allocated_width (widget), gtk_widget_get_allocated_height (widget));
  if (!view->photo)
    return FALSE;
  place = get_place (widget);
  if (view->hooks.draw)
    view->hooks.draw (widget, cr, &place, view->user_data);
  else
    photo_view_paint (widget, cr);
  return FALSE;
}

/* ---- the user's hand ---------------------------------------------------------------------------------------- */

static gboolean
on_press (GtkWidget *widget, GdkEventButton *event, gpointer unused)
{
  PhotoView *view = get_view (widget);

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
  PhotoView *view = get_view (widget);
  PhotoPlace place;

  if (!view->photo || !(event->state & GDK_BUTTON1_MASK))
    return FALSE;
  view->is_dragging |= gtk_drag_check_threshold (widget, (gint) view->pressed_x, (gint) view->pressed_y, (gint) event->x, (gint) event->y);
  if (!view->is_dragging)
    return TRUE;
  place = get_place (widget);
  view->centre_x -= (event->x - view->drag_x) / place.scale;
  view->centre_y -= (event->y - view->drag_y) / place.scale;
  view->drag_x = event->x;
  view->drag_y = event->y;
  keep_inside (view);
  gtk_widget_queue_draw (widget);
  return TRUE;
}

static gboolean
on_release (GtkWidget *widget, GdkEventButton *event, gpointer unused)
{
  PhotoView *view = get_view (widget);
  PhotoPlace place;

  if (!view->photo || (event->button != GDK_BUTTON_PRIMARY && event->button != GDK_BUTTON_SECONDARY))
    return FALSE;
  place = get_place (widget);
  if (view->hooks.click && (!view->is_dragging || event->button == GDK_BUTTON_SECONDARY))
    view->hooks.click (widget, place.x + event->x / place.scale, place.y + event->y / place.scale, event, view->user_data);
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
  PhotoView *view = get_view (widget);
  double     x = gtk_widget_get_allocated_width (widget) / 2.0, y = gtk_widget_get_allocated_height (widget) / 2.0;

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
  const PhotoView *view = get_view (widget);
  PhotoPlace       place;
  g_autofree char *text = NULL;

  if (!view->photo || !view->hooks.tell)
    return FALSE;
  place = get_place (widget);
  text = view->hooks.tell (widget, place.x + x / place.scale, place.y + y / place.scale, view->user_data);
  if (text)
    gtk_tooltip_set_text (tooltip, text);
  return text != NULL;
}

/* ---- public ------------------------------------------------------------------------------------------------- */

GtkWidget *
photo_view_new (const char *accessible_name, const PhotoViewHooks *hooks, gpointer user_data, GDestroyNotify free_data)
{
  GtkWidget *widget = gtk_drawing_area_new ();
  PhotoView *view = g_new0 (PhotoView, 1);

  view->zoom = 1;
  view->hooks = *hooks;
  view->user_data = user_data;
  view->free_data = free_data;
  g_object_set_data_full (G_OBJECT (widget), "photo-view", view, photo_view_free);
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
  atk_object_set_name (gtk_widget_get_accessible (widget), accessible_name);
  return widget;
}

void
photo_view_set_photo (GtkWidget *widget, GdkPixbuf *photo, GdkPixbuf *small)
{
  PhotoView *view = get_view (widget);

  g_set_object (&view->photo, photo);
  g_set_object (&view->small, small);
  g_clear_pointer (&view->drawn, cairo_surface_destroy);
  gtk_widget_queue_draw (widget);
  if (photo)
    show_whole (view);
}
