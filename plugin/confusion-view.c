/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * confusion-view.c: see confusion-view.h.
 */

#include "confusion-view.h"

#include <glib/gi18n.h>
#include <math.h>

#define WIDTH       280.0
#define NAME_WIDTH  120.0 /* of the names before the rows */
#define MOST_SIDE   44.0  /* width of a field, pixels */
#define MOST_ROW    28.0  /* its height */
#define MOST_HEIGHT 180.0
#define MOST_NUMBER 9999 /* that a field has room for; above it shares stand there */
#define LEAST_WRITE 16.0  /* … that holds a name or a number */

static const double right_colour[3] = { 0.0, 0.45, 0.70 }, wrong_colour[3] = { 0.84, 0.37, 0.0 }; /* that people who see few colours tell apart */

static double
choose_side (const Confusion *confusion)
{
  return CLAMP (floor ((WIDTH - NAME_WIDTH) / confusion->n), 1.0, MOST_SIDE);
}

/* Rows are high enough for names while all of them fit. */
static double
choose_height (const Confusion *confusion)
{
  return MAX (MIN (CLAMP (choose_side (confusion), LEAST_WRITE, MOST_ROW), floor (MOST_HEIGHT / (confusion->n + 1))), 2.0);
}

/* Free with g_free. */
static char *
write_count (const Confusion *confusion, gsize count, double share)
{
  for (guint row = 0; row < confusion->n; row++)
    if (confusion_count (confusion, row) > MOST_NUMBER)
      return g_strdup_printf ("%.0f%%", 100 * share);
  return g_strdup_printf ("%" G_GSIZE_FORMAT, count);
}

/* In a box, to the right or in its middle. */
static void
write_text (GtkWidget *view, cairo_t *cr, const char *text, double x, double y, double width, double height, gboolean is_name)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (view, text);
  int                     text_width, text_height;

  if (is_name)
    {
      pango_layout_set_width (layout, (int) width * PANGO_SCALE);
      pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    }
  pango_layout_get_pixel_size (layout, &text_width, &text_height);
  cairo_move_to (cr, is_name ? x : x + (width - text_width) / 2, y + (height - text_height) / 2);
  pango_cairo_show_layout (cr, layout);
}

static void
draw_row (GtkWidget *view, cairo_t *cr, const Confusion *confusion, guint row, const GdkRGBA *ink)
{
  double side = choose_side (confusion), height = choose_height (confusion), y = (row + 1) * height;
  gsize  sum = MAX (confusion_count (confusion, row), 1);

  gdk_cairo_set_source_rgba (cr, ink);
  if (height >= LEAST_WRITE)
    {
      g_autofree char *name = g_strdup_printf ("%u  %s", row + 1, confusion->names[row]), *number = g_strdup_printf ("%u", row + 1);

      write_text (view, cr, name, 0, y, NAME_WIDTH - 6, height, TRUE);
      if (side >= LEAST_WRITE)
        write_text (view, cr, number, NAME_WIDTH + row * side, 0, side, height, FALSE);
    }
  for (guint k = 0; k < confusion->n; k++)
    {
      gsize            count = confusion->counts[row * confusion->n + k];
      double           x = NAME_WIDTH + k * side, share = (double) count / (double) sum;
      const double    *colour = k == row ? right_colour : wrong_colour;
      g_autofree char *text = write_count (confusion, count, share);

      cairo_set_source_rgba (cr, colour[0], colour[1], colour[2], 0.06 + 0.6 * share);
      cairo_rectangle (cr, x + 1, y + 1, side - 1, height - 1);
      cairo_fill (cr);
      gdk_cairo_set_source_rgba (cr, ink);
      if (side >= LEAST_WRITE && count > 0)
        write_text (view, cr, text, x, y, side, height, FALSE);
    }
}

static gboolean
on_draw (GtkWidget *view, cairo_t *cr, gpointer unused)
{
  const Confusion *confusion = g_object_get_data (G_OBJECT (view), "confusion");
  GtkStyleContext *style = gtk_widget_get_style_context (view);
  GdkRGBA          ink;

  gtk_style_context_get_color (style, gtk_style_context_get_state (style), &ink);
  for (guint row = 0; confusion && row < confusion->n; row++)
    draw_row (view, cr, confusion, row, &ink);
  return FALSE;
}

static char *
tell_field (const Confusion *confusion, guint row, guint column)
{
  gsize count = confusion->counts[row * confusion->n + column], sum = confusion_count (confusion, row);

  if (row == column)
    return g_strdup_printf (_("“%s”: %u of %u right"), confusion->names[row], (guint) count, (guint) sum);
  return g_strdup_printf (_("“%s” taken for “%s”: %u of %u"), confusion->names[row], confusion->names[column], (guint) count, (guint) sum);
}

static gboolean
on_tooltip (GtkWidget *view, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip, gpointer unused)
{
  const Confusion *confusion = g_object_get_data (G_OBJECT (view), "confusion");
  int              column = confusion ? (int) floor ((x - NAME_WIDTH) / choose_side (confusion)) : -1;
  int              row = confusion ? (int) floor (y / choose_height (confusion)) - 1 : -1;
  g_autofree char *text = NULL;

  if (row < 0 || column < 0 || (guint) row >= confusion->n || (guint) column >= confusion->n)
    return FALSE;
  text = tell_field (confusion, (guint) row, (guint) column);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

GtkWidget *
confusion_view_new (void)
{
  GtkWidget *view = gtk_drawing_area_new ();

  atk_object_set_name (gtk_widget_get_accessible (view), _("What is taken for what"));
  gtk_widget_set_has_tooltip (view, TRUE);
  gtk_widget_set_no_show_all (view, TRUE);
  g_signal_connect (view, "draw", G_CALLBACK (on_draw), NULL);
  g_signal_connect (view, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
  return view;
}

/* All that isn't 0, for those who don't see it. */
static char *
tell_all (const Confusion *confusion)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint row = 0; row < confusion->n; row++)
    for (guint column = 0; column < confusion->n; column++)
      if (confusion->counts[row * confusion->n + column] > 0)
        {
          g_autofree char *field = tell_field (confusion, row, column);

          g_string_append_printf (text, "%s%s", text->len ? "\n" : "", field);
        }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
confusion_view_set (GtkWidget *view, const Confusion *confusion)
{
  g_autofree char *text = confusion ? tell_all (confusion) : g_strdup ("");

  g_object_set_data_full (G_OBJECT (view), "confusion", confusion ? confusion_copy (confusion) : NULL, (GDestroyNotify) confusion_free);
  if (confusion)
    gtk_widget_set_size_request (view, (int) WIDTH, (int) (choose_height (confusion) * (confusion->n + 1)) + 1);
  atk_object_set_description (gtk_widget_get_accessible (view), text);
  gtk_widget_set_visible (view, confusion != NULL);
  gtk_widget_queue_draw (view);
}
