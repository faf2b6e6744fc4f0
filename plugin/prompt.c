/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt.c: see prompt.h.
 */

#include "prompt.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "pixels.h"

#define REGION_SIDE 512 /* of what the selection or a path encloses, at most */
#define MAX_POINTS  200 /* of a prompt */

const char *const prompt_kinds[] = { "none", "selection", "path", "points", NULL };

static gboolean
fail (GError **error, const char *text)
{
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, text);
  return FALSE;
}

static void
add_point (GArray *points, double x, double y, gboolean inside)
{
  FoveaPromptPoint point = { x, y, inside };

  g_array_append_val (points, point);
}

static void
alloc_region (PromptText *prompt, const GeglRectangle *place)
{
  double scale = MIN (1.0, REGION_SIDE / (double) MAX (place->width, place->height));

  prompt->prompt.region_width = MAX (1, (int) rint (place->width * scale));
  prompt->prompt.region_height = MAX (1, (int) rint (place->height * scale));
  prompt->region = g_new0 (float, (gsize) prompt->prompt.region_width * (gsize) prompt->prompt.region_height);
}

/* ---- the selection ------------------------------------------------------------------------------------------------ */

static gboolean
read_selection (PromptText *prompt, GimpImage *image, const GeglRectangle *place, GError **error)
{
  g_autofree float *row = g_new (float, place->width);
  GeglBuffer       *buffer;

  if (gimp_selection_is_empty (image))
    return fail (error, _("Nothing is selected. Select the thing, or draw around it, and try again."));
  alloc_region (prompt, place);
  buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (gimp_image_get_selection (image)));
  for (int y = 0; y < prompt->prompt.region_height; y++)
    {
      gegl_buffer_get (buffer, GEGL_RECTANGLE (place->x, place->y + (int) ((y + 0.5) * place->height / prompt->prompt.region_height), place->width, 1), 1.0,
                       babl_format ("Y float"), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
      for (int x = 0; x < prompt->prompt.region_width; x++)
        prompt->region[(gsize) y * (gsize) prompt->prompt.region_width + (gsize) x] = row[(int) ((x + 0.5) * place->width / prompt->prompt.region_width)];
    }
  g_object_unref (buffer);
  return TRUE;
}

/* ---- paths ---------------------------------------------------------------------------------------------------------- */

/* The corners of a stroke: closed ones into `area`, open ones become points along them. */
static void
add_stroke (PromptText *prompt, GimpPath *path, int stroke, const GeglRectangle *place, cairo_t *area, gboolean *any_closed)
{
  gsize              n = 0;
  gboolean           closed = FALSE;
  g_autofree double *corners = gimp_path_stroke_interpolate (path, stroke, 1.0, &n, &closed);

  for (gsize i = 0; corners && i + 1 < n; i += 2)
    {
      if (closed)
        cairo_line_to (area, corners[i] - place->x, corners[i + 1] - place->y);
      else if (prompt->points->len < MAX_POINTS)
        add_point (prompt->points, corners[i] - place->x, corners[i + 1] - place->y, TRUE);
    }
  if (corners && closed)
    cairo_close_path (area);
  *any_closed |= corners && closed;
}

static gboolean
read_paths (PromptText *prompt, GimpImage *image, const GeglRectangle *place, GError **error)
{
  g_autofree GimpPath **selected = gimp_image_get_selected_paths (image), **all = gimp_image_get_paths (image);
  GimpPath            **paths = selected && selected[0] ? selected : all;
  gboolean              any_closed = FALSE;
  cairo_surface_t      *surface;
  cairo_t              *area;

  if (!paths || !paths[0])
    return fail (error, _("The image has no path. Draw one around the thing, or along it, and try again."));
  alloc_region (prompt, place);
  surface = cairo_image_surface_create (CAIRO_FORMAT_A8, prompt->prompt.region_width, prompt->prompt.region_height);
  area = cairo_create (surface);
  cairo_scale (area, (double) prompt->prompt.region_width / place->width, (double) prompt->prompt.region_height / place->height);
  for (gsize i = 0; paths[i]; i++)
    {
      gsize           n = 0;
      g_autofree int *strokes = gimp_path_get_strokes (paths[i], &n);

      for (gsize k = 0; k < n; k++)
        add_stroke (prompt, paths[i], strokes[k], place, area, &any_closed);
    }
  cairo_fill (area);
  cairo_surface_flush (surface);
  for (int y = 0; y < prompt->prompt.region_height; y++)
    for (int x = 0; x < prompt->prompt.region_width; x++)
      prompt->region[(gsize) y * (gsize) prompt->prompt.region_width + (gsize) x] =
        cairo_image_surface_get_data (surface)[y * cairo_image_surface_get_stride (surface) + x] / 255.0f;
  cairo_destroy (area);
  cairo_surface_destroy (surface);
  if (!any_closed)
    g_clear_pointer (&prompt->region, g_free);
  return any_closed || prompt->points->len || fail (error, _("The path has no strokes. Draw one around the thing, or along it, and try again."));
}

/* ---- points --------------------------------------------------------------------------------------------------------- */

gboolean
prompt_parse_points (const char *text, GArray *points, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text ? text : "", " ", -1);

  for (guint i = 0; words[i]; i++)
    {
      FoveaPromptPoint point;

      if (!*words[i])
        continue;
      if (!prompt_text_read_point (words[i], &point) || points->len >= MAX_POINTS)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” isn't a point. Write points as “120,80”, with spaces between, and “!120,80” where the thing isn't."),
                       words[i]);
          return FALSE;
        }
      g_array_append_val (points, point);
    }
  return TRUE;
}

static gboolean
read_points (PromptText *prompt, GimpImage *image, const char *text, const GeglRectangle *place, GError **error)
{
  if (!prompt_parse_points (text, prompt->points, error))
    return FALSE;
  if (!prompt->points->len)
    for (guint point = 0; (point = gimp_image_find_next_sample_point (image, point)) && prompt->points->len < MAX_POINTS;)
      {
        int y, x = gimp_image_get_sample_point_position (image, point, &y);

        add_point (prompt->points, x + 0.5, y + 0.5, TRUE);
      }
  for (guint i = 0; i < prompt->points->len; i++)
    {
      FoveaPromptPoint *point = &g_array_index (prompt->points, FoveaPromptPoint, i);

      point->x -= place->x;
      point->y -= place->y;
    }
  return prompt->points->len || fail (error, _("No point says where the thing is. Click on it, or put a sample point on it (drag from a ruler with Ctrl held)."));
}

/* ---- public --------------------------------------------------------------------------------------------------------- */

gboolean
prompt_read (PromptKind kind, GimpImage *image, const char *points, const GeglRectangle *region, PromptText *prompt, GError **error)
{
  gboolean done = TRUE;

  *prompt = (PromptText) { .points = g_array_new (FALSE, FALSE, sizeof (FoveaPromptPoint)) };
  if (kind != PROMPT_NONE && !pixels_check_image (image, error))
    done = FALSE;
  else if (kind == PROMPT_SELECTION)
    done = read_selection (prompt, image, region, error);
  else if (kind == PROMPT_PATH)
    done = read_paths (prompt, image, region, error);
  else if (kind == PROMPT_POINTS)
    done = read_points (prompt, image, points, region, error);
  prompt_text_join (prompt);
  return done;
}
