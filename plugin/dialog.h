/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dialog.h: what the windows share: rows of settings, lists of words, and the choice of a model.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"

/* Pairs of a setting's value and what the user reads, NULL-terminated. */
GtkListStore *dialog_make_store (const char *const *rows);

/* A row of the settings: a label with mnemonic, and its widget. */
void          dialog_attach     (GtkGrid *grid, int row, const char *label, const char *tooltip, GtkWidget *widget);

/* A widget that means something only where the setting “output” is one of these words, spaces between: it can be used only then. `outputs` is borrowed. */
void          dialog_bind_output (GimpProcedureConfig *config, GtkWidget *widget, const char *outputs);

/* A line of text, wrapped. */
GtkWidget    *dialog_text_new   (void);

/* What is missing, and what is doubtful: sentences beside a sign. NULL or empty: nothing is seen. */
GtkWidget    *dialog_advice_new (void);
void          dialog_advice_set (GtkWidget *advice, char *const *sentences);

/* What may have many rows: as high as it is, up to what a small screen has room for; then it is scrolled. Call dialog_scroll_fit when the rows have changed. */
GtkWidget    *dialog_scroll_new (GtkWidget *rows);
void          dialog_scroll_fit (GtkWidget *scroll);

/* “about 20 s left”; negative: not known, and empty. Free with g_free. */
char         *dialog_tell_time  (double seconds);

/* “Takes about 20 s”, likewise. */
char         *dialog_tell_estimate (double seconds);

/* A question before a window, with the window's title. Add the answers, and run it. */
GtkWidget    *dialog_question_new (GtkWidget *window, GtkMessageType type, const char *text);

/* Before the first use of a model that nobody imported: asks about what its licence forbids, or that it says nothing. TRUE: the user uses it, now or by an earlier
 * answer, or there is nothing to ask. model "": the one that the user has chosen for the task. */
gboolean      dialog_ask_licence  (GtkWidget *window, const char *model, FoveaTask task);

/* A combo box for the setting “model”: the installed ones, the file that is set, and the way to another file. `window` is what the file chooser stands before. A model
 * that is set already, or as the default of the task, is asked about at once, where its licence forbids something or isn't known: nothing may look before.
 * With FOVEA_TASK_UNKNOWN no default is. */
GtkWidget    *dialog_model_combo_new (GimpProcedureConfig *config, FoveaTask task, GtkWidget *window);

/* The same for the setting “base-model”, which may also be “none”. */
GtkWidget    *dialog_base_model_combo_new (GimpProcedureConfig *config, GtkWidget *window);

/* TRUE while the setting only says that the user wants to choose a file: it will change again. */
gboolean      dialog_is_choosing     (const char *model);

/* A question about a few settings. */
typedef enum { DIALOG_CHOICE, DIALOG_FOLDER, DIALOG_CHECK } DialogRowKind;

typedef struct
{
  DialogRowKind      kind;
  const char        *property, *label, *tooltip;
  const char *const *words; /* DIALOG_CHOICE: as for dialog_make_store */
} DialogRow;

/* Shows the settings; TRUE when the user has pressed the button `yes`. */
gboolean      dialog_ask (GimpProcedureConfig *config, const char *title, const char *procedure, const char *yes, const DialogRow *rows, guint n);
