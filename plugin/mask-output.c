/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-output.c: masks as things of the image, at the image's own precision: they stay soft where the image has more than 8 bits. Written in bands, so that a
 * large image needs little memory.
 */

#include "mask-output.h"

#include <glib/gi18n.h>
#include <string.h>

#define BAND_BYTES (8 << 20)
#define SPECK      4e-5 /* of the region: less isn't traced */
#define BLUR       0.02 /* standard deviation of a blurred background, share of the layer's longer side */

const char *const mask_output_kinds[] = { "layer-mask", "selection", "channels", "layers", "paths", "cut-out", "none", NULL };
const char *const mask_output_operations[] = { "replace", "add", "subtract", "intersect", NULL };
const char *const mask_output_backgrounds[] = { "none", "colour", "blur", NULL };

typedef struct
{
  const MaskOutput *output;
  const MaskSource *source;
  GeglRectangle     region; /* what was looked at, in the image's pixels */
} Work;

static gboolean
fail (GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the layer or mask. Free some memory and try again."));
  return FALSE;
}

/* Masks are linear light's business nowhere: their numbers are shares. In the channels of 8-bit perceptual images these are Y'. */
static const Babl *
share_format (GimpDrawable *drawable)
{
  const Babl *native = gimp_drawable_get_format (drawable);

  return babl_format (g_str_has_prefix (babl_get_name (native), "Y'") ? "Y' float" : "Y float");
}

static float
combine (GimpChannelOps operation, float before, float now)
{
  switch (operation)
    {
    case GIMP_CHANNEL_OP_ADD:
      return MIN (before + now, 1.0f);
    case GIMP_CHANNEL_OP_SUBTRACT:
      return MAX (before - now, 0.0f);
    case GIMP_CHANNEL_OP_INTERSECT:
      return MIN (before, now);
    default:
      return now;
    }
}

/* The rows of `place` (a drawable's extent in the image) from `row` on, n of them, that the region has: in the image's pixels. */
static gboolean
find_part (const Work *work, const GeglRectangle *place, int row, int n, GeglRectangle *part)
{
  return gegl_rectangle_intersect (part, &work->region, GEGL_RECTANGLE (place->x, place->y + row, place->width, n));
}

static int
band_rows (const GeglRectangle *place, gsize pixel_bytes)
{
  return (int) CLAMP ((gsize) BAND_BYTES / ((gsize) place->width * pixel_bytes), 1, (gsize) place->height);
}

