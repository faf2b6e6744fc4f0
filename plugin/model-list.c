/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-list.c: see model-list.h. Files are looked at in a worker; what the engine does to them (own-models.c) is a rename, and done at once.
 */

#include "model-list.h"

#include <glib/gi18n.h>
#include <string.h>

#include "card-view.h"
#include "dialog.h"
#include "fovea.h"
#include "layer-table.h"
#include "models.h"

enum { COLUMN_NAME, COLUMN_TASK, COLUMN_DEFAULT, COLUMN_ORIGIN, COLUMN_SIZE_TEXT, COLUMN_LICENCE, COLUMN_ACCURACY, COLUMN_DATE, COLUMN_SIZE, COLUMN_FACTS, N_COLUMNS };

#define TABLE_HEIGHT 170 /* pixels */

struct _ModelList
{
  GtkWindow    *window;
  GtkWidget    *widget, *view, *message, *place, *card, *layers, *make_default, *rename, *remove, *undo, *show_place;
  GtkListStore *rows;
  GtkTreeViewColumn *name_column;
  GPtrArray    *facts;       /* of FoveaModelFacts; what is in the table */
  GPtrArray    *deleted;     /* of char*: where the engine keeps them, oldest first */
  char         *wanted;      /* to be chosen when the reading is done */
  GCancellable *cancellable; /* of the reading under way; NULL: none */
  gboolean      is_busy, is_filling;
};

static const char *
task_text (FoveaTask task)
{
  switch (task)
    {
    case FOVEA_TASK_CLASSIFY: return _("Classify");
    case FOVEA_TASK_DETECT:   return _("Locate");
    case FOVEA_TASK_SEGMENT:  return _("Segment");
    default:                  return _("Unknown");
    }
}

static const char *
origin_text (FoveaOrigin origin)
{
  switch (origin)
    {
    case FOVEA_ORIGIN_BUILT_IN: return _("Built-in");
    case FOVEA_ORIGIN_TRAINED:  return _("Trained");
    case FOVEA_ORIGIN_IMPORTED: return _("Imported");
    default:                    return _("Other");
    }
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static void
read_facts (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_auto (GStrv) names = fovea_list_models ();
  GPtrArray     *facts = g_ptr_array_new_with_free_func ((GDestroyNotify) fovea_model_facts_free);

  for (char **name = names; *name && !g_cancellable_is_cancelled (cancellable); name++)
    g_ptr_array_add (facts, fovea_model_facts_new (*name));
  g_task_return_pointer (task, facts, (GDestroyNotify) g_ptr_array_unref);
}

/* What is told of a task where nobody has chosen a model: the first one that its filter would take. */
static const char *
find_automatic (const ModelList *list, FoveaTask task)
{
  g_auto (GStrv) names = models_to_try (task);

  for (char **name = names; *name; name++)
    for (guint i = 0; i < list->facts->len; i++)
      {
        const FoveaModelFacts *facts = g_ptr_array_index (list->facts, i);

        if (strcmp (facts->name, *name) == 0 && facts->task == task && !facts->fault)
          return facts->name;
      }
  return NULL;
}

static const char *
default_text (const ModelList *list, const FoveaModelFacts *facts)
{
  g_autofree char *chosen = facts->task ? fovea_get_default_model (facts->task) : NULL;

  if (chosen)
    return strcmp (chosen, facts->name) == 0 ? _("Default") : "";
  return facts->task && g_strcmp0 (find_automatic (list, facts->task), facts->name) == 0 ? _("Automatic") : "";
}

static void
fill_rows (ModelList *list)
{
  for (guint i = 0; i < list->facts->len; i++)
    {
      const FoveaModelFacts *facts = g_ptr_array_index (list->facts, i);
      g_autofree char       *size = g_format_size (facts->size);

      gtk_list_store_insert_with_values (list->rows, NULL, -1, COLUMN_NAME, facts->name, COLUMN_TASK, task_text (facts->task), COLUMN_DEFAULT,
                                         default_text (list, facts), COLUMN_ORIGIN, facts->fault ? _("Broken") : origin_text (facts->origin), COLUMN_SIZE_TEXT,
                                         size, COLUMN_LICENCE,
                                         facts->licence                            ? facts->licence
                                         : facts->origin == FOVEA_ORIGIN_BUILT_IN ? _("as Fovea's")
                                         : facts->origin == FOVEA_ORIGIN_TRAINED  ? _("yours")
                                                                                   : _("unknown"),
                                         COLUMN_ACCURACY, facts->accuracy ? facts->accuracy : "", COLUMN_DATE, facts->date ? facts->date : "", COLUMN_SIZE,
                                         facts->size, COLUMN_FACTS, (gint) i, -1);
    }
}

/* The facts of a row, or of the chosen one where iter is NULL. */
static const FoveaModelFacts *
get_facts (ModelList *list, GtkTreeIter *iter)
{
  GtkTreeIter chosen;
  gint        index;

  if (!iter && !gtk_tree_selection_get_selected (gtk_tree_view_get_selection (GTK_TREE_VIEW (list->view)), NULL, &chosen))
    return NULL;
  gtk_tree_model_get (GTK_TREE_MODEL (list->rows), iter ? iter : &chosen, COLUMN_FACTS, &index, -1);
  return g_ptr_array_index (list->facts, index);
}

static void
choose_row (ModelList *list, const char *name)
{
  GtkTreeModel *model = GTK_TREE_MODEL (list->rows);
  GtkTreeIter   iter;
  GtkTreePath  *path = gtk_tree_path_new_first ();

  for (gboolean more = gtk_tree_model_get_iter_first (model, &iter); more; more = gtk_tree_model_iter_next (model, &iter))
    if (g_strcmp0 (get_facts (list, &iter)->name, name) == 0)
      {
        gtk_tree_path_free (path);
        path = gtk_tree_model_get_path (model, &iter);
      }
  gtk_tree_view_set_cursor (GTK_TREE_VIEW (list->view), path, NULL, FALSE);
  gtk_tree_path_free (path);
}

static void show_chosen (ModelList *list);

static void
reading_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  ModelList *list = data;
  GPtrArray *facts = g_task_propagate_pointer (G_TASK (result), NULL);

  list->is_busy = FALSE;
  if (!facts || g_cancellable_is_cancelled (list->cancellable))
    {
      g_clear_pointer (&facts, g_ptr_array_unref);
      return;
    }
  list->is_filling = TRUE;
  gtk_list_store_clear (list->rows); /* while each row still has its facts: they are asked for until it has gone */
  g_ptr_array_unref (list->facts);
  list->facts = facts;
  fill_rows (list);
  choose_row (list, list->wanted);
  list->is_filling = FALSE;
  show_chosen (list);
}

