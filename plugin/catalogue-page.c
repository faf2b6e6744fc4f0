/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * catalogue-page.c: see catalogue-page.h. A file is downloaded (download.c) into fovea/downloads of the user's cache folder, a sidecar with what the catalogue
 * knows is put beside it, and both are imported like any other file. Afterwards nothing stays in the cache; what a broken connection left there, for a week at most.
 */

#include "catalogue-page.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "dialog.h"
#include "download.h"
#include "fovea.h"

#define TICK_MS 150

enum { COLUMN_NAME, COLUMN_TASK, COLUMN_SIZE_TEXT, COLUMN_LICENCE, COLUMN_STATE, COLUMN_ABOUT, COLUMN_SIZE, COLUMN_ENTRY, N_COLUMNS };

struct _CataloguePage
{
  void         (*fetched) (const char *name, gpointer user_data);
  gpointer       user_data;
  GtkWidget     *widget, *view, *details, *message, *fetch, *stop, *bar;
  GtkListStore  *rows;
  GCancellable  *cancellable;
  const FoveaCatalogueEntry *under_way; /* NULL: none */
  guint          tick;
  gint           done;                  /* ten thousandths; atomic */
  gboolean       is_gone;               /* the window is closing */
};

/* ---- fetching, in a worker ------------------------------------------------------------------------------------ */

/* What the catalogue knows and the file doesn't say, as the engine reads it beside a model. */
static gboolean
write_sidecar (const FoveaCatalogueEntry *entry, const char *path, GError **error)
{
  static const char *const tasks[] = { "unknown", "classify", "detect", "segment" };
  g_autoptr (JsonBuilder)  json = json_builder_new ();
  g_autoptr (JsonNode)     root = NULL;
  g_autofree char         *text = NULL;
  const char *const        card[] = { "licence", entry->licence, "source", entry->address, "description", entry->about };

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "task");
  json_builder_add_string_value (json, tasks[entry->task]);
  json_builder_set_member_name (json, "fovea");
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "version");
  json_builder_add_int_value (json, 1);
  json_builder_set_member_name (json, "card");
  json_builder_begin_object (json);
  for (gsize i = 0; i < G_N_ELEMENTS (card); i += 2)
    {
      json_builder_set_member_name (json, card[i]);
      json_builder_add_string_value (json, card[i + 1]);
    }
  json_builder_end_object (json);
  json_builder_end_object (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  text = json_to_string (root, TRUE);
  return g_file_set_contents (path, text, -1, error);
}

static char *
import_file (const FoveaCatalogueEntry *entry, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel)    model = fovea_model_load (path, error);
  g_autoptr (GHashTable)    given = fovea_catalogue_entry_get_settings (entry);
  g_autoptr (FoveaSettings) settings = model ? fovea_settings_read_with (model, given, error) : NULL;

  return settings ? fovea_import_model (model, entry->name, settings, FALSE, cancellable, error) : NULL;
}

static void
note_progress (guint64 bytes, gpointer data)
{
  CataloguePage *page = data;

  g_atomic_int_set (&page->done, (gint) (10000 * bytes / MAX (page->under_way->size, 1)));
}

static char *
find_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "fovea", "downloads", NULL);
}

static void
fetch_in_worker (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  CataloguePage             *page = data;
  const FoveaCatalogueEntry *entry = page->under_way;
  const DownloadSource       from = { entry->address, entry->size, entry->sha256 };
  g_autofree char           *folder = find_folder ();
  g_autofree char           *file = g_strconcat (entry->name, ".onnx", NULL), *beside = g_strconcat (entry->name, ".json", NULL);
  g_autofree char           *path = g_build_filename (folder, file, NULL), *sidecar = g_build_filename (folder, beside, NULL), *name = NULL;
  GError                    *error = NULL;

  g_mkdir_with_parents (folder, 0700);
  if (download_file (&from, path, cancellable, note_progress, page, &error) && write_sidecar (entry, sidecar, &error))
    name = import_file (entry, path, cancellable, &error);
  g_remove (path);
  g_remove (sidecar);
  if (name)
    g_task_return_pointer (task, g_steal_pointer (&name), g_free);
  else
    g_task_return_error (task, error);
}

/* ---- what is shown -------------------------------------------------------------------------------------------- */

static const FoveaCatalogueEntry *
get_entry (CataloguePage *page)
{
  GtkTreeIter iter;
  gsize       n;
  gint        index;

  if (!gtk_tree_selection_get_selected (gtk_tree_view_get_selection (GTK_TREE_VIEW (page->view)), NULL, &iter))
    return NULL;
  gtk_tree_model_get (GTK_TREE_MODEL (page->rows), &iter, COLUMN_ENTRY, &index, -1);
  return fovea_list_catalogue (&n) + index;
}

