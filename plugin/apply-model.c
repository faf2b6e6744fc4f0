/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply-model.c: see apply-model.h.
 */

#include "apply-model.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "classify.h"
#include "items.h"
#include "label-layers.h"
#include "locate.h"
#include "pixels.h"
#include "segment.h"

#define MOST_NAMES 3

static const char *const procedures[] = { NULL, CLASSIFY_PROCEDURE, LOCATE_PROCEDURE, SEGMENT_PROCEDURE }; /* in the order of FoveaTask */

FoveaTask
apply_model_get_task (const char *model)
{
  g_autofree char          *path = fovea_find_model (model, NULL);
  g_autoptr (FoveaModel)    loaded = path ? fovea_model_load (path, NULL) : NULL;
  g_autoptr (FoveaSettings) settings = loaded ? fovea_settings_read (loaded, NULL) : NULL;

  return settings ? settings->task : FOVEA_TASK_UNKNOWN;
}

GimpLayer *
apply_model_find_layer (GimpImage *image)
{
  g_autofree GimpItem **layers = items_in_image (image);
  GimpLayer            *group = label_layers_find (image);

  for (guint i = 0; layers[i]; i++)
    if (layers[i] != GIMP_ITEM (group) && !gimp_item_is_group (layers[i]))
      return GIMP_LAYER (layers[i]);
  return NULL;
}

/* ---- what was found ------------------------------------------------------------------------------------------------- */

static JsonArray *
get_array (JsonObject *object, const char *name)
{
  JsonNode *node = object ? json_object_get_member (object, name) : NULL;

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static char *
tell_classes (JsonObject *answer)
{
  JsonArray          *classes = get_array (answer, "classes");
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; classes && i < json_array_get_length (classes) && i < MOST_NAMES; i++)
    {
      JsonObject *class = json_array_get_object_element (classes, i);

      g_string_append_printf (text, "%s%s %.0f %%", i ? ", " : "", json_object_get_string_member_with_default (class, "label", ""),
                              100 * json_object_get_double_member_with_default (class, "score", 0));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
tell_answer (const char *json, FoveaTask task)
{
  g_autoptr (JsonNode) root = json ? json_from_string (json, NULL) : NULL;
  JsonObject          *answer = root && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonArray           *objects = get_array (answer, "objects");
  guint                n = objects ? json_array_get_length (objects) : 0;

  if (task == FOVEA_TASK_CLASSIFY)
    return tell_classes (answer);
  if (task == FOVEA_TASK_DETECT)
    return g_strdup_printf (ngettext ("Applied: %u object found.", "Applied: %u objects found.", n), n);
  return g_strdup (_("Applied."));
}

/* ---- the call --------------------------------------------------------------------------------------------------------- */

char *
apply_model_to (GimpImage *image, const char *model, FoveaTask task, const char *output, GError **error)
{
  GimpProcedure       *procedure = procedures[task] ? gimp_pdb_lookup_procedure (gimp_get_pdb (), procedures[task]) : NULL;
  GimpLayer           *layer = pixels_check_image (image, error) ? apply_model_find_layer (image) : NULL;
  GObject             *drawables[] = { G_OBJECT (layer), NULL };
  GimpProcedureConfig *call;
  GimpValueArray      *values;
  char                *json = NULL;

  if (!gimp_image_is_valid (image))
    return NULL;
  if (!procedure || !layer)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is no photo in this image to use the model on. Open one and choose Filters ▸ Fovea."));
      return NULL;
    }
  call = gimp_procedure_create_config (procedure);
  g_object_set (call, "run-mode", GIMP_RUN_NONINTERACTIVE, "image", image, "model", model, "region", task == FOVEA_TASK_SEGMENT ? "layer" : "image", NULL);
  gimp_procedure_config_set_core_object_array (call, "drawables", drawables, 1);
  if (output)
    g_object_set (call, "output", output, NULL);
  values = gimp_procedure_run_config (procedure, call);
  if (GIMP_VALUES_GET_ENUM (values, 0) == GIMP_PDB_SUCCESS)
    json = GIMP_VALUES_DUP_STRING (values, gimp_value_array_length (values) - 1); /* the last value of each of them */
  else
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, gimp_pdb_get_last_error (gimp_get_pdb ()));
  gimp_value_array_unref (values);
  g_object_unref (call);
  gimp_progress_end (); /* the procedure's, which would stay as long as this one is at work */
  gimp_displays_flush ();
  return json;
}

char *
apply_model (GimpProcedureConfig *config, GimpImage *image, const char *model, FoveaTask task, GError **error)
{
  g_autofree char *output = NULL, *json = NULL;

  g_object_get (config, "output", &output, NULL);
  json = apply_model_to (image, model, task, task == FOVEA_TASK_SEGMENT ? output : NULL, error);
  return json ? tell_answer (json, task) : NULL;
}