void
model_list_reload (ModelList *list, const char *name)
{
  g_autoptr (GTask)      task = NULL;
  const FoveaModelFacts *facts = name ? NULL : get_facts (list, NULL);

  if (name || facts)
    {
      char *wanted = g_strdup (name ? name : facts->name);

      g_free (list->wanted);
      list->wanted = wanted;
    }
  if (list->is_busy) /* it may have looked before the change: it looks again */
    {
      g_cancellable_cancel (list->cancellable);
      while (list->is_busy)
        g_main_context_iteration (NULL, TRUE);
    }
  g_clear_object (&list->cancellable);
  list->cancellable = g_cancellable_new ();
  list->is_busy = TRUE;
  task = g_task_new (NULL, list->cancellable, reading_ended, list);
  g_task_set_check_cancellable (task, FALSE);
  g_task_run_in_thread (task, read_facts);
}

/* ---- the chosen one ------------------------------------------------------------------------------------------- */

static void
show_message (ModelList *list, const char *text)
{
  gtk_label_set_text (GTK_LABEL (list->message), text ? text : "");
  gtk_widget_set_visible (list->message, text != NULL);
}

static void
show_card (ModelList *list, const FoveaModelFacts *facts)
{
  g_autoptr (FoveaModel) model = facts && !facts->fault ? fovea_model_load (facts->path, NULL) : NULL;
  g_autofree char       *card = model ? fovea_model_read_card (model) : NULL, *warning = NULL;
  g_autoptr (GString)    text = g_string_new (NULL);

  if (facts && facts->fault)
    g_string_append_printf (text, "%s\n\n", facts->fault);
  if (facts && facts->origin != FOVEA_ORIGIN_BUILT_IN && (facts->licence || facts->origin != FOVEA_ORIGIN_TRAINED) && (warning = fovea_licence_warn (facts->licence)))
    g_string_append_printf (text, "%s\n\n", warning);
  g_string_append (text, card && *card ? card : facts ? _("This model has no card: nobody has written down what it is good for.") : "");
  card_view_set_text (list->card, text->str);
}

