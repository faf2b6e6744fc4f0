/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photos.c: see photos.h. Answers are printed as they come: however many photos there are, memory holds a few.
 */

#include "photos.h"

#include <stdio.h>
#include <string.h>

#include "csv.h"

#define COMMAND_INCOMPLETE 3      /* photos that were found, not named, couldn't be read; all else is done */
#define PROGRESS_EVERY     100000 /* microseconds */

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
}

/* ---- what is printed ------------------------------------------------------------------------------------------------------------------------- */

/* The object as it would be printed as a member of images, indented. */
static void
print_json (Printer *printer, JsonNode *answer)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char          *text = NULL;
  g_auto (GStrv)            lines = NULL;

  json_generator_set_root (generator, answer);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  lines = g_strsplit (text, "\n", -1);
  fputs (printer->n_printed++ ? "," : "", stdout);
  for (guint i = 0; lines[i]; i++)
    fprintf (stdout, "\n    %s", lines[i]);
}

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
    print_json (printer, entry->answer);
  else if (printer->options->csv && !entry->error)
    print_csv (printer->kind, json_node_get_object (entry->answer));
  else if (!entry->error)
    {
      command_clear_progress ();
      printer->print (json_node_get_object (entry->answer));
    }
}

static void
show_progress (Printer *printer, const Job *job)
{
  gint64 now = g_get_monotonic_time ();
  double seconds = (double) (now - printer->began) * 1e-6;
  gsize  done = job_done (job), n = job_count (job);

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
print_problems (const Printer *printer, gsize n)
{
  command_clear_progress ();
  for (guint i = 0; i < printer->problems->len; i++)
    command_warn ("%s", (const char *) printer->problems->pdata[i]);
  if (n > 1 && printer->problems->len > 0)
    command_warn ("%u of %" G_GSIZE_FORMAT " photos failed.", printer->problems->len, n);
}

char *
photos_get_name (JsonObject *answer)
{
  return g_strdup (json_object_get_string_member (answer, "file"));
}

char **
photos_split_names (const char *names)
{
  char **parts = names ? g_strsplit (names, ",", -1) : NULL;

  for (guint i = 0; parts && parts[i]; i++)
    g_strstrip (parts[i]);
  return parts;
}

/* ---- from options to a job -------------------------------------------------------------------------------------------------------------------- */

/* NULL with the exit status. */
static FileList *
make_list (const CommandHelp *help, const PhotosOptions *options, int argc, char **argv, gboolean *plain, int *status)
{
  g_autoptr (FileList) list = file_list_new (options->pattern, options->flat, NULL);
  g_autoptr (GError)   error = NULL;
  gsize                shard = 1, n_shards = 1;

  if (options->shard && !file_list_parse_shard (options->shard, &shard, &n_shards, &error))
    {
      *status = command_usage (help, options->json, "%s", error->message);
      return NULL;
    }
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
  file_list_close (list, shard, n_shards);
  return g_steal_pointer (&list);
}

int
photos_run (const CommandHelp *help, const PhotosOptions *options, JobSettings *settings, int argc, char **argv, PhotosPrint print)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  Printer               printer = { options, print, settings->operation.kind, 0, problems, TRUE, g_get_monotonic_time (), 0 };
  g_autoptr (GError)    error = NULL;
  g_autoptr (Job)       job = NULL;
  FileList             *list;
  JobEntry             *entry;
  gboolean              plain;
  int                   status;

  if (argc < 2 || (argc < 3 && !options->list))
    return command_usage (help, options->json, "Give a model and at least one photo.");
  if (options->n_threads < 0)
    return command_usage (help, options->json, "--threads must be 0 or more.");
  if (options->json && options->csv)
    return command_usage (help, TRUE, "--json and --csv can't both be printed: choose one.");
  list = make_list (help, options, argc, argv, &plain, &status);
  if (!list)
    return status;
  settings->model = argv[1];
  settings->n_threads = (guint) options->n_threads;
  job = job_new (list, settings, &error);
  if (!job)
    return command_fail (options->json, error);

  if (options->json)
    fputs ("{\n  \"images\" : [", stdout);
  else if (options->csv)
    print_csv (printer.kind, NULL);
  show_progress (&printer, job);
  while ((entry = job_next (job, -1)))
    {
      print_entry (&printer, entry);
      show_progress (&printer, job);
      job_entry_free (entry);
    }
  if (options->json)
    fputs (printer.n_printed ? "\n  ]\n}\n" : "]\n}\n", stdout);
  print_problems (&printer, job_count (job));
  if (problems->len == 0)
    return COMMAND_OK;
  return printer.only_unreadable && !plain ? COMMAND_INCOMPLETE : COMMAND_FAILED;
}
