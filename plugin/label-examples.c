/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-examples.c: see label-examples.h. All layers are read side by side in bands of rows, so that an image of any size needs little memory.
 */

#include "label-examples.h"

#include <glib/gi18n.h>
#include <string.h>

#include "label-paths.h"

#define TILE           64  /* pixels of a side */
#define BAND_ROWS      TILE
#define REDUCED        8   /* times, in thumbnails that tell which tiles are painted: an opaque pixel still counts for four of 255 */
#define LARGEST        (1024 * REDUCED) /* of which GIMP makes a thumbnail */
#define HALF           128 /* of 255 */
#define FEW_PIXELS     16
#define FEW_EXAMPLES   5

/* A layer being read. */
typedef struct
{
  guint         class;
  GimpLayer    *copy;         /* never inserted */
  GeglBuffer   *buffer, *mask; /* mask NULL: none */
  GeglRectangle place;        /* in the image */
  const Babl   *format;
  int           bytes, alpha; /* of a pixel; where its opacity lies */
  guint8       *painted;      /* of the layer's tiles, row by row: 0 where nothing is painted; NULL: not known */
  int           tiles;        /* in a row */
  LabelBlobs   *blobs;        /* NULL: aren't wanted */
} Part;

typedef struct
{
  int        width, height; /* of the canvas */
  GPtrArray *parts;
  guint8    *pixels, *mask; /* of a band of one layer */
} Reader;

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static void
part_free (gpointer data)
{
  Part *part = data;

  g_clear_object (&part->buffer);
  g_clear_object (&part->mask);
  g_clear_pointer (&part->blobs, label_blobs_free);
  g_free (part->painted);
  if (part->copy)
    gimp_item_delete (GIMP_ITEM (part->copy));
  g_free (part);
}

static void
reader_clear (Reader *reader)
{
  g_clear_pointer (&reader->parts, g_ptr_array_unref);
  g_clear_pointer (&reader->pixels, g_free);
  g_clear_pointer (&reader->mask, g_free);
}

/* Notes which tiles are painted in a part of the layer, whose sides are whole tiles or at the end whole pixels of a thumbnail. FALSE where GIMP makes none. */
static gboolean
note_tiles (Part *part, GimpLayer *layer, const GeglRectangle *area)
{
  int                width = area->width / REDUCED, height = area->height / REDUCED, bytes = 0;
  g_autoptr (GBytes) thumbnail = gimp_drawable_get_sub_thumbnail_data (GIMP_DRAWABLE (layer), area->x, area->y, area->width, area->height, width, height, &width, &height,
                                                                       &bytes);
  const guint8      *pixel = thumbnail ? g_bytes_get_data (thumbnail, NULL) : NULL;
  int                components = gimp_drawable_is_gray (GIMP_DRAWABLE (part->copy)) ? 2 : 4;

  if (!pixel || bytes % components != 0 || width != area->width / REDUCED || height != area->height / REDUCED)
    return FALSE;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++, pixel += bytes)
      for (int k = bytes - bytes / components; k < bytes; k++) /* the bytes of its opacity, in the image's precision */
        part->painted[(area->y + y * REDUCED) / TILE * part->tiles + (area->x + x * REDUCED) / TILE] |= pixel[k] != 0;
  return TRUE;
}

/* Most of a label layer is empty: only its painted tiles need to be read. GIMP keeps reduced copies of layers for its thumbnails. Each of their pixels is a mean, so
 * that none is overlooked, but for palettes' colours, and where a thumbnail isn't reduced just so often: the last tiles of a row or column count as painted then. */