static void
show_chosen (ModelList *list)
{
  const FoveaModelFacts *facts = list->is_filling ? NULL : get_facts (list, NULL);
  g_autofree char       *shown = facts && facts->path ? g_filename_display_name (facts->path) : NULL;

  if (list->is_filling)
    return;
  gtk_widget_set_sensitive (list->make_default, facts && facts->task != FOVEA_TASK_UNKNOWN && !facts->fault);
  gtk_widget_set_sensitive (list->rename, facts && facts->is_own);
  gtk_widget_set_sensitive (list->remove, facts && facts->is_own);
  gtk_widget_set_sensitive (list->show_place, facts && facts->path);
  gtk_widget_set_sensitive (list->undo, list->deleted->len > 0);
  gtk_label_set_text (GTK_LABEL (list->place), shown ? shown : "");
  show_card (list, facts);
  layer_table_show (list->layers, facts && !facts->fault ? facts->name : NULL);
}

/* ---- what is done with them ----------------------------------------------------------------------------------- */

static void
on_selected (GtkTreeSelection *selection, ModelList *list)
{
  if (!list->is_filling)
    show_message (list, NULL);
  show_chosen (list);
}

/* Once more on the default one: none is, and Fovea chooses. While the user is asked, the list may be read anew: its facts are gone then. */
static void
on_make_default (GtkButton *button, ModelList *list)
{
  const FoveaModelFacts *facts = get_facts (list, NULL);
  FoveaTask              task = facts ? facts->task : FOVEA_TASK_UNKNOWN;
  g_autofree char       *name = facts ? g_strdup (facts->name) : NULL, *chosen = fovea_get_default_model (task), *text = NULL;
  g_autoptr (GError)     error = NULL;
  gboolean               was_default = g_strcmp0 (chosen, name) == 0;

  if (!name || (!was_default && !dialog_ask_licence (GTK_WIDGET (list->window), name, FOVEA_TASK_UNKNOWN)))
    return;
  if (!fovea_set_default_model (task, was_default ? NULL : name, &error))
    {
      show_message (list, error->message);
      return;
    }
  text = was_default ? g_strdup_printf (_("%s chooses a model by itself again."), task_text (task))
                     : g_strdup_printf (_("%s now takes “%s” unless told otherwise."), task_text (task), name);
  show_message (list, text);
  model_list_reload (list, NULL);
}

static void
on_rename (GtkButton *button, ModelList *list)
{
  GtkTreeIter  iter;
  GtkTreePath *path;

  if (!gtk_tree_selection_get_selected (gtk_tree_view_get_selection (GTK_TREE_VIEW (list->view)), NULL, &iter))
    return;
  path = gtk_tree_model_get_path (GTK_TREE_MODEL (list->rows), &iter);
  gtk_widget_grab_focus (list->view);
  gtk_tree_view_set_cursor (GTK_TREE_VIEW (list->view), path, list->name_column, TRUE);
  gtk_tree_path_free (path);
}

static void
on_edited (GtkCellRendererText *cell, char *path, char *text, ModelList *list)
{
  GtkTreeIter            iter;
  const FoveaModelFacts *facts;
  g_autoptr (GError)     error = NULL;
  g_autofree char       *name = g_strstrip (g_strdup (text)), *old = NULL, *message = NULL;

  if (!gtk_tree_model_get_iter_from_string (GTK_TREE_MODEL (list->rows), &iter, path))
    return;
  facts = get_facts (list, &iter);
  if (strcmp (name, facts->name) == 0)
    return;
  old = g_strdup (facts->name);
  if (fovea_rename_model (old, name, &error))
    model_list_reload (list, name);
  message = error ? g_strdup (error->message) : g_strdup_printf (_("“%s” is called “%s” now."), old, name);
  show_message (list, message);
}

static void
on_remove (GtkButton *button, ModelList *list)
{
  const FoveaModelFacts *facts = get_facts (list, NULL);
  g_autoptr (GError)     error = NULL;
  char                  *aside = facts ? fovea_set_model_aside (facts->name, &error) : NULL;
  g_autofree char       *text = NULL;

  if (!aside)
    {
      show_message (list, error ? error->message : NULL);
      model_list_reload (list, NULL); /* it may have gone by itself */
      return;
    }
  g_ptr_array_add (list->deleted, aside);
  text = g_strdup_printf (_("“%s” is deleted. Undo brings it back as long as this window is open."), facts->name);
  show_message (list, text);
  g_clear_pointer (&list->wanted, g_free);
  model_list_reload (list, "");
}

static void
on_undo (GtkButton *button, ModelList *list)
{
  g_autoptr (GError) error = NULL;

  if (list->deleted->len == 0)
    return;
  if (!fovea_bring_model_back (g_ptr_array_index (list->deleted, list->deleted->len - 1), &error))
    {
      show_message (list, error->message);
      return;
    }
  g_ptr_array_remove_index (list->deleted, list->deleted->len - 1);
  show_message (list, _("It is back."));
  model_list_reload (list, NULL);
}

