/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classify.c: the procedure plug-in-fovea-classify: its arguments, the run without a dialog, and what is done with the answer: returned values, tags, the
 * attention layer.
 */

#include "classify.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "arguments.h"
#include "attention-layer.h"
#include "models.h"
#include "pixels.h"
#include "procedure.h"
#include "tags.h"


static const char *const regions[] = { "layer", "image", "selection", NULL };
static const char *const tag_modes[] = { "add", "replace", NULL };

void
classification_clear (Classification *classification)
{
  classification->method = NULL;
  g_clear_pointer (&classification->attention, fovea_tensor_unref);
  g_clear_pointer (&classification->classes, fovea_classes_free);
  g_clear_pointer (&classification->input, fovea_input_free);
  g_clear_pointer (&classification->classifier, fovea_classifier_free);
  g_clear_pointer (&classification->model, fovea_model_unref);
}

/* ---- the model ---------------------------------------------------------------------------------------------- */

static gboolean
load_model (const char *name, Classification *classification, GError **error)
{
  g_autofree char *path = fovea_find_model (name, error);

  classification->model = path ? fovea_model_load (path, error) : NULL;
  classification->classifier = classification->model ? fovea_classifier_new (classification->model, NULL, 0, error) : NULL;
  if (!classification->classifier)
    classification_clear (classification);
  return classification->classifier != NULL;
}

gboolean
classify_load (const char *name, Classification *classification, GError **error)
{
  g_auto (GStrv) candidates = NULL;

  if (name && *name)
    return load_model (name, classification, error);

  candidates = models_to_try (FOVEA_TASK_CLASSIFY);
  for (guint i = 0; candidates[i]; i++)
    if (load_model (candidates[i], classification, NULL))
      return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("No model that names photos is installed. Choose an .onnx file, or put one into the folder fovea/models of your data folder."));
  return FALSE;
}

gboolean
classify_attend (Classification *classification, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  classification->attention = fovea_classifier_attend (classification->classifier, classification->input, classification->classes->classes[0].index,
                                                       &classification->method, cancellable, progress, user_data, error);
  return classification->attention != NULL;
}

/* ---- without a dialog ---------------------------------------------------------------------------------------- */

static gboolean
classify_now (GimpRunMode run_mode, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Classification *classification, GError **error)
{
  g_autofree char *model = NULL, *region = NULL;
  g_autoptr (PixelReader) reader = NULL;
  GError                 *problem = NULL;
  double                  progress;
  int                     width, height;

  g_object_get (config, "model", &model, "region", &region, NULL);
  gimp_progress_init (_("Looking"));
  if (!classify_load (model, classification, error))
    return FALSE;
  models_warn (classification->model, run_mode);
  reader = pixel_reader_new (image, drawables, region, error);
  if (!reader)
    return FALSE;
  pixel_reader_get_size (reader, &width, &height);
  classification->input = fovea_input_new (fovea_classifier_get_settings (classification->classifier), width, height, error);
  if (!classification->input)
    return FALSE;
  pixel_reader_start (reader, classification->input);
  while (pixel_reader_step (reader, &progress, &problem))
    gimp_progress_update (progress);
  if (problem)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  classification->seen = pixel_reader_get_seen (reader);
  classification->classes = fovea_classifier_run (classification->classifier, classification->input, NULL, error);
  return classification->classes != NULL;
}

/* ---- what is done with the answer ----------------------------------------------------------------------------- */

/* How many classes are told: the best `top` with at least the threshold's score. */
static gsize
count_told (GimpProcedureConfig *config, const FoveaClasses *classes)
{
  int    top;
  double threshold;
  gsize  n = 0;

  g_object_get (config, "top", &top, "threshold", &threshold, NULL);
  while (n < classes->n && n < (gsize) top && classes->classes[n].score >= threshold)
    n++;
  return n;
}

static char *
make_json (GimpProcedureConfig *config, const Classification *classification, gsize n)
{
  g_autoptr (JsonBuilder)   json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode)      root = NULL;
  g_autofree char          *region = NULL;

  g_object_get (config, "region", &region, NULL);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "model");
  json_builder_add_string_value (json, fovea_model_get_name (classification->model));
  json_builder_set_member_name (json, "region");
  json_builder_add_string_value (json, region);
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (gsize i = 0; i < n; i++)
    {
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "label");
      json_builder_add_string_value (json, classification->classes->classes[i].label);
      json_builder_set_member_name (json, "score");
      json_builder_add_double_value (json, classification->classes->classes[i].score);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  if (classification->method)
    {
      json_builder_set_member_name (json, "attention");
      json_builder_add_string_value (json, classification->method);
    }
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, NULL);
}

/* An attention layer that can't be made is refused before anything is computed. */
static gboolean
check_attention (GimpProcedureConfig *config, GimpImage *image, GError **error)
{
  gboolean attention_layer;

  g_object_get (config, "attention-layer", &attention_layer, NULL);
  if (!attention_layer || gimp_image_get_base_type (image) != GIMP_INDEXED)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
               _("An indexed image has no colours for an attention layer. Convert it to RGB first (Image ▸ Mode ▸ RGB)."));
  return FALSE;
}

