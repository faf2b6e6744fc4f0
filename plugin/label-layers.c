/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-layers.c: see label-layers.h. What the layers show is label-examples.c's.
 */

#include "label-layers.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "items.h"
#include "pixels.h"

#define GROUP_PARASITE "fovea-labels"
#define CLASS_PARASITE "fovea-label"
#define N_COLOURS      7 /* that fovea_get_class_colour tells apart */

static const char *const task_names[] = { "segment", "classify", "detect", "segment" }; /* in the order of FoveaTask */

static gboolean
fail (GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the layer. Free some memory and try again."));
  return FALSE;
}

/* ---- parasites -------------------------------------------------------------------------------------------------- */

/* The JSON object in a parasite; NULL: there is none. */
static JsonObject *
read_parasite (GimpItem *item, const char *name)
{
  GimpParasite          *parasite = gimp_item_get_parasite (item, name);
  g_autoptr (JsonParser) parser = json_parser_new ();
  gconstpointer          data;
  guint32                size;
  JsonObject            *object = NULL;

  if (!parasite)
    return NULL;
  data = gimp_parasite_get_data (parasite, &size);
  if (data && size > 0 && json_parser_load_from_data (parser, data, (gssize) strnlen (data, size), NULL) && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    object = json_object_ref (json_node_get_object (json_parser_get_root (parser)));
  gimp_parasite_free (parasite);
  return object;
}

static void
write_parasite (GimpItem *item, const char *name, JsonObject *object)
{
  g_autoptr (JsonNode) root = json_node_init_object (json_node_alloc (), object);
  g_autofree char     *text = json_to_string (root, FALSE);
  GimpParasite        *parasite = gimp_parasite_new (name, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen (text) + 1, text);

  gimp_item_attach_parasite (item, parasite);
  gimp_parasite_free (parasite);
}

static void
write_task (GimpLayer *group, FoveaTask task)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_int_member (object, "version", 1);
  json_object_set_string_member (object, "task", task_names[task]);
  write_parasite (GIMP_ITEM (group), GROUP_PARASITE, object);
}

static FoveaTask
read_task (GimpLayer *group)
{
  g_autoptr (JsonObject) object = read_parasite (GIMP_ITEM (group), GROUP_PARASITE);
  const char            *word = object ? json_object_get_string_member_with_default (object, "task", "") : "";

  if (strcmp (word, "classify") == 0)
    return FOVEA_TASK_CLASSIFY;
  return strcmp (word, "detect") == 0 ? FOVEA_TASK_DETECT : FOVEA_TASK_SEGMENT;
}

static void
write_class (GimpItem *item, const LabelClass *class)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray             *colour = json_array_new ();

  for (int c = 0; c < 3; c++)
    json_array_add_int_element (colour, class->rgb[c]);
  json_object_set_string_member (object, "class", class->name);
  if (class->origin && strcmp (class->origin, class->name) != 0)
    json_object_set_string_member (object, "origin", class->origin);
  json_object_set_array_member (object, "colour", colour);
  if (class->background)
    json_object_set_boolean_member (object, "background", TRUE);
  write_parasite (item, CLASS_PARASITE, object);
  pixels_mark_layer (item);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Without the “ #2” that GIMP appends to names that are taken, and without space around it. Free with g_free. */
static char *
plain_name (const char *name)
{
  g_autofree char *plain = g_strstrip (g_strdup (name ? name : ""));
  char            *sign = strrchr (plain, '#');

  if (sign && sign > plain && sign[-1] == ' ' && sign[1] && strspn (sign + 1, "0123456789") == strlen (sign + 1))
    *sign = '\0';
  return g_strdup (g_strstrip (plain));
}

/* Whether a layer of that name still shows the class: it is the class's, or GIMP made it of that. */
static gboolean
shows_class (const char *name, const char *class)
{
  const char *const forms[] = { "%s copy", g_dgettext ("gimp30", "%s copy") };
  g_autofree char  *plain = plain_name (name), *plain_class = plain_name (class);

  if (strcmp (name, class) == 0 || strcmp (plain, class) == 0 || strcmp (plain, plain_class) == 0)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_auto (GStrv)   parts = g_strsplit (forms[i], "%s", 2);
      g_autofree char *copy = g_strv_length (parts) == 2 ? g_strconcat (parts[0], class, parts[1], NULL) : NULL;

      if (g_strcmp0 (plain, copy) == 0)
        return TRUE;
    }
  return FALSE;
}

