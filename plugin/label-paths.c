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

#define PRECISION 0.5   /* of curves, pixels */
#define UNMOVED   0.01  /* XCF files keep places as floats */

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
read_parasite (GimpItem *path)
{
  g_autofree char *text = label_paths_read_text (path, OBJECT_OUTPUT_PARASITE);
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
  gint             index = label_layers_index (labels, label);
  char            *sign;

  if (index >= 0 && is_named_after (name, label))
    return index;
  g_strstrip (name);
  if (label_layers_index (labels, name) >= 0 || index >= 0)
    return label_layers_index (labels, name) >= 0 ? label_layers_index (labels, name) : index;
  sign = strrchr (name, '#');
  if (!sign || sign == name)
    return -1;
  *sign = '\0';
  return label_layers_index (labels, g_strstrip (name));
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

/* The numbers that were imported come in the place of those that were drawn, where these are the same but for rounding. */
static void
restore (LabelPath *path, JsonObject *object)
{
  JsonNode  *node = json_object_get_member (object, "box");
  JsonArray *box = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  double    *numbers[4] = { &path->x, &path->y, &path->width, &path->height };

  if (!box || json_array_get_length (box) != G_N_ELEMENTS (numbers))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (fabs (json_array_get_double_element (box, i) - *numbers[i]) > 2 * UNMOVED)
      return;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    *numbers[i] = json_array_get_double_element (box, i);
}

GArray *
label_paths_list (const LabelLayers *labels)
{
  g_autofree GimpPath **paths = gimp_image_get_paths (labels->image);
  GArray               *list = g_array_new (FALSE, FALSE, sizeof (LabelPath));

  for (guint i = 0; paths && paths[i]; i++)
    {
      g_autoptr (JsonNode) node = read_parasite (GIMP_ITEM (paths[i]));
      JsonObject          *object = node ? json_node_get_object (node) : NULL;
      gint                 class = find_class (labels, GIMP_ITEM (paths[i]), object);
      LabelPath            path = { (guint) MAX (class, 0), 0, 0, 0, 0, -1 };

      if (class < 0 || !bound (paths[i], &path))
        continue;
      if (object)
        {
          restore (&path, object);
          path.score = json_object_get_double_member_with_default (object, "score", -1);
        }
      g_array_append_val (list, path);
    }
  return list;
}

gboolean
label_paths_add (GimpImage *image, const FoveaLabelBox *box, gint position, GError **error)
{
  const FoveaObject object = { 0, box->label, box->score, box->x, box->y, box->width, box->height, FALSE };

  if (object_output_add_path (image, box->label, &object, position))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the path. Free some memory and try again."));
  return FALSE;
}
