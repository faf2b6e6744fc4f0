/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.h: what vision/ itself asks of FoveaSettings beyond fovea.h.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

/* Exchanges the labels for those (n_labels and a NULL); takes them over. */
void settings_take_labels (FoveaSettings *settings, char **labels, gsize n_labels);

/* Settings in words (see fovea_settings_list_keys) as a sidecar has them. NULL with FOVEA_ERROR_ARGUMENT that names the word. */
JsonObject *settings_text_to_json (GHashTable *given, GError **error);
