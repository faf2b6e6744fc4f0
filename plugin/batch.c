/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch.c: the procedure plug-in-fovea-batch: its arguments, GIMP's own dialog for them, progress. The work is done by folder.h on threads of its own; GIMP's
 * functions are called from the main thread alone.
 */

#include "batch.h"

#include <glib/gi18n.h>
#include <libgimp/gimpui.h>

#include "folder.h"
#include "models.h"

#define STEP_MICROSECONDS (G_USEC_PER_SEC / 10)
#define TELL_EVERY        (G_USEC_PER_SEC / 2)

static const struct
{
  const char   *name, *label, *model; /* model: the built-in one */
  OperationKind kind;
} operations[] = {
  { "classify", N_("Classify"), "tagger", OPERATION_CLASSIFY },
  { "locate", N_("Locate"), "objects", OPERATION_LOCATE },
  { "segment", N_("Segment"), "cutout", OPERATION_SEGMENT },
  { "cut-out", N_("Cut Out"), "cutout", OPERATION_SEGMENT },
};

/* ---- arguments ------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
read_formats (const char *text, FolderSettings *settings, GError **error)
{
  const struct
  {
    const char *name;
    gboolean   *wanted;
  } formats[] = { { "csv", &settings->csv }, { "json", &settings->json }, { "masks", &settings->masks }, { "cut-outs", &settings->cutouts } };
  g_auto (GStrv) words = g_strsplit (text ? text : "", ",", -1);

  for (guint i = 0; words[i]; i++)
    {
      guint k = 0;

      if (!*g_strstrip (words[i]))
        continue;
      while (k < G_N_ELEMENTS (formats) && g_strcmp0 (formats[k].name, words[i]) != 0)
        k++;
      if (k == G_N_ELEMENTS (formats))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” isn't a format. Right ones are: csv, json, masks, cut-outs, with commas between."), words[i]);
          return FALSE;
        }
      *formats[k].wanted = TRUE;
    }
  if (settings->operation.kind == OPERATION_SEGMENT || (!settings->masks && !settings->cutouts))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Only Segment and Cut Out make masks and cut-outs. Leave these formats out, or choose one of the two."));
  return FALSE;
}

/* The model that is asked for, or the first installed one that does the operation. */
static char *
choose_model (const char *wanted, const char *builtin, const OperationSettings *settings, GError **error)
{
  g_auto (GStrv) candidates = NULL;

  if (wanted && *wanted)
    return g_strdup (wanted);
  candidates = models_to_try (builtin);
  for (guint i = 0; candidates[i]; i++)
    {
      g_autoptr (Operation) operation = operation_new (candidates[i], settings, 1, 0, NULL);

      if (operation)
        return g_strdup (candidates[i]);
    }
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("No model that can do this is installed. Choose an .onnx file, or put one into the folder fovea/models of your data folder."));
  return NULL;
}

static char *
get_folder (GimpProcedureConfig *config, const char *property, const char *words, GError **error)
{
  g_autoptr (GFile) folder = NULL;
  char             *path;

  g_object_get (config, property, &folder, NULL);
  path = folder ? g_file_get_path (folder) : NULL;
  if (!path)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, words);
  return path;
}

/* ---- the run --------------------------------------------------------------------------------------------------------------------------------- */

static void
tell (gsize done, gsize n, gint64 began)
{
  double           seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  g_autofree char *text = NULL;

  if (done > 0)
    text = g_strdup_printf (_("%u of %u photos, %.0f s left"), (guint) done, (guint) n, seconds / (double) done * (double) (n - done));
  else
    text = g_strdup_printf (_("%u of %u photos"), (guint) done, (guint) n);
  gimp_progress_set_text (text);
  gimp_progress_update (n ? (double) done / (double) n : 1.0);
}

/* Where GIMP's user cancels, this process is ended: the journal has what is done. */
static char *
run_folder (const FolderSettings *settings, gsize *count, GError **error)
{
  g_autoptr (FolderRun) run = NULL;
  GError               *problem = NULL;
  gint64                began, told = 0;

  gimp_progress_init (_("Batch"));
  run = folder_run_new (settings, error);
  if (!run)
    return NULL;
  began = g_get_monotonic_time ();
  while (folder_run_step (run, STEP_MICROSECONDS, &problem))
    if (g_get_monotonic_time () - told > TELL_EVERY)
      {
        gsize done, n;

        told = g_get_monotonic_time ();
        folder_run_count (run, &done, &n);
        tell (done, n, began);
      }
  if (problem)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  return folder_run_finish (run, count, error);
}

