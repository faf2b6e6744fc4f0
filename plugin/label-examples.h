/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-examples.h: what label layers show: which pixels are examples of which class, how many there are, and what is missing. Painted is what is at least half
 * opaque. A pixel that is painted in two classes is contradictory and counts for none. Layers are read from copies that GIMP makes at once, so that they may change
 * or go meanwhile. On the main thread.
 */
#pragma once

#include "label-blobs.h"
#include "label-layers.h"

#define LABEL_NONE          0   /* nothing painted: not known */
#define LABEL_CONTRADICTION 255 /* painted in two classes */

/* (height, width): 1 + the class's place in `labels`, LABEL_NONE or LABEL_CONTRADICTION, for a raster of that size over the whole canvas. Where a cell of the
 * raster is larger than a pixel it has the class of most of its painted pixels: thin strokes stay. Free with g_free. NULL with an error where memory is short. */
guint8 *label_examples_draw (const LabelLayers *labels, int width, int height, GError **error);

/* The same raster where only a part of the canvas was painted on since `before` was drawn, which stays as it is. */
guint8 *label_examples_draw_again (const LabelLayers *labels, const GeglRectangle *area, const guint8 *before, int width, int height, GError **error);

typedef struct
{
  guint64 pixels;  /* on the canvas, contradictory ones left out */
  guint64 outside; /* painted outside of the canvas, where there is no photo */
  GArray *objects; /* of LabelBlob, cut to the canvas: one for each blob of each layer, and each path that is named after the class, crowds left out */
  guint   layers;  /* that hold examples; for whole images, their number */
} LabelCount;

typedef struct
{
  guint       n;
  LabelCount *classes;        /* n, like LabelLayers' */
  guint64     contradictions; /* pixels */
} LabelCounts;

void         label_counts_free    (LabelCounts *counts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelCounts, label_counts_free)

LabelCounts *label_examples_count (const LabelLayers *labels, GError **error);

/* The same a band at a time, for windows. */
typedef struct _LabelCounter LabelCounter;

LabelCounter *label_counter_new    (const LabelLayers *labels, GError **error);
void          label_counter_free   (LabelCounter *counter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelCounter, label_counter_free)

/* FALSE when all has been read. */
gboolean      label_counter_step   (LabelCounter *counter);
LabelCounts  *label_counter_finish (LabelCounter *counter);

/* Whether there is enough to train with; otherwise, and for what is doubtful, sentences for the user that say what to do. Free with g_strfreev; empty: nothing is
 * missing. */
char        **label_counts_advise  (const LabelCounts *counts, const LabelLayers *labels);
