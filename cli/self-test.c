/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * self-test.c: `fovea self-test`: the engine's own test, as a report for people or as JSON.
 */

#include "command.h"
#include "gimp-versions.h"
#include "verbs.h"

static const CommandHelp help = {
  "self-test",
  "",
  "Looks whether Fovea computes rightly on this machine: known tensors through the\n"
  "functions of every instruction set that the processor has, then every installed\n"
  "model, which must load, and a small one answer as the plain reference does. The\n"
  "versions of GIMP, GEGL and GTK are those of the GIMP that is found first in PATH.\n"
  "The report is what to send with a question. The exit status is 1 if anything is\n"
  "wrong.",
  "  fovea self-test           the report\n"
  "  fovea self-test --json    for programs\n",
};

static void
add_kernels (JsonBuilder *json, const FoveaSelfTest *test)
{
  json_builder_set_member_name (json, "kernels");
  json_builder_begin_array (json);
  for (gsize i = 0; i < test->n_kernels; i++)
    {
      const FoveaKernelCheck *check = &test->kernels[i];

      json_builder_begin_object (json);
      command_add_string (json, "isa", check->isa);
      command_add_string (json, "name", check->name);
      json_builder_set_member_name (json, "passed");
      json_builder_add_boolean_value (json, !check->fault);
      if (check->fault)
        command_add_string (json, "fault", check->fault);
      json_builder_set_member_name (json, "difference");
      json_builder_add_double_value (json, MIN (check->difference, G_MAXDOUBLE)); /* JSON has no infinity */
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_models (JsonBuilder *json, const FoveaSelfTest *test)
{
  static const char *const tasks[] = { "unknown", "classify", "detect", "segment" };

  json_builder_set_member_name (json, "models");
  json_builder_begin_array (json);
  for (gsize i = 0; i < test->n_models; i++)
    {
      const FoveaModelCheck *check = &test->models[i];

      json_builder_begin_object (json);
      command_add_string (json, "name", check->name);
      command_add_string (json, "path", check->path ? check->path : "");
      command_add_string (json, "sha256", check->sha256 ? check->sha256 : "");
      json_builder_set_member_name (json, "bytes");
      json_builder_add_int_value (json, (gint64) check->size);
      command_add_string (json, "task", tasks[check->task]);
      json_builder_set_member_name (json, "passed");
      json_builder_add_boolean_value (json, !check->fault);
      json_builder_set_member_name (json, "run");
      json_builder_add_boolean_value (json, check->was_run);
      if (check->fault)
        command_add_string (json, "fault", check->fault);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

/* null: there is no such program. */
static void
add_programs (JsonBuilder *json, const FoveaPrograms *programs)
{
  const char *const members[][2] = { { "gimp", programs->gimp }, { "gegl", programs->gegl }, { "babl", programs->babl }, { "gtk", programs->gtk } };

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (members[i][1])
      command_add_string (json, members[i][0], members[i][1]);
    else
      json_builder_add_null_value (json_builder_set_member_name (json, members[i][0]));
}

static void
print_json (const FoveaSelfTest *test, const FoveaPrograms *programs)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char        *glib = g_strdup_printf ("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "passed");
  json_builder_add_boolean_value (json, test->passed);
  command_add_string (json, "version", fovea_get_version ());
  add_programs (json, programs);
  command_add_string (json, "glib", glib);
  command_add_string (json, "processor", test->processor ? test->processor : "unknown");
  json_builder_set_member_name (json, "features");
  json_builder_begin_array (json);
  for (char **feature = test->features; *feature; feature++)
    json_builder_add_string_value (json, *feature);
  json_builder_end_array (json);
  command_add_string (json, "isa", test->isa);
  json_builder_set_member_name (json, "threads");
  json_builder_add_int_value (json, test->n_threads);
  json_builder_set_member_name (json, "memory_bytes");
  json_builder_add_int_value (json, (gint64) test->memory);
  json_builder_set_member_name (json, "available_bytes");
  json_builder_add_int_value (json, (gint64) test->memory_available);
  add_kernels (json, test);
  add_models (json, test);
  json_builder_end_object (json);
  command_print_json (json);
}

static void
show_progress (double fraction, gpointer unused)
{
  command_progress_text ("testing: %.0f %%", 100 * fraction);
}

int
verb_self_test (int argc, char **argv)
{
  gboolean     as_json = FALSE;
  int          status;
  GOptionEntry options[] = { { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object", NULL }, { NULL } };
  g_autoptr (GError)        error = NULL;
  g_autoptr (GimpVersions)  versions = NULL;
  g_autoptr (FoveaSelfTest) test = NULL;
  FoveaPrograms             programs;

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc != 1)
    return command_usage (&help, as_json, "self-test takes no arguments.");
  versions = gimp_versions_ask ();
  test = fovea_self_test_new (NULL, show_progress, NULL, &error);
  programs = gimp_versions_get (versions);
  command_clear_progress ();
  if (!test)
    return command_fail (as_json, error);
  if (as_json)
    print_json (test, &programs);
  else
    {
      g_autofree char *report = fovea_self_test_print (test, &programs);

      g_print ("%s", report);
    }
  return test->passed ? COMMAND_OK : COMMAND_FAILED;
}
