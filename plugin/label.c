/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label.c: the procedure plug-in-fovea-label-layers: makes or adopts the label group of an image, and says what it has and what is missing.
 */

#include "label.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "arguments.h"
#include "label-dialog.h"
#include "label-examples.h"
#include "label-results.h"
#include "procedure.h"

static const char *const tasks[] = { "segment", "detect", "classify", "as-is", NULL };
static const FoveaTask   task_values[] = { FOVEA_TASK_SEGMENT, FOVEA_TASK_DETECT, FOVEA_TASK_CLASSIFY, FOVEA_TASK_UNKNOWN };

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static void
add_boxes (JsonBuilder *json, const GArray *objects)
{
  json_builder_set_member_name (json, "boxes");
  json_builder_begin_array (json);
  for (guint i = 0; i < objects->len; i++)
    {
      const LabelBlob *blob = &g_array_index (objects, LabelBlob, i);
      const int        box[4] = { blob->x, blob->y, blob->width, blob->height };

      json_builder_begin_array (json);
      for (int k = 0; k < 4; k++)
        json_builder_add_int_value (json, box[k]);
      json_builder_end_array (json);
    }
  json_builder_end_array (json);
}

static void
add_class (JsonBuilder *json, const LabelClass *class, const LabelCount *count, FoveaTask task)
{
  g_autofree char *colour = g_strdup_printf ("#%02x%02x%02x", class->rgb[0], class->rgb[1], class->rgb[2]);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "name");
  json_builder_add_string_value (json, class->name);
  json_builder_set_member_name (json, "colour");
  json_builder_add_string_value (json, colour);
  json_builder_set_member_name (json, "background");
  json_builder_add_boolean_value (json, class->background);
  json_builder_set_member_name (json, "layers");
  json_builder_add_int_value (json, count->layers);
  json_builder_set_member_name (json, "pixels");
  json_builder_add_int_value (json, (gint64) count->pixels);
  json_builder_set_member_name (json, "outside");
  json_builder_add_int_value (json, (gint64) count->outside);
  json_builder_set_member_name (json, "objects");
  json_builder_add_int_value (json, count->objects->len);
  if (task == FOVEA_TASK_DETECT)
    add_boxes (json, count->objects);
  json_builder_end_object (json);
}

static char *
make_json (const LabelLayers *labels, const LabelCounts *counts)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;
  g_auto (GStrv)          missing = label_counts_advise (counts, labels);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "task");
  json_builder_add_string_value (json, labels->task == FOVEA_TASK_CLASSIFY ? "classify" : labels->task == FOVEA_TASK_DETECT ? "detect" : "segment");
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (guint i = 0; i < labels->n; i++)
    add_class (json, &labels->classes[i], &counts->classes[i], labels->task);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "contradictions");
  json_builder_add_int_value (json, (gint64) counts->contradictions);
  json_builder_set_member_name (json, "missing");
  json_builder_begin_array (json);
  for (guint i = 0; missing[i]; i++)
    json_builder_add_string_value (json, missing[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

/* ---- the procedure ------------------------------------------------------------------------------------------------ */

/* The classes that are asked for; where nothing is and there is no group yet, what scribbles begin with. Free with g_strfreev. */
static char **
wanted_classes (GimpProcedureConfig *config, GimpImage *image, FoveaTask task)
{
  static const char *const usual[] = { N_("Background"), N_("Object"), NULL };
  char                   **classes = NULL;

  g_object_get (config, "classes", &classes, NULL);
  if (classes && *classes)
    return classes;
  g_strfreev (classes);
  if (label_layers_find (image) || task == FOVEA_TASK_CLASSIFY)
    return g_new0 (char *, 1);
  return g_strdupv ((char **) (task == FOVEA_TASK_DETECT ? usual + 1 : usual));
}

LabelLayers *
label_make (GimpProcedureConfig *config, GimpImage *image, GError **error)
{
  g_autofree char *from = NULL;
  g_auto (GStrv)   classes = NULL;
  LabelLayers     *labels;
  double           opacity;
  guint            task, n;

  if (!argument_read_word (config, "task", tasks, &task, error))
    return NULL;
  g_object_get (config, "opacity", &opacity, "from", &from, NULL);
  if (from && *from && !(g_strcmp0 (from, LABEL_FROM_RESULT) == 0 ? label_results_take (image, &n, error) : label_results_find (image, from, &n, error)))
    return NULL;
  classes = wanted_classes (config, image, task_values[task]);
  labels = label_layers_make (image, task_values[task], (const char *const *) classes, error);
  if (labels && opacity >= 0)
    gimp_layer_set_opacity (labels->group, opacity);
  return labels;
}

static GimpValueArray *
label_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  g_autoptr (LabelLayers) labels = NULL;
  g_autoptr (LabelCounts) counts = NULL;
  GError                 *error = NULL;
  GimpValueArray         *values;

  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE)
    {
      label_dialog_run (config, image);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
    }
  labels = label_make (config, image, &error);
  counts = labels ? label_examples_count (labels, &error) : NULL;
  if (!counts)
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GIMP_VALUES_SET_LAYER (values, 1, labels->group);
  GIMP_VALUES_TAKE_STRING (values, 2, make_json (labels, counts));
  return values;
}

GimpProcedure *
label_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, LABEL_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, label_run, NULL, NULL);

  procedure_describe (procedure, _("La_bel Layers…"), "gimp-tool-paintbrush",
                      _("Make layers to paint examples on, one for each class, and count what they have"),
                      _("A group of layers keeps examples for training: what is painted on a layer shows its class. Renaming a layer renames its "
                        "class. Fovea never looks at these layers when it looks at the photo."));
  gimp_procedure_add_string_argument (procedure, "task", _("_For"),
                                      _("What the labels are for: segment (pixels), detect (objects: a box for each blob), classify (whole images: a group of example "
                                        "layers for each class), or as-is (what they were for)"),
                                      "as-is", G_PARAM_READWRITE);
  gimp_procedure_add_string_array_argument (procedure, "classes", _("_Classes"),
                                            _("The classes that there must be; those that are there stay. Empty: “Background” and “Object” in a new group"),
                                            G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "opacity", _("_Opacity"), _("How much the labels cover the photo, per cent; -1: as it is"), -1, 100, -1,
                                      G_PARAM_READWRITE);

  gimp_procedure_add_string_argument (procedure, "from", _("_Begin with"),
                                      _("Empty: with nothing; result: with what Segment (coloured layers) or Locate (frames, paths) has found in this image; else the name or "
                                        "file of a model: with what it finds now"),
                                      "", G_PARAM_READWRITE);

  gimp_procedure_add_layer_return_value (procedure, "group", _("Group"), _("The group of the label layers"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("The classes, what they have and what is missing, as one JSON object"), "",
                                          G_PARAM_READWRITE);
  return procedure;
}
