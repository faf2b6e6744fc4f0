/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segmentation.c: an object's polygons, or the mask that shows it, as COCO keeps them: the mask by lengths of runs down the photo's columns, what isn't the object
 * first; as a list of numbers, or packed into text as pycocotools does it (five bits a letter, each number less the one two before).
 */

#include "labels/label-files.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define LETTER_LEAST 48
#define LETTER_BITS  5
#define LETTER_MORE  0x20
#define LETTER_SIGN  0x10

typedef struct
{
  GPtrArray *polygons;      /* of GArray of double; NULL: a mask */
  gint64     width, height; /* of the mask's photo */
  GArray    *runs;          /* of gint64 */
  gboolean   is_packed;
} Segmentation;

static void
segmentation_clear (Segmentation *segmentation)
{
  g_clear_pointer (&segmentation->polygons, g_ptr_array_unref);
  g_clear_pointer (&segmentation->runs, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Segmentation, segmentation_clear)

static GPtrArray *
new_polygons (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------------- */

static gboolean
read_polygons (Segmentation *to, JsonArray *polygons)
{
  to->polygons = new_polygons ();
  for (guint i = 0; i < json_array_get_length (polygons); i++)
    {
      JsonNode  *node = json_array_get_element (polygons, i);
      JsonArray *from = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
      GArray    *points = g_array_new (FALSE, FALSE, sizeof (double));
      guint      n = from ? json_array_get_length (from) : 1;

      g_ptr_array_add (to->polygons, points);
      if (n % 2 != 0)
        return FALSE;
      for (guint k = 0; k < n; k++)
        {
          double number;

          if (!label_files_read_number (json_array_get_element (from, k), -FOVEA_LABELS_LARGEST, FOVEA_LABELS_LARGEST, &number))
            return FALSE;
          g_array_append_val (points, number);
        }
      if (n == 0)
        g_ptr_array_remove_index (to->polygons, to->polygons->len - 1);
    }
  return TRUE;
}

static gboolean
unpack (GArray *runs, const char *text)
{
  for (guint n = 0; *text; n++)
    {
      gint64 run = 0;
      int    letter, shift = 0;

      do
        {
          letter = *text ? *text++ - LETTER_LEAST : -1;
          if (letter < 0 || letter >= 2 * LETTER_MORE || shift > 40)
            return FALSE;
          run |= (gint64) (letter & (LETTER_MORE - 1)) << shift;
          shift += LETTER_BITS;
        }
      while (letter & LETTER_MORE);
      if (letter & LETTER_SIGN)
        run -= (gint64) 1 << shift;
      if (n > 2)
        run += g_array_index (runs, gint64, n - 2);
      g_array_append_val (runs, run);
    }
  return TRUE;
}

static gboolean
read_runs (Segmentation *to, JsonNode *counts)
{
  JsonArray *list = counts && JSON_NODE_HOLDS_ARRAY (counts) ? json_node_get_array (counts) : NULL;

  to->runs = g_array_new (FALSE, FALSE, sizeof (gint64));
  to->is_packed = counts && JSON_NODE_HOLDS_VALUE (counts) && json_node_get_value_type (counts) == G_TYPE_STRING;
  if (to->is_packed)
    return unpack (to->runs, json_node_get_string (counts));
  for (guint i = 0; list && i < json_array_get_length (list); i++)
    {
      double number;
      gint64 run;

      if (!label_files_read_number (json_array_get_element (list, i), 0, 1e15, &number))
        return FALSE;
      run = (gint64) number;
      g_array_append_val (to->runs, run);
    }
  return list != NULL;
}

static gboolean
read_mask (Segmentation *to, JsonObject *mask)
{
  JsonNode  *node = json_object_get_member (mask, "size");
  JsonArray *size = node && JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 2 ? json_node_get_array (node) : NULL;
  double     height, width;
  gint64     sum = 0;

  if (!size || !label_files_read_number (json_array_get_element (size, 0), 1, FOVEA_LABELS_LARGEST, &height)
      || !label_files_read_number (json_array_get_element (size, 1), 1, FOVEA_LABELS_LARGEST, &width) || !read_runs (to, json_object_get_member (mask, "counts")))
    return FALSE;
  to->height = (gint64) height;
  to->width = (gint64) width;
  for (guint i = 0; i < to->runs->len; i++)
    {
      gint64 run = g_array_index (to->runs, gint64, i);

      if (run < 0 || run > to->width * to->height - sum)
        return FALSE;
      sum += run;
    }
  return sum == to->width * to->height;
}

static gboolean
read_node (Segmentation *to, JsonNode *node)
{
  if (node && JSON_NODE_HOLDS_ARRAY (node))
    return read_polygons (to, json_node_get_array (node));
  return node && JSON_NODE_HOLDS_OBJECT (node) && read_mask (to, json_node_get_object (node));
}

static gboolean
read_text (Segmentation *to, const char *text)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  return read_node (to, node);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------------- */

static void
pack (GString *text, const GArray *runs)
{
  for (guint i = 0; i < runs->len; i++)
    {
      gint64 left = g_array_index (runs, gint64, i) - (i > 2 ? g_array_index (runs, gint64, i - 2) : 0);
      int    letter;

      do
        {
          letter = (int) (left & (LETTER_MORE - 1));
          left >>= LETTER_BITS;
          if (left != (letter & LETTER_SIGN ? -1 : 0))
            letter |= LETTER_MORE;
          g_string_append_c (text, (char) (letter + LETTER_LEAST));
        }
      while (letter & LETTER_MORE);
    }
}

/* Free with g_free. */
static char *
write_mask (const Segmentation *mask)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "{\"size\": [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "], \"counts\": ", mask->height, mask->width);
  if (mask->is_packed)
    {
      g_autoptr (GString)  packed = g_string_new (NULL);
      g_autoptr (JsonNode) node = NULL;
      g_autofree char     *quoted = NULL;

      pack (packed, mask->runs);
      node = json_node_init_string (json_node_alloc (), packed->str);
      quoted = json_to_string (node, FALSE); /* a backslash is among the letters */
      g_string_append (text, quoted);
    }
  else
    {
      for (guint i = 0; i < mask->runs->len; i++)
        g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i ? ", " : "[", g_array_index (mask->runs, gint64, i));
      g_string_append (text, mask->runs->len ? "]" : "[]");
    }
  return g_string_free (g_string_append_c (text, '}'), FALSE);
}

