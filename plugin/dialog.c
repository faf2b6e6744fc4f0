/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dialog.c: see dialog.h.
 */

#include "dialog.h"

#include <glib/gi18n.h>

#include "fovea.h"
#include "models.h"

#define SCROLL_HEIGHT 150 /* pixels */
#define ADVICE_CHARS 32
#define CHOOSE_FILE "\001choose"
#define NO_MODEL    "none"

GtkListStore *
dialog_make_store (const char *const *rows)
{
  GtkListStore *store = gtk_list_store_new (2, G_TYPE_STRING, G_TYPE_STRING);

  for (; rows && *rows; rows += 2)
    gtk_list_store_insert_with_values (store, NULL, -1, 0, rows[0], 1, rows[1], -1);
  return store;
}

void
dialog_attach (GtkGrid *grid, int row, const char *label, const char *tooltip, GtkWidget *widget)
{
  GtkWidget *name = gtk_label_new_with_mnemonic (label);

  atk_object_set_name (gtk_widget_get_accessible (widget), gtk_label_get_text (GTK_LABEL (name)));
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (name), widget);
  gtk_widget_set_tooltip_text (widget, tooltip);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_grid_attach (grid, name, 0, row, 1, 1);
  gtk_grid_attach (grid, widget, 1, row, 1, 1);
}

static void
output_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *widget)
{
  g_autofree char *output = NULL;
  g_auto (GStrv)   outputs = g_strsplit (g_object_get_data (G_OBJECT (widget), "outputs"), " ", -1);

  g_object_get (config, "output", &output, NULL);
  gtk_widget_set_sensitive (widget, output && g_strv_contains ((const char *const *) outputs, output));
}

void
dialog_bind_output (GimpProcedureConfig *config, GtkWidget *widget, const char *outputs)
{
  g_object_set_data (G_OBJECT (widget), "outputs", (gpointer) outputs);
  output_changed (config, NULL, widget);
  g_signal_connect_object (config, "notify::output", G_CALLBACK (output_changed), widget, 0);
}

GtkWidget *
dialog_text_new (void)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_line_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR); /* names of files may be long, and without a blank */
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 60);
  return label;
}

GtkWidget *
dialog_advice_new (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *sign = gtk_image_new_from_icon_name ("dialog-warning-symbolic", GTK_ICON_SIZE_BUTTON), *text = dialog_text_new ();

  gtk_widget_set_valign (sign, GTK_ALIGN_START);
  gtk_label_set_max_width_chars (GTK_LABEL (text), ADVICE_CHARS);
  gtk_box_pack_start (GTK_BOX (box), sign, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), text, TRUE, TRUE, 0);
  gtk_widget_show_all (box);
  gtk_widget_hide (box);
  gtk_widget_set_no_show_all (box, TRUE);
  g_object_set_data (G_OBJECT (box), "text", text);
  return box;
}

void
dialog_advice_set (GtkWidget *advice, char *const *sentences)
{
  g_autofree char *text = sentences ? g_strjoinv ("\n", (char **) sentences) : g_strdup ("");

  gtk_label_set_text (GTK_LABEL (g_object_get_data (G_OBJECT (advice), "text")), text);
  gtk_widget_set_visible (advice, *text != '\0');
}

GtkWidget *
dialog_scroll_new (GtkWidget *rows)
{
  GtkWidget *scroll = gtk_scrolled_window_new (NULL, NULL);

  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_container_add (GTK_CONTAINER (scroll), rows);
  return scroll;
}

void
dialog_scroll_fit (GtkWidget *scroll)
{
  int height;

  gtk_widget_get_preferred_height (gtk_bin_get_child (GTK_BIN (gtk_bin_get_child (GTK_BIN (scroll)))), NULL, &height);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroll), MIN (height, SCROLL_HEIGHT));
}

GtkWidget *
dialog_question_new (GtkWidget *window, GtkMessageType type, const char *text)
{
  GtkWidget *question = gtk_message_dialog_new (GTK_WINDOW (window), GTK_DIALOG_MODAL, type, GTK_BUTTONS_NONE, "%s", text);

  gtk_window_set_title (GTK_WINDOW (question), gtk_window_get_title (GTK_WINDOW (window)));
  return question;
}

