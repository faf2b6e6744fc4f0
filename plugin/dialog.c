/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dialog.c: see dialog.h.
 */

#include "dialog.h"

#include <glib/gi18n.h>

#include "fovea.h"

#define CHOOSE_FILE "\001choose"

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

GtkWidget *
dialog_text_new (void)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 60);
  return label;
}

/* ---- models ------------------------------------------------------------------------------------------------- */

typedef struct
{
  GimpProcedureConfig *config;
  GtkWidget           *window;
  GtkListStore        *store;
  char                *last; /* the model before a file is chosen */
} ModelChoice;

gboolean
dialog_is_choosing (const char *model)
{
  return g_strcmp0 (model, CHOOSE_FILE) == 0;
}

static void
fill_models (ModelChoice *choice)
{
  g_auto (GStrv)   installed = fovea_list_models ();
  g_autofree char *model = NULL;

  g_object_get (choice->config, "model", &model, NULL);
  gtk_list_store_clear (choice->store);
  gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, "", 1, _("Automatic"), -1);
  for (guint i = 0; installed[i]; i++)
    gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, installed[i], 1, installed[i], -1);
  if (model && *model && !dialog_is_choosing (model) && !g_strv_contains ((const char *const *) installed, model))
    {
      g_autofree char *label = g_path_get_basename (model);

      gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, model, 1, label, -1);
    }
  gtk_list_store_insert_with_values (choice->store, NULL, -1, 0, CHOOSE_FILE, 1, _("Choose file…"), -1);
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
  g_object_set (choice->config, "model", path ? path : choice->last, NULL);
  fill_models (choice);
}

static void
on_model (GimpProcedureConfig *config, GParamSpec *property, ModelChoice *choice)
{
  g_autofree char *model = NULL;

  g_object_get (config, "model", &model, NULL);
  if (dialog_is_choosing (model))
    {
      choose_file (choice);
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
  g_object_unref (choice->store);
  g_free (choice->last);
  g_free (choice);
}

GtkWidget *
dialog_model_combo_new (GimpProcedureConfig *config, GtkWidget *window)
{
  ModelChoice *choice = g_new0 (ModelChoice, 1);
  GtkWidget   *combo;

  choice->config = config;
  choice->window = window;
  choice->store = gtk_list_store_new (2, G_TYPE_STRING, G_TYPE_STRING);
  g_object_get (config, "model", &choice->last, NULL);
  fill_models (choice);
  combo = gimp_prop_string_combo_box_new (G_OBJECT (config), "model", GTK_TREE_MODEL (choice->store), 0, 1);
  g_signal_connect (config, "notify::model", G_CALLBACK (on_model), choice);
  g_object_set_data_full (G_OBJECT (combo), "model-choice", choice, free_choice);
  return combo;
}
