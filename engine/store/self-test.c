/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * self-test.c: does this Fovea compute rightly on this machine? Known tensors through every kernel table that the processor has, then every installed model:
 * it must load and compile; one of usual size must give the same answer from any number of threads, and a small one that of the plain reference. Beside that,
 * what a maintainer asks of someone who reports an error.
 */

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fovea.h"
#include "kernels/kernels.h"
#include "kernels/samples.h"

#define LARGEST_RUN 2000000000ull /* multiply-adds of a network that is run, too */
#define LARGEST_REFERENCE 100000000ull /* and of one that the reference, which is slow, runs as well */
#define TOLERANCE   2e-3         /* of an answer, as a share of the greatest number in it: Winograd and float16 weights, through a hundred layers */

/* ---- the machine ------------------------------------------------------------------------------------------------------------------------ */

/* What the system's file says after the key, or NULL. */
static char *
find_line (const char *path, const char *key)
{
  g_autofree char *text = NULL;
  g_auto (GStrv)   lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++)
    if (g_str_has_prefix (*line, key) && strchr (*line, ':'))
      return g_strstrip (g_strdup (strchr (*line, ':') + 1));
  return NULL;
}

/* Those that the engine knows to use, or that a question would be about. */
static char **
list_features (void)
{
  static const char *const known[] = { "sse2", "ssse3", "sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl",
                                       "avx512_vnni", "avx_vnni", "amx_tile", "asimd", "asimdhp", "asimddp", "sve", "hypervisor" };
  g_autofree char *flags = find_line ("/proc/cpuinfo", "flags"), *text = flags ? g_steal_pointer (&flags) : find_line ("/proc/cpuinfo", "Features");
  g_auto (GStrv)   words = g_strsplit (text ? text : "", " ", -1);
  GPtrArray       *found = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_strv_contains ((const char *const *) words, known[i]))
      g_ptr_array_add (found, g_strdup (known[i]));
  g_ptr_array_add (found, NULL);
  return (char **) g_ptr_array_free (found, FALSE);
}

static void
describe_machine (FoveaSelfTest *test)
{
  g_autofree char *available = find_line ("/proc/meminfo", "MemAvailable");

  test->processor = find_line ("/proc/cpuinfo", "model name");
  test->features = list_features ();
  test->n_threads = g_get_num_processors ();
  test->memory = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE);
  test->memory_available = available ? g_ascii_strtoull (available, NULL, 10) * 1024 : 0;
  test->isa = fovea_get_isa ();
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------------------------- */

static void
check_kernels (FoveaSelfTest *test)
{
  static const char *const faults[] = { NULL, "differs from the reference", "writes outside of its output" };
  g_autofree float   *memory = g_new (float, SAMPLE_NUMBERS + SAMPLE_SCRATCH + 2 * (SAMPLE_OUTPUTS + 2 * SAMPLE_GUARD));
  const SampleBuffers buffers = { memory, memory + SAMPLE_NUMBERS, memory + SAMPLE_NUMBERS + SAMPLE_SCRATCH,
                                  memory + SAMPLE_NUMBERS + SAMPLE_SCRATCH + SAMPLE_OUTPUTS + 2 * SAMPLE_GUARD };
  g_autoptr (GArray)  checks = g_array_new (FALSE, FALSE, sizeof (FoveaKernelCheck));

  sample_numbers (memory, SAMPLE_NUMBERS);
  for (int table = 0; kernels_nth (table); table++)
    for (gsize i = 0; sample_name (i); i++)
      {
        FoveaKernelCheck check = { .isa = kernels_nth (table)->name, .name = sample_name (i) };

        check.fault = faults[sample_check (kernels_nth (table), i, &buffers, &check.difference)];
        test->passed = test->passed && !check.fault;
        g_array_append_val (checks, check);
      }
  test->n_kernels = checks->len;
  test->kernels = (FoveaKernelCheck *) g_array_free (g_steal_pointer (&checks), FALSE);
}

/* ---- models ----------------------------------------------------------------------------------------------------------------------------- */

static char *
hash_file (const char *path, guint64 *size, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFile)            file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) in = g_file_read (file, cancellable, error);
  g_autoptr (GChecksum)        checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8           *part = g_malloc (1 << 16);
  gssize                       n = in ? 1 : -1;

  for (*size = 0; n > 0; *size += (guint64) MAX (n, 0))
    if ((n = g_input_stream_read (G_INPUT_STREAM (in), part, 1 << 16, cancellable, error)) > 0)
      g_checksum_update (checksum, part, n);
  return n < 0 ? NULL : g_strdup (g_checksum_get_string (checksum));
}

