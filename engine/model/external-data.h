/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * external-data.h: files beside a model in which some of its weights lie.
 */
#pragma once

#include "model/mapping.h"

/* Maps file `location` of the folder `folder`. What leaves the folder (an absolute path, "..", a link) is refused with FOVEA_ERROR_MODEL. */
Mapping *external_data_open (const char *folder, const char *location, GError **error);
