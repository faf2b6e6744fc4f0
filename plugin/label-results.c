/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-results.c: see label-results.h. Results are known by their parasites, whatever they are called.
 */

#include "label-results.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "apply-model.h"
#include "items.h"
#include "label-paths.h"
#include "mask-output.h"
#include "object-output.h"

typedef struct
{
  GPtrArray *layers, *labels; /* of GimpLayer* that Segment made, and of char* */
  GPtrArray *frames;          /* of GimpLayer* that Locate made */
  GArray    *boxes;           /* of FoveaLabelBox: those of the frames */
  GPtrArray *names;           /* of char*: all labels, each once */
} Results;

/* ---- what there is --------------------------------------------------------------------------------------------------- */

static void
box_clear (gpointer box)
{
  fovea_label_box_clear (box);
}

static void
note_name (Results *results, const char *label)
{
  if (!g_ptr_array_find_with_equal_func (results->names, label, g_str_equal, NULL))
    g_ptr_array_add (results->names, g_strdup (label));
}

/* The object that the item shows. FALSE: none. */
static gboolean
read_object (GimpItem *item, FoveaLabelBox *box)
{
  g_autofree char     *text = label_paths_read_text (item, OBJECT_OUTPUT_PARASITE);
  g_autoptr (JsonNode) root = text ? json_from_string (text, NULL) : NULL;
  JsonObject          *object = root && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonNode            *node = object ? json_object_get_member (object, "box") : NULL;
  JsonArray           *numbers = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (!numbers || json_array_get_length (numbers) != 4)
    return FALSE;
  *box = (FoveaLabelBox) { .label = g_strdup (json_object_get_string_member_with_default (object, "label", "")), .score = -1, .area = -1,
                           .x = json_array_get_double_element (numbers, 0), .y = json_array_get_double_element (numbers, 1),
                           .width = json_array_get_double_element (numbers, 2), .height = json_array_get_double_element (numbers, 3) };
  return TRUE;
}

static void
gather_layers (Results *results, GimpItem **items)
{
  for (guint i = 0; items[i]; i++)
    {
      g_autofree GimpItem **children = gimp_item_is_group (items[i]) ? items_in_group (items[i]) : NULL;
      g_autofree char      *label = label_paths_read_text (items[i], MASK_OUTPUT_PARASITE);
      FoveaLabelBox         box;

      if (children)
        gather_layers (results, children);
      else if (label)
        {
          note_name (results, label);
          g_ptr_array_add (results->layers, items[i]);
          g_ptr_array_add (results->labels, g_steal_pointer (&label));
        }
      else if (read_object (items[i], &box))
        {
          note_name (results, box.label);
          g_ptr_array_add (results->frames, items[i]);
          g_array_append_val (results->boxes, box);
        }
    }
}

/* Paths are labels as soon as there is a class of their label. */
static guint
gather_paths (Results *results, GimpImage *image)
{
  g_autofree GimpPath **paths = gimp_image_get_paths (image);
  guint                 n = 0;

  for (guint i = 0; paths && paths[i]; i++)
    {
      FoveaLabelBox box;

      if (!read_object (GIMP_ITEM (paths[i]), &box))
        continue;
      note_name (results, box.label);
      g_free (box.label);
      n++;
    }
  return n;
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------------ */

/* Removes the layer, and its group when that is empty then. */
static void
remove_result (GimpImage *image, GimpLayer *layer)
{
  GimpItem             *group = gimp_item_get_parent (GIMP_ITEM (layer));
  g_autofree GimpItem **left = NULL;

  gimp_image_remove_layer (image, layer);
  left = group ? items_in_group (group) : NULL;
  if (left && !left[0])
    gimp_image_remove_layer (image, GIMP_LAYER (group));
}

/* A copy of the result in the label group, under the class's name. */
static gboolean
take_layer (const LabelLayers *labels, GimpLayer *layer, const char *label)
{
  GimpLayer *copy = gimp_layer_copy (layer);

  if (!copy || !gimp_image_insert_layer (labels->image, copy, labels->group, 0))
    return FALSE;
  gimp_item_detach_parasite (GIMP_ITEM (copy), MASK_OUTPUT_PARASITE);
  gimp_item_set_name (GIMP_ITEM (copy), label);
  gimp_layer_set_opacity (copy, 100);
  remove_result (labels->image, layer);
  return TRUE;
}

static gboolean
take_layers (GimpImage *image, const Results *results, GError **error)
{
  g_autoptr (LabelLayers) labels = label_layers_make (image, FOVEA_TASK_SEGMENT, NULL, error), adopted = NULL;

  if (!labels)
    return FALSE;
  for (guint i = results->layers->len; i-- > 0;)
    if (!take_layer (labels, results->layers->pdata[i], results->labels->pdata[i]))
      {
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("GIMP can't make the layer. Free some memory and try again."));
        return FALSE;
      }
  adopted = label_layers_make (image, FOVEA_TASK_SEGMENT, NULL, error);
  return adopted != NULL;
}

static gboolean
take_boxes (GimpImage *image, const Results *results, GError **error)
{
  g_autoptr (LabelLayers) labels = NULL;

  g_ptr_array_add (results->names, NULL);
  labels = label_layers_make (image, FOVEA_TASK_DETECT, (const char *const *) results->names->pdata, error);
  for (guint i = 0; labels && i < results->boxes->len; i++)
    if (!label_paths_add (image, &g_array_index (results->boxes, FoveaLabelBox, i), (gint) i, error))
      return FALSE;
  for (guint i = 0; labels && i < results->frames->len; i++)
    remove_result (image, results->frames->pdata[i]);
  return labels != NULL;
}

gboolean
label_results_take (GimpImage *image, guint *n, GError **error)
{
  Results results = { g_ptr_array_new (), g_ptr_array_new_with_free_func (g_free), g_ptr_array_new (), g_array_new (FALSE, FALSE, sizeof (FoveaLabelBox)),
                      g_ptr_array_new_with_free_func (g_free) };
  g_autofree GimpItem **layers = items_in_image (image);
  gboolean              done = FALSE;

  g_array_set_clear_func (results.boxes, box_clear);
  gather_layers (&results, layers);
  *n = results.layers->len > 0 ? results.layers->len : gather_paths (&results, image) + results.boxes->len;
  gimp_image_undo_group_start (image);
  if (*n == 0)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                 _("There is no result in this image. Choose Segment with “Coloured layers”, or Locate with “Frames” or “Paths”, first; or name a model."));
  else
    done = results.layers->len > 0 ? take_layers (image, &results, error) : take_boxes (image, &results, error);
  gimp_image_undo_group_end (image);
  g_ptr_array_unref (results.layers);
  g_ptr_array_unref (results.labels);
  g_ptr_array_unref (results.frames);
  g_array_unref (results.boxes);
  g_ptr_array_unref (results.names);
  return done;
}

gboolean
label_results_find (GimpImage *image, const char *model, guint *n, GError **error)
{
  FoveaTask        task = apply_model_get_task (model);
  g_autofree char *json = NULL;

  *n = 0;
  if (task != FOVEA_TASK_SEGMENT && task != FOVEA_TASK_DETECT)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” is no model that makes masks or boxes. Choose one that Segment or Locate uses."), model);
      return FALSE;
    }
  json = apply_model_to (image, model, task, task == FOVEA_TASK_SEGMENT ? "layers" : "paths", error);
  return json && label_results_take (image, n, error);
}
