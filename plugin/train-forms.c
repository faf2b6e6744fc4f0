/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-forms.c: see train-forms.h. A few of the photos are copied once, then small copies of them are kept in memory; a thread draws the sheet anew whenever a
 * setting has changed, and what changes meanwhile is drawn after that.
 */

#include "train-forms.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "form-sheet.h"
#include "image.h"
#include "train-photos.h"
#include "train-run.h"
#include "training-folder.h"

#define N_PHOTOS   4
#define N_FORMS    4
#define SIDE       112 /* pixels of a picture on the sheet */
#define SMALL      320 /* pixels of a kept copy's longer side */
#define MOST_FILES 8   /* XCF files that are opened for it */
#define SCALE_WIDTH 150

typedef struct _TrainForms TrainForms;

typedef struct
{
  TrainForms         *forms;
  const Augmentation *one;
  GtkWidget          *check, *scale; /* scale NULL: there is nothing but on and off */
} Row;

struct _TrainForms
{
  GimpProcedureConfig *config;
  FoveaTask            task;
  GtkWidget           *dialog, *sheet, *message;
  Row                  rows[AUGMENTATIONS_MOST];
  gboolean             is_refreshing; /* widgets follow the settings, not the other way round */
  char                *folder;        /* of copies, which go with the window; NULL: none were made */
  char                *data;          /* NULL: there is nothing to show */
  GThread             *thread;        /* draws; NULL: none does */
  gboolean             is_stale;      /* … something else by now */
  GCancellable        *cancellable;
  GHashTable          *copies;        /* file and channels → Copy; the drawing thread's, and its helpers' */
  GMutex               mutex;         /* of that */
  FoveaTrainSettings   settings;      /* what is drawn; the thread's while it is at work */
  GdkPixbuf           *picture;
  GError              *error;
};

/* ---- the photos, small ---------------------------------------------------------------------------------------------- */

typedef struct
{
  int     width, height;
  guint8 *samples;
} Copy;

static void
copy_free (gpointer data)
{
  g_free (((Copy *) data)->samples);
  g_free (data);
}

/* Every step-th sample: a mask's values must stay what they are, and photos are seen small. */
static Copy *
make_copy (const guint8 *samples, int width, int height, int channels)
{
  Copy *copy = g_new0 (Copy, 1);
  int   step = MAX (1, MAX (width, height) / SMALL);

  copy->width = MAX (1, width / step);
  copy->height = MAX (1, height / step);
  copy->samples = g_malloc ((gsize) copy->width * (gsize) copy->height * (gsize) channels);
  for (int y = 0; y < copy->height; y++)
    for (int x = 0; x < copy->width; x++)
      memcpy (copy->samples + ((gsize) y * (gsize) copy->width + (gsize) x) * (gsize) channels, samples + ((gsize) (y * step) * (gsize) width + (gsize) (x * step)) * (gsize) channels,
              (gsize) channels);
  return copy;
}

/* A FoveaReadFile. */
static guint8 *
read_small (const char *file, int channels, int *width, int *height, gpointer data, GError **error)
{
  TrainForms        *forms = data;
  g_autofree char   *key = g_strdup_printf ("%d %s", channels, file);
  g_autofree guint8 *samples = NULL;
  guint8            *own = NULL;
  const Copy        *copy;

  g_mutex_lock (&forms->mutex);
  copy = g_hash_table_lookup (forms->copies, key);
  if (!copy && (samples = image_read_file (file, channels, width, height, NULL, error)))
    {
      Copy *made = make_copy (samples, *width, *height, channels);

      g_hash_table_insert (forms->copies, g_steal_pointer (&key), made);
      copy = made;
    }
  if (copy)
    {
      *width = copy->width;
      *height = copy->height;
      own = g_memdup2 (copy->samples, (gsize) copy->width * (gsize) copy->height * (gsize) channels);
    }
  g_mutex_unlock (&forms->mutex);
  return own;
}

/* A few photos of the label layers, as the training would copy them. */
static gboolean
copy_photos (TrainForms *forms, TrainSources *sources, GError **error)
{
  g_autoptr (TrainPhotos) photos = NULL;
  GError                 *local = NULL;
  double                  fraction;

  for (guint i = 0; i < MOST_FILES && train_sources_step (sources); i++)
    continue;
  if (!train_sources_check (sources, error))
    return FALSE;
  train_sources_keep (sources, forms->task);
  forms->folder = g_dir_make_tmp ("fovea-XXXXXX", error);
  if (!forms->folder)
    return FALSE;
  photos = train_photos_new (sources, forms->task, forms->folder);
  train_photos_thin (photos, 2 * N_PHOTOS);
  while (train_photos_step (photos, &fraction, &local))
    continue;
  if (local || !train_photos_list (photos, &local))
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  forms->data = g_strdup (forms->folder);
  return TRUE;
}

