/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attention-layer.h: where the network looked, as a layer.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

/* Adds a layer above all others over `seen` (the image's pixels): `attention` is (height, width), 0 to 1, and is brought to that size. Not for
 * indexed images, whose palette has no colours for it. */
GimpLayer *attention_layer_add (GimpImage *image, const FoveaTensor *attention, const GeglRectangle *seen, const char *label, GError **error);
