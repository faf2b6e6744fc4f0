/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate-dialog.c: the window of Filters ▸ Fovea ▸ Locate…. It looks as soon as it opens, and again when model, region or tiles change; threshold, overlap and
 * classes choose anew among what was found, at once.
 *
 * One look goes through three stages: the model is loaded in a worker, pixels are copied band by band when the main loop is idle (GIMP is asked on the main
 * thread only), the network looks at the copy in a worker. A change cancels the look that is under way; the next begins as soon as its worker has let go. What
 * hasn't changed isn't done again.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>
#include <string.h>

#include "box-view.h"
#include "dialog.h"
#include "locate.h"

#define BAND_BYTES  (4 << 20)
#define TICK_MS     100
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
  GimpImage           *image;
  GimpDrawable       **drawables;
  GtkWidget           *dialog, *view, *table, *spinner, *bar, *message, *facts, *threshold, *overlap;
  GtkListStore        *rows;

  Location       location;
  char          *loaded;       /* the model's name as set, of location.locator */
  char          *region;       /* that the pixels are of; NULL: none have been read */
  guint8        *rgb;          /* (height, width, 3), the region's pixels */
  int            width, height, next_row;
  GCancellable  *cancellable;  /* of the look under way */
  gboolean       is_looking;   /* a worker or an idle source is at work */
  gboolean       look_again;   /* something changed meanwhile */
  gboolean       is_filling;   /* the table or a slider is being set by us */
  int            tiles;        /* of the look under way */
  gboolean       pyramid;
  gint           looked;       /* thousandths of the look; atomic */
  guint          tick;
  FoveaObjects  *shown;        /* in the region's pixels, with the user's names */
  guint8        *ticked;       /* (shown->n) */
  GHashTable    *edits;        /* key_of () -> Edit */
} LocateDialog;

static void start_look (LocateDialog *dialog);

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

static void
show_message (LocateDialog *dialog, const char *text)
{
  gtk_label_set_text (GTK_LABEL (dialog->message), text);
  gtk_widget_set_visible (dialog->message, text != NULL);
}

/* What the sizes mean, and how many objects there are. */
static void
show_facts (LocateDialog *dialog)
{
  const FoveaSettings *settings = fovea_locator_get_settings (dialog->location.locator);
  g_autoptr (GString)  text = g_string_new (NULL);
  gsize                n_ticked = 0, n = dialog->shown ? dialog->shown->n : 0;

  for (gsize i = 0; i < n; i++)
    n_ticked += dialog->ticked[i];
  g_string_append_printf (text, ngettext ("%d object, %d chosen.", "%d objects, %d chosen.", n), (int) n, (int) n_ticked);
  g_string_append_c (text, ' ');
  g_string_append_printf (text, _("%d×%d pixels, of which the network sees %d×%d at a time."), dialog->width, dialog->height, settings->width,
                          settings->height);
  if (fovea_locator_is_rough (dialog->location.locator))
    g_string_append_printf (text, " %s", _("This model names photos: its boxes are rough."));
  gtk_label_set_text (GTK_LABEL (dialog->facts), text->str);
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
      show_message (dialog, error->message);
      return;
    }
  show_message (dialog, objects->n ? NULL : _("Nothing is as sure as that. Lower the threshold, or try tiles."));
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

/* The look is over, well or not. */
static void
end_look (LocateDialog *dialog, const GError *error)
{
  dialog->is_looking = FALSE;
  if (dialog->look_again)
    {
      dialog->look_again = FALSE;
      start_look (dialog);
      return;
    }
  gtk_spinner_stop (GTK_SPINNER (dialog->spinner));
  gtk_widget_set_visible (dialog->bar, FALSE);
  if (error && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    show_message (dialog, error->message);
  else
    update_objects (dialog);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, dialog->location.candidates != NULL);
}

static gboolean
show_progress (gpointer data)
{
  LocateDialog *dialog = data;

  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (dialog->bar), g_atomic_int_get (&dialog->looked) / 1000.0);
  return G_SOURCE_CONTINUE;
}

