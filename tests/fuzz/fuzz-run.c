/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-run.c: any bytes as a model file, compiled and run, as it is and by the reference operators. Memory is limited, and so is time, from step to
 * step: what is looked for are crashes, not slow networks (run it with -fork=1 -ignore_timeouts=1).
 */

#include <string.h>

#include "fovea.h"

#define MEMORY_LIMIT (16 << 20)
#define TIME_LIMIT (G_USEC_PER_SEC / 2)

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

typedef struct
{
  GCancellable *cancellable;
  gint64        end;
} Clock;

static void
look_at_clock (double fraction, gpointer user_data)
{
  Clock *clock = user_data;

  g_assert_true (fraction >= 0 && fraction <= 1);
  if (g_get_monotonic_time () > clock->end)
    g_cancellable_cancel (clock->cancellable);
}

static void
run (FoveaModel *model, gboolean reference)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaSession) session = NULL;
  Clock clock = { cancellable, g_get_monotonic_time () + TIME_LIMIT };

  fovea_session_options_set_threads (options, 1);
  fovea_session_options_set_reference (options, reference);
  fovea_session_options_set_memory_limit (options, MEMORY_LIMIT);
  session = fovea_session_new (model, options, &error);
  g_assert_true ((session == NULL) == (error != NULL));
  if (!session)
    return;

  for (guint i = 0; i < fovea_model_get_n_inputs (model); i++)
    {
      FoveaTensor *in = fovea_session_get_input (session, i);

      for (gsize j = 0; j < in->size; j++)
        ((guint8 *) in->data)[j] = in->type == FOVEA_TYPE_BOOL ? j % 2 : (guint8) (j * 37 + i);
    }
  if (fovea_session_run (session, cancellable, look_at_clock, &clock, &error))
    for (guint i = 0; i < fovea_model_get_n_outputs (model); i++)
      {
        const FoveaTensor *out = fovea_session_get_output (session, i);
        guint8 sum = 0;

        /* Reads all of it. */
        for (gsize j = 0; j < out->size; j++)
          sum ^= ((const guint8 *) out->data)[j];
        g_assert_cmpuint (sum, <=, 255);
      }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (FoveaModel) model = fovea_model_load_bytes (bytes, "fuzz", NULL);

  if (model)
    {
      run (model, FALSE);
      run (model, TRUE);
    }
  return 0;
}