static void
show_progress (double fraction, gpointer unused)
{
  gimp_progress_update (fraction);
}

/* Writes to the image what the settings ask for, as one undo step. All that can fail is done before the image is touched. */
static gboolean
apply (GimpProcedureConfig *config, GimpImage *image, Classification *classification, char **labels, GError **error)
{
  g_autofree char *mode = NULL;
  GimpMetadata    *metadata = NULL;
  gboolean         write_tags, attention_layer, ok = TRUE;

  g_object_get (config, "write-tags", &write_tags, "tag-mode", &mode, "attention-layer", &attention_layer, NULL);
  if (!labels[0] || (!write_tags && !attention_layer))
    return TRUE;
  if (!pixels_check_image (image, error))
    return FALSE;
  if (attention_layer && !classification->attention)
    {
      gimp_progress_init (_("Finding where the network looked"));
      if (!classify_attend (classification, NULL, show_progress, NULL, error))
        return FALSE;
    }
  if (write_tags)
    {
      metadata = tags_prepare (image, (const char *const *) labels, g_strcmp0 (mode, "replace") == 0, error);
      if (!metadata)
        return FALSE;
    }

  gimp_image_undo_group_start (image);
  if (attention_layer)
    ok = attention_layer_add (image, classification->attention, &classification->seen, labels[0], error) != NULL;
  if (ok && metadata)
    gimp_image_set_metadata (image, metadata);
  gimp_image_undo_group_end (image);
  g_clear_object (&metadata);
  return ok;
}

/* ---- the procedure -------------------------------------------------------------------------------------------- */

static GimpValueArray *
make_return (GimpProcedure *procedure, GimpProcedureConfig *config, const Classification *classification, char **labels, gsize n)
{
  GimpValueArray     *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  g_autofree gdouble *scores = g_new (gdouble, n + 1);

  for (gsize i = 0; i < n; i++)
    scores[i] = classification->classes->classes[i].score;
  GIMP_VALUES_SET_STRV (values, 1, labels);
  GIMP_VALUES_SET_DOUBLE_ARRAY (values, 2, n ? scores : NULL, n); /* libgimp wants no data for none */
  GIMP_VALUES_TAKE_STRING (values, 3, make_json (config, classification, n));
  return values;
}

static GimpValueArray *
classify_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Classification  classification = { NULL };
  GError         *error = NULL;
  GimpValueArray *values;
  g_auto (GStrv)  labels = NULL;
  gsize           n = 0;
  gboolean        ok;
  guint           place;

  procedure_begin ();
  if (!argument_read_word (config, "region", regions, &place, &error) || !argument_read_word (config, "tag-mode", tag_modes, &place, &error)
      || (run_mode != GIMP_RUN_INTERACTIVE && !check_attention (config, image, &error)))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_CALLING_ERROR, error);

  if (run_mode == GIMP_RUN_INTERACTIVE)
    {
      if (!classify_dialog_run (procedure, config, image, drawables, &classification, &error))
        {
          classification_clear (&classification);
          return gimp_procedure_new_return_values (procedure, error ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_CANCEL, error);
        }
      ok = TRUE;
    }
  else
    ok = classify_now (run_mode, config, image, drawables, &classification, &error);

  if (ok)
    {
      n = count_told (config, classification.classes);
      labels = g_new0 (char *, n + 1);
      for (gsize i = 0; i < n; i++)
        labels[i] = g_strdup (classification.classes->classes[i].label);
      ok = apply (config, image, &classification, labels, &error);
    }
  values = ok ? make_return (procedure, config, &classification, labels, n)
              : gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  classification_clear (&classification);
  return values;
}

GimpProcedure *
classify_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, CLASSIFY_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, classify_run, NULL, NULL);

  procedure_describe (procedure, _("_Classify…"), "edit-find",
                      _("Name what is in the image, a layer or the selection"),
                      _("A neural network looks at the image, on this machine, and names what it sees with how sure it is. The names can be "
                        "written to the image's keywords, and a layer can show where the network looked."));
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"), _("Name of an installed model, or path of an ONNX file; empty: the first that classifies"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "region", _("Loo_k at"), _("What to name: layer, image or selection"), "layer", G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "top", _("_Names"), _("How many names to give at most"), 1, 1000, 5, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "threshold", _("Threshol_d"), _("Leave out names less sure than this (0 to 1)"), 0, 1, 0.01,
                                      G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "write-tags", _("Write _tags"), _("Write the names to the image's keywords (XMP and IPTC)"), FALSE,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "tag-mode", _("Tags alread_y there"), _("What to do with keywords that are there: add (keep them) or replace"),
                                      "add", G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "attention-layer", _("Attent_ion layer"), _("Add a layer that shows where the network looked"), FALSE,
                                       G_PARAM_READWRITE);

  gimp_procedure_add_string_array_return_value (procedure, "labels", _("Labels"), _("The names, best first"), G_PARAM_READWRITE);
  gimp_procedure_add_double_array_return_value (procedure, "scores", _("Scores"), _("How sure each is, 0 to 1"), G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Everything as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
