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
  MaskStack *objects; /* one mask an object, over the whole photo; NULL: the network doesn't tell objects apart */
  guint8    *guide;  /* (guide_height, guide_width, 3): the photo, made smaller */
  int        guide_width, guide_height;
  guint      n_threads; /* that make masks of it; 0: one per processor */
};

#define GUIDE_SIDE 1024 /* the longer side of the guide; of masks with more pixels up to twice that */

/* A FoveaInput that only makes the photo smaller, to the guide's size: `side` pixels along its longer side, or as many as the photo has. */
FoveaInput *masks_make_guide (const FoveaPhoto *photo, int side, GError **error);

/* The rows of the photo go to the guide, and those that the network sees to its input (NULL: none): each on a thread of the session's (NULL: one after the other). */
gboolean    masks_push_rows  (const FoveaPhoto *photo, FoveaInput *input, FoveaInput *guide, FoveaSession *session, GCancellable *cancellable, GError **error);

/* TRUE: fovea_mask_sample wants the photo's colours. */
gboolean    mask_needs_photo (const FoveaMask *mask);

/* From the network's input to the photo: what of the maps lies over the photo. Takes stack over. */
MaskStack  *masks_place      (MaskStack *stack, const FoveaSettings *settings, const FoveaInput *input, const FoveaPhoto *photo, GError **error);

/* What the prompt covers, in pixels of the photo: left, top, right, bottom of its region, or of its points. FALSE with FOVEA_ERROR_ARGUMENT: nothing. */
gboolean    prompt_find_cover (const FoveaPrompt *prompt, const FoveaPhoto *photo, double cover[4], GError **error);

/* fovea_segmenter_run_prompt with networks that weren't made for it. */
FoveaMasks *prompt_run       (FoveaSegmenter *segmenter, const FoveaPhoto *photo, const FoveaPrompt *prompt, GCancellable *cancellable, FoveaProgress progress,
                              gpointer user_data, GError **error);

/* As many threads as the segmenter was made for; 0: one per processor. */
guint       segmenter_get_threads (const FoveaSegmenter *segmenter);

/* Masks of a photo; takes stack over, copies the rest. */
FoveaMasks *masks_new        (int photo_width, int photo_height, MaskStack *stack, const FoveaSettings *settings, const guint8 *guide, int guide_width,
                              int guide_height, guint n_threads);