static void
on_show_place (GtkButton *button, ModelList *list)
{
  const FoveaModelFacts *facts = get_facts (list, NULL);
  g_autofree char       *folder = facts && facts->path ? g_path_get_dirname (facts->path) : NULL;
  g_autoptr (GFile)      file = folder ? g_file_new_for_path (folder) : NULL;
  g_autofree char       *uri = file ? g_file_get_uri (file) : NULL;
  g_autoptr (GError)     error = NULL;

  if (uri && !gtk_show_uri_on_window (list->window, uri, GDK_CURRENT_TIME, &error))
    show_message (list, error->message);
}

/* ---- the widget ----------------------------------------------------------------------------------------------- */

static void
set_editable (GtkTreeViewColumn *column, GtkCellRenderer *cell, GtkTreeModel *model, GtkTreeIter *iter, gpointer data)
{
  const FoveaModelFacts *facts = get_facts (data, iter);

  g_object_set (cell, "text", facts->name, "editable", facts->is_own, NULL);
}

static void
add_column (ModelList *list, const char *title, const char *tooltip, gint column, gint sort)
{
  GtkCellRenderer   *cell = gtk_cell_renderer_text_new ();
  GtkTreeViewColumn *view_column = column == COLUMN_NAME ? gtk_tree_view_column_new_with_attributes (title, cell, NULL)
                                                         : gtk_tree_view_column_new_with_attributes (title, cell, "text", column, NULL);

  gtk_tree_view_column_set_sort_column_id (view_column, sort);
  gtk_tree_view_column_set_resizable (view_column, TRUE);
  gtk_tree_view_append_column (GTK_TREE_VIEW (list->view), view_column);
  gtk_widget_set_tooltip_text (gtk_tree_view_column_get_button (view_column), tooltip);
  if (column == COLUMN_SIZE_TEXT)
    {
      g_object_set (cell, "xalign", 1.0, NULL);
      gtk_tree_view_column_set_alignment (view_column, 1);
    }
  if (column == COLUMN_LICENCE)
    g_object_set (cell, "ellipsize", PANGO_ELLIPSIZE_END, "width-chars", 14, NULL);
  if (column != COLUMN_NAME)
    return;
  list->name_column = view_column;
  g_object_set (cell, "ellipsize", PANGO_ELLIPSIZE_END, "width-chars", 18, NULL);
  gtk_tree_view_column_set_expand (view_column, TRUE);
  gtk_tree_view_column_set_cell_data_func (view_column, cell, set_editable, list, NULL);
  g_signal_connect (cell, "edited", G_CALLBACK (on_edited), list);
}

static GtkWidget *
make_table (ModelList *list)
{
  GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL);

  list->rows = gtk_list_store_new (N_COLUMNS, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING,
                                   G_TYPE_UINT64, G_TYPE_INT);
  list->view = gtk_tree_view_new_with_model (GTK_TREE_MODEL (list->rows));
  add_column (list, _("Name"), _("Your own models can be renamed here"), COLUMN_NAME, COLUMN_NAME);
  add_column (list, _("For"), _("The filter that uses it"), COLUMN_TASK, COLUMN_TASK);
  add_column (list, _("Default"), _("Taken by its filter unless told otherwise. Automatic: nobody has chosen one, and the filter takes this"), COLUMN_DEFAULT, COLUMN_DEFAULT);
  add_column (list, _("Origin"), _("Whether it came along, was imported, or trained by you"), COLUMN_ORIGIN, COLUMN_ORIGIN);
  add_column (list, _("Size"), _("Of the file"), COLUMN_SIZE_TEXT, COLUMN_SIZE);
  add_column (list, _("Licence"), _("What it may be used for, as far as its files say"), COLUMN_LICENCE, COLUMN_LICENCE);
  add_column (list, _("Accuracy"), _("As measured when it was made, from its card"), COLUMN_ACCURACY, COLUMN_ACCURACY);
  add_column (list, _("Date"), _("When it was trained or imported"), COLUMN_DATE, COLUMN_DATE);
  atk_object_set_name (gtk_widget_get_accessible (list->view), _("Models"));
  g_signal_connect (gtk_tree_view_get_selection (GTK_TREE_VIEW (list->view)), "changed", G_CALLBACK (on_selected), list);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_widget_set_size_request (scrolled, -1, TABLE_HEIGHT);
  gtk_container_add (GTK_CONTAINER (scrolled), list->view);
  return scrolled;
}

