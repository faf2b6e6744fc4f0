/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * masks.h: what FoveaMasks is made of, for segmenter.c and mask.c.
 */
#pragma once

#include "vision/decode-masks.h"

struct _FoveaMasks
{
  int        photo_width, photo_height;
  MaskStack *stack;  /* over the whole photo */
  char     **labels; /* of the stack's masks */
  guint8    *guide;  /* (guide_height, guide_width, 3): the photo, made smaller */
  int        guide_width, guide_height;
};

/* A FoveaInput that only makes the photo smaller, to the guide's size. */
FoveaInput *masks_make_guide (const FoveaPhoto *photo, GError **error);

/* The rows of the photo go to the guide, and those that the network sees to its input (NULL: none). */
gboolean    masks_push_rows  (const FoveaPhoto *photo, FoveaInput *input, FoveaInput *guide, GCancellable *cancellable, GError **error);

/* TRUE: fovea_mask_sample wants the photo's colours. */
gboolean    mask_needs_photo (const FoveaMask *mask);

/* Masks of a photo; takes stack over, copies the rest. */
FoveaMasks *masks_new        (int photo_width, int photo_height, MaskStack *stack, const FoveaSettings *settings, const guint8 *guide, int guide_width,
                              int guide_height);