static void
note_progress (double fraction, gpointer data)
{
  g_atomic_int_set (&((LocateDialog *) data)->looked, (gint) (1000 * fraction));
}

static gboolean
read_copy (gpointer data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  const LocateDialog *dialog = data;

  for (int row = 0; row < height; row++)
    memcpy (rgb + (gsize) row * row_stride, dialog->rgb + ((gsize) (y + row) * (gsize) dialog->width + (gsize) x) * 3, (gsize) width * 3);
  return TRUE;
}

static void
run_network (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LocateDialog    *dialog = data;
  const FoveaPhoto photo = { dialog->width, dialog->height, read_copy, dialog };
  GError          *error = NULL;

  dialog->location.candidates = fovea_locator_run (dialog->location.locator, &photo, dialog->tiles, dialog->pyramid, cancellable, note_progress, dialog, &error);
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void
network_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  end_look (data, error);
}

static void
start_network (LocateDialog *dialog)
{
  g_autoptr (GTask) task = g_task_new (NULL, dialog->cancellable, network_done, dialog);

  g_object_get (dialog->config, "tiles", &dialog->tiles, "pyramid", &dialog->pyramid, NULL);
  g_atomic_int_set (&dialog->looked, 0);
  gtk_widget_set_visible (dialog->bar, dialog->tiles != 1);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, run_network);
}

static gboolean
read_band (gpointer data)
{
  LocateDialog      *dialog = data;
  g_autoptr (GError) error = NULL;
  gsize              stride = (gsize) dialog->width * 3;
  int                rows = MIN ((int) MAX (BAND_BYTES / stride, 1), dialog->height - dialog->next_row);

  if (!g_cancellable_set_error_if_cancelled (dialog->cancellable, &error) && dialog->next_row < dialog->height)
    {
      pixel_reader_read (dialog->location.reader, 0, dialog->next_row, dialog->width, rows, dialog->rgb + (gsize) dialog->next_row * stride, stride, NULL);
      dialog->next_row += rows;
      return G_SOURCE_CONTINUE;
    }
  if (!error && pixel_reader_check_opaque (dialog->location.reader, &error))
    {
      g_object_get (dialog->config, "region", &dialog->region, NULL);
      box_view_set_photo (dialog->view, dialog->rgb, dialog->width, dialog->height);
      start_network (dialog);
      return G_SOURCE_REMOVE;
    }
  end_look (dialog, error);
  return G_SOURCE_REMOVE;
}

/* With the model there: the region's pixels, unless they have been read. */
static void
start_reading (LocateDialog *dialog)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *region = NULL;
  gsize              n_bytes;

  g_object_get (dialog->config, "region", &region, NULL);
  if (dialog->region && g_strcmp0 (region, dialog->region) == 0)
    {
      start_network (dialog);
      return;
    }
  box_view_set_photo (dialog->view, NULL, 0, 0);
  g_clear_pointer (&dialog->region, g_free);
  g_clear_pointer (&dialog->rgb, g_free);
  g_clear_pointer (&dialog->location.reader, pixel_reader_free);
  dialog->location.reader = pixel_reader_new (dialog->image, dialog->drawables, region, &error);
  if (dialog->location.reader)
    {
      pixel_reader_get_size (dialog->location.reader, &dialog->width, &dialog->height);
      n_bytes = (gsize) dialog->width * (gsize) dialog->height * 3;
      dialog->rgb = g_try_malloc (n_bytes);
      if (!dialog->rgb)
        g_set_error (&error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("There isn't memory enough for a copy of that part. Select a smaller one."));
    }
  if (error)
    {
      end_look (dialog, error);
      return;
    }
  dialog->next_row = 0;
  g_idle_add_full (G_PRIORITY_LOW, read_band, dialog, NULL);
}

static void
load_model (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LocateDialog *dialog = data;
  GError       *error = NULL;

  if (!locate_load (dialog->loaded, &dialog->location, &error))
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
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
model_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  LocateDialog        *dialog = data;
  const FoveaSettings *settings;
  g_autoptr (GError)   error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      g_clear_pointer (&dialog->loaded, g_free);
      end_look (dialog, error);
      return;
    }
  settings = fovea_locator_get_settings (dialog->location.locator);
  dialog->is_filling = TRUE;
  set_slider (dialog->threshold, dialog->config, "threshold", settings->threshold);
  set_slider (dialog->overlap, dialog->config, "overlap", settings->overlap);
  dialog->is_filling = FALSE;
  start_reading (dialog);
}

