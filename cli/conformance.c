/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conformance.c: `fovea conformance`: the ONNX project's own test cases, run by this engine. A case is a folder with model.onnx and
 * test_data_set_*, each with input_*.pb and output_*.pb. A case passes when all of its outputs have the right type, shape and values, within the
 * tolerance that ONNX itself tests with; it is unsupported when the engine refuses it for what it hasn't got; anything else is a failure.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "verbs.h"

/* Those of onnx.backend.test. */
#define RELATIVE_TOLERANCE 1e-3
#define ABSOLUTE_TOLERANCE 1e-7

static const CommandHelp help = {
  "conformance",
  "DIR…",
  "Runs the ONNX project's own test cases (Debian's package libonnx-testdata) and\n"
  "says which of them this engine passes. A case is a folder with model.onnx and\n"
  "test_data_set_* folders; DIR is one, or holds them at any depth.\n",
  "  fovea conformance /usr/share/libonnx-testdata/data/node   all operators\n"
  "  fovea conformance node/test_relu --json                   one case\n",
};

typedef enum { PASSED, FAILED, UNSUPPORTED, N_OUTCOMES } Outcome;

static const char *const outcome_names[] = { "passed", "failed", "unsupported" };

typedef struct
{
  char   *folder;
  char   *name;     /* of the folder */
  Outcome outcome;
  char   *operator; /* that the engine refused, or that the name speaks of */
  char   *reason;   /* NULL where it passed */
} Case;

static void
case_clear (gpointer data)
{
  Case *self = data;

  g_free (self->folder);
  g_free (self->name);
  g_free (self->operator);
  g_free (self->reason);
}

static int
case_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Case *) a)->folder, ((const Case *) b)->folder);
}

/* ---- finding them ----------------------------------------------------------------------------------------------------------------------- */

static GPtrArray *
list_folder (const char *folder, GError **error)
{
  GDir       *dir = g_dir_open (folder, 0, error);
  GPtrArray  *names;
  const char *name;

  if (!dir)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_strdup (name));
  g_dir_close (dir);
  return names;
}

static gboolean
find_cases (const char *folder, GArray *cases, GError **error)
{
  g_autoptr (GPtrArray) names = list_folder (folder, error);
  gboolean              has_model = FALSE, has_data = FALSE, ok = TRUE;

  if (!names)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      has_model |= strcmp (names->pdata[i], "model.onnx") == 0;
      has_data |= g_str_has_prefix (names->pdata[i], "test_data_set_");
    }
  if (has_model && has_data)
    {
      Case found = { .folder = g_strdup (folder), .name = g_path_get_basename (folder) };

      g_array_append_val (cases, found);
      return TRUE;
    }
  for (guint i = 0; ok && i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        ok = find_cases (path, cases, error);
    }
  return ok;
}

/* ---- comparing -------------------------------------------------------------------------------------------------------------------------- */

static double
half_value (guint16 half)
{
  int    exponent = half >> 10 & 31, fraction = half & 1023;
  double value;

  if (exponent == 31)
    value = fraction ? (double) NAN : (double) INFINITY;
  else
    value = exponent ? ldexp (1024 + fraction, exponent - 25) : ldexp (fraction, -24);
  return half & 0x8000 ? -value : value;
}

static double
float_value (const FoveaTensor *tensor, gsize i)
{
  switch (tensor->type)
    {
    case FOVEA_TYPE_FLOAT32: return ((const float *) tensor->data)[i];
    case FOVEA_TYPE_FLOAT64: return ((const double *) tensor->data)[i];
    default:                 return half_value (((const guint16 *) tensor->data)[i]);
    }
}

static gboolean
is_close (double actual, double wanted)
{
  if (isnan (actual) || isnan (wanted))
    return isnan (actual) && isnan (wanted);
  if (isinf (actual) || isinf (wanted))
    return actual == wanted;
  return fabs (actual - wanted) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * fabs (wanted);
}

static char *
describe (const FoveaTensor *tensor)
{
  GString *text = g_string_new (fovea_type_name (tensor->type));

  for (guint i = 0; i < tensor->shape.n_dims; i++)
    g_string_append_printf (text, "%c%" G_GINT64_FORMAT, i ? 'x' : ' ', tensor->shape.dims[i]);
  return g_string_free (text, FALSE);
}

