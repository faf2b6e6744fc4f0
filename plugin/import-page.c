/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-page.c: see import-page.h. What the user has said (`given`) comes before all that is found; whenever that changes, the engine reads the settings anew,
 * and what follows from it changes in the other fields.
 */

#include "import-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "dialog.h"
#include "fovea.h"
#include "import-try.h"

#define LABELS_HEIGHT 70
#define FIELD_WIDTH   230

/* A setting as a row of the form. */
typedef struct
{
  ImportPage *page;
  const char *key;
  GtkWidget  *widget; /* a GtkComboBoxText, GtkEntry or GtkTextView */
  GtkWidget  *source;
} Field;

struct _ImportPage
{
  GimpProcedureConfig *config;
  GtkWindow           *window;
  void               (*imported) (const char *name, gpointer user_data);
  gpointer             user_data;
  GtkWidget           *widget, *file, *form, *licence, *message, *name, *link, *make_default, *import, *try_button, *images, *spinner;
  GPtrArray           *fields; /* of Field */
  ImportTry           *try;
  FoveaModel          *model;  /* NULL: no file is open */
  FoveaSettings       *settings;
  GHashTable          *given;  /* key → words */
  const Field         *edited; /* by the user, now: it isn't written to */
  gboolean             is_filling, is_busy;
};

/* ---- the form ------------------------------------------------------------------------------------------------- */

static const char *
field_title (const char *key)
{
  static const struct { const char *key, *title; } titles[] = {
    { "task", N_("_For") }, { "family", N_("Kind of net_work") }, { "size", N_("Input size") }, { "resize", N_("Resi_zing") }, { "filter", N_("Fil_ter") },
    { "crop-scale", N_("Crop scale") }, { "colour", N_("Channel o_rder") }, { "layout", N_("La_yout") }, { "range", N_("R_ange") }, { "mean", N_("Mea_n") },
    { "std", N_("Standard _deviation") }, { "normalize", N_("Normalizing") }, { "percentiles", N_("Percentiles") }, { "pad", N_("Padding gray") },
    { "activation", N_("Acti_vation") }, { "threshold", N_("Thre_shold") }, { "overlap", N_("Overlap") }, { "labels", N_("La_bels") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (titles); i++)
    if (strcmp (titles[i].key, key) == 0)
      return _(titles[i].title);
  return key;
}

static char *
get_field_text (const Field *field)
{
  if (GTK_IS_COMBO_BOX (field->widget))
    return gtk_combo_box_text_get_active_text (GTK_COMBO_BOX_TEXT (field->widget));
  if (GTK_IS_ENTRY (field->widget))
    return g_strdup (gtk_entry_get_text (GTK_ENTRY (field->widget)));
  {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (field->widget));
    GtkTextIter    start, end;

    gtk_text_buffer_get_bounds (buffer, &start, &end);
    return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  }
}

static void
set_field_text (const Field *field, const char *text)
{
  if (GTK_IS_ENTRY (field->widget))
    gtk_entry_set_text (GTK_ENTRY (field->widget), text);
  else if (GTK_IS_TEXT_VIEW (field->widget))
    gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (field->widget)), text, -1);
  else
    {
      g_auto (GStrv) words = fovea_settings_list_words (field->key);
      gint           active = -1;

      for (gint i = 0; words[i]; i++)
        active = strcmp (words[i], text) == 0 ? i : active;
      gtk_combo_box_set_active (GTK_COMBO_BOX (field->widget), active);
    }
}

/* The engine's words in the user's language. Some have a name or numbers in them, which are the same in every language. */
static char *
translate_source (const char *source)
{
  static const char usual[] = "usual for ", other[] = "the model's input, which can't be ", has[] = ", for it has ";
  const char       *reason = strstr (source, has);

  if (g_str_has_prefix (source, usual))
    return g_strdup_printf (_("usual for %s"), source + strlen (usual));
  if (g_str_has_prefix (source, other))
    return g_strdup_printf (_("the model's input, which can't be %s"), source + strlen (other));
  if (reason)
    {
      g_autofree char *family = g_strndup (source, (gsize) (reason - source));

      return g_strdup_printf (_("%s, for it has %s"), family, _(reason + strlen (has)));
    }
  return g_strdup (_(source));
}

