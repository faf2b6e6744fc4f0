/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * object-output.c: found objects as things of the image. Each item that is made keeps its object in the parasite “fovea-object”, so that other filters and
 * the user's scripts find it again. Frames and crops are marked as Fovea's own and never looked at; hidden parts are not, so that what is hidden stays so.
 */

#include "object-output.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>

#include "items.h"

#define LINE_SHARE   300 /* of the image's shorter side: a frame's width */
#define LETTER_SHARE 40  /* the height of letters */
#define MIN_LETTERS  10  /* pixels */
#define HIDE_BLOCKS  8   /* along the longer side of a hidden part: less than a face needs to be known */

const char *const object_output_kinds[] = { "overlay", "paths", "selection", "crops", "guides", "hide", "none", NULL };
const char *const object_output_hide_styles[] = { "blur", "pixelate", "fill", NULL };
const char *const object_output_operations[] = { "replace", "add", "subtract", "intersect", NULL };

/* What all outputs need. */
typedef struct
{
  const ObjectOutput *output;
  GimpImage          *image;
  const FoveaObjects *objects;
  const PixelReader  *reader;
  GimpLayer          *group;  /* NULL: the output has none */
  GimpFont           *font;   /* of names; GIMP's. NULL: it has none, or the output no names */
  int                 line;   /* a frame's width, pixels */
} Work;

static gboolean
fail (GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the layer or path. Free some memory and try again."));
  return FALSE;
}

/* "person 2 (87 %)" */
static char *
make_name (const FoveaObjects *objects, gsize i)
{
  int number = 1;

  for (gsize k = 0; k < i; k++)
    number += objects->objects[k].index == objects->objects[i].index;
  return g_strdup_printf ("%s %d (%.0f %%)", objects->objects[i].label, number, 100 * objects->objects[i].score);
}

/* The box in whole pixels, with the margin. */
static GeglRectangle
round_box (const FoveaObject *object, double margin)
{
  double left = floor (object->x - margin * object->width), top = floor (object->y - margin * object->height);
  double right = ceil (object->x + object->width * (1 + margin)), bottom = ceil (object->y + object->height * (1 + margin));

  return *GEGL_RECTANGLE ((gint) left, (gint) top, MAX ((gint) (right - left), 1), MAX ((gint) (bottom - top), 1));
}

