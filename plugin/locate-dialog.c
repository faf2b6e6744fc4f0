/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate-dialog.c: the window of Filters ▸ Fovea ▸ Locate…. It looks (look.h) as soon as it opens, and again when model, region or tiles change; threshold,
 * overlap and classes choose anew among what was found, at once.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>
#include <string.h>

#include "box-view.h"
#include "dialog.h"
#include "locate.h"
#include "look.h"

#define TABLE_WIDTH 300

enum { COLUMN_TICKED, COLUMN_NAME, COLUMN_SCORE, COLUMN_SIZE, COLUMN_AREA, COLUMN_OBJECT, N_COLUMNS };

/* What the user did to an object in the table; it stays when the sliders move. */
typedef struct
{
  gboolean unticked;
  char    *name; /* NULL: the network's */
} Edit;

typedef struct
{
  GimpProcedureConfig *config;
  GtkWidget           *dialog, *view, *table, *threshold, *overlap;
  GtkListStore        *rows;
  Look                *look;
  Location             location;
  gboolean             is_filling; /* the table or a slider is being set by us */
  int                  tiles;      /* of the look under way */
  gboolean             pyramid;
  FoveaObjects        *shown;      /* in the region's pixels, with the user's names */
  guint8              *ticked;     /* (shown->n) */
  GHashTable          *edits;      /* key_of () -> Edit */
} LocateDialog;

/* ---- what was found ------------------------------------------------------------------------------------------- */

static void
free_edit (gpointer data)
{
  Edit *edit = data;

  g_free (edit->name);
  g_free (edit);
}

static char *
key_of (const FoveaObject *object)
{
  return g_strdup_printf ("%" G_GSIZE_FORMAT " %.2f %.2f %.2f %.2f", object->index, object->x, object->y, object->width, object->height);
}

static Edit *
edit_of (LocateDialog *dialog, const FoveaObject *object)
{
  char *key = key_of (object);
  Edit *edit = g_hash_table_lookup (dialog->edits, key);

  if (edit)
    g_free (key);
  else
    g_hash_table_insert (dialog->edits, key, edit = g_new0 (Edit, 1));
  return edit;
}

/* What the sizes mean, and how many objects there are. */
static void
show_facts (LocateDialog *dialog)
{
  const FoveaSettings *settings = fovea_locator_get_settings (dialog->location.locator);
  g_autoptr (GString)  text = g_string_new (NULL);
  FoveaPhoto           photo = look_get_photo (dialog->look);
  gsize                n_ticked = 0, n = dialog->shown ? dialog->shown->n : 0;

  for (gsize i = 0; i < n; i++)
    n_ticked += dialog->ticked[i];
  g_string_append_printf (text, ngettext ("%d object, %d chosen.", "%d objects, %d chosen.", n), (int) n, (int) n_ticked);
  g_string_append_c (text, ' ');
  g_string_append_printf (text, _("%d×%d pixels, of which the network sees %d×%d at a time."), photo.width, photo.height, settings->width,
                          settings->height);
  if (fovea_locator_is_rough (dialog->location.locator))
    g_string_append_printf (text, " %s", _("This model names photos: its boxes are rough."));
  look_show_facts (dialog->look, text->str);
}

static void
fill_table (LocateDialog *dialog)
{
  dialog->is_filling = TRUE;
  gtk_list_store_clear (dialog->rows);
  for (gsize i = 0; dialog->shown && i < dialog->shown->n; i++)
    {
      const FoveaObject *object = &dialog->shown->objects[i];
      g_autofree char   *size = g_strdup_printf ("%.0f×%.0f", object->width, object->height);

      gtk_list_store_insert_with_values (dialog->rows, NULL, -1, COLUMN_TICKED, dialog->ticked[i] != 0, COLUMN_NAME, object->label, COLUMN_SCORE,
                                         100 * object->score, COLUMN_SIZE, size, COLUMN_AREA, object->width * object->height, COLUMN_OBJECT, (gint) i, -1);
    }
  dialog->is_filling = FALSE;
}

