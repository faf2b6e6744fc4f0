/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate.c: `fovea locate`: boxes around the things in photos. A photo that can't be read is reported and the others go on; the exit status tells.
 */

#include <math.h>
#include <string.h>

#include "command.h"
#include "draw.h"
#include "fovea.h"
#include "image.h"
#include "verbs.h"

static const CommandHelp help = {
  "locate",
  "MODEL IMAGE…",
  "Finds things in photos: a box for each, with its name and score.\n"
  "\n"
  "MODEL is a detector of any usual family (YOLO, SSD, DETR, …; fovea info says\n"
  "which it is taken for), or a classifier that ends in global pooling: then the best\n"
  "names get a rough box each. --tiles finds what is small in large photos. --draw\n"
  "writes copies of the photos with frames and names.\n"
  "\n"
  "Photos are read as by fovea classify. One that can't be read is reported, the\n"
  "others go on, and the exit status is 1 at the end.",
  "  fovea locate yolox street.jpg                          what is where in a photo\n"
  "  fovea locate yolox --classes person,car *.jpg          only people and cars\n"
  "  fovea locate yolox --tiles 4 --draw out crowd.jpg      small things too, drawn\n"
  "  fovea locate yolox --json - < street.jpg               for programs\n",
};

typedef struct
{
  FoveaLocator  *locator;
  FoveaSelection selection;
  int            tiles;
  gboolean       pyramid;
  const char    *draw;  /* folder; NULL: no pictures */
  GHashTable    *taken; /* pictures that have been written */
  JsonBuilder   *json;  /* NULL: plain text */
} Locate;

/* What is known of one photo. */
typedef struct
{
  const char   *file;
  int           width, height;
  FoveaObjects *objects; /* NULL: it failed */
  char         *picture; /* NULL: none was written */
} Answer;

static gboolean
draw (const Locate *locate, GdkPixbuf *photo, Answer *answer, GError **error)
{
  g_autoptr (GdkPixbuf) picture = draw_objects (photo, answer->objects, error);

  return picture && draw_save (picture, locate->draw, answer->file, locate->taken, &answer->picture, error);
}

static gboolean
locate_file (const Locate *locate, Answer *answer, GError **error)
{
  g_autoptr (GdkPixbuf) pixels = image_load (answer->file, error);
  g_autoptr (FoveaCandidates) candidates = NULL;
  FoveaPhoto photo = { 0, 0, image_read, pixels };

  if (!pixels)
    return FALSE;
  photo.width = answer->width = gdk_pixbuf_get_width (pixels);
  photo.height = answer->height = gdk_pixbuf_get_height (pixels);
  candidates = fovea_locator_run (locate->locator, &photo, locate->tiles, locate->pyramid, NULL, NULL, NULL, error);
  answer->objects = candidates ? fovea_candidates_select (candidates, &locate->selection, error) : NULL;
  return answer->objects && (!locate->draw || draw (locate, pixels, answer, error));
}

/* ---- printing --------------------------------------------------------------------------------------------------------------------------- */

