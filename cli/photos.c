/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photos.c: see photos.h. Answers are printed as they come: however many photos there are, memory holds a few.
 */

#include "photos.h"

#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "folder.h"
#include "images-json.h"

#define COMMAND_INCOMPLETE 3      /* photos that were found, not named, couldn't be read; all else is done */
#define PROGRESS_EVERY     100000 /* microseconds */
#define STOP_EVERY         100000 /* microseconds until it is seen that the answer is to end */

typedef struct
{
  const PhotosOptions *options;
  PhotosPrint          print;
  OperationKind        kind;
  gsize                n_printed;
  GPtrArray           *problems;   /* messages of photos that failed */
  gboolean             only_unreadable;
  gint64               began, shown; /* microseconds */
} Printer;

GOptionEntry *
photos_join_options (const GOptionEntry *own, PhotosOptions *options)
{
  const GOptionEntry shared[] = {
    { "list", 0, 0, G_OPTION_ARG_FILENAME, &options->list, "Also the photos and folders in FILE, a path a line or with NUL between; “-”: standard input", "FILE" },
    { "pattern", 0, 0, G_OPTION_ARG_STRING, &options->pattern, "Of folders, only files of such names: \"*.jpg,2024-*\" (all photos)", "NAMES" },
    { "flat", 0, 0, G_OPTION_ARG_NONE, &options->flat, "Of folders, not what is in folders inside", NULL },
    { "shard", 0, 0, G_OPTION_ARG_STRING, &options->shard, "Only share I of N of the photos, 1/N to N/N", "I/N" },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &options->csv, "Print a table: a row for each name, object or mask", NULL },
    { "output-dir", 'o', 0, G_OPTION_ARG_FILENAME, &options->output, "Write results into this folder, and skip what is done there", "DIR" },
    { "formats", 0, 0, G_OPTION_ARG_STRING, &options->formats,
      "What --output-dir gets, commas between: csv, json, coco, yolo, voc, xmp, keywords, masks, cut-outs, pictures (csv,json)", "NAMES" },
    { "again", 0, 0, G_OPTION_ARG_NONE, &options->again, "With --output-dir, also do what is done", NULL },
    { "threads", 't', 0, G_OPTION_ARG_INT, &options->n_threads, "Compute with N threads (0: one per processor)", "N" },
    { NULL },
  };
  gsize         n_own = 0;
  GOptionEntry *all;

  while (own[n_own].long_name)
    n_own++;
  all = g_new (GOptionEntry, n_own + G_N_ELEMENTS (shared));
  memcpy (all, own, n_own * sizeof *own);
  memcpy (all + n_own, shared, sizeof shared);
  return all;
}

void
photos_clear_options (PhotosOptions *options)
{
  g_clear_pointer (&options->list, g_free);
  g_clear_pointer (&options->pattern, g_free);
  g_clear_pointer (&options->shard, g_free);
  g_clear_pointer (&options->output, g_free);
  g_clear_pointer (&options->formats, g_free);
}

/* ---- what is printed ------------------------------------------------------------------------------------------------------------------------- */

static void
print_csv (OperationKind kind, JsonObject *answer)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (answer)
    csv_add_rows (kind, answer, text);
  else
    csv_add_head (kind, text);
  fputs (text->str, stdout);
}

static void
print_entry (Printer *printer, const JobEntry *entry)
{
  if (entry->error)
    {
      g_ptr_array_add (printer->problems, g_strdup (entry->error->message));
      printer->only_unreadable &= entry->unreadable;
    }
  if (printer->options->json)
    images_json_add (stdout, printer->n_printed++, entry->answer);
  else if (printer->options->csv && !entry->error)
    print_csv (printer->kind, json_node_get_object (entry->answer));
  else if (!entry->error)
    {
      command_clear_progress ();
      printer->print (json_node_get_object (entry->answer));
    }
}

static void
show_progress (Printer *printer, gsize done, gsize n)
{
  gint64 now = g_get_monotonic_time ();
  double seconds = (double) (now - printer->began) * 1e-6;

  if (n < 2 || done == n || now - printer->shown < PROGRESS_EVERY)
    return;
  printer->shown = now;
  if (done > 0 && seconds >= 1)
    command_progress_text ("photo %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT ", %.1f a second, %.0f s left", done + 1, n, (double) done / seconds,
                           seconds / (double) done * (double) (n - done));
  else
    command_progress ("photo", done, n);
}

