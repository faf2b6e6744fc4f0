/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * command.c: what all verbs share; see command.h. Two hidden options serve the build and the shell: `fovea VERB --man` prints the verb's section
 * of the man page, `fovea VERB --list-options` its options, one a line.
 */

#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"
#define STOPPED    "Stopped before the end."

const char *const command_stopped = STOPPED;

/* What a signal changes: the process has one standard output. */
static volatile sig_atomic_t has_begun, is_stopped;

void
command_print_error (const char *message)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  command_add_string (builder, "error", message);
  json_builder_end_object (builder);
  command_print_json (builder);
}

void
command_print_troff (const char *text)
{
  for (const char *line = text; *line;)
    {
      const char *end = strchrnul (line, '\n');

      if (line == end)
        g_print (".PP");
      else if (*line == '.' || *line == '\'')
        g_print ("\\&");
      for (; line < end; line++)
        if (*line == '\\')
          g_print ("\\e");
        else if (*line == '-')
          g_print ("\\-");
        else
          putchar (*line);
      g_print ("\n");
      if (*line)
        line++;
    }
}

static void
print_man_section (const CommandHelp *help, const GOptionEntry *options)
{
  g_print (".SS fovea %s\n.B fovea %s\n.RI [ option \\&... ]\n", help->name, help->name);
  command_print_troff (help->arguments);
  g_print (".PP\n");
  command_print_troff (help->description);
  for (const GOptionEntry *option = options; option->long_name; option++)
    {
      if (option->flags & G_OPTION_FLAG_HIDDEN)
        continue;
      g_print (".TP\n.B ");
      if (option->short_name)
        g_print ("\\-%c, ", option->short_name);
      g_print ("\\-\\-");
      command_print_troff (option->long_name);
      if (option->arg_description)
        {
          g_print (".I ");
          command_print_troff (option->arg_description);
        }
      g_print (".br\n");
      command_print_troff (option->description);
    }
  g_print (".PP\n.nf\n");
  command_print_troff (help->examples);
  g_print (".fi\n");
}

static void
print_option_names (const GOptionEntry *options)
{
  for (const GOptionEntry *option = options; option->long_name; option++)
    if (!(option->flags & G_OPTION_FLAG_HIDDEN))
      g_print ("--%s\n", option->long_name);
  g_print ("--help\n");
}

/* Only what a signal handler may do. */
static void
stop (int signal)
{
  static const char object[] = "{\n  \"error\" : \"" STOPPED "\"\n}\n", words[] = "\nfovea: " STOPPED "\n";
  const gboolean    again = is_stopped;

  is_stopped = TRUE;
  if (has_begun && !again)
    return;
  (void) !write (STDERR_FILENO, words, sizeof words - 1);
  if (!has_begun)
    (void) !write (STDOUT_FILENO, object, sizeof object - 1);
  _exit (COMMAND_FAILED);
}

