/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c: the `fovea` command: finds the verb and hands over. Hidden options serve the build and the shell: --man prints the man page, --list-verbs
 * and --list-models what completion offers.
 */

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "fovea.h"
#include "verbs.h"

static const struct
{
  const char *name;
  int       (*run) (int argc, char **argv);
  const char *summary;
} verbs[] = {
  { "info", verb_info, "What a model is made of: layers, sizes, task, settings" },
  { "classify", verb_classify, "Names for what is in photos" },
  { "locate", verb_locate, "Boxes around the things in photos" },
  { "segment", verb_segment, "Masks of what is in photos" },
  { "train", verb_train, "From labelled photos to a model" },
  { "augment", verb_augment, "What training shows a network, as a contact sheet" },
  { "evaluate", verb_evaluate, "How good a model's answers are on labelled photos" },
  { "export", verb_export, "A plain file for other programs" },
  { "new", verb_new, "An untrained network" },
  { "import", verb_import, "Make a model file one of yours, with its settings" },
  { "run", verb_run, "Any network on arrays from NumPy files" },
  { "bench", verb_bench, "How fast a network runs on this machine" },
  { "self-test", verb_self_test, "Does Fovea compute rightly on this machine?" },
  { "conformance", verb_conformance, "ONNX's own test cases, run by this engine" },
};

static const char *const description =
  "Fovea names what is in photos, with neural networks from ONNX files, on this\n"
  "machine.\n"
  "\n"
  "MODEL is an ONNX file or the name of an installed model. With --json a verb\n"
  "prints one JSON object and nothing else. The exit status is 0, 1 when something\n"
  "failed, 2 for wrong usage.\n";

static const char *const environment =
  "FOVEA_MODELS_PATH  more folders with models, colons between, searched first\n"
  "FOVEA_ISA          the instruction set: reference, sse2, avx2, avx512, neon\n"
  "FOVEA_PASSES       passes of the compiler to leave out: -fold-batch-norm,…\n";

static void
print_help (void)
{
  g_print ("Usage: fovea VERB [OPTION…] MODEL …\n\n%s\nVerbs:\n", description);
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_print ("  %-12s %s\n", verbs[i].name, verbs[i].summary);
  g_print ("\nfovea VERB --help says more about a verb.\n\nEnvironment:\n%s", environment);
}

/* The same words as --help, in troff; each verb adds its own section. */
static void
print_man (void)
{
  g_print (".TH FOVEA 1 \"\" \"Fovea %s\" \"User commands\"\n.SH NAME\nfovea \\- name what is in photos\n"
           ".SH SYNOPSIS\n.B fovea\n.I verb\n.RI [ option \\&... ]\n.I model\n\\&...\n.SH DESCRIPTION\n", fovea_get_version ());
  command_print_troff (description);
  g_print (".SH VERBS\n");
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      char *argv[] = { (char *) verbs[i].name, (char *) "--man", NULL };

      verbs[i].run (2, argv);
    }
  g_print (".SH ENVIRONMENT\n.nf\n");
  command_print_troff (environment);
  g_print (".fi\n");
}

static void
list_verbs (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_print ("%s\n", verbs[i].name);
}

static void
list_models (void)
{
  g_auto (GStrv) models = fovea_list_models ();

  for (char **model = models; *model; model++)
    g_print ("%s\n", *model);
}

static void
print_version (void)
{
  g_print ("fovea %s (%s)\n", fovea_get_version (), fovea_get_isa ());
}

static const struct
{
  const char *name;
  void      (*run) (void);
} actions[] = {
  { "--help", print_help },
  { "-h", print_help },
  { "help", print_help },
  { "--version", print_version },
  { "--man", print_man },
  { "--list-verbs", list_verbs },
  { "--list-models", list_models },
};

/* How many letters must change to make b of a (Levenshtein); words are short. */
static guint
edit_distance (const char *a, const char *b)
{
  gsize             n_b = strlen (b);
  g_autofree guint *row = g_new (guint, n_b + 1);

  for (gsize j = 0; j <= n_b; j++)
    row[j] = j;
  for (gsize i = 0; a[i]; i++)
    {
      guint diagonal = row[0];

      row[0] = i + 1;
      for (gsize j = 0; j < n_b; j++)
        {
          guint changed = diagonal + (a[i] != b[j]);

          diagonal = row[j + 1];
          row[j + 1] = MIN (changed, MIN (row[j], row[j + 1]) + 1);
        }
    }
  return row[n_b];
}

static int
unknown_verb (const char *word, gboolean json)
{
  guint            best_distance = 3; /* farther words aren't meant */
  const char      *best = NULL;
  g_autofree char *message = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      guint distance = g_str_has_prefix (verbs[i].name, word) ? 0 : edit_distance (word, verbs[i].name);

      if (distance < best_distance)
        {
          best_distance = distance;
          best = verbs[i].name;
        }
    }
  message = g_strdup_printf (best ? "There is no verb “%s”. Did you mean “%s”?" : "There is no verb “%s”.", word, best);
  command_warn ("%s\nfovea --help lists the verbs.", message);
  if (json)
    command_print_error (message);
  return COMMAND_USAGE;
}

/* The verb's exit status, unless what it printed is lost. */
static int
end_output (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  command_warn ("The answer can't be written to standard output: it is closed, or its disk is full.");
  return COMMAND_FAILED;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  if (argc < 2)
    {
      g_printerr ("fovea: Say what to do: fovea VERB …; fovea --help lists the verbs.\n");
      return COMMAND_USAGE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (strcmp (argv[1], actions[i].name) == 0)
      {
        actions[i].run ();
        return end_output (COMMAND_OK);
      }
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strcmp (argv[1], verbs[i].name) == 0)
      return end_output (verbs[i].run (argc - 1, argv + 1));
  return end_output (unknown_verb (argv[1], g_strv_contains ((const char *const *) argv + 1, "--json")));
}
