/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-paths.c: see label-paths.h.
 */

#include "label-paths.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "items.h"
#include "object-output.h"

#define PRECISION  0.5   /* of curves, pixels */
#define UNMOVED    0.01  /* XCF files keep places as floats */
#define ANNOTATION "fovea-annotation" /* parasite: what files say of an object beside its box, as JSON */

char *
label_paths_read_text (GimpItem *item, const char *name)
{
  GimpParasite *parasite = gimp_item_get_parasite (item, name);
  const char   *data;
  char         *text;
  guint32       size = 0;

  if (!parasite)
    return NULL;
  data = gimp_parasite_get_data (parasite, &size);
  text = g_strndup (data ? data : "", data ? size : 0);
  gimp_parasite_free (parasite);
  return text;
}

/* The object in the path's parasite; NULL: there is none. */
static JsonNode *
read_parasite (GimpItem *path, const char *name)
{
  g_autofree char *text = label_paths_read_text (path, name);
  JsonNode        *node = text ? json_from_string (text, NULL) : NULL;

  if (node && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);
  return node;
}

/* Whether GIMP made the path's name of the class's: “cat”, “cat #2”. */
static gboolean
is_named_after (const char *name, const char *class)
{
  return g_str_has_prefix (name, class) && (name[strlen (class)] == '\0' || g_str_has_prefix (name + strlen (class), " #"));
}

/* The class that it shows; -1: none. */
static gint
find_class (const LabelLayers *labels, GimpItem *path, JsonObject *object)
{
  g_autofree char *name = items_get_name (path);
  const char      *label = object ? json_object_get_string_member_with_default (object, "label", "") : "";
  gint             index = label_layers_recognize (labels, label), by_name = label_layers_recognize (labels, name);
  char            *sign;

  if (index >= 0 && (by_name < 0 || is_named_after (name, label)))
    return index;
  sign = strrchr (name, '#');
  if (by_name >= 0 || !sign || sign == name)
    return by_name;
  *sign = '\0';
  return label_layers_recognize (labels, name);
}

/* What the path's strokes reach; FALSE: it has none. */
static gboolean
bound (GimpPath *path, LabelPath *box)
{
  gsize            n_strokes, n_points;
  g_autofree gint *strokes = gimp_path_get_strokes (path, &n_strokes);
  double           right = -INFINITY, bottom = -INFINITY;
  gboolean         closed;

  box->x = box->y = INFINITY;
  for (gsize s = 0; s < n_strokes; s++)
    {
      g_autofree gdouble *points = gimp_path_stroke_interpolate (path, strokes[s], PRECISION, &n_points, &closed);

      for (gsize i = 0; points && i + 1 < n_points; i += 2)
        {
          box->x = MIN (box->x, points[i]);
          box->y = MIN (box->y, points[i + 1]);
          right = MAX (right, points[i]);
          bottom = MAX (bottom, points[i + 1]);
        }
    }
  box->width = right - box->x;
  box->height = bottom - box->y;
  return right >= box->x;
}

/* The box that was imported comes in the place of the one that was drawn, if the path is known to be the same, or they are the same but for rounding. */
static gboolean
restore (LabelPath *drawn, JsonObject *object, gboolean is_same)
{
  JsonNode  *node = object ? json_object_get_member (object, "box") : NULL;
  JsonArray *box = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  double    *numbers[4] = { &drawn->x, &drawn->y, &drawn->width, &drawn->height };

  if (!box || json_array_get_length (box) != G_N_ELEMENTS (numbers))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (numbers) && !is_same; i++)
    if (fabs (json_array_get_double_element (box, i) - *numbers[i]) > 2 * UNMOVED)
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    *numbers[i] = json_array_get_double_element (box, i);
  return TRUE;
}