static void
start_look (LocateDialog *dialog)
{
  g_autofree char  *model = NULL;
  g_autoptr (GTask) task = NULL;

  if (dialog->is_looking)
    {
      dialog->look_again = TRUE;
      g_cancellable_cancel (dialog->cancellable);
      return;
    }
  dialog->is_looking = TRUE;
  g_clear_object (&dialog->cancellable);
  dialog->cancellable = g_cancellable_new ();
  gtk_spinner_start (GTK_SPINNER (dialog->spinner));
  show_message (dialog, NULL);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, FALSE);
  forget_answer (dialog);

  g_object_get (dialog->config, "model", &model, NULL);
  if (dialog->location.locator && g_strcmp0 (model, dialog->loaded) == 0)
    {
      start_reading (dialog);
      return;
    }
  g_clear_pointer (&dialog->location.locator, fovea_locator_free);
  g_clear_pointer (&dialog->location.model, fovea_model_unref);
  g_free (dialog->loaded);
  dialog->loaded = g_strdup (model ? model : "");
  task = g_task_new (NULL, NULL, model_loaded, dialog);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, load_model);
}

/* ---- the user's hand ------------------------------------------------------------------------------------------ */

static void
model_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  g_autofree char *model = NULL;

  g_object_get (config, "model", &model, NULL);
  if (dialog_is_choosing (model) || (g_strcmp0 (model, dialog->loaded) == 0 && dialog->location.locator))
    return;
  g_object_set (config, "threshold", -1.0, "overlap", -1.0, NULL); /* another model has its own */
  start_look (dialog);
}

static void
look_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  start_look (dialog);
}

static void
choice_changed (GimpProcedureConfig *config, GParamSpec *property, LocateDialog *dialog)
{
  if (!dialog->is_looking)
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
  gtk_widget_set_size_request (scrolled, TABLE_WIDTH, 150);
  gtk_container_add (GTK_CONTAINER (scrolled), dialog->table);
  return scrolled;
}

/* Which settings mean something for what is made. */
static void
output_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *grid)
{
  static const struct
  {
    const char *row, *outputs;
  } rows[] = { { "operation", "selection" }, { "margin", "selection crops hide" }, { "hide-style", "hide" } };
  g_autofree char *output = NULL;

  g_object_get (config, "output", &output, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    gtk_widget_set_sensitive (g_object_get_data (G_OBJECT (grid), rows[i].row), output && strstr (rows[i].outputs, output) != NULL);
}

static GtkWidget *
make_output_row (GtkWidget *grid, int row, const char *property, const char *label, const char *tooltip, GtkWidget *widget)
{
  dialog_attach (GTK_GRID (grid), row, label, tooltip, widget);
  g_object_set_data (G_OBJECT (grid), property, widget);
  return widget;
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

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog->threshold = make_slider (dialog);
  dialog->overlap = make_slider (dialog);
  dialog_attach (GTK_GRID (grid), 0, _("_Model"), _("The network that looks"), dialog_model_combo_new (dialog->config, dialog->dialog));
  dialog_attach (GTK_GRID (grid), 1, _("Loo_k at"), _("The part of the image where objects are looked for"),
                 gimp_prop_string_combo_box_new (config, "region", GTK_TREE_MODEL (region_store), 0, 1));
  dialog_attach (GTK_GRID (grid), 2, _("_Tiles"), _("For small objects: parts along the longer side that are looked at, too. 1: none; 0: as many as are useful"),
                 gimp_prop_spin_button_new (config, "tiles", 1, 4, 0));
  dialog_attach (GTK_GRID (grid), 3, _("Threshol_d"), _("Leave out objects less sure than this"), dialog->threshold);
  dialog_attach (GTK_GRID (grid), 4, _("O_verlap"), _("Of boxes of a class that overlap more than this, keep the best"), dialog->overlap);
  dialog_attach (GTK_GRID (grid), 5, _("Class_es"), _("Only objects of these names, commas between; empty: all"), gimp_prop_entry_new (config, "classes", -1));
  gtk_grid_attach (GTK_GRID (grid), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL), 0, 6, 2, 1);
  dialog_attach (GTK_GRID (grid), 7, _("Ma_ke"), _("What the objects become"),
                 gimp_prop_string_combo_box_new (config, "output", GTK_TREE_MODEL (output_store), 0, 1));
  make_output_row (grid, 8, "operation", _("Selec_tion there"), _("What happens to the selection that the image has"),
                   gimp_prop_string_combo_box_new (config, "operation", GTK_TREE_MODEL (operation_store), 0, 1));
  make_output_row (grid, 9, "margin", _("Mar_gin"), _("Widen the boxes by this share of their sides, on each side"),
                   gimp_prop_spin_button_new (config, "margin", 0.05, 0.1, 2));
  make_output_row (grid, 10, "hide-style", _("H_ide by"), _("How objects are hidden"),
                   gimp_prop_string_combo_box_new (config, "hide-style", GTK_TREE_MODEL (style_store), 0, 1));
  output_changed (dialog->config, NULL, grid);
  g_signal_connect_object (config, "notify::output", G_CALLBACK (output_changed), grid, 0);
  return grid;
}

