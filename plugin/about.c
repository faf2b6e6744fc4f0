/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * about.c: the procedure plug-in-fovea-about and its window, Filters ▸ Fovea ▸ About and Self-Test: what this Fovea is, and whether it computes rightly on this
 * machine. The test runs in a worker; the report is plain English, to be sent with a question.
 */

#include "about.h"

#include <glib/gi18n.h>
#include <libgimp/gimpui.h>

#include "dialog.h"
#include "fovea.h"
#include "procedure.h"

#define RESPONSE_COPY 1
#define TICK_MS       100

typedef struct
{
  GtkWidget     *dialog, *spinner, *bar, *verdict, *text;
  GCancellable  *cancellable;
  FoveaSelfTest *test;   /* NULL: it is still running */
  char          *report; /* the same */
  gboolean       is_busy;
  gint           done;   /* thousandths; atomic */
} About;

/* What is tested with what: the programs around Fovea first. */
static char *
make_report (const FoveaSelfTest *test)
{
  int              gegl[3], babl[3];
  g_autofree char *gegl_text = NULL, *babl_text = NULL, *gtk_text = g_strdup_printf ("%u.%u.%u", gtk_get_major_version (), gtk_get_minor_version (), gtk_get_micro_version ());

  gegl_get_version (&gegl[0], &gegl[1], &gegl[2]);
  babl_get_version (&babl[0], &babl[1], &babl[2]);
  gegl_text = g_strdup_printf ("%d.%d.%d", gegl[0], gegl[1], gegl[2]);
  babl_text = g_strdup_printf ("%d.%d.%d", babl[0], babl[1], babl[2]);
  return fovea_self_test_print (test, &(FoveaPrograms) { gimp_version (), gegl_text, babl_text, gtk_text });
}

/* ---- the test ------------------------------------------------------------------------------------------------- */

static void
note_progress (double fraction, gpointer data)
{
  g_atomic_int_set (&((About *) data)->done, (gint) (1000 * fraction));
}

static void
run_test (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError        *error = NULL;
  FoveaSelfTest *test = fovea_self_test_new (cancellable, note_progress, data, &error);

  if (test)
    g_task_return_pointer (task, test, (GDestroyNotify) fovea_self_test_free);
  else
    g_task_return_error (task, error);
}

static void
test_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  About *about = data;

  about->is_busy = FALSE;
  about->test = g_task_propagate_pointer (G_TASK (result), NULL);
  if (!about->test) /* cancelled: the window is closing */
    return;
  about->report = make_report (about->test);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (about->text)), about->report, -1);
  gtk_label_set_text (GTK_LABEL (about->verdict), about->test->passed ? _("Everything is right: Fovea computes on this machine as it should.")
                                                                      : _("Something is wrong. The report below says what; please send it."));
  gtk_spinner_stop (GTK_SPINNER (about->spinner));
  gtk_widget_hide (about->bar);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (about->dialog), RESPONSE_COPY, TRUE);
}

static gboolean
on_tick (gpointer data)
{
  About *about = data;

  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (about->bar), g_atomic_int_get (&about->done) / 1000.0);
  return about->is_busy ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
start_test (About *about)
{
  g_autoptr (GTask) task = g_task_new (NULL, about->cancellable, test_ended, about);

  about->is_busy = TRUE;
  gtk_spinner_start (GTK_SPINNER (about->spinner));
  g_timeout_add (TICK_MS, on_tick, about);
  g_task_set_task_data (task, about, NULL);
  g_task_run_in_thread (task, run_test);
}

/* ---- the window ----------------------------------------------------------------------------------------------- */

static GtkWidget *
make_title (void)
{
  GtkWidget       *label = dialog_text_new ();
  g_autofree char *name = g_markup_printf_escaped ("<span size=\"x-large\" weight=\"bold\">Fovea %s</span>", fovea_get_version ());
  g_autofree char *about = g_markup_escape_text (_("Eyes for GIMP that you can train: names, boxes and masks for what is in a photo, on your own machine. Free software under the "
                                                   "GNU General Public License, version 3 or later."), -1);
  g_autofree char *markup = g_strconcat (name, "\n", about, NULL);

  gtk_label_set_markup (GTK_LABEL (label), markup);
  return label;
}