/* The mask goes into a drawable of one component that lies at `place` in the image; outside of the region it is 0. */
static gboolean
write_shares (const Work *work, FoveaMask *mask, GimpDrawable *drawable, const GeglRectangle *place, GimpChannelOps operation, GError **error)
{
  GeglBuffer        *buffer = gimp_drawable_get_buffer (drawable);
  const Babl        *format = share_format (drawable);
  int                rows = band_rows (place, 8);
  g_autofree float  *out = g_new (float, (gsize) rows * place->width), *shares = g_new (float, (gsize) rows * place->width);
  gboolean           done = TRUE;

  for (int row = 0; done && row < place->height; row += rows)
    {
      int           n = MIN (rows, place->height - row);
      GeglRectangle part, band = { 0, row, place->width, n };
      gsize         size = (gsize) n * place->width;

      memset (shares, 0, size * sizeof *shares);
      if (find_part (work, place, row, n, &part))
        {
          done = fovea_mask_read (mask, work->source->photo, part.x - work->region.x, part.y - work->region.y, part.width, part.height, out, error);
          for (int y = 0; y < part.height; y++)
            memcpy (shares + (gsize) (part.y - place->y - row + y) * place->width + (part.x - place->x), out + (gsize) y * part.width,
                    (gsize) part.width * sizeof *shares);
        }
      if (operation != GIMP_CHANNEL_OP_REPLACE)
        {
          gegl_buffer_get (buffer, &band, 1.0, format, out, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
          for (gsize i = 0; i < size; i++)
            shares[i] = combine (operation, out[i], shares[i]);
        }
      gegl_buffer_set (buffer, &band, 0, format, shares, GEGL_AUTO_ROWSTRIDE);
      gimp_progress_update ((double) (row + n) / place->height);
    }
  g_object_unref (buffer);
  gimp_drawable_update (drawable, 0, 0, place->width, place->height);
  return done;
}

static void
get_place (GimpItem *item, GeglRectangle *place)
{
  gimp_drawable_get_offsets (GIMP_DRAWABLE (item), &place->x, &place->y);
  place->width = gimp_drawable_get_width (GIMP_DRAWABLE (item));
  place->height = gimp_drawable_get_height (GIMP_DRAWABLE (item));
}

/* All that are wanted, as one mask. */
static FoveaMask *
unite (const Work *work, GError **error)
{
  return fovea_mask_new (work->source->masks, work->source->which, work->source->n, &work->output->options, error);
}

/* The layer that masks and cut-outs are for. */
static GimpLayer *
find_layer (GimpDrawable **drawables)
{
  GimpItem *item = drawables && drawables[0] && gimp_item_is_valid (GIMP_ITEM (drawables[0])) ? GIMP_ITEM (drawables[0]) : NULL;

  if (item && gimp_item_is_layer_mask (item))
    return gimp_layer_from_mask (GIMP_LAYER_MASK (item));
  return item && gimp_item_is_layer (item) ? GIMP_LAYER (item) : NULL;
}

/* ---- each kind -------------------------------------------------------------------------------------------------- */

static gboolean
write_layer_mask (Work *work, GError **error)
{
  GimpLayer            *layer = find_layer (work->source->drawables);
  GimpLayerMask        *layer_mask = gimp_layer_get_mask (layer);
  GimpChannelOps        operation = layer_mask ? work->output->operation : GIMP_CHANNEL_OP_REPLACE;
  g_autoptr (FoveaMask) mask = unite (work, error);
  GeglRectangle         place;

  if (!mask)
    return FALSE;
  if (!layer_mask)
    {
      layer_mask = gimp_layer_create_mask (layer, GIMP_ADD_MASK_WHITE);
      if (!layer_mask || !gimp_layer_add_mask (layer, layer_mask))
        return fail (error);
    }
  get_place (GIMP_ITEM (layer), &place);
  return write_shares (work, mask, GIMP_DRAWABLE (layer_mask), &place, operation, error);
}

/* A channel of the image's size with the mask. It is in the image. */
static GimpChannel *
add_channel (Work *work, FoveaMask *mask, const char *name, gsize class, GError **error)
{
  GimpImage         *image = work->source->image;
  GeglRectangle      place = { 0, 0, gimp_image_get_width (image), gimp_image_get_height (image) };
  GeglColor         *colour = gegl_color_new (NULL);
  guint8             rgb[3];
  GimpChannel       *channel;

  fovea_get_class_colour (class, rgb);
  gegl_color_set_rgba (colour, rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, 1.0);
  channel = gimp_channel_new (image, name, place.width, place.height, 50.0, colour);
  g_object_unref (colour);
  if (!channel || !gimp_image_insert_channel (image, channel, NULL, 0))
    {
      fail (error);
      return NULL;
    }
  gimp_item_set_visible (GIMP_ITEM (channel), FALSE);
  return write_shares (work, mask, GIMP_DRAWABLE (channel), &place, GIMP_CHANNEL_OP_REPLACE, error) ? channel : NULL;
}

static gboolean
write_selection (Work *work, GError **error)
{
  g_autoptr (FoveaMask) mask = unite (work, error);
  GimpChannel          *channel = mask ? add_channel (work, mask, "Fovea", 0, error) : NULL;
  gboolean              done;

  if (!channel)
    return FALSE;
  done = gimp_image_select_item (work->source->image, work->output->operation, GIMP_ITEM (channel));
  gimp_image_remove_channel (work->source->image, channel);
  return done || fail (error);
}

static gboolean
write_channels (Work *work, GError **error)
{
  for (gsize k = work->source->n; k-- > 0;)
    {
      gsize                 i = work->source->which[k];
      g_autoptr (FoveaMask) mask = fovea_mask_new (work->source->masks, &i, 1, &work->output->options, error);

      if (!mask || !add_channel (work, mask, fovea_masks_get_label (work->source->masks, i), fovea_masks_get_class (work->source->masks, i), error))
        return FALSE;
    }
  return TRUE;
}

/* Writes rows of R'G'B'A that `fill` makes for each part of the region. */
static gboolean
write_pixels (Work *work, GimpLayer *layer, const GeglRectangle *place, gboolean (*fill) (Work *work, const GeglRectangle *part, float *pixels, gpointer data, GError **error),
              gpointer data, GError **error)
{
  GeglBuffer        *buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (layer));
  int                rows = band_rows (place, 16);
  g_autofree float  *pixels = g_new (float, (gsize) rows * place->width * 4);
  gboolean           done = TRUE;

  for (int row = 0; done && row < place->height; row += rows)
    {
      int           n = MIN (rows, place->height - row);
      GeglRectangle part, band;

      if (find_part (work, place, row, n, &part))
        {
          band = *GEGL_RECTANGLE (part.x - place->x, part.y - place->y, part.width, part.height);
          gegl_buffer_get (buffer, &band, 1.0, babl_format ("R'G'B'A float"), pixels, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
          done = fill (work, &part, pixels, data, error);
          gegl_buffer_set (buffer, &band, 0, babl_format ("R'G'B'A float"), pixels, GEGL_AUTO_ROWSTRIDE);
        }
      gimp_progress_update ((double) (row + n) / place->height);
    }
  g_object_unref (buffer);
  gimp_drawable_update (GIMP_DRAWABLE (layer), 0, 0, place->width, place->height);
  return done;
}

typedef struct
{
  FoveaMask *mask;
  float      colour[3];
} Paint;

static gboolean
fill_colour (Work *work, const GeglRectangle *part, float *pixels, gpointer data, GError **error)
{
  const Paint       *paint = data;
  gsize              n = (gsize) part->width * part->height;
  g_autofree float  *shares = g_new (float, n);

  if (!fovea_mask_read (paint->mask, work->source->photo, part->x - work->region.x, part->y - work->region.y, part->width, part->height, shares, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      memcpy (pixels + 4 * i, paint->colour, sizeof paint->colour);
      pixels[4 * i + 3] = shares[i];
    }
  return TRUE;
}

/* So that label layers can be made of it, whatever its name. */
static void
note_label (GimpLayer *layer, const char *label)
{
  GimpParasite *parasite = gimp_parasite_new (MASK_OUTPUT_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen (label) + 1, label);

  gimp_item_attach_parasite (GIMP_ITEM (layer), parasite);
  gimp_parasite_free (parasite);
}

static gboolean
write_layers (Work *work, GError **error)
{
  GimpImage *image = work->source->image;
  GimpLayer *group = GIMP_LAYER (gimp_group_layer_new (image, _("Segments")));
  GimpImageType type = gimp_image_get_base_type (image) == GIMP_GRAY ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE;

  if (!group || !gimp_image_insert_layer (image, group, NULL, 0))
    return fail (error);
  gimp_layer_set_opacity (group, 60.0);
  pixels_mark_layer (GIMP_ITEM (group));
  for (gsize k = work->source->n; k-- > 0;)
    {
      gsize                 i = work->source->which[k];
      g_autoptr (FoveaMask) mask = fovea_mask_new (work->source->masks, &i, 1, &work->output->options, error);
      g_autofree char      *name = mask ? g_strdup_printf ("%s (%.1f %%)", fovea_masks_get_label (work->source->masks, i), 100.0 * fovea_mask_get_area (mask)) : NULL;
      GimpLayer            *layer = mask ? gimp_layer_new (image, name, work->region.width, work->region.height, type, 100.0, GIMP_LAYER_MODE_NORMAL) : NULL;
      Paint                 paint = { mask, { 0 } };
      guint8                rgb[3];

      if (!mask)
        return FALSE;
      if (!layer || !gimp_image_insert_layer (image, layer, group, 0))
        return fail (error);
      gimp_layer_set_offsets (layer, work->region.x, work->region.y);
      pixels_mark_layer (GIMP_ITEM (layer));
      note_label (layer, fovea_masks_get_label (work->source->masks, i));
      fovea_get_class_colour (fovea_masks_get_class (work->source->masks, i), rgb);
      for (int c = 0; c < 3; c++)
        paint.colour[c] = rgb[c] / 255.0f;
      if (!write_pixels (work, layer, &work->region, fill_colour, &paint, error))
        return FALSE;
    }
  return TRUE;
}

/* GIMP's strokes go from handle to anchor to handle. */
static gboolean
add_stroke (GimpPath *path, const FoveaCurve *curve, const GeglRectangle *region)
{
  g_autofree double *points = g_new (double, 6 * curve->n);

  for (gsize i = 0; i < curve->n; i++)
    for (int k = 0; k < 3; k++)
      {
        const double *point = curve->points[(3 * (i + curve->n) - 2 + k) % (3 * curve->n)]; /* second handle and end of the one before, then its own first */

        points[6 * i + 2 * k] = point[0] + region->x;
        points[6 * i + 2 * k + 1] = point[1] + region->y;
      }
  return gimp_path_stroke_new_from_points (path, GIMP_PATH_STROKE_TYPE_BEZIER, 6 * curve->n, points, TRUE) >= 0;
}

static gboolean
write_paths (Work *work, GError **error)
{
  GimpImage *image = work->source->image;
  double     pixels = (double) work->region.width * work->region.height;

  for (gsize k = 0; k < work->source->n; k++)
    {
      gsize                    i = work->source->which[k];
      g_autoptr (FoveaMask)    mask = fovea_mask_new (work->source->masks, &i, 1, &work->output->options, error);
      g_autoptr (FoveaOutline) outline = mask ? fovea_mask_trace (mask, work->source->photo, SPECK * pixels, error) : NULL;
      GimpPath                *path;

      if (!outline)
        return FALSE;
      path = gimp_path_new (image, fovea_masks_get_label (work->source->masks, i));
      if (!path || !gimp_image_insert_path (image, path, NULL, (gint) k))
        return fail (error);
      for (gsize c = 0; c < outline->n; c++)
        if (!add_stroke (path, &outline->curves[c], &work->region))
          return fail (error);
      gimp_item_set_visible (GIMP_ITEM (path), TRUE);
      gimp_progress_update ((double) (k + 1) / work->source->n);
    }
  return TRUE;
}

/* The layer's own pixels; at the border of the mask the foreground's colour. */
static gboolean
fill_cutout (Work *work, const GeglRectangle *part, float *pixels, gpointer data, GError **error)
{
  gsize             n = (gsize) part->width * part->height;
  g_autofree float *cutout = g_new (float, 4 * n);

  if (!fovea_mask_read_cutout (data, work->source->photo, part->x - work->region.x, part->y - work->region.y, part->width, part->height, cutout, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      if (cutout[4 * i + 3] < 0.999f)
        memcpy (pixels + 4 * i, cutout + 4 * i, 3 * sizeof (float));
      pixels[4 * i + 3] *= cutout[4 * i + 3];
    }
  return TRUE;
}

/* What lies behind the cut-out: a copy of `original` (NULL: of what is seen), blurred, or a layer of the colour that GIMP has for backgrounds. */
static gboolean
add_background (Work *work, GimpLayer *original, GError **error)
{
  GimpImage    *image = work->source->image;
  GimpImageType type = gimp_image_get_base_type (image) == GIMP_GRAY ? GIMP_GRAY_IMAGE : GIMP_RGB_IMAGE;
  gboolean      blur = work->output->background == MASK_BACKGROUND_BLUR;
  GeglRectangle place = work->region;
  GimpLayer    *layer;

  if (!blur)
    layer = gimp_layer_new (image, _("Behind the cut-out"), place.width, place.height, type, 100.0, GIMP_LAYER_MODE_NORMAL);
  else if (original)
    layer = gimp_layer_copy (original);
  else
    layer = gimp_layer_new_from_visible (image, image, _("Behind the cut-out"));
  if (!layer || !gimp_image_insert_layer (image, layer, NULL, 0))
    return fail (error);
  gimp_item_set_visible (GIMP_ITEM (layer), TRUE);
  gimp_item_set_name (GIMP_ITEM (layer), _("Behind the cut-out"));
  if (blur)
    {
      double deviation = BLUR * MAX (place.width, place.height);

      if (gimp_layer_get_mask (layer))
        gimp_layer_remove_mask (layer, GIMP_MASK_DISCARD);
      gimp_drawable_merge_new_filter (GIMP_DRAWABLE (layer), "gegl:gaussian-blur", NULL, GIMP_LAYER_MODE_REPLACE, 1.0, "std-dev-x", deviation, "std-dev-y", deviation,
                                      NULL);
      return TRUE;
    }
  gimp_layer_set_offsets (layer, place.x, place.y);
  return gimp_drawable_fill (GIMP_DRAWABLE (layer), GIMP_FILL_BACKGROUND) || fail (error);
}

static gboolean
write_cut_out (Work *work, GError **error)
{
  GimpImage            *image = work->source->image;
  GimpLayer            *original = find_layer (work->source->drawables);
  gboolean              own = original && !gimp_item_is_group (GIMP_ITEM (original));
  GimpLayer            *layer = own ? gimp_layer_copy (original) : gimp_layer_new_from_visible (image, image, _("Cut-out"));
  g_autoptr (FoveaMask) mask = unite (work, error);
  GeglRectangle         place;

  if (!mask || (work->output->background != MASK_BACKGROUND_NONE && !add_background (work, own ? original : NULL, error)))
    return FALSE;
  if (!layer || !gimp_image_insert_layer (image, layer, NULL, 0) || !gimp_layer_add_alpha (layer))
    return fail (error);
  gimp_item_set_name (GIMP_ITEM (layer), _("Cut-out"));
  gimp_item_set_visible (GIMP_ITEM (layer), TRUE);
  get_place (GIMP_ITEM (layer), &place);
  if (!write_pixels (work, layer, &place, fill_cutout, mask, error))
    return FALSE;
  if (own && work->output->hide_original)
    gimp_item_set_visible (GIMP_ITEM (original), FALSE);
  return TRUE;
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

static gboolean (*const writers[]) (Work *work, GError **error) = {
  [MASK_LAYER_MASK] = write_layer_mask, [MASK_SELECTION] = write_selection, [MASK_CHANNELS] = write_channels,
  [MASK_LAYERS] = write_layers,         [MASK_PATHS] = write_paths,         [MASK_CUT_OUT] = write_cut_out,
};

gboolean
mask_output_check (const MaskOutput *output, GimpImage *image, GimpDrawable **drawables, GError **error)
{
  if (!pixels_check_image (image, error))
    return FALSE;
  if (gimp_image_get_base_type (image) == GIMP_INDEXED && (output->kind == MASK_LAYERS || output->kind == MASK_CUT_OUT))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   _("An indexed image has neither colours nor soft edges for that. Convert it to RGB first (Image ▸ Mode ▸ RGB)."));
      return FALSE;
    }
  if ((output->kind == MASK_LAYER_MASK || output->kind == MASK_CUT_OUT) && drawables && drawables[0] && !pixels_check_layer (drawables[0], error))
    return FALSE;
  if (output->kind == MASK_LAYER_MASK && !find_layer (drawables))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("No layer is chosen that could get a mask. Choose one and try again."));
      return FALSE;
    }
  return TRUE;
}

gboolean
mask_output_apply (const MaskOutput *output, const MaskSource *source, double *areas, GError **error)
{
  Work     work = { output, source, pixel_reader_get_region (source->reader) };
  gboolean done;

  if (!pixel_reader_check (source->reader, error))
    return FALSE;
  for (gsize k = 0; k < source->n; k++)
    {
      g_autoptr (FoveaMask) mask = fovea_mask_new (source->masks, &source->which[k], 1, &output->options, error);

      if (!mask)
        return FALSE;
      areas[k] = fovea_mask_get_area (mask);
    }
  if (output->kind == MASK_NONE || source->n == 0)
    return TRUE;
  gimp_image_undo_group_start (source->image);
  done = writers[output->kind] (&work, error);
  gimp_image_undo_group_end (source->image);
  return done;
}