static void
print_problems (const GPtrArray *problems, gsize n)
{
  command_clear_progress ();
  for (guint i = 0; i < problems->len; i++)
    command_warn ("%s", (const char *) problems->pdata[i]);
  if (n > 1 && problems->len > 0)
    command_warn ("%u of %" G_GSIZE_FORMAT " photos failed.", problems->len, n);
}

char *
photos_get_name (JsonObject *answer)
{
  return g_strdup (json_object_get_string_member (answer, "file"));
}

gboolean
photos_read_tiles (const char *text, int *tiles)
{
  gint64 number = 1;

  if (g_strcmp0 (text, "auto") == 0)
    number = 0;
  else if (text && !g_ascii_string_to_signed (text, 10, 1, 32, &number, NULL))
    return FALSE;
  *tiles = (int) number;
  return TRUE;
}

/* ---- from options to a job -------------------------------------------------------------------------------------------------------------------- */

/* NULL with the exit status. */
static FileList *
make_list (const PhotosOptions *options, int argc, char **argv, gboolean *plain, int *status)
{
  g_autoptr (FileList) list = file_list_new (options->pattern, options->flat, options->output);
  g_autoptr (GError)   error = NULL;

  for (int i = 2; i < argc; i++)
    file_list_add (list, argv[i]);
  if (options->list && !file_list_read (list, options->list, &error))
    {
      *status = command_fail (options->json, error);
      return NULL;
    }
  if (file_list_count (list) == 0)
    {
      g_set_error (&error, FOVEA_ERROR, FOVEA_ERROR_FILE, "There are no photos%s%s%s. Give other folders, or another --pattern.", options->pattern ? " whose names fit “" : "",
                   options->pattern ? options->pattern : "", options->pattern ? "”" : "");
      *status = command_fail (options->json, error);
      return NULL;
    }
  *plain = file_list_is_plain (list);
  return g_steal_pointer (&list);
}

/* No picture may take a photo's place. */
static gboolean
check_folders (const FileList *list, const PictureFolders *folders, GError **error)
{
  const char *const all[] = { folders->masks, folders->cutouts, folders->drawn };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i] && !file_list_check_output (list, all[i], error))
      return FALSE;
  return TRUE;
}

static void
warn_licence (const Job *job)
{
  command_warn_licence (operation_get_model (job_get_operation (job)));
}

/* All answers to standard output, as they come. */
static int
print_answers (FileList *list, const PhotosOptions *options, JobSettings *settings, gboolean plain, PhotosPrint print)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  Printer               printer = { options, print, settings->operation.kind, 0, problems, TRUE, g_get_monotonic_time (), 0 };
  g_autoptr (GError)    error = NULL;
  g_autoptr (Job)       job = job_new (list, settings, &error);

  if (!job)
    return command_fail (options->json, error);
  warn_licence (job);
  if (options->json)
    {
      command_begin_answer ();
      fputs ("{\n  \"images\" : [", stdout);
    }
  else if (options->csv)
    print_csv (printer.kind, NULL);
  show_progress (&printer, 0, job_count (job));
  while (job_done (job) < job_count (job) && !command_is_stopped ())
    {
      g_autoptr (JobEntry) entry = job_next (job, STOP_EVERY);

      if (!entry)
        continue;
      print_entry (&printer, entry);
      show_progress (&printer, job_done (job), job_count (job));
    }
  if (options->json)
    {
      images_json_end (stdout, printer.n_printed);
      if (command_is_stopped ())
        printf (",\n  \"error\" : \"%s\"", command_stopped);
      fputs ("\n}\n", stdout);
    }
  print_problems (problems, job_count (job));
  if (command_is_stopped ())
    {
      command_warn ("%s", command_stopped);
      return COMMAND_FAILED;
    }
  if (problems->len == 0)
    return COMMAND_OK;
  return printer.only_unreadable && !plain ? COMMAND_INCOMPLETE : COMMAND_FAILED;
}