GArray *
label_paths_list (const LabelLayers *labels)
{
  g_autofree GimpPath **paths = gimp_image_get_paths (labels->image);
  GArray               *list = g_array_new (FALSE, FALSE, sizeof (LabelPath));

  for (guint i = 0; paths && paths[i]; i++)
    {
      g_autoptr (JsonNode) node = read_parasite (GIMP_ITEM (paths[i]), OBJECT_OUTPUT_PARASITE), more = read_parasite (GIMP_ITEM (paths[i]), ANNOTATION);
      JsonObject          *object = node ? json_node_get_object (node) : NULL;
      gint                 class = find_class (labels, GIMP_ITEM (paths[i]), object);
      LabelPath            path = { .path = paths[i], .class = (guint) MAX (class, 0), .score = -1 };

      if (class < 0 || !bound (paths[i], &path))
        continue;
      restore (&path, object, FALSE);
      path.score = object ? json_object_get_double_member_with_default (object, "score", -1) : -1;
      path.is_crowd = more && json_object_get_boolean_member_with_default (json_node_get_object (more), "crowd", FALSE);
      g_array_append_val (list, path);
    }
  return list;
}

/* ---- what surrounds an object --------------------------------------------------------------------------------------- */

/* GIMP does without a last point that is the first again. */
static void
open_up (GArray *points)
{
  while (points->len > 2 && fabs (g_array_index (points, double, 0) - g_array_index (points, double, points->len - 2)) <= UNMOVED
         && fabs (g_array_index (points, double, 1) - g_array_index (points, double, points->len - 1)) <= UNMOVED)
    g_array_set_size (points, points->len - 2);
}

/* The points of a stroke: those that it has where it is straight, otherwise those along its curves. Of double: x, y … */
static GArray *
read_stroke (GimpPath *path, gint stroke)
{
  GArray             *points = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree gdouble *all = NULL, *along = NULL;
  gsize               n = 0, n_along = 0;
  gboolean            closed, straight;

  straight = gimp_path_stroke_get_points (path, stroke, &n, &all, &closed) == GIMP_PATH_STROKE_TYPE_BEZIER && n % 6 == 0;
  for (gsize i = 0; i < n && straight; i++)
    straight = fabs (all[i] - all[i / 6 * 6 + 2 + i % 2]) <= UNMOVED;
  if (!straight)
    along = gimp_path_stroke_interpolate (path, stroke, PRECISION, &n_along, &closed);
  for (gsize i = 0; i + 5 < n && straight; i += 6)
    g_array_append_vals (points, all + i + 2, 2);
  g_array_append_vals (points, along, (guint) n_along);
  open_up (points);
  return points;
}

/* Of GArray of double. */
static GPtrArray *
read_strokes (GimpPath *path)
{
  GPtrArray       *polygons = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  gsize            n;
  g_autofree gint *strokes = gimp_path_get_strokes (path, &n);

  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (polygons, read_stroke (path, strokes[i]));
  return polygons;
}

/* Whether the strokes are what was made of these polygons, which are opened up. */
static gboolean
are_same (const GPtrArray *strokes, GPtrArray *polygons)
{
  gboolean same = polygons && strokes->len == polygons->len;

  for (guint i = 0; same && i < strokes->len; i++)
    {
      const GArray *a = strokes->pdata[i];
      GArray       *b = polygons->pdata[i];

      open_up (b);
      same = a->len == b->len;
      for (guint k = 0; same && k < a->len; k++)
        same = fabs (g_array_index (a, double, k) - g_array_index (b, double, k)) <= UNMOVED;
    }
  return same;
}

/* Whether that is nothing but the box: four of its corners, one after the other. */
static gboolean
is_box (const GPtrArray *polygons, const LabelPath *box)
{
  const GArray *points = polygons->len == 1 ? polygons->pdata[0] : NULL;
  gboolean      fits = points && points->len == 8;

  for (guint i = 0; fits && i < points->len; i += 2)
    {
      const double *all = (const double *) (gconstpointer) points->data, *here = all + i, *next = all + (i + 2) % points->len;

      fits = (fabs (here[0] - box->x) <= UNMOVED || fabs (here[0] - box->x - box->width) <= UNMOVED)
             && (fabs (here[1] - box->y) <= UNMOVED || fabs (here[1] - box->y - box->height) <= UNMOVED)
             && (fabs (here[0] - next[0]) <= UNMOVED || fabs (here[1] - next[1]) <= UNMOVED);
    }
  return fits;
}

