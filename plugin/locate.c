/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate.c: the procedure plug-in-fovea-locate: its arguments, the run without a dialog, and the returned values. What becomes of the objects in the image is
 * object-output.c's.
 */

#include "locate.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "arguments.h"
#include "models.h"
#include "operation.h"
#include "procedure.h"


static const char *const regions[] = { "layer", "image", "selection", NULL };

void
location_clear (Location *location)
{
  g_clear_pointer (&location->objects, fovea_objects_free);
  g_clear_pointer (&location->candidates, fovea_candidates_free);
  g_clear_pointer (&location->reader, pixel_reader_free);
  g_clear_pointer (&location->locator, fovea_locator_free);
  g_clear_pointer (&location->model, fovea_model_unref);
}

/* ---- the model ---------------------------------------------------------------------------------------------- */

static void
clear_model (Location *location)
{
  g_clear_pointer (&location->locator, fovea_locator_free);
  g_clear_pointer (&location->model, fovea_model_unref);
}

static gboolean
load_model (const char *name, Location *location, GError **error)
{
  g_autofree char *path = fovea_find_model (name, error);

  location->model = path ? fovea_model_load (path, error) : NULL;
  location->locator = location->model ? fovea_locator_new (location->model, NULL, 0, error) : NULL;
  if (!location->locator)
    clear_model (location);
  return location->locator != NULL;
}

gboolean
locate_load (const char *name, Location *location, GError **error)
{
  g_auto (GStrv) candidates = NULL;

  if (name && *name)
    return load_model (name, location, error);
  candidates = models_to_try (FOVEA_TASK_DETECT);
  for (int rough = 0; rough < 2; rough++)
    for (guint i = 0; candidates[i]; i++)
      {
        if (!load_model (candidates[i], location, NULL))
          continue;
        if (rough || !fovea_locator_is_rough (location->locator))
          return TRUE;
        clear_model (location);
      }
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("No model that finds objects is installed. Choose an .onnx file, or put one into the folder fovea/models of your data folder."));
  return FALSE;
}

/* ---- choosing ----------------------------------------------------------------------------------------------- */

FoveaObjects *
locate_choose (GimpProcedureConfig *config, const FoveaCandidates *candidates, GError **error)
{
  FoveaSelection   selection = { 0 };
  g_autofree char *classes = NULL;
  g_auto (GStrv)   names = NULL;
  int              most;

  g_object_get (config, "threshold", &selection.threshold, "overlap", &selection.overlap, "max-objects", &most, "classes", &classes, NULL);
  selection.most = (gsize) most;
  names = operation_split_classes (classes);
  selection.classes = (const char *const *) names;
  return fovea_candidates_select (candidates, &selection, error);
}

void
locate_to_image (FoveaObjects *objects, const PixelReader *reader)
{
  GeglRectangle region = pixel_reader_get_region (reader);

  for (gsize i = 0; i < objects->n; i++)
    {
      objects->objects[i].x += region.x;
      objects->objects[i].y += region.y;
    }
}

/* ---- without a dialog --------------------------------------------------------------------------------------- */

static void
show_progress (double fraction, gpointer unused)
{
  gimp_progress_update (fraction);
}

static gboolean
locate_now (GimpRunMode run_mode, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Location *location, GError **error)
{
  g_autofree char *model = NULL, *region = NULL;
  FoveaPhoto       photo = { 0, 0, pixel_reader_read, NULL };
  gboolean         pyramid;
  int              tiles;

  g_object_get (config, "model", &model, "region", &region, "tiles", &tiles, "pyramid", &pyramid, NULL);
  gimp_progress_init (_("Looking"));
  if (!locate_load (model, location, error))
    return FALSE;
  models_warn (location->model, run_mode);
  location->reader = pixel_reader_new (image, drawables, region, error);
  if (!location->reader)
    return FALSE;
  pixel_reader_get_size (location->reader, &photo.width, &photo.height);
  photo.user_data = location->reader;
  location->candidates = fovea_locator_run (location->locator, &photo, tiles, pyramid, NULL, show_progress, NULL, error);
  if (!location->candidates || !pixel_reader_check_opaque (location->reader, error))
    return FALSE;
  location->objects = locate_choose (config, location->candidates, error);
  if (!location->objects)
    return FALSE;
  locate_to_image (location->objects, location->reader);
  return TRUE;
}

/* ---- the answer --------------------------------------------------------------------------------------------- */

static void
add_object (JsonBuilder *json, const FoveaObject *object)
{
  const double box[4] = { object->x, object->y, object->width, object->height };

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "label");
  json_builder_add_string_value (json, object->label);
  json_builder_set_member_name (json, "score");
  json_builder_add_double_value (json, object->score);
  json_builder_set_member_name (json, "box");
  json_builder_begin_array (json);
  for (int i = 0; i < 4; i++)
    json_builder_add_double_value (json, box[i]);
  json_builder_end_array (json);
  if (object->rough)
    {
      json_builder_set_member_name (json, "rough");
      json_builder_add_boolean_value (json, TRUE);
    }
  json_builder_end_object (json);
}

static char *
make_json (GimpProcedureConfig *config, const Location *location)
{
  g_autoptr (JsonBuilder)   json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode)      root = NULL;
  g_autofree char          *region = NULL, *output = NULL;

  g_object_get (config, "region", &region, "output", &output, NULL);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "model");
  json_builder_add_string_value (json, fovea_model_get_name (location->model));
  json_builder_set_member_name (json, "region");
  json_builder_add_string_value (json, region);
  json_builder_set_member_name (json, "output");
  json_builder_add_string_value (json, output);
  json_builder_set_member_name (json, "objects");
  json_builder_begin_array (json);
  for (gsize i = 0; i < location->objects->n; i++)
    add_object (json, &location->objects->objects[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, NULL);
}

