/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-dialog.c: see label-dialog.h. The label layers are the truth: they are read again whenever the window gets the focus and after each change, in bands when the
 * main loop is idle, so that large images don't make it stand still. Each change is one undo step of GIMP's.
 */

#include "label-dialog.h"

#include <libgimp/gimpui.h>

#include <glib/gi18n.h>

#include "arguments.h"
#include "dialog.h"
#include "label-examples.h"
#include "label-results.h"
#include "label.h"
#include "pixels.h"

#define LIST_WIDTH  420
#define LIST_HEIGHT 190
#define SWATCH      16 /* pixels */
#define SETTLE_MS   400

enum { COLUMN_COLOUR, COLUMN_NAME, COLUMN_HAS, N_COLUMNS };

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *dialog, *view, *opacity, *make, *add, *remove, *paint, *missing, *message;
  GtkListStore        *store;
  GtkCellRenderer     *name;
  LabelLayers         *labels;     /* as they were read last; NULL: there are none */
  LabelCounter        *counter;    /* counts them; NULL: they are counted */
  guint                counting;   /* the idle source; 0: none */
  GimpLayer           *sliding;    /* the group whose opacity is being changed; NULL: none */
  double               opacity_before;
  guint                settling;   /* the source that ends it; 0: none */
  gboolean             is_filling; /* the widgets follow the labels */
} LabelDialog;

/* ---- what there is ------------------------------------------------------------------------------------------------- */

static void
tell (GtkWidget *label, const char *text)
{
  gtk_label_set_text (GTK_LABEL (label), text ? text : "");
}

static char *
describe (const LabelCount *count, FoveaTask task)
{
  if (task == FOVEA_TASK_CLASSIFY)
    return g_strdup_printf (ngettext ("%u photo", "%u photos", count->layers), count->layers);
  if (task == FOVEA_TASK_DETECT)
    return g_strdup_printf (ngettext ("%u object", "%u objects", count->objects->len), count->objects->len);
  return g_strdup_printf (ngettext ("%u pixel", "%u pixels", count->pixels), (guint) count->pixels);
}

static void
show_counts (LabelDialog *dialog, const LabelCounts *counts)
{
  g_auto (GStrv)   advice = label_counts_advise (counts, dialog->labels);
  g_autofree char *text = g_strjoinv ("\n", advice);
  GtkTreeModel    *model = GTK_TREE_MODEL (dialog->store);
  GtkTreeIter      row;
  guint            i = 0;

  for (gboolean any = gtk_tree_model_get_iter_first (model, &row); any && i < counts->n; any = gtk_tree_model_iter_next (model, &row), i++)
    {
      g_autofree char *has = describe (&counts->classes[i], dialog->labels->task);

      gtk_list_store_set (dialog->store, &row, COLUMN_HAS, has, -1);
    }
  tell (dialog->missing, *text ? text : _("Nothing is missing: choose Train…"));
}

static void
stop_counting (LabelDialog *dialog)
{
  g_clear_handle_id (&dialog->counting, g_source_remove);
  g_clear_pointer (&dialog->counter, label_counter_free);
}

/* A band. */
static gboolean
count (gpointer data)
{
  LabelDialog            *dialog = data;
  g_autoptr (LabelCounts) counts = NULL;

  if (label_counter_step (dialog->counter))
    return G_SOURCE_CONTINUE;
  counts = label_counter_finish (dialog->counter);
  dialog->counting = 0;
  stop_counting (dialog);
  show_counts (dialog, counts);
  return G_SOURCE_REMOVE;
}

static GdkPixbuf *
make_swatch (const guint8 rgb[3])
{
  GdkPixbuf *swatch = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, SWATCH, SWATCH);

  gdk_pixbuf_fill (swatch, (guint32) rgb[0] << 24 | (guint32) rgb[1] << 16 | (guint32) rgb[2] << 8 | 255u);
  return swatch;
}