/* NULL when they are equal, or what the difference is. */
static char *
compare_tensors (const FoveaTensor *actual, const FoveaTensor *wanted)
{
  gsize size = fovea_type_size (wanted->type), n = size ? wanted->size / size : 0;

  if (actual->type != wanted->type || actual->shape.n_dims != wanted->shape.n_dims || actual->size != wanted->size
      || memcmp (actual->shape.dims, wanted->shape.dims, wanted->shape.n_dims * sizeof wanted->shape.dims[0]) != 0)
    {
      g_autofree char *is = describe (actual), *should = describe (wanted);

      return g_strdup_printf ("is %s, should be %s", is, should);
    }
  if (wanted->type == FOVEA_TYPE_FLOAT32 || wanted->type == FOVEA_TYPE_FLOAT64 || wanted->type == FOVEA_TYPE_FLOAT16)
    {
      for (gsize i = 0; i < n; i++)
        if (!is_close (float_value (actual, i), float_value (wanted, i)))
          return g_strdup_printf ("element %" G_GSIZE_FORMAT " is %.9g, should be %.9g", i, float_value (actual, i), float_value (wanted, i));
    }
  else
    for (gsize i = 0; i < n; i++)
      if (memcmp ((const guint8 *) actual->data + i * size, (const guint8 *) wanted->data + i * size, size) != 0)
        return g_strdup_printf ("element %" G_GSIZE_FORMAT " differs", i);
  return NULL;
}

/* ---- running one ------------------------------------------------------------------------------------------------------------------------ */

static FoveaTensor *
load_tensor (const char *folder, const char *kind, guint i, GError **error)
{
  g_autofree char *file = g_strdup_printf ("%s_%u.pb", kind, i), *path = g_build_filename (folder, file, NULL);

  return fovea_tensor_load_pb (path, NULL, error);
}

static GPtrArray *
load_tensors (const char *folder, const char *kind, guint n, GError **error)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func ((GDestroyNotify) fovea_tensor_unref);

  for (guint i = 0; i < n; i++)
    {
      FoveaTensor *tensor = load_tensor (folder, kind, i, error);

      if (!tensor)
        {
          g_ptr_array_unref (tensors);
          return NULL;
        }
      g_ptr_array_add (tensors, tensor);
    }
  return tensors;
}

static gboolean
give_inputs (FoveaSession *session, const GPtrArray *inputs, GError **error)
{
  for (guint i = 0; i < inputs->len; i++)
    {
      const FoveaTensor *from = inputs->pdata[i];
      FoveaTensor       *to = fovea_session_get_input (session, i);

      if (to->type != from->type || to->size != from->size)
        {
          g_autofree char *is = describe (from), *should = describe (to);

          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE, "input %u is %s, the model takes %s", i, is, should);
          return FALSE;
        }
      if (from->size > 0)
        memcpy (to->data, from->data, from->size);
    }
  return TRUE;
}

/* One data set. FALSE with an error where it couldn't be run or the answers are wrong. */
static gboolean
run_data_set (FoveaModel *model, const char *folder, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (GPtrArray)           inputs = load_tensors (folder, "input", fovea_model_get_n_inputs (model), error);
  g_autoptr (GPtrArray)           outputs = inputs ? load_tensors (folder, "output", fovea_model_get_n_outputs (model), error) : NULL;
  g_autoptr (FoveaSession)        session = NULL;

  if (!outputs)
    return FALSE;
  for (guint i = 0; i < inputs->len; i++)
    fovea_session_options_bind (options, fovea_model_get_input (model, i)->name, inputs->pdata[i]);
  session = fovea_session_new (model, options, error);
  if (!session || !give_inputs (session, inputs, error) || !fovea_session_run (session, NULL, NULL, NULL, error))
    return FALSE;

  for (guint i = 0; i < outputs->len; i++)
    {
      g_autofree char *difference = compare_tensors (fovea_session_get_output (session, i), outputs->pdata[i]);

      if (difference)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "output “%s” %s", fovea_model_get_output (model, i)->name, difference);
          return FALSE;
        }
    }
  return TRUE;
}

