/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classifier.c: FoveaClassifier: a model, its settings and a session, ready to name photos.
 *
 * The session runs a copy of the model's graph that gives out the last feature map too, where there is one that explains the scores, so that
 * attention costs one run and no second session.
 */

#include "vision/classifier.h"

#include <glib/gi18n.h>

#include "base/memory.h"
#include "model/model.h"
#include "vision/decode-classes.h"
#include "vision/input.h"
#include "vision/settings.h"

/* ---- is it a classifier? ---------------------------------------------------------------------------------------------------------------- */

/* "is a detector (85 values for each of 3549 boxes): use Locate" */
static char *
describe (const FoveaSettings *settings, const FoveaPort *port)
{
  FoveaShape       shape = port->has_rank ? port->shape : (FoveaShape) { 0 };
  g_autofree char *text = shape_to_string (&shape);

  if (shape.n_dims == 3 && settings->task != FOVEA_TASK_SEGMENT && shape_is_known (&shape))
    return g_strdup_printf (_("is a detector (%d values for each of %d boxes): use Locate"), (int) MIN (shape.dims[1], shape.dims[2]),
                            (int) MIN (MAX (shape.dims[1], shape.dims[2]), G_MAXINT));
  if (settings->task == FOVEA_TASK_DETECT)
    return g_strdup (_("is a detector: use Locate"));
  if (settings->task == FOVEA_TASK_SEGMENT || (shape.n_dims == 4 && shape.dims[2] != 1 && shape.dims[3] != 1))
    return g_strdup_printf (_("makes masks (its output “%s” is %s): use Segment"), port->name, text);
  return g_strdup_printf (_("isn't a classifier (its output “%s” is %s): choose one that gives a score for each class"), port->name, text);
}

static gboolean
refuse (const FoveaModel *model, const char *reason, GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model “%s” %s."), fovea_model_get_name (model), reason);
  return FALSE;
}

/* What can be told before compiling. */
static gboolean
check_model (const FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  guint n_inputs = fovea_model_get_n_inputs (model);

  if (settings->task == FOVEA_TASK_DETECT || settings->task == FOVEA_TASK_SEGMENT)
    {
      g_autofree char *reason = describe (settings, fovea_model_get_output (model, 0));

      return refuse (model, reason, error);
    }
  if (n_inputs != 1)
    {
      g_autofree char *reason = g_strdup_printf ("has %u inputs, but a classifier has one, the photo", n_inputs);

      return refuse (model, reason, error);
    }
  return TRUE;
}

/* The output with the scores: the first that could be, or the first that the labels fit. */
static gboolean
choose_output (FoveaClassifier *classifier, guint n_outputs, GError **error)
{
  for (guint i = 0; i < n_outputs; i++)
    {
      gsize n = decode_classes_count (&fovea_session_get_output (classifier->session, i)->shape);

      if (n == 0 || (classifier->n_classes && n != classifier->settings->n_labels))
        continue;
      classifier->output = i;
      classifier->n_classes = n;
      if (n == classifier->settings->n_labels)
        break;
    }
  if (classifier->n_classes == 0)
    {
      FoveaPort        port = *fovea_model_get_output (classifier->model, 0);
      g_autofree char *reason = NULL;

      port.shape = fovea_session_get_output (classifier->session, 0)->shape;
      port.has_rank = TRUE;
      reason = describe (classifier->settings, &port);
      return refuse (classifier->model, reason, error);
    }
  return TRUE;
}

/* ---- making ----------------------------------------------------------------------------------------------------------------------------- */

