/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augment.h: other forms of a photo, so that few photos teach more. One random change of place (crop, flip, rotation, …) as a single resampling, applied to
 * pixels, mask and boxes alike, then one of colour. What comes out depends on the settings, the photo and the random stream only.
 */
#pragma once

#include "train/dataset.h"
#include "train/random.h"

/* A decoded photo. */
typedef struct
{
  int     width, height;
  guint8 *rgb;                     /* (height, width, 3) */
  int     mask_width, mask_height;
  guint8 *mask;                    /* (mask_height, mask_width); NULL: none */
} Photo;

/* For every pixel (x, y) of the result the place in the photo, all in units of 0 to 1 of width and height: rows of a homogeneous 3 x 3 matrix. */
typedef struct
{
  double m[9];
} Placement;

/* FALSE where photos stay as they are. */
gboolean  augmentation_changes (const FoveaAugmentation *settings);

/* Draws a placement. The identity of the settings is the whole photo, stretched. */
Placement augment_place      (const FoveaAugmentation *settings, const Photo *photo, Random *random);

/* The photo's pixels at a placement, size x size, as bytes: antialiased where it gets smaller. Outside the photo it is gray of `beyond`, or, with
 * AUGMENT_MIRROR, mirrored. FALSE with FOVEA_ERROR_MEMORY. */
gboolean  augment_resample   (const Photo *photo, const Placement *placement, int size, int beyond, guint8 *rgb /* (size, size, 3) */, GError **error);

#define AUGMENT_MIRROR (-1)

/* The mask likewise: shares of the pixels that are `value`, 0 to 1, and how far they are known (0 outside the photo and where the mask is 255). */
void      augment_mask       (const Photo *photo, const Placement *placement, int size, guint8 value, float *shares, float *known);

/* The box of the photo in the result, clipped: of no area, or less, where it lies outside. FALSE where less than a quarter of its area is left. */
gboolean  augment_box        (const Placement *placement, const SampleBox *box, SampleBox *out);

/* Changes of colour, blur, noise, JPEG and covered parts, in place. */
void      augment_colour     (const FoveaAugmentation *settings, int size, guint8 *rgb /* (size, size, 3) */, Random *random);
