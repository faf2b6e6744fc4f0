/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-output.h: the boxes of a batch as files of COCO, YOLO and VOC. In COCO photos have the names that they have everywhere else; YOLO and VOC have a file for
 * each photo, named after it.
 */
#pragma once

#include "journal.h"

typedef struct _LabelOutput LabelOutput;

/* wanted: of FORMAT_COCO, FORMAT_YOLO and FORMAT_VOC. labels: the model's classes, in whose order they are numbered, so that all shares of a batch agree. */
LabelOutput *label_output_new   (guint wanted, const char *const *labels);
void         label_output_free  (LabelOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelOutput, label_output_free)

/* Adds the objects of an answer. FALSE with an error where YOLO and VOC can't name a file after the photo; then these leave it out. */
gboolean     label_output_add   (LabelOutput *output, const JournalPhoto *photo, JsonObject *answer, GError **error);

/* Writes a folder for each format into `folder`: “coco”, “yolo”, “voc”, each with `suffix` behind; each file is written below `part` first. The object gets where
 * they are. */
gboolean     label_output_write (LabelOutput *output, const char *folder, const char *suffix, const char *part, JsonObject *files, GError **error);
