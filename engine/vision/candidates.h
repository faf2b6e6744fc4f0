/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * candidates.h: all the boxes that a network gave for a photo, before the user chooses among them.
 */
#pragma once

#include "vision/decode-boxes.h"

/* In pixels of the photo. Takes over `boxes` (a GArray of Box, best first); copies the settings. */
FoveaCandidates *candidates_new (const FoveaSettings *settings, int photo_width, int photo_height, gboolean rough, GArray *boxes);
