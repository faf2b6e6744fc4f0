/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-model.c: the procedure plug-in-fovea-import-model: a model file becomes one of the user's models. An argument that is left as it is takes what is found
 * or usual. The work is the engine's.
 */

#include "import-model.h"

#include <glib/gi18n.h>
#include <string.h>

#include "import-try.h"
#include "procedure.h"

/* The arguments that are settings, in the engine's words. */
static const char *const text_settings[] = { "task", "family", "size", "resize", "filter", "colour", "layout", "mean", "std", "normalize", "percentiles", "activation" };

/* Numbers: what is below `least` wasn't given. */
static const struct
{
  const char *key;
  double      least, most;
} number_settings[] = {
  { "crop-scale", 1, 100 }, { "range", 1e-6, 1e6 }, { "pad", 0, 255 }, { "threshold", 0, 1 }, { "overlap", 0, 1 },
};

static gboolean
collect (GimpProcedureConfig *config, GHashTable *given, GError **error)
{
  g_autofree char *labels = NULL, *text = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (text_settings); i++)
    {
      g_autofree char *value = NULL;

      g_object_get (config, text_settings[i], &value, NULL);
      if (value && *value)
        g_hash_table_insert (given, (char *) text_settings[i], g_steal_pointer (&value));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (number_settings); i++)
    {
      char   buffer[G_ASCII_DTOSTR_BUF_SIZE];
      double value;

      g_object_get (config, number_settings[i].key, &value, NULL);
      if (value >= number_settings[i].least)
        g_hash_table_insert (given, (char *) number_settings[i].key, g_strdup (g_ascii_dtostr (buffer, sizeof buffer, value)));
    }
  g_object_get (config, "labels", &labels, NULL);
  if (!labels || !*labels)
    return TRUE;
  if (!g_file_get_contents (labels, &text, NULL, error))
    return FALSE;
  g_hash_table_insert (given, (char *) "labels", g_strconcat (text, "\n", NULL));
  return TRUE;
}

static char *
import (GimpProcedureConfig *config, GError **error)
{
  g_autoptr (GHashTable)    given = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_autoptr (FoveaModel)    model = NULL;
  g_autoptr (FoveaSettings) settings = NULL;
  g_autofree char          *file = NULL, *name = NULL, *licence = NULL, *warning = NULL, *sample = NULL;
  char                     *imported;
  gboolean                  as_link, as_default;

  g_object_get (config, "file", &file, "name", &name, "link", &as_link, "default", &as_default, NULL);
  if (!file || !*file)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Give the path of an ONNX file."));
      return NULL;
    }
  if (!collect (config, given, error) || !(model = fovea_model_load (file, error)) || !(settings = fovea_settings_read_with (model, given, error)))
    return NULL;
  imported = fovea_import_model (model, name, settings, as_link, NULL, error);
  if (!imported || (as_default && !fovea_set_default_model (settings->task, imported, error)))
    {
      g_free (imported);
      return NULL;
    }
  licence = fovea_model_get_licence (model);
  warning = fovea_licence_warn (licence);
  if (warning)
    gimp_message (warning);
  sample = import_try_sample (model, settings, NULL);
  if (sample)
    gimp_message (sample);
  return imported;
}

static GimpValueArray *
import_run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  GError         *error = NULL;
  char           *name = import (config, &error);
  GimpValueArray *values = gimp_procedure_new_return_values (procedure, name ? GIMP_PDB_SUCCESS : GIMP_PDB_EXECUTION_ERROR, error);

  if (name)
    GIMP_VALUES_TAKE_STRING (values, 1, name);
  return values;
}

GimpProcedure *
import_model_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_procedure_new (plug_in, IMPORT_MODEL_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, import_run, NULL, NULL);

  procedure_describe (procedure, NULL, NULL,
                      _("Make a model file one of your models"),
                      _("A copy of the ONNX file, or a link to it, goes into your models folder with its settings beside it. Settings that aren't given are "
                        "taken from the model's metadata, from files beside it, and from what is usual for its kind of network."));
  gimp_procedure_add_enum_argument (procedure, "run-mode", "Run mode", "The run mode", GIMP_TYPE_RUN_MODE, GIMP_RUN_NONINTERACTIVE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "file", _("_File"), _("Path of the ONNX file; it isn't changed"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "name", _("_Name"), _("Name of the model; empty: made of the file's"), "", G_PARAM_READWRITE);
  for (gsize i = 0; i < G_N_ELEMENTS (text_settings); i++)
    gimp_procedure_add_string_argument (procedure, text_settings[i], text_settings[i], fovea_settings_explain (text_settings[i]), "", G_PARAM_READWRITE);
  for (gsize i = 0; i < G_N_ELEMENTS (number_settings); i++)
    gimp_procedure_add_double_argument (procedure, number_settings[i].key, number_settings[i].key, fovea_settings_explain (number_settings[i].key), -1,
                                        number_settings[i].most, -1, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "labels", _("_Labels"), _("Path of a text file with the names of the classes, a line each; empty: those that are found"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "link", _("Lin_k"), _("Link to the file instead of copying it"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "default", _("_Default"), _("Make it the default model of its task"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "name", _("Name"), _("The name under which the model is installed"), "", G_PARAM_READWRITE);
  return procedure;
}