static void
find_photos (TrainForms *forms, GimpImage *image)
{
  g_autofree char         *source = NULL, *folder = NULL;
  g_autoptr (TrainSources) sources = NULL;
  g_autoptr (GError)       error = NULL;

  g_object_get (forms->config, "source", &source, "folder", &folder, NULL);
  sources = train_sources_new (source, image, folder, &error);
  if (sources && g_strcmp0 (source, "folder") == 0 && sources->n_files == 0)
    forms->data = g_strdup (folder);
  else if (sources)
    copy_photos (forms, sources, &error);
  gtk_label_set_text (GTK_LABEL (forms->message), error ? error->message : _("Left: photos as they are. Beside: how training shows them."));
}

/* ---- the sheet ------------------------------------------------------------------------------------------------------- */

static void draw_sheet (TrainForms *forms);

static gboolean
show_sheet (gpointer data)
{
  TrainForms *forms = data;

  g_clear_pointer (&forms->thread, g_thread_join);
  if (forms->picture)
    gtk_image_set_from_pixbuf (GTK_IMAGE (forms->sheet), forms->picture);
  else if (!g_error_matches (forms->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    gtk_label_set_text (GTK_LABEL (forms->message), forms->error->message);
  g_clear_object (&forms->picture);
  g_clear_error (&forms->error);
  if (forms->is_stale)
    draw_sheet (forms);
  return G_SOURCE_REMOVE;
}

static gpointer
draw_thread (gpointer data)
{
  TrainForms *forms = data;

  forms->picture = form_sheet_draw (forms->data, &forms->settings, N_PHOTOS, N_FORMS, read_small, forms, forms->cancellable, &forms->error);
  g_idle_add (show_sheet, forms);
  return NULL;
}

static void
draw_sheet (TrainForms *forms)
{
  g_autoptr (PhotoOrder) order = NULL;

  forms->is_stale = forms->thread != NULL;
  if (!forms->data || forms->is_stale)
    return;
  order = train_run_read_order (forms->config, forms->task);
  fovea_train_settings_init (&forms->settings, forms->task);
  photo_order_augment (order, &forms->settings.augmentation);
  forms->settings.seed = (guint64) order->seed;
  forms->settings.size = SIDE;
  forms->settings.validation_share = 0;
  forms->thread = g_thread_new ("forms", draw_thread, forms);
}

/* ---- a row ----------------------------------------------------------------------------------------------------------- */

static void
refresh (Row *row)
{
  double strength;

  g_object_get (row->forms->config, row->one->argument, &strength, NULL);
  strength = strength < 0 ? augmentations_get_usual (row->one, row->forms->task) : strength;
  row->forms->is_refreshing = TRUE;
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (row->check), strength != row->one->none);
  if (row->scale)
    {
      gtk_widget_set_sensitive (row->scale, strength != row->one->none);
      gtk_range_set_value (GTK_RANGE (row->scale), strength);
    }
  row->forms->is_refreshing = FALSE;
}

static void
take (Row *row, double strength)
{
  if (row->forms->is_refreshing)
    return;
  g_object_set (row->forms->config, row->one->argument, strength, NULL);
  refresh (row);
  draw_sheet (row->forms);
}

static void
on_toggled (GtkToggleButton *check, Row *row)
{
  double usual = augmentations_get_usual (row->one, row->forms->task), on = usual == row->one->none ? row->one->begin : usual;

  take (row, gtk_toggle_button_get_active (check) ? on : row->one->none);
}

static void
on_scaled (GtkRange *range, Row *row)
{
  take (row, gtk_range_get_value (range));
}

static void
add_row (TrainForms *forms, GtkGrid *grid, int place, const Augmentation *one)
{
  Row   *row = &forms->rows[one - augmentations];
  double low = MIN (one->none, one->most), high = MAX (one->none, one->most);

  *row = (Row) { forms, one, gtk_check_button_new_with_mnemonic (_(one->label)), one->is_switch ? NULL : gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, low, high, high / 100) };
  gtk_widget_set_tooltip_text (row->check, _(one->tooltip));
  gtk_grid_attach (grid, row->check, 0, place, 1, 1);
  if (row->scale)
    {
      atk_object_set_name (gtk_widget_get_accessible (row->scale), gtk_label_get_text (GTK_LABEL (gtk_bin_get_child (GTK_BIN (row->check)))));
      gtk_widget_set_tooltip_text (row->scale, _(one->tooltip));
      gtk_scale_set_value_pos (GTK_SCALE (row->scale), GTK_POS_RIGHT);
      gtk_range_set_inverted (GTK_RANGE (row->scale), one->most < one->none);
      gtk_widget_set_size_request (row->scale, SCALE_WIDTH, -1);
      gtk_grid_attach (grid, row->scale, 1, place, 1, 1);
    }
  refresh (row);
  g_signal_connect (row->check, "toggled", G_CALLBACK (on_toggled), row);
  if (row->scale)
    g_signal_connect (row->scale, "value-changed", G_CALLBACK (on_scaled), row);
}

