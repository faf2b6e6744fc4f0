/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * json-look.h: looking at JSON by others, where anything may be anything. Every function takes NULL objects and absent keys.
 */
#pragma once

#include <json-glib/json-glib.h>

JsonObject *look_object  (JsonObject *object, const char *key); /* NULL: there is none */
JsonArray  *look_array   (JsonObject *object, const char *key);
const char *look_string  (JsonObject *object, const char *key);
double      look_number  (JsonObject *object, const char *key); /* NAN: there is none */
gboolean    look_boolean (JsonObject *object, const char *key, gboolean otherwise);

/* Element i as a number (NAN: it isn't one, or isn't there), and as an object. */
double      look_element        (JsonArray *array, guint i);
JsonObject *look_element_object (JsonArray *array, guint i);
const char *look_element_string (JsonArray *array, guint i);