/* Chooses among the candidates as the settings say; the network doesn't run. */
static void
update_objects (LocateDialog *dialog)
{
  g_autoptr (GError) error = NULL;
  FoveaObjects      *objects;

  if (!dialog->location.candidates)
    return;
  objects = locate_choose (dialog->config, dialog->location.candidates, &error);
  if (!objects) /* an unknown class: what is shown stays while the user is still typing */
    {
      look_show_message (dialog->look, error->message);
      return;
    }
  look_show_message (dialog->look, objects->n ? NULL : _("Nothing is as sure as that. Lower the threshold, or try tiles."));
  box_view_set_objects (dialog->view, NULL, NULL);
  g_clear_pointer (&dialog->shown, fovea_objects_free);
  g_free (dialog->ticked);
  dialog->shown = objects;
  dialog->ticked = g_new (guint8, objects->n + 1);
  for (gsize i = 0; i < objects->n; i++)
    {
      const Edit *edit = edit_of (dialog, &objects->objects[i]);

      dialog->ticked[i] = !edit->unticked;
      if (!edit->name)
        continue;
      g_free (objects->objects[i].label);
      objects->objects[i].label = g_strdup (edit->name);
    }
  fill_table (dialog);
  box_view_set_objects (dialog->view, dialog->shown, dialog->ticked);
  show_facts (dialog);
}

static void
forget_answer (LocateDialog *dialog)
{
  box_view_set_objects (dialog->view, NULL, NULL);
  g_clear_pointer (&dialog->location.candidates, fovea_candidates_free);
  g_clear_pointer (&dialog->shown, fovea_objects_free);
  g_hash_table_remove_all (dialog->edits);
  fill_table (dialog);
}

/* ---- a look --------------------------------------------------------------------------------------------------- */

static gboolean
load (const char *model, gpointer data, GError **error)
{
  LocateDialog *dialog = data;

  g_clear_pointer (&dialog->location.locator, fovea_locator_free);
  g_clear_pointer (&dialog->location.model, fovea_model_unref);
  return locate_load (model, &dialog->location, error);
}

static void
set_slider (GtkWidget *slider, GimpProcedureConfig *config, const char *property, double otherwise)
{
  double value;

  g_object_get (config, property, &value, NULL);
  gtk_range_set_value (GTK_RANGE (slider), value >= 0 ? value : otherwise);
  gtk_widget_set_sensitive (slider, TRUE);
}

static void
loaded (gpointer data)
{
  LocateDialog        *dialog = data;
  const FoveaSettings *settings = fovea_locator_get_settings (dialog->location.locator);

  dialog->is_filling = TRUE;
  set_slider (dialog->threshold, dialog->config, "threshold", settings->threshold);
  set_slider (dialog->overlap, dialog->config, "overlap", settings->overlap);
  dialog->is_filling = FALSE;
}

static void
forget (gpointer data)
{
  LocateDialog *dialog = data;

  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, FALSE);
  forget_answer (dialog);
}

static void
show_photo (GdkPixbuf *photo, GdkPixbuf *small, gpointer data)
{
  LocateDialog *dialog = data;

  box_view_set_objects (dialog->view, NULL, NULL);
  photo_view_set_photo (dialog->view, photo, small);
}

static void
begin (gpointer data)
{
  LocateDialog *dialog = data;

  g_object_get (dialog->config, "tiles", &dialog->tiles, "pyramid", &dialog->pyramid, NULL);
  look_show_progress (dialog->look, dialog->tiles != 1);
}

static gboolean
run (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  LocateDialog *dialog = data;

  dialog->location.candidates = fovea_locator_run (dialog->location.locator, photo, dialog->tiles, dialog->pyramid, cancellable, progress, progress_data, error);
  return dialog->location.candidates != NULL;
}

static void
ended (gboolean done, gpointer data)
{
  LocateDialog *dialog = data;

  if (done)
    update_objects (dialog);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, done);
}

/* ---- the user's hand ------------------------------------------------------------------------------------------ */

static void
model_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  g_autofree char *model = NULL;

  g_object_get (config, "model", &model, NULL);
  if (dialog_is_choosing (model) || look_has_model (dialog->look))
    return;
  g_object_set (config, "threshold", -1.0, "overlap", -1.0, NULL); /* another model has its own */
  look_start (dialog->look);
}

static void
look_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  look_start (dialog->look);
}

static void
choice_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  if (!look_is_busy (dialog->look))
    update_objects (dialog);
}

static void
slider_moved (GtkRange *slider, LocateDialog *dialog)
{
  if (!dialog->is_filling)
    g_object_set (dialog->config, GTK_WIDGET (slider) == dialog->threshold ? "threshold" : "overlap", gtk_range_get_value (slider), NULL);
}

/* The object of a row of the table; -1: none. */
static gint
object_of_row (LocateDialog *dialog, const char *path, GtkTreeIter *iter)
{
  gint object = -1;

  if (gtk_tree_model_get_iter_from_string (GTK_TREE_MODEL (dialog->rows), iter, path))
    gtk_tree_model_get (GTK_TREE_MODEL (dialog->rows), iter, COLUMN_OBJECT, &object, -1);
  return dialog->shown && object < (gint) dialog->shown->n ? object : -1;
}