static GtkWidget *
make_label (void)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 60);
  return label;
}

static GtkWidget *
make_content (LocateDialog *dialog)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *below = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *table = make_table (dialog);

  dialog->view = box_view_new (box_clicked, dialog);
  dialog->spinner = gtk_spinner_new ();
  dialog->bar = gtk_progress_bar_new ();
  dialog->message = make_label ();
  dialog->facts = make_label ();
  gtk_style_context_add_class (gtk_widget_get_style_context (dialog->facts), "dim-label");
  gtk_box_pack_start (GTK_BOX (below), dialog->facts, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (below), dialog->spinner, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->bar, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), below, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (right), table, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (right), make_settings (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), right, FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  gtk_widget_hide (dialog->bar);
  gtk_widget_hide (dialog->message);
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
  LocateDialog dialog = { .config = config, .image = image, .drawables = drawables };
  gboolean     ok;

  gimp_ui_init ("fovea");
  dialog.edits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_edit);
  dialog.dialog = gimp_procedure_dialog_new (procedure, config, _("Locate"));
  gimp_procedure_dialog_set_ok_label (GIMP_PROCEDURE_DIALOG (dialog.dialog), _("_Apply"));
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), make_content (&dialog), TRUE, TRUE, 0);
  g_signal_connect (config, "notify::model", G_CALLBACK (model_changed), &dialog);
  for (guint i = 0; looks[i]; i++)
    g_signal_connect (config, looks[i], G_CALLBACK (look_changed), &dialog);
  for (guint i = 0; choices[i]; i++)
    g_signal_connect (config, choices[i], G_CALLBACK (choice_changed), &dialog);
  dialog.tick = g_timeout_add (TICK_MS, show_progress, &dialog);
  start_look (&dialog);

  ok = gimp_procedure_dialog_run (GIMP_PROCEDURE_DIALOG (dialog.dialog));

  g_signal_handlers_disconnect_by_data (config, &dialog);
  dialog.look_again = FALSE;
  g_cancellable_cancel (dialog.cancellable);
  while (dialog.is_looking)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (dialog.tick);
  box_view_set_photo (dialog.view, NULL, 0, 0);
  gtk_widget_destroy (dialog.dialog);
  ok = ok && dialog.shown && dialog.location.candidates;
  if (ok)
    dialog.location.objects = take_ticked (&dialog);
  g_clear_object (&dialog.cancellable);
  g_clear_object (&dialog.rows);
  g_clear_pointer (&dialog.shown, fovea_objects_free);
  g_hash_table_unref (dialog.edits);
  g_free (dialog.ticked);
  g_free (dialog.loaded);
  g_free (dialog.region);
  g_free (dialog.rgb);
  *location = dialog.location;
  return ok;
}
