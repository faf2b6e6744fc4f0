/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-answer.h: what a model of any task says of a photo, as the filter of its task would find it, and in words. No GIMP.
 */
#pragma once

#include "fovea.h"

typedef struct
{
  FoveaTask     task;    /* which says what of the rest is there */
  FoveaClasses *classes;
  FoveaObjects *objects;
  FoveaMasks   *masks;
  FoveaMask    *mask;    /* all of them in one; NULL: there are none */
} ModelAnswer;

/* In any thread. settings NULL: the model's own. A network that must be pointed at is pointed at the middle. */
ModelAnswer *model_answer_new  (FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress,
                                gpointer progress_data, GError **error);
void         model_answer_free (ModelAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ModelAnswer, model_answer_free)

/* The first names, scores, and the share of the photo that a mask has; "": nothing was found. Free with g_free. */
char        *model_answer_tell (const ModelAnswer *answer);

/* The photo, as the network sees it: all rows pushed. */
FoveaInput  *model_answer_read (const FoveaSettings *settings, const FoveaPhoto *photo, GError **error);
