/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer-table.c: see layer-table.h. The widget owns its data; a worker's answer that comes after another model was asked for is dropped.
 */

#include "layer-table.h"

#include <glib/gi18n.h>

#include "dialog.h"
#include "fovea.h"

/* What is shown, then what it is sorted by. */
enum
{
  COLUMN_NUMBER, COLUMN_NAME, COLUMN_OPERATOR, COLUMN_KERNEL, COLUMN_STRIDE, COLUMN_PADDING, COLUMN_IN, COLUMN_OUT, COLUMN_PARAMETERS, COLUMN_MACS, COLUMN_FIELD,
  COLUMN_KERNEL_SIZE, COLUMN_STRIDE_SIZE, COLUMN_PADDING_SIZE, COLUMN_IN_SIZE, COLUMN_OUT_SIZE, COLUMN_PARAMETER_COUNT, COLUMN_MAC_COUNT, COLUMN_FIELD_SIZE,
  N_COLUMNS
};

static const struct
{
  const char *title, *tooltip;
  gint        text, sort;
  gboolean    right; /* aligned */
} columns[] = {
  { N_("No."), N_("The order in which they are computed"), COLUMN_NUMBER, COLUMN_NUMBER, TRUE },
  { N_("Layer"), N_("Its name in the file"), COLUMN_NAME, COLUMN_NAME, FALSE },
  { N_("Kind"), N_("What it does: choose a layer to read more"), COLUMN_OPERATOR, COLUMN_OPERATOR, FALSE },
  { N_("Kernel"), N_("Height and width of the window that slides over the image"), COLUMN_KERNEL, COLUMN_KERNEL_SIZE, FALSE },
  { N_("Stride"), N_("How far the window moves each time: 2 halves the image"), COLUMN_STRIDE, COLUMN_STRIDE_SIZE, FALSE },
  { N_("Padding"), N_("Zeros around the image, so that windows reach over its border: top, left, bottom, right"), COLUMN_PADDING, COLUMN_PADDING_SIZE, FALSE },
  { N_("In"), N_("What goes in: photos × channels × height × width"), COLUMN_IN, COLUMN_IN_SIZE, FALSE },
  { N_("Out"), N_("What comes out"), COLUMN_OUT, COLUMN_OUT_SIZE, FALSE },
  { N_("Parameters"), N_("Numbers that training found, and that the file keeps"), COLUMN_PARAMETERS, COLUMN_PARAMETER_COUNT, TRUE },
  { N_("Multiply-adds"), N_("The work: products that are added up"), COLUMN_MACS, COLUMN_MAC_COUNT, TRUE },
  { N_("Sees"), N_("The side of the square of the photo, in pixels, that one of its numbers depends on (receptive field)"), COLUMN_FIELD, COLUMN_FIELD_SIZE, TRUE },
};

typedef struct
{
  GtkWidget    *view, *sentence, *totals;
  GtkListStore *rows;
  GCancellable *cancellable; /* of the reading under way; NULL: none */
} LayerTable;

typedef struct
{
  FoveaLayer *layers;
  gsize       n;
} Layers;

/* ---- reading -------------------------------------------------------------------------------------------------- */

static void
free_layers (gpointer data)
{
  Layers *layers = data;

  fovea_layers_free (layers->layers, layers->n);
  g_free (layers);
}

static FoveaLayer *
read_layers (const char *name, gsize *n, GError **error)
{
  g_autofree char                *path = fovea_find_model (name, error);
  g_autoptr (FoveaModel)          model = path ? fovea_model_load (path, error) : NULL;
  g_autoptr (FoveaSettings)       settings = model ? fovea_settings_read (model, error) : NULL;
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  FoveaShape                      shape;

  if (!settings)
    return NULL;
  fovea_session_options_set_threads (options, 1);
  if (fovea_model_get_n_inputs (model) && fovea_settings_get_input_shape (settings, fovea_model_get_input (model, 0), &shape, NULL))
    fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
  return fovea_model_list_layers (model, options, n, error);
}

static void
read_in_worker (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Layers *layers = g_new0 (Layers, 1);
  GError *error = NULL;

  layers->layers = read_layers (data, &layers->n, &error);
  if (layers->layers)
    {
      g_task_return_pointer (task, layers, free_layers);
      return;
    }
  g_free (layers);
  g_task_return_error (task, error);
}

/* ---- filling -------------------------------------------------------------------------------------------------- */

char *
layer_table_print_count (guint64 count)
{
  return g_strdup_printf ("%'" G_GUINT64_FORMAT, count);
}