/* Where a setting came from, in words. */
static char *
print_source (const ImportPage *page, const char *key, const char *const *unknown)
{
  g_autofree char *source = NULL;

  if (g_hash_table_contains (page->given, key))
    return g_strdup (_("you said so"));
  source = fovea_settings_get_source (page->settings, key);
  if (source)
    return translate_source (source);
  return g_strdup (g_strv_contains (unknown, key) ? _("assumed: nothing tells it") : _("as usual"));
}

static void
mark_wrong (const Field *field, gboolean is_wrong)
{
  GtkStyleContext *style = gtk_widget_get_style_context (field->widget);

  if (is_wrong)
    gtk_style_context_add_class (style, "error");
  else
    gtk_style_context_remove_class (style, "error");
}

static void
fill_form (ImportPage *page)
{
  g_auto (GStrv) unknown = fovea_settings_list_unknown (page->settings);

  page->is_filling = TRUE;
  for (guint i = 0; i < page->fields->len; i++)
    {
      const Field     *field = g_ptr_array_index (page->fields, i);
      g_autofree char *text = fovea_settings_get_text (page->settings, field->key);
      g_autofree char *source = print_source (page, field->key, (const char *const *) unknown);

      if (field != page->edited)
        set_field_text (field, text);
      mark_wrong (field, FALSE);
      gtk_label_set_text (GTK_LABEL (field->source), source);
      gtk_widget_set_tooltip_text (field->source, source);
    }
  page->is_filling = FALSE;
}

static void
show_message (ImportPage *page, const char *text)
{
  gtk_label_set_text (GTK_LABEL (page->message), text ? text : "");
  gtk_widget_set_visible (page->message, text != NULL);
}

static void
update_buttons (ImportPage *page)
{
  const gboolean can = page->settings && !page->is_busy;

  gtk_widget_set_sensitive (page->form, page->settings != NULL);
  gtk_widget_set_sensitive (page->import, can);
  gtk_widget_set_sensitive (page->try_button, can && gtk_combo_box_get_active (GTK_COMBO_BOX (page->images)) >= 0);
}

static gboolean
read_settings (ImportPage *page, GError **error)
{
  FoveaSettings *settings = fovea_settings_read_with (page->model, page->given, error);

  if (!settings)
    return FALSE;
  g_clear_pointer (&page->settings, fovea_settings_free);
  page->settings = settings;
  fill_form (page);
  return TRUE;
}

static GimpImage *
get_image (const ImportPage *page)
{
  gint id;

  return gimp_int_combo_box_get_active (GIMP_INT_COMBO_BOX (page->images), &id) && id > 0 ? gimp_image_get_by_id (id) : NULL;
}

static void
try_again (ImportPage *page)
{
  GimpImage *image = get_image (page);

  if (image && page->settings)
    import_try_start (page->try, image, page->settings);
}

/* Whether it can run, and what comes along. */
static void
show_state (ImportPage *page)
{
  g_auto (GStrv)     missing = fovea_model_list_missing (page->model);
  g_autoptr (GError) error = NULL;
  g_autofree char   *list = g_strjoinv (", ", missing), *partner = fovea_model_find_partner (page->model, page->settings, &error), *base = NULL, *text = NULL;

  if (*missing)
    text = g_strdup_printf (_("It can't run here: it needs operators that this engine hasn't got: %s."), list);
  else if (error)
    text = g_strdup (error->message);
  else if (partner)
    {
      base = g_filename_display_basename (partner);
      text = g_strdup_printf (_("It is one half of a network in two files; the other is “%s”. Import the encoder, and both come."), base);
    }
  show_message (page, text);
}

