/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * command.h: what all verbs share: options and help, errors, JSON, progress.
 *
 * Conventions: answers go to standard output, everything else to standard error. With --json standard output gets exactly one JSON object,
 * also when the verb fails or is interrupted: then it is {"error": "…"}. A verb looks like this:
 *
 *   static const CommandHelp help = { "info", "MODEL", "What it does.", "  fovea info squeezenet    its layers\n" };
 *
 *   int
 *   verb_info (int argc, char **argv)
 *   {
 *     gboolean     json = FALSE;
 *     GOptionEntry options[] = { { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL }, { NULL } };
 *     int          status;
 *
 *     if (!command_parse (&help, options, &argc, &argv, &status))
 *       return status;
 *     if (argc != 2)
 *       return command_usage (&help, json, "Give one model.");
 *     …
 *     if (error)
 *       return command_fail (json, error);
 *   }
 *
 * Its --help, its section of the man page and its completion all come from these two tables.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

#define COMMAND_OK     0
#define COMMAND_FAILED 1
#define COMMAND_USAGE  2

typedef struct
{
  const char *name;        /* "info" */
  const char *arguments;   /* "MODEL IMAGE…" */
  const char *description; /* what it does, in sentences; lines of at most 80 columns, an empty line between paragraphs */
  const char *examples;    /* a line each, indented by two spaces: the command, two spaces or more, what it does; at least one */
} CommandHelp;

/* Reads the options out of argc and argv (argv[0] and the plain arguments stay). FALSE when the verb is to return *status at once: --help was
 * asked for, or the options are wrong (said on standard error, and as JSON when --json was among them). */
gboolean command_parse (const CommandHelp *help, const GOptionEntry *options, int *argc, char ***argv, int *status);

/* Wrong usage: prints the message and where to find help. Returns COMMAND_USAGE. */
int      command_usage (const CommandHelp *help, gboolean json, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* A failure that ends the verb: prints the message, as JSON too if asked. Returns COMMAND_FAILED. */
int      command_fail (gboolean json, const GError *error);

/* {"error": message} on standard output. */
void     command_print_error (const char *message);

/* With --json, Ctrl+C (SIGINT) and SIGTERM end the verb with an error, unless it has begun to print its object. One that prints it bit by bit says when it
 * begins, and asks every now and then whether it is to come to an end. */
void        command_begin_answer (void);
gboolean    command_is_stopped   (void);
extern const char *const command_stopped; /* the error's words */

/* A failure that doesn't end the verb: prints the message on standard error only. */
void     command_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Prints the object that the builder holds, and a new line. */
void     command_print_json (JsonBuilder *builder);

/* The model of that name or path; what its licence forbids, where nobody has heard it yet, is said on standard error. NULL with the errors of finding and
 * loading it. */
FoveaModel *command_load_model   (const char *file_or_name, GError **error);
void        command_warn_licence (const FoveaModel *model);

/* Adds a string member; bytes that aren't UTF-8 (file names) are replaced. */
void     command_add_string (JsonBuilder *builder, const char *name, const char *value);

/* "what 3/200", or any line, rewritten in place on standard error if that is a terminal. Messages by command_warn and command_fail remove it first. */
void     command_progress       (const char *what, gsize done, gsize total);
void     command_progress_text  (const char *format, ...) G_GNUC_PRINTF (1, 2);
void     command_clear_progress (void);

/* Text for a man page: backslashes and hyphens written out, empty lines as paragraphs, no line taken for a request. */
void     command_print_troff (const char *text);

/* Reads "NAME=1x3x224x224" (a shape only, where name is NULL). FALSE with FOVEA_ERROR_ARGUMENT that says how it must look. */
gboolean command_parse_shape (const char *text, char **name, FoveaShape *shape, GError **error);
