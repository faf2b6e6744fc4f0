/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sidecar.h: settings written as JSON: MODEL.json beside a model, or the same keys in the model's metadata_props.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

/* Which settings have been found already: the first place that has one wins. */
enum
{
  SETTING_TASK       = 1 << 0,
  SETTING_FAMILY     = 1 << 1,
  SETTING_LABELS     = 1 << 2,
  SETTING_SIZE       = 1 << 3,
  SETTING_RESIZE     = 1 << 4,
  SETTING_FILTER     = 1 << 5,
  SETTING_CROP_SCALE = 1 << 6,
  SETTING_COLOUR     = 1 << 7,
  SETTING_LAYOUT     = 1 << 8,
  SETTING_VALUES     = 1 << 9, /* range, mean and std */
  SETTING_PAD        = 1 << 10,
  SETTING_ACTIVATION = 1 << 11,
  SETTING_THRESHOLD  = 1 << 12,
  SETTING_OVERLAP    = 1 << 13,
  SETTING_ANCHORS    = 1 << 14,
  SETTING_NORMALIZE  = 1 << 15, /* and percentiles */
};

/* "task, labels": the names of the settings in the set, for people. Free with g_free. */
char    *sidecar_name_settings (guint set);

/* Takes from `object` (keys task, names, imgsz, fovea) what isn't in *found yet, and adds it to *found. FALSE with FOVEA_ERROR_FILE that says
 * which key is wrong and what may stand there; what came before it is taken then. */
gboolean sidecar_apply         (FoveaSettings *settings, guint *found, JsonObject *object, GError **error);

/* The settings as the JSON text of the metadata key "fovea"; `card` (taken over, may be NULL) goes in as "card". Free with g_free. */
char    *sidecar_write_settings (const FoveaSettings *settings, JsonObject *card);

/* A whole sidecar, for people to read: task, names, settings and card (taken over, may be NULL). What is unknown stays out. Free with g_free. */
char    *sidecar_write          (const FoveaSettings *settings, JsonObject *card);

/* The labels as the JSON text of the metadata key "names". Free with g_free. */
char    *sidecar_write_names    (const FoveaSettings *settings);

/* The words of a setting with a fixed set of them ("resize" …), NULL-terminated; NULL: it has none. Static. */
const char *const *sidecar_words (const char *key);

/* The word that the metadata key "task" has. */
const char *sidecar_task_word   (FoveaTask task);