static gint
get_chosen (const LabelDialog *dialog)
{
  GtkTreeIter               row;
  g_autoptr (GtkTreePath)   path = NULL;

  if (!gtk_tree_selection_get_selected (gtk_tree_view_get_selection (GTK_TREE_VIEW (dialog->view)), NULL, &row))
    return -1;
  path = gtk_tree_model_get_path (GTK_TREE_MODEL (dialog->store), &row);
  return gtk_tree_path_get_indices (path)[0];
}

static void
update_buttons (LabelDialog *dialog)
{
  gboolean chosen = get_chosen (dialog) >= 0;

  gtk_widget_set_sensitive (dialog->remove, chosen);
  gtk_widget_set_sensitive (dialog->paint, chosen);
  gtk_widget_set_sensitive (dialog->add, dialog->labels != NULL);
  gtk_widget_set_sensitive (dialog->opacity, dialog->labels != NULL);
}

/* Reads the labels again; the class that is chosen stays so. */
static void
look (LabelDialog *dialog)
{
  g_autoptr (GError)       error = NULL;
  gint                     chosen = get_chosen (dialog);
  g_autoptr (GtkTreePath)  path = NULL;

  stop_counting (dialog);
  g_clear_pointer (&dialog->labels, label_layers_free);
  if (pixels_check_image (dialog->image, &error) && label_layers_find (dialog->image))
    dialog->labels = label_layers_read (dialog->image, &error);
  dialog->is_filling = TRUE;
  gtk_list_store_clear (dialog->store);
  for (guint i = 0; dialog->labels && i < dialog->labels->n; i++)
    {
      g_autoptr (GdkPixbuf) swatch = make_swatch (dialog->labels->classes[i].rgb);

      gtk_list_store_insert_with_values (dialog->store, NULL, -1, COLUMN_COLOUR, swatch, COLUMN_NAME, dialog->labels->classes[i].name, COLUMN_HAS, "…", -1);
    }
  gtk_range_set_value (GTK_RANGE (dialog->opacity), dialog->labels ? gimp_layer_get_opacity (dialog->labels->group) : LABEL_LAYERS_OPACITY);
  dialog->is_filling = FALSE;
  if (chosen >= 0 && dialog->labels && (guint) chosen < dialog->labels->n)
    {
      path = gtk_tree_path_new_from_indices (chosen, -1);
      gtk_tree_selection_select_path (gtk_tree_view_get_selection (GTK_TREE_VIEW (dialog->view)), path);
    }
  tell (dialog->missing, error ? error->message : dialog->labels ? NULL : _("This image has no labels yet. Press Make to get a group of layers to paint examples on."));
  gtk_button_set_label (GTK_BUTTON (dialog->make), dialog->labels ? _("_Update") : _("_Make"));
  update_buttons (dialog);
  dialog->counter = dialog->labels ? label_counter_new (dialog->labels, NULL) : NULL;
  if (dialog->counter)
    dialog->counting = g_idle_add (count, dialog);
}

/* ---- what the user changes ------------------------------------------------------------------------------------------ */

/* After a change, which may have failed. */
static void
changed (LabelDialog *dialog, GError *error)
{
  tell (dialog->message, error ? error->message : NULL);
  g_clear_error (&error);
  look (dialog);
  gimp_displays_flush ();
}

static void
on_make (GtkButton *button, LabelDialog *dialog)
{
  GError                 *error = NULL;
  g_autoptr (LabelLayers) labels = pixels_check_image (dialog->image, &error) ? label_make (dialog->config, dialog->image, &error) : NULL;

  if (labels && labels->n > 0)
    label_layers_select (labels, 0);
  if (labels)
    g_object_set (dialog->config, "from", "", NULL); /* once is enough */
  changed (dialog, error);
}

