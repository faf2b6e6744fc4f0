/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run.c: `fovea run`: any network on arrays from NumPy files, for comparing and for scripts.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "command.h"
#include "verbs.h"

static const CommandHelp help = {
  "run",
  "MODEL --input NAME=FILE.npy… --output-dir DIR",
  "Runs a network on arrays from NumPy files and writes what comes out, a file for\n"
  "each output, OUTPUT.npy. NAME= may be left out where the model has one input.\n"
  "Slashes and other characters that file names can't have become underscores.",
  "  fovea run net.onnx --input x=in.npy --output-dir out   writes out/y.npy\n"
  "  fovea run net.onnx --input in.npy --output-dir out --reference   by plain C\n",
};

/* Loads each --input and binds it; *tensors gets one for each input of the model. */
static gboolean
load_inputs (FoveaModel *model, char **inputs, FoveaSessionOptions *options, FoveaTensor **tensors, GError **error)
{
  guint n = fovea_model_get_n_inputs (model);

  for (; inputs && *inputs; inputs++)
    {
      const char      *equals = strchr (*inputs, '=');
      g_autofree char *name = equals ? g_strndup (*inputs, (gsize) (equals - *inputs)) : g_strdup (n == 1 ? fovea_model_get_input (model, 0)->name : "");
      guint            i = 0;

      while (i < n && strcmp (fovea_model_get_input (model, i)->name, name) != 0)
        i++;
      if (i == n)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The model has no input “%s”: `fovea info` lists its inputs.", name);
          return FALSE;
        }
      g_clear_pointer (&tensors[i], fovea_tensor_unref);
      tensors[i] = fovea_tensor_load_npy (equals ? equals + 1 : *inputs, error);
      if (!tensors[i])
        return FALSE;
      fovea_session_options_bind (options, name, tensors[i]);
    }
  for (guint i = 0; i < n; i++)
    if (!tensors[i])
      {
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Input “%s” is missing: give it with --input.", fovea_model_get_input (model, i)->name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
write_outputs (FoveaModel *model, FoveaSession *session, const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "Folder “%s” can't be made. Give another one.", folder);
      return FALSE;
    }
  for (guint i = 0; i < fovea_model_get_n_outputs (model); i++)
    {
      g_autofree char *name = g_strconcat (fovea_model_get_output (model, i)->name, ".npy", NULL), *path = NULL;

      g_strdelimit (name, "/\\", '_');
      if (*name == '.')
        *name = '_';
      path = g_build_filename (folder, name, NULL);
      if (!fovea_tensor_save_npy (fovea_session_get_output (session, i), path, error))
        return FALSE;
    }
  return TRUE;
}

/* The inputs into the session, which was compiled for their types and shapes. */
static gboolean
fill_inputs (FoveaModel *model, FoveaSession *session, FoveaTensor **tensors, GError **error)
{
  for (guint i = 0; i < fovea_model_get_n_inputs (model); i++)
    {
      FoveaTensor *input = fovea_session_get_input (session, i);

      if (input->type != tensors[i]->type || input->size != tensors[i]->size)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Input “%s” is of type %s, but the file holds %s.", fovea_model_get_input (model, i)->name,
                       fovea_type_name (input->type), fovea_type_name (tensors[i]->type));
          return FALSE;
        }
      if (input->size > 0)
        memcpy (input->data, tensors[i]->data, input->size);
    }
  return TRUE;
}

static gboolean
run_model (FoveaModel *model, char **inputs, FoveaSessionOptions *options, const char *folder, GError **error)
{
  guint                    n = fovea_model_get_n_inputs (model);
  g_autofree FoveaTensor **tensors = g_new0 (FoveaTensor *, n + 1);
  g_autoptr (FoveaSession) session = NULL;
  gboolean                 ok = load_inputs (model, inputs, options, tensors, error) && (session = fovea_session_new (model, options, error)) != NULL
                && fill_inputs (model, session, tensors, error) && fovea_session_run (session, NULL, NULL, NULL, error)
                && write_outputs (model, session, folder, error);

  for (guint i = 0; i < n; i++)
    fovea_tensor_unref (tensors[i]);
  return ok;
}

int
verb_run (int argc, char **argv)
{
  g_auto (GStrv)   inputs = NULL;
  g_autofree char *folder = NULL;
  gboolean         reference = FALSE;
  int              n_threads = 0, status;
  GOptionEntry     options[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, "The value of an input", "NAME=FILE.npy" },
    { "output-dir", 'o', 0, G_OPTION_ARG_FILENAME, &folder, "Where to write the outputs", "DIR" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "reference", 0, 0, G_OPTION_ARG_NONE, &reference, "Compute by the plain reference operators: slow, the meaning", NULL },
    { NULL },
  };
  g_autoptr (FoveaSessionOptions) session_options = NULL;
  g_autoptr (FoveaModel)          model = NULL;
  g_autoptr (GError)              error = NULL;

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (argc != 2)
    return command_usage (&help, FALSE, "Give one model.");
  if (!folder)
    return command_usage (&help, FALSE, "Say where to write with --output-dir.");
  if (n_threads < 0)
    return command_usage (&help, FALSE, "--threads must be 0 or more.");

  session_options = fovea_session_options_new ();
  fovea_session_options_set_threads (session_options, (guint) n_threads);
  fovea_session_options_set_reference (session_options, reference);
  model = command_load_model (argv[1], &error);
  if (!model || !run_model (model, inputs, session_options, folder, &error))
    return command_fail (FALSE, error);
  return COMMAND_OK;
}
