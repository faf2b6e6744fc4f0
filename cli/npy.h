/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * npy.h: NumPy's file format for arrays (versions 1.0 to 3.0, little-endian, C order), for `fovea run`.
 */
#pragma once

#include "fovea.h"

FoveaTensor *npy_load (const char *path, GError **error);

/* Written beside and renamed. */
gboolean     npy_save (const FoveaTensor *tensor, const char *path, GError **error);
