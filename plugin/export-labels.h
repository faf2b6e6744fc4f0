/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * export-labels.h: the procedure plug-in-fovea-export-labels.
 */
#pragma once

#include <libgimp/gimp.h>

#define EXPORT_LABELS_PROCEDURE "plug-in-fovea-export-labels"

/* What both directions call the formats, in the order of LabelFormat; NULL-terminated. */
extern const char *const label_format_words[];

typedef enum { LABEL_FORMAT_COCO, LABEL_FORMAT_YOLO, LABEL_FORMAT_VOC, LABEL_FORMAT_MASKS, LABEL_FORMAT_FOLDERS } LabelFormat;

GimpProcedure *export_labels_create_procedure (GimpPlugIn *plug_in);