static void
row_ticked (GtkCellRendererToggle *cell, char *path, LocateDialog *dialog)
{
  GtkTreeIter iter;
  gint        object = object_of_row (dialog, path, &iter);

  if (object < 0)
    return;
  dialog->ticked[object] = !dialog->ticked[object];
  edit_of (dialog, &dialog->shown->objects[object])->unticked = !dialog->ticked[object];
  gtk_list_store_set (dialog->rows, &iter, COLUMN_TICKED, dialog->ticked[object] != 0, -1);
  box_view_set_objects (dialog->view, dialog->shown, dialog->ticked);
  box_view_select (dialog->view, object);
  show_facts (dialog);
}

static void
row_renamed (GtkCellRendererText *cell, char *path, char *name, LocateDialog *dialog)
{
  GtkTreeIter  iter;
  gint         object = object_of_row (dialog, path, &iter);
  FoveaObject *renamed = object >= 0 ? &dialog->shown->objects[object] : NULL;
  Edit        *edit;

  g_strstrip (name);
  if (!renamed || !*name)
    return;
  edit = edit_of (dialog, renamed);
  g_free (edit->name);
  edit->name = g_strdup (name);
  g_free (renamed->label);
  renamed->label = g_strdup (name);
  gtk_list_store_set (dialog->rows, &iter, COLUMN_NAME, name, -1);
  box_view_set_objects (dialog->view, dialog->shown, dialog->ticked);
  box_view_select (dialog->view, object);
}

static void
row_selected (GtkTreeSelection *selection, LocateDialog *dialog)
{
  GtkTreeIter iter;
  gint        object = -1;

  if (dialog->is_filling)
    return;
  if (gtk_tree_selection_get_selected (selection, NULL, &iter))
    gtk_tree_model_get (GTK_TREE_MODEL (dialog->rows), &iter, COLUMN_OBJECT, &object, -1);
  box_view_select (dialog->view, object);
}

/* A box was clicked: its row is selected and brought into view. */
static void
box_clicked (gint object, gpointer data)
{
  LocateDialog     *dialog = data;
  GtkTreeModel     *model = GTK_TREE_MODEL (dialog->rows);
  GtkTreeSelection *selection = gtk_tree_view_get_selection (GTK_TREE_VIEW (dialog->table));
  GtkTreeIter       iter;

  if (object < 0)
    gtk_tree_selection_unselect_all (selection);
  for (gboolean more = object >= 0 && gtk_tree_model_get_iter_first (model, &iter); more; more = gtk_tree_model_iter_next (model, &iter))
    {
      GtkTreePath *path;
      gint         of_row;

      gtk_tree_model_get (model, &iter, COLUMN_OBJECT, &of_row, -1);
      if (of_row != object)
        continue;
      path = gtk_tree_model_get_path (model, &iter);
      gtk_tree_selection_select_iter (selection, &iter);
      gtk_tree_view_scroll_to_cell (GTK_TREE_VIEW (dialog->table), path, NULL, FALSE, 0, 0);
      gtk_tree_path_free (path);
      return;
    }
}

/* ---- the window ----------------------------------------------------------------------------------------------- */

static GtkWidget *
make_slider (LocateDialog *dialog)
{
  GtkWidget *slider = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, 0, 1, 0.01);

  gtk_scale_set_value_pos (GTK_SCALE (slider), GTK_POS_RIGHT);
  gtk_widget_set_sensitive (slider, FALSE);
  g_signal_connect (slider, "value-changed", G_CALLBACK (slider_moved), dialog);
  return slider;
}

static void
add_column (LocateDialog *dialog, const char *title, GtkCellRenderer *cell, const char *attribute, gint column, gint sort, gboolean expand)
{
  GtkTreeViewColumn *view_column = gtk_tree_view_column_new_with_attributes (title, cell, attribute, column, NULL);

  gtk_tree_view_column_set_sort_column_id (view_column, sort);
  gtk_tree_view_column_set_expand (view_column, expand);
  gtk_tree_view_append_column (GTK_TREE_VIEW (dialog->table), view_column);
}

static void
print_score (GtkTreeViewColumn *column, GtkCellRenderer *cell, GtkTreeModel *model, GtkTreeIter *iter, gpointer unused)
{
  g_autofree char *text = NULL;
  double           score;

  gtk_tree_model_get (model, iter, COLUMN_SCORE, &score, -1);
  text = g_strdup_printf ("%.0f %%", score);
  g_object_set (cell, "text", text, NULL);
}

