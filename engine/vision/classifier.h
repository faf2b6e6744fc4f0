/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classifier.h: what a classifier is made of, for attention.c.
 */
#pragma once

#include "fovea.h"
#include "vision/activation-map.h"

struct _FoveaClassifier
{
  FoveaModel    *model;    /* the caller's, with the feature map as a further output where there is one */
  FoveaSettings *settings; /* labels fit the classes */
  FoveaSession  *session;
  guint          output;   /* which output of the session holds the scores */
  gsize          n_classes;
  float         *values;   /* (n_classes) */
  ActivationMap *map;      /* NULL: attention by occlusion */
  guint          map_output;    /* which output of the session is the feature map */
  guint          mapped_output; /* which output it explains */
};

/* Runs the network on what is in the session's input. `values` gets the raw output. */
gboolean classifier_run_session (FoveaClassifier *classifier, GCancellable *cancellable, GError **error);

/* Fills the session's input. FALSE with FOVEA_ERROR_ARGUMENT when the input was made for another network. */
gboolean classifier_write_input (FoveaClassifier *classifier, FoveaInput *input, GError **error);