static void
attach (GimpItem *item, const FoveaObject *object)
{
  g_autoptr (JsonBuilder)   json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode)      root = NULL;
  g_autofree char          *text = NULL;
  const double              box[4] = { object->x, object->y, object->width, object->height };
  GimpParasite             *parasite;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "label");
  json_builder_add_string_value (json, object->label);
  json_builder_set_member_name (json, "score");
  json_builder_add_double_value (json, object->score);
  json_builder_set_member_name (json, "box");
  json_builder_begin_array (json);
  for (int i = 0; i < 4; i++)
    json_builder_add_double_value (json, box[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  parasite = gimp_parasite_new (OBJECT_OUTPUT_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen (text) + 1, text);
  gimp_item_attach_parasite (item, parasite);
  gimp_parasite_free (parasite);
}

static GimpImageType
layer_type (GimpImage *image)
{
  switch (gimp_image_get_base_type (image))
    {
    case GIMP_GRAY:
      return GIMP_GRAYA_IMAGE;
    case GIMP_INDEXED:
      return GIMP_INDEXEDA_IMAGE;
    default:
      return GIMP_RGBA_IMAGE;
    }
}

/* A layer over `place`, inserted into the group at the end (below those before it), or above all where there is no group. */
static GimpLayer *
add_layer (const Work *work, const char *name, const GeglRectangle *place)
{
  GimpLayer *layer = gimp_layer_new (work->image, name, place->width, place->height, layer_type (work->image), 100, GIMP_LAYER_MODE_NORMAL);
  gint       position = work->group ? (gint) items_count (GIMP_ITEM (work->group)) : 0;

  if (!layer || !gimp_image_insert_layer (work->image, layer, work->group, position))
    return NULL;
  gimp_layer_set_offsets (layer, place->x, place->y);
  return layer;
}

/* ---- overlay ------------------------------------------------------------------------------------------------ */

static GeglColor *
make_colour (const guint8 rgb[3])
{
  GeglColor *colour = gegl_color_new (NULL);

  gegl_color_set_pixel (colour, babl_format ("R'G'B' u8"), rgb);
  return colour;
}

/* The four sides of a rectangle, `inset` inside it. */
static void
draw_sides (GeglBuffer *buffer, const GeglRectangle *box, gint inset, gint line, GeglColor *colour)
{
  gint x = box->x + inset, y = box->y + inset, width = box->width - 2 * inset, height = box->height - 2 * inset;

  line = MIN (line, MIN (width, height));
  if (line < 1)
    return;
  gegl_buffer_set_color (buffer, GEGL_RECTANGLE (x, y, width, line), colour);
  gegl_buffer_set_color (buffer, GEGL_RECTANGLE (x, y + height - line, width, line), colour);
  gegl_buffer_set_color (buffer, GEGL_RECTANGLE (x, y, line, height), colour);
  gegl_buffer_set_color (buffer, GEGL_RECTANGLE (x + width - line, y, line, height), colour);
}

/* GIMP loads its fonts while it already works, and a text written meanwhile may fail: asking for all of them waits. NULL where it has none. */
static GimpFont *
wait_for_font (void)
{
  g_autofree GimpFont **fonts = gimp_fonts_get_list ("");

  return fonts && *fonts ? gimp_context_get_font () : NULL;
}

/* The name above the frame, or inside where there is no room; *strip gets the place that is coloured behind it. NULL where GIMP has no fonts: then the
 * layer's name has to do. */
static GimpLayer *
add_text (const Work *work, const char *name, const FoveaObject *object, const GeglRectangle *box, const guint8 rgb[3], GeglRectangle *strip)
{
  int            shorter = MIN (gimp_image_get_width (work->image), gimp_image_get_height (work->image));
  double         light = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
  const guint8   ink = light > 0.45 ? 0 : 255;
  GeglColor     *colour;
  GimpTextLayer *text = work->font ? gimp_text_layer_new (work->image, name, work->font, MAX (shorter / LETTER_SHARE, MIN_LETTERS), gimp_unit_pixel ()) : NULL;

  if (!text || !gimp_image_insert_layer (work->image, GIMP_LAYER (text), work->group, (gint) items_count (GIMP_ITEM (work->group))))
    return NULL;
  colour = make_colour ((const guint8[]) { ink, ink, ink });
  gimp_text_layer_set_color (text, colour);
  g_object_unref (colour);
  *strip = *GEGL_RECTANGLE (box->x, box->y, gimp_drawable_get_width (GIMP_DRAWABLE (text)) + 4 * work->line, gimp_drawable_get_height (GIMP_DRAWABLE (text)));
  if (box->y >= strip->height)
    strip->y -= strip->height;
  gimp_layer_set_offsets (GIMP_LAYER (text), strip->x + 2 * work->line, strip->y);
  gimp_item_set_name (GIMP_ITEM (text), name);
  pixels_mark_layer (GIMP_ITEM (text));
  attach (GIMP_ITEM (text), object);
  return GIMP_LAYER (text);
}

static gboolean
add_frame (const Work *work, const char *name, const FoveaObject *object)
{
  GeglRectangle box = round_box (object, 0), strip = { 0, 0, 0, 0 }, place;
  guint8        rgb[3];
  GimpLayer    *text, *layer;
  GeglBuffer   *buffer;
  GeglColor    *colour, *black;

  fovea_get_class_colour (object->index, rgb);
  text = add_text (work, name, object, &box, rgb, &strip);
  place = box;
  if (text)
    gegl_rectangle_bounding_box (&place, &box, &strip);
  layer = add_layer (work, name, &place);
  if (!layer)
    return FALSE;
  pixels_mark_layer (GIMP_ITEM (layer));
  attach (GIMP_ITEM (layer), object);
  colour = make_colour (rgb);
  black = make_colour ((const guint8[]) { 0, 0, 0 });
  buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (layer));
  box.x -= place.x;
  box.y -= place.y;
  draw_sides (buffer, &box, 0, work->line + 2 * MAX (work->line / 3, 1), black);
  draw_sides (buffer, &box, MAX (work->line / 3, 1), work->line, colour);
  if (text)
    gegl_buffer_set_color (buffer, GEGL_RECTANGLE (strip.x - place.x, strip.y - place.y, strip.width, strip.height), colour);
  g_object_unref (buffer);
  g_object_unref (colour);
  g_object_unref (black);
  gimp_drawable_update (GIMP_DRAWABLE (layer), 0, 0, place.width, place.height);
  return TRUE;
}