static char *
write_polygons (const GPtrArray *polygons)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < polygons->len; i++)
    {
      const GArray *points = polygons->pdata[i];

      for (guint k = 0; k < points->len; k++)
        {
          g_autofree char *number = label_files_number (g_array_index (points, double, k));

          g_string_append_printf (text, "%s%s", k ? ", " : i ? ", [" : "[", number);
        }
      g_string_append_c (text, ']');
    }
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

static char *
write_text (const Segmentation *segmentation)
{
  return segmentation->polygons ? write_polygons (segmentation->polygons) : write_mask (segmentation);
}

/* ---- masks ----------------------------------------------------------------------------------------------------------------------------- */

/* (width, height): column by column, as the runs are. NULL: memory is short. Free with g_free. */
static guint8 *
draw_runs (const Segmentation *mask)
{
  guint8 *pixels = g_try_malloc0 ((gsize) mask->width * (gsize) mask->height);
  gsize   at = 0;

  for (guint i = 0; pixels && i < mask->runs->len; i++)
    {
      gsize run = (gsize) g_array_index (mask->runs, gint64, i);

      memset (pixels + at, i % 2, run);
      at += run;
    }
  return pixels;
}

/* What lies inside of the polygons, by the even-odd rule at the pixels' middles; each column has a list of the rows at which its middle is crossed. */
static void
fill (guint8 *pixels, const GPtrArray *polygons, gint64 width, gint64 height)
{
  g_autoptr (GPtrArray) columns = new_polygons ();

  for (gint64 x = 0; x < width; x++)
    g_ptr_array_add (columns, g_array_new (FALSE, FALSE, sizeof (gint64)));
  for (guint i = 0; i < polygons->len; i++)
    {
      const GArray *points = polygons->pdata[i];
      const double *all = (const double *) (gconstpointer) points->data;

      for (guint k = 0; k + 1 < points->len; k += 2)
        {
          const double *a = all + k, *b = all + (k + 2) % points->len;
          double        left = MIN (a[0], b[0]), right = MAX (a[0], b[0]);
          gint64        from = (gint64) MAX (ceil (left - 0.5), 0), to = (gint64) MIN (ceil (right - 0.5), (double) width);

          for (gint64 x = from; x < to; x++)
            {
              double y = a[1] + (b[1] - a[1]) * ((double) x + 0.5 - a[0]) / (b[0] - a[0]);
              gint64 row = (gint64) CLAMP (ceil (y - 0.5), 0, (double) height);

              g_array_append_val ((GArray *) columns->pdata[x], row);
            }
        }
    }
  for (gint64 x = 0; x < width; x++) /* each crossing turns over what is below it */
    {
      const GArray *rows = columns->pdata[x];
      guint8       *column = pixels + x * height;
      guint8        inside = 0;

      for (guint k = 0; k < rows->len; k++)
        if (g_array_index (rows, gint64, k) < height)
          column[g_array_index (rows, gint64, k)] ^= 1;
      for (gint64 y = 0; y < height; y++)
        column[y] = inside ^= column[y];
    }
}

