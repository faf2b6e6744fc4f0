/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-options.h: what train and augment are told alike: where the photos are, and how they are changed.
 */
#pragma once

#include "fovea.h"

typedef struct
{
  char    *task, *data, *tags, *backgrounds;
  int      size, seed, threads;
  double   crop, rotate, colour, hue, grayscale, blur, noise, cutout, jpeg, mosaic, mixup, cutmix, paste, scale, translate, perspective, stretch;
  gboolean flip_vertical, no_flip, no_augmentation;
} TrainOptions;

/* Before the command line is read. */
void          train_options_init  (TrainOptions *options);
void          train_options_clear (TrainOptions *options);

/* A verb's own entries, then the common ones, which write to `options`. Free with g_free. */
GOptionEntry *train_options_join  (const GOptionEntry *own, TrainOptions *options);

/* The settings that they say; the rest is what serves most data of the task. NULL, or what is wrong. */
const char   *train_options_read  (const TrainOptions *options, FoveaTrainSettings *settings);

/* Where the word is in the list, NULL-terminated; -1: nowhere. */
int           train_options_find  (const char *const *words, const char *word);
