/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea.c: our own engine in the harness.
 */

#include "fovea.h"

#include "harness.h"

static void
run (void *session)
{
  fovea_session_run ((FoveaSession *) session, NULL, NULL, NULL, NULL);
}

int
main (int argc, char **argv)
{
  Harness                         harness = harness_begin (argc, argv);
  g_autofree char                *path = g_strconcat (harness.model, ".onnx", NULL);
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaModel)          model = NULL;
  g_autoptr (FoveaSession)        session = NULL;
  g_autoptr (GError)              error = NULL;
  FoveaShape                      shape = { .n_dims = 4 };
  double                          loaded, first;

  fovea_session_options_set_threads (options, (guint) harness.threads);
  for (int i = 0; i < 4; i++)
    shape.dims[i] = harness.shape[i];
  model = fovea_model_load (path, &error);
  if (model)
    {
      fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
      session = fovea_session_new (model, options, &error);
    }
  if (!session)
    harness_fail (error->message);
  if (fovea_session_get_input (session, 0)->size != (gsize) harness.count * sizeof (float))
    harness_fail ("the network's input has another size than SHAPE");

  memcpy (fovea_session_get_input (session, 0)->data, harness.input, (gsize) harness.count * sizeof (float));
  loaded = now_ms ();
  run (session);
  first = now_ms ();
  for (guint i = 0; i < fovea_model_get_n_outputs (model); i++)
    {
      const FoveaTensor *output = fovea_session_get_output (session, i);

      harness_output (&harness, output->data, output->size / sizeof (float));
    }
  return harness_serve (&harness, loaded - harness.started, first - loaded, run, session);
}
