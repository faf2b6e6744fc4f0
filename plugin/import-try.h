/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-try.h: what a model that isn't imported yet says of an open image, with the settings as they stand in the form: the decoded answer, and between what
 * bounds the raw numbers lie.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"

typedef struct _ImportTry ImportTry;

/* The file is the config's setting “file”. */
ImportTry *import_try_new        (GimpProcedureConfig *config);

/* Before the window goes: waits for what is under way. */
void       import_try_free       (ImportTry *try);

GtkWidget *import_try_get_widget (const ImportTry *try);

/* Looks at the image, or looks anew; settings are copied. */
void       import_try_start      (ImportTry *try, GimpImage *image, const FoveaSettings *settings);

/* Shows nothing any more. */
void       import_try_clear      (ImportTry *try);

/* TRUE: there is an answer, or one is on its way. */
gboolean   import_try_is_on      (const ImportTry *try);

/* What came of the sample that the model's makers give, a sentence (see fovea_model_try_sample); NULL: there is none. In any thread. Free with g_free. */
char      *import_try_sample     (FoveaModel *model, const FoveaSettings *settings, GCancellable *cancellable);