static void
catch_signals (void)
{
  static const int       signals[] = { SIGINT, SIGTERM };
  const struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };
  struct sigaction       before;

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    if (sigaction (signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction (signals[i], &action, NULL);
}

void
command_begin_answer (void)
{
  has_begun = TRUE;
}

gboolean
command_is_stopped (void)
{
  return is_stopped;
}

gboolean
command_parse (const CommandHelp *help, const GOptionEntry *options, int *argc, char ***argv, int *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (help->arguments);
  g_autofree char *program = g_strconcat ("fovea ", help->name, NULL);
  g_autofree char *examples = g_strconcat ("Examples:\n", help->examples, NULL);
  g_autoptr (GError) error = NULL;
  gboolean         json = FALSE;

  *status = COMMAND_OK;
  for (int i = 1; i < *argc && strcmp ((*argv)[i], "--") != 0; i++)
    json |= strcmp ((*argv)[i], "--json") == 0;
  if (*argc == 2 && strcmp ((*argv)[1], "--man") == 0)
    {
      print_man_section (help, options);
      return FALSE;
    }
  if (*argc == 2 && strcmp ((*argv)[1], "--list-options") == 0)
    {
      print_option_names (options);
      return FALSE;
    }

  g_set_prgname (program);
  g_option_context_set_summary (context, help->description);
  g_option_context_set_description (context, examples);
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_set_help_enabled (context, FALSE);
  for (int i = 1; i < *argc && strcmp ((*argv)[i], "--") != 0; i++)
    if (strcmp ((*argv)[i], "--help") == 0 || strcmp ((*argv)[i], "-h") == 0)
      {
        g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);

        g_print ("%s", text);
        return FALSE;
      }
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      *status = command_usage (help, json, "%s", error->message);
      return FALSE;
    }
  if (json)
    catch_signals ();

  /* A "--" that ended the options has done its work; GOptionContext leaves it where a word with a hyphen follows. */
  for (int i = 1; i < *argc; i++)
    if (strcmp ((*argv)[i], "--") == 0)
      {
        memmove (*argv + i, *argv + i + 1, (*argc - i) * sizeof **argv);
        (*argc)--;
        break;
      }
  return TRUE;
}

int
command_usage (const CommandHelp *help, gboolean json, const char *format, ...)
{
  va_list          arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  command_clear_progress ();
  g_printerr ("fovea %s: %s\nUsage: fovea %s [OPTION…] %s (fovea %s --help says more)\n", help->name, message, help->name, help->arguments,
              help->name);
  if (json)
    command_print_error (message);
  return COMMAND_USAGE;
}

int
command_fail (gboolean json, const GError *error)
{
  command_warn ("%s", error->message);
  if (json)
    command_print_error (error->message);
  return COMMAND_FAILED;
}

void
command_warn (const char *format, ...)
{
  va_list          arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  command_clear_progress ();
  g_printerr ("fovea: %s\n", message);
}

void
command_warn_licence (const FoveaModel *model)
{
  g_autofree char *warning = fovea_model_warn (model);

  if (warning)
    command_warn ("%s", warning);
}

FoveaModel *
command_load_model (const char *file_or_name, GError **error)
{
  g_autofree char *path = fovea_find_model (file_or_name, error);
  FoveaModel      *model = path ? fovea_model_load (path, error) : NULL;

  if (model)
    command_warn_licence (model);
  return model;
}

void
command_print_json (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  command_begin_answer ();
  fputs (text, stdout);
  putchar ('\n');
}

void
command_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, valid);
}

void
command_progress (const char *what, gsize done, gsize total)
{
  command_progress_text ("%s %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT, what, done + 1, total);
}

void
command_progress_text (const char *format, ...)
{
  va_list          arguments;
  g_autofree char *text = NULL;

  if (!isatty (STDERR_FILENO))
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, CLEAR_LINE "%s", text);
  fflush (stderr);
}

void
command_clear_progress (void)
{
  if (!isatty (STDERR_FILENO))
    return;
  fputs (CLEAR_LINE, stderr);
  fflush (stderr);
}

gboolean
command_parse_shape (const char *text, char **name, FoveaShape *shape, GError **error)
{
  const char   *equals = name ? strrchr (text, '=') : NULL, *dims = equals ? equals + 1 : text;
  g_auto (GStrv) words = g_strsplit (dims, "x", -1);
  guint          n = g_strv_length (words);
  gboolean       right = n <= FOVEA_MAX_DIMS && (!name || (equals && equals > text));

  shape->n_dims = n;
  for (guint i = 0; i < n && right; i++)
    right = g_ascii_string_to_signed (words[i], 10, 0, G_MAXINT32, &shape->dims[i], NULL);
  if (!right)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "“%s” isn't a shape; write %s1x3x224x224 with at most %d numbers.", text,
                   name ? "NAME=" : "", FOVEA_MAX_DIMS);
      return FALSE;
    }
  if (name)
    *name = g_strndup (text, equals - text);
  return TRUE;
}
