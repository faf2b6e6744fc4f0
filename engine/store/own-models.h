/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-models.h: which names the user's own models may have.
 */
#pragma once

#include <glib.h>

#define OWN_MODEL_NAME_BYTES 120

/* A model of that name is installed, or a link whose file is gone. */
gboolean own_model_is_taken   (const char *name);
