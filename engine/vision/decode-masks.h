/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-masks.h: what a network's maps say of each pixel of its input: from raw outputs to shares of 0 to 1, one mask a class. Pure functions.
 */
#pragma once

#include "fovea.h"

/* Masks of one size. */
typedef struct
{
  gsize    n;
  int      width, height;
  gsize   *classes; /* (n) which class each is */
  float   *shares;  /* (n, height, width), 0 to 1 */
} MaskStack;

void       mask_stack_free (MaskStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaskStack, mask_stack_free)

/* How the numbers of maps lie. */
typedef struct
{
  gsize  n; /* classes */
  int    width, height;
  gsize  class_stride, pixel_stride;
  float *values; /* to be freed with memory_free */
} MaskMaps;

/* TRUE for the families that decode_masks reads. */
gboolean   decode_masks_knows (const char *family);

/* Reads the maps of one photo. Of several classes those are kept that win at least one pixel in two thousand; the background (class 0 where it is called so) isn't one.
 * activation AUTO: what is usual in the family. NULL with FOVEA_ERROR_UNSUPPORTED (shapes that don't fit the family) or _MEMORY. */
MaskStack *decode_masks    (const FoveaSettings *settings, FoveaTensor *const *outputs, guint n_outputs, GError **error);

/* The same in two steps, for maps that are put together of several. */
gboolean   decode_masks_read        (const FoveaSettings *settings, FoveaTensor *const *outputs, guint n_outputs, MaskMaps *maps, GError **error);
MaskStack *decode_masks_of          (const FoveaSettings *settings, const MaskMaps *maps, GError **error);

/* TRUE: the numbers are those of classes. */
gboolean   decode_masks_are_indices (const FoveaSettings *settings);