static void
find_tiles (Part *part, GimpLayer *layer)
{
  int      width = part->place.width / REDUCED * REDUCED, height = part->place.height / REDUCED * REDUCED;
  int      across = (part->place.width + TILE - 1) / TILE, down = (part->place.height + TILE - 1) / TILE;
  gboolean known = gimp_drawable_has_alpha (GIMP_DRAWABLE (part->copy)) && !gimp_drawable_is_indexed (GIMP_DRAWABLE (part->copy));

  part->tiles = across;
  part->painted = g_new0 (guint8, (gsize) across * (gsize) down);
  for (int y = 0; known && y < height; y += LARGEST)
    for (int x = 0; known && x < width; x += LARGEST)
      known = note_tiles (part, layer, GEGL_RECTANGLE (x, y, MIN (LARGEST, width - x), MIN (LARGEST, height - y)));
  for (int row = 0; row < down && width < part->place.width; row++)
    part->painted[row * across + across - 1] = 1;
  for (int column = 0; column < across && height < part->place.height; column++)
    part->painted[(down - 1) * across + column] = 1;
  if (!known)
    g_clear_pointer (&part->painted, g_free);
}

/* NULL where the layer is gone. */
static Part *
open_layer (GimpLayer *layer, guint class)
{
  GimpLayer     *copy = gimp_item_is_valid (GIMP_ITEM (layer)) ? gimp_layer_copy (layer) : NULL;
  GimpLayerMask *mask;
  const Babl    *native;
  Part          *part;

  if (!copy)
    return NULL;
  part = g_new0 (Part, 1);
  part->class = class;
  part->copy = copy;
  part->buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (copy));
  gimp_drawable_get_offsets (GIMP_DRAWABLE (layer), &part->place.x, &part->place.y);
  part->place.width = gimp_drawable_get_width (GIMP_DRAWABLE (copy));
  part->place.height = gimp_drawable_get_height (GIMP_DRAWABLE (copy));
  mask = gimp_layer_get_mask (copy);
  if (mask && gimp_layer_get_apply_mask (copy))
    part->mask = gimp_drawable_get_buffer (GIMP_DRAWABLE (mask));
  /* Four bytes as they lie in memory need no conversion. */
  native = gimp_drawable_get_format (GIMP_DRAWABLE (copy));
  part->bytes = babl_format_get_bytes_per_pixel (native);
  if (gimp_drawable_has_alpha (GIMP_DRAWABLE (copy)) && babl_format_get_n_components (native) == 4 && part->bytes == 4)
    part->format = native;
  else
    {
      part->format = babl_format ("Y'A u8");
      part->bytes = 2;
    }
  part->alpha = part->bytes - 1;
  find_tiles (part, layer);
  return part;
}

static void
reader_open (Reader *reader, const LabelLayers *labels, gboolean blobs)
{
  reader->width = gimp_image_get_width (labels->image);
  reader->height = gimp_image_get_height (labels->image);
  reader->parts = g_ptr_array_new_with_free_func (part_free);
  for (guint i = 0; i < labels->n && labels->task != FOVEA_TASK_CLASSIFY; i++) /* whose layers are photos */
    for (guint k = 0; k < labels->classes[i].layers->len; k++)
      {
        Part *part = open_layer (labels->classes[i].layers->pdata[k], i);

        if (!part)
          continue;
        if (blobs)
          part->blobs = label_blobs_new ();
        g_ptr_array_add (reader->parts, part);
      }
}

