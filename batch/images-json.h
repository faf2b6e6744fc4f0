/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * images-json.h: answers as the members of a JSON array, written one after the other, so that however many there are none needs to be kept.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

/* The ith answer (from 0), indented as json-glib does it for an array that is a member of the root. */
void images_json_add (FILE *stream, gsize i, JsonNode *answer);

/* What ends an array of n answers that began with "[". */
void images_json_end (FILE *stream, gsize n);
