/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-labels.h: files of labels, as other programs keep them. Knows nothing of models. A part of fovea.h, which is what others include.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define FOVEA_LABELS_LARGEST 1000000 /* pixels, of a photo's side and a box's */

typedef enum
{
  FOVEA_LABELS_COCO, /* annotations.json; polygons are read as the boxes around them */
  FOVEA_LABELS_YOLO, /* classes.txt or data.yaml, and labels/NAME.txt for the photo images/NAME.… */
  FOVEA_LABELS_VOC,  /* Annotations/NAME.xml */
} FoveaLabelFormat;

typedef struct
{
  char  *label;
  double score;               /* negative: none */
  double x, y, width, height; /* pixels of the photo, (0, 0) its top left corner */
} FoveaLabelBox;

typedef struct
{
  char   *file;          /* relative to the folder of photos; “/” between folders */
  int     width, height; /* pixels */
  GArray *boxes;         /* of FoveaLabelBox */
} FoveaLabelPhoto;

typedef struct
{
  GPtrArray *classes; /* of char*, in the format's order; each box's label is among them */
  GPtrArray *photos;  /* of FoveaLabelPhoto* */
} FoveaLabels;

FoveaLabels     *fovea_labels_new        (void);
void             fovea_labels_free       (FoveaLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaLabels, fovea_labels_free)

gint             fovea_labels_find_class (const FoveaLabels *labels, const char *label); /* -1: none */
void             fovea_labels_add_class  (FoveaLabels *labels, const char *label);       /* nothing where it is there */
FoveaLabelPhoto *fovea_labels_add_photo  (FoveaLabels *labels, const char *file, int width, int height);
void             fovea_labels_add_box    (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *label, double score, double x, double y, double width,
                                          double height);

/* How large the photo of that path is, pixels. */
typedef gboolean (*FoveaReadSize) (const char *path, int *width, int *height, gpointer user_data, GError **error);

/* Reads labels from a file, or from a folder that is laid out as fovea_labels_write does it or as is usual. YOLO's files don't say how large photos are:
 * read_size is asked (other formats: may be NULL). NULL with FOVEA_ERROR_FILE, or with read_size's error. */
FoveaLabels     *fovea_labels_read       (const char *path, FoveaLabelFormat format, FoveaReadSize read_size, gpointer user_data, GError **error);

/* Writes labels into a folder, which is made where there is none. Each file is written beside its place, then renamed. Numbers have at most ten digits after the
 * point, and what is read and written again stays the same text. FALSE with FOVEA_ERROR_FILE, also for names that the format can't keep. */
gboolean         fovea_labels_write      (const FoveaLabels *labels, FoveaLabelFormat format, const char *folder, GError **error);

/* The name of a folder for photos of a class, whatever that is called; and back: a name that can't come from there stays as it is. Free with g_free. */
char            *fovea_label_to_folder   (const char *label);
char            *fovea_folder_to_label   (const char *name);

G_END_DECLS
