/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.c: `fovea segment`: masks of what is in photos.
 */

#include "command.h"
#include "photos.h"
#include "verbs.h"

static const CommandHelp help = {
  "segment",
  PHOTOS_ARGUMENTS,
  "Finds which pixels of photos belong to what: a soft mask for each class.\n"
  "\n"
  "MODEL is a network of masks (saliency, matting, semantic; fovea info says which it\n"
  "is taken for), one that fovea train made, or a classifier that ends in global\n"
  "pooling: then the best name gets a rough mask. The masks' borders follow the\n"
  "photo's edges (--no-refine: they don't). --tiles looks at parts of the photo, at the\n"
  "network's own size each, so that masks have its details. --mask-dir writes masks as gray PNG of the\n"
  "photo's size, --cutout-dir what is in them on a transparent ground, --draw copies\n"
  "with the masks in colour.\n"
  "\n" PHOTOS_HELP,
  "  fovea segment cutout portrait.jpg --cutout-dir out     the subject, cut out\n"
  "  fovea segment cutout Pictures --mask-dir masks         masks of many photos\n"
  "  fovea segment cutout cat.jpg --hair 40 --cutout-dir out its fur, too\n"
  "  fovea segment street.onnx road.jpg --draw out          all classes, in colour\n"
  "  fovea segment cutout cup.jpg --prompt \"300,200 !90,40\" --mask-dir out\n"
  "  fovea segment cutout --json - < portrait.jpg           for programs\n",
};

static void
print_text (JsonObject *answer)
{
  g_autofree char *name = photos_get_name (answer);
  JsonArray       *masks = json_object_get_array_member (answer, "masks");

  g_print ("%s (%d×%d)\n", name, (int) json_object_get_int_member (answer, "width"), (int) json_object_get_int_member (answer, "height"));
  for (guint i = 0; i < json_array_get_length (masks); i++)
    {
      JsonObject *mask = json_array_get_object_element (masks, i);
      double      area = json_object_get_double_member (mask, "area");

      if (area >= OPERATION_LEAST_AREA)
        g_print ("  %5.1f %%  %s%s\n", area * 100.0, json_object_get_string_member (mask, "label"), json_object_has_member (mask, "rough") ? " (about)" : "");
    }
}

static const char *
check_options (const FoveaMaskOptions *options)
{
  if (!(options->softness >= 0.0 && options->softness <= 1.0))
    return "--softness must be from 0 to 1.";
  if (!(ABS (options->grow) <= 1000.0) || !(options->feather >= 0.0 && options->feather <= 1000.0))
    return "--grow must be from -1000 to 1000, --feather from 0 to 1000 pixels.";
  if (!(options->hair >= 0.0 && options->hair <= 1000.0))
    return "--hair must be from 0 to 1000 pixels.";
  return NULL;
}

int
verb_segment (int argc, char **argv)
{
  PhotosOptions     photos = { 0 };
  JobSettings       settings = { NULL };
  FoveaMaskOptions *mask = &settings.operation.mask;
  g_autofree char  *mask_dir = NULL, *cutout_dir = NULL, *draw_dir = NULL, *classes = NULL, *tiles = NULL, *prompt = NULL;
  gboolean          no_refine = FALSE;
  int               status;
  double            threshold = OPERATION_USUAL;
  const char       *wrong, *wrong_threshold;
  GOptionEntry      own[] = {
    { "mask-dir", 0, 0, G_OPTION_ARG_FILENAME, &mask_dir, "Write masks into this folder, as gray PNG", "DIR" },
    { "cutout-dir", 0, 0, G_OPTION_ARG_FILENAME, &cutout_dir, "Write what is in the masks into this folder, as PNG with transparency", "DIR" },
    { "draw", 0, 0, G_OPTION_ARG_FILENAME, &draw_dir, "Write copies with the masks in colour into this folder, as PNG", "DIR" },
    { "classes", 0, 0, G_OPTION_ARG_STRING, &classes, "Only these names, commas between", "NAMES" },
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &threshold, "The share that lies on the border (0.5)", "T" },
    { "softness", 0, 0, G_OPTION_ARG_DOUBLE, &mask->softness, "0: a hard border, 1: the network's own (1)", "S" },
    { "grow", 0, 0, G_OPTION_ARG_DOUBLE, &mask->grow, "Widen masks by so many pixels; negative: narrow (0)", "N" },
    { "feather", 0, 0, G_OPTION_ARG_DOUBLE, &mask->feather, "Blur the border by so many pixels (0)", "N" },
    { "invert", 0, 0, G_OPTION_ARG_NONE, &mask->invert, "What isn't in the mask", NULL },
    { "hair", 0, 0, G_OPTION_ARG_DOUBLE, &mask->hair, "Look for hair and fur up to so many pixels from the border (0: don't)", "N" },
    { "tiles", 0, 0, G_OPTION_ARG_STRING, &tiles, "Look at parts of the photo: N along its longer side, or auto (1: at the whole)", "N" },
    { "prompt", 0, 0, G_OPTION_ARG_STRING, &prompt, "The thing at x,y, not at !x,y, or in the box x,y,width,height; spaces between", "PLACES" },
    { "no-refine", 0, 0, G_OPTION_ARG_NONE, &no_refine, "Don't let borders follow the photo's edges", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &photos.json, "Print one JSON object: images[{file, width, height, masks[{label, area, file}]}]", NULL },
    { NULL },
  };
  g_autofree GOptionEntry *options = photos_join_options (own, &photos);

  operation_settings_init (&settings.operation, OPERATION_SEGMENT);
  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  wrong_threshold = operation_set_threshold (&settings.operation, threshold);
  wrong = photos_read_tiles (tiles, &settings.operation.tiles) ? check_options (mask) : PHOTOS_WRONG_TILES;
  mask->refine = !no_refine;
  settings.operation.prompt = prompt;
  settings.operation.classes = operation_split_classes (classes);
  settings.pictures = (PictureFolders) { mask_dir, cutout_dir, draw_dir };
  if (wrong_threshold)
    status = command_usage (&help, photos.json, "--%s", wrong_threshold);
  else
    status = wrong ? command_usage (&help, photos.json, "%s", wrong) : photos_run (&help, &photos, &settings, argc, argv, print_text);
  g_strfreev (settings.operation.classes);
  photos_clear_options (&photos);
  return status;
}