/* The runs of what has been drawn. */
static GArray *
find_runs (const guint8 *pixels, gsize n)
{
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint8  value = 0;
  gint64  run = 0;

  for (gsize i = 0; i < n; i++, run++)
    if (pixels[i] != value)
      {
        g_array_append_val (runs, run);
        value = pixels[i];
        run = 0;
      }
  g_array_append_val (runs, run);
  return runs;
}

static gboolean
is_set (const guint8 *pixels, gint64 width, gint64 height, gint64 x, gint64 y)
{
  return x >= 0 && x < width && y >= 0 && y < height && pixels[x * height + y];
}

/* Along the edges of pixels from the upper left corner of (x, y), the object to the right; pixels whose corners touch belong together. Marks the pixels above which
 * it goes. */
static GArray *
trace (const guint8 *pixels, guint8 *passed, gint64 width, gint64 height, gint64 x, gint64 y)
{
  static const int steps[4][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } };    /* right, down, left, up */
  static const int lefts[4][2] = { { 0, -1 }, { 0, 0 }, { -1, 0 }, { -1, -1 } };  /* the pixel ahead to the left; that to the right is the next one's */
  const gint64     first_x = x, first_y = y;
  GArray          *points = g_array_new (FALSE, FALSE, sizeof (double));
  guint            way = 0, turn;

  do
    {
      const double corner[2] = { (double) x, (double) y };

      g_array_append_vals (points, corner, 2);
      do
        {
          if (way == 0)
            passed[x * height + y] = 1;
          x += steps[way][0];
          y += steps[way][1];
          turn = is_set (pixels, width, height, x + lefts[way][0], y + lefts[way][1]) ? 3
                 : is_set (pixels, width, height, x + lefts[(way + 1) % 4][0], y + lefts[(way + 1) % 4][1]) ? 0 : 1;
        }
      while (turn == 0);
      way = (way + turn) % 4;
    }
  while (x != first_x || y != first_y || way != 0);
  return points;
}

