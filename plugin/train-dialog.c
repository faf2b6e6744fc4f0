/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-dialog.c: the window of Filters ▸ Fovea ▸ Train…: what is learned from what, and the page that learns it: pixel-page.h for strokes on the open image,
 * photo-page.h for everything else.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>

#include "dialog.h"
#include "photo-page.h"
#include "pixel-page.h"
#include "train-advanced.h"
#include "train-survey.h"
#include "train.h"

enum { RESPONSE_SAVE = 1, RESPONSE_STOP, RESPONSE_ABANDON };

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *dialog, *stack, *folder, *advanced, *head;
  TrainSurvey         *survey;
  PixelPage           *pixels;
  PhotoPage           *photos;
  gboolean             goes_on; /* with a training that was interrupted: its page stays, whatever the open image's labels are for, until the user chooses */
  guint                asking; /* the idle source that asks what becomes of a training; 0: none */
} TrainDialog;

/* ---- which page ------------------------------------------------------------------------------------------------------ */

/* Without labels the pixels' page says what to do. */
static gboolean
is_on_pixels (const TrainDialog *dialog)
{
  g_autofree char *source = NULL;
  FoveaTask        task = train_survey_get (dialog->survey)->task;

  g_object_get (dialog->config, "source", &source, NULL);
  return g_strcmp0 (source, "image") == 0 && (task == FOVEA_TASK_SEGMENT || task == FOVEA_TASK_UNKNOWN);
}

static void
show_page (TrainDialog *dialog, gboolean on_pixels)
{
  gtk_stack_set_visible_child (GTK_STACK (dialog->stack), on_pixels ? pixel_page_get_widget (dialog->pixels) : photo_page_get_widget (dialog->photos));
  pixel_page_set_shown (dialog->pixels, on_pixels);
}

/* What there is to learn from says what the settings mean. */
static void
on_survey (gpointer data)
{
  TrainDialog         *dialog = data;
  const TrainFindings *found = train_survey_get (dialog->survey);

  pixel_page_tell (dialog->pixels);
  photo_page_tell (dialog->photos);
  train_advanced_set_task (dialog->advanced, is_on_pixels (dialog) || found->are_strokes, found->task, found->n_photos);
}

static void
choose_page (TrainDialog *dialog)
{
  gboolean         on_pixels;
  g_autofree char *source = NULL;

  if (photo_page_is_busy (dialog->photos) || dialog->goes_on)
    return;
  train_survey_look (dialog->survey);
  on_pixels = is_on_pixels (dialog);
  g_object_get (dialog->config, "source", &source, NULL);
  gtk_widget_set_sensitive (dialog->folder, g_strcmp0 (source, "folder") == 0);
  show_page (dialog, on_pixels);
  if (!on_pixels)
    train_survey_count (dialog->survey);
  on_survey (dialog);
}

static void
on_setting (GimpProcedureConfig *config, GParamSpec *property, TrainDialog *dialog)
{
  dialog->goes_on = FALSE;
  choose_page (dialog);
}

static void
on_folder (GtkFileChooserButton *button, TrainDialog *dialog)
{
  g_autofree char *path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (button));

  g_object_set (dialog->config, "folder", path ? path : "", NULL);
}

static void
on_offer (GtkInfoBar *bar, gint response, TrainDialog *dialog)
{
  dialog->goes_on = photo_page_is_busy (dialog->photos);
  if (dialog->goes_on)
    show_page (dialog, FALSE);
}

/* The user may have labelled something meanwhile. */
static gboolean
on_focus (GtkWidget *window, GdkEvent *event, TrainDialog *dialog)
{
  choose_page (dialog);
  return GDK_EVENT_PROPAGATE;
}

/* ---- closing ------------------------------------------------------------------------------------------------------------ */

/* yes NULL: there is only one way but going on. */
static gint
ask (TrainDialog *dialog, const char *text, const char *no, gint no_response, const char *yes, gint yes_response)
{
  GtkWidget *question = dialog_question_new (dialog->dialog, GTK_MESSAGE_QUESTION, text);
  gint       answer;

  gtk_dialog_add_buttons (GTK_DIALOG (question), no, no_response, _("_Go on"), GTK_RESPONSE_CANCEL, NULL);
  if (yes)
    gtk_dialog_add_button (GTK_DIALOG (question), yes, yes_response);
  gtk_dialog_set_default_response (GTK_DIALOG (question), GTK_RESPONSE_CANCEL);
  answer = gtk_dialog_run (GTK_DIALOG (question));
  gtk_widget_destroy (question);
  return answer;
}

static gboolean
ask_about_training (gpointer data)
{
  TrainDialog *dialog = data;
  gboolean     on_photos = photo_page_is_busy (dialog->photos);

  switch (ask (dialog, _("A training is under way."), _("_Abandon it"), RESPONSE_ABANDON, on_photos ? _("_Stop and keep the best") : NULL, RESPONSE_STOP))
    {
    case RESPONSE_ABANDON:
      photo_page_cancel (dialog->photos);
      pixel_page_cancel (dialog->pixels);
      if (!on_photos)
        gtk_dialog_response (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_CLOSE);
      break;
    case RESPONSE_STOP:
      photo_page_stop (dialog->photos);
      break;
    }
  dialog->asking = 0;
  return G_SOURCE_REMOVE;
}

