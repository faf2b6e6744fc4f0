/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keywords.h: names as keywords in photos' metadata, where programs that keep photos look for them: XMP dc:subject and IPTC keywords. One thread at a time.
 */
#pragma once

#include <gexiv2/gexiv2.h>
#include <json-glib/json-glib.h>

/* Adds names (NULL-terminated) to the keywords that are there, each once, or puts them in their place. FALSE with an error. */
gboolean keywords_set           (GExiv2Metadata *metadata, const char *const *names, gboolean replace, GError **error);

/* What an answer of a batch names, each once: classes, objects, or masks that aren't empty. Free with g_strfreev. */
char   **keywords_of_answer     (JsonObject *answer);

/* A file of XMP beside a photo, with the names and the keywords that the photo has. FALSE with an error, as below. */
gboolean keywords_write_sidecar (const char *photo, const char *sidecar, const char *const *names, GError **error);

/* A copy of a photo with the names inside; its pixels are those of the photo, bit for bit. `part` is the copy's name until it is whole, in the same file system. */
gboolean keywords_write_copy    (const char *photo, const char *copy, const char *part, const char *const *names, GError **error);
