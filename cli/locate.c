/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate.c: `fovea locate`: boxes around the things in photos.
 */

#include <string.h>

#include "command.h"
#include "photos.h"
#include "verbs.h"

static const CommandHelp help = {
  "locate",
  PHOTOS_ARGUMENTS,
  "Finds things in photos: a box for each, with its name and score.\n"
  "\n"
  "MODEL is a detector of any usual family (YOLO, SSD, DETR, …; fovea info says\n"
  "which it is taken for), or a classifier that ends in global pooling: then the best\n"
  "names get a rough box each. --tiles finds what is small in large photos. --draw\n"
  "writes copies of the photos with frames and names.\n"
  "\n" PHOTOS_HELP,
  "  fovea locate yolox street.jpg                          what is where in a photo\n"
  "  fovea locate yolox --classes person,car Pictures       only people and cars\n"
  "  fovea locate yolox --tiles 4 --draw out crowd.jpg      small things too, drawn\n"
  "  fovea locate yolox --json - < street.jpg               for programs\n",
};

/* ---- printing --------------------------------------------------------------------------------------------------------------------------- */

static void
print_object (JsonObject *object)
{
  JsonArray *box = json_object_get_array_member (object, "box");

  g_print ("  %5.1f %%  %4.0f×%-4.0f at %4.0f, %-4.0f  %s%s\n", json_object_get_double_member (object, "score") * 100, json_array_get_double_element (box, 2),
           json_array_get_double_element (box, 3), json_array_get_double_element (box, 0), json_array_get_double_element (box, 1),
           json_object_get_string_member (object, "label"), json_object_has_member (object, "rough") ? " (about)" : "");
}

static void
print_text (JsonObject *answer)
{
  g_autofree char *name = photos_get_name (answer);
  JsonArray       *objects = json_object_get_array_member (answer, "objects");
  guint            n = json_array_get_length (objects);

  g_print ("%s (%d×%d)%s\n", name, (int) json_object_get_int_member (answer, "width"), (int) json_object_get_int_member (answer, "height"), n ? "" : ": nothing found");
  for (guint i = 0; i < n; i++)
    print_object (json_array_get_object_element (objects, i));
  if (json_object_has_member (answer, "picture"))
    g_print ("  drawn in %s\n", json_object_get_string_member (answer, "picture"));
}

/* ---- the verb --------------------------------------------------------------------------------------------------------------------------- */

/* What the options hold before they are checked. */
typedef struct
{
  gboolean pyramid;
  double   threshold, overlap;
  int      most;
  char    *classes, *suppress, *tiles, *draw;
} Options;

static const char *const suppressions[] = { "class", "all", "soft", NULL };

/* A message for wrong usage, or NULL. */
static const char *
check_options (const Options *options, OperationSettings *operation)
{
  if (options->overlap != -1 && !(options->overlap >= 0 && options->overlap <= 1))
    return "--overlap must be from 0 to 1.";
  if (options->most < 1)
    return "--max must be 1 or more.";
  if (options->suppress && !g_strv_contains (suppressions, options->suppress))
    return "--suppress must be class, all or soft.";
  if (!photos_read_tiles (options->tiles, &operation->tiles))
    return PHOTOS_WRONG_TILES;
  for (guint i = 0; suppressions[i] && options->suppress; i++)
    if (strcmp (suppressions[i], options->suppress) == 0)
      operation->selection.suppression = (FoveaSuppression) i;
  operation->pyramid = options->pyramid;
  operation->selection.overlap = options->overlap;
  operation->selection.most = options->most;
  return NULL;
}

int
verb_locate (int argc, char **argv)
{
  PhotosOptions photos = { 0 };
  Options       given = { .threshold = OPERATION_USUAL, .overlap = -1, .most = 300 };
  GOptionEntry  own[] = {
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &given.threshold, "Leave out what has a lower score, 0 to 1 (the model's own)", "T" },
    { "overlap", 0, 0, G_OPTION_ARG_DOUBLE, &given.overlap, "Of boxes that overlap more, keep the best, 0 to 1 (the model's own)", "O" },
    { "suppress", 0, 0, G_OPTION_ARG_STRING, &given.suppress, "Boxes that overlap compete in their class, all, or lose score (class, all, soft)", "HOW" },
    { "classes", 0, 0, G_OPTION_ARG_STRING, &given.classes, "Only these names, commas between", "NAMES" },
    { "max", 0, 0, G_OPTION_ARG_INT, &given.most, "At most N objects a photo (300)", "N" },
    { "tiles", 0, 0, G_OPTION_ARG_STRING, &given.tiles, "Look at parts of the photo too: N along its longer side, or auto (1)", "N" },
    { "pyramid", 0, 0, G_OPTION_ARG_NONE, &given.pyramid, "With --tiles, also at half as many parts, a quarter …", NULL },
    { "draw", 0, 0, G_OPTION_ARG_FILENAME, &given.draw, "Write copies with frames and names into this folder, as PNG", "DIR" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &photos.json,
      "Print one JSON object: images[{file, width, height, objects[{label, score, box[x, y, w, h]}]}]", NULL },
    { NULL },
  };
  g_autofree GOptionEntry *options = photos_join_options (own, &photos);
  JobSettings              settings = { NULL };
  const char              *wrong, *threshold;
  int                      status;

  operation_settings_init (&settings.operation, OPERATION_LOCATE);
  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  wrong = check_options (&given, &settings.operation);
  threshold = operation_set_threshold (&settings.operation, given.threshold);
  settings.operation.classes = operation_split_classes (given.classes);
  settings.pictures.drawn = given.draw;
  if (threshold)
    status = command_usage (&help, photos.json, "--%s", threshold);
  else
    status = wrong ? command_usage (&help, photos.json, "%s", wrong) : photos_run (&help, &photos, &settings, argc, argv, print_text);
  g_strfreev (settings.operation.classes);
  g_free (given.classes);
  g_free (given.suppress);
  g_free (given.tiles);
  g_free (given.draw);
  photos_clear_options (&photos);
  return status;
}
