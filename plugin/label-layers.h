/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-layers.h: the label group of an image: a layer group with the parasite “fovea-labels” and, in it, layers whose painted pixels are examples of a class.
 * Each keeps its class in the parasite “fovea-label”; its name shows it. A layer that is renamed renames its class, but for the “#2” that GIMP appends and the
 * “copy” of a duplicate: several layers may show one class (for objects that touch). A group among them is one class with all layers in it: for whole images, its
 * example layers. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

#define LABEL_LAYERS_MOST    250  /* classes */
#define LABEL_LAYERS_OPACITY 50.0 /* per cent: of a group that is made */

typedef struct
{
  char      *name;
  char      *origin;     /* what it was called when it was made; NULL: nothing says so */
  guint8     rgb[3];
  gboolean   background; /* what is none of the others: 0 in mask files */
  GPtrArray *items;      /* of GimpItem*: the children of the group that stand for the class; at least one */
  GPtrArray *layers;     /* of GimpLayer*: those that hold its examples */
} LabelClass;

/* What was there when it was read: read again rather than keep it while the user works. */
typedef struct
{
  GimpImage  *image;
  GimpLayer  *group;
  FoveaTask   task;
  guint       n;
  LabelClass *classes; /* n, in the order of the layers, top first */
} LabelLayers;

void         label_layers_free (LabelLayers *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelLayers, label_layers_free)

/* The label group, wherever it lies in the layer tree, or NULL. */
GimpLayer   *label_layers_find (GimpImage *image);

/* The labels of an image. Changes nothing. NULL with an error in words for the user where there is no label group, or more classes than LABEL_LAYERS_MOST. */
LabelLayers *label_layers_read (GimpImage *image, GError **error);

/* The same after making the group where there is none, and layers for those of `classes` (NULL-terminated; NULL: none) that it hasn't. Layers that the user has
 * renamed or put there get their parasites. task FOVEA_TASK_UNKNOWN: as it was, segment at first. One undo step. */
LabelLayers *label_layers_make (GimpImage *image, FoveaTask task, const char *const *classes, GError **error);

/* The place of the class of that name; -1: none. */
gint         label_layers_index (const LabelLayers *labels, const char *name);

/* That of the class which a file or a path calls so: of that name, or but for space around it, or which was made under it and has been renamed; -1: none. */
gint         label_layers_recognize (const LabelLayers *labels, const char *name);

/* A further layer for class `index`, above nothing but the others of the class; NULL with an error. */
GimpLayer   *label_layers_add_layer (const LabelLayers *labels, guint index, GError **error);

/* FALSE with an error where the name is empty or another class has it. */
gboolean     label_layers_rename (const LabelLayers *labels, guint index, const char *name, GError **error);

/* With all its layers. One undo step. */
void         label_layers_remove (const LabelLayers *labels, guint index);

/* Makes the class's layer the one that is painted on, in its colour. */
void         label_layers_select (const LabelLayers *labels, guint index);

/* TRUE for the names that a class of what is left has. */
gboolean     label_layers_is_background_name (const char *name);