static GtkWidget *
make_table (LocateDialog *dialog)
{
  GtkWidget         *scrolled = gtk_scrolled_window_new (NULL, NULL);
  GtkCellRenderer   *tick = gtk_cell_renderer_toggle_new (), *name = gtk_cell_renderer_text_new (), *score = gtk_cell_renderer_text_new ();
  GtkTreeViewColumn *score_column = gtk_tree_view_column_new_with_attributes (_("Score"), score, NULL);

  dialog->rows = gtk_list_store_new (N_COLUMNS, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_DOUBLE, G_TYPE_STRING, G_TYPE_DOUBLE, G_TYPE_INT);
  dialog->table = gtk_tree_view_new_with_model (GTK_TREE_MODEL (dialog->rows));
  g_object_set (name, "editable", TRUE, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  add_column (dialog, "", tick, "active", COLUMN_TICKED, COLUMN_TICKED, FALSE);
  add_column (dialog, _("Name"), name, "text", COLUMN_NAME, COLUMN_NAME, TRUE);
  gtk_tree_view_column_set_cell_data_func (score_column, score, print_score, NULL, NULL);
  gtk_tree_view_column_set_sort_column_id (score_column, COLUMN_SCORE);
  gtk_tree_view_append_column (GTK_TREE_VIEW (dialog->table), score_column);
  add_column (dialog, _("Size"), gtk_cell_renderer_text_new (), "text", COLUMN_SIZE, COLUMN_AREA, FALSE);
  g_signal_connect (tick, "toggled", G_CALLBACK (row_ticked), dialog);
  g_signal_connect (name, "edited", G_CALLBACK (row_renamed), dialog);
  g_signal_connect (gtk_tree_view_get_selection (GTK_TREE_VIEW (dialog->table)), "changed", G_CALLBACK (row_selected), dialog);
  atk_object_set_name (gtk_widget_get_accessible (dialog->table), _("Objects"));
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_widget_set_size_request (scrolled, TABLE_WIDTH, 130);
  gtk_container_add (GTK_CONTAINER (scrolled), dialog->table);
  return scrolled;
}

/* A row that means something only for some of what is made. */
static void
attach_output_row (LocateDialog *dialog, GtkGrid *grid, int row, const char *outputs, const char *label, const char *tooltip, GtkWidget *widget)
{
  dialog_attach (grid, row, label, tooltip, widget);
  dialog_bind_output (dialog->config, widget, outputs);
}

static GtkWidget *
make_settings (LocateDialog *dialog)
{
  GtkWidget        *grid = gtk_grid_new ();
  GObject          *config = G_OBJECT (dialog->config);
  const char *const region_rows[] = { "layer", _("The layer"), "image", _("The whole image"), "selection", _("The selection"), NULL };
  const char *const output_rows[] = { "overlay", _("Frames with names"), "paths", _("Paths"), "selection", _("A selection"), "crops", _("A layer of each"),
                                      "guides", _("Guides"), "hide", _("Hide them"), "none", _("Nothing"), NULL };
  const char *const operation_rows[] = { "replace", _("Replace it"), "add", _("Add to it"), "subtract", _("Subtract from it"), "intersect", _("Intersect with it"),
                                         NULL };
  const char *const style_rows[] = { "blur", _("Blurring"), "pixelate", _("Pixelating"), "fill", _("Black"), NULL };
  g_autoptr (GtkListStore) region_store = dialog_make_store (region_rows), output_store = dialog_make_store (output_rows);
  g_autoptr (GtkListStore) operation_store = dialog_make_store (operation_rows), style_store = dialog_make_store (style_rows);

  gtk_grid_set_row_spacing (GTK_GRID (grid), 3); /* more, and the window would be too high for a laptop */
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog->threshold = make_slider (dialog);
  dialog->overlap = make_slider (dialog);
  dialog_attach (GTK_GRID (grid), 0, _("_Model"), _("The network that looks"), dialog_model_combo_new (dialog->config, FOVEA_TASK_DETECT, dialog->dialog));
  dialog_attach (GTK_GRID (grid), 1, _("L_ook at"), _("The part of the image where objects are looked for"),
                 gimp_prop_string_combo_box_new (config, "region", GTK_TREE_MODEL (region_store), 0, 1));
  dialog_attach (GTK_GRID (grid), 2, _("_Tiles"), _("For small objects: parts along the longer side that are looked at, too. 1: none; 0: as many as are useful"),
                 gimp_prop_spin_button_new (config, "tiles", 1, 4, 0));
  dialog_attach (GTK_GRID (grid), 3, _("Threshol_d"), _("Leave out objects less sure than this"), dialog->threshold);
  dialog_attach (GTK_GRID (grid), 4, _("O_verlap"), _("Of boxes of a class that overlap more than this, keep the best"), dialog->overlap);
  dialog_attach (GTK_GRID (grid), 5, _("Class_es"), _("Only objects of these names, commas between; empty: all"), gimp_prop_entry_new (config, "classes", -1));
  gtk_grid_attach (GTK_GRID (grid), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL), 0, 6, 2, 1);
  dialog_attach (GTK_GRID (grid), 7, _("Ma_ke"), _("What the objects become"),
                 gimp_prop_string_combo_box_new (config, "output", GTK_TREE_MODEL (output_store), 0, 1));
  attach_output_row (dialog, GTK_GRID (grid), 8, "selection", _("Selectio_n there"), _("What happens to the selection that the image has"),
                     gimp_prop_string_combo_box_new (config, "operation", GTK_TREE_MODEL (operation_store), 0, 1));
  attach_output_row (dialog, GTK_GRID (grid), 9, "selection crops hide", _("Mar_gin"), _("Widen the boxes by this share of their sides, on each side"),
                     gimp_prop_spin_button_new (config, "margin", 0.05, 0.1, 2));
  attach_output_row (dialog, GTK_GRID (grid), 10, "hide", _("H_ide by"), _("How objects are hidden"),
                     gimp_prop_string_combo_box_new (config, "hide-style", GTK_TREE_MODEL (style_store), 0, 1));
  return grid;
}