/* A new class of a name that is free; it is chosen. */
static void
on_add (GtkButton *button, LabelDialog *dialog)
{
  GError                  *error = NULL;
  g_autofree char         *name = g_strdup (_("Object"));
  const char              *classes[] = { NULL, NULL };
  g_autoptr (LabelLayers)  labels = pixels_check_image (dialog->image, &error) ? label_layers_read (dialog->image, &error) : NULL, more = NULL;
  g_autoptr (GtkTreePath)  path = NULL;

  for (guint i = 2; labels && label_layers_index (labels, name) >= 0; i++)
    {
      g_free (name);
      name = g_strdup_printf (_("Object %u"), i);
    }
  classes[0] = name;
  more = labels ? label_layers_make (dialog->image, FOVEA_TASK_UNKNOWN, classes, &error) : NULL;
  changed (dialog, error);
  if (!more || !dialog->labels)
    return;
  path = gtk_tree_path_new_from_indices (MAX (label_layers_index (dialog->labels, name), 0), -1);
  gtk_tree_view_set_cursor (GTK_TREE_VIEW (dialog->view), path, NULL, FALSE);
}

/* The class by that number, if the labels are still as they are shown. */
static LabelLayers *
read_class (LabelDialog *dialog, gint index, GError **error)
{
  g_autoptr (LabelLayers) labels = pixels_check_image (dialog->image, error) ? label_layers_read (dialog->image, error) : NULL;

  if (!labels)
    return NULL;
  if (index >= 0 && (guint) index < labels->n && dialog->labels && (guint) index < dialog->labels->n
      && g_strcmp0 (labels->classes[index].name, dialog->labels->classes[index].name) == 0)
    return g_steal_pointer (&labels);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The label layers were changed meanwhile. Choose the class again."));
  return NULL;
}

static void
on_remove (GtkButton *button, LabelDialog *dialog)
{
  GError                 *error = NULL;
  gint                    index = get_chosen (dialog);
  g_autoptr (LabelLayers) labels = read_class (dialog, index, &error);

  if (labels)
    label_layers_remove (labels, (guint) index);
  changed (dialog, error);
}

static void
on_renamed (GtkCellRendererText *cell, const char *path, const char *name, LabelDialog *dialog)
{
  GError                 *error = NULL;
  gint                    index = (gint) g_ascii_strtoll (path, NULL, 10);
  g_autoptr (LabelLayers) labels = read_class (dialog, index, &error);

  if (labels && g_strcmp0 (labels->classes[index].name, name) != 0)
    label_layers_rename (labels, (guint) index, name, &error);
  changed (dialog, error);
}

/* Ready to paint: its layer is chosen, and its colour. */
static void
on_paint (GtkButton *button, LabelDialog *dialog)
{
  GError                 *error = NULL;
  gint                    index = get_chosen (dialog);
  g_autoptr (LabelLayers) labels = read_class (dialog, index, &error);
  g_autofree char        *text = NULL;

  if (labels)
    {
      label_layers_select (labels, (guint) index);
      text = g_strdup_printf (_("“%s” is chosen: paint on the photo with any brush."), labels->classes[index].name);
    }
  tell (dialog->message, error ? error->message : text);
  g_clear_error (&error);
  gimp_displays_flush ();
}

/* Without a step of Undo. */
static void
show_opacity (GimpLayer *group, double opacity)
{
  GimpImage *image = gimp_item_get_image (GIMP_ITEM (group));

  gimp_image_undo_freeze (image);
  gimp_layer_set_opacity (group, opacity);
  gimp_image_undo_thaw (image);
}

/* The slider rests: from where it began to here is one step of Undo. */
static gboolean
settle_opacity (gpointer data)
{
  LabelDialog *dialog = data;
  GimpLayer   *group = dialog->sliding;

  dialog->settling = 0;
  dialog->sliding = NULL;
  if (gimp_item_is_valid (GIMP_ITEM (group)))
    {
      show_opacity (group, dialog->opacity_before);
      gimp_layer_set_opacity (group, gtk_range_get_value (GTK_RANGE (dialog->opacity)));
      gimp_displays_flush ();
    }
  return G_SOURCE_REMOVE;
}