/* Messages about a layer begin with its name and, in brackets, its operator. */
static char *
operator_of_message (const char *message)
{
  g_autoptr (GRegex)     regex = g_regex_new ("layer “.*?” \\(([\\w.]+)\\): ", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return g_regex_match (regex, message, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

/* "test_reduce_sum_keepdims" speaks of ReduceSum: the longest operator that it begins with. */
static char *
operator_of_name (const char *name, char **operators)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  const char         *best = "other";

  for (const char *at = g_str_has_prefix (name, "test_") ? name + 5 : name; *at; at++)
    if (*at != '_')
      g_string_append_c (plain, g_ascii_tolower (*at));
  for (char **operator = operators; *operator; operator++)
    if (g_ascii_strncasecmp (plain->str, *operator, strlen (*operator)) == 0 && (strcmp (best, "other") == 0 || strlen (*operator) > strlen (best)))
      best = *operator;
  return g_strdup (best);
}

/* Cases that contradict the operator's own text, which this engine keeps to: they can't be passed, and are counted as unsupported. QLinearMatMul saturates, says
 * the text, and so does ONNX Runtime; these expect that int8 wraps around (20 for -236). */
static gboolean
contradicts_specification (const char *name)
{
  static const char *const names[] = { "test_qlinearmatmul_2D_int8_float16", "test_qlinearmatmul_2D_int8_float32", "test_qlinearmatmul_3D_int8_float16",
                                       "test_qlinearmatmul_3D_int8_float32", NULL };

  return g_strv_contains (names, name);
}

static void
run_case (Case *self, char **operators)
{
  g_autofree char       *path = g_build_filename (self->folder, "model.onnx", NULL);
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = fovea_model_load (path, &error);
  g_autoptr (GPtrArray)  names = model ? list_folder (self->folder, &error) : NULL;
  gboolean               ok = names != NULL;

  for (guint i = 0; ok && i < names->len; i++)
    if (g_str_has_prefix (names->pdata[i], "test_data_set_"))
      {
        g_autofree char *folder = g_build_filename (self->folder, names->pdata[i], NULL);

        ok = run_data_set (model, folder, &error);
      }

  self->outcome = PASSED;
  if (!ok)
    {
      self->outcome = g_error_matches (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED) || contradicts_specification (self->name) ? UNSUPPORTED : FAILED;
      self->operator = operator_of_message (error->message);
      self->reason = g_strdup (error->message);
    }
  if (!self->operator)
    self->operator = operator_of_name (self->name, operators);
}

/* ---- telling ---------------------------------------------------------------------------------------------------------------------------- */

static void
print_json (const GArray *cases)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  for (Outcome outcome = PASSED; outcome < N_OUTCOMES; outcome++)
    {
      json_builder_set_member_name (builder, outcome_names[outcome]);
      json_builder_begin_array (builder);
      for (guint i = 0; i < cases->len; i++)
        {
          const Case *one = &g_array_index (cases, Case, i);

          if (one->outcome != outcome)
            continue;
          if (outcome == PASSED)
            {
              json_builder_add_string_value (builder, one->name);
              continue;
            }
          json_builder_begin_object (builder);
          command_add_string (builder, "case", one->name);
          if (outcome == FAILED)
            command_add_string (builder, "reason", one->reason);
          else
            command_add_string (builder, "operator", one->operator);
          json_builder_end_object (builder);
        }
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
  command_print_json (builder);
}

static void
print_table (const GArray *cases, const guint *total)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_autoptr (GList)      operators = NULL;

  for (guint i = 0; i < cases->len; i++)
    {
      const Case *one = &g_array_index (cases, Case, i);
      guint      *count = g_hash_table_lookup (counts, one->operator);

      if (!count)
        g_hash_table_insert (counts, one->operator, count = g_new0 (guint, N_OUTCOMES));
      count[one->outcome]++;
      if (one->outcome == FAILED)
        g_print ("%s failed: %s\n", one->name, one->reason);
    }
  operators = g_list_sort (g_hash_table_get_keys (counts), (GCompareFunc) strcmp);
  g_print ("%-28s %8s %8s %12s\n", "operator", "passed", "failed", "unsupported");
  for (const GList *link = operators; link; link = link->next)
    {
      const guint *count = g_hash_table_lookup (counts, link->data);

      g_print ("%-28s %8u %8u %12u\n", (const char *) link->data, count[PASSED], count[FAILED], count[UNSUPPORTED]);
    }
  g_print ("%-28s %8u %8u %12u\n", "all", total[PASSED], total[FAILED], total[UNSUPPORTED]);
}

int
verb_conformance (int argc, char **argv)
{
  gboolean           json = FALSE;
  GOptionEntry       options[] = { { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL }, { NULL } };
  g_autoptr (GArray) cases = g_array_new (FALSE, FALSE, sizeof (Case));
  g_auto (GStrv)     operators = NULL;
  g_autoptr (GError) error = NULL;
  guint              total[N_OUTCOMES] = { 0 };
  int                status;

  g_array_set_clear_func (cases, case_clear);
  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc < 2)
    return command_usage (&help, json, "Give at least one folder.");
  for (int i = 1; i < argc; i++)
    if (!find_cases (argv[i], cases, &error))
      return command_fail (json, error);
  if (cases->len == 0)
    {
      g_set_error (&error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "There are no cases in “%s”: a case has model.onnx and test_data_set_0.", argv[1]);
      return command_fail (json, error);
    }

  g_array_sort (cases, case_compare);
  operators = fovea_list_operators ();
  for (guint i = 0; i < cases->len; i++)
    {
      Case *one = &g_array_index (cases, Case, i);

      command_progress ("case", i, cases->len);
      run_case (one, operators);
      total[one->outcome]++;
    }
  command_clear_progress ();
  if (json)
    print_json (cases);
  else
    print_table (cases, total);
  return total[FAILED] ? COMMAND_FAILED : COMMAND_OK;
}
