/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-blobs.h: the connected blobs of painted pixels, corners counting as touching, from rows that come one after the other: memory is that of two rows' runs
 * and the blobs. Knows nothing of GIMP.
 */
#pragma once

#include <glib.h>

typedef struct
{
  int     x, y, width, height; /* the bounding box, pixels of the image */
  guint64 pixels;              /* painted ones; 0: the box was drawn as a path */
} LabelBlob;

typedef struct _LabelBlobs LabelBlobs;

LabelBlobs *label_blobs_new     (void);
void        label_blobs_free    (LabelBlobs *blobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelBlobs, label_blobs_free)

/* Row y, which is below all rows before: painted[0 … n - 1] is not 0 where the pixel x + i is. */
void        label_blobs_add_row (LabelBlobs *blobs, int x, int y, const guint8 *painted, int n);

/* Of LabelBlob, by their first pixel in reading order. Free with g_array_unref. */
GArray     *label_blobs_list    (LabelBlobs *blobs);
