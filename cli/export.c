/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * export.c: `fovea export`: a model for other programs.
 */

#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "export", "MODEL --output FILE",
  "Writes the model as a plain ONNX file for other programs: it takes samples of 0 to 255 as they are in photos, (batch, channels, height, width) for most, and answers\n"
  "with shares of 1, so that nothing of what Fovea knows about it is needed. Names and settings stay inside; Fovea reads it to the same answers.",
  "  fovea export flowers.onnx --output plain.onnx                 for ONNX Runtime, OpenCV, a telephone\n",
};

int
verb_export (int argc, char **argv)
{
  g_autofree char       *output = NULL;
  int                    status;
  GOptionEntry           entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to write", "FILE" },
    { NULL },
  };
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = NULL, plain = NULL;

  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  if (!output || argc != 2)
    return command_usage (&help, FALSE, "Give a model and --output.");
  model = command_load_model (argv[1], &error);
  plain = model ? fovea_model_make_plain (model, &error) : NULL;
  return plain && fovea_model_save (plain, output, &error) ? COMMAND_OK : command_fail (FALSE, error);
}