static gboolean
make_group (Work *work, const char *name)
{
  work->group = GIMP_LAYER (gimp_group_layer_new (work->image, name));
  if (!work->group || !gimp_image_insert_layer (work->image, work->group, NULL, 0))
    return FALSE;
  pixels_mark_layer (GIMP_ITEM (work->group));
  return TRUE;
}

static gboolean
write_overlay (Work *work, GError **error)
{
  if (!make_group (work, _("Objects")))
    return fail (error);
  work->font = wait_for_font ();
  for (gsize i = 0; i < work->objects->n; i++)
    {
      g_autofree char *name = make_name (work->objects, i);

      if (!add_frame (work, name, &work->objects->objects[i]))
        return fail (error);
    }
  return TRUE;
}

/* ---- paths -------------------------------------------------------------------------------------------------- */

/* x, y, x, y …: each point with its two handles, which lie on it. */
static gboolean
add_stroke (GimpPath *path, const double *points, guint n)
{
  g_autofree double *all = g_new (double, 3 * n);

  for (guint i = 0; i < 3 * n; i++)
    all[i] = points[i / 6 * 2 + i % 2];
  return gimp_path_stroke_new_from_points (path, GIMP_PATH_STROKE_TYPE_BEZIER, 3 * n, all, TRUE) >= 0;
}

GimpPath *
object_output_add_path (GimpImage *image, const char *name, const FoveaObject *object, const GPtrArray *polygons, gint position)
{
  GimpPath    *path = gimp_path_new (image, name);
  const double left = object->x, top = object->y, right = left + object->width, bottom = top + object->height;
  const double corners[8] = { left, top, right, top, right, bottom, left, bottom };
  gboolean     done = path && gimp_image_insert_path (image, path, NULL, position);

  for (guint i = 0; polygons && i < polygons->len && done; i++)
    {
      const GArray *points = polygons->pdata[i];

      done = add_stroke (path, (const double *) (gconstpointer) points->data, points->len);
    }
  if (!done || (!polygons && !add_stroke (path, corners, G_N_ELEMENTS (corners))))
    return NULL;
  gimp_item_set_visible (GIMP_ITEM (path), TRUE);
  attach (GIMP_ITEM (path), object);
  return path;
}

static gboolean
write_paths (Work *work, GError **error)
{
  for (gsize i = 0; i < work->objects->n; i++)
    {
      g_autofree char *name = make_name (work->objects, i);

      if (!object_output_add_path (work->image, name, &work->objects->objects[i], NULL, (gint) i))
        return fail (error);
    }
  return TRUE;
}

/* ---- selection ---------------------------------------------------------------------------------------------- */

static void
select_boxes (const Work *work, GimpChannelOps first, GimpChannelOps others)
{
  for (gsize i = 0; i < work->objects->n; i++)
    {
      GeglRectangle box = round_box (&work->objects->objects[i], work->output->margin);

      gimp_image_select_rectangle (work->image, i ? others : first, box.x, box.y, box.width, box.height);
    }
}

static gboolean
write_selection (Work *work, GError **error)
{
  GimpChannel *before;

  gimp_context_push ();
  gimp_context_set_antialias (FALSE);
  gimp_context_set_feather (FALSE);
  switch (work->output->operation)
    {
    case GIMP_CHANNEL_OP_INTERSECT: /* with the union, not with each */
      before = gimp_selection_save (work->image);
      select_boxes (work, GIMP_CHANNEL_OP_REPLACE, GIMP_CHANNEL_OP_ADD);
      gimp_image_select_item (work->image, GIMP_CHANNEL_OP_INTERSECT, GIMP_ITEM (before));
      gimp_image_remove_channel (work->image, before);
      break;
    case GIMP_CHANNEL_OP_REPLACE:
      select_boxes (work, GIMP_CHANNEL_OP_REPLACE, GIMP_CHANNEL_OP_ADD);
      break;
    default:
      select_boxes (work, work->output->operation, work->output->operation);
    }
  gimp_context_pop ();
  return TRUE;
}

/* ---- crops -------------------------------------------------------------------------------------------------- */

/* The box with its margin, cut to what was looked at. */
static gboolean
visible_box (const Work *work, const FoveaObject *object, GeglRectangle *box)
{
  GeglRectangle wide = round_box (object, work->output->margin), region = pixel_reader_get_region (work->reader);

  return gegl_rectangle_intersect (box, &wide, &region);
}