static void
field_changed (Field *field)
{
  ImportPage        *page = field->page;
  g_autofree char   *text = page->is_filling || !page->model ? NULL : get_field_text (field);
  g_autoptr (GError) error = NULL;

  if (!text)
    return;
  page->edited = field;
  if (*text)
    g_hash_table_insert (page->given, (gpointer) field->key, g_strdup (text));
  else
    g_hash_table_remove (page->given, field->key); /* emptied: as it was found */
  if (read_settings (page, &error))
    {
      show_state (page);
      if (import_try_is_on (page->try))
        try_again (page);
    }
  else
    {
      mark_wrong (field, TRUE);
      show_message (page, error->message);
      g_hash_table_remove (page->given, field->key); /* the settings stay as they were until it is right */
    }
  page->edited = NULL;
  update_buttons (page);
}

/* ---- a file --------------------------------------------------------------------------------------------------- */

/* What a person should know before using it. */
static void
show_licence (ImportPage *page)
{
  g_autofree char *licence = fovea_model_get_licence (page->model), *warning = fovea_licence_warn (licence);
  g_autofree char *text = warning ? g_strdup (warning) : g_strdup_printf (_("Licence: %s"), licence);

  gtk_label_set_text (GTK_LABEL (page->licence), text);
}

static void
close_file (ImportPage *page)
{
  import_try_clear (page->try);
  g_clear_pointer (&page->settings, fovea_settings_free);
  g_clear_pointer (&page->model, fovea_model_unref);
  g_hash_table_remove_all (page->given);
  gtk_label_set_text (GTK_LABEL (page->licence), "");
  gtk_entry_set_text (GTK_ENTRY (page->name), "");
  show_message (page, NULL);
}

static void
open_file (ImportPage *page, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *shown = g_filename_display_name (path);

  close_file (page);
  gtk_label_set_text (GTK_LABEL (page->file), shown);
  page->model = fovea_model_load (path, &error);
  if (page->model && read_settings (page, &error))
    {
      show_licence (page);
      show_state (page);
    }
  else
    show_message (page, error->message);
  g_object_set (page->config, "file", path, NULL);
  update_buttons (page);
}

static void
on_choose (GtkButton *button, ImportPage *page)
{
  g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (_("Choose a Model"), page->window, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Choose"), NULL);
  GtkFileFilter                   *filter = gtk_file_filter_new ();
  g_autofree char                 *path = NULL;

  gtk_file_filter_set_name (filter, _("ONNX models"));
  gtk_file_filter_add_pattern (filter, "*.onnx");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), filter);
  if (gtk_native_dialog_run (GTK_NATIVE_DIALOG (chooser)) == GTK_RESPONSE_ACCEPT)
    path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (chooser));
  if (path)
    open_file (page, path);
}

static void
on_drop (GtkWidget *widget, GdkDragContext *context, gint x, gint y, GtkSelectionData *data, guint info, guint time, ImportPage *page)
{
  g_auto (GStrv)    uris = gtk_selection_data_get_uris (data);
  g_autoptr (GFile) file = uris && *uris ? g_file_new_for_uri (*uris) : NULL;
  g_autofree char  *path = file ? g_file_get_path (file) : NULL;
  GtkWidget        *notebook = gtk_widget_get_ancestor (page->widget, GTK_TYPE_NOTEBOOK);

  gtk_drag_finish (context, path != NULL, FALSE, time);
  if (!path)
    return;
  gtk_notebook_set_current_page (GTK_NOTEBOOK (notebook), gtk_notebook_page_num (GTK_NOTEBOOK (notebook), page->widget));
  open_file (page, path);
}

/* The names of the classes from a file. */
static void
on_load_labels (GtkButton *button, Field *field)
{
  g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (_("Choose a List of Labels"), field->page->window, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Choose"), NULL);
  g_autofree char                 *path = NULL, *text = NULL, *valid = NULL;
  g_autoptr (GError)               error = NULL;

  if (gtk_native_dialog_run (GTK_NATIVE_DIALOG (chooser)) == GTK_RESPONSE_ACCEPT)
    path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (chooser));
  if (!path)
    return;
  if (g_file_get_contents (path, &text, NULL, &error))
    {
      valid = g_utf8_make_valid (text, -1);
      set_field_text (field, valid);
    }
  else
    show_message (field->page, error->message);
}

