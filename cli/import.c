/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import.c: `fovea import`: a model file becomes one of the user's models, with settings that are found or given; says where each came from.
 */

#include <string.h>

#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "import",
  "MODEL.onnx",
  "Makes a model file one of yours: a copy of it, and its settings beside that, go\n"
  "into fovea/models of your data folder. The file itself isn't changed.\n"
  "\n"
  "Settings are taken from the options, a file MODEL.json, the model's metadata,\n"
  "Hugging Face's or bioimage.io's files beside it, and what is usual for the kind\n"
  "of network; it is said which came from where, and which aren't known.\n"
  "\n"
  "Of a network in two files (encoder and decoder) the other one comes along. A sample\n"
  "that bioimage.io's description brings is tried.",
  "  fovea import yolox_nano.onnx                               as it is recognized\n"
  "  fovea import squeezenet.onnx --colour bgr --range 255 --mean 123,117,104\n"
  "  fovea import folder/onnx/model.onnx --name beetles --default\n",
};

typedef struct
{
  FoveaModel    *model;
  FoveaSettings *settings;
  char          *name, *licence, *warning, *partner;
  char         **unknown;
  FoveaSample    sample;     /* its makers' own */
  double         difference; /* of what comes out of that */
  GError        *untried;    /* why it can't be tried; NULL: it was, or there is none */
} Import;

static void
clear_import (Import *import)
{
  g_clear_pointer (&import->settings, fovea_settings_free);
  g_clear_pointer (&import->model, fovea_model_unref);
  g_clear_pointer (&import->unknown, g_strfreev);
  g_clear_pointer (&import->name, g_free);
  g_clear_pointer (&import->licence, g_free);
  g_clear_pointer (&import->warning, g_free);
  g_clear_pointer (&import->partner, g_free);
  g_clear_error (&import->untried);
}

static void
print_text (const Import *import)
{
  g_autofree char *unknown = g_strjoinv (", ", import->unknown);

  g_print ("%s\n", import->name);
  g_printerr ("%s\n", import->settings->sources);
  if (*unknown)
    g_printerr ("fovea: Not known, only assumed: %s. Where answers are poor, import again with these said.\n", unknown);
  if (import->partner)
    g_printerr ("Its other half came along: %s\n", import->partner);
  if (import->sample == FOVEA_SAMPLE_RIGHT)
    g_printerr ("Its makers' own sample comes out as it should.\n");
}

static void
warn_of_sample (const Import *import)
{
  if (import->untried)
    command_warn ("%s", import->untried->message);
  else if (import->sample == FOVEA_SAMPLE_WRONG)
    command_warn ("Its makers' own sample comes out otherwise (by %.3g of the range): the settings aren't what they mean. Import again with these corrected.", import->difference);
}

/* "right", "wrong" or "untried"; nothing where there is none. */
static void
add_sample (JsonBuilder *json, const Import *import)
{
  if (import->sample == FOVEA_SAMPLE_ABSENT && !import->untried)
    return;
  json_builder_set_member_name (json, "sample");
  json_builder_begin_object (json);
  command_add_string (json, "verdict", import->untried ? "untried" : import->sample == FOVEA_SAMPLE_RIGHT ? "right" : "wrong");
  if (import->untried)
    command_add_string (json, "reason", import->untried->message);
  else if (import->difference <= G_MAXFLOAT)
    {
      json_builder_set_member_name (json, "difference");
      json_builder_add_double_value (json, import->difference);
    }
  json_builder_end_object (json);
}

static void
add_texts (JsonBuilder *json, const char *name, char **texts)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (; *texts; texts++)
    json_builder_add_string_value (json, *texts);
  json_builder_end_array (json);
}