/* What was drawn around the object by hand, as polygons; NULL: a box, or nothing that surrounds anything. Free with g_free. */
static char *
outline (GPtrArray *polygons, const LabelPath *box)
{
  if (box->width <= UNMOVED || box->height <= UNMOVED || is_box (polygons, box))
    return NULL;
  for (guint i = polygons->len; i-- > 0;)
    if (((const GArray *) polygons->pdata[i])->len < 6)
      g_ptr_array_remove_index (polygons, i);
  return polygons->len > 0 ? fovea_segmentation_redraw (NULL, polygons, 0, 0) : NULL;
}

void
label_paths_describe (const LabelPath *path, GimpImage *image, FoveaLabelBox *box)
{
  g_autoptr (JsonNode)  node = read_parasite (GIMP_ITEM (path->path), OBJECT_OUTPUT_PARASITE), more = read_parasite (GIMP_ITEM (path->path), ANNOTATION);
  JsonObject           *object = node ? json_node_get_object (node) : NULL, *rest = more ? json_node_get_object (more) : NULL;
  const char           *segmentation = rest ? json_object_get_string_member_with_default (rest, "segmentation", NULL) : NULL;
  g_autoptr (GPtrArray) polygons = read_strokes (path->path), before = segmentation ? fovea_segmentation_get_polygons (segmentation) : NULL;
  const char           *kept;
  gboolean              is_same = segmentation && are_same (polygons, before);
  LabelPath             place = *path;

  is_same = restore (&place, object, is_same) && (is_same || !segmentation);
  box->x = place.x;
  box->y = place.y;
  box->width = place.width;
  box->height = place.height;
  box->score = path->score;
  box->area = -1;
  box->segmentation = !segmentation ? outline (polygons, path)
                      : is_same     ? g_strdup (segmentation)
                                    : fovea_segmentation_redraw (segmentation, polygons, gimp_image_get_width (image), gimp_image_get_height (image));
  if (!rest)
    return;
  box->area = is_same ? json_object_get_double_member_with_default (rest, "area", -1) : -1;
  kept = json_object_get_string_member_with_default (rest, "more", NULL);
  box->more = is_same ? g_strdup (kept) : fovea_label_more_moved (kept);
  box->pose = g_strdup (json_object_get_string_member_with_default (rest, "pose", NULL));
  box->is_crowd = json_object_get_boolean_member_with_default (rest, "crowd", FALSE);
  box->is_truncated = json_object_get_boolean_member_with_default (rest, "truncated", FALSE);
  box->is_difficult = json_object_get_boolean_member_with_default (rest, "difficult", FALSE);
  box->is_occluded = json_object_get_boolean_member_with_default (rest, "occluded", FALSE);
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static void
annotate (GimpPath *path, const FoveaLabelBox *box)
{
  const struct { const char *name; gboolean is_so; } marks[] = {
    { "crowd", box->is_crowd }, { "truncated", box->is_truncated }, { "difficult", box->is_difficult }, { "occluded", box->is_occluded } };
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode)   root = NULL;
  g_autofree char       *text = NULL;
  GimpParasite          *parasite;

  if (box->segmentation)
    json_object_set_string_member (object, "segmentation", box->segmentation);
  if (box->area >= 0)
    json_object_set_double_member (object, "area", box->area);
  if (box->pose)
    json_object_set_string_member (object, "pose", box->pose);
  if (box->more)
    json_object_set_string_member (object, "more", box->more);
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    if (marks[i].is_so)
      json_object_set_boolean_member (object, marks[i].name, TRUE);
  if (json_object_get_size (object) == 0)
    return;
  root = json_node_init_object (json_node_alloc (), object);
  text = json_to_string (root, FALSE);
  parasite = gimp_parasite_new (ANNOTATION, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen (text) + 1, text);
  gimp_item_attach_parasite (GIMP_ITEM (path), parasite);
  gimp_parasite_free (parasite);
}

gboolean
label_paths_add (GimpImage *image, const FoveaLabelBox *box, gint position, GError **error)
{
  const FoveaObject     object = { 0, box->label, box->score, box->x, box->y, box->width, box->height, FALSE };
  g_autoptr (GPtrArray) polygons = box->segmentation ? fovea_segmentation_get_polygons (box->segmentation) : NULL;
  GimpPath             *path = object_output_add_path (image, box->label, &object, polygons && polygons->len > 0 ? polygons : NULL, position);

  if (path)
    annotate (path, box);
  else
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the path. Free some memory and try again."));
  return path != NULL;
}