/* ---- the window ------------------------------------------------------------------------------------------------------ */

static void
on_usual (GtkButton *button, TrainForms *forms)
{
  for (const Augmentation *one = augmentations; one->argument; one++)
    g_object_set (forms->config, one->argument, AUGMENTATIONS_USUAL, NULL);
  for (guint i = 0; i < AUGMENTATIONS_MOST; i++)
    if (forms->rows[i].check)
      refresh (&forms->rows[i]);
  draw_sheet (forms);
}

static void
on_destroy (GtkWidget *dialog, TrainForms *forms)
{
  g_cancellable_cancel (forms->cancellable);
  g_clear_pointer (&forms->thread, g_thread_join);
  g_idle_remove_by_data (forms);
  if (forms->folder)
    training_folder_remove_tree (forms->folder);
  g_clear_object (&forms->picture);
  g_clear_error (&forms->error);
  g_object_unref (forms->cancellable);
  g_hash_table_unref (forms->copies);
  g_mutex_clear (&forms->mutex);
  g_free (forms->folder);
  g_free (forms->data);
  g_free (forms);
}

static GtkWidget *
make_content (TrainForms *forms)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *grid = gtk_grid_new (), *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *usual = gtk_button_new_with_mnemonic (_("_As is usual"));
  int        place = 0;

  forms->sheet = gtk_image_new ();
  forms->message = gtk_label_new (NULL);
  atk_object_set_name (gtk_widget_get_accessible (forms->sheet), _("Photos as training shows them"));
  gtk_label_set_line_wrap (GTK_LABEL (forms->message), TRUE);
  gtk_label_set_xalign (GTK_LABEL (forms->message), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (forms->message), 60);
  gtk_widget_set_size_request (forms->sheet, (N_FORMS + 1) * (SIDE + 4) + 4, N_PHOTOS * (SIDE + 4) + 4);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 6);
  for (const Augmentation *one = augmentations; one->argument; one++)
    if (one->task == FOVEA_TASK_UNKNOWN || one->task == forms->task)
      add_row (forms, GTK_GRID (grid), place++, one);
  g_signal_connect (usual, "clicked", G_CALLBACK (on_usual), forms);
  gtk_widget_set_tooltip_text (usual, _("What serves most photos"));
  gtk_grid_attach (GTK_GRID (grid), usual, 0, place, 2, 1);
  gtk_box_pack_start (GTK_BOX (right), forms->sheet, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (right), forms->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), grid, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), right, TRUE, TRUE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  return columns;
}

void
train_forms_open (GimpProcedureConfig *config, GimpImage *image, FoveaTask task, GtkWindow *parent)
{
  TrainForms *forms = g_new0 (TrainForms, 1);

  forms->config = config;
  forms->task = task == FOVEA_TASK_UNKNOWN ? FOVEA_TASK_CLASSIFY : task;
  forms->cancellable = g_cancellable_new ();
  forms->copies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, copy_free);
  g_mutex_init (&forms->mutex);
  forms->dialog = gtk_dialog_new_with_buttons (_("Changed Photos"), parent, GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (forms->dialog))), make_content (forms), TRUE, TRUE, 0);
  g_signal_connect (forms->dialog, "response", G_CALLBACK (gtk_widget_destroy), NULL);
  g_signal_connect (forms->dialog, "destroy", G_CALLBACK (on_destroy), forms);
  find_photos (forms, image);
  draw_sheet (forms);
  gtk_widget_show (forms->dialog);
}
