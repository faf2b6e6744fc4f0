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
