/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scene.h: photos with boxes as a detector learns them: one changed photo, or four of them side by side (Bochkovskiy et al. 2020, arXiv:2004.10934), so that
 * objects are seen smaller, cut, and in more company than the photos show; and, cut out along its mask, an object of another photo (Ghiasi et al. 2021,
 * arXiv:2012.07177), so that it isn't known by its surroundings.
 *
 * Boxes are a list of SCENE_BOXES rows of five numbers: class, left, top, right, bottom, pixels of the result. SCENE_IGNORED (class), below 0: a region of that class
 * that says nothing (a crowd, or what is left of an object that was cut off). A row of no area ends the list.
 */
#pragma once

#include "train/augment.h"

#define SCENE_BOXES   160
#define SCENE_NUMBERS 5
#define SCENE_IGNORED(class) (-1.0f - (float) (class))

/* Any sample's photo; *owned says that it is to be freed with `free_photo`. */
typedef struct
{
  const Photo *(*get_photo)  (gpointer data, guint index, gboolean *owned, GError **error);
  void         (*free_photo) (gpointer photo);
  gpointer       data;
  const guint   *order;   /* n samples to choose neighbours from */
  gsize          n;
} ScenePhotos;

/* Boxes of a sample moved by `map`: result = photo share * scale + offset, x first. `list` is added to at *n. */
void     scene_add_boxes (const Sample *sample, const double scale[2], const double offset[2], float *list, gsize *n);

/* A changed scene around the sample `index`, whose photo is at hand: size x size pixels, the list of boxes, and for each class whether it is known here. */
gboolean scene_make      (const ScenePhotos *photos, const Dataset *dataset, const FoveaAugmentation *augmentation, guint index, const Photo *photo, int size,
                          Random *random, guint8 *rgb, float *list, float *known, GError **error);
