/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-choice.c: see batch-choice.h. The lowest place of the threshold's button, below 0, is the usual one, and says so.
 */

#include "batch-choice.h"

#include <glib/gi18n.h>

#include "batch.h"
#include "dialog.h"

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
  g_signal_connect (button, "output", G_CALLBACK (show_threshold), NULL);
  g_signal_connect (button, "input", G_CALLBACK (read_threshold), NULL);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (button), threshold);
  g_signal_connect (button, "value-changed", G_CALLBACK (threshold_changed), config);
  return button;
}

/* ---- the rows ------------------------------------------------------------------------------------------------------------------------------- */

static void
operation_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *widget)
{
  g_autofree char *operation = NULL;
  gboolean         is_classify;

  g_object_get (config, "operation", &operation, NULL);
  is_classify = g_strcmp0 (operation, batch_operations[0]) == 0;
  gtk_widget_set_sensitive (widget, is_classify == (g_object_get_data (G_OBJECT (widget), "of-classify") != NULL));
}

/* A row that means something only for Classify, or only for the others. */
static void
attach_bound (GimpProcedureConfig *config, GtkGrid *grid, int row, const char *label, const char *tooltip, GtkWidget *widget, gboolean of_classify)
{
  dialog_attach (grid, row, label, tooltip, widget);
  g_object_set_data (G_OBJECT (widget), "of-classify", GINT_TO_POINTER (of_classify));
  g_signal_connect_object (config, "notify::operation", G_CALLBACK (operation_changed), widget, 0);
  operation_changed (config, NULL, widget);
}

void
batch_choice_attach (GimpProcedureConfig *config, GtkGrid *grid, int row)
{
  GtkWidget *classes = gimp_prop_entry_new (G_OBJECT (config), "classes", -1);

  gtk_entry_set_placeholder_text (GTK_ENTRY (classes), _("all classes"));
  dialog_attach (grid, row, _("Thres_hold"), _("Leave out names and objects less sure than this; of masks, the share that lies on the border. “usual”: all names, the model's own "
                                               "threshold for objects, 0.5 for masks"), make_threshold (config));
  attach_bound (config, grid, row + 1, _("N_ames a photo"), _("How many names at most"), gimp_prop_spin_button_new (G_OBJECT (config), "top", 1, 5, 0), TRUE);
  attach_bound (config, grid, row + 2, _("C_lasses"), _("Only these names, commas between; empty: all"), classes, FALSE);
}
