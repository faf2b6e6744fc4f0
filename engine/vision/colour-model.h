/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour-model.h: which colours a thing has: a mixture of a few normal distributions in sRGB (as in Rother, Kolmogorov & Blake, "GrabCut", 2004). Always the
 * same for the same pixels.
 */
#pragma once

#include <glib.h>

#define COLOUR_MODEL_PARTS 5

typedef struct
{
  float mean[COLOUR_MODEL_PARTS][3], inverse[COLOUR_MODEL_PARTS][6]; /* of the covariance: rr rg rb gg gb bb */
  float constant[COLOUR_MODEL_PARTS];                                /* of each part's cost; G_MAXFLOAT: an empty part */
} ColourModel;

/* rgb: (n, 3); weights: (n), 0 or more: how much each pixel counts. FALSE where they sum to nothing: the model knows nothing then. */
gboolean colour_model_fit  (ColourModel *model, const guint8 *rgb, const float *weights, gsize n);

/* - log of the density of a colour, of channels 0 to 1. */
float    colour_model_cost (const ColourModel *model, const guint8 *rgb);
