/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation-map.h: class activation maps (Zhou et al. 2016): where in its last feature map a network found a class.
 *
 * A network that averages a feature map over all places and then computes the scores linearly (or not at all) can be asked for the scores before
 * averaging: map[y][x] = sum over c of weight[class][c] * feature[c][y][x].
 */
#pragma once

#include "model/graph.h"

typedef struct
{
  Value       *features;   /* (1, C, H, W), in the graph that was searched */
  FoveaTensor *weights;    /* of the last layer; NULL: channel c is class c */
  gboolean     transposed; /* weights are (C, n) instead of (n, C) */
  gint64       kernel[2];  /* of the pooling, height and width; 0 where it takes the whole map whatever its size */
} ActivationMap;

/* Looks back from the scores for pooling over all places. NULL if the network isn't built that way. */
ActivationMap *activation_map_find (Value *scores);
void           activation_map_free (ActivationMap *map);

/* FALSE if features of that shape can't be mapped to n_classes. */
gboolean       activation_map_fits (const ActivationMap *map, const FoveaShape *shape, gsize n_classes);

/* To another size: bilinear, pixels' centres aligned, the border repeated. */
void           activation_map_enlarge (const float *in, int in_width, int in_height, float *out, int width, int height);

/* The box, in pixels of an input of width x height, around the place where the map is highest and all that is joined to it with at least `share` of that
 * height. FALSE if there is no such place: nothing in the map speaks for the class. */
gboolean       activation_map_find_box (const float *map, int map_width, int map_height, double share, int width, int height, float box[4]);

/* Computes the map of one class. */
void           activation_map_compute (const ActivationMap *map, const FoveaTensor *features, gsize index, float *out /* (H, W) */);
