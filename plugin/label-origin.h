/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-origin.h: what a file of labels that was imported says beside the labels themselves (of the photo, its classes, and all of it: ids, licences …): the image
 * keeps it in a parasite until it is exported again. What is said of an object its path keeps. On the main thread.
 */
#pragma once

#include "label-layers.h"

/* Nothing where the file says nothing more. */
void label_origin_keep    (GimpImage *image, const FoveaLabels *labels, const FoveaLabelPhoto *photo);

/* Of an image's labels to the photo, to the classes, also those that have been renamed since, and to what no other image has said something of before. */
void label_origin_restore (const LabelLayers *layers, FoveaLabels *labels, FoveaLabelPhoto *photo);
