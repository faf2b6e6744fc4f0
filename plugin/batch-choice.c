/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-choice.c: see batch-choice.h. The lowest place of the threshold's button, below 0, is the usual one, and says so.
 */

#include "batch-choice.h"

#include <glib/gi18n.h>

#include "batch.h"

#define STEP 0.05

/* ---- the threshold -------------------------------------------------------------------------------------------------------------------------- */

static gboolean
show_threshold (GtkSpinButton *button, gpointer unused)
{
  if (gtk_spin_button_get_value (button) >= 0)
    return FALSE;
  gtk_entry_set_text (GTK_ENTRY (button), _("usual"));
  return TRUE;
}

static gint
read_threshold (GtkSpinButton *button, double *value, gpointer unused)
{
  const char *text = gtk_entry_get_text (GTK_ENTRY (button));

  if (*text && g_strcmp0 (text, _("usual")) != 0)
    return FALSE; /* a number, as GTK reads it */
  *value = -STEP;
  return TRUE;
}

static void
threshold_changed (GtkSpinButton *button, GimpProcedureConfig *config)
{
  double value = gtk_spin_button_get_value (button);

  g_object_set (config, "threshold", value < 0 ? OPERATION_USUAL : value, NULL);
}

static GtkWidget *
make_threshold (GimpProcedureConfig *config)
{
  GtkWidget *button = gtk_spin_button_new_with_range (-STEP, 1, STEP);
  double     threshold;

  g_object_get (config, "threshold", &threshold, NULL);
  gtk_spin_button_set_digits (GTK_SPIN_BUTTON (button), 2);
  gtk_entry_set_width_chars (GTK_ENTRY (button), 7);
  gtk_spin_button_set_numeric (GTK_SPIN_BUTTON (button), FALSE); /* else it takes no words */
  g_signal_connect (button, "output", G_CALLBACK (show_threshold), NULL);
  g_signal_connect (button, "input", G_CALLBACK (read_threshold), NULL);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (button), threshold);
  show_threshold (GTK_SPIN_BUTTON (button), NULL); /* where the value hasn't changed */
  g_signal_connect (button, "value-changed", G_CALLBACK (threshold_changed), config);
  return button;
}

/* ---- the row -------------------------------------------------------------------------------------------------------------------------------- */

static void
operation_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *widget)
{
  g_autofree char *operation = NULL;
  gboolean         is_classify;

  g_object_get (config, "operation", &operation, NULL);
  is_classify = g_strcmp0 (operation, batch_operations[0]) == 0;
  gtk_widget_set_sensitive (widget, is_classify == (g_object_get_data (G_OBJECT (widget), "of-classify") != NULL));
}

static GtkWidget *
make_label (const char *label, const char *tooltip, GtkWidget *widget)
{
  GtkWidget *name = gtk_label_new_with_mnemonic (label);

  atk_object_set_name (gtk_widget_get_accessible (widget), gtk_label_get_text (GTK_LABEL (name)));
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (name), widget);
  gtk_widget_set_tooltip_text (widget, tooltip);
  return name;
}

/* What means something only for Classify, or only for the others. */
static void
add_bound (GimpProcedureConfig *config, GtkWidget *box, const char *label, const char *tooltip, GtkWidget *widget, gboolean of_classify)
{
  GtkWidget *name = make_label (label, tooltip, widget);

  gtk_box_pack_start (GTK_BOX (box), name, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), widget, !of_classify, TRUE, 0);
  g_object_bind_property (widget, "sensitive", name, "sensitive", G_BINDING_DEFAULT);
  g_object_set_data (G_OBJECT (widget), "of-classify", GINT_TO_POINTER (of_classify));
  g_signal_connect_object (config, "notify::operation", G_CALLBACK (operation_changed), widget, 0);
  operation_changed (config, NULL, widget);
}

void
batch_choice_attach (GimpProcedureConfig *config, GtkGrid *grid, int row)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *threshold = make_threshold (config), *classes = gimp_prop_entry_new (G_OBJECT (config), "classes", -1);

  gtk_entry_set_placeholder_text (GTK_ENTRY (classes), _("all classes"));
  gtk_grid_attach (grid, make_label (_("Thr_eshold"), _("Leave out names and objects less sure than this; of masks, the share that lies on the border. “usual”: all names, the "
                                                       "model's own threshold for objects, 0.5 for masks"), threshold), 0, row, 1, 1);
  gtk_box_pack_start (GTK_BOX (box), threshold, FALSE, FALSE, 0);
  add_bound (config, box, _("How man_y names"), _("How many names at most"), gimp_prop_spin_button_new (G_OBJECT (config), "top", 1, 5, 0), TRUE);
  add_bound (config, box, _("C_lasses"), _("Only these names, commas between; empty: all"), classes, FALSE);
  gtk_grid_attach (grid, box, 1, row, 1, 1);
}
