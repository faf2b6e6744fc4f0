/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-view.c: see train-view.h. The answer becomes a small picture once, which is drawn over the photo, stretched.
 */

#include "train-view.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define TINT 0.4 /* opacity of the classes' colours */
#define RING 14  /* radius of the mark, pixels of the screen */

typedef struct
{
  TrainViewKind      kind;
  const TrainAnswer *answer;
  guint8            *colours;
  cairo_surface_t   *picture; /* of the answer; NULL: to be made */
  int                width, height; /* of the photo */
  gboolean           is_marked;
} TrainView;

/* ---- the answer --------------------------------------------------------------------------------------------------- */

void
train_answer_free (TrainAnswer *answer)
{
  if (!answer)
    return;
  g_free (answer->best);
  g_free (answer->share);
  g_free (answer->doubt);
  g_free (answer);
}

TrainAnswer *
train_answer_new (PixelTraining *training, const FoveaMasks *masks, GError **error)
{
  g_autoptr (TrainAnswer) answer = g_new0 (TrainAnswer, 1);
  int                     x = 0, y = 0;
  FoveaTensor            *doubt = fovea_pixel_trainer_doubt (training->trainer, 0, masks, &x, &y, error);
  gsize                   n;

  if (!doubt)
    return NULL;
  answer->grid = fovea_pixel_trainer_get_grid (training->trainer);
  n = (gsize) answer->grid * (gsize) answer->grid;
  answer->best = g_new0 (guint8, n);
  answer->share = g_new0 (float, n);
  answer->doubt = g_memdup2 (doubt->data, n * sizeof (float));
  answer->next_x = (x + 0.5) / answer->grid;
  answer->next_y = (y + 0.5) / answer->grid;
  fovea_tensor_unref (doubt);
  fovea_masks_find_best (masks, answer->best, answer->share);
  return g_steal_pointer (&answer);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

/* Premultiplied, as cairo has it. */
static guint32
make_pixel (double red, double green, double blue, double alpha)
{
  return (guint32) (255 * alpha + 0.5) << 24 | (guint32) (red * alpha + 0.5) << 16 | (guint32) (green * alpha + 0.5) << 8 | (guint32) (blue * alpha + 0.5);
}

static void
make_picture (TrainView *view)
{
  const TrainAnswer *answer = view->answer;

  view->picture = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, answer->grid, answer->grid);
  for (int y = 0; y < answer->grid; y++)
    {
      guint32 *line = (guint32 *) (gpointer) (cairo_image_surface_get_data (view->picture) + (gsize) y * (gsize) cairo_image_surface_get_stride (view->picture));

      for (int x = 0; x < answer->grid; x++)
        {
          int           i = y * answer->grid + x;
          const guint8 *colour = view->colours + 3 * answer->best[i];
          double        gray = 255.0 * CLAMP (answer->share[i], 0.0f, 1.0f), doubt = CLAMP (answer->doubt[i], 0.0f, 1.0f);

          line[x] = view->kind == TRAIN_VIEW_CLASSES      ? make_pixel (colour[0], colour[1], colour[2], TINT)
                    : view->kind == TRAIN_VIEW_CONFIDENCE ? make_pixel (gray, gray, gray, 0.8)
                                                          : make_pixel (255, 60, 160, 0.85 * doubt);
        }
    }
  cairo_surface_mark_dirty (view->picture);
}

/* A ring, light and dark, that is seen on any ground. */
static void
draw_mark (cairo_t *cr, double x, double y)
{
  for (int ring = 0; ring < 2; ring++)
    {
      cairo_arc (cr, x, y, RING, 0, 2 * G_PI);
      cairo_set_source_rgb (cr, ring, ring, ring);
      cairo_set_line_width (cr, ring ? 2 : 5);
      cairo_stroke (cr);
    }
}

static void
on_draw (GtkWidget *widget, cairo_t *cr, const PhotoPlace *place, gpointer data)
{
  TrainView *view = data;

  photo_view_paint (widget, cr);
  if (!view->answer)
    return;
  if (!view->picture)
    make_picture (view);
  cairo_save (cr);
  cairo_scale (cr, place->scale, place->scale);
  cairo_translate (cr, -place->x, -place->y);
  cairo_scale (cr, (double) view->width / view->answer->grid, (double) view->height / view->answer->grid);
  cairo_set_source_surface (cr, view->picture, 0, 0);
  cairo_paint (cr);
  cairo_restore (cr);
  if (view->is_marked)
    draw_mark (cr, (view->answer->next_x * view->width - place->x) * place->scale, (view->answer->next_y * view->height - place->y) * place->scale);
}

static void
free_view (gpointer data)
{
  TrainView *view = data;

  g_clear_pointer (&view->picture, cairo_surface_destroy);
  g_free (view->colours);
  g_free (view);
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

GtkWidget *
train_view_new (void)
{
  static const PhotoViewHooks hooks = { on_draw, NULL, NULL };

  return photo_view_new (_("The photo with its classes"), &hooks, g_new0 (TrainView, 1), free_view);
}

static void
redraw (GtkWidget *widget, TrainView *view)
{
  g_clear_pointer (&view->picture, cairo_surface_destroy);
  gtk_widget_queue_draw (widget);
}

void
train_view_set_kind (GtkWidget *widget, TrainViewKind kind)
{
  TrainView *view = photo_view_get_data (widget);

  view->kind = kind;
  redraw (widget, view);
}

void
train_view_set_answer (GtkWidget *widget, const TrainAnswer *answer, const guint8 *colours, guint n_classes)
{
  TrainView *view = photo_view_get_data (widget);

  g_free (view->colours);
  view->colours = answer ? g_memdup2 (colours, 3 * (gsize) n_classes) : NULL;
  view->answer = answer;
  redraw (widget, view);
}

void
train_view_set_size (GtkWidget *widget, int width, int height)
{
  TrainView *view = photo_view_get_data (widget);

  view->width = width;
  view->height = height;
}

void
train_view_set_mark (GtkWidget *widget, gboolean visible)
{
  TrainView *view = photo_view_get_data (widget);

  view->is_marked = visible;
  if (visible)
    photo_view_reveal (widget, view->answer->next_x * view->width, view->answer->next_y * view->height, 2 * RING);
  gtk_widget_queue_draw (widget);
}