/* ---- importing ------------------------------------------------------------------------------------------------ */

typedef struct
{
  FoveaModel    *model;
  FoveaSettings *settings;
  char          *name;
  gboolean       as_link, as_default;
  char          *sample; /* what came of the makers' own; NULL: there is none */
} ImportJob;

static void
free_job (gpointer data)
{
  ImportJob *job = data;

  fovea_model_unref (job->model);
  fovea_settings_free (job->settings);
  g_free (job->name);
  g_free (job->sample);
  g_free (job);
}

static void
run_import (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ImportJob *job = data;
  GError    *error = NULL;
  char      *name = fovea_import_model (job->model, job->name, job->settings, job->as_link, cancellable, &error);

  job->sample = name ? import_try_sample (job->model, job->settings, cancellable) : NULL;
  if (name && (!job->as_default || fovea_set_default_model (job->settings->task, name, &error)))
    g_task_return_pointer (task, name, g_free);
  else
    {
      g_free (name);
      g_task_return_error (task, error);
    }
}

static void
import_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  ImportPage        *page = data;
  const ImportJob   *job = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autofree char   *name = g_task_propagate_pointer (G_TASK (result), &error), *text = NULL;

  page->is_busy = FALSE;
  gtk_spinner_stop (GTK_SPINNER (page->spinner));
  text = name ? g_strdup_printf (_("Imported as “%s”."), name) : g_strdup (error->message);
  if (job->sample)
    {
      char *longer = g_strconcat (text, " ", job->sample, NULL);

      g_free (text);
      text = longer;
    }
  show_message (page, text);
  update_buttons (page);
  if (name)
    page->imported (name, page->user_data);
}

static void
on_import (GtkButton *button, ImportPage *page)
{
  ImportJob        *job = g_new0 (ImportJob, 1);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, import_ended, page);

  job->model = fovea_model_ref (page->model);
  job->settings = fovea_settings_copy (page->settings);
  job->name = g_strstrip (g_strdup (gtk_entry_get_text (GTK_ENTRY (page->name))));
  job->as_link = gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (page->link));
  job->as_default = gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (page->make_default));
  page->is_busy = TRUE;
  gtk_spinner_start (GTK_SPINNER (page->spinner));
  show_message (page, NULL);
  update_buttons (page);
  g_task_set_task_data (task, job, free_job);
  g_task_run_in_thread (task, run_import);
}

static void
on_try (GtkButton *button, ImportPage *page)
{
  try_again (page);
}

/* ---- the widget ----------------------------------------------------------------------------------------------- */

static GtkWidget *
make_field_widget (Field *field)
{
  g_auto (GStrv) words = fovea_settings_list_words (field->key);

  if (words)
    {
      field->widget = gtk_combo_box_text_new ();
      for (char **word = words; *word; word++)
        gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (field->widget), *word);
      g_signal_connect_swapped (field->widget, "changed", G_CALLBACK (field_changed), field);
    }
  else if (strcmp (field->key, "labels") == 0)
    {
      GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *button;

      field->widget = gtk_text_view_new ();
      button = gtk_button_new_with_mnemonic (_("Fi_le…"));
      gtk_widget_set_tooltip_text (button, _("Reads the names from a text file, a line each"));
      gtk_widget_set_valign (button, GTK_ALIGN_START);
      gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
      gtk_widget_set_size_request (scrolled, -1, LABELS_HEIGHT);
      gtk_container_add (GTK_CONTAINER (scrolled), field->widget);
      gtk_box_pack_start (GTK_BOX (box), scrolled, TRUE, TRUE, 0);
      gtk_box_pack_start (GTK_BOX (box), button, FALSE, FALSE, 0);
      g_signal_connect_swapped (gtk_text_view_get_buffer (GTK_TEXT_VIEW (field->widget)), "changed", G_CALLBACK (field_changed), field);
      g_signal_connect (button, "clicked", G_CALLBACK (on_load_labels), field);
      return box;
    }
  else
    {
      field->widget = gtk_entry_new ();
      gtk_entry_set_width_chars (GTK_ENTRY (field->widget), 18);
      g_signal_connect_swapped (field->widget, "changed", G_CALLBACK (field_changed), field);
    }
  return field->widget;
}

