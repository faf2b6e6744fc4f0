/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-load.c: any bytes as a model file. Whatever loads must copy, and survive being written and read again.
 */

#include <stdlib.h>
#include <unistd.h>

#include "model/model.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static char *written;

static void
remove_written (void)
{
  unlink (written);
}

static void
write_and_read (FoveaModel *model)
{
  g_autoptr (FoveaModel) again = NULL;
  g_autoptr (GError) error = NULL;

  if (!written)
    {
      written = g_strdup_printf ("/tmp/fuzz-load-%d.onnx", getpid ());
      atexit (remove_written);
    }
  if (!fovea_model_save (model, written, &error))
    g_error ("%s", error->message);
  again = fovea_model_load (written, &error);
  if (!again)
    g_error ("%s", error->message);
  g_assert_cmpuint (model_get_graph (model)->nodes->len, ==, model_get_graph (again)->nodes->len);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = fovea_model_load_bytes (bytes, "fuzz", &error);

  g_assert_true ((model == NULL) == (error != NULL));
  if (model)
    {
      g_autoptr (Graph) copy = graph_copy (model_get_graph (model));

      g_assert_cmpuint (copy->nodes->len, ==, model_get_graph (model)->nodes->len);
      write_and_read (model);
    }
  return 0;
}
