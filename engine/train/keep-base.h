/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keep-base.h: a share of what a network's weights were before it was trained on other photos, kept in what it becomes: halfway between both it knows most of the new
 * photos, and has forgotten least of all others (Wortsman et al. 2022, arXiv:2109.01903).
 */
#pragma once

#include "model/model.h"

typedef struct _KeepBase KeepBase;

/* base: as it is before any training, its weights float32. share: what is kept of it, above 0, at most 1. before, classes: what the last layers of the base and of the
 * trained network say, NULL-terminated; before may be NULL: nobody knows. n_outputs: those of the trained network that end in such a layer. */
KeepBase   *keep_base_new  (FoveaModel *base, double share, const char *const *before, const char *const *classes, guint n_outputs);
void        keep_base_free (KeepBase *keep);

/* A copy of the trained network with share * base + (1 - share) * trained for each constant that the base has under the same name and in the same shape; in last layers,
 * for the rows of classes that the base has. The rest is as it was trained, and so is what didn't change, to the bit. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *keep_base_mix  (const KeepBase *keep, FoveaModel *trained, GError **error);
