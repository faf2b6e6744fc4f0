/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classify.c: `fovea classify`: names for what is in photos. A photo that can't be read is reported and the others go on; the exit status tells.
 */

#include "command.h"
#include "fovea.h"
#include "image.h"
#include "verbs.h"

static const CommandHelp help = {
  "classify",
  "MODEL IMAGE…",
  "Names what is in photos: the most probable classes with their probabilities.\n"
  "\n"
  "Photos are JPEG, PNG, TIFF, WebP and whatever else GdkPixbuf reads, turned\n"
  "upright; transparent parts count as white; “-” is standard input. A photo that\n"
  "can't be read is reported, the others go on, and the exit status is 1 at the end.",
  "  fovea classify squeezenet cat.jpg            five names for one photo\n"
  "  fovea classify squeezenet --top 1 *.jpg      the best name for each of many\n"
  "  fovea classify my.onnx --json - < cat.jpg    for programs\n",
};

typedef struct
{
  FoveaClassifier *classifier;
  gsize            top;
  JsonBuilder     *json; /* NULL: plain text */
} Classify;

static FoveaClasses *
classify_file (Classify *classify, const char *file, GError **error)
{
  g_autoptr (GdkPixbuf) photo = image_load (file, error);
  g_autoptr (FoveaInput) input = NULL;

  if (photo)
    input = fovea_input_new (fovea_classifier_get_settings (classify->classifier), gdk_pixbuf_get_width (photo), gdk_pixbuf_get_height (photo), error);
  if (!input)
    return NULL;
  image_push (photo, input);
  return fovea_classifier_run (classify->classifier, input, NULL, error);
}

static void
print_text (const Classify *classify, const char *file, const FoveaClasses *classes)
{
  g_autofree char *name = g_filename_display_name (file);

  command_clear_progress ();
  g_print ("%s\n", name);
  for (gsize i = 0; i < MIN (classes->n, classify->top); i++)
    g_print ("  %5.1f %%  %s\n", classes->classes[i].score * 100, classes->classes[i].label);
}

/* classes NULL: what went wrong. */
static void
add_json (const Classify *classify, const char *file, const FoveaClasses *classes, const GError *error)
{
  JsonBuilder *json = classify->json;

  json_builder_begin_object (json);
  command_add_string (json, "file", file);
  if (classes)
    {
      json_builder_set_member_name (json, "classes");
      json_builder_begin_array (json);
      for (gsize i = 0; i < MIN (classes->n, classify->top); i++)
        {
          json_builder_begin_object (json);
          command_add_string (json, "label", classes->classes[i].label);
          json_builder_set_member_name (json, "score");
          json_builder_add_double_value (json, classes->classes[i].score);
          json_builder_end_object (json);
        }
      json_builder_end_array (json);
    }
  else
    command_add_string (json, "error", error->message);
  json_builder_end_object (json);
}

/* The exit status. */
static int
classify_files (Classify *classify, char **files, int n_files)
{
  int status = COMMAND_OK;

  for (int i = 0; i < n_files; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FoveaClasses) classes = NULL;

      if (n_files > 1)
        command_progress ("photo", i, n_files);
      classes = classify_file (classify, files[i], &error);
      if (!classes)
        {
          command_warn ("%s", error->message);
          status = COMMAND_FAILED;
        }
      if (classify->json)
        add_json (classify, files[i], classes, error);
      else if (classes)
        print_text (classify, files[i], classes);
    }
  command_clear_progress ();
  return status;
}

int
verb_classify (int argc, char **argv)
{
  gboolean     as_json = FALSE;
  int          top = 5, n_threads = 0, status;
  GOptionEntry options[] = {
    { "top", 'k', 0, G_OPTION_ARG_INT, &top, "Print the N best classes (5)", "N" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object: images[{file, classes[{label, score}]}]", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaClassifier) classifier = NULL;
  g_autoptr (JsonBuilder) json = NULL;
  g_autofree char *path = NULL;

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc < 3)
    return command_usage (&help, as_json, "Give a model and at least one photo.");
  if (top < 1)
    return command_usage (&help, as_json, "--top must be 1 or more.");
  if (n_threads < 0)
    return command_usage (&help, as_json, "--threads must be 0 or more.");

  path = fovea_find_model (argv[1], &error);
  model = path ? fovea_model_load (path, &error) : NULL;
  classifier = model ? fovea_classifier_new (model, NULL, n_threads, &error) : NULL;
  if (!classifier)
    return command_fail (as_json, error);

  if (as_json)
    {
      json = json_builder_new ();
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "images");
      json_builder_begin_array (json);
    }
  status = classify_files (&(Classify) { classifier, top, json }, argv + 2, argc - 2);
  if (as_json)
    {
      json_builder_end_array (json);
      json_builder_end_object (json);
      command_print_json (json);
    }
  return status;
}