static FoveaSession *
open_session (FoveaModel *model, const FoveaSettings *settings, guint n_threads, gboolean reference, guint64 *macs, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  FoveaShape  shape;
  FoveaLayer *layers;
  gsize       n_layers = 0;

  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_reference (options, reference);
  if (fovea_model_get_n_inputs (model) && fovea_settings_get_input_shape (settings, fovea_model_get_input (model, 0), &shape, NULL))
    fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
  if (macs)
    {
      layers = fovea_model_list_layers (model, options, &n_layers, error);
      if (!layers)
        return NULL;
      *macs = 0;
      for (gsize i = 0; i < n_layers; i++)
        *macs += layers[i].macs;
      fovea_layers_free (layers, n_layers);
    }
  return fovea_session_new (model, options, error);
}

/* The network on numbers that are the same each time. */
static gboolean
run_session (FoveaSession *session, GCancellable *cancellable, GError **error)
{
  FoveaTensor *in = fovea_session_get_input (session, 0);

  sample_numbers (in->data, in->size / sizeof (float));
  return fovea_session_run (session, cancellable, NULL, NULL, error);
}

static gboolean
compare_answers (FoveaSession *expected, FoveaSession *got, guint n_outputs, gboolean exactly)
{
  for (guint i = 0; i < n_outputs; i++)
    {
      const FoveaTensor *e = fovea_session_get_output (expected, i), *g = fovea_session_get_output (got, i);
      const float       *numbers = e->data;
      double             greatest = 1.0;

      if (e->size != g->size)
        return FALSE;
      if (exactly && memcmp (e->data, g->data, e->size) != 0)
        return FALSE;
      if (exactly || e->type != FOVEA_TYPE_FLOAT32)
        continue;
      for (gsize k = 0; k < e->size / sizeof (float); k++)
        greatest = MAX (greatest, fabs ((double) numbers[k]));
      if (!(sample_compare (e->data, g->data, e->size / sizeof (float)) <= TOLERANCE * greatest))
        return FALSE;
    }
  return TRUE;
}

/* An answer from one thread, from all, and (with_reference) from the reference. */
static gboolean
check_answers (FoveaModel *model, const FoveaSettings *settings, FoveaSession *session, gboolean with_reference, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSession) alone = open_session (model, settings, 1, FALSE, NULL, error);
  g_autoptr (FoveaSession) reference = alone && with_reference ? open_session (model, settings, 0, TRUE, NULL, error) : NULL;
  guint                    n = fovea_model_get_n_outputs (model);

  if (!alone || (with_reference && !reference) || !run_session (session, cancellable, error) || !run_session (alone, cancellable, error) ||
      (reference && !run_session (reference, cancellable, error)))
    return FALSE;
  if (!compare_answers (alone, session, n, TRUE))
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "Model “%s” gives one answer from one thread and another from %u. Please report it.",
                 fovea_model_get_name (model), fovea_session_get_threads (session));
  else if (reference && !compare_answers (reference, session, n, FALSE))
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "Model “%s” gives another answer than the plain reference does. Please report it.",
                 fovea_model_get_name (model));
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_model (FoveaModelCheck *check, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel)    model = fovea_model_load (check->path, error);
  g_autoptr (FoveaSettings) settings = model ? fovea_settings_read (model, error) : NULL;
  g_autoptr (FoveaSession)  session = NULL;
  guint64                   macs = 0;

  if (!settings)
    return FALSE;
  check->task = settings->task;
  session = open_session (model, settings, 0, FALSE, &macs, error);
  check->was_run = session && macs <= LARGEST_RUN && fovea_model_get_n_inputs (model) == 1 && fovea_session_get_input (session, 0)->type == FOVEA_TYPE_FLOAT32;
  return session && (!check->was_run || check_answers (model, settings, session, macs <= LARGEST_REFERENCE, cancellable, error));
}

static FoveaModelCheck
start_model (const char *name, GCancellable *cancellable)
{
  FoveaModelCheck    check = { .name = g_strdup (name) };
  g_autoptr (GError) error = NULL;

  check.path = fovea_find_model (name, &error);
  check.sha256 = check.path ? hash_file (check.path, &check.size, cancellable, &error) : NULL;
  if (check.sha256)
    check_model (&check, cancellable, &error);
  check.fault = error ? g_strdup (error->message) : NULL;
  return check;
}

/* ---- the test --------------------------------------------------------------------------------------------------------------------------- */

