/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-paths.h: paths that show objects of a label group's classes: those that are named after a class, and those that Locate or an import made. On the main
 * thread.
 */
#pragma once

#include "label-layers.h"

typedef struct
{
  GimpPath *path;
  guint     class;
  double    x, y, width, height; /* what its strokes reach, pixels; as it was imported, to the last digit, where it hasn't been moved since */
  double    score;               /* that it was imported or found with; negative: none */
  gboolean  is_crowd;            /* many objects that nobody has told apart */
} LabelPath;

/* Of LabelPath, in the order of the image's paths. Free with g_array_unref. */
GArray  *label_paths_list     (const LabelLayers *labels);

/* All that is known of what the path shows, but for its label: as it was imported, or, where the path has been changed since, as it is now. */
void     label_paths_describe (const LabelPath *path, GimpImage *image, FoveaLabelBox *box);

/* Draws a box, or what surrounds the object, as a path of the class of that name, below the paths 0 … position - 1. FALSE with an error. */
gboolean label_paths_add      (GimpImage *image, const FoveaLabelBox *box, gint position, GError **error);

/* The text of an item's parasite, to be freed with g_free; NULL: it hasn't got it. */
char    *label_paths_read_text (GimpItem *item, const char *name);