static char *
run_config (GimpProcedureConfig *config, gsize *count, GError **error)
{
  FolderSettings   settings = { .operation = { .top = 5, .least = 0.01, .tiles = 1, .selection = { .threshold = -1, .overlap = -1, .most = 300 },
                                               .mask = { .threshold = 0.5, .softness = 1.0, .refine = TRUE } } };
  g_autofree char *operation = NULL, *wanted = NULL, *model = NULL, *pattern = NULL, *formats = NULL, *input = NULL, *output = NULL;
  guint            i = 0;

  g_object_get (config, "operation", &operation, "model", &wanted, "pattern", &pattern, "formats", &formats, "recursive", &settings.recursive, "again",
                &settings.again, NULL);
  while (i < G_N_ELEMENTS (operations) - 1 && g_strcmp0 (operations[i].name, operation) != 0)
    i++;
  settings.operation.kind = operations[i].kind;
  settings.cutouts = g_str_equal (operations[i].name, "cut-out");
  if (!read_formats (formats, &settings, error)
      || !(input = get_folder (config, "input-folder", _("Choose the folder that has the photos; it must be on this machine."), error))
      || !(output = get_folder (config, "output-folder", _("Choose a folder for the results; it must be on this machine."), error))
      || !(model = choose_model (wanted, operations[i].model, &settings.operation, error)))
    return NULL;
  settings.input = input;
  settings.output = output;
  settings.model = model;
  settings.pattern = pattern && *pattern ? pattern : NULL;
  return run_folder (&settings, count, error);
}

static gboolean
ask (GimpProcedure *procedure, GimpProcedureConfig *config)
{
  GtkWidget *dialog;
  gboolean   go_on;

  gimp_ui_init (BATCH_PROCEDURE);
  dialog = gimp_procedure_dialog_new (procedure, config, _("Batch"));
  gimp_procedure_dialog_fill (GIMP_PROCEDURE_DIALOG (dialog), NULL);
  go_on = gimp_procedure_dialog_run (GIMP_PROCEDURE_DIALOG (dialog));
  gtk_widget_destroy (dialog);
  return go_on;
}

static GimpValueArray *
batch_run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  GError          *error = NULL;
  GimpValueArray  *values;
  GimpRunMode      run_mode;
  g_autofree char *json = NULL;
  gsize            count = 0;

  gegl_init (NULL, NULL);
  g_object_get (config, "run-mode", &run_mode, NULL);
  if (run_mode == GIMP_RUN_INTERACTIVE && !ask (procedure, config))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
  json = run_config (config, &count, &error);
  if (!json)
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  if (run_mode == GIMP_RUN_INTERACTIVE)
    g_message (ngettext ("%d photo has an answer. A summary is in the folder of results: fovea-batch.html.",
                         "%d photos have an answer. A summary is in the folder of results: fovea-batch.html.", (gulong) count),
               (int) count);
  values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GIMP_VALUES_SET_INT (values, 1, (int) count);
  GIMP_VALUES_TAKE_STRING (values, 2, g_steal_pointer (&json));
  return values;
}

/* ---- the procedure --------------------------------------------------------------------------------------------------------------------------- */

static void
add_arguments (GimpProcedure *procedure)
{
  GimpChoice *choice = gimp_choice_new ();

  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    gimp_choice_add (choice, operations[i].name, (int) i, _(operations[i].label), NULL);
  gimp_procedure_add_enum_argument (procedure, "run-mode", _("Run mode"), _("Whether to ask for the settings"), GIMP_TYPE_RUN_MODE, GIMP_RUN_INTERACTIVE,
                                    G_PARAM_READWRITE);
  gimp_procedure_add_choice_argument (procedure, "operation", _("_Operation"), _("What is done with each photo: classify, locate, segment or cut-out"), choice,
                                      "classify", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"), _("Name of an installed model, or path of an ONNX file; empty: the first that can do it"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_file_argument (procedure, "input-folder", _("_Photos"), _("The folder that has the photos; nothing in it is changed"),
                                    GIMP_FILE_CHOOSER_ACTION_SELECT_FOLDER, TRUE, NULL, G_PARAM_READWRITE);
  gimp_procedure_add_file_argument (procedure, "output-folder", _("_Results"), _("The folder for tables, pictures and the summary; made where it isn't there"),
                                    GIMP_FILE_CHOOSER_ACTION_CREATE_FOLDER, TRUE, NULL, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "recursive", _("Folders _inside too"), _("Also the photos in folders of the folder"), TRUE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "pattern", _("_Names"), _("Which files are taken, as “*.jpg,cat-*”; empty: all photos"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "formats", _("_Formats"), _("What is written, commas between: csv, json; of Segment and Cut Out also masks, cut-outs"),
                                      "csv,json", G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "again", _("Do all a_gain"), _("Also the photos that an earlier run has done"), FALSE, G_PARAM_READWRITE);
}

GimpProcedure *
batch_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure   *procedure = gimp_procedure_new (plug_in, BATCH_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, batch_run, NULL, NULL);
  g_autofree char *menu = g_strconcat ("<Image>/Filters/", _("_Fovea"), NULL);

  gimp_procedure_set_menu_label (procedure, _("_Batch…"));
  gimp_procedure_add_menu_path (procedure, menu);
  gimp_procedure_set_icon_name (procedure, "folder-pictures");
  gimp_procedure_set_documentation (procedure, _("Name, locate, mask or cut out what is in a whole folder of photos"),
                                    _("Writes tables, pictures and a summary into another folder. The photos themselves are never changed. A run that was cut goes on "
                                      "where it stopped."),
                                    BATCH_PROCEDURE);
  gimp_procedure_set_attribution (procedure, "Fovea developers", "Fovea developers", "2026");
  add_arguments (procedure);
  gimp_procedure_add_int_return_value (procedure, "count", _("Count"), _("Photos that have an answer"), 0, G_MAXINT, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Counts, files and the photos that failed, as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
