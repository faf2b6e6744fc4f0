/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-view.h: a photo that is zoomed with the wheel or + and −, and moved by dragging; 0 or a double click shows the whole. What is drawn over it, what a
 * click does and what pointing at it tells are its users' (box-view.c, mask-view.c).
 */
#pragma once

#include <gtk/gtk.h>

/* Where the photo lies in the view: screen = (photo - origin) * scale. */
typedef struct
{
  double x, y, scale;
} PhotoPlace;

/* The part of the view that the photo covers, pixels of the screen. */
typedef struct
{
  int x, y, width, height;
} PhotoExtent;

/* Each may be NULL. Places are in the photo's pixels. */
typedef struct
{
  void  (*draw)  (GtkWidget *view, cairo_t *cr, const PhotoPlace *place, gpointer user_data); /* instead of the photo: see photo_view_paint */
  void  (*click) (GtkWidget *view, double x, double y, const GdkEventButton *event, gpointer user_data);
  char *(*tell)  (GtkWidget *view, double x, double y, gpointer user_data); /* freed by the view */
} PhotoViewHooks;

GtkWidget *photo_view_new       (const char *accessible_name, const PhotoViewHooks *hooks, gpointer user_data, GDestroyNotify free_data);

#define PHOTO_VIEW_SMALL 1400 /* pixels along the longer side of a photo's small copy, at most */

/* A photo and its small copy (the photo itself where it isn't larger), 8-bit RGB. NULL, NULL: none. */
void       photo_view_set_photo (GtkWidget *view, GdkPixbuf *photo, GdkPixbuf *small);
gboolean   photo_view_has_photo (GtkWidget *view);

PhotoExtent photo_view_get_extent (GtkWidget *view);

/* Moves the photo, where it is zoomed in, so that a place of it is seen with `margin` pixels of the screen around it. */
void       photo_view_reveal    (GtkWidget *view, double x, double y, int margin);

gpointer   photo_view_get_data  (GtkWidget *view);

/* Draws the photo, as the view shows it. Only what is visible: from a small copy as long as that has pixels enough, from a part of the photo itself where the
 * user has zoomed in. */
void       photo_view_paint     (GtkWidget *view, cairo_t *cr);
