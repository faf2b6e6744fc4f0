/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * beside.h: files that lie beside a model and say something about it, read with care: they may come from anywhere.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

/* MODEL.onnx without ".onnx" and with `suffix`; NULL for a model from memory. */
char    *beside_path   (const FoveaModel *model, const char *suffix);

/* The model's own folder, and the one above where that is called "onnx", as Hugging Face's folders are made. NULL-terminated; empty for a model from memory. */
char   **beside_list_folders (const FoveaModel *model);

/* The text of a file of at most 16 MiB. FALSE without an error when there is no such file (path NULL: there is none); with FOVEA_ERROR_FILE when it can't be
 * read, or is a link to what doesn't belong to the model. */
gboolean beside_read   (const FoveaModel *model, const char *path, char **text, gsize *length, GError **error);

/* Settings in a sidecar's words from a Hugging Face folder's config.json and preprocessor_config.json, from a bioimage.io description. NULL where there are
 * no such files, with FOVEA_ERROR_MODEL where they are there and can't be used. *where gets their names, for people, and what was left out. */
JsonObject *hugging_face_read (const FoveaModel *model, char **where, GError **error);
JsonObject *bioimage_read     (const FoveaModel *model, char **where, GError **error);

/* The whole description and its folder; NULL as above. *description is a new reference. */
JsonObject *bioimage_open     (const FoveaModel *model, char **folder, char **name, GError **error);
