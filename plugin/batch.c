/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch.c: the procedure plug-in-fovea-batch: its arguments, and the run without a window. The work is done by folder.h on threads of its own; GIMP's functions are
 * called from the main thread alone.
 */

#include "batch.h"

#include <glib/gi18n.h>

#include "arguments.h"
#include "models.h"
#include "procedure.h"

#define STEP_MICROSECONDS (G_USEC_PER_SEC / 10)
#define TELL_EVERY        (G_USEC_PER_SEC / 2)

const char *const batch_operations[] = { "classify", "locate", "segment", "cut-out", NULL };

/* In the order of these words. */
static const struct
{
  OperationKind kind;
  FoveaTask     task;
  guint         made; /* formats that go without saying */
} operations[] = {
  { OPERATION_CLASSIFY, FOVEA_TASK_CLASSIFY, 0 },
  { OPERATION_LOCATE, FOVEA_TASK_DETECT, 0 },
  { OPERATION_SEGMENT, FOVEA_TASK_SEGMENT, 0 },
  { OPERATION_SEGMENT, FOVEA_TASK_SEGMENT, FORMAT_CUTOUTS },
};

/* ---- what is asked for ------------------------------------------------------------------------------------------------------------------------ */

OperationKind
batch_get_kind (guint operation)
{
  return operations[operation].kind;
}

FoveaTask
batch_get_task (guint operation)
{
  return operations[operation].task;
}

void
batch_request_free (BatchRequest *request)
{
  if (!request)
    return;
  g_free (request->input);
  g_free (request->output);
  g_free (request->model);
  g_free (request->pattern);
  g_strfreev (request->settings.operation.classes);
  g_free (request);
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

static gboolean
check_input (const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” isn't a folder. Choose the folder that has the photos."), shown);
  return FALSE;
}

/* Classify has no use for classes: it would leave out what is in the photo. */
static gboolean
read_choice (GimpProcedureConfig *config, OperationSettings *settings, GError **error)
{
  g_autofree char *classes = NULL;
  const char      *wrong;
  double           threshold;
  int              top;

  g_object_get (config, "threshold", &threshold, "top", &top, "classes", &classes, NULL);
  settings->top = (gsize) top;
  settings->classes = settings->kind == OPERATION_CLASSIFY ? NULL : operation_split_classes (classes);
  wrong = operation_set_threshold (settings, threshold);
  if (wrong)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "%s", wrong);
  return !wrong;
}

BatchRequest *
batch_request_read (GimpProcedureConfig *config, GError **error)
{
  g_autoptr (BatchRequest) request = g_new0 (BatchRequest, 1);
  FolderSettings          *settings = &request->settings;
  g_autofree char         *formats = NULL, *pattern = NULL;

  settings->shard = settings->n_shards = 1;
  settings->write_layers = batch_layers_write;
  settings->layers_data = request;
  if (!argument_read_word (config, "operation", batch_operations, &request->operation, error))
    return NULL;
  operation_settings_init (&settings->operation, operations[request->operation].kind);
  g_object_get (config, "model", &request->model, "pattern", &pattern, "formats", &formats, "recursive", &request->recursive, "again", &settings->again, NULL);
  if (!read_choice (config, &settings->operation, error) || !formats_parse (formats, settings->operation.kind, TRUE, &settings->formats, error)
      || !(request->input = get_folder (config, "input-folder", _("Choose the folder that has the photos; it must be on this machine."), error))
      || !(request->output = get_folder (config, "output-folder", _("Choose a folder for the results; it must be on this machine."), error))
      || !check_input (request->input, error))
    return NULL;
  settings->formats |= operations[request->operation].made;
  request->pattern = pattern && *pattern ? g_steal_pointer (&pattern) : NULL;
  return g_steal_pointer (&request);
}

/* ---- the run --------------------------------------------------------------------------------------------------------------------------------- */

FileList *
batch_list_photos (const BatchRequest *request)
{
  FileList *list = file_list_new (request->pattern, !request->recursive, request->output);

  file_list_add (list, request->input);
  return list;
}

/* Where none is named, the first installed one that does it; a rough one only where there is no other. */
static gboolean
choose_model (BatchRequest *request, GError **error)
{
  g_auto (GStrv)     candidates = NULL;
  g_autoptr (GError) unknown_class = NULL;

  if (request->model && *request->model)
    return TRUE;
  candidates = models_to_try (operations[request->operation].task);
  for (int rough = 0; rough < 2; rough++)
    for (guint i = 0; candidates[i]; i++)
      {
        g_autoptr (GError)    problem = NULL;
        g_autoptr (Operation) operation = operation_new (candidates[i], &request->settings.operation, 1, 0, &problem);

        if (!unknown_class && g_error_matches (problem, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT))
          unknown_class = g_steal_pointer (&problem);
        if (operation && (rough || !operation_is_rough (operation)))
          {
            g_free (request->model);
            request->model = g_strdup (candidates[i]);
            return TRUE;
          }
      }
  if (unknown_class)
    {
      g_propagate_error (error, g_steal_pointer (&unknown_class));
      return FALSE;
    }
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("No model that can do this is installed. Choose an .onnx file, or put one into the folder fovea/models of your data folder."));
  return FALSE;
}

FolderRun *
batch_begin (BatchRequest *request, GError **error)
{
  g_autoptr (FileList) list = NULL;

  if (!choose_model (request, error))
    return NULL;
  list = batch_list_photos (request);
  if (file_list_count (list) == 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("There are no photos in “%s”. Choose another folder, or other names."), request->input);
      return NULL;
    }
  request->settings.output = request->output;
  request->settings.model = request->model;
  return folder_run_new (g_steal_pointer (&list), &request->settings, error);
}

