/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * external-data.h: files beside a model in which some of its weights lie.
 */
#pragma once

#include "model/mapping.h"

/* Maps file `location` of the folder that the model (its path) lies in. What leaves the folder (an absolute path, "..", a link) is refused with
 * FOVEA_ERROR_MODEL; where the model is itself a link, the folders on the way to its file count as well, and a link to
 * where that file lies is none of these. */
Mapping *external_data_open (const char *model, const char *location, GError **error);

/* Is the file at `path` the one that it seems to be: no link, or one within its folder, or to the very folder that the model, a link too, leads to? */
gboolean external_data_belongs (const char *path, const char *model);
