/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classify.h: the procedure plug-in-fovea-classify, and what its dialog shares with it.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

#define CLASSIFY_PROCEDURE "plug-in-fovea-classify"

/* An answer and what it was made of. */
typedef struct
{
  FoveaModel      *model;
  FoveaClassifier *classifier;
  FoveaInput      *input;
  FoveaClasses    *classes;
  GeglRectangle    seen;      /* the part of the image that the network saw, in the image's pixels */
  FoveaTensor     *attention; /* where it looked for the first class; NULL until classify_attend */
  const char      *method;    /* how that was found */
} Classification;

void           classification_clear (Classification *classification);

GimpProcedure *classify_create_procedure (GimpPlugIn *plug_in);

/* Shows the dialog. TRUE with the answer when the user pressed OK; FALSE when it was cancelled. */
gboolean       classify_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables,
                                    Classification *classification, GError **error);

/* Loads the model that the setting names ("": the first one installed that classifies). Takes no GIMP call: may run in any thread. */
gboolean       classify_load        (const char *name, Classification *classification, GError **error);

/* Finds where the network looked for the best class. Any thread. `progress` is called from that thread. */
gboolean       classify_attend     (Classification *classification, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);