/* What surrounds a mask's pixels, and its holes. NULL: memory is short. */
static GPtrArray *
trace_mask (const Segmentation *mask)
{
  gint64             width = mask->width, height = mask->height;
  g_autofree guint8 *pixels = draw_runs (mask), *passed = pixels ? g_try_malloc0 ((gsize) width * (gsize) height) : NULL;
  GPtrArray         *polygons = passed ? new_polygons () : NULL;

  for (gint64 x = 0; x < width && polygons; x++)
    for (gint64 y = 0; y < height; y++)
      if (pixels[x * height + y] && !passed[x * height + y] && !is_set (pixels, width, height, x, y - 1))
        g_ptr_array_add (polygons, trace (pixels, passed, width, height, x, y));
  return polygons;
}

/* ---- for callers ----------------------------------------------------------------------------------------------------------------------- */

char *
segmentation_read (JsonNode *node, int width, int height, gboolean *is_sound)
{
  g_auto (Segmentation) segmentation = { 0 };

  *is_sound = read_node (&segmentation, node) && (segmentation.polygons || (segmentation.width == width && segmentation.height == height));
  return *is_sound && (!segmentation.polygons || segmentation.polygons->len > 0) ? write_text (&segmentation) : NULL;
}

gboolean
fovea_segmentation_is_sound (const char *text, int width, int height)
{
  g_auto (Segmentation) segmentation = { 0 };

  return read_text (&segmentation, text) && (segmentation.polygons || (segmentation.width == width && segmentation.height == height));
}

GPtrArray *
fovea_segmentation_get_polygons (const char *text)
{
  g_auto (Segmentation) segmentation = { 0 };

  if (!read_text (&segmentation, text))
    return NULL;
  return segmentation.polygons ? g_steal_pointer (&segmentation.polygons) : trace_mask (&segmentation);
}

char *
fovea_segmentation_redraw (const char *text, const GPtrArray *polygons, int width, int height)
{
  g_auto (Segmentation) segmentation = { 0 };
  g_autofree guint8    *pixels = NULL;

  if (!text || !read_text (&segmentation, text) || segmentation.polygons)
    return write_polygons (polygons);
  pixels = g_try_malloc0 ((gsize) width * (gsize) height);
  if (!pixels)
    return NULL;
  fill (pixels, polygons, width, height);
  g_array_unref (segmentation.runs);
  segmentation.runs = find_runs (pixels, (gsize) width * (gsize) height);
  segmentation.width = width;
  segmentation.height = height;
  return write_mask (&segmentation);
}

/* Twice the area that is surrounded, by the surveyor's formula. */
static double
measure (const GArray *points)
{
  const double *all = (const double *) (gconstpointer) points->data;
  double        sum = 0;

  for (guint k = 0; k < points->len; k += 2)
    sum += all[k] * all[(k + 3) % points->len] - all[(k + 2) % points->len] * all[k + 1];
  return sum;
}

double
segmentation_get_area (const char *text)
{
  g_auto (Segmentation) segmentation = { 0 };
  double                area = 0;

  if (!read_text (&segmentation, text))
    return 0;
  for (guint i = 0; segmentation.polygons && i < segmentation.polygons->len; i++)
    area += fabs (measure (segmentation.polygons->pdata[i])) / 2;
  for (guint i = 1; segmentation.runs && i < segmentation.runs->len; i += 2)
    area += (double) g_array_index (segmentation.runs, gint64, i);
  return area;
}

gboolean
segmentation_get_box (const char *text, double *x, double *y, double *width, double *height)
{
  g_autoptr (GPtrArray) polygons = fovea_segmentation_get_polygons (text);
  double                low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };

  for (guint i = 0; polygons && i < polygons->len; i++)
    {
      const GArray *points = polygons->pdata[i];

      for (guint k = 0; k < points->len; k++)
        {
          low[k % 2] = MIN (low[k % 2], g_array_index (points, double, k));
          high[k % 2] = MAX (high[k % 2], g_array_index (points, double, k));
        }
    }
  *x = low[0];
  *y = low[1];
  *width = high[0] - low[0];
  *height = high[1] - low[1];
  return isfinite (low[0]);
}
