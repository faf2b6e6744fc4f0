/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * head.h: transfer learning: what a network knows stays, its last layer is exchanged.
 */
#pragma once

#include "model/model.h"

/* The last layer with weights on the way to an output, walking back through what has one input that matters; NULL: there is none. */
Node       *head_find_last_layer (const Graph *graph, guint output);

/* Its weights have a row for each of its answers. */
gboolean    head_has_rows (const Node *layer);

/* A copy of a classifier whose last fully connected layer or 1 x 1 convolution (or the layer `last_layer`, if it isn't NULL), and what follows it, is replaced by a
 * mean over the pixels (where there still are any) and a new linear layer to `n_classes` logits. input: the shape of a batch. *name (may be NULL) gets the new
 * layer's name, to be freed. NULL with FOVEA_ERROR_UNSUPPORTED where no such layer is found, FOVEA_ERROR_ARGUMENT where none has the name. */
FoveaModel *head_replace (FoveaModel *base, const char *last_layer, const FoveaShape *input, guint n_classes, guint64 seed, char **name, GError **error);

/* The layer that head_replace has put into `model` begins with what the base's last layer knows of the classes that stay. Both lists are NULL-terminated. Nothing
 * happens where the base's layer (last_layer: as above) isn't one of a row for each of `before`. */
void        head_keep_classes (FoveaModel *model, FoveaModel *base, const char *last_layer, const char *const *before, const char *const *classes);

/* A copy whose first input, four-dimensional, takes any batch, height and width. Whether its layers do, a session finds out. */
FoveaModel *head_open    (FoveaModel *model);

/* A copy that gives only the first `n` numbers of its last layer. NULL with FOVEA_ERROR_UNSUPPORTED where that isn't one of head_replace or of an
 * architecture. */
FoveaModel *head_narrow  (FoveaModel *model, guint n, GError **error);

/* The part of a model before its layer `name`, whose output is that layer's input: features. */
FoveaModel *head_cut     (FoveaModel *model, const char *name, GError **error);

/* The layer `name` alone: from its input, features of `n_features` each, to the output. */
FoveaModel *head_only    (FoveaModel *model, const char *name, gint64 n_features);

/* A copy of a model of head_only whose features come as they are, where it was trained on (features - mean) * scale. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *head_fold_scale (FoveaModel *head, const float *mean, const float *scale, GError **error);

/* A copy of `model` with all constants of `from` that have the name and shape of one of its own; *n (may be NULL) gets how many. */
FoveaModel *head_take_weights (FoveaModel *model, FoveaModel *from, guint *n);
