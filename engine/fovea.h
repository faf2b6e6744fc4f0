/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea.h: the public face of the Fovea engine. It loads ONNX models, compiles them for given input shapes and runs them on the processor; on
 * top of that it prepares photos for networks and reads their answers. GLib types and GError throughout; no global state.
 *
 * The straight line from a file to an answer:
 *
 *   g_autoptr (FoveaModel) model = fovea_model_load ("squeezenet.onnx", &error);
 *   g_autoptr (FoveaSession) session = fovea_session_new (model, NULL, &error);
 *   FoveaTensor *in = fovea_session_get_input (session, 0);        … fill in->data …
 *   fovea_session_run (session, cancellable, NULL, NULL, &error);
 *   FoveaTensor *out = fovea_session_get_output (session, 0);      … read out->data …
 *
 * and from a photo to names:
 *
 *   g_autoptr (FoveaClassifier) classifier = fovea_classifier_new (model, NULL, 0, &error);
 *   g_autoptr (FoveaInput) input = fovea_input_new (fovea_classifier_get_settings (classifier), width, height, &error);
 *   for each band of rows: fovea_input_push (input, rgb, stride, n_rows);
 *   g_autoptr (FoveaClasses) classes = fovea_classifier_run (classifier, input, cancellable, &error);
 *
 * and to objects with boxes:
 *
 *   g_autoptr (FoveaLocator) locator = fovea_locator_new (model, NULL, 0, &error);
 *   FoveaPhoto photo = { width, height, read_pixels, my_photo };
 *   g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, &photo, 1, FALSE, cancellable, NULL, NULL, &error);
 *   g_autoptr (FoveaObjects) objects = fovea_candidates_select (candidates, NULL, &error);
 *
 * Threads: a model may be used from any number of threads at once; a session, a classifier or an input by one at a time. Different sessions
 * of one model may run at the same time.
 */
#pragma once

#include "fovea-model.h"     /* errors, tensors, model files */
#include "fovea-settings.h"  /* what input and output mean */
#include "fovea-session.h"   /* running */
#include "fovea-vision.h"    /* photos, classify, locate, segment */
#include "fovea-train.h"     /* learning */
#include "fovea-labels.h"    /* label files of other programs */
#include "fovea-store.h"     /* installed models */