/* ---- into a folder --------------------------------------------------------------------------------------------------------------------------- */

static void
print_told (const PhotosOptions *options, JsonNode *told)
{
  JsonObject      *object = json_node_get_object (told), *files = json_object_get_object_member (object, "files");
  g_autofree char *text = NULL;

  if (options->json)
    {
      text = json_to_string (told, TRUE);
      command_begin_answer ();
      g_print ("%s\n", text);
      return;
    }
  g_print ("%d photos done, %d of them before. %s shows them.\n", (int) json_object_get_int_member (object, "count"), (int) json_object_get_int_member (object, "skipped"),
           json_object_get_string_member (files, "html"));
}

static int
fill_folder (FileList *list, const PhotosOptions *options, const FolderSettings *settings, gboolean plain)
{
  Printer               printer = { .options = options, .began = g_get_monotonic_time () };
  g_autoptr (GError)    error = NULL;
  g_autoptr (FolderRun) run = folder_run_new (list, settings, &error);
  g_autoptr (JsonNode)  told = NULL;
  const GPtrArray      *left_out;
  gsize                 done = 0, n = 0, count;

  if (run)
    warn_licence (folder_run_get_job (run));
  while (run && folder_run_step (run, -1, &error))
    {
      folder_run_count (run, &done, &n);
      show_progress (&printer, done, n);
    }
  told = run && !error ? folder_run_finish (run, &count, &error) : NULL;
  command_clear_progress ();
  if (!told)
    return command_fail (options->json, error);
  print_told (options, told);
  left_out = folder_run_get_left_out (run);
  for (guint i = 0; i < left_out->len; i++)
    command_warn ("%s", (const char *) left_out->pdata[i]);
  print_problems (folder_run_get_failures (run), n);
  if (folder_run_get_failures (run)->len == 0)
    return COMMAND_OK;
  return folder_run_only_unreadable (run) && !plain ? COMMAND_INCOMPLETE : COMMAND_FAILED;
}

/* A message for wrong usage, or NULL. */
static const char *
check_options (const PhotosOptions *options, const JobSettings *settings)
{
  if (options->n_threads < 0)
    return "--threads must be 0 or more.";
  if (options->json && options->csv)
    return "--json and --csv can't both be printed: choose one.";
  if (!options->output && (options->formats || options->again))
    return "--formats and --again are about a folder of results: give --output-dir, too.";
  if (options->output && options->csv)
    return "With --output-dir no table is printed: write “--formats csv”.";
  if (options->output && (settings->pictures.masks || settings->pictures.cutouts || settings->pictures.drawn))
    return "With --output-dir pictures are --formats, too: masks, cut-outs, pictures.";
  return NULL;
}

int
photos_run (const CommandHelp *help, const PhotosOptions *options, JobSettings *settings, int argc, char **argv, PhotosPrint print)
{
  g_autoptr (GError) error = NULL;
  FolderSettings     folder = { .output = options->output, .operation = settings->operation, .again = options->again, .shard = 1, .n_shards = 1 };
  const char        *wrong = check_options (options, settings);
  FileList          *list;
  gboolean           plain;
  int                status = COMMAND_FAILED;

  if (argc < 2 || (argc < 3 && !options->list))
    wrong = "Give a model and at least one photo.";
  if (wrong)
    return command_usage (help, options->json, "%s", wrong);
  if ((options->shard && !file_list_parse_shard (options->shard, &folder.shard, &folder.n_shards, &error))
      || !formats_parse (options->formats ? options->formats : "csv,json", settings->operation.kind, FALSE, &folder.formats, &error))
    return command_usage (help, options->json, "%s", error->message);
  list = make_list (options, argc, argv, &plain, &status);
  if (!list)
    return status;
  if (!check_folders (list, &settings->pictures, &error))
    {
      file_list_free (list);
      return command_fail (options->json, error);
    }
  folder.model = settings->model = argv[1];
  folder.n_threads = settings->n_threads = (guint) options->n_threads;
  if (options->output)
    return fill_folder (list, options, &folder, plain);
  file_list_close (list, folder.shard, folder.n_shards);
  return print_answers (list, options, settings, plain, print);
}
