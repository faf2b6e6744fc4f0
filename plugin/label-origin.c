/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-origin.c: see label-origin.h.
 */

#include "label-origin.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define ORIGIN "fovea-label-origin" /* parasite: a JSON object of texts */

void
label_origin_keep (GimpImage *image, const FoveaLabels *labels, const FoveaLabelPhoto *photo)
{
  JsonObject          *object = json_object_new (), *classes = json_object_new ();
  g_autoptr (JsonNode) root = json_node_init_object (json_node_alloc (), object);
  g_autofree char     *text = NULL;
  GHashTableIter       each;
  gpointer             name, more;
  GimpParasite        *parasite;

  json_object_unref (object); /* the node has it */
  g_hash_table_iter_init (&each, labels->class_more);
  while (g_hash_table_iter_next (&each, &name, &more))
    if (more)
      json_object_set_string_member (classes, name, more);
  if (photo->more)
    json_object_set_string_member (object, "photo", photo->more);
  if (labels->more)
    json_object_set_string_member (object, "file", labels->more);
  json_object_set_object_member (object, "classes", classes);
  if (json_object_get_size (object) == 1 && json_object_get_size (classes) == 0)
    return;
  text = json_to_string (root, FALSE);
  parasite = gimp_parasite_new (ORIGIN, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, strlen (text) + 1, text);
  gimp_image_attach_parasite (image, parasite);
  gimp_parasite_free (parasite);
}

/* The object in the image's parasite; NULL: there is none. */
static JsonNode *
read_origin (GimpImage *image)
{
  GimpParasite    *parasite = gimp_image_get_parasite (image, ORIGIN);
  guint32          size = 0;
  const char      *data = parasite ? gimp_parasite_get_data (parasite, &size) : NULL;
  g_autofree char *text = data ? g_strndup (data, size) : NULL;
  JsonNode        *node = text ? json_from_string (text, NULL) : NULL;

  if (parasite)
    gimp_parasite_free (parasite);
  if (node && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);
  return node;
}

void
label_origin_restore (const LabelLayers *layers, FoveaLabels *labels, FoveaLabelPhoto *photo)
{
  g_autoptr (JsonNode) root = read_origin (layers->image);
  JsonObject          *object = root ? json_node_get_object (root) : NULL;
  JsonNode            *node = object ? json_object_get_member (object, "classes") : NULL;
  JsonObject          *classes = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (GList)    names = classes ? json_object_get_members (classes) : NULL;

  for (const GList *name = names; name; name = name->next)
    {
      const char *more = json_object_get_string_member_with_default (classes, name->data, NULL);
      gint        index = label_layers_recognize (layers, name->data);

      if (more && index >= 0 && !g_hash_table_contains (labels->class_more, layers->classes[index].name))
        g_hash_table_insert (labels->class_more, g_strdup (layers->classes[index].name), g_strdup (more));
    }
  if (!object)
    return;
  photo->more = g_strdup (json_object_get_string_member_with_default (object, "photo", NULL));
  if (!labels->more)
    labels->more = g_strdup (json_object_get_string_member_with_default (object, "file", NULL));
}
