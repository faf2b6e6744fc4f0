/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-options.c: see train-options.h.
 */

#include "train-options.h"

#include <string.h>

static const char *const task_words[] = { "", "classify", "detect", "segment", NULL };

void
train_options_init (TrainOptions *options)
{
  *options = (TrainOptions) { .seed = 1, .crop = 0.35, .stretch = 0.3, .rotate = -1.0, .colour = 0.3, .hue = 0.02, .grayscale = 0.05, .paste = -1.0, .mosaic = 0.4 };
}

void
train_options_clear (TrainOptions *options)
{
  g_free (options->task);
  g_free (options->data);
  g_free (options->tags);
  g_free (options->backgrounds);
}

GOptionEntry *
train_options_join (const GOptionEntry *own, TrainOptions *options)
{
  const GOptionEntry common[] = {
    { "task", 0, 0, G_OPTION_ARG_STRING, &options->task, "classify, detect or segment (classify)", "TASK" },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &options->data, "Labelled photos", "DIR" },
    { "tags", 0, 0, G_OPTION_ARG_FILENAME, &options->tags, "A tag list", "FILE" },
    { "size", 0, 0, G_OPTION_ARG_INT, &options->size, "Of the photos that the network sees, pixels (the base's, or 160)", "N" },
    { "no-augmentation", 0, 0, G_OPTION_ARG_NONE, &options->no_augmentation, "Photos as they are", NULL },
    { "crop", 0, 0, G_OPTION_ARG_DOUBLE, &options->crop, "Least share of the area that is shown (0.35)", "S" },
    { "stretch", 0, 0, G_OPTION_ARG_DOUBLE, &options->stretch, "How far a crop's sides change their ratio (0.3)", "S" },
    { "scale", 0, 0, G_OPTION_ARG_DOUBLE, &options->scale, "Larger or smaller by up to (0)", "S" },
    { "translate", 0, 0, G_OPTION_ARG_DOUBLE, &options->translate, "Moved by up to this share of the size (0)", "S" },
    { "rotate", 0, 0, G_OPTION_ARG_DOUBLE, &options->rotate, "Degrees to both sides (8; masks 12; boxes 0)", "D" },
    { "perspective", 0, 0, G_OPTION_ARG_DOUBLE, &options->perspective, "(0)", "S" },
    { "no-flip", 0, 0, G_OPTION_ARG_NONE, &options->no_flip, "Never mirrored", NULL },
    { "flip-vertical", 0, 0, G_OPTION_ARG_NONE, &options->flip_vertical, "Upside down, too", NULL },
    { "colour", 0, 0, G_OPTION_ARG_DOUBLE, &options->colour, "Brightness, contrast, saturation by up to (0.3)", "S" },
    { "hue", 0, 0, G_OPTION_ARG_DOUBLE, &options->hue, "Turns of the colour circle (0.02)", "S" },
    { "grayscale", 0, 0, G_OPTION_ARG_DOUBLE, &options->grayscale, "Share of photos without colour (0.05)", "S" },
    { "blur", 0, 0, G_OPTION_ARG_DOUBLE, &options->blur, "Share of blurred photos (0)", "S" },
    { "noise", 0, 0, G_OPTION_ARG_DOUBLE, &options->noise, "Strongest noise, share of white (0)", "S" },
    { "cutout", 0, 0, G_OPTION_ARG_DOUBLE, &options->cutout, "Share of photos with a covered square (0)", "S" },
    { "jpeg", 0, 0, G_OPTION_ARG_DOUBLE, &options->jpeg, "Share of photos as if stored as JPEG, at any quality (0)", "S" },
    { "mosaic", 0, 0, G_OPTION_ARG_DOUBLE, &options->mosaic, "Boxes: share of the photos that are shown beside three others at half the size (0.4)", "S" },
    { "mixup", 0, 0, G_OPTION_ARG_DOUBLE, &options->mixup, "Share of batches whose photos are mixed (0)", "S" },
    { "cutmix", 0, 0, G_OPTION_ARG_DOUBLE, &options->cutmix, "Share of batches whose photos exchange rectangles (0)", "S" },
    { "backgrounds", 0, 0, G_OPTION_ARG_FILENAME, &options->backgrounds, "Folder of photos without a subject: masks' subjects are pasted on them", "DIR" },
    { "paste", 0, 0, G_OPTION_ARG_DOUBLE, &options->paste, "Share of the photos whose subject is pasted on one of those (0.5); boxes: share on which another photo's object is pasted along its mask (0)", "S" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options->seed, "The same seed gives the same (1)", "N" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &options->threads, "Compute with N threads (0: one per processor)", "N" },
    { NULL },
  };
  GArray *entries = g_array_new (TRUE, FALSE, sizeof (GOptionEntry));

  for (const GOptionEntry *entry = own; entry->long_name; entry++)
    g_array_append_val (entries, *entry);
  g_array_append_vals (entries, common, G_N_ELEMENTS (common) - 1);
  return (GOptionEntry *) (gpointer) g_array_free (entries, FALSE);
}

int
train_options_find (const char *const *words, const char *word)
{
  for (int i = 0; words[i]; i++)
    if (*words[i] && strcmp (words[i], word) == 0)
      return i;
  return -1;
}

const char *
train_options_read (const TrainOptions *options, FoveaTrainSettings *settings)
{
  int task = options->task ? train_options_find (task_words, options->task) : FOVEA_TASK_CLASSIFY;

  if (task < 0)
    return "--task must be classify, detect or segment.";
  if (options->threads < 0 || options->size < 0)
    return "Numbers of pixels and threads must be 0 or more.";
  if (!(options->crop > 0.0 && options->crop <= 1.0))
    return "--crop must be above 0, at most 1.";
  fovea_train_settings_init (settings, (FoveaTask) task);
  settings->size = options->size;
  settings->seed = (guint64) options->seed;
  settings->n_threads = (guint) options->threads;
  settings->backgrounds = options->backgrounds;
  settings->augmentation = (FoveaAugmentation) {
    .crop = options->crop, .stretch = options->stretch, .scale = options->scale, .translate = options->translate,
    .rotate = options->rotate >= 0.0 ? options->rotate : settings->augmentation.rotate, .perspective = options->perspective,
    .flip_horizontal = !options->no_flip, .flip_vertical = options->flip_vertical, .colour = options->colour, .hue = options->hue,
    .grayscale = options->grayscale, .blur = options->blur, .cutout = options->cutout, .noise = options->noise, .mosaic = options->mosaic,
    .mixup = options->mixup, .cutmix = options->cutmix, .jpeg = options->jpeg, .paste = options->backgrounds && options->paste < 0.0 ? 0.5 : MAX (options->paste, 0.0),
  };
  if (options->no_augmentation)
    settings->augmentation = (FoveaAugmentation) { .crop = 1.0 };
  return NULL;
}