static void
print_json (const Import *import)
{
  g_autoptr (JsonBuilder)  json = json_builder_new ();
  const char *const       *keys = fovea_settings_list_keys ();

  json_builder_begin_object (json);
  command_add_string (json, "name", import->name);
  json_builder_set_member_name (json, "settings");
  json_builder_begin_object (json);
  for (; *keys; keys++)
    {
      g_autofree char *text = fovea_settings_get_text (import->settings, *keys), *source = fovea_settings_get_source (import->settings, *keys);

      if (strcmp (*keys, "labels") == 0)
        continue;
      json_builder_set_member_name (json, *keys);
      json_builder_begin_object (json);
      command_add_string (json, "value", text);
      if (source)
        command_add_string (json, "source", source);
      json_builder_end_object (json);
    }
  json_builder_end_object (json);
  add_texts (json, "labels", import->settings->labels ? import->settings->labels : (char *[]) { NULL });
  add_texts (json, "unknown", import->unknown);
  if (import->licence)
    command_add_string (json, "licence", import->licence);
  if (import->warning)
    command_add_string (json, "warning", import->warning);
  if (import->partner)
    command_add_string (json, "partner", import->partner);
  add_sample (json, import);
  json_builder_end_object (json);
  command_print_json (json);
}

static gboolean
import_file (Import *import, const char *file, const char *name, GHashTable *given, gboolean as_link, gboolean as_default, GError **error)
{
  import->model = fovea_model_load (file, error);
  import->settings = import->model ? fovea_settings_read_with (import->model, given, error) : NULL;
  import->name = import->settings ? fovea_import_model (import->model, name, import->settings, as_link, NULL, error) : NULL;
  if (!import->name || (as_default && !fovea_set_default_model (import->settings->task, import->name, error)))
    return FALSE;
  import->partner = fovea_model_find_partner (import->model, import->settings, NULL);
  import->sample = fovea_model_try_sample (import->model, import->settings, &import->difference, NULL, &import->untried);
  import->unknown = fovea_settings_list_unknown (import->settings);
  import->licence = fovea_model_get_licence (import->model);
  import->warning = fovea_licence_warn (import->licence);
  return TRUE;
}

/* The names are read from a file. */
static gboolean
read_labels (const char *file, char **text, GError **error)
{
  return !file || g_file_get_contents (file, text, NULL, error);
}

int
verb_import (int argc, char **argv)
{
  static const char *const explained[] = {
    "family", "size", "resize", "filter", "crop-scale", "colour", "layout", "range", "mean", "std", "normalize", "percentiles", "pad", "activation", "threshold", "overlap", "task",
  };
  char        *texts[G_N_ELEMENTS (explained)] = { NULL };
  GOptionEntry options[G_N_ELEMENTS (explained) + 6] = { { NULL } };
  g_autofree char *name = NULL, *labels = NULL, *label_text = NULL;
  gboolean     as_json = FALSE, as_link = FALSE, as_default = FALSE;
  int          status, n = 0;
  Import       import = { NULL };
  g_autoptr (GError)     error = NULL;
  g_autoptr (GHashTable) given = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  options[n++] = (GOptionEntry) { "name", 'n', 0, G_OPTION_ARG_STRING, &name, "Its name (the file's)", "NAME" };
  for (gsize i = 0; i < G_N_ELEMENTS (explained); i++)
    options[n++] = (GOptionEntry) { explained[i], 0, 0, G_OPTION_ARG_STRING, &texts[i], fovea_settings_explain (explained[i]), "VALUE" };
  options[n++] = (GOptionEntry) { "labels", 0, 0, G_OPTION_ARG_FILENAME, &labels, "The names of its classes, a line each", "FILE" };
  options[n++] = (GOptionEntry) { "link", 0, 0, G_OPTION_ARG_NONE, &as_link, "Link to the file instead of copying it", NULL };
  options[n++] = (GOptionEntry) { "default", 0, 0, G_OPTION_ARG_NONE, &as_default, "Make it the default model of its task", NULL };
  options[n++] = (GOptionEntry) { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object: name, settings{KEY{value, source}}, labels, unknown, licence, sample", NULL };

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc != 2)
    return command_usage (&help, as_json, "Give one model file.");
  for (gsize i = 0; i < G_N_ELEMENTS (explained); i++)
    if (texts[i])
      g_hash_table_insert (given, (char *) explained[i], texts[i]);
  if (!read_labels (labels, &label_text, &error))
    return command_fail (as_json, error);
  if (label_text)
    g_hash_table_insert (given, (char *) "labels", g_strconcat (label_text, "\n", NULL));
  if (!import_file (&import, argv[1], name, given, as_link, as_default, &error))
    status = command_fail (as_json, error);
  else if (as_json)
    print_json (&import);
  else
    print_text (&import);
  if (import.warning)
    command_warn ("%s", import.warning);
  warn_of_sample (&import);
  clear_import (&import);
  return status;
}
