/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.c: `fovea bench`: how long a network takes on this machine, how much memory, how long until its first answer.
 */

#include <stdlib.h>
#include <sys/resource.h>

#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "bench",
  "MODEL",
  "Measures how fast a network runs on this machine. Its input is filled with\n"
  "random numbers of mean 0 and deviation 1; times are in milliseconds.",
  "  fovea bench squeezenet                                      ten runs\n"
  "  fovea bench net.onnx --shape data=1x3x512x512 --threads 2   at another size\n"
  "  fovea bench net.onnx --repeat 100 --json                    for programs\n",
};

typedef struct
{
  int     threads, repeat, batch;
  double  least, median, most;              /* milliseconds of a run */
  double  load, first;                      /* milliseconds: to the session, of the first run */
  double  operations;                       /* floating-point operations of a run; a multiply-add counts as two */
  guint64 arena;
  double  peak;                             /* bytes */
} Measurement;

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double first = *(const double *) a, second = *(const double *) b;

  return (first > second) - (first < second);
}

/* Sums of uniform numbers are normal enough; the same on each run. */
static void
fill_input (FoveaTensor *tensor, GRand *random)
{
  gsize n = tensor->size / fovea_type_size (tensor->type);

  for (gsize i = 0; i < n; i++)
    {
      double x = g_rand_double (random) + g_rand_double (random) + g_rand_double (random) + g_rand_double (random) - 2;

      if (tensor->type == FOVEA_TYPE_FLOAT32)
        ((float *) tensor->data)[i] = (float) (x * 1.7320508);
      else if (tensor->type == FOVEA_TYPE_FLOAT64)
        ((double *) tensor->data)[i] = x * 1.7320508;
      else if (tensor->type == FOVEA_TYPE_UINT8)
        ((guint8 *) tensor->data)[i] = (guint8) CLAMP (128 + x * 64, 0, 255);
    }
}

static double
now_ms (void)
{
  return (double) g_get_monotonic_time () / 1000;
}

/* The model's operations: those of its layers, before any pass. */
static double
count_operations (FoveaModel *model, const FoveaSessionOptions *options)
{
  gsize       n;
  FoveaLayer *layers = fovea_model_list_layers (model, options, &n, NULL);
  double      macs = 0;

  if (!layers)
    return 0;
  for (gsize i = 0; i < n; i++)
    macs += (double) layers[i].macs;
  fovea_layers_free (layers, n);
  return 2 * macs;
}

static gboolean
measure (const char *path, const FoveaSessionOptions *options, Measurement *result, GError **error)
{
  double                   started = now_ms (), *times = NULL;
  g_autoptr (FoveaModel)   model = fovea_model_load (path, error);
  g_autoptr (FoveaSession) session = model ? fovea_session_new (model, options, error) : NULL;
  g_autoptr (GRand)        random = g_rand_new_with_seed (1);
  struct rusage            usage;

  if (!session)
    return FALSE;
  result->load = now_ms () - started;
  for (guint i = 0; i < fovea_model_get_n_inputs (model); i++)
    fill_input (fovea_session_get_input (session, i), random);

  times = g_new (double, result->repeat);
  for (int i = -1; i < result->repeat; i++)
    {
      double before = now_ms ();

      if (!fovea_session_run (session, NULL, NULL, NULL, error))
        {
          g_free (times);
          return FALSE;
        }
      if (i < 0)
        result->first = now_ms () - before;
      else
        times[i] = now_ms () - before;
    }
  qsort (times, (gsize) result->repeat, sizeof *times, compare_doubles);
  result->least = times[0];
  result->median = (times[(result->repeat - 1) / 2] + times[result->repeat / 2]) / 2;
  result->most = times[result->repeat - 1];
  g_free (times);

  result->threads = (int) fovea_session_get_threads (session);
  result->batch = fovea_session_get_input (session, 0)->shape.n_dims > 0 ? (int) fovea_session_get_input (session, 0)->shape.dims[0] : 1;
  result->arena = fovea_session_get_arena_bytes (session);
  getrusage (RUSAGE_SELF, &usage);
  result->peak = (double) usage.ru_maxrss * 1024;
  result->operations = count_operations (model, options);
  return TRUE;
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_integer (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
print_json (const char *model, const Measurement *result)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  command_add_string (json, "model", model);
  add_integer (json, "threads", result->threads);
  add_integer (json, "repeat", result->repeat);
  add_integer (json, "batch", result->batch);
  json_builder_set_member_name (json, "ms");
  json_builder_begin_object (json);
  add_number (json, "min", result->least);
  add_number (json, "median", result->median);
  add_number (json, "max", result->most);
  json_builder_end_object (json);
  add_number (json, "gflop", result->operations * 1e-9);
  add_number (json, "gflops", result->operations * 1e-6 / MAX (result->median, 1e-9));
  add_integer (json, "arena_bytes", (gint64) result->arena);
  add_integer (json, "peak_rss_bytes", (gint64) result->peak);
  add_number (json, "load_ms", result->load);
  add_number (json, "first_run_ms", result->first);
  command_add_string (json, "isa", fovea_get_isa ());
  json_builder_end_object (json);
  command_print_json (json);
}

static void
print_text (const char *model, const Measurement *result)
{
  g_print ("%s: %.2f ms (%.2f to %.2f, %d runs), %d thread%s, %s\n", model, result->median, result->least, result->most, result->repeat, result->threads,
           result->threads > 1 ? "s" : "", fovea_get_isa ());
  g_print ("  %.2f GFLOP, %.1f GFLOP/s\n", result->operations * 1e-9, result->operations * 1e-6 / MAX (result->median, 1e-9));
  g_print ("  start: %.1f ms to load and compile, %.1f ms for the first run\n", result->load, result->first);
  g_print ("  memory: %.1f MiB of arena, %.1f MiB of the process at its peak\n", (double) result->arena / 1048576, result->peak / 1048576);
}

int
verb_bench (int argc, char **argv)
{
  g_auto (GStrv) shapes = NULL;
  gboolean       as_json = FALSE;
  int            n_threads = 0, repeat = 10, status;
  GOptionEntry   options[] = {
    { "shape", 's', 0, G_OPTION_ARG_STRING_ARRAY, &shapes, "The shape of an input", "NAME=1x3x224x224" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "repeat", 'r', 0, G_OPTION_ARG_INT, &repeat, "Measure N runs, after one that doesn't count (10)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object", NULL },
    { NULL },
  };
  g_autoptr (FoveaSessionOptions) session_options = fovea_session_options_new ();
  g_autoptr (GError)              error = NULL;
  g_autofree char                *path = NULL;
  Measurement                     result = { 0 };

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc != 2)
    return command_usage (&help, as_json, "Give one model.");
  if (n_threads < 0 || repeat < 1 || repeat > 1000000)
    return command_usage (&help, as_json, "--threads must be 0 or more, --repeat between 1 and a million.");
  for (char **shape = shapes; shape && *shape; shape++)
    {
      g_autofree char *name = NULL;
      FoveaShape       parsed;

      if (!command_parse_shape (*shape, &name, &parsed, &error))
        return command_usage (&help, as_json, "%s", error->message);
      fovea_session_options_set_shape (session_options, name, &parsed);
    }
  fovea_session_options_set_threads (session_options, (guint) n_threads);
  result.repeat = repeat;
  path = fovea_find_model (argv[1], &error);
  if (!path || !measure (path, session_options, &result, &error))
    return command_fail (as_json, error);
  if (as_json)
    print_json (argv[1], &result);
  else
    print_text (argv[1], &result);
  return COMMAND_OK;
}