/* A model of the same graph that gives the feature map behind the scores, too; sets map and map_output. The same model where there is none. */
static FoveaModel *
add_map (FoveaClassifier *classifier, FoveaModel *model)
{
  g_autoptr (Graph) graph = graph_copy (model_get_graph (model));

  for (guint i = 0; i < graph->outputs->len && !classifier->map; i++)
    {
      classifier->map = activation_map_find (g_ptr_array_index (graph->outputs, i));
      classifier->mapped_output = i;
    }
  if (!classifier->map || graph_is_output (graph, classifier->map->features))
    {
      g_clear_pointer (&classifier->map, activation_map_free);
      return fovea_model_ref (model);
    }
  classifier->map_output = graph->outputs->len;
  g_ptr_array_add (graph->outputs, classifier->map->features);
  return model_new_for_graph (g_steal_pointer (&graph), fovea_model_get_name (model));
}

/* Does the map explain the output that was chosen, and is it of the size that was expected? */
static gboolean
map_fits (const FoveaClassifier *classifier)
{
  const FoveaTensor *features = fovea_session_get_output (classifier->session, classifier->map_output);

  return classifier->mapped_output == classifier->output && activation_map_fits (classifier->map, &features->shape, classifier->n_classes);
}

static gboolean
make_session (FoveaClassifier *classifier, guint n_threads, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort *port = fovea_model_get_input (classifier->model, 0);
  FoveaShape       shape;

  if (!fovea_settings_get_input_shape (classifier->settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_shape (options, port->name, &shape);
  classifier->session = fovea_session_new (classifier->model, options, error);
  return classifier->session != NULL;
}

FoveaClassifier *
fovea_classifier_new (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error)
{
  g_autoptr (FoveaClassifier) classifier = g_new0 (FoveaClassifier, 1);

  classifier->settings = settings ? fovea_settings_copy (settings) : fovea_settings_read (model, error);
  if (!classifier->settings || !check_model (model, classifier->settings, error))
    return NULL;
  classifier->model = add_map (classifier, model);
  if (!make_session (classifier, n_threads, error) || !choose_output (classifier, fovea_model_get_n_outputs (model), error))
    return NULL;
  if (classifier->map && !map_fits (classifier))
    g_clear_pointer (&classifier->map, activation_map_free);
  decode_classes_fit_labels (classifier->settings, classifier->n_classes);
  classifier->values = memory_alloc_n (classifier->n_classes, sizeof *classifier->values, "the scores", error);
  return classifier->values ? g_steal_pointer (&classifier) : NULL;
}

void
fovea_classifier_free (FoveaClassifier *classifier)
{
  if (!classifier)
    return;
  g_clear_pointer (&classifier->session, fovea_session_free);
  g_clear_pointer (&classifier->map, activation_map_free);
  g_clear_pointer (&classifier->model, fovea_model_unref);
  fovea_settings_free (classifier->settings);
  memory_free (classifier->values);
  g_free (classifier);
}

/* ---- running ---------------------------------------------------------------------------------------------------------------------------- */

const FoveaSettings *
fovea_classifier_get_settings (const FoveaClassifier *classifier)
{
  return classifier->settings;
}

gboolean
classifier_write_input (FoveaClassifier *classifier, FoveaInput *input, GError **error)
{
  FoveaTensor *tensor = fovea_session_get_input (classifier->session, 0);

  if (!input_fits (input, tensor))
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The input was prepared for another network; prepare it with this one's settings.");
      return FALSE;
    }
  fovea_input_write (input, tensor);
  return TRUE;
}

gboolean
classifier_run_session (FoveaClassifier *classifier, GCancellable *cancellable, GError **error)
{
  if (!fovea_session_run (classifier->session, cancellable, NULL, NULL, error))
    return FALSE;
  tensor_read_float (fovea_session_get_output (classifier->session, classifier->output), 0, classifier->n_classes, classifier->values);
  return TRUE;
}

FoveaClasses *
fovea_classifier_run (FoveaClassifier *classifier, FoveaInput *input, GCancellable *cancellable, GError **error)
{
  if (!classifier_write_input (classifier, input, error) || !classifier_run_session (classifier, cancellable, error))
    return NULL;
  return decode_classes (classifier->settings, classifier->values, classifier->n_classes, error);
}