/* A layer for each box, filled by `paint`; those that are marked aren't looked at again. */
static gboolean
write_boxes (Work *work, void (*paint) (const Work *work, GeglBuffer *to, const GeglRectangle *box), gboolean mark, GError **error)
{
  for (gsize i = 0; i < work->objects->n; i++)
    {
      const FoveaObject *object = &work->objects->objects[i];
      g_autofree char   *name = make_name (work->objects, i);
      GeglRectangle      box;
      GimpLayer         *layer;
      GeglBuffer        *to;

      if (!visible_box (work, object, &box))
        continue;
      layer = add_layer (work, name, &box);
      if (!layer)
        return fail (error);
      to = gimp_drawable_get_buffer (GIMP_DRAWABLE (layer));
      paint (work, to, &box);
      g_object_unref (to);
      gimp_drawable_update (GIMP_DRAWABLE (layer), 0, 0, box.width, box.height);
      if (mark)
        pixels_mark_layer (GIMP_ITEM (layer));
      attach (GIMP_ITEM (layer), object);
    }
  return TRUE;
}

static void
copy_box (const Work *work, GeglBuffer *to, const GeglRectangle *box)
{
  gint        offset_x, offset_y;
  GeglBuffer *from = pixel_reader_get_buffer (work->reader, &offset_x, &offset_y);

  gegl_buffer_copy (from, GEGL_RECTANGLE (box->x - offset_x, box->y - offset_y, box->width, box->height), GEGL_ABYSS_NONE, to,
                    GEGL_RECTANGLE (0, 0, box->width, box->height));
}

static gboolean
write_crops (Work *work, GError **error)
{
  return make_group (work, _("Crops")) ? write_boxes (work, copy_box, TRUE, error) : fail (error);
}

/* ---- guides ------------------------------------------------------------------------------------------------- */

static gboolean
write_guides (Work *work, GError **error)
{
  gint width = gimp_image_get_width (work->image), height = gimp_image_get_height (work->image);

  for (gsize i = 0; i < work->objects->n; i++)
    {
      const FoveaObject *object = &work->objects->objects[i];

      gimp_image_add_vguide (work->image, CLAMP ((gint) rint (object->x), 0, width));
      gimp_image_add_vguide (work->image, CLAMP ((gint) rint (object->x + object->width), 0, width));
      gimp_image_add_hguide (work->image, CLAMP ((gint) rint (object->y), 0, height));
      gimp_image_add_hguide (work->image, CLAMP ((gint) rint (object->y + object->height), 0, height));
    }
  return TRUE;
}

/* ---- hide --------------------------------------------------------------------------------------------------- */

/* The mean colours of columns x rows blocks of a part: all that is left of it, whichever style. (rows, columns, 4), linear light. */
static float *
average_blocks (GeglBuffer *from, const GeglRectangle *part, gint columns, gint rows)
{
  float            *means = g_new0 (float, (gsize) columns * rows * 4);
  g_autofree float *line = g_new (float, (gsize) part->width * 4);
  g_autofree guint *counts = g_new0 (guint, (gsize) columns * rows);

  for (gint y = 0; y < part->height; y++)
    {
      gegl_buffer_get (from, GEGL_RECTANGLE (part->x, part->y + y, part->width, 1), 1.0, babl_format ("RaGaBaA float"), line, GEGL_AUTO_ROWSTRIDE,
                       GEGL_ABYSS_CLAMP);
      for (gint x = 0; x < part->width; x++)
        {
          gsize block = (gsize) ((gint64) y * rows / part->height * columns + (gint64) x * columns / part->width);

          counts[block]++;
          for (int c = 0; c < 4; c++)
            means[4 * block + c] += line[4 * x + c];
        }
    }
  for (gsize i = 0; i < (gsize) columns * rows; i++)
    for (int c = 0; c < 4; c++)
      means[4 * i + c] /= MAX (counts[i], 1);
  return means;
}