gboolean
label_layers_is_background_name (const char *name)
{
  g_autofree char *folded = g_utf8_casefold (name, -1), *english = g_utf8_casefold ("Background", -1), *own = g_utf8_casefold (_("Background"), -1);

  return strcmp (folded, english) == 0 || strcmp (folded, own) == 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void
class_clear (LabelClass *class)
{
  g_free (class->name);
  g_free (class->origin);
  g_ptr_array_unref (class->items);
  g_ptr_array_unref (class->layers);
}

void
label_layers_free (LabelLayers *labels)
{
  if (!labels)
    return;
  for (guint i = 0; i < labels->n; i++)
    class_clear (&labels->classes[i]);
  g_free (labels->classes);
  g_free (labels);
}

static GimpLayer *
find_among (GimpItem **items)
{
  GimpLayer *found = NULL;

  for (guint i = 0; items[i] && !found; i++)
    if (gimp_item_is_group (items[i]))
      {
        GimpParasite *parasite = gimp_item_get_parasite (items[i], GROUP_PARASITE);

        if (parasite)
          {
            gimp_parasite_free (parasite);
            found = GIMP_LAYER (items[i]);
          }
        else
          {
            g_autofree GimpItem **children = items_in_group (items[i]);

            found = find_among (children);
          }
      }
  return found;
}

GimpLayer *
label_layers_find (GimpImage *image)
{
  g_autofree GimpItem **layers = items_in_image (image);

  return find_among (layers);
}

gint
label_layers_index (const LabelLayers *labels, const char *name)
{
  for (guint i = 0; i < labels->n; i++)
    if (strcmp (labels->classes[i].name, name) == 0)
      return (gint) i;
  return -1;
}

gint
label_layers_recognize (const LabelLayers *labels, const char *name)
{
  gint             index = label_layers_index (labels, name);
  g_autofree char *plain = g_strstrip (g_strdup (name));

  for (guint i = 0; i < labels->n && index < 0 && *plain; i++)
    {
      g_autofree char *other = g_strstrip (g_strdup (labels->classes[i].name));

      if (strcmp (other, plain) == 0)
        index = (gint) i;
    }
  for (guint i = 0; i < labels->n && index < 0; i++)
    if (g_strcmp0 (labels->classes[i].origin, name) == 0)
      index = (gint) i;
  return index;
}

/* The layers in an item, which may be one itself. */
static void
gather_layers (GimpItem *item, GPtrArray *layers)
{
  if (gimp_item_is_group (item))
    {
      g_autofree GimpItem **children = items_in_group (item);

      for (guint i = 0; children[i]; i++)
        gather_layers (children[i], layers);
    }
  else
    g_ptr_array_add (layers, item);
}

/* The colour that the fewest classes have. */
static void
choose_colour (const LabelLayers *labels, guint8 rgb[3])
{
  guint uses[N_COLOURS] = { 0 }, best = 0;

  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < N_COLOURS; k++)
      {
        guint8 colour[3];

        fovea_get_class_colour (k, colour);
        uses[k] += memcmp (colour, labels->classes[i].rgb, sizeof colour) == 0;
      }
  for (guint k = 1; k < N_COLOURS; k++)
    if (uses[k] < uses[best])
      best = k;
  fovea_get_class_colour (best, rgb);
}

static LabelClass *
append_class (LabelLayers *labels, const char *name)
{
  LabelClass class = { .name = g_strdup (name), .items = g_ptr_array_new (), .layers = g_ptr_array_new () };

  class.background = label_layers_is_background_name (name);
  labels->classes = g_renew (LabelClass, labels->classes, labels->n + 1);
  labels->classes[labels->n] = class;
  return &labels->classes[labels->n++];
}