gboolean
dialog_ask_licence (GtkWidget *window, const char *model, FoveaTask task)
{
  g_autofree char *used = models_find_chosen (model, task), *warning = models_find_question (used), *name = warning ? g_path_get_basename (used) : NULL;
  GtkWidget       *question;
  gboolean         accepted;

  if (!warning)
    return TRUE;
  question = dialog_question_new (window, GTK_MESSAGE_WARNING, name);
  gtk_message_dialog_format_secondary_text (GTK_MESSAGE_DIALOG (question), "%s", warning);
  gtk_dialog_add_buttons (GTK_DIALOG (question), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Use It"), GTK_RESPONSE_OK, NULL);
  gtk_dialog_set_default_response (GTK_DIALOG (question), GTK_RESPONSE_OK);
  accepted = gtk_dialog_run (GTK_DIALOG (question)) == GTK_RESPONSE_OK;
  gtk_widget_destroy (question);
  if (accepted)
    models_accept (used);
  return accepted;
}

char *
dialog_tell_time (double seconds)
{
  if (seconds < 0)
    return g_strdup ("");
  if (seconds < 60)
    return g_strdup_printf (_("about %d s left"), MAX ((int) (seconds + 0.5), 1));
  return g_strdup_printf (ngettext ("about %d minute left", "about %d minutes left", (int) (seconds / 60 + 0.5)), (int) (seconds / 60 + 0.5));
}

char *
dialog_tell_estimate (double seconds)
{
  guint minutes = (guint) MAX (seconds / 60 + 0.5, 0);

  if (seconds < 0)
    return g_strdup ("");
  if (seconds < 90)
    return g_strdup_printf (_("Takes about %d s"), MAX ((int) (seconds + 0.5), 1));
  return g_strdup_printf (ngettext ("Takes about %u minute", "Takes about %u minutes", minutes), minutes);
}

/* ---- models ------------------------------------------------------------------------------------------------- */

typedef struct
{
  GimpProcedureConfig *config;
  const char          *property;
  const char          *none;   /* what the word “none” is called; NULL: there must be a model */
  FoveaTask            task;   /* whose default Automatic takes */
  GtkWidget           *window;
  GtkListStore        *store;
  char                *last;   /* the model before another is chosen */
  guint                idle;   /* until the user is asked for a file, or about a licence; 0: for nothing */
} ModelChoice;

gboolean
dialog_is_choosing (const char *model)
{
  return g_strcmp0 (model, CHOOSE_FILE) == 0;
}

/* With a row for the model, where it isn't an installed one. */
static void
fill_models (ModelChoice *choice, const char *model)
{
  g_auto (GStrv) installed = fovea_list_models ();

  gtk_list_store_clear (choice->store);
  gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, "", 1, _("Automatic"), -1);
  if (choice->none)
    gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, NO_MODEL, 1, choice->none, -1);
  for (guint i = 0; installed[i]; i++)
    gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, installed[i], 1, installed[i], -1);
  if (model && *model && !dialog_is_choosing (model) && !(choice->none && g_strcmp0 (model, NO_MODEL) == 0)
      && !g_strv_contains ((const char *const *) installed, model))
    {
      g_autofree char *label = g_path_get_basename (model);

      gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, model, 1, label, -1);
    }
  gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, CHOOSE_FILE, 1, _("Choose file…"), -1);
}

/* Gives the setting a value that the combo box has a row for. While its rows are made anew it has none: nobody hears of that. */
static void
set_model (ModelChoice *choice, const char *name)
{
  g_autofree char *model = g_strdup (name); /* it may be the last one's */

  g_object_freeze_notify (G_OBJECT (choice->config));
  fill_models (choice, model);
  g_object_set (choice->config, choice->property, model, NULL);
  g_object_thaw_notify (G_OBJECT (choice->config));
}

static void
choose_file (ModelChoice *choice)
{
  g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (_("Choose a Model"), GTK_WINDOW (choice->window), GTK_FILE_CHOOSER_ACTION_OPEN,
                                                                          _("_Choose"), NULL);
  GtkFileFilter   *filter = gtk_file_filter_new ();
  g_autofree char *path = NULL;

  gtk_file_filter_set_name (filter, _("ONNX models"));
  gtk_file_filter_add_pattern (filter, "*.onnx");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), filter);
  if (gtk_native_dialog_run (GTK_NATIVE_DIALOG (chooser)) == GTK_RESPONSE_ACCEPT)
    path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (chooser));
  set_model (choice, path ? path : choice->last);
}

/* Not in the midst of what the combo box does with a key or a click: its menu is gone when that goes on. */
static gboolean
ask (gpointer data)
{
  ModelChoice     *choice = data;
  g_autofree char *model = NULL;

  choice->idle = 0;
  g_object_get (choice->config, choice->property, &model, NULL);
  if (dialog_is_choosing (model))
    choose_file (choice);
  else
    set_model (choice, dialog_ask_licence (choice->window, model, choice->task) ? model : choice->last);
  return G_SOURCE_REMOVE;
}

/* Until the user was asked, nobody else hears of the model. */
static void
on_model (GimpProcedureConfig *config, GParamSpec *property, ModelChoice *choice)
{
  g_autofree char *model = NULL, *used = NULL, *warning = NULL, *signal = g_strconcat ("notify::", choice->property, NULL);

  g_object_get (config, choice->property, &model, NULL);
  used = models_find_chosen (model, choice->task);
  if (dialog_is_choosing (model) || (g_strcmp0 (model, choice->last) != 0 && (warning = models_find_question (used))))
    {
      if (!choice->idle)
        choice->idle = g_idle_add (ask, choice);
      g_signal_stop_emission_by_name (config, signal);
      return;
    }
  g_free (choice->last);
  choice->last = g_steal_pointer (&model);
}