/* Which pixels of a part of the layer are painted: 0 or 1 each, in rows that lie row_stride bytes apart. */
static void
read_pixels (Reader *reader, const Part *part, const GeglRectangle *own, guint8 *painted, gsize row_stride)
{
  gsize         n = (gsize) own->width * (gsize) own->height;
  const guint8 *alpha, *mask = NULL;

  reader->pixels = g_realloc (reader->pixels, n * (gsize) part->bytes);
  gegl_buffer_get (part->buffer, own, 1.0, part->format, reader->pixels, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  alpha = reader->pixels + part->alpha;
  if (part->mask)
    {
      mask = reader->mask = g_realloc (reader->mask, n);
      gegl_buffer_get (part->mask, own, 1.0, babl_format ("Y u8"), reader->mask, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    }
  for (int y = 0; y < own->height; y++, painted += row_stride)
    for (int x = 0; x < own->width; x++, alpha += part->bytes)
      painted[x] = mask ? 2u * *alpha * *mask++ >= 255u * 255u : *alpha >= HALF;
}

/* Whether anything may be painted in the column of tiles that holds x, between two rows of pixels. */
static gboolean
may_be_painted (const Part *part, int x, int top, int bottom)
{
  gboolean found = !part->painted;

  for (int row = top / TILE; !found && row <= bottom / TILE; row++)
    found = part->painted[row * part->tiles + x / TILE];
  return found;
}

/* Which of a layer's pixels in a part of the image, inside the layer, are painted: 0 or 1 each. painted: (area->height, area->width). */
static void
read_painted (Reader *reader, const Part *part, const GeglRectangle *area, guint8 *painted)
{
  int left = area->x - part->place.x, right = left + area->width, top = area->y - part->place.y, bottom = top + area->height - 1;

  memset (painted, 0, (gsize) area->width * (gsize) area->height);
  for (int x = left, end; x < right; x = end)
    {
      gboolean read = may_be_painted (part, x, top, bottom);

      for (end = (x / TILE + 1) * TILE; end < right && may_be_painted (part, end, top, bottom) == read;)
        end += TILE;
      end = MIN (end, right);
      if (read)
        read_pixels (reader, part, GEGL_RECTANGLE (x, top, end - x, area->height), painted + (x - left), (gsize) area->width);
    }
}

/* A part of the canvas: index (band->height, band->width) gets what stands in label-examples.h. */
static void
read_band (Reader *reader, const GeglRectangle *band, guint8 *index)
{
  gsize              n = (gsize) band->width * (gsize) band->height;
  g_autofree guint8 *painted = g_new (guint8, n);
  GeglRectangle      area;

  memset (index, LABEL_NONE, n);
  for (guint p = 0; p < reader->parts->len; p++)
    {
      const Part *part = reader->parts->pdata[p];
      guint8      own = (guint8) (part->class + 1);

      if (!gegl_rectangle_intersect (&area, &part->place, band))
        continue;
      read_painted (reader, part, &area, painted);
      for (int row = 0; row < area.height; row++)
        {
          const guint8 *from = painted + (gsize) row * (gsize) area.width;
          guint8       *to = index + (gsize) (area.y + row - band->y) * (gsize) band->width + (area.x - band->x);

          for (int x = 0; x < area.width; x++)
            if (from[x] && to[x] != own)
              to[x] = to[x] == LABEL_NONE ? own : LABEL_CONTRADICTION;
          if (part->blobs)
            label_blobs_add_row (part->blobs, area.x, area.y + row, from, area.width);
        }
    }
}

/* Painted pixels of a layer in a part of the image. */
static guint64
count_painted (Reader *reader, const Part *part, const GeglRectangle *area)
{
  g_autofree guint8 *painted = NULL;
  guint64            n = 0;

  painted = g_new (guint8, (gsize) area->width * BAND_ROWS);
  for (int row = 0; row < area->height; row += BAND_ROWS)
    {
      int rows = MIN (BAND_ROWS, area->height - row);

      read_painted (reader, part, GEGL_RECTANGLE (area->x, area->y + row, area->width, rows), painted);
      for (gsize i = 0; i < (gsize) area->width * (gsize) rows; i++)
        n += painted[i];
    }
  return n;
}

/* What a layer shows above, below, left and right of the canvas. */
static guint64
count_outside (Reader *reader, const Part *part)
{
  const GeglRectangle *place = &part->place, canvas = { 0, 0, reader->width, reader->height };
  int                  top = CLAMP (-place->y, 0, place->height), bottom = CLAMP (place->y + place->height - canvas.height, 0, place->height);
  int                  left = CLAMP (-place->x, 0, place->width), right = CLAMP (place->x + place->width - canvas.width, 0, place->width);
  int                  middle = place->height - top - bottom, y = place->y + top;
  const GeglRectangle  areas[4] = {
    { place->x, place->y, place->width, top },
    { place->x, place->y + place->height - bottom, place->width, bottom },
    { place->x, y, left, middle },
    { place->x + place->width - right, y, right, middle },
  };
  guint64 n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (areas); i++)
    if (areas[i].width > 0 && areas[i].height > 0)
      n += count_painted (reader, part, &areas[i]);
  return n;
}

/* ---- a raster ------------------------------------------------------------------------------------------------------ */

/* Votes of a row of cells become their classes. votes: (width, n_kinds), where a contradiction is the last kind. */
static void
settle (guint32 *votes, int width, guint n_kinds, guint8 *out)
{
  for (int x = 0; x < width; x++)
    {
      guint32 *own = votes + (gsize) x * n_kinds;
      guint    best = 0;

      for (guint k = 1; k < n_kinds; k++)
        if (own[k] > own[best])
          best = k;
      out[x] = own[best] == 0 ? LABEL_NONE : best + 1 == n_kinds ? LABEL_CONTRADICTION : (guint8) (best + 1);
    }
  memset (votes, 0, sizeof *votes * (gsize) width * n_kinds);
}

static guint8 *
allocate (int width, int height, GError **error)
{
  guint8 *raster = g_try_malloc0 ((gsize) width * (gsize) height);

  if (!raster)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("There isn't memory enough to read the labels. Make the image smaller."));
  return raster;
}

