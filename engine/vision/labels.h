/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * labels.h: the names of classes, cleaned: valid UTF-8, one line, no control characters, not longer than a name can be.
 */
#pragma once

#include <json-glib/json-glib.h>

#define LABELS_MAX 100000

/* From a list of names or an object index → name; classes without one get "class 207". Free with g_strfreev. */
char **labels_from_json (JsonNode *node, gsize *n_labels, GError **error);

/* From a text with a name on each line, in order; an index before the names ("0 tench", "1: shark") is left out where every line has it. */
char **labels_from_text (const char *text, gsize length, gsize *n_labels, GError **error);

/* "class 207" */
char  *labels_make_up   (gsize index);