static void
free_choice (gpointer data)
{
  ModelChoice *choice = data;

  g_signal_handlers_disconnect_by_data (choice->config, choice);
  g_clear_handle_id (&choice->idle, g_source_remove);
  g_object_unref (choice->store);
  g_free (choice->last);
  g_free (choice);
}

static GtkWidget *
make_combo (GimpProcedureConfig *config, const char *property, FoveaTask task, const char *none, GtkWidget *window)
{
  ModelChoice     *choice = g_new0 (ModelChoice, 1);
  g_autofree char *signal = g_strconcat ("notify::", property, NULL), *model = NULL;
  GtkWidget       *combo;

  choice->config = config;
  choice->property = property;
  choice->task = task;
  choice->none = none;
  choice->window = window;
  choice->store = gtk_list_store_new (2, G_TYPE_STRING, G_TYPE_STRING);
  g_object_get (config, property, &model, NULL);
  if (!dialog_ask_licence (window, model, task))
    {
      g_autofree char *chosen = models_find_chosen ("", task);
      gboolean         is_chosen = !*model || g_strcmp0 (model, chosen) == 0; /* and was refused */
      g_autofree char *other = !is_chosen && dialog_ask_licence (window, "", task) ? g_strdup ("") : models_find_other (task);

      g_object_set (config, property, other, NULL);
    }
  g_object_get (config, property, &choice->last, NULL);
  fill_models (choice, choice->last);
  combo = gimp_prop_string_combo_box_new (G_OBJECT (config), property, GTK_TREE_MODEL (choice->store), 0, 1);
  g_signal_connect (config, signal, G_CALLBACK (on_model), choice);
  g_object_set_data_full (G_OBJECT (combo), "model-choice", choice, free_choice);
  return combo;
}

GtkWidget *
dialog_model_combo_new (GimpProcedureConfig *config, FoveaTask task, GtkWidget *window)
{
  return make_combo (config, "model", task, NULL, window);
}

GtkWidget *
dialog_base_model_combo_new (GimpProcedureConfig *config, GtkWidget *window)
{
  return make_combo (config, "base-model", FOVEA_TASK_UNKNOWN, _("None: from scratch"), window);
}

/* ---- a question --------------------------------------------------------------------------------------------------- */

static void
on_folder (GtkFileChooserButton *button, GimpProcedureConfig *config)
{
  g_autofree char *path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (button));

  g_object_set (config, g_object_get_data (G_OBJECT (button), "property"), path ? path : "", NULL);
}

static GtkWidget *
make_folder (GimpProcedureConfig *config, const DialogRow *row)
{
  GtkWidget       *button = gtk_file_chooser_button_new (row->tooltip, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
  g_autofree char *path = NULL;

  g_object_get (config, row->property, &path, NULL);
  if (path && *path)
    gtk_file_chooser_set_filename (GTK_FILE_CHOOSER (button), path);
  g_object_set_data (G_OBJECT (button), "property", (gpointer) row->property);
  g_signal_connect (button, "file-set", G_CALLBACK (on_folder), config);
  return button;
}

static void
add_row (GimpProcedureConfig *config, GtkGrid *grid, int place, const DialogRow *row)
{
  g_autoptr (GtkListStore) store = row->kind == DIALOG_CHOICE ? dialog_make_store (row->words) : NULL;

  if (row->kind == DIALOG_CHECK)
    gtk_grid_attach (grid, gimp_prop_check_button_new (G_OBJECT (config), row->property, row->label), 1, place, 1, 1);
  else
    dialog_attach (grid, place, row->label, row->tooltip,
                   store ? gimp_prop_string_combo_box_new (G_OBJECT (config), row->property, GTK_TREE_MODEL (store), 0, 1) : make_folder (config, row));
}

gboolean
dialog_ask (GimpProcedureConfig *config, const char *title, const char *procedure, const char *yes, const DialogRow *rows, guint n)
{
  GtkWidget *dialog, *grid;
  gboolean   answer;

  gimp_ui_init ("fovea");
  grid = gtk_grid_new (); /* no widget may be made before */
  dialog = gimp_dialog_new (title, procedure, NULL, 0, gimp_standard_help_func, procedure, _("_Cancel"), GTK_RESPONSE_CANCEL, yes, GTK_RESPONSE_OK, NULL);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_container_set_border_width (GTK_CONTAINER (grid), 12);
  for (guint i = 0; i < n; i++)
    add_row (config, GTK_GRID (grid), (int) i, &rows[i]);
  gtk_widget_show_all (grid);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog))), grid, TRUE, TRUE, 0);
  answer = gimp_dialog_run (GIMP_DIALOG (dialog)) == GTK_RESPONSE_OK;
  gtk_widget_destroy (dialog);
  return answer;
}