/* A child of the group is put to its class. FALSE: nothing says that class's colour. */
static gboolean
read_child (LabelLayers *labels, GimpItem *item)
{
  g_autoptr (JsonObject) object = read_parasite (item, CLASS_PARASITE);
  const char            *stored = object ? json_object_get_string_member_with_default (object, "class", NULL) : NULL;
  g_autofree char       *own = items_get_name (item), *plain = plain_name (own);
  const char            *name = stored && (shows_class (own, stored) || !*plain) ? stored : *plain ? plain : _("Unnamed");
  gint                   index = label_layers_index (labels, name);
  LabelClass            *class = index >= 0 ? &labels->classes[index] : append_class (labels, name);
  JsonNode              *node = object ? json_object_get_member (object, "colour") : NULL;
  JsonArray             *colour = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (index < 0 && colour && json_array_get_length (colour) == 3)
    for (guint c = 0; c < 3; c++)
      class->rgb[c] = (guint8) CLAMP (json_array_get_int_element (colour, c), 0, 255);
  if (!class->origin && stored)
    class->origin = g_strdup (json_object_get_string_member_with_default (object, "origin", stored));
  if (index < 0 && name == stored) /* also where it was made in another language */
    class->background |= json_object_get_boolean_member_with_default (object, "background", FALSE);
  g_ptr_array_add (class->items, item);
  gather_layers (item, class->layers);
  return index >= 0 || (colour && json_array_get_length (colour) == 3);
}

LabelLayers *
label_layers_read (GimpImage *image, GError **error)
{
  g_autoptr (LabelLayers) labels = g_new0 (LabelLayers, 1);
  g_autofree GimpItem   **children = NULL;
  g_autoptr (GArray)      colourless = g_array_new (FALSE, FALSE, sizeof (guint));

  labels->image = image;
  labels->group = label_layers_find (image);
  children = labels->group ? items_in_group (GIMP_ITEM (labels->group)) : NULL;
  if (!children || !gimp_item_is_valid (GIMP_ITEM (labels->group)))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("This image has no labels. Make some with Filters ▸ Fovea ▸ Label Layers."));
      return NULL;
    }
  labels->task = read_task (labels->group);
  for (guint i = 0; children[i]; i++)
    if (!read_child (labels, children[i]))
      {
        guint last = labels->n - 1;

        g_array_append_val (colourless, last);
      }
  for (guint i = 0; i < colourless->len; i++) /* when those of the others are known */
    choose_colour (labels, labels->classes[g_array_index (colourless, guint, i)].rgb);
  if (labels->n <= LABEL_LAYERS_MOST)
    return g_steal_pointer (&labels);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The label group has %d classes. Leave at most %d."), (int) labels->n, LABEL_LAYERS_MOST);
  return NULL;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static GimpLayer *
new_layer (const LabelLayers *labels, const LabelClass *class)
{
  static const GimpImageType types[] = { [GIMP_RGB] = GIMP_RGBA_IMAGE, [GIMP_GRAY] = GIMP_GRAYA_IMAGE, [GIMP_INDEXED] = GIMP_INDEXEDA_IMAGE };

  return gimp_layer_new (labels->image, class->name, gimp_image_get_width (labels->image), gimp_image_get_height (labels->image),
                         types[gimp_image_get_base_type (labels->image)], 100, GIMP_LAYER_MODE_NORMAL);
}

/* The layer of a class, or for whole images the group that its examples go into. */
static GimpLayer *
insert_item (const LabelLayers *labels, LabelClass *class, gboolean as_group, gint position)
{
  GimpLayer *layer = as_group ? GIMP_LAYER (gimp_group_layer_new (labels->image, class->name)) : new_layer (labels, class);

  if (!layer || !gimp_image_insert_layer (labels->image, layer, labels->group, position))
    return NULL;
  write_class (GIMP_ITEM (layer), class);
  g_ptr_array_add (class->items, layer);
  if (!as_group)
    g_ptr_array_add (class->layers, layer);
  return layer;
}

static gboolean
make_group (GimpImage *image)
{
  GimpLayer *group = GIMP_LAYER (gimp_group_layer_new (image, _("Labels")));

  if (!group || !gimp_image_insert_layer (image, group, NULL, 0))
    return FALSE;
  gimp_layer_set_opacity (group, LABEL_LAYERS_OPACITY);
  pixels_mark_layer (GIMP_ITEM (group));
  write_task (group, FOVEA_TASK_SEGMENT);
  return TRUE;
}

