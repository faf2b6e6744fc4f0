/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mix.h: photos of a batch that are mixed two by two, each with the next, and their labels in the same shares: laid over one another (mixup: Zhang et al. 2018,
 * arXiv:1710.09412), or with a rectangle of each cut out and put into the other (CutMix: Yun et al. 2019, arXiv:1905.04899). An odd last one stays as it is.
 */
#pragma once

#include "train/dataset.h"
#include "train/random.h"

#define MIX_STREAM 0x314c /* of random numbers: that and the epoch, then the batch */

/* Whether anything is to be mixed: photos of whole images, where the settings say so. */
gboolean mix_is_wanted (const FoveaAugmentation *settings, const Dataset *dataset);

/* One kind, or none, for the whole batch, as chance has it. input: (n, size), planes of side x side pixels; with side 0 features, of which no rectangle can be cut.
 * targets: (n, classes). known: (n, classes), 0 where it isn't known whether a photo shows a tag, which isn't known of a mixture with it either; NULL: all is known. */
void     mix_batch     (const FoveaAugmentation *settings, Random *random, float *input, gsize n, gsize size, gsize side, float *targets, float *known, gsize classes);
