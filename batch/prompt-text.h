/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt-text.h: what people write to say which thing in a photo they mean.
 */
#pragma once

#include "fovea.h"

/* A point: “120,80”, or “!120,80” where the thing isn't, in pixels. FALSE: it isn't one. */
gboolean prompt_text_read_point (const char *word, FoveaPromptPoint *point);

/* A prompt and what it is made of. */
typedef struct
{
  FoveaPrompt prompt;
  float      *region;
  GArray     *points; /* FoveaPromptPoint */
} PromptText;

/* Words with spaces between: points, and boxes “x,y,width,height” in one of which the thing lies, for a photo of that size. FALSE with FOVEA_ERROR_ARGUMENT for other
 * words. */
gboolean prompt_text_read       (const char *text, int width, int height, PromptText *read, GError **error);

/* The prompt is of the region and the points that are there now. */
void     prompt_text_join       (PromptText *read);
void     prompt_text_clear      (PromptText *read);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PromptText, prompt_text_clear)
