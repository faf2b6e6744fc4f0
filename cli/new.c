/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * new.c: `fovea new`: an untrained network.
 */

#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "new", "--arch NAME --output FILE",
  "Writes an untrained network as ONNX. The architecture is one of those that come along (--list), or a file that describes one, a block a line:\n"
  "conv OUT [K [S]], depthwise [K [S]], basic OUT [S], inverted OUT S E [K] [squeeze], max [K [S]], average [K [S]], up, name NAME, join NAME, add NAME,\n"
  "global, dropout P, linear OUT, project OUT [K], sigmoid, softmax, activation KIND. OUT may be the word classes; # begins a comment.",
  "  fovea new --list                                              the architectures that come along\n"
  "  fovea new --arch resnet18 --classes 5 --output resnet.onnx    a network for five classes\n"
  "  fovea new --arch my-network.txt --output mine.onnx            of a description of your own\n",
};

static int
list (void)
{
  g_auto (GStrv) names = fovea_list_architectures ();

  for (guint i = 0; names[i]; i += 2)
    g_print ("%-10s %s\n", names[i], names[i + 1]);
  return COMMAND_OK;
}

/* A photo of 224 pixels must come through: what a network shrinks to nothing is found here. */
static gboolean
try_out (FoveaModel *model, int channels, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { 1, channels, 224, 224 } };
  g_autoptr (FoveaSession)        session = NULL;

  fovea_session_options_set_shape (options, "image", &shape);
  session = fovea_session_new (model, options, error);
  return session != NULL;
}

int
verb_new (int argc, char **argv)
{
  g_autofree char *arch = NULL, *output = NULL;
  int              classes = 10, channels = 3, seed = 1, status;
  gboolean         lists = FALSE;
  GOptionEntry     entries[] = {
    { "arch", 0, 0, G_OPTION_ARG_FILENAME, &arch, "Name or file of the architecture", "NAME" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to write", "FILE" },
    { "classes", 0, 0, G_OPTION_ARG_INT, &classes, "What the word classes means (10)", "N" },
    { "channels", 0, 0, G_OPTION_ARG_INT, &channels, "Of the photos: 3, or 1 for gray (3)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Of the first weights (1)", "N" },
    { "list", 0, 0, G_OPTION_ARG_NONE, &lists, "List the architectures that come along", NULL },
    { NULL },
  };
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = NULL;

  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  if (lists)
    return list ();
  if (!arch || !output || argc > 1)
    return command_usage (&help, FALSE, "Give --arch and --output.");
  if (classes < 1 || classes > 10000 || (channels != 1 && channels != 3))
    return command_usage (&help, FALSE, "--classes must be from 1 to 10000, --channels 1 or 3.");
  model = fovea_model_new_untrained (arch, (guint) channels, (guint) classes, (guint64) seed, &error);
  if (!model || !try_out (model, channels, &error) || !fovea_model_save (model, output, &error))
    return command_fail (FALSE, error);
  return COMMAND_OK;
}