static char *
print_shape (const FoveaShape *shape, gint64 *size)
{
  g_autoptr (GString) text = g_string_new (NULL);

  *size = 1;
  for (guint i = 0; i < shape->n_dims; i++)
    {
      *size *= MAX (shape->dims[i], 1);
      if (shape->dims[i] < 0)
        g_string_append (text, i ? "×?" : "?");
      else
        g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i ? "×" : "", shape->dims[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
print_pair (const int *pair)
{
  return pair[0] == pair[1] ? g_strdup_printf ("%d", pair[0]) : g_strdup_printf ("%d, %d", pair[0], pair[1]);
}

static char *
print_padding (const int *padding)
{
  if (padding[0] == padding[1] && padding[0] == padding[2] && padding[0] == padding[3])
    return g_strdup_printf ("%d", padding[0]);
  return g_strdup_printf ("%d, %d, %d, %d", padding[0], padding[1], padding[2], padding[3]);
}

static void
add_row (LayerTable *table, const FoveaLayer *layer, gint number)
{
  gint64           in_size, out_size;
  g_autofree char *in = print_shape (&layer->in, &in_size), *out = print_shape (&layer->out, &out_size);
  g_autofree char *kernel = layer->has_window ? g_strdup_printf ("%d×%d", layer->kernel[0], layer->kernel[1]) : g_strdup ("");
  g_autofree char *stride = layer->has_window ? print_pair (layer->stride) : g_strdup (""), *padding = layer->has_window ? print_padding (layer->padding) : g_strdup ("");
  g_autofree char *parameters = layer->parameters ? layer_table_print_count (layer->parameters) : g_strdup ("");
  g_autofree char *macs = layer->macs ? layer_table_print_count (layer->macs) : g_strdup (""), *name = g_utf8_make_valid (layer->name, -1);
  g_autofree char *field = layer->receptive_field ? g_strdup_printf ("%d", layer->receptive_field) : g_strdup (_("all"));

  for (char *c = name; *c; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  gtk_list_store_insert_with_values (
    table->rows, NULL, -1, COLUMN_NUMBER, number, COLUMN_NAME, name, COLUMN_OPERATOR, layer->operator_type, COLUMN_KERNEL, kernel, COLUMN_STRIDE, stride,
    COLUMN_PADDING, padding, COLUMN_IN, in, COLUMN_OUT, out, COLUMN_PARAMETERS, parameters, COLUMN_MACS, macs, COLUMN_FIELD, field, COLUMN_KERNEL_SIZE,
    layer->has_window ? (gint64) layer->kernel[0] * layer->kernel[1] : (gint64) 0, COLUMN_STRIDE_SIZE,
    layer->has_window ? (gint64) layer->stride[0] * layer->stride[1] : (gint64) 0, COLUMN_PADDING_SIZE,
    layer->has_window ? (gint64) layer->padding[0] + layer->padding[1] + layer->padding[2] + layer->padding[3] : (gint64) -1, COLUMN_IN_SIZE, in_size,
    COLUMN_OUT_SIZE, out_size, COLUMN_PARAMETER_COUNT, (gint64) layer->parameters, COLUMN_MAC_COUNT, (gint64) layer->macs, COLUMN_FIELD_SIZE,
    layer->receptive_field ? (gint64) layer->receptive_field : G_MAXINT64, -1);
}

static void
show_layers (LayerTable *table, const Layers *layers)
{
  guint64          parameters = 0, macs = 0;
  g_autofree char *parameter_text = NULL, *mac_text = NULL, *text = NULL;
  GtkTreePath     *first = gtk_tree_path_new_first ();

  for (gsize i = 0; i < layers->n; i++)
    {
      parameters += layers->layers[i].parameters;
      macs += layers->layers[i].macs;
      add_row (table, &layers->layers[i], (gint) i + 1);
    }
  parameter_text = layer_table_print_count (parameters);
  mac_text = layer_table_print_count (macs);
  text = g_strdup_printf (_("%d layers, %s parameters, %s multiply-adds for a photo"), (int) layers->n, parameter_text, mac_text);
  gtk_label_set_text (GTK_LABEL (table->totals), text);
  gtk_tree_view_set_cursor (GTK_TREE_VIEW (table->view), first, NULL, FALSE);
  gtk_tree_path_free (first);
}

static void
read_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkWidget) box = GTK_WIDGET (data); /* kept until now */
  LayerTable           *table = g_object_get_data (G_OBJECT (box), "layer-table");
  g_autoptr (GError)    error = NULL;
  Layers               *layers = g_task_propagate_pointer (G_TASK (result), &error);

  if (table && g_task_get_cancellable (G_TASK (result)) == table->cancellable)
    {
      g_clear_object (&table->cancellable);
      if (layers)
        show_layers (table, layers);
      else if (error)
        gtk_label_set_text (GTK_LABEL (table->totals), error->message);
    }
  g_clear_pointer (&layers, free_layers);
}

void
layer_table_show (GtkWidget *box, const char *model)
{
  LayerTable       *table = g_object_get_data (G_OBJECT (box), "layer-table");
  g_autoptr (GTask) task = NULL;

  if (table->cancellable)
    g_cancellable_cancel (table->cancellable);
  g_clear_object (&table->cancellable);
  gtk_list_store_clear (table->rows);
  gtk_label_set_text (GTK_LABEL (table->totals), "");
  gtk_label_set_text (GTK_LABEL (table->sentence), "");
  if (!model)
    return;
  table->cancellable = g_cancellable_new ();
  task = g_task_new (NULL, table->cancellable, read_ended, g_object_ref (box));
  g_task_set_task_data (task, g_strdup (model), g_free);
  g_task_run_in_thread (task, read_in_worker);
}

/* ---- the widget ----------------------------------------------------------------------------------------------- */

static void
row_selected (GtkTreeSelection *selection, LayerTable *table)
{
  GtkTreeIter      iter;
  g_autofree char *type = NULL, *text = NULL;
  const char      *sentence;

  if (!gtk_tree_selection_get_selected (selection, NULL, &iter))
    return;
  gtk_tree_model_get (GTK_TREE_MODEL (table->rows), &iter, COLUMN_OPERATOR, &type, -1);
  sentence = fovea_layer_explain (type);
  text = sentence ? g_strdup_printf ("%s: %s", type, _(sentence)) : g_strdup_printf (_("%s: nothing is written about this kind of layer."), type);
  gtk_label_set_text (GTK_LABEL (table->sentence), text);
}

/* The window goes: an answer that is still to come finds nothing to fill. */
static void
on_destroy (GtkWidget *box, LayerTable *table)
{
  if (table->cancellable)
    g_cancellable_cancel (table->cancellable);
  g_clear_object (&table->cancellable);
}

static void
free_table (gpointer data)
{
  LayerTable *table = data;

  g_object_unref (table->rows);
  g_free (table);
}

static void
make_columns (LayerTable *table)
{
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      GtkCellRenderer   *cell = gtk_cell_renderer_text_new ();
      GtkTreeViewColumn *column = gtk_tree_view_column_new_with_attributes (_(columns[i].title), cell, "text", columns[i].text, NULL);

      g_object_set (cell, "xalign", columns[i].right ? 1.0 : 0.0, NULL);
      if (columns[i].text == COLUMN_NAME)
        {
          g_object_set (cell, "ellipsize", PANGO_ELLIPSIZE_START, "width-chars", 10, NULL); /* the end of a long name tells more */
          gtk_tree_view_column_set_expand (column, TRUE);
        }
      gtk_tree_view_column_set_alignment (column, columns[i].right ? 1.0f : 0.0f);
      gtk_tree_view_column_set_sort_column_id (column, columns[i].sort);
      gtk_tree_view_column_set_resizable (column, TRUE);
      gtk_tree_view_append_column (GTK_TREE_VIEW (table->view), column);
      gtk_widget_set_tooltip_text (gtk_tree_view_column_get_button (column), _(columns[i].tooltip));
    }
}

GtkWidget *
layer_table_new (void)
{
  LayerTable *table = g_new0 (LayerTable, 1);
  GtkWidget  *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6), *scrolled = gtk_scrolled_window_new (NULL, NULL);
  GType       types[N_COLUMNS];

  for (int i = 0; i < N_COLUMNS; i++)
    types[i] = i == COLUMN_NUMBER ? G_TYPE_INT : i < COLUMN_KERNEL_SIZE ? G_TYPE_STRING : G_TYPE_INT64;
  table->rows = gtk_list_store_newv (N_COLUMNS, types);
  table->view = gtk_tree_view_new_with_model (GTK_TREE_MODEL (table->rows));
  table->sentence = dialog_text_new ();
  table->totals = dialog_text_new ();
  make_columns (table);
  atk_object_set_name (gtk_widget_get_accessible (table->view), _("Layers"));
  gtk_label_set_max_width_chars (GTK_LABEL (table->sentence), 110);
  gtk_label_set_max_width_chars (GTK_LABEL (table->totals), 110);
  gtk_style_context_add_class (gtk_widget_get_style_context (table->totals), "dim-label");
  g_signal_connect (gtk_tree_view_get_selection (GTK_TREE_VIEW (table->view)), "changed", G_CALLBACK (row_selected), table);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_container_add (GTK_CONTAINER (scrolled), table->view);
  gtk_box_pack_start (GTK_BOX (box), scrolled, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), table->sentence, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), table->totals, FALSE, FALSE, 0);
  g_object_set_data_full (G_OBJECT (box), "layer-table", table, free_table);
  g_signal_connect (box, "destroy", G_CALLBACK (on_destroy), table);
  return box;
}
