/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * yaml-text.h: reads YAML as the same tree that JSON gives, so that one set of functions looks at both.
 */
#pragma once

#include <json-glib/json-glib.h>

/* The first document of a text of `length` bytes. Plain scalars become null, booleans, whole numbers and numbers as YAML's core schema has them, all others
 * strings. Anchors and aliases are refused (a few lines of them unfold to gigabytes), nesting and the number of nodes are limited. NULL with FOVEA_ERROR_MODEL
 * that says where the text goes wrong, "line 3: …". */
JsonNode *yaml_text_parse (const char *text, gsize length, GError **error);
