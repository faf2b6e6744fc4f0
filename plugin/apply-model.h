/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply-model.h: uses a trained model on images through the procedures of its task, as the user would. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

/* What the model (a file or a name) is for; UNKNOWN where it can't be read. */
FoveaTask  apply_model_get_task (const char *model);

/* Classify, Locate or Segment. `config` has the setting “output” for masks. Returns what was found, in words, to be freed with g_free; NULL with an error. */
char      *apply_model          (GimpProcedureConfig *config, GimpImage *image, const char *model, FoveaTask task, GError **error);

/* The same with any output, and the procedure's answer, to be freed with g_free. */
char      *apply_model_to       (GimpImage *image, const char *model, FoveaTask task, const char *output, GError **error);

/* The highest layer of the image that is no label: what gets a mask. NULL: there is none. */
GimpLayer *apply_model_find_layer (GimpImage *image);