/* While a training is at work the window stays. The question isn't asked within this handler, which would keep the accessibility bus waiting for its answer. */
static void
on_response (GtkWidget *window, gint response, TrainDialog *dialog)
{
  if (response == GTK_RESPONSE_HELP || !(photo_page_is_busy (dialog->photos) || pixel_page_is_learning (dialog->pixels)))
    return;
  g_signal_stop_emission_by_name (window, "response");
  if (!dialog->asking)
    dialog->asking = g_idle_add (ask_about_training, dialog);
}

/* TRUE: the window may close. */
static gboolean
ask_unsaved (TrainDialog *dialog)
{
  gint answer;

  if (!pixel_page_is_unsaved (dialog->pixels))
    return TRUE;
  answer = ask (dialog, _("The model hasn't been saved."), _("Close _without saving"), GTK_RESPONSE_CLOSE, _("_Save"), RESPONSE_SAVE);
  if (answer == RESPONSE_SAVE)
    pixel_page_save (dialog->pixels);
  return answer == GTK_RESPONSE_CLOSE || !pixel_page_is_unsaved (dialog->pixels);
}

/* ---- the window ------------------------------------------------------------------------------------------------------- */

static void
attach (GtkGrid *grid, int column, const char *label, const char *tooltip, GtkWidget *widget)
{
  GtkWidget *name = gtk_label_new_with_mnemonic (label);

  gtk_label_set_mnemonic_widget (GTK_LABEL (name), widget);
  atk_object_set_name (gtk_widget_get_accessible (widget), gtk_label_get_text (GTK_LABEL (name)));
  gtk_widget_set_tooltip_text (widget, tooltip);
  gtk_grid_attach (grid, name, 2 * column, 0, 1, 1);
  gtk_grid_attach (grid, widget, 2 * column + 1, 0, 1, 1);
}

static GtkWidget *
make_head (TrainDialog *dialog)
{
  const char *const task_rows[] = { "auto", _("What the labels are for"), "segment", _("Painted pixels"), "detect", _("Objects"), "classify", _("Whole images"), NULL };
  const char *const source_rows[] = { "image", _("This image"), "open-images", _("All open images"), "folder", _("A folder"), NULL };
  g_autoptr (GtkListStore) tasks = dialog_make_store (task_rows), sources = dialog_make_store (source_rows);
  g_autofree char *folder = NULL;
  GtkWidget       *grid = gtk_grid_new ();

  g_object_get (dialog->config, "folder", &folder, NULL);
  dialog->folder = gtk_file_chooser_button_new (_("Choose a Folder"), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
  if (folder && *folder)
    gtk_file_chooser_set_filename (GTK_FILE_CHOOSER (dialog->folder), folder);
  g_signal_connect (dialog->folder, "file-set", G_CALLBACK (on_folder), dialog);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  attach (GTK_GRID (grid), 0, _("Lea_rn"), _("What the model will tell apart"), gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "task", GTK_TREE_MODEL (tasks), 0, 1));
  attach (GTK_GRID (grid), 1, _("from _what"), _("Where the labels are"),
          gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "source", GTK_TREE_MODEL (sources), 0, 1));
  attach (GTK_GRID (grid), 2, _("_Folder"), _("XCF files with labels, or labelled photos"), dialog->folder);
  return grid;
}

static void
fill (TrainDialog *dialog)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);

  dialog->stack = gtk_stack_new ();
  dialog->survey = train_survey_new (dialog->config, dialog->image, on_survey, dialog);
  dialog->pixels = pixel_page_new (dialog->config, dialog->image, dialog->survey);
  dialog->photos = photo_page_new (dialog->config, dialog->image, dialog->survey);
  dialog->advanced = train_advanced_new (dialog->config, dialog->image, dialog->dialog);
  gtk_container_add (GTK_CONTAINER (dialog->stack), pixel_page_get_widget (dialog->pixels));
  gtk_container_add (GTK_CONTAINER (dialog->stack), photo_page_get_widget (dialog->photos));
  gtk_box_pack_start (GTK_BOX (box), make_head (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), photo_page_get_offer (dialog->photos), FALSE, FALSE, 0);
  g_signal_connect (photo_page_get_offer (dialog->photos), "response", G_CALLBACK (on_offer), dialog);
  gtk_box_pack_start (GTK_BOX (box), dialog->stack, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), box, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), dialog->advanced, FALSE, FALSE, 0); /* beside: below there is no room on a small screen */
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog->dialog))), columns, TRUE, TRUE, 0);
}

void
train_dialog_run (GimpProcedureConfig *config, GimpImage *image)
{
  static const char *const settings[] = { "notify::task", "notify::source", "notify::folder" };
  TrainDialog              dialog = { .config = config, .image = image };

  gimp_ui_init ("fovea");
  dialog.dialog = gimp_dialog_new (_("Train"), "fovea-train", NULL, 0, gimp_standard_help_func, TRAIN_PROCEDURE, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  fill (&dialog);
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    g_signal_connect (config, settings[i], G_CALLBACK (on_setting), &dialog);
  g_signal_connect (dialog.dialog, "focus-in-event", G_CALLBACK (on_focus), &dialog);
  g_signal_connect (dialog.dialog, "response", G_CALLBACK (on_response), &dialog);
  choose_page (&dialog);

  do
    gimp_dialog_run (GIMP_DIALOG (dialog.dialog));
  while (!ask_unsaved (&dialog));

  g_signal_handlers_disconnect_by_data (config, &dialog);
  g_clear_handle_id (&dialog.asking, g_source_remove);
  pixel_page_set_shown (dialog.pixels, FALSE);
  pixel_page_free (dialog.pixels);
  gtk_widget_destroy (dialog.dialog);
  photo_page_free (dialog.photos);
  train_survey_free (dialog.survey);
}
