/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-files.h: what the formats of label files share. Each has a reader that fills an empty FoveaLabels, and a writer that may rely on label_files_check.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

gboolean coco_read  (FoveaLabels *labels, const char *path, GError **error);
gboolean coco_write (const FoveaLabels *labels, const char *folder, GError **error);
gboolean yolo_read  (FoveaLabels *labels, const char *path, FoveaReadSize read_size, gpointer user_data, GError **error);
gboolean yolo_write (const FoveaLabels *labels, const char *folder, GError **error);
gboolean voc_read   (FoveaLabels *labels, const char *path, GError **error);
gboolean voc_write  (const FoveaLabels *labels, const char *folder, GError **error);

/* What VOC's file says of an object besides (the member “voc” of FoveaLabelBox.more) when that is somewhere else: no parts. Free with g_free; NULL: nothing. */
char    *voc_rest_moved (const char *text);

/* Sets FOVEA_ERROR_FILE and returns FALSE. */
gboolean label_files_fail   (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The text of a file, valid UTF-8 without a byte order mark. Free with g_free; NULL with an error. */
char    *label_files_load   (const char *path, GError **error);

/* Writes a file and the folders it lies in, beside first, then renamed. */
gboolean label_files_save   (const char *path, const char *text, GError **error);

/* Names of the files below a folder that end in `suffix`, relative to it, sorted. NULL with an error. */
GPtrArray *label_files_list (const char *folder, const char *suffix, GError **error);

/* A number as text that reads back as the same text: at most ten digits after the point, no zeros at the end. Free with g_free. */
char    *label_files_number (double number);

/* FALSE where the node (NULL: none) isn't a number from least to most. */
gboolean label_files_read_number (JsonNode *node, double least, double most, double *number);

/* FALSE where the text is anything but one finite number. */
gboolean label_files_parse  (const char *text, double *number);

/* The photo's name with another suffix in the place of its own: “a/b.jpg” → “a/b.txt”. Free with g_free. */
char    *label_files_exchange_suffix (const char *file, const char *suffix);

/* Whether all photos have names that a file beside them can be named after: inside of the folder, each another. */
gboolean label_files_check_names (const FoveaLabels *labels, GError **error);

/* What COCO's file has as an object's segmentation in a photo of that size, its numbers as label_files_number writes them. Free with g_free; NULL with *is_sound: there
 * is none. */
char    *segmentation_read     (JsonNode *node, int width, int height, gboolean *is_sound);

/* Pixels. Polygons that overlap count each for itself. */
double   segmentation_get_area (const char *segmentation);

/* FALSE: it surrounds nothing. */
gboolean segmentation_get_box  (const char *segmentation, double *x, double *y, double *width, double *height);