static GtkWidget *
make_form (ImportPage *page)
{
  const char *const *keys = fovea_settings_list_keys ();
  GtkWidget         *grid = gtk_grid_new (), *scrolled = gtk_scrolled_window_new (NULL, NULL);

  gtk_grid_set_row_spacing (GTK_GRID (grid), 4);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 10);
  gtk_container_set_border_width (GTK_CONTAINER (grid), 6);
  for (int row = 0; keys[row]; row++)
    {
      Field     *field = g_new0 (Field, 1);
      GtkWidget *packed;

      field->page = page;
      field->key = keys[row];
      packed = make_field_widget (field);
      dialog_attach (GTK_GRID (grid), row, field_title (keys[row]), _(fovea_settings_explain (keys[row])), packed);
      gtk_widget_set_hexpand (packed, FALSE); /* what they were taken from is longer */
      gtk_widget_set_size_request (packed, FIELD_WIDTH, -1);
      gtk_widget_set_tooltip_text (gtk_grid_get_child_at (GTK_GRID (grid), 0, row), _(fovea_settings_explain (keys[row])));
      if (packed != field->widget)
        {
          atk_object_set_name (gtk_widget_get_accessible (field->widget), gtk_label_get_text (GTK_LABEL (gtk_grid_get_child_at (GTK_GRID (grid), 0, row))));
          gtk_widget_set_tooltip_text (field->widget, _(fovea_settings_explain (keys[row])));
        }
      field->source = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (field->source), 0);
      gtk_label_set_ellipsize (GTK_LABEL (field->source), PANGO_ELLIPSIZE_END);
      gtk_widget_set_hexpand (field->source, TRUE);
      gtk_label_set_width_chars (GTK_LABEL (field->source), 22);
      gtk_label_set_max_width_chars (GTK_LABEL (field->source), 22);
      gtk_style_context_add_class (gtk_widget_get_style_context (field->source), "dim-label");
      gtk_grid_attach (GTK_GRID (grid), field->source, 2, row, 1, 1);
      g_ptr_array_add (page->fields, field);
    }
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_container_add (GTK_CONTAINER (scrolled), grid);
  page->form = grid;
  return scrolled;
}

static GtkWidget *
make_top (ImportPage *page)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10), *choose = gtk_button_new_with_mnemonic (_("Choose Fil_e…"));

  page->file = gtk_label_new (_("Choose an ONNX file, or drop one here. The file itself is never changed."));
  gtk_label_set_xalign (GTK_LABEL (page->file), 0);
  gtk_label_set_ellipsize (GTK_LABEL (page->file), PANGO_ELLIPSIZE_START);
  g_signal_connect (choose, "clicked", G_CALLBACK (on_choose), page);
  gtk_box_pack_start (GTK_BOX (row), choose, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->file, TRUE, TRUE, 0);
  return row;
}

static GtkWidget *
make_right (ImportPage *page)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);

  page->try_button = gtk_button_new_with_mnemonic (_("Try on the O_pen Image"));
  page->images = gimp_image_combo_box_new (NULL, NULL, NULL);
  gtk_widget_set_tooltip_text (page->try_button, _("Shows what the model says of the image with these settings, and between what bounds its raw numbers lie"));
  gtk_widget_set_tooltip_text (page->images, _("The image that the model is tried on"));
  atk_object_set_name (gtk_widget_get_accessible (page->images), _("Image"));
  g_signal_connect (page->try_button, "clicked", G_CALLBACK (on_try), page);
  gtk_box_pack_start (GTK_BOX (column), page->images, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->try_button, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), import_try_get_widget (page->try), TRUE, TRUE, 0);
  return column;
}