static GimpValueArray *
make_return (GimpProcedure *procedure, GimpProcedureConfig *config, const Location *location)
{
  GimpValueArray     *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  const FoveaObjects *objects = location->objects;
  g_auto (GStrv)      labels = g_new0 (char *, objects->n + 1);
  g_autofree gdouble *scores = g_new (gdouble, objects->n + 1), *boxes = g_new (gdouble, 4 * objects->n + 1);

  for (gsize i = 0; i < objects->n; i++)
    {
      const FoveaObject *object = &objects->objects[i];
      const double       box[4] = { object->x, object->y, object->width, object->height };

      labels[i] = g_strdup (object->label);
      scores[i] = object->score;
      memcpy (boxes + 4 * i, box, sizeof box);
    }
  GIMP_VALUES_SET_STRV (values, 1, labels);
  GIMP_VALUES_SET_DOUBLE_ARRAY (values, 2, objects->n ? scores : NULL, objects->n); /* libgimp wants no data for none */
  GIMP_VALUES_SET_DOUBLE_ARRAY (values, 3, objects->n ? boxes : NULL, 4 * objects->n);
  GIMP_VALUES_TAKE_STRING (values, 4, make_json (config, location));
  return values;
}

/* ---- the procedure ------------------------------------------------------------------------------------------ */

static gboolean
read_output (GimpProcedureConfig *config, ObjectOutput *output, GError **error)
{
  static const GimpChannelOps operations[] = { GIMP_CHANNEL_OP_REPLACE, GIMP_CHANNEL_OP_ADD, GIMP_CHANNEL_OP_SUBTRACT, GIMP_CHANNEL_OP_INTERSECT };
  guint                       region, kind, operation, style;

  if (!argument_read_word (config, "region", regions, &region, error) || !argument_read_word (config, "output", object_output_kinds, &kind, error)
      || !argument_read_word (config, "operation", object_output_operations, &operation, error)
      || !argument_read_word (config, "hide-style", object_output_hide_styles, &style, error))
    return FALSE;
  output->kind = kind;
  output->operation = operations[operation];
  output->hide_style = style;
  g_object_get (config, "margin", &output->margin, NULL);
  return TRUE;
}

static GimpValueArray *
locate_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Location        location = { NULL };
  ObjectOutput    output;
  GError         *error = NULL;
  GimpValueArray *values;

  procedure_begin ();
  if (!read_output (config, &output, &error) || (run_mode != GIMP_RUN_INTERACTIVE && !object_output_check (&output, image, &error)))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_CALLING_ERROR, error);
  if (run_mode == GIMP_RUN_INTERACTIVE)
    {
      if (!locate_dialog_run (procedure, config, image, drawables, &location))
        {
          location_clear (&location);
          return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
        }
      if (!read_output (config, &output, &error) || !object_output_check (&output, image, &error))
        {
          location_clear (&location);
          return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
        }
    }
  else if (!locate_now (run_mode, config, image, drawables, &location, &error))
    {
      location_clear (&location);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
    }
  if (object_output_apply (&output, image, location.objects, location.reader, &error))
    values = make_return (procedure, config, &location);
  else
    values = gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  location_clear (&location);
  return values;
}

GimpProcedure *
locate_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, LOCATE_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, locate_run, NULL, NULL);

  procedure_describe (procedure, _("_Locate…"), "edit-find",
                      _("Find objects in the image, a layer or the selection, with a box for each"),
                      _("A neural network finds objects, on this machine. Each becomes a frame with its name, a path, a part of the selection, a "
                        "layer of its own or guides; or what was found is hidden."));
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"),
                                      _("Name of an installed model, or path of an ONNX file; empty: the first that finds objects"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "region", _("Loo_k at"), _("Where to look: layer, image or selection"), "layer", G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "threshold", _("Threshol_d"), _("Leave out objects less sure than this (0 to 1); -1: the model's own"), -1, 1,
                                      -1, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "overlap", _("O_verlap"),
                                      _("Of boxes of a class that overlap more than this, keep the best (0 to 1); -1: the model's own"), -1, 1, -1,
                                      G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "max-objects", _("Ob_jects"), _("How many objects to give at most"), 1, 1000, 100, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "classes", _("_Classes"), _("Only objects of these names, commas between; empty: all"), "", G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "tiles", _("_Tiles"),
                                   _("For small objects, look at overlapping parts too: so many along the longer side; 1: none; 0: as many as are useful"), 0, 32,
                                   1, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "pyramid", _("P_yramid"), _("With tiles, look at larger parts, too"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "output", _("M_ake"),
                                      _("What the objects become: overlay, paths, selection, crops, guides, hide or none"), "overlay", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "operation", _("Selec_tion"), _("How boxes change the selection: replace, add, subtract or intersect"), "replace",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "margin", _("Mar_gin"),
                                      _("Widen the boxes of selection, crops and hide by this share of their sides, on each side"), 0, 2, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "hide-style", _("_Hide by"), _("How objects are hidden: blur, pixelate or fill"), "blur", G_PARAM_READWRITE);

  gimp_procedure_add_string_array_return_value (procedure, "labels", _("Labels"), _("The objects' names, best first"), G_PARAM_READWRITE);
  gimp_procedure_add_double_array_return_value (procedure, "scores", _("Scores"), _("How sure each is, 0 to 1"), G_PARAM_READWRITE);
  gimp_procedure_add_double_array_return_value (procedure, "boxes", _("Boxes"), _("Left, top, width and height of each, in the image's pixels"),
                                                G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Everything as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