static GtkWidget *
add_button (ModelList *list, GtkWidget *box, const char *label, const char *tooltip, GCallback clicked)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_widget_set_tooltip_text (button, tooltip);
  gtk_widget_set_sensitive (button, FALSE);
  g_signal_connect (button, "clicked", clicked, list);
  gtk_box_pack_start (GTK_BOX (box), button, FALSE, FALSE, 0);
  return button;
}

static GtkWidget *
make_buttons (ModelList *list)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  list->make_default = add_button (list, box, _("Make _Default"), _("Its filter takes it unless told otherwise; once more: no longer"), G_CALLBACK (on_make_default));
  list->rename = add_button (list, box, _("_Rename"), _("Gives one of your own models another name"), G_CALLBACK (on_rename));
  list->remove = add_button (list, box, _("D_elete"), _("Deletes one of your own models; what a link points to stays"), G_CALLBACK (on_remove));
  list->undo = add_button (list, box, _("_Undo Delete"), _("Brings back the model that was deleted last"), G_CALLBACK (on_undo));
  list->show_place = add_button (list, box, _("_Show in Folder"), _("Opens the folder that the file lies in"), G_CALLBACK (on_show_place));
  return box;
}

static GtkWidget *
make_pages (ModelList *list)
{
  GtkWidget *notebook = gtk_notebook_new (), *scrolled = gtk_scrolled_window_new (NULL, NULL);

  list->card = card_view_new ();
  gtk_container_add (GTK_CONTAINER (scrolled), list->card);
  list->layers = layer_table_new ();
  gtk_container_set_border_width (GTK_CONTAINER (list->layers), 6);
  gtk_notebook_append_page (GTK_NOTEBOOK (notebook), scrolled, gtk_label_new_with_mnemonic (_("C_ard")));
  gtk_notebook_append_page (GTK_NOTEBOOK (notebook), list->layers, gtk_label_new_with_mnemonic (_("_Layers")));
  return notebook;
}

/* The widgets go one after the other: nothing is shown in them any more. */
static void
on_destroy (GtkWidget *widget, ModelList *list)
{
  list->is_filling = TRUE;
}

ModelList *
model_list_new (GtkWindow *window)
{
  ModelList *list = g_new0 (ModelList, 1);
  GtkWidget *upper = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);

  list->window = window;
  list->facts = g_ptr_array_new_with_free_func ((GDestroyNotify) fovea_model_facts_free);
  list->deleted = g_ptr_array_new_with_free_func (g_free);
  list->widget = gtk_paned_new (GTK_ORIENTATION_VERTICAL); /* few models and many layers, or the other way round */
  list->message = dialog_text_new ();
  list->place = dialog_text_new ();
  gtk_label_set_max_width_chars (GTK_LABEL (list->message), 110);
  gtk_label_set_max_width_chars (GTK_LABEL (list->place), 110);
  gtk_widget_set_no_show_all (list->message, TRUE);
  gtk_label_set_selectable (GTK_LABEL (list->place), TRUE);
  gtk_style_context_add_class (gtk_widget_get_style_context (list->place), "dim-label");
  gtk_box_pack_start (GTK_BOX (upper), make_table (list), TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (upper), make_buttons (list), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (upper), list->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (upper), list->place, FALSE, FALSE, 0);
  gtk_widget_set_margin_bottom (upper, 6);
  gtk_paned_pack1 (GTK_PANED (list->widget), upper, FALSE, FALSE);
  gtk_paned_pack2 (GTK_PANED (list->widget), make_pages (list), TRUE, FALSE);
  gtk_container_set_border_width (GTK_CONTAINER (list->widget), 12);
  g_signal_connect (list->widget, "destroy", G_CALLBACK (on_destroy), list);
  fovea_throw_leftovers_away ();
  model_list_reload (list, NULL);
  return list;
}

void
model_list_free (ModelList *list)
{
  if (list->is_busy)
    g_cancellable_cancel (list->cancellable);
  while (list->is_busy)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < list->deleted->len; i++)
    fovea_throw_model_away (g_ptr_array_index (list->deleted, i));
  g_clear_object (&list->cancellable);
  g_ptr_array_unref (list->deleted);
  g_ptr_array_unref (list->facts);
  g_object_unref (list->rows);
  g_free (list->wanted);
  g_free (list);
}

GtkWidget *
model_list_get_widget (const ModelList *list)
{
  return list->widget;
}