/* The first pixel of `size` that cell `cell` of `n` shows. */
static int
first_pixel (int cell, int n, int size)
{
  return (int) (((gint64) cell * size + n - 1) / n);
}

/* Those cells of a raster (height, width) that `cells` says; width and height are at most the canvas's. */
static void
draw_cells (Reader *reader, guint n_classes, const GeglRectangle *cells, int width, int height, guint8 *raster)
{
  guint               n_kinds = n_classes + 1;
  int                 left = first_pixel (cells->x, width, reader->width), right = first_pixel (cells->x + cells->width, width, reader->width);
  int                 top = first_pixel (cells->y, height, reader->height), bottom = first_pixel (cells->y + cells->height, height, reader->height);
  g_autofree guint32 *votes = g_new0 (guint32, (gsize) cells->width * n_kinds);
  g_autofree guint8  *band = g_new (guint8, (gsize) (right - left) * BAND_ROWS);
  int                 row = cells->y;

  for (int y = top; y < bottom; y += BAND_ROWS)
    {
      int n = MIN (BAND_ROWS, bottom - y);

      read_band (reader, GEGL_RECTANGLE (left, y, right - left, n), band);
      for (int i = 0; i < n; i++)
        {
          const guint8 *from = band + (gsize) i * (gsize) (right - left);

          for (int x = left; x < right; x++, from++)
            if (*from != LABEL_NONE)
              votes[(gsize) ((gint64) x * width / reader->width - cells->x) * n_kinds + (*from == LABEL_CONTRADICTION ? n_classes : *from - 1u)]++;
          if ((gint64) (y + i + 1) * height / reader->height > row)
            settle (votes, cells->width, n_kinds, raster + (gsize) row++ * (gsize) width + cells->x);
        }
    }
}

guint8 *
label_examples_draw (const LabelLayers *labels, int width, int height, GError **error)
{
  Reader             reader = { 0 };
  g_autofree guint8 *small = NULL;
  guint8            *raster;
  int                small_width, small_height;

  reader_open (&reader, labels, FALSE);
  small_width = MIN (width, reader.width);
  small_height = MIN (height, reader.height);
  small = allocate (small_width, small_height, error);
  if (small)
    draw_cells (&reader, labels->n, GEGL_RECTANGLE (0, 0, small_width, small_height), small_width, small_height, small);
  reader_clear (&reader);
  if (!small || (small_width == width && small_height == height))
    return g_steal_pointer (&small);
  raster = allocate (width, height, error);
  for (int y = 0; raster && y < height; y++)
    for (int x = 0; x < width; x++)
      raster[(gsize) y * (gsize) width + (gsize) x] = small[(gint64) y * small_height / height * small_width + (gint64) x * small_width / width];
  return raster;
}

