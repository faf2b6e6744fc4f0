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
  FOVEA_LABELS_COCO, /* annotations.json; keeps segmentation, area and is_crowd of a box, and what it has more of everything; ids that are taken are exchanged */
  FOVEA_LABELS_YOLO, /* classes.txt or data.yaml, and labels/NAME.txt for the photo images/NAME.…; keeps the segmentation, as one polygon */
  FOVEA_LABELS_VOC,  /* Annotations/NAME.xml; keeps pose, is_truncated, is_difficult and is_occluded, and what it has more of photos and boxes */
} FoveaLabelFormat;

typedef struct
{
  char  *label;
  double score;               /* negative: none */
  double x, y, width, height; /* pixels of the photo, (0, 0) its top left corner */

  /* What not every format keeps. */
  char    *segmentation; /* the object's outline or mask; NULL: none */
  double   area;         /* that the file gives, pixels; negative: what the segmentation, or the box, has */
  char    *pose;         /* “Left”; NULL: none */
  gboolean is_crowd;     /* many objects, of which nobody has told one from the other */
  gboolean is_truncated, is_difficult, is_occluded;
  char    *more;         /* what else COCO says of it, a JSON object: id, keypoints, attributes …, or VOC, as its member voc; NULL: nothing */
} FoveaLabelBox;

typedef struct
{
  char   *file;          /* relative to the folder of photos; “/” between folders */
  int     width, height; /* pixels */
  GArray *boxes;         /* of FoveaLabelBox */
  char   *more;          /* likewise of the photo: id, license … */
} FoveaLabelPhoto;

typedef struct
{
  GPtrArray  *classes;    /* of char*, in the format's order; each box's label is among them */
  GPtrArray  *photos;     /* of FoveaLabelPhoto* */
  GHashTable *class_more; /* of some classes, by name: likewise, id, supercategory … */
  char       *more;       /* likewise of all of it: info, licenses … */
} FoveaLabels;

FoveaLabels     *fovea_labels_new        (void);
void             fovea_labels_free       (FoveaLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaLabels, fovea_labels_free)

gint             fovea_labels_find_class (const FoveaLabels *labels, const char *label); /* -1: none */
void             fovea_labels_add_class  (FoveaLabels *labels, const char *label);       /* nothing where it is there */
FoveaLabelPhoto *fovea_labels_add_photo  (FoveaLabels *labels, const char *file, int width, int height);
/* Valid until the photo's next. */
FoveaLabelBox   *fovea_labels_add_box    (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *label, double score, double x, double y, double width,
                                          double height);
void             fovea_label_box_clear   (FoveaLabelBox *box); /* frees what it holds */

/* What remains of FoveaLabelBox.more when the object is somewhere else: no keypoints. Free with g_free; NULL: nothing. */
char            *fovea_label_more_moved  (const char *more);

/* How large the photo of that path is, pixels. */
typedef gboolean (*FoveaReadSize) (const char *path, int *width, int *height, gpointer user_data, GError **error);

/* Reads labels from a file, or from a folder that is laid out as fovea_labels_write does it or as is usual. YOLO's files don't say how large photos are:
 * read_size is asked (other formats: may be NULL). NULL with FOVEA_ERROR_FILE, or with read_size's error. */
FoveaLabels     *fovea_labels_read       (const char *path, FoveaLabelFormat format, FoveaReadSize read_size, gpointer user_data, GError **error);

/* Writes labels into a folder, which is made where there is none. Each file is written beside its place, then renamed. Numbers have at most ten digits after the
 * point, and what is read and written again stays the same text. FALSE with FOVEA_ERROR_FILE, also for names that the format can't keep. */
gboolean         fovea_labels_write      (const FoveaLabels *labels, FoveaLabelFormat format, const char *folder, GError **error);

/* A segmentation is JSON as COCO has it: polygons, [[x, y, x, y, …], …], or the lengths of a mask's runs, {"size": [height, width], "counts": …}. */

/* FALSE: it is something else, or a mask of a photo of another size. */
gboolean         fovea_segmentation_is_sound     (const char *segmentation, int width, int height);

/* Of GArray of double: x, y, x, y …; of a mask, what surrounds its pixels and, the other way round, its holes. Free with g_ptr_array_unref; NULL: it isn't sound, or
 * memory is short. */
GPtrArray       *fovea_segmentation_get_polygons (const char *segmentation);

/* The same kind of segmentation (NULL: polygons) for other polygons and a photo of that size; a mask is what an odd number of them surrounds. Free with g_free; NULL:
 * memory is short. */
char            *fovea_segmentation_redraw       (const char *segmentation, const GPtrArray *polygons, int width, int height);

/* The name of a folder for photos of a class, whatever that is called; and back: a name that can't come from there stays as it is. Free with g_free. */
char            *fovea_label_to_folder   (const char *label);
char            *fovea_folder_to_label   (const char *name);

G_END_DECLS
