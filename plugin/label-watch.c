/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-watch.c: see label-watch.h.
 */

#include "label-watch.h"

#include <string.h>

#define REDUCED 8    /* times: an opaque pixel still counts for four of 255 */
#define LARGEST 1024 /* side of a thumbnail that GIMP makes */
#define AROUND  2    /* pixels of a thumbnail that a change may reach beyond those that show it */

/* A part of a layer, or of its mask. */
typedef struct
{
  gint32        id;     /* of the whole */
  guint         class;
  GeglRectangle place;  /* in the image */
  int           width, height;
  GBytes       *pixels; /* of the thumbnail; NULL: the layer has just gone */
} Seen;

struct _LabelWatch
{
  char      *names; /* of the classes; NULL: nothing has been seen yet */
  GPtrArray *seen;  /* of Seen */
};

static void
seen_free (gpointer data)
{
  Seen *seen = data;

  g_clear_pointer (&seen->pixels, g_bytes_unref);
  g_free (seen);
}

LabelWatch *
label_watch_new (void)
{
  LabelWatch *watch = g_new0 (LabelWatch, 1);

  watch->seen = g_ptr_array_new_with_free_func (seen_free);
  return watch;
}

void
label_watch_free (LabelWatch *watch)
{
  if (!watch)
    return;
  g_ptr_array_unref (watch->seen);
  g_free (watch->names);
  g_free (watch);
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

/* A layer or mask, whose place in the image is (left, top). */
typedef struct
{
  GimpDrawable *drawable;
  guint         class;
  int           left, top;
} Look;

/* Parts of an area of it, in thumbnails that are so many times as small. */
static void
see_area (GPtrArray *all, const Look *look, const GeglRectangle *area, int reduced)
{
  int side = LARGEST * reduced;

  for (int y = area->y; y < area->y + area->height; y += side)
    for (int x = area->x; x < area->x + area->width; x += side)
      {
        Seen *seen = g_new0 (Seen, 1);
        int   width = MIN (side, area->x + area->width - x), height = MIN (side, area->y + area->height - y), bytes;

        seen->id = gimp_item_get_id (GIMP_ITEM (look->drawable));
        seen->class = look->class;
        seen->place = (GeglRectangle) { look->left + x, look->top + y, width, height };
        seen->pixels = gimp_drawable_get_sub_thumbnail_data (look->drawable, x, y, width, height, width / reduced, height / reduced, &seen->width, &seen->height, &bytes);
        g_ptr_array_add (all, seen);
      }
}

/* Only where a thumbnail is reduced just so often is each of its pixels a mean of GIMP's own: what is left of a row or column is seen as it is. */
static void
see (GPtrArray *all, GimpDrawable *drawable, guint class, int left, int top)
{
  const Look look = { drawable, class, left, top };
  int        width = gimp_drawable_get_width (drawable), height = gimp_drawable_get_height (drawable);
  int        across = width / REDUCED * REDUCED, down = height / REDUCED * REDUCED;

  see_area (all, &look, GEGL_RECTANGLE (0, 0, across, down), REDUCED);
  see_area (all, &look, GEGL_RECTANGLE (across, 0, width - across, down), 1);
  see_area (all, &look, GEGL_RECTANGLE (0, down, width, height - down), 1);
}

static GPtrArray *
see_all (const LabelLayers *labels)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (seen_free);

  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < labels->classes[i].layers->len; k++)
      {
        GimpLayer *layer = labels->classes[i].layers->pdata[k];
        GimpLayerMask *mask;
        int        x, y;

        if (!gimp_item_is_valid (GIMP_ITEM (layer)) || !gimp_drawable_get_offsets (GIMP_DRAWABLE (layer), &x, &y))
          continue;
        see (all, GIMP_DRAWABLE (layer), i, x, y);
        mask = gimp_layer_get_mask (layer);
        if (mask && gimp_layer_get_apply_mask (layer))
          see (all, GIMP_DRAWABLE (mask), i, x, y);
      }
  return all;
}

static char *
join_names (const LabelLayers *labels)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < labels->n; i++)
    g_string_append_printf (names, "%s\n", labels->classes[i].name);
  return g_string_free (names, FALSE);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------ */

static gboolean
are_alike (const GPtrArray *one, const GPtrArray *other)
{
  if (one->len != other->len)
    return FALSE;
  for (guint i = 0; i < one->len; i++)
    {
      const Seen *a = one->pdata[i], *b = other->pdata[i];

      if (a->id != b->id || a->class != b->class || !gegl_rectangle_equal (&a->place, &b->place) || a->width != b->width || a->height != b->height ||
          !a->pixels != !b->pixels || (a->pixels && g_bytes_get_size (a->pixels) != g_bytes_get_size (b->pixels)))
        return FALSE;
    }
  return TRUE;
}

/* Where two thumbnails of a layer differ, in the image; FALSE: nowhere. */
static gboolean
find_change (const Seen *before, const Seen *now, GeglRectangle *area)
{
  const guint8 *old = before->pixels ? g_bytes_get_data (before->pixels, NULL) : NULL, *new = now->pixels ? g_bytes_get_data (now->pixels, NULL) : NULL;
  gsize         row = old ? g_bytes_get_size (now->pixels) / (gsize) now->height : 0, bytes = old ? row / (gsize) now->width : 0;
  int           left = now->width, right = -1, top = -1, bottom = -1;
  double        across = (double) now->place.width / MAX (now->width, 1), down = (double) now->place.height / MAX (now->height, 1);

  for (int y = 0; old && y < now->height; y++, old += row, new += row)
    {
      if (memcmp (old, new, row) == 0)
        continue;
      top = top < 0 ? y : top;
      bottom = y;
      for (int x = 0; x < now->width; x++)
        if (memcmp (old + (gsize) x * bytes, new + (gsize) x * bytes, bytes) != 0)
          {
            left = MIN (left, x);
            right = MAX (right, x);
          }
    }
  if (right < 0)
    return FALSE;
  left = (int) ((left - AROUND) * across);
  top = (int) ((top - AROUND) * down);
  *area = (GeglRectangle) { now->place.x + left, now->place.y + top, (int) ((right + AROUND + 1) * across) + 1 - left, (int) ((bottom + AROUND + 1) * down) + 1 - top };
  return TRUE;
}

gboolean
label_watch_look (LabelWatch *watch, const LabelLayers *labels, GeglRectangle *area)
{
  GPtrArray          *seen = see_all (labels);
  char               *names = join_names (labels);
  const GeglRectangle canvas = { 0, 0, gimp_image_get_width (labels->image), gimp_image_get_height (labels->image) };
  GeglRectangle       change;
  gboolean            changed;

  *area = (GeglRectangle) { 0, 0, 0, 0 };
  changed = g_strcmp0 (names, watch->names) != 0 || !are_alike (seen, watch->seen);
  if (changed)
    *area = canvas;
  for (guint i = 0; !changed && i < seen->len; i++)
    if (find_change (watch->seen->pdata[i], seen->pdata[i], &change))
      gegl_rectangle_bounding_box (area, area, &change);
  changed = gegl_rectangle_intersect (area, area, &canvas);
  g_ptr_array_unref (watch->seen);
  g_free (watch->names);
  watch->seen = seen;
  watch->names = names;
  return changed;
}