guint8 *
label_examples_draw_again (const LabelLayers *labels, const GeglRectangle *area, const guint8 *before, int width, int height, GError **error)
{
  Reader        reader = { 0 };
  guint8       *raster;
  GeglRectangle cells;

  if (width > gimp_image_get_width (labels->image) || height > gimp_image_get_height (labels->image))
    return label_examples_draw (labels, width, height, error);
  raster = allocate (width, height, error);
  if (!raster)
    return NULL;
  memcpy (raster, before, (gsize) width * (gsize) height);
  reader_open (&reader, labels, FALSE);
  cells.x = (int) ((gint64) area->x * width / reader.width);
  cells.y = (int) ((gint64) area->y * height / reader.height);
  cells.width = (int) ((gint64) (area->x + area->width - 1) * width / reader.width) + 1 - cells.x;
  cells.height = (int) ((gint64) (area->y + area->height - 1) * height / reader.height) + 1 - cells.y;
  if (area->width > 0 && area->height > 0 && gegl_rectangle_intersect (&cells, &cells, GEGL_RECTANGLE (0, 0, width, height)))
    draw_cells (&reader, labels->n, &cells, width, height, raster);
  reader_clear (&reader);
  return raster;
}

/* ---- paths ---------------------------------------------------------------------------------------------------------- */

static void
add_paths (LabelCounts *counts, const LabelLayers *labels, int width, int height)
{
  g_autoptr (GArray) paths = label_paths_list (labels);

  for (guint i = 0; i < paths->len; i++)
    {
      const LabelPath *path = &g_array_index (paths, LabelPath, i);
      LabelBlob        blob = { 0 };

      if (path->is_crowd)
        continue;
      blob.x = (int) CLAMP (path->x + 0.5, 0, width);
      blob.y = (int) CLAMP (path->y + 0.5, 0, height);
      blob.width = (int) CLAMP (path->x + path->width + 0.5, 0, width) - blob.x;
      blob.height = (int) CLAMP (path->y + path->height + 0.5, 0, height) - blob.y;
      if (blob.width > 0 && blob.height > 0)
        g_array_append_val (counts->classes[path->class].objects, blob);
      else
        counts->classes[path->class].outside++;
    }
}

/* ---- counting ------------------------------------------------------------------------------------------------------- */

struct _LabelCounter
{
  const LabelLayers *labels;
  Reader             reader;
  LabelCounts       *counts;
  guint8            *band;
  int                next_row;
};

void
label_counts_free (LabelCounts *counts)
{
  if (!counts)
    return;
  for (guint i = 0; i < counts->n; i++)
    g_array_unref (counts->classes[i].objects);
  g_free (counts->classes);
  g_free (counts);
}

LabelCounter *
label_counter_new (const LabelLayers *labels, GError **error)
{
  LabelCounter *counter = g_new0 (LabelCounter, 1);

  counter->labels = labels;
  reader_open (&counter->reader, labels, TRUE);
  counter->counts = g_new0 (LabelCounts, 1);
  counter->counts->n = labels->n;
  counter->counts->classes = g_new0 (LabelCount, labels->n + 1);
  for (guint i = 0; i < labels->n; i++)
    {
      counter->counts->classes[i].objects = g_array_new (FALSE, FALSE, sizeof (LabelBlob));
      counter->counts->classes[i].layers = labels->classes[i].layers->len;
    }
  counter->band = allocate (counter->reader.width, BAND_ROWS, error);
  if (!counter->band)
    g_clear_pointer (&counter, label_counter_free);
  return counter;
}

void
label_counter_free (LabelCounter *counter)
{
  if (!counter)
    return;
  reader_clear (&counter->reader);
  g_clear_pointer (&counter->counts, label_counts_free);
  g_free (counter->band);
  g_free (counter);
}