/* Between the middles of blocks, the border repeated. */
static void
blend_blocks (const float *means, gint columns, gint rows, double x, double y, float out[4])
{
  double at_x = CLAMP (x * columns - 0.5, 0, columns - 1), at_y = CLAMP (y * rows - 0.5, 0, rows - 1);
  gint   left = (gint) at_x, top = (gint) at_y, right = MIN (left + 1, columns - 1), bottom = MIN (top + 1, rows - 1);

  for (int c = 0; c < 4; c++)
    {
      double above = means[4 * (top * columns + left) + c] * (1 - (at_x - left)) + means[4 * (top * columns + right) + c] * (at_x - left);
      double below = means[4 * (bottom * columns + left) + c] * (1 - (at_x - left)) + means[4 * (bottom * columns + right) + c] * (at_x - left);

      out[c] = (float) (above * (1 - (at_y - top)) + below * (at_y - top));
    }
}

static void
paint_hidden (const Work *work, GeglBuffer *to, const GeglRectangle *box)
{
  gint              offset_x, offset_y, longer = MAX (box->width, box->height), side = MAX ((longer + HIDE_BLOCKS - 1) / HIDE_BLOCKS, 1);
  gint              columns = MAX (box->width / side, 1), rows = MAX (box->height / side, 1);
  GeglBuffer       *from = pixel_reader_get_buffer (work->reader, &offset_x, &offset_y);
  g_autofree float *line = g_new (float, (gsize) box->width * 4);
  g_autofree float *means = average_blocks (from, GEGL_RECTANGLE (box->x - offset_x, box->y - offset_y, box->width, box->height), columns, rows);

  for (gint y = 0; y < box->height; y++)
    {
      for (gint x = 0; x < box->width; x++)
        if (work->output->hide_style == HIDE_BLUR)
          blend_blocks (means, columns, rows, (x + 0.5) / box->width, (y + 0.5) / box->height, line + 4 * x);
        else
          memcpy (line + 4 * x, means + 4 * ((gint64) y * rows / box->height * columns + (gint64) x * columns / box->width), 4 * sizeof *line);
      gegl_buffer_set (to, GEGL_RECTANGLE (0, y, box->width, 1), 0, babl_format ("RaGaBaA float"), line, GEGL_AUTO_ROWSTRIDE);
    }
}

static void
fill_black (const Work *work, GeglBuffer *to, const GeglRectangle *box)
{
  GeglColor *black = make_colour ((const guint8[]) { 0, 0, 0 });

  gegl_buffer_set_color (to, GEGL_RECTANGLE (0, 0, box->width, box->height), black);
  g_object_unref (black);
}

static gboolean
write_hidden (Work *work, GError **error)
{
  /* A group of its own, which isn't marked: what is hidden must stay hidden from the next look, too. */
  work->group = GIMP_LAYER (gimp_group_layer_new (work->image, _("Hidden")));
  if (!work->group || !gimp_image_insert_layer (work->image, work->group, NULL, 0))
    return fail (error);
  return write_boxes (work, work->output->hide_style == HIDE_FILL ? fill_black : paint_hidden, FALSE, error);
}

/* ---- public ------------------------------------------------------------------------------------------------- */

static gboolean (*const writers[]) (Work *work, GError **error) = {
  [OUTPUT_OVERLAY]   = write_overlay,
  [OUTPUT_PATHS]     = write_paths,
  [OUTPUT_SELECTION] = write_selection,
  [OUTPUT_CROPS]     = write_crops,
  [OUTPUT_GUIDES]    = write_guides,
  [OUTPUT_HIDE]      = write_hidden,
};

gboolean
object_output_check (const ObjectOutput *output, GimpImage *image, GError **error)
{
  if (!pixels_check_image (image, error))
    return FALSE;
  if (gimp_image_get_base_type (image) != GIMP_INDEXED || (output->kind != OUTPUT_OVERLAY && output->kind != OUTPUT_HIDE))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
               _("An indexed image has no colours for frames or blurred parts. Convert it to RGB first (Image ▸ Mode ▸ RGB)."));
  return FALSE;
}

gboolean
object_output_apply (const ObjectOutput *output, GimpImage *image, const FoveaObjects *objects, const PixelReader *reader, GError **error)
{
  Work     work = { output, image, objects, reader, NULL, 0 };
  gboolean done;

  if (output->kind == OUTPUT_NONE || objects->n == 0)
    return TRUE;
  if (!pixel_reader_check (reader, error))
    return FALSE;
  work.line = MAX (MIN (gimp_image_get_width (image), gimp_image_get_height (image)) / LINE_SHARE, 2);
  gimp_image_undo_group_start (image);
  done = writers[output->kind] (&work, error);
  gimp_image_undo_group_end (image);
  return done;
}
