/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.c: `fovea bench`: how long a network takes on this machine, how much memory, how long until its first answer.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"
#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "bench",
  "MODEL",
  "Measures how fast a network runs on this machine. Its input is filled with\n"
  "random numbers of mean 0 and deviation 1, at the size of the model's settings;\n"
  "times are in milliseconds.\n"
  "\n"
  "--per-layer shows where the time goes: each step's share of it, its arithmetic\n"
  "by the peak of the processor and its memory traffic by the bandwidth, both\n"
  "measured on the spot. What lies in caches can exceed 100 % of the bandwidth,\n"
  "Winograd's 3x3 convolutions 100 % of the peak: they do less than is counted.\n"
  "--photo measures the way from a photo to the answer: decoding, resizing,\n"
  "normalizing, the network.",
  "  fovea bench squeezenet                                      ten runs\n"
  "  fovea bench net.onnx --shape data=1x3x512x512 --threads 2   at another size\n"
  "  fovea bench net.onnx --per-layer --html layers.html         where the time goes\n"
  "  fovea bench tagger --photo photo.jpg                        photo to answer\n"
  "  fovea bench net.onnx --repeat 100 --json                    for programs\n",
};

/* What is asked for. */
typedef struct
{
  const char *model, *html;
  char      **shapes;
  gboolean    per_layer, as_json;
} Wish;

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

double
bench_now_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

/* The median of n times, which are sorted. */
double
bench_median (double *times, gsize n)
{
  qsort (times, n, sizeof *times, compare_doubles);
  return (times[(n - 1) / 2] + times[n / 2]) / 2;
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

/* Runs the session; `layers` may be NULL. */
static gboolean
measure_runs (FoveaSession *session, Measurement *result, Layers *layers, GError **error)
{
  g_autofree double *times = g_new (double, result->repeat);

  for (int i = -1; i < result->repeat; i++)
    {
      double before = bench_now_ms ();

      if (!fovea_session_run (session, NULL, NULL, NULL, error))
        return FALSE;
      if (i < 0)
        result->first = bench_now_ms () - before;
      else
        {
          times[i] = bench_now_ms () - before;
          if (layers)
            layers_note_run (layers);
        }
    }
  result->median = bench_median (times, (gsize) result->repeat);
  result->least = times[0];
  result->most = times[result->repeat - 1];
  return TRUE;
}

static gboolean
names_input (char **shapes, const char *input)
{
  for (char **shape = shapes; shape && *shape; shape++)
    if (g_str_has_prefix (*shape, input) && (*shape)[strlen (input)] == '=')
      return TRUE;
  return FALSE;
}

/* A photo's input gets the size of the settings, as where photos are looked at, unless --shape names it. A model without usable settings is measured
 * at the shape it has. */
static void
set_photo_shape (FoveaSessionOptions *options, FoveaModel *model, char **shapes)
{
  const FoveaPort          *port = fovea_model_get_n_inputs (model) > 0 ? fovea_model_get_input (model, 0) : NULL;
  g_autoptr (FoveaSettings) settings = port && !names_input (shapes, port->name) ? fovea_settings_read (model, NULL) : NULL;
  FoveaShape                shape;

  if (settings && fovea_settings_get_input_shape (settings, port, &shape, NULL))
    fovea_session_options_set_shape (options, port->name, &shape);
}

static gboolean
measure (const char *path, FoveaSessionOptions *options, char **shapes, Measurement *result, Layers **layers, GError **error)
{
  double                   started = bench_now_ms ();
  g_autoptr (FoveaModel)   model = fovea_model_load (path, error);
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GRand)        random = g_rand_new_with_seed (1);
  struct rusage            usage;

  if (!model)
    return FALSE;
  result->load = bench_now_ms () - started;
  set_photo_shape (options, model, shapes);
  started = bench_now_ms ();
  session = fovea_session_new (model, options, error);
  if (!session)
    return FALSE;
  result->load += bench_now_ms () - started;
  for (guint i = 0; i < fovea_model_get_n_inputs (model); i++)
    fill_input (fovea_session_get_input (session, i), random);

  if (result->per_layer)
    *layers = layers_new (session, (gsize) result->repeat);
  if (!measure_runs (session, result, *layers, error))
    return FALSE;

  result->threads = (int) fovea_session_get_threads (session);
  result->batch = fovea_session_get_input (session, 0)->shape.n_dims > 0 ? (int) fovea_session_get_input (session, 0)->shape.dims[0] : 1;
  result->arena = fovea_session_get_arena_bytes (session);
  getrusage (RUSAGE_SELF, &usage);
  result->peak = (double) usage.ru_maxrss * 1024;
  result->operations = count_operations (model, options);
  return !result->per_layer || layers_finish (*layers, session, error);
}