static void
on_opacity (GtkRange *range, LabelDialog *dialog)
{
  GimpLayer *group = dialog->labels ? dialog->labels->group : NULL;

  if (dialog->is_filling || !group || !gimp_item_is_valid (GIMP_ITEM (group)))
    return;
  if (!dialog->sliding)
    {
      dialog->sliding = group;
      dialog->opacity_before = gimp_layer_get_opacity (group);
    }
  show_opacity (group, gtk_range_get_value (range));
  g_clear_handle_id (&dialog->settling, g_source_remove);
  dialog->settling = g_timeout_add (SETTLE_MS, settle_opacity, dialog);
  gimp_displays_flush ();
}

/* ---- the window ------------------------------------------------------------------------------------------------------- */

static void
on_chosen (GtkTreeSelection *selection, LabelDialog *dialog)
{
  if (!dialog->is_filling)
    update_buttons (dialog);
}

/* The user may have painted meanwhile; not while a name is being typed. */
static gboolean
on_focus (GtkWidget *window, GdkEvent *event, LabelDialog *dialog)
{
  gboolean is_typing;

  g_object_get (dialog->name, "editing", &is_typing, NULL);
  if (!is_typing)
    look (dialog);
  return GDK_EVENT_PROPAGATE;
}

static GtkWidget *
make_list (LabelDialog *dialog)
{
  GtkWidget       *scrolled = gtk_scrolled_window_new (NULL, NULL);
  GtkCellRenderer *name = gtk_cell_renderer_text_new ();

  dialog->store = gtk_list_store_new (N_COLUMNS, GDK_TYPE_PIXBUF, G_TYPE_STRING, G_TYPE_STRING);
  dialog->view = gtk_tree_view_new_with_model (GTK_TREE_MODEL (dialog->store));
  g_object_unref (dialog->store); /* the view's */
  dialog->name = name;
  g_object_set (name, "editable", TRUE, NULL);
  g_signal_connect (name, "edited", G_CALLBACK (on_renamed), dialog);
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (dialog->view), -1, "", gtk_cell_renderer_pixbuf_new (), "pixbuf", COLUMN_COLOUR, NULL);
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (dialog->view), -1, _("Class"), name, "text", COLUMN_NAME, NULL);
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (dialog->view), -1, _("Has"), gtk_cell_renderer_text_new (), "text", COLUMN_HAS, NULL);
  gtk_tree_view_column_set_expand (gtk_tree_view_get_column (GTK_TREE_VIEW (dialog->view), COLUMN_NAME), TRUE);
  gtk_tree_view_set_search_column (GTK_TREE_VIEW (dialog->view), COLUMN_NAME);
  gtk_widget_set_tooltip_text (dialog->view, _("A name can be changed with a double click, or in GIMP's own list of layers"));
  atk_object_set_name (gtk_widget_get_accessible (dialog->view), _("Classes"));
  g_signal_connect (gtk_tree_view_get_selection (GTK_TREE_VIEW (dialog->view)), "changed", G_CALLBACK (on_chosen), dialog);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_widget_set_size_request (scrolled, LIST_WIDTH, LIST_HEIGHT);
  gtk_container_add (GTK_CONTAINER (scrolled), dialog->view);
  return scrolled;
}

static GtkWidget *
make_button (LabelDialog *dialog, const char *label, const char *tooltip, GCallback clicked)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_widget_set_tooltip_text (button, tooltip);
  g_signal_connect (button, "clicked", clicked, dialog);
  return button;
}

