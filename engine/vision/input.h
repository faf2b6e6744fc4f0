/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * input.h: what vision/ itself asks of FoveaInput beyond fovea.h.
 */
#pragma once

#include "fovea.h"

/* Writes other 8-bit pixels of the network's size (a photo with a part covered, a part of it) as fovea_input_write would. photo: (n, 3): the pixels that settings mean
 * which go by the photo's own values. */
void     input_write_pixels (const FoveaSettings *settings, const guint8 *pixels /* (height, width, 3) */, const guint8 *photo, gsize n, FoveaTensor *tensor);

/* Where a place of the network's input lies in the photo, both in pixels: photo = (place - offset) * scale; x first, then y. */
void     input_get_mapping    (const FoveaInput *input, double scale[2], double offset[2]);
void     input_get_photo_size (const FoveaInput *input, int *width, int *height);

/* TRUE if the input can be written to `tensor`: type and size are right. */
gboolean input_fits       (const FoveaInput *input, const FoveaTensor *tensor);