static GtkWidget *
make_content (About *about)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *scrolled = gtk_scrolled_window_new (NULL, NULL);

  about->spinner = gtk_spinner_new ();
  about->verdict = dialog_text_new ();
  about->bar = gtk_progress_bar_new ();
  about->text = gtk_text_view_new ();
  gtk_label_set_text (GTK_LABEL (about->verdict), _("Testing: known numbers through every kernel, then every model…"));
  gtk_text_view_set_editable (GTK_TEXT_VIEW (about->text), FALSE);
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (about->text), TRUE);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (about->text), 8);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (about->text), 6);
  atk_object_set_name (gtk_widget_get_accessible (about->text), _("Report"));
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_widget_set_size_request (scrolled, 680, 380);
  gtk_container_add (GTK_CONTAINER (scrolled), about->text);
  gtk_box_pack_start (GTK_BOX (row), about->verdict, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), about->spinner, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), make_title (), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), about->bar, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), scrolled, TRUE, TRUE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (column), 12);
  gtk_widget_show_all (column);
  return column;
}

static void
copy_report (About *about)
{
  GtkClipboard *clipboard = gtk_clipboard_get (GDK_SELECTION_CLIPBOARD);

  gtk_clipboard_set_text (clipboard, about->report, -1);
  gtk_clipboard_set_can_store (clipboard, NULL, 0); /* it outlives the window where the desktop keeps what was copied */
  gtk_clipboard_store (clipboard);
  gtk_label_set_text (GTK_LABEL (about->verdict), _("The report is copied: paste it where you ask."));
}

static void
run_window (About *about)
{
  gimp_ui_init ("fovea");
  about->dialog = gimp_dialog_new (_("About and Self-Test"), "fovea-about", NULL, 0, gimp_standard_help_func, ABOUT_PROCEDURE, _("C_opy Report"), RESPONSE_COPY,
                                   _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (about->dialog), RESPONSE_COPY, FALSE);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (about->dialog))), make_content (about), TRUE, TRUE, 0);
  start_test (about);
  while (gimp_dialog_run (GIMP_DIALOG (about->dialog)) == RESPONSE_COPY)
    copy_report (about);
  g_cancellable_cancel (about->cancellable);
  while (about->is_busy)
    g_main_context_iteration (NULL, TRUE);
  gtk_widget_destroy (about->dialog);
}

/* ---- the procedure -------------------------------------------------------------------------------------------- */

static GimpValueArray *
about_run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  About           about = { .cancellable = g_cancellable_new () };
  GimpRunMode     run_mode;
  GimpValueArray *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);

  g_object_get (config, "run-mode", &run_mode, NULL);
  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE)
    run_window (&about);
  else if ((about.test = fovea_self_test_new (NULL, NULL, NULL, NULL)))
    about.report = make_report (about.test);
  GIMP_VALUES_SET_BOOLEAN (values, 1, about.test && about.test->passed);
  GIMP_VALUES_TAKE_STRING (values, 2, about.report ? about.report : g_strdup (""));
  fovea_self_test_free (about.test);
  g_object_unref (about.cancellable);
  return values;
}

GimpProcedure *
about_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_procedure_new (plug_in, ABOUT_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, about_run, NULL, NULL);

  procedure_describe (procedure, _("_About and Self-Test"), "help-about",
                      _("What this Fovea is, and whether it computes rightly on this machine"),
                      _("Known tensors go through every kernel that the processor has, and every installed model is loaded and, where it is small, compared "
                        "with the plain reference. The report names versions, processor, memory and models."));
  gimp_procedure_add_enum_argument (procedure, "run-mode", "Run mode", "The run mode", GIMP_TYPE_RUN_MODE, GIMP_RUN_NONINTERACTIVE, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_return_value (procedure, "passed", _("Passed"), _("Everything is right"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "report", _("Report"), _("Lines of plain English"), "", G_PARAM_READWRITE);
  return procedure;
}
