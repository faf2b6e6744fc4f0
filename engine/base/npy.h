/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * npy.h: NumPy's file format for arrays (versions 1.0 to 3.0, little-endian, C order). fovea.h has loading from a file and saving.
 */
#pragma once

#include "fovea.h"

/* `name` is for messages. */
FoveaTensor *npy_parse (const char *bytes, gsize length, const char *name, GError **error);