static void
print_text (const Answer *answer)
{
  g_autofree char *name = g_filename_display_name (answer->file);

  command_clear_progress ();
  g_print ("%s (%d×%d)%s\n", name, answer->width, answer->height, answer->objects->n ? "" : ": nothing found");
  for (gsize i = 0; i < answer->objects->n; i++)
    {
      const FoveaObject *object = &answer->objects->objects[i];

      g_print ("  %5.1f %%  %4.0f×%-4.0f at %4.0f, %-4.0f  %s%s\n", object->score * 100, object->width, object->height, object->x, object->y, object->label,
               object->rough ? " (about)" : "");
    }
  if (answer->picture)
    {
      g_autofree char *picture = g_filename_display_name (answer->picture);

      g_print ("  drawn in %s\n", picture);
    }
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_object (JsonBuilder *json, const FoveaObject *object)
{
  const double box[4] = { object->x, object->y, object->width, object->height };

  json_builder_begin_object (json);
  command_add_string (json, "label", object->label);
  add_number (json, "score", object->score);
  json_builder_set_member_name (json, "box");
  json_builder_begin_array (json);
  for (int i = 0; i < 4; i++)
    json_builder_add_double_value (json, rint (box[i] * 100) / 100);
  json_builder_end_array (json);
  if (object->rough)
    {
      json_builder_set_member_name (json, "rough");
      json_builder_add_boolean_value (json, TRUE);
    }
  json_builder_end_object (json);
}

/* error NULL: all went well. */
static void
add_json (JsonBuilder *json, const Answer *answer, const GError *error)
{
  json_builder_begin_object (json);
  command_add_string (json, "file", answer->file);
  if (error)
    command_add_string (json, "error", error->message);
  if (answer->objects)
    {
      json_builder_set_member_name (json, "width");
      json_builder_add_int_value (json, answer->width);
      json_builder_set_member_name (json, "height");
      json_builder_add_int_value (json, answer->height);
      json_builder_set_member_name (json, "objects");
      json_builder_begin_array (json);
      for (gsize i = 0; i < answer->objects->n; i++)
        add_object (json, &answer->objects->objects[i]);
      json_builder_end_array (json);
    }
  if (answer->picture)
    command_add_string (json, "picture", answer->picture);
  json_builder_end_object (json);
}

/* The exit status. */
static int
locate_files (const Locate *locate, char **files, int n_files)
{
  int status = COMMAND_OK;

  for (int i = 0; i < n_files; i++)
    {
      g_autoptr (GError) error = NULL;
      Answer answer = { files[i], 0, 0, NULL, NULL };

      if (n_files > 1)
        command_progress ("photo", i, n_files);
      if (!locate_file (locate, &answer, &error))
        {
          command_warn ("%s", error->message);
          status = COMMAND_FAILED;
        }
      if (locate->json)
        add_json (locate->json, &answer, error);
      else if (answer.objects)
        print_text (&answer);
      g_clear_pointer (&answer.objects, fovea_objects_free);
      g_free (answer.picture);
    }
  command_clear_progress ();
  return status;
}

/* ---- the verb --------------------------------------------------------------------------------------------------------------------------- */

/* What the options hold before they are checked. */
typedef struct
{
  gboolean json, pyramid;
  double   threshold, overlap;
  int      most, n_threads;
  char    *classes, *suppress, *tiles, *draw;
} Options;

static const char *const suppressions[] = { "class", "all", "soft", NULL };

/* A message for wrong usage, or NULL. */
static const char *
check_options (const Options *options, Locate *locate)
{
  gint64 tiles = 1;

  if (options->threshold != -1 && !(options->threshold >= 0 && options->threshold <= 1))
    return "--threshold must be from 0 to 1.";
  if (options->overlap != -1 && !(options->overlap >= 0 && options->overlap <= 1))
    return "--overlap must be from 0 to 1.";
  if (options->most < 1)
    return "--max must be 1 or more.";
  if (options->n_threads < 0)
    return "--threads must be 0 or more.";
  if (options->suppress && !g_strv_contains (suppressions, options->suppress))
    return "--suppress must be class, all or soft.";
  if (g_strcmp0 (options->tiles, "auto") == 0)
    tiles = 0;
  else if (options->tiles && !g_ascii_string_to_signed (options->tiles, 10, 1, 32, &tiles, NULL))
    return "--tiles must be from 1 to 32, or auto.";
  for (guint i = 0; suppressions[i] && options->suppress; i++)
    if (strcmp (suppressions[i], options->suppress) == 0)
      locate->selection.suppression = (FoveaSuppression) i;
  locate->tiles = (int) tiles;
  locate->pyramid = options->pyramid;
  locate->selection.threshold = options->threshold;
  locate->selection.overlap = options->overlap;
  locate->selection.most = options->most;
  locate->draw = options->draw;
  return NULL;
}

static int
run (const Options *options, Locate *locate, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaLocator) locator = NULL;
  g_autoptr (JsonBuilder) json = NULL;
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *path = fovea_find_model (argv[1], &error);
  int              status;

  model = path ? fovea_model_load (path, &error) : NULL;
  locator = model ? fovea_locator_new (model, NULL, options->n_threads, &error) : NULL;
  locate->locator = locator;
  locate->taken = taken;
  if (!locator || !fovea_settings_check_classes (fovea_locator_get_settings (locator), locate->selection.classes, &error))
    return command_fail (options->json, error);
  if (options->json)
    {
      locate->json = json = json_builder_new ();
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "images");
      json_builder_begin_array (json);
    }
  status = locate_files (locate, argv + 2, argc - 2);
  if (options->json)
    {
      json_builder_end_array (json);
      json_builder_end_object (json);
      command_print_json (json);
    }
  return status;
}

int
verb_locate (int argc, char **argv)
{
  Options      given = { .threshold = -1, .overlap = -1, .most = 300 };
  GOptionEntry entries[] = {
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &given.threshold, "Leave out what has a lower score, 0 to 1 (the model's own)", "T" },
    { "overlap", 0, 0, G_OPTION_ARG_DOUBLE, &given.overlap, "Of boxes that overlap more, keep the best, 0 to 1 (the model's own)", "O" },
    { "suppress", 0, 0, G_OPTION_ARG_STRING, &given.suppress, "Boxes that overlap compete in their class, all, or lose score (class, all, soft)", "HOW" },
    { "classes", 0, 0, G_OPTION_ARG_STRING, &given.classes, "Only these names, commas between", "NAMES" },
    { "max", 0, 0, G_OPTION_ARG_INT, &given.most, "At most N objects a photo (300)", "N" },
    { "tiles", 0, 0, G_OPTION_ARG_STRING, &given.tiles, "Look at parts of the photo too: N along its longer side, or auto (1)", "N" },
    { "pyramid", 0, 0, G_OPTION_ARG_NONE, &given.pyramid, "With --tiles, also at half as many parts, a quarter …", NULL },
    { "draw", 0, 0, G_OPTION_ARG_FILENAME, &given.draw, "Write copies with frames and names into this folder, as PNG", "DIR" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &given.n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &given.json,
      "Print one JSON object: images[{file, width, height, objects[{label, score, box[x, y, w, h]}]}]", NULL },
    { NULL },
  };
  Locate        locate = { 0 };
  const char   *wrong;
  int           status;
  g_auto (GStrv) classes = NULL;

  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  wrong = check_options (&given, &locate);
  if (argc < 3)
    wrong = "Give a model and at least one photo.";
  if (given.classes)
    {
      classes = g_strsplit (given.classes, ",", -1);
      for (char **name = classes; *name; name++)
        g_strstrip (*name);
      locate.selection.classes = (const char *const *) classes;
    }
  status = wrong ? command_usage (&help, given.json, "%s", wrong) : run (&given, &locate, argc, argv);
  g_free (given.classes);
  g_free (given.suppress);
  g_free (given.tiles);
  g_free (given.draw);
  return status;
}
