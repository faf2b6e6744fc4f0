/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classify.c: `fovea classify`: names for what is in photos.
 */

#include "command.h"
#include "photos.h"
#include "verbs.h"

static const CommandHelp help = {
  "classify",
  PHOTOS_ARGUMENTS,
  "Names what is in photos: the most probable classes with their probabilities.\n"
  "\n" PHOTOS_HELP,
  "  fovea classify tagger cat.jpg                 five names for one photo\n"
  "  fovea classify tagger --top 1 Pictures        the best name for each of many\n"
  "  fovea classify tagger --json - < cat.jpg      for programs\n"
  "  find . -name '*.jpg' -print0 | fovea classify tagger --list -\n"
  "                                                a list of photos\n",
};

static void
print_text (JsonObject *answer)
{
  g_autofree char *name = photos_get_name (answer);
  JsonArray       *classes = json_object_get_array_member (answer, "classes");

  g_print ("%s\n", name);
  for (guint i = 0; i < json_array_get_length (classes); i++)
    {
      JsonObject *class = json_array_get_object_element (classes, i);

      g_print ("  %5.1f %%  %s\n", json_object_get_double_member (class, "score") * 100, json_object_get_string_member (class, "label"));
    }
}

int
verb_classify (int argc, char **argv)
{
  PhotosOptions photos = { 0 };
  int           top = 5, status;
  double        threshold = OPERATION_USUAL;
  const char   *wrong;
  GOptionEntry  own[] = {
    { "top", 'k', 0, G_OPTION_ARG_INT, &top, "Print the N best classes (5)", "N" },
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &threshold, "Leave out names with a lower score, 0 to 1 (0)", "T" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &photos.json, "Print one JSON object: images[{file, classes[{label, score}]}]", NULL },
    { NULL },
  };
  g_autofree GOptionEntry *options = photos_join_options (own, &photos);
  JobSettings              settings = { NULL };

  operation_settings_init (&settings.operation, OPERATION_CLASSIFY);
  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  settings.operation.top = (gsize) MAX (top, 0);
  wrong = operation_set_threshold (&settings.operation, threshold);
  if (top < 1)
    status = command_usage (&help, photos.json, "--top must be 1 or more.");
  else if (wrong)
    status = command_usage (&help, photos.json, "--%s", wrong);
  else
    status = photos_run (&help, &photos, &settings, argc, argv, print_text);
  photos_clear_options (&photos);
  return status;
}
