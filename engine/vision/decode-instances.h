/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-instances.h: what networks say that give boxes with a mask each: one mask an object. Pure functions.
 */

#pragma once

#include "vision/decode-masks.h"

#define INSTANCES_MAX 64 /* objects of a photo */

/* TRUE for the families that decode_instances reads. */
gboolean   decode_instances_knows (const char *family);

/* The objects that stay by the settings' threshold and overlap, best first, at most INSTANCES_MAX; their masks lie over the network's input. Outputs and their names are
 * the session's. NULL with FOVEA_ERROR_MODEL when shapes aren't the family's, with FOVEA_ERROR_MEMORY. */
MaskStack *decode_instances       (const FoveaSettings *settings, const char *const *names, FoveaTensor *const *outputs, guint n_outputs, GError **error);

/* Of each class one mask of all its objects, the best object's class first. NULL with FOVEA_ERROR_MEMORY. */
MaskStack *instances_unite        (const MaskStack *objects, GError **error);
