/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * architecture.h: from a few lines of text to an untrained network.
 *
 * A description has one block a line, words with spaces between, # for comments. `x` is the tensor so far; it begins as the photo.
 *
 *   activation KIND         of the blocks below: relu (at first), relu6, leaky, silu, hardswish, none
 *   conv OUT [K [S]]        convolution K x K (3) of stride S (1) without bias, batch normalization, activation
 *   depthwise [K [S]]       the same, channel by channel
 *   basic OUT [S]           residual block of two 3 x 3 convolutions (He et al. 2016, arXiv:1512.03385)
 *   inverted OUT S E [K] [squeeze]
 *                           1 x 1 to E times the channels, depthwise K x K (3), 1 x 1 back without activation, a residual where it fits
 *                           (Sandler et al. 2018, arXiv:1801.04381); squeeze: with squeeze-and-excitation (Hu et al. 2018, arXiv:1709.01507)
 *   max [K [S]]             max pooling (2, 2);  average [K [S]]  likewise
 *   up                      twice the size, linear between pixels
 *   name NAME               the tensor so far gets a name, for heads and for `join`
 *   join NAME               concatenation with a named tensor of the same size;  add NAME  the sum, where the channels are equal
 *   global                  mean over all pixels, flattened;  dropout P  leaves out a share of P in training only
 *   linear OUT              fully connected;  project OUT [K]  convolution with bias and without anything after it. OUT may be `classes`
 *   from NAME               goes on from a named tensor
 *   detect NAME             for each pixel, a cell, four distances to the sides of a box and a score for each class (loss-boxes.h): an output of that name;
 *                           a network for boxes has one or several of these and no other output
 *   sigmoid, softmax        of the channels
 */
#pragma once

#include "fovea.h"

typedef struct
{
  guint   channels;  /* of the input: 3, or 1; height and width stay open */
  guint   n_classes; /* what `classes` means */
  guint64 seed;
} ArchitectureSettings;

/* NULL with FOVEA_ERROR_ARGUMENT that names the line. `name` is the model's. */
FoveaModel *architecture_build (const char *text, const char *name, const ArchitectureSettings *settings, GError **error);

/* The descriptions that come along: name and text, the last is NULL; the first line of each says what it is for. */
typedef struct
{
  const char *name;
  const char *text;
} Architecture;

extern const Architecture architectures[];