/* What the labels are for and begin with. The installed models follow what is there already. */
static GtkWidget *
make_settings (LabelDialog *dialog)
{
  const char *const    task_rows[] = { "as-is", _("What they were for; pixels at first"), "segment", _("Pixels"), "detect", _("Objects: each blob or path is one"), "classify",
                                       _("Whole images: layers in a group for each class"), NULL };
  const char *const    begin[] = { "", _("Nothing: I paint"), LABEL_FROM_RESULT, _("A result of Segment or Locate in this image") };
  g_autoptr (GPtrArray)    from = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv)           models = fovea_list_models ();
  g_autoptr (GtkListStore) tasks = dialog_make_store (task_rows), begins = NULL;
  GtkWidget               *grid = gtk_grid_new ();

  for (guint i = 0; i < G_N_ELEMENTS (begin); i++)
    g_ptr_array_add (from, g_strdup (begin[i]));
  for (guint i = 0; models[i]; i++)
    {
      g_ptr_array_add (from, g_strdup (models[i]));
      g_ptr_array_add (from, g_strdup_printf (_("What “%s” finds"), models[i]));
    }
  g_ptr_array_add (from, NULL);
  begins = dialog_make_store ((const char *const *) from->pdata);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog_attach (GTK_GRID (grid), 0, _("_For"), _("What the labels are for"), gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "task", GTK_TREE_MODEL (tasks), 0, 1));
  dialog_attach (GTK_GRID (grid), 1, _("_Begin with"), _("A model's masks or boxes become labels, which you correct"),
                 gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "from", GTK_TREE_MODEL (begins), 0, 1));
  dialog->make = make_button (dialog, _("_Make"), _("Makes the group, or what it lacks of this"), G_CALLBACK (on_make));
  gtk_style_context_add_class (gtk_widget_get_style_context (dialog->make), "suggested-action");
  gtk_grid_attach (GTK_GRID (grid), dialog->make, 0, 2, 2, 1);
  return grid;
}

static GtkWidget *
make_classes (LabelDialog *dialog)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *grid = gtk_grid_new ();

  dialog->add = make_button (dialog, _("_Add a class"), _("A layer of its own, in the colour that is free"), G_CALLBACK (on_add));
  dialog->remove = make_button (dialog, _("_Remove"), _("The class with all its layers; GIMP's Undo brings them back"), G_CALLBACK (on_remove));
  dialog->paint = make_button (dialog, _("_Paint it"), _("Chooses its layer and its colour"), G_CALLBACK (on_paint));
  gtk_box_pack_start (GTK_BOX (row), dialog->add, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), dialog->paint, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), dialog->remove, TRUE, TRUE, 0);
  dialog->opacity = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, 0, 100, 1);
  gtk_scale_set_value_pos (GTK_SCALE (dialog->opacity), GTK_POS_RIGHT);
  g_signal_connect (dialog->opacity, "value-changed", G_CALLBACK (on_opacity), dialog);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog_attach (GTK_GRID (grid), 0, _("_Opacity"), _("How much the labels cover the photo, per cent"), dialog->opacity);
  dialog->missing = dialog_text_new ();
  dialog->message = dialog_text_new ();
  gtk_box_pack_start (GTK_BOX (column), make_list (dialog), TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), grid, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), dialog->missing, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), dialog->message, FALSE, FALSE, 0);
  return column;
}

void
label_dialog_run (GimpProcedureConfig *config, GimpImage *image)
{
  LabelDialog dialog = { .config = config, .image = image };
  GtkWidget  *column;

  gimp_ui_init ("fovea");
  g_object_set (config, "from", "", "task", "as-is", NULL); /* those that were said for another image */
  dialog.dialog = gimp_dialog_new (_("Label Layers"), "fovea-label-layers", NULL, 0, gimp_standard_help_func, LABEL_PROCEDURE, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_pack_start (GTK_BOX (column), make_settings (&dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), make_classes (&dialog), TRUE, TRUE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (column), 12);
  gtk_widget_show_all (column);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), column, TRUE, TRUE, 0);
  g_signal_connect (dialog.dialog, "focus-in-event", G_CALLBACK (on_focus), &dialog);
  look (&dialog);
  gimp_dialog_run (GIMP_DIALOG (dialog.dialog));
  stop_counting (&dialog);
  if (dialog.settling)
    {
      g_source_remove (dialog.settling);
      settle_opacity (&dialog);
    }
  gtk_widget_destroy (dialog.dialog);
  g_clear_pointer (&dialog.labels, label_layers_free);
}
