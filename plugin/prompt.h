/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt.h: what the user pointed at in the image: its selection, its path, or points. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "prompt-text.h"

/* The words of the setting “prompt”, NULL-terminated. */
typedef enum { PROMPT_NONE, PROMPT_SELECTION, PROMPT_PATH, PROMPT_POINTS } PromptKind;

extern const char *const prompt_kinds[];

/* For a photo that is the part `region` of the image. SELECTION: the thing lies in the selection. PATH: inside the chosen paths' closed strokes, or along their open
 * ones. POINTS: where `points` says: "x,y" in the image's pixels with spaces between, "!x,y" for places that don't belong to it; empty: on the image's sample
 * points. FALSE with an error in words for the user where nothing is there. */
gboolean prompt_read (PromptKind kind, GimpImage *image, const char *points, const GeglRectangle *region, PromptText *prompt, GError **error);

/* The points that such a string says; FALSE with an error where it isn't one. */
gboolean prompt_parse_points (const char *text, GArray *points, GError **error);
