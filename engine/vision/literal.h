/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * literal.h: reads JSON and what Python's repr () makes of dicts and lists, since model files hold both.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Text of `length` bytes (invalid UTF-8 is replaced). Numeric keys of a dict become strings. NULL with FOVEA_ERROR_MODEL that says where the text
 * goes wrong, "line 3: …". Nesting is limited. */
JsonNode *literal_parse (const char *text, gsize length, GError **error);