void
bench_add_number (JsonBuilder *json, const char *name, double value)
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
print_json (const char *model, const Measurement *result, const Layers *layers)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  command_add_string (json, "model", model);
  add_integer (json, "threads", result->threads);
  add_integer (json, "repeat", result->repeat);
  add_integer (json, "batch", result->batch);
  json_builder_set_member_name (json, "ms");
  json_builder_begin_object (json);
  bench_add_number (json, "min", result->least);
  bench_add_number (json, "median", result->median);
  bench_add_number (json, "max", result->most);
  json_builder_end_object (json);
  bench_add_number (json, "gflop", result->operations * 1e-9);
  bench_add_number (json, "gflops", result->operations * 1e-6 / MAX (result->median, 1e-9));
  add_integer (json, "arena_bytes", (gint64) result->arena);
  add_integer (json, "peak_rss_bytes", (gint64) result->peak);
  bench_add_number (json, "load_ms", result->load);
  bench_add_number (json, "first_run_ms", result->first);
  command_add_string (json, "isa", fovea_get_isa ());
  if (layers)
    layers_add_json (layers, json);
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

/* Shapes as the command line gives them. */
static gboolean
set_shapes (FoveaSessionOptions *options, char **shapes, GError **error)
{
  for (char **shape = shapes; shape && *shape; shape++)
    {
      g_autofree char *name = NULL;
      FoveaShape       parsed;

      if (!command_parse_shape (*shape, &name, &parsed, error))
        return FALSE;
      fovea_session_options_set_shape (options, name, &parsed);
    }
  return TRUE;
}

static gboolean
bench_network (const Wish *wish, const char *path, FoveaSessionOptions *options, int repeat, GError **error)
{
  Measurement        result = { .repeat = repeat, .per_layer = wish->per_layer };
  g_autoptr (Layers) layers = NULL;

  if (!measure (path, options, wish->shapes, &result, &layers, error) || (wish->html && !layers_write_html (layers, wish->html, wish->model, &result, error)))
    return FALSE;
  if (wish->as_json)
    print_json (wish->model, &result, layers);
  else
    {
      print_text (wish->model, &result);
      if (layers)
        layers_print (layers);
    }
  return TRUE;
}

int
verb_bench (int argc, char **argv)
{
  g_auto (GStrv)   shapes = NULL;
  g_autofree char *html = NULL, *photo = NULL;
  Wish             wish = { 0 };
  int              n_threads = 0, repeat = 10, status;
  GOptionEntry     options[] = {
    { "shape", 's', 0, G_OPTION_ARG_STRING_ARRAY, &shapes, "The shape of an input", "NAME=1x3x224x224" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "repeat", 'r', 0, G_OPTION_ARG_INT, &repeat, "Measure N runs, after one that doesn't count (10)", "N" },
    { "per-layer", 0, 0, G_OPTION_ARG_NONE, &wish.per_layer, "Show what each step takes", NULL },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &html, "Write that as a web page, too", "FILE" },
    { "photo", 0, 0, G_OPTION_ARG_FILENAME, &photo, "Measure the way from this photo to the answer", "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &wish.as_json, "Print one JSON object", NULL },
    { NULL },
  };
  g_autoptr (FoveaSessionOptions) session_options = fovea_session_options_new ();
  g_autoptr (GError)              error = NULL;
  g_autofree char                *path = NULL;
  gboolean                        done;

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc != 2)
    return command_usage (&help, wish.as_json, "Give one model.");
  if (n_threads < 0 || repeat < 1 || repeat > 1000000)
    return command_usage (&help, wish.as_json, "--threads must be 0 or more, --repeat between 1 and a million.");
  if (photo && (wish.per_layer || html || shapes))
    return command_usage (&help, wish.as_json, "--photo goes without --per-layer, --html and --shape.");
  if (!set_shapes (session_options, shapes, &error))
    return command_usage (&help, wish.as_json, "%s", error->message);
  fovea_session_options_set_threads (session_options, (guint) n_threads);
  wish.model = argv[1];
  wish.html = html;
  wish.shapes = shapes;
  wish.per_layer |= html != NULL;
  path = fovea_find_model (argv[1], &error);
  if (!path)
    return command_fail (wish.as_json, error);
  done = photo ? bench_photo (path, photo, (guint) n_threads, repeat, wish.as_json, &error)
               : bench_network (&wish, path, session_options, repeat, &error);
  return done ? COMMAND_OK : command_fail (wish.as_json, error);
}