static GtkWidget *
make_bottom (ImportPage *page)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10), *label = gtk_label_new_with_mnemonic (_("Na_me"));

  page->name = gtk_entry_new ();
  page->link = gtk_check_button_new_with_mnemonic (_("Lin_k instead of a copy"));
  page->make_default = gtk_check_button_new_with_mnemonic (_("Make it the defa_ult"));
  page->import = gtk_button_new_with_mnemonic (_("_Import"));
  page->spinner = gtk_spinner_new ();
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), page->name);
  atk_object_set_name (gtk_widget_get_accessible (page->name), gtk_label_get_text (GTK_LABEL (label)));
  gtk_entry_set_placeholder_text (GTK_ENTRY (page->name), _("as the file's"));
  gtk_widget_set_tooltip_text (page->name, _("What the model is called in the filters' lists; empty: as its file"));
  gtk_widget_set_tooltip_text (page->link, _("The file stays where it is, and must stay there"));
  gtk_widget_set_tooltip_text (page->make_default, _("The filter of its task takes it unless told otherwise"));
  gtk_style_context_add_class (gtk_widget_get_style_context (page->import), "suggested-action");
  g_signal_connect (page->import, "clicked", G_CALLBACK (on_import), page);
  for (int i = 0; i < 4; i++)
    {
      GtkWidget *const widgets[] = { label, page->name, page->link, page->make_default };

      gtk_box_pack_start (GTK_BOX (row), widgets[i], FALSE, FALSE, 0);
    }
  gtk_box_pack_end (GTK_BOX (row), page->import, FALSE, FALSE, 0);
  gtk_box_pack_end (GTK_BOX (row), page->spinner, FALSE, FALSE, 0);
  return row;
}

ImportPage *
import_page_new (GimpProcedureConfig *config, GtkWindow *window, void (*imported) (const char *name, gpointer user_data), gpointer user_data)
{
  ImportPage *page = g_new0 (ImportPage, 1);
  GtkWidget  *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 14);
  g_autofree char *file = NULL;

  page->config = config;
  page->window = window;
  page->imported = imported;
  page->user_data = user_data;
  page->fields = g_ptr_array_new_with_free_func (g_free);
  page->given = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  page->try = import_try_new (config);
  page->widget = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  page->licence = dialog_text_new ();
  page->message = dialog_text_new ();
  gtk_label_set_max_width_chars (GTK_LABEL (page->licence), 110);
  gtk_label_set_max_width_chars (GTK_LABEL (page->message), 110);
  gtk_widget_set_no_show_all (page->message, TRUE);
  gtk_box_pack_start (GTK_BOX (columns), make_form (page), TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), make_right (page), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), make_top (page), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), columns, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), page->licence, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), page->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (page->widget), make_bottom (page), FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (page->widget), 12);
  gtk_drag_dest_set (GTK_WIDGET (window), GTK_DEST_DEFAULT_ALL, NULL, 0, GDK_ACTION_COPY); /* wherever in the window a file is dropped */
  gtk_drag_dest_add_uri_targets (GTK_WIDGET (window));
  g_signal_connect (window, "drag-data-received", G_CALLBACK (on_drop), page);
  update_buttons (page);
  g_object_get (config, "file", &file, NULL);
  if (file && *file)
    open_file (page, file);
  return page;
}

void
import_page_free (ImportPage *page)
{
  while (page->is_busy)
    g_main_context_iteration (NULL, TRUE);
  import_try_free (page->try);
  page->is_filling = TRUE; /* the widgets are still there */
  g_signal_handlers_disconnect_by_data (page->window, page);
  g_signal_handlers_disconnect_by_data (page->import, page);
  g_clear_pointer (&page->settings, fovea_settings_free);
  g_clear_pointer (&page->model, fovea_model_unref);
  g_hash_table_unref (page->given);
  for (guint i = 0; i < page->fields->len; i++)
    {
      Field   *field = g_ptr_array_index (page->fields, i);
      gpointer emitter = GTK_IS_TEXT_VIEW (field->widget) ? (gpointer) gtk_text_view_get_buffer (GTK_TEXT_VIEW (field->widget)) : (gpointer) field->widget;

      g_signal_handlers_disconnect_by_data (emitter, field);
    }
  g_ptr_array_unref (page->fields);
  g_free (page);
}

GtkWidget *
import_page_get_widget (const ImportPage *page)
{
  return page->widget;
}
