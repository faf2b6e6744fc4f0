/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sam.h: networks in two files that segment what they are pointed at (Kirillov et al., “Segment Anything”, 2023, and its kin): an encoder turns the photo into features,
 * once; a decoder makes masks of these and of places, as often as somebody clicks.
 */
#pragma once

#include "vision/masks.h"

typedef struct _Sam Sam;

/* TRUE for the families of such pairs. */
gboolean             sam_knows        (const char *family);

/* Of either file: the other is the one that the settings name (“partner”), NAME.partner, or the one beside it whose name says decoder instead of encoder. */
Sam                 *sam_new          (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error);
void                 sam_free         (Sam *sam);

/* The path of the model's other file, or NULL with an error that says how to name it. */
char                *sam_find_partner (const FoveaModel *model, const FoveaSettings *settings, GError **error);

/* The encoder's. */
const FoveaSettings *sam_get_settings (const Sam *sam);

/* A mask over the whole photo. The photo's rows go to `guide`, too. A photo that was the last one isn't encoded again. */
MaskStack           *sam_run          (Sam *sam, const FoveaPhoto *photo, const FoveaPrompt *prompt, FoveaInput *guide, GCancellable *cancellable,
                                       FoveaProgress progress, gpointer user_data, GError **error);
