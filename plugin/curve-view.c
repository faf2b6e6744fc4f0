/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * curve-view.c: see curve-view.h. Left to right the training from its beginning to its end, whatever has passed of it; bottom to top 0 to 1 for the score, and 0 to
 * the highest that occurred for the loss.
 */

#include "curve-view.h"

#include <glib/gi18n.h>
#include <math.h>

#define WIDTH  420
#define HEIGHT 180
#define MARGIN 12.0
#define N_LINES 4 /* across */

static const double loss_colour[3] = { 0.84, 0.37, 0.0 }, score_colour[3] = { 0.0, 0.45, 0.70 }; /* that people who see few colours tell apart */

/* ---- a line -------------------------------------------------------------------------------------------------------- */

static double
find_highest_loss (const GArray *curve)
{
  double highest = 0;

  for (guint i = 0; i < curve->len; i++)
    highest = MAX (highest, g_array_index (curve, TrainingPoint, i).loss);
  return highest > 0 && isfinite (highest) ? highest : 1;
}

/* scale: what the line's highest value means 1 of. */
static void
draw_line (cairo_t *cr, const GArray *curve, gsize offset, double scale, const double colour[3], double width, double height)
{
  gboolean any = FALSE;

  cairo_set_source_rgb (cr, colour[0], colour[1], colour[2]);
  cairo_set_line_width (cr, 2);
  for (guint i = 0; i < curve->len; i++)
    {
      const TrainingPoint *point = &g_array_index (curve, TrainingPoint, i);
      double            value = G_STRUCT_MEMBER (double, point, offset) / scale;
      double            x = MARGIN + width * CLAMP (point->fraction, 0, 1), y = MARGIN + height * (1 - CLAMP (value, 0, 1));

      if (!(value >= 0) || isinf (value))
        continue;
      if (any)
        cairo_line_to (cr, x, y);
      else
        cairo_move_to (cr, x, y);
      any = TRUE;
    }
  cairo_stroke (cr);
}

/* ---- words --------------------------------------------------------------------------------------------------------- */

/* What the lines have come to, one below the other, where they don't cross much: in the upper right corner. */
static void
draw_word (GtkWidget *view, cairo_t *cr, const char *text, const double colour[3], double right, double y)
{
  PangoLayout *layout = gtk_widget_create_pango_layout (view, text);
  int          width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  cairo_set_source_rgb (cr, colour[0], colour[1], colour[2]);
  cairo_move_to (cr, right - width, y);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
}

static char *
tell_loss (const GArray *curve)
{
  return g_strdup_printf (_("Loss %.3f"), g_array_index (curve, TrainingPoint, curve->len - 1).loss);
}

/* "": it isn't judged meanwhile. */
static char *
tell_score (const GArray *curve)
{
  double score = g_array_index (curve, TrainingPoint, curve->len - 1).score;

  if (score < 0)
    return g_strdup ("");
  return isfinite (score) ? g_strdup_printf (_("On what is kept out %.0f %%"), 100 * score) : g_strdup (_("Too little is kept out for a score"));
}

static void
draw_words (GtkWidget *view, cairo_t *cr, const GArray *curve, double right)
{
  g_autofree char *loss = tell_loss (curve), *score = tell_score (curve);

  if (*score)
    draw_word (view, cr, score, score_colour, right, MARGIN + 4);
  draw_word (view, cr, loss, loss_colour, right, MARGIN + (*score ? 24 : 4));
}

/* ---- the widget ---------------------------------------------------------------------------------------------------- */

static gboolean
draw (GtkWidget *view, cairo_t *cr, gpointer unused)
{
  const GArray    *curve = g_object_get_data (G_OBJECT (view), "curve");
  GtkStyleContext *style = gtk_widget_get_style_context (view);
  double           width = gtk_widget_get_allocated_width (view) - 2 * MARGIN, height = gtk_widget_get_allocated_height (view) - 2 * MARGIN;
  GdkRGBA          ink;

  gtk_render_background (style, cr, 0, 0, width + 2 * MARGIN, height + 2 * MARGIN);
  gtk_style_context_get_color (style, gtk_style_context_get_state (style), &ink);
  cairo_set_source_rgba (cr, ink.red, ink.green, ink.blue, 0.2);
  cairo_set_line_width (cr, 1);
  for (int i = 0; i <= N_LINES; i++)
    {
      double y = floor (MARGIN + height * i / N_LINES) + 0.5;

      cairo_move_to (cr, MARGIN, y);
      cairo_line_to (cr, MARGIN + width, y);
    }
  cairo_stroke (cr);
  if (!curve || curve->len == 0)
    return FALSE;
  draw_line (cr, curve, G_STRUCT_OFFSET (TrainingPoint, loss), find_highest_loss (curve), loss_colour, width, height);
  draw_line (cr, curve, G_STRUCT_OFFSET (TrainingPoint, score), 1, score_colour, width, height);
  draw_words (view, cr, curve, MARGIN + width - 4);
  return FALSE;
}

GtkWidget *
curve_view_new (void)
{
  GtkWidget *view = gtk_drawing_area_new ();

  gtk_widget_set_size_request (view, WIDTH, HEIGHT);
  gtk_style_context_add_class (gtk_widget_get_style_context (view), "view");
  atk_object_set_name (gtk_widget_get_accessible (view), _("Loss and score while it learns"));
  g_signal_connect (view, "draw", G_CALLBACK (draw), NULL);
  return view;
}

void
curve_view_set_curve (GtkWidget *view, GArray *curve)
{
  g_autofree char *loss = curve && curve->len ? tell_loss (curve) : NULL, *score = loss ? tell_score (curve) : NULL;
  g_autofree char *text = loss ? g_strconcat (score, *score ? "\n" : "", loss, NULL) : g_strdup ("");

  g_object_set_data_full (G_OBJECT (view), "curve", curve, (GDestroyNotify) g_array_unref);
  atk_object_set_description (gtk_widget_get_accessible (view), text);
  gtk_widget_queue_draw (view);
}