gboolean
label_counter_step (LabelCounter *counter)
{
  const Reader *reader = &counter->reader;
  int           n = MIN (BAND_ROWS, reader->height - counter->next_row);

  if (n < 1 || reader->parts->len == 0)
    return FALSE;
  read_band (&counter->reader, GEGL_RECTANGLE (0, counter->next_row, reader->width, n), counter->band);
  for (gsize i = 0; i < (gsize) n * (gsize) reader->width; i++)
    if (counter->band[i] == LABEL_CONTRADICTION)
      counter->counts->contradictions++;
    else if (counter->band[i] != LABEL_NONE)
      counter->counts->classes[counter->band[i] - 1].pixels++;
  counter->next_row += n;
  return TRUE;
}

LabelCounts *
label_counter_finish (LabelCounter *counter)
{
  Reader      *reader = &counter->reader;
  LabelCounts *counts = counter->counts;

  for (guint p = 0; p < reader->parts->len; p++)
    {
      const Part          *part = reader->parts->pdata[p];
      g_autoptr (GArray)   blobs = label_blobs_list (part->blobs);

      g_array_append_vals (counts->classes[part->class].objects, blobs->data, blobs->len);
      counts->classes[part->class].outside += count_outside (reader, part);
    }
  add_paths (counts, counter->labels, reader->width, reader->height);
  return g_steal_pointer (&counter->counts);
}

LabelCounts *
label_examples_count (const LabelLayers *labels, GError **error)
{
  g_autoptr (LabelCounter) counter = label_counter_new (labels, error);

  while (counter && label_counter_step (counter))
    continue;
  return counter ? label_counter_finish (counter) : NULL;
}

/* ---- advice ---------------------------------------------------------------------------------------------------------- */

static char *
advise_class (const LabelCount *count, const LabelClass *class, FoveaTask task)
{
  if (task == FOVEA_TASK_CLASSIFY)
    {
      if (count->layers == 0)
        return g_strdup_printf (_("“%s” has no examples yet: put layers with photos of it into its group."), class->name);
      return count->layers >= FEW_EXAMPLES ? NULL
                                           : g_strdup_printf (ngettext ("“%s” has only %d example: %d or more are better.", "“%s” has only %d examples: %d or more are better.",
                                                                        count->layers),
                                                              class->name, (int) count->layers, FEW_EXAMPLES);
    }
  if (count->pixels == 0 && (task != FOVEA_TASK_DETECT || count->objects->len == 0))
    {
      if (count->outside > 0)
        return g_strdup_printf (_("“%s” is painted outside of the image only: paint on the photo."), class->name);
      return g_strdup_printf (_("“%s” has no examples yet: choose it and paint some on the photo."), class->name);
    }
  if (task != FOVEA_TASK_DETECT && count->pixels < FEW_PIXELS)
    return g_strdup_printf (ngettext ("“%s” has only %d painted pixel: paint some more.", "“%s” has only %d painted pixels: paint some more.", count->pixels), class->name,
                            (int) count->pixels);
  return NULL;
}

char **
label_counts_advise (const LabelCounts *counts, const LabelLayers *labels)
{
  g_autoptr (GStrvBuilder) advice = g_strv_builder_new ();

  if (labels->n == 0)
    g_strv_builder_add (advice, _("There are no classes yet: add one for each thing to be told apart."));
  else if (labels->n == 1 && labels->task != FOVEA_TASK_DETECT)
    g_strv_builder_add (advice, _("There is one class only: add another for what it isn't, for example “Background”."));
  for (guint i = 0; i < labels->n; i++)
    {
      char *sentence = advise_class (&counts->classes[i], &labels->classes[i], labels->task);

      if (sentence)
        g_strv_builder_take (advice, sentence);
    }
  if (counts->contradictions > 0 && labels->task == FOVEA_TASK_SEGMENT)
    g_strv_builder_take (advice,
                         g_strdup_printf (ngettext ("%d pixel is painted in two classes and counts for none: erase it in one of them.",
                                                    "%d pixels are painted in two classes and count for none: erase them in one of them.", counts->contradictions),
                                          (int) counts->contradictions));
  return g_strv_builder_end (advice);
}