/* What the user has renamed or put there keeps its class from now on. */
static void
adopt (const LabelLayers *labels)
{
  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < labels->classes[i].items->len; k++)
      {
        GimpItem              *item = labels->classes[i].items->pdata[k];
        g_autoptr (JsonObject) object = read_parasite (item, CLASS_PARASITE);

        if (!object || g_strcmp0 (json_object_get_string_member_with_default (object, "class", NULL), labels->classes[i].name) != 0)
          write_class (item, &labels->classes[i]);
      }
}

static LabelLayers *
make_in_step (GimpImage *image, FoveaTask task, const char *const *classes, GError **error)
{
  g_autoptr (LabelLayers) labels = NULL;

  if (!label_layers_find (image) && !make_group (image))
    {
      fail (error);
      return NULL;
    }
  labels = label_layers_read (image, error);
  if (!labels)
    return NULL;
  adopt (labels);
  if (task != FOVEA_TASK_UNKNOWN && task != labels->task)
    write_task (labels->group, labels->task = task);
  for (guint i = 0; classes && classes[i]; i++)
    {
      LabelClass *class;

      if (!*classes[i] || label_layers_index (labels, classes[i]) >= 0)
        continue;
      if (labels->n == LABEL_LAYERS_MOST)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("A label group has at most %d classes. Remove one first."), LABEL_LAYERS_MOST);
          return NULL;
        }
      class = append_class (labels, classes[i]);
      class->origin = g_strdup (class->name);
      choose_colour (labels, class->rgb);
      if (!insert_item (labels, class, labels->task == FOVEA_TASK_CLASSIFY, (gint) items_count (GIMP_ITEM (labels->group))))
        {
          fail (error);
          return NULL;
        }
    }
  return g_steal_pointer (&labels);
}

LabelLayers *
label_layers_make (GimpImage *image, FoveaTask task, const char *const *classes, GError **error)
{
  LabelLayers *labels;

  gimp_image_undo_group_start (image);
  labels = make_in_step (image, task, classes, error);
  gimp_image_undo_group_end (image);
  return labels;
}

GimpLayer *
label_layers_add_layer (const LabelLayers *labels, guint index, GError **error)
{
  LabelClass *class = &labels->classes[index];
  GimpItem   *last = class->items->pdata[class->items->len - 1];
  GimpLayer  *layer = insert_item (labels, class, FALSE, gimp_image_get_item_position (labels->image, last) + 1);

  if (!layer)
    fail (error);
  return layer;
}

/* ---- changing ---------------------------------------------------------------------------------------------------- */

gboolean
label_layers_rename (const LabelLayers *labels, guint index, const char *name, GError **error)
{
  LabelClass      *class = &labels->classes[index];
  g_autofree char *wanted = g_strstrip (g_strdup (name));
  gint             other = label_layers_index (labels, wanted);

  if (!*wanted)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("A class needs a name. Type one."));
      return FALSE;
    }
  if (other >= 0 && other != (gint) index)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is a class “%s” already. Choose another name."), wanted);
      return FALSE;
    }
  g_free (class->name);
  class->name = g_steal_pointer (&wanted);
  class->background = label_layers_is_background_name (class->name);
  gimp_image_undo_group_start (labels->image);
  for (guint i = 0; i < class->items->len; i++)
    {
      gimp_item_set_name (class->items->pdata[i], class->name);
      write_class (class->items->pdata[i], class);
    }
  gimp_image_undo_group_end (labels->image);
  return TRUE;
}

void
label_layers_remove (const LabelLayers *labels, guint index)
{
  gimp_image_undo_group_start (labels->image);
  for (guint i = 0; i < labels->classes[index].items->len; i++)
    gimp_image_remove_layer (labels->image, GIMP_LAYER (labels->classes[index].items->pdata[i]));
  gimp_image_undo_group_end (labels->image);
}

void
label_layers_select (const LabelLayers *labels, guint index)
{
  const LabelClass *class = &labels->classes[index];
  const GimpLayer  *layers[] = { class->layers->len ? class->layers->pdata[0] : class->items->pdata[0], NULL };
  GeglColor        *colour = gegl_color_new (NULL);

  gegl_color_set_pixel (colour, babl_format ("R'G'B' u8"), class->rgb);
  gimp_image_set_selected_layers (labels->image, layers);
  gimp_context_set_foreground (colour);
  g_object_unref (colour);
}
