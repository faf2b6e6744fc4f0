/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-advanced.c: see train-advanced.h.
 */

#include "train-advanced.h"

#include <glib/gi18n.h>

#include "dialog.h"

static GtkWidget *
make_spin (GimpProcedureConfig *config, const char *property, double step, double page, int digits)
{
  return gimp_prop_spin_button_new (G_OBJECT (config), property, step, page, digits);
}

GtkWidget *
train_advanced_new (GimpProcedureConfig *config, GtkWidget *window)
{
  const char *const trainable_rows[] = { "auto", _("Automatic"), "head", _("The last layer: seconds, best for few photos"), "last", _("The last third: for a hundred photos or more"),
                                         "all", _("All layers: for much or very different data"), NULL };
  g_autoptr (GtkListStore) trainables = dialog_make_store (trainable_rows);
  GtkWidget *expander = gtk_expander_new_with_mnemonic (_("A_dvanced")), *grid = gtk_grid_new (), *trainable, *batch;

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  trainable = gimp_prop_string_combo_box_new (G_OBJECT (config), "trainable", GTK_TREE_MODEL (trainables), 0, 1);
  batch = make_spin (config, "batch", 1, 8, 0);
  dialog_attach (GTK_GRID (grid), 0, _("_Base model"), _("What is learned on. A model that you trained before goes on from what it knows"),
                 dialog_base_model_combo_new (config, window));
  dialog_attach (GTK_GRID (grid), 1, _("Wh_ich layers"), _("With few photos like those that the base model knows, its last layer; the more photos, and the more different they are, the more layers"), trainable);
  dialog_attach (GTK_GRID (grid), 2, _("Ep_ochs"), _("How often each photo is looked at; 0: as is usual"), make_spin (config, "epochs", 1, 10, 0));
  dialog_attach (GTK_GRID (grid), 3, _("Learnin_g rate"), _("At its highest; 0: as is usual"), make_spin (config, "learning-rate", 0.001, 0.01, 4));
  dialog_attach (GTK_GRID (grid), 4, _("Batc_h"), _("Photos of a step; 0: as is usual"), batch);
  dialog_attach (GTK_GRID (grid), 5, _("Kept o_ut"), _("The share of the photos, or strokes, that isn't learned, to judge by"), make_spin (config, "validation-share", 0.05, 0.1, 2));
  dialog_attach (GTK_GRID (grid), 6, _("Se_ed"), _("The same seed gives the same model"), make_spin (config, "seed", 1, 10, 0));
  gtk_container_add (GTK_CONTAINER (expander), grid);
  g_object_set_data (G_OBJECT (expander), "trainable", trainable);
  g_object_set_data (G_OBJECT (expander), "batch", batch);
  gtk_widget_show_all (expander);
  return expander;
}

void
train_advanced_set_task (GtkWidget *advanced, gboolean on_pixels)
{
  gtk_widget_set_sensitive (g_object_get_data (G_OBJECT (advanced), "trainable"), !on_pixels);
  gtk_widget_set_sensitive (g_object_get_data (G_OBJECT (advanced), "batch"), !on_pixels);
}