static gboolean
is_here (const FoveaCatalogueEntry *entry)
{
  g_autofree char *path = fovea_find_model (entry->name, NULL);

  return path != NULL;
}

static void
update_buttons (CataloguePage *page)
{
  const FoveaCatalogueEntry *entry = page->is_gone ? NULL : get_entry (page);

  if (page->is_gone)
    return;
  gtk_widget_set_sensitive (page->fetch, entry && !page->under_way && !is_here (entry));
  gtk_widget_set_visible (page->stop, page->under_way != NULL);
  gtk_widget_set_visible (page->bar, page->under_way != NULL);
}

static void
on_selected (GtkTreeSelection *selection, CataloguePage *page)
{
  const FoveaCatalogueEntry *entry = page->is_gone ? NULL : get_entry (page);
  g_autofree char           *size = NULL, *warning = NULL, *text = NULL;

  if (!entry)
    return;
  size = g_format_size_full (entry->size, G_FORMAT_SIZE_LONG_FORMAT);
  warning = fovea_licence_warn (entry->licence);
  text = g_strdup_printf ("%s\n%s: %s. %s\n%s\nSHA-256 %s, %s", _(entry->about), _("Licence of the collection"), entry->licence,
                          warning ? warning : _("The model's own page may say more."), entry->address, entry->sha256, size);
  gtk_label_set_text (GTK_LABEL (page->details), text);
  update_buttons (page);
}

void
catalogue_page_update (CataloguePage *page)
{
  GtkTreeIter iter;
  gsize       n;

  for (gboolean more = gtk_tree_model_get_iter_first (GTK_TREE_MODEL (page->rows), &iter); more;
       more = gtk_tree_model_iter_next (GTK_TREE_MODEL (page->rows), &iter))
    {
      gint index;

      gtk_tree_model_get (GTK_TREE_MODEL (page->rows), &iter, COLUMN_ENTRY, &index, -1);
      gtk_list_store_set (page->rows, &iter, COLUMN_STATE, is_here (fovea_list_catalogue (&n) + index) ? _("here") : "", -1);
    }
  update_buttons (page);
}

/* ---- the user's hand ------------------------------------------------------------------------------------------ */

static gboolean
on_tick (gpointer data)
{
  CataloguePage   *page = data;
  const int        done = g_atomic_int_get (&page->done);
  g_autofree char *part = g_format_size (page->under_way->size / 10000 * (guint64) done), *whole = g_format_size (page->under_way->size);
  g_autofree char *text = g_strdup_printf (_("%s: %s of %s"), page->under_way->name, part, whole);

  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (page->bar), done / 10000.0);
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (page->bar), text);
  return G_SOURCE_CONTINUE;
}

static void
fetch_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  CataloguePage     *page = data;
  g_autoptr (GError) error = NULL;
  g_autofree char   *name = g_task_propagate_pointer (G_TASK (result), &error), *text = NULL;

  page->under_way = NULL;
  g_clear_handle_id (&page->tick, g_source_remove);
  if (page->is_gone)
    return;
  if (name)
    text = g_strdup_printf (_("“%s” is here, whole, and one of your models now."), name);
  else
    text = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? g_strdup (_("Stopped; nothing of it was kept.")) : g_strdup (error->message);
  gtk_label_set_text (GTK_LABEL (page->message), text);
  catalogue_page_update (page);
  if (name)
    page->fetched (name, page->user_data);
}

static void
on_fetch (GtkButton *button, CataloguePage *page)
{
  g_autoptr (GTask) task = NULL;

  page->under_way = get_entry (page);
  if (!page->under_way)
    return;
  g_clear_object (&page->cancellable);
  page->cancellable = g_cancellable_new ();
  g_atomic_int_set (&page->done, 0);
  on_tick (page);
  page->tick = g_timeout_add (TICK_MS, on_tick, page);
  gtk_label_set_text (GTK_LABEL (page->message), "");
  update_buttons (page);
  task = g_task_new (NULL, page->cancellable, fetch_ended, page);
  g_task_set_task_data (task, page, NULL);
  g_task_run_in_thread (task, fetch_in_worker);
}

static void
on_stop (GtkButton *button, CataloguePage *page)
{
  g_cancellable_cancel (page->cancellable);
}

/* ---- the widget ----------------------------------------------------------------------------------------------- */

static void
fill_rows (CataloguePage *page)
{
  gsize                      n;
  const FoveaCatalogueEntry *entries = fovea_list_catalogue (&n);
  const char *const          tasks[] = { _("Unknown"), _("Classify"), _("Locate"), _("Segment") };

  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *size = g_format_size (entries[i].size);

      gtk_list_store_insert_with_values (page->rows, NULL, -1, COLUMN_NAME, entries[i].name, COLUMN_TASK, tasks[entries[i].task], COLUMN_SIZE_TEXT, size, COLUMN_LICENCE,
                                         entries[i].licence, COLUMN_ABOUT, _(entries[i].about), COLUMN_SIZE, entries[i].size, COLUMN_ENTRY, (gint) i, -1);
    }
}