FoveaSelfTest *
fovea_self_test_new (GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (FoveaSelfTest) test = g_new0 (FoveaSelfTest, 1);
  g_auto (GStrv)            names = fovea_list_models ();
  gsize                     n = g_strv_length (names);

  test->passed = TRUE;
  describe_machine (test);
  check_kernels (test);
  test->models = g_new0 (FoveaModelCheck, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      if (progress)
        progress ((double) (i + 1) / (double) (n + 1), user_data);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      test->models[test->n_models++] = start_model (names[i], cancellable);
      test->passed = test->passed && !test->models[i].fault;
    }
  return g_cancellable_set_error_if_cancelled (cancellable, error) ? NULL : g_steal_pointer (&test);
}

void
fovea_self_test_free (FoveaSelfTest *test)
{
  if (!test)
    return;
  for (gsize i = 0; i < test->n_models; i++)
    {
      g_free (test->models[i].name);
      g_free (test->models[i].path);
      g_free (test->models[i].sha256);
      g_free (test->models[i].fault);
    }
  g_free (test->models);
  g_free (test->kernels);
  g_free (test->processor);
  g_strfreev (test->features);
  g_free (test);
}

/* ---- the report ------------------------------------------------------------------------------------------------------------------------- */

static void
print_kernels (const FoveaSelfTest *test, GString *text)
{
  for (gsize i = 0; i < test->n_kernels;)
    {
      const char *isa = test->kernels[i].isa;
      gsize       n = 0, n_faults = 0;

      for (gsize k = i; k < test->n_kernels && test->kernels[k].isa == isa; k++, n++)
        n_faults += test->kernels[k].fault != NULL;
      g_string_append_printf (text, "kernels    %-9s  %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " right\n", isa, n - n_faults, n);
      for (; n > 0; i++, n--)
        if (test->kernels[i].fault)
          g_string_append_printf (text, "  WRONG    %s %s (by %.2g)\n", test->kernels[i].name, test->kernels[i].fault, test->kernels[i].difference);
    }
}

static void
print_models (const FoveaSelfTest *test, GString *text)
{
  for (gsize i = 0; i < test->n_models; i++)
    {
      const FoveaModelCheck *check = &test->models[i];
      g_autofree char       *size = g_format_size_full (check->size, G_FORMAT_SIZE_IEC_UNITS), *path = g_filename_display_name (check->path ? check->path : "");

      g_string_append_printf (text, "model      %s: %s, %s\n", check->name, size, check->fault ? "BROKEN" : check->was_run ? "answers rightly" : "loads");
      if (check->fault)
        g_string_append_printf (text, "           %s\n", check->fault);
      g_string_append_printf (text, "           %s\n           SHA-256 %s\n", path, check->sha256 ? check->sha256 : "unknown");
    }
  if (test->n_models == 0)
    g_string_append (text, "model      none is installed\n");
}

static void
print_programs (const FoveaPrograms *programs, GString *text)
{
  const char *const lines[][2] = { { "GIMP", programs->gimp }, { "GEGL", programs->gegl }, { "babl", programs->babl }, { "GTK", programs->gtk } };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    g_string_append_printf (text, "%-9s  %s\n", lines[i][0], lines[i][1] ? lines[i][1] : "not found");
}

char *
fovea_self_test_print (const FoveaSelfTest *test, const FoveaPrograms *programs)
{
  GString         *text = g_string_new (NULL);
  g_autofree char *features = g_strjoinv (" ", test->features), *memory = g_format_size_full (test->memory, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *available = g_format_size_full (test->memory_available, G_FORMAT_SIZE_IEC_UNITS);

  print_programs (programs, text);
  g_string_append_printf (text, "Fovea      %s\nGLib       %u.%u.%u (built with %d.%d.%d)\n", fovea_get_version (), glib_major_version, glib_minor_version,
                          glib_micro_version, GLIB_MAJOR_VERSION, GLIB_MINOR_VERSION, GLIB_MICRO_VERSION);
  g_string_append_printf (text, "processor  %s\nfeatures   %s\nthreads    %u\n", test->processor ? test->processor : "unknown", *features ? features : "unknown",
                          test->n_threads);
  g_string_append_printf (text, "memory     %s, %s free\nuses       %s\n", memory, test->memory_available ? available : "unknown", test->isa);
  print_kernels (test, text);
  print_models (test, text);
  g_string_append_printf (text, "result     %s\n", test->passed ? "everything is right" : "SOMETHING IS WRONG, see above");
  return g_string_free (text, FALSE);
}

const char *
fovea_get_version (void)
{
  return FOVEA_VERSION;
}