static GtkWidget *
make_content (LocateDialog *dialog)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *table = make_table (dialog);

  dialog->view = box_view_new (box_clicked, dialog);
  gtk_box_pack_start (GTK_BOX (left), dialog->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), look_get_status (dialog->look), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (right), table, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (right), make_settings (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), right, FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  return columns;
}

/* The ticked objects, with the user's names, in the image's pixels. */
static FoveaObjects *
take_ticked (LocateDialog *dialog)
{
  FoveaObjects *objects = g_new0 (FoveaObjects, 1);

  objects->objects = g_new0 (FoveaObject, dialog->shown->n + 1);
  for (gsize i = 0; i < dialog->shown->n; i++)
    if (dialog->ticked[i])
      {
        objects->objects[objects->n] = dialog->shown->objects[i];
        objects->objects[objects->n++].label = g_strdup (dialog->shown->objects[i].label);
      }
  locate_to_image (objects, dialog->location.reader);
  return objects;
}

gboolean
locate_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Location *location)
{
  static const char *const looks[] = { "notify::region", "notify::tiles", "notify::pyramid", NULL };
  static const char *const choices[] = { "notify::threshold", "notify::overlap", "notify::classes", "notify::max-objects", NULL };
  static const LookSteps steps = { load, loaded, forget, show_photo, begin, run, ended };
  LocateDialog dialog = { .config = config };
  gboolean     ok;

  gimp_ui_init ("fovea");
  dialog.look = look_new (config, image, drawables, "layer", &steps, &dialog);
  dialog.edits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_edit);
  dialog.dialog = gimp_procedure_dialog_new (procedure, config, _("Locate"));
  gimp_procedure_dialog_set_ok_label (GIMP_PROCEDURE_DIALOG (dialog.dialog), _("_Apply"));
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), make_content (&dialog), TRUE, TRUE, 0);
  g_signal_connect (config, "notify::model", G_CALLBACK (model_changed), &dialog);
  for (guint i = 0; looks[i]; i++)
    g_signal_connect (config, looks[i], G_CALLBACK (look_changed), &dialog);
  for (guint i = 0; choices[i]; i++)
    g_signal_connect (config, choices[i], G_CALLBACK (choice_changed), &dialog);
  look_start (dialog.look);

  ok = gimp_procedure_dialog_run (GIMP_PROCEDURE_DIALOG (dialog.dialog));

  g_signal_handlers_disconnect_by_data (config, &dialog);
  ok = ok && dialog.shown && dialog.location.candidates && !look_is_busy (dialog.look);
  if (ok)
    {
      dialog.location.reader = look_take_reader (dialog.look);
      dialog.location.objects = take_ticked (&dialog);
    }
  show_photo (NULL, NULL, &dialog);
  look_free (dialog.look);
  gtk_widget_destroy (dialog.dialog);
  g_clear_object (&dialog.rows);
  g_clear_pointer (&dialog.shown, fovea_objects_free);
  g_hash_table_unref (dialog.edits);
  g_free (dialog.ticked);
  *location = dialog.location;
  return ok;
}
