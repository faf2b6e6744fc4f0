/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-manager.c: the procedure plug-in-fovea-models and its window, Filters ▸ Fovea ▸ Models…: the installed models (model-list.c), the import of
 * a file (import-page.c), and a catalogue of public ones (catalogue-page.c). A script gets the list as JSON.
 */

#include "model-manager.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <libgimp/gimpui.h>

#include "catalogue-page.h"
#include "fovea.h"
#include "import-page.h"
#include "model-list.h"
#include "procedure.h"

/* ---- for scripts ---------------------------------------------------------------------------------------------- */

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (json, name);
  if (valid)
    json_builder_add_string_value (json, valid);
  else
    json_builder_add_null_value (json);
}

static void
add_model (JsonBuilder *json, const char *name)
{
  static const char *const         tasks[] = { "unknown", "classify", "detect", "segment" }, *const origins[] = { "built-in", "trained", "imported", "other" };
  g_autoptr (FoveaModelFacts) facts = fovea_model_facts_new (name);
  g_autofree char            *chosen = facts->task ? fovea_get_default_model (facts->task) : NULL;

  json_builder_begin_object (json);
  add_text (json, "name", facts->name);
  add_text (json, "path", facts->path);
  add_text (json, "task", tasks[facts->task]);
  add_text (json, "family", facts->family);
  add_text (json, "origin", origins[facts->origin]);
  json_builder_set_member_name (json, "bytes");
  json_builder_add_int_value (json, (gint64) facts->size);
  add_text (json, "licence", facts->licence);
  add_text (json, "accuracy", facts->accuracy);
  add_text (json, "date", facts->date);
  json_builder_set_member_name (json, "default");
  json_builder_add_boolean_value (json, g_strcmp0 (chosen, name) == 0);
  add_text (json, "fault", facts->fault);
  json_builder_end_object (json);
}

static char *
list_as_json (void)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;
  g_auto (GStrv)          names = fovea_list_models ();

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "models");
  json_builder_begin_array (json);
  for (char **name = names; *name; name++)
    add_model (json, *name);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

/* ---- the window ----------------------------------------------------------------------------------------------- */

typedef struct
{
  GtkWidget     *dialog, *notebook;
  ModelList     *list;
  ImportPage    *import;
  CataloguePage *catalogue;
} ModelManager;

/* A model is new: all pages know of it. */
static void
model_came (const char *name, gpointer data)
{
  ModelManager *manager = data;

  model_list_reload (manager->list, name);
  catalogue_page_update (manager->catalogue);
}

/* What was renamed, deleted and brought back meanwhile. */
static void
on_switch (GtkNotebook *notebook, GtkWidget *child, guint number, ModelManager *manager)
{
  catalogue_page_update (manager->catalogue);
}

static void
add_page (ModelManager *manager, GtkWidget *page, const char *title)
{
  gtk_notebook_append_page (GTK_NOTEBOOK (manager->notebook), page, gtk_label_new_with_mnemonic (title));
}

static void
run_window (GimpProcedureConfig *config)
{
  ModelManager     manager;
  g_autofree char *file = NULL;

  gimp_ui_init ("fovea");
  g_object_get (config, "file", &file, NULL);
  manager.dialog = gimp_dialog_new (_("Models"), "fovea-models", NULL, 0, gimp_standard_help_func, MODELS_PROCEDURE, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  manager.notebook = gtk_notebook_new ();
  manager.list = model_list_new (GTK_WINDOW (manager.dialog));
  manager.import = import_page_new (config, GTK_WINDOW (manager.dialog), model_came, &manager);
  manager.catalogue = catalogue_page_new (model_came, &manager);
  add_page (&manager, model_list_get_widget (manager.list), _("M_odels"));
  add_page (&manager, import_page_get_widget (manager.import), _("Import"));
  add_page (&manager, catalogue_page_get_widget (manager.catalogue), _("Catalo_gue"));
  gtk_container_set_border_width (GTK_CONTAINER (manager.notebook), 12);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (manager.dialog))), manager.notebook, TRUE, TRUE, 0);
  gtk_window_set_default_size (GTK_WINDOW (manager.dialog), 1140, 660);
  gtk_widget_show_all (manager.notebook);
  gtk_notebook_set_current_page (GTK_NOTEBOOK (manager.notebook), file && *file ? 1 : 0);
  g_signal_connect_after (manager.notebook, "switch-page", G_CALLBACK (on_switch), &manager);

  gimp_dialog_run (GIMP_DIALOG (manager.dialog));

  g_signal_handlers_disconnect_by_data (manager.notebook, &manager);
  catalogue_page_free (manager.catalogue);
  import_page_free (manager.import);
  gtk_widget_destroy (manager.dialog);
  model_list_free (manager.list);
}

/* ---- the procedure -------------------------------------------------------------------------------------------- */

static GimpValueArray *
models_run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  GimpRunMode     run_mode;
  GimpValueArray *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);

  g_object_get (config, "run-mode", &run_mode, NULL);
  if (run_mode == GIMP_RUN_INTERACTIVE)
    run_window (config);
  GIMP_VALUES_TAKE_STRING (values, 1, list_as_json ());
  return values;
}

GimpProcedure *
model_manager_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_procedure_new (plug_in, MODELS_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, models_run, NULL, NULL);

  procedure_describe (procedure, _("_Models…"), "system-run",
                      _("The models that Fovea has: what they are for, which is the default, their cards and layers"),
                      _("Shows the installed models, imports files with settings that are guessed and can be corrected, and fetches public models. From a script: the list "
                        "as JSON."));
  gimp_procedure_add_enum_argument (procedure, "run-mode", "Run mode", "The run mode", GIMP_TYPE_RUN_MODE, GIMP_RUN_NONINTERACTIVE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "file", _("_File"), _("Path of an ONNX file that the window's Import page opens"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("The models and what is known of them, as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