static GtkWidget *
make_table (CataloguePage *page)
{
  const struct { const char *title; gint column, sort; } columns[] = {
    { _("Name"), COLUMN_NAME, COLUMN_NAME },          { _("For"), COLUMN_TASK, COLUMN_TASK },    { _("Size"), COLUMN_SIZE_TEXT, COLUMN_SIZE },
    { _("Licence"), COLUMN_LICENCE, COLUMN_LICENCE }, { _("State"), COLUMN_STATE, COLUMN_STATE }, { _("About"), COLUMN_ABOUT, COLUMN_ABOUT },
  };
  GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL);

  page->rows = gtk_list_store_new (N_COLUMNS, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_UINT64, G_TYPE_INT);
  page->view = gtk_tree_view_new_with_model (GTK_TREE_MODEL (page->rows));
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      GtkCellRenderer   *cell = gtk_cell_renderer_text_new ();
      GtkTreeViewColumn *column = gtk_tree_view_column_new_with_attributes (columns[i].title, cell, "text", columns[i].column, NULL);

      if (columns[i].column == COLUMN_ABOUT)
        g_object_set (cell, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
      if (columns[i].column == COLUMN_SIZE_TEXT)
        {
          g_object_set (cell, "xalign", 1.0, NULL);
          gtk_tree_view_column_set_alignment (column, 1);
        }
      gtk_tree_view_column_set_expand (column, columns[i].column == COLUMN_ABOUT);
      gtk_tree_view_column_set_sort_column_id (column, columns[i].sort);
      gtk_tree_view_append_column (GTK_TREE_VIEW (page->view), column);
    }
  atk_object_set_name (gtk_widget_get_accessible (page->view), _("Catalogue"));
  fill_rows (page);
  g_signal_connect (gtk_tree_view_get_selection (GTK_TREE_VIEW (page->view)), "changed", G_CALLBACK (on_selected), page);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_container_add (GTK_CONTAINER (scrolled), page->view);
  return scrolled;
}

static GtkWidget *
make_bottom (CataloguePage *page)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);

  page->fetch = gtk_button_new_with_mnemonic (_("_Fetch"));
  page->stop = gtk_button_new_with_mnemonic (_("S_top"));
  page->bar = gtk_progress_bar_new ();
  gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (page->bar), TRUE);
  gtk_widget_set_tooltip_text (page->fetch, _("Downloads the file from its address, checks it, and makes it one of your models"));
  gtk_widget_set_no_show_all (page->stop, TRUE);
  gtk_widget_set_no_show_all (page->bar, TRUE);
  gtk_widget_set_valign (page->bar, GTK_ALIGN_CENTER);
  g_signal_connect (page->fetch, "clicked", G_CALLBACK (on_fetch), page);
  g_signal_connect (page->stop, "clicked", G_CALLBACK (on_stop), page);
  gtk_box_pack_start (GTK_BOX (row), page->fetch, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->stop, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->bar, TRUE, TRUE, 0);
  return row;
}

CataloguePage *
catalogue_page_new (void (*fetched) (const char *name, gpointer user_data), gpointer user_data)
{
  CataloguePage   *page = g_new0 (CataloguePage, 1);
  GtkWidget       *intro = dialog_text_new ();
  g_autofree char *folder = find_folder ();

  download_remove_old (folder);
  page->fetched = fetched;
  page->user_data = user_data;
  page->widget = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  page->details = dialog_text_new ();
  page->message = dialog_text_new ();
  gtk_label_set_text (GTK_LABEL (intro), _("Public models that Fovea runs. Nothing is downloaded until you press Fetch; what comes is checked to the last byte."));
  for (int i = 0; i < 3; i++)
    {
      GtkWidget *const labels[] = { intro, page->details, page->message };

      gtk_label_set_max_width_chars (GTK_LABEL (labels[i]), 110);
    }
  gtk_label_set_selectable (GTK_LABEL (page->details), TRUE);
  gtk_box_pack_start (GTK_BOX (page->widget), intro, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), make_table (page), TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), page->details, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), make_bottom (page), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), page->message, FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (page->widget), 12);
  catalogue_page_update (page);
  return page;
}

void
catalogue_page_free (CataloguePage *page)
{
  page->is_gone = TRUE;
  if (page->cancellable)
    g_cancellable_cancel (page->cancellable);
  while (page->under_way)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handlers_disconnect_by_data (gtk_tree_view_get_selection (GTK_TREE_VIEW (page->view)), page);
  g_clear_object (&page->cancellable);
  g_object_unref (page->rows);
  g_free (page);
}

GtkWidget *
catalogue_page_get_widget (const CataloguePage *page)
{
  return page->widget;
}
