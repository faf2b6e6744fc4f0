/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-save-tool.c: onnx-save-tool FROM TO: loads a model and saves it again, for onnx_roundtrip.py.
 */

#include "fovea.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;

  if (argc != 3)
    return 2;
  model = fovea_model_load (argv[1], &error);
  if (model && fovea_model_save (model, argv[2], &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return error->code == FOVEA_ERROR_UNSUPPORTED ? 3 : 1;
}