char *
batch_tell (gsize done, gsize n, gint64 began)
{
  double seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC, left = done ? seconds / (double) done * (double) (n - done) : 0;

  if (done == 0 || done == n)
    return g_strdup_printf (_("%u of %u photos"), (guint) done, (guint) n);
  if (left >= 100)
    return g_strdup_printf (_("%u of %u photos, %.0f minutes left"), (guint) done, (guint) n, left / 60);
  return g_strdup_printf (_("%u of %u photos, %.0f seconds left"), (guint) done, (guint) n, left);
}

/* Where GIMP's user cancels, this process is ended: the journal has what is done. */
static JsonNode *
run_now (GimpRunMode run_mode, GimpProcedureConfig *config, gsize *count, GError **error)
{
  g_autoptr (BatchRequest) request = batch_request_read (config, error);
  g_autoptr (FolderRun)    run = NULL;
  GError                  *problem = NULL;
  gint64                   began, told = 0;

  gimp_progress_init (_("Batch"));
  run = request ? batch_begin (request, error) : NULL;
  if (!run)
    return NULL;
  models_warn (operation_get_model (job_get_operation (folder_run_get_job (run))), run_mode);
  began = g_get_monotonic_time ();
  while (folder_run_step (run, STEP_MICROSECONDS, &problem))
    if (g_get_monotonic_time () - told > TELL_EVERY)
      {
        g_autofree char *text = NULL;
        gsize            done, n;

        told = g_get_monotonic_time ();
        folder_run_count (run, &done, &n);
        text = batch_tell (done, n, began);
        gimp_progress_set_text (text);
        gimp_progress_update (n ? (double) done / (double) n : 1.0);
      }
  if (problem)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  return folder_run_finish (run, count, error);
}

static GimpValueArray *
batch_run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  GError              *error = NULL;
  GimpValueArray      *values;
  GimpRunMode          run_mode;
  g_autoptr (JsonNode) told = NULL;
  gsize                count = 0;

  procedure_begin ();
  g_object_get (config, "run-mode", &run_mode, NULL);
  told = run_mode == GIMP_RUN_INTERACTIVE ? batch_dialog_run (config, &count) : run_now (run_mode, config, &count, &error);
  if (!told)
    return gimp_procedure_new_return_values (procedure, error ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_CANCEL, error);
  values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GIMP_VALUES_SET_INT (values, 1, (int) count);
  GIMP_VALUES_TAKE_STRING (values, 2, json_to_string (told, FALSE));
  return values;
}

/* ---- the procedure --------------------------------------------------------------------------------------------------------------------------- */

static void
add_arguments (GimpProcedure *procedure)
{
  gimp_procedure_add_enum_argument (procedure, "run-mode", _("Run mode"), _("Whether to ask for the settings"), GIMP_TYPE_RUN_MODE, GIMP_RUN_INTERACTIVE,
                                    G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "operation", _("_Do"), _("What is done with each photo: classify, locate, segment or cut-out"), "classify",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"), _("Name of an installed model, or path of an ONNX file; empty: the first that can do it"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_file_argument (procedure, "input-folder", _("_Photos"), _("The folder that has the photos; nothing in it is changed"),
                                    GIMP_FILE_CHOOSER_ACTION_ANY, TRUE, NULL, G_PARAM_READWRITE);
  gimp_procedure_add_file_argument (procedure, "output-folder", _("_Results"), _("The folder for tables, pictures and the summary; made where it isn't there"),
                                    GIMP_FILE_CHOOSER_ACTION_ANY, TRUE, NULL, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "recursive", _("Folders _inside too"), _("Also the photos in folders of the folder"), TRUE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "pattern", _("File _names"), _("Which files are taken, as “*.jpg,cat-*”; empty: all photos"), "", G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "threshold", _("Thr_eshold"),
                                      _("Names and objects less sure than this are left out (0 to 1), of masks the share that lies on the border; -1: none of the names, the "
                                        "model's own for objects, 0.5 for masks"), OPERATION_USUAL, 1, OPERATION_USUAL, G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "top", _("How man_y names"), _("Of Classify: how many names to give at most"), 1, 1000, 5, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "classes", _("C_lasses"), _("Of Locate, Segment and Cut Out: only these names, commas between; empty: all"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "formats", _("_Formats"), _("What is written, commas between: csv, json, xmp, keywords; of Locate also coco, yolo, voc, pictures, xcf; of Segment "
                                                                          "and Cut Out also masks, cut-outs, pictures, xcf"),
                                      "csv,json", G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "again", _("Do all a_gain"), _("Also the photos that an earlier run has done"), FALSE, G_PARAM_READWRITE);
}

GimpProcedure *
batch_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_procedure_new (plug_in, BATCH_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, batch_run, NULL, NULL);

  procedure_describe (procedure, _("_Batch…"), "folder-pictures",
                      _("Name, locate, mask or cut out what is in a whole folder of photos"),
                      _("Writes tables, pictures and a summary into another folder. The photos themselves are never changed. A run that was cut goes on "
                        "where it stopped."));
  add_arguments (procedure);
  gimp_procedure_add_int_return_value (procedure, "count", _("Count"), _("Photos that have an answer"), 0, G_MAXINT, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Counts, files and the photos that failed, as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
