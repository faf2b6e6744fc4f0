/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-page.c: see photo-page.h. While train_run is at work it calls show () many times a second, which lets the window live; the worker's thread never touches a
 * widget.
 */

#include "photo-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "apply-model.h"
#include "apply-places.h"
#include "confusion-view.h"
#include "curve-view.h"
#include "dialog.h"
#include "estimate-label.h"
#include "present-view.h"
#include "train-run.h"
#include "training-folder.h"

#define CONTROLS_WIDTH 300
#define TELL_AFTER     2.0 /* seconds: before that a guess of the time left is worth nothing */

enum { RESPONSE_GO_ON = 1, RESPONSE_FORGET };

struct _PhotoPage
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  TrainSurvey         *survey;
  GtkWidget           *widget, *left_bar, *left_text, *present, *curve, *stage, *bar, *message, *classes, *advice, *scroll, *score, *confusion, *train, *estimate, *pause, *stop,
                      *cancel, *apply, *places, *export;
  TrainRun             run;
  gboolean             is_busy;
  guint                beginning;   /* the idle source that a training, or what is done with its model, begins in; 0: none */
  const char          *going_on;    /* the model whose training it goes on with; NULL: a new one */
  gint64               began;       /* the work that the bar is about */
  double               last;        /* fraction of it that was shown */
  guint                n_points;    /* of the curve that is shown */
  gboolean             is_trouble;  /* the message is about what there is to learn from */
  char                *left;        /* the model whose training was interrupted; NULL: none */
  char                *model;       /* file of what was trained here; NULL: nothing yet */
  FoveaTask            task;        /* of that */
};

/* ---- what there is to learn from ----------------------------------------------------------------------------------- */

static void
tell (GtkWidget *label, const char *text)
{
  gtk_label_set_text (GTK_LABEL (label), text ? text : "");
  gtk_widget_set_visible (label, text && *text);
}

void
photo_page_tell (PhotoPage *page)
{
  const TrainFindings *found = train_survey_get (page->survey);

  if (page->is_busy)
    return;
  tell (page->classes, found->trouble ? NULL : found->text);
  dialog_advice_set (page->advice, found->trouble ? NULL : found->advice);
  dialog_scroll_fit (page->scroll);
  if (found->trouble || page->is_trouble) /* what came of a training, or of its model, stays */
    tell (page->message, found->trouble);
  page->is_trouble = found->trouble != NULL;
  estimate_label_set (page->estimate, found);
}

/* ---- while it learns --------------------------------------------------------------------------------------------------- */

/* For work that doesn't say itself how long it will take. */
static double
guess_seconds (PhotoPage *page, double fraction)
{
  double passed;

  if (fraction < page->last)
    page->began = g_get_monotonic_time ();
  page->last = fraction;
  passed = (double) (g_get_monotonic_time () - page->began) / G_USEC_PER_SEC;
  return fraction > 0 && passed > TELL_AFTER ? passed / fraction * (1 - fraction) : -1;
}

/* What is new of the curve, and what the model says of the photo now. */
static void
show_report (PhotoPage *page)
{
  guint        n_points = training_report_count_points (page->run.report);
  ModelAnswer *answer = training_report_take_answer (page->run.report);

  if (n_points != page->n_points)
    curve_view_set_curve (page->curve, training_report_get_curve (page->run.report));
  page->n_points = n_points;
  if (answer)
    present_view_set (page->present, answer);
}

static void
show (TrainRun *run, double fraction, gpointer data)
{
  static const char *const stages[] = { N_("Reading photos and labels"), N_("Looking at the photos"), N_("Trying learning rates"), N_("Learning"), N_("Judging by strokes kept out") };
  PhotoPage       *page = data;
  PhotoState       state = { 0 };
  double           seconds = -1;
  g_autofree char *time = NULL;

  if (run->training)
    {
      state = photo_training_get_state (run->training);
      fraction = state.fraction;
      seconds = state.seconds_left;
    }
  else if (fraction >= 0)
    seconds = guess_seconds (page, fraction);
  show_report (page);
  time = dialog_tell_time (seconds);
  tell (page->stage, _(stages[run->stage]));
  gtk_widget_set_sensitive (page->pause, train_run_can_pause (run));
  gtk_widget_set_sensitive (page->stop, train_run_can_stop (run));
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (page->bar), time);
  if (fraction < 0)
    gtk_progress_bar_pulse (GTK_PROGRESS_BAR (page->bar));
  else
    gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (page->bar), CLAMP (fraction, 0, 1));
  while (gtk_events_pending ())
    gtk_main_iteration ();
}

/* ---- a training ---------------------------------------------------------------------------------------------------------- */

static void
set_busy (PhotoPage *page, gboolean is_busy)
{
  page->is_busy = is_busy;
  gtk_widget_set_sensitive (page->train, !is_busy);
  gtk_widget_set_sensitive (page->cancel, is_busy);
  gtk_widget_set_sensitive (page->pause, FALSE);
  gtk_widget_set_sensitive (page->stop, FALSE);
  gtk_widget_set_sensitive (page->apply, !is_busy && page->model);
  gtk_widget_set_sensitive (page->export, !is_busy && page->model);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (page->pause), FALSE);
  gtk_widget_set_visible (page->bar, is_busy);
  gtk_widget_set_visible (page->stage, is_busy);
}

static char *
join_warnings (const TrainRun *run)
{
  return run->warnings && run->warnings[0] ? g_strjoinv ("\n", run->warnings) : NULL;
}

static void
show_result (PhotoPage *page, const GError *error)
{
  static const char *const places[] = { "", N_("Classify"), N_("Locate"), N_("Segment") };
  g_autofree char         *warnings = join_warnings (&page->run), *name = page->run.file ? g_path_get_basename (page->run.file) : NULL, *text = NULL;

  if (error)
    {
      tell (page->message, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? _("Cancelled. Nothing was changed; earlier models are as they were.") : error->message);
      tell (page->score, warnings);
      return;
    }
  g_free (page->model);
  page->model = g_strdup (page->run.file);
  page->task = apply_model_get_task (page->model);
  text = g_strdup_printf (_("“%.*s” is saved; %s finds it by its name."), (int) (strlen (name) - strlen (".onnx")), name, _(places[page->task]));
  tell (page->message, text);
  g_free (text);
  text = warnings ? g_strconcat (page->run.score, "\n\n", warnings, NULL) : g_strdup (page->run.score);
  tell (page->score, text);
  confusion_view_set (page->confusion, page->run.confusion);
}

static gboolean
start (gpointer data)
{
  PhotoPage               *page = data;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError)       error = NULL;

  page->beginning = 0;
  gtk_widget_hide (page->left_bar);
  train_run_clear (&page->run);
  page->run = (TrainRun) { .config = page->config, .image = page->image, .left = page->going_on, .photo = present_view_begin (page->present, page->image),
                           .cancellable = cancellable, .show = show, .user_data = page };
  page->n_points = 0;
  page->last = 1;
  curve_view_set_curve (page->curve, NULL);
  estimate_label_set (page->estimate, NULL);
  tell (page->message, NULL);
  tell (page->score, NULL);
  confusion_view_set (page->confusion, NULL);
  train_survey_stop (page->survey);
  train_run (&page->run, &error);
  page->run.cancellable = NULL;
  show_report (page);
  show_result (page, error);
  set_busy (page, FALSE);
  estimate_label_set (page->estimate, train_survey_get (page->survey));
  train_survey_count (page->survey);
  return G_SOURCE_REMOVE;
}

/* Not within the handler of a click: one that came over the accessibility bus would keep that from being answered until the training ends. */
static void
start_soon (PhotoPage *page, const char *left)
{
  page->going_on = left;
  set_busy (page, TRUE);
  page->beginning = g_idle_add (start, page);
}

static void
on_train (GtkButton *button, PhotoPage *page)
{
  start_soon (page, NULL);
}

static void
on_pause (GtkToggleButton *button, PhotoPage *page)
{
  train_run_pause (&page->run, gtk_toggle_button_get_active (button));
}

void
photo_page_stop (PhotoPage *page)
{
  train_run_stop (&page->run);
}

void
photo_page_cancel (PhotoPage *page)
{
  if (page->run.cancellable)
    g_cancellable_cancel (page->run.cancellable);
}

static gboolean
apply (gpointer data)
{
  PhotoPage         *page = data;
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = apply_places_run (page->places, page->config, page->image, page->model, page->task, &error);

  page->beginning = 0;
  tell (page->message, text ? text : error->message);
  return G_SOURCE_REMOVE;
}

static gboolean
export (gpointer data)
{
  PhotoPage         *page = data;
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = apply_places_export (GTK_WINDOW (gtk_widget_get_toplevel (page->widget)), page->model, &error);

  page->beginning = 0;
  if (text || error)
    tell (page->message, text ? text : error->message);
  return G_SOURCE_REMOVE;
}

/* Other windows open in these: see start_soon. */
static void
on_apply (GtkButton *button, PhotoPage *page)
{
  if (!page->beginning)
    page->beginning = g_idle_add (apply, page);
}

static void
on_export (GtkButton *button, PhotoPage *page)
{
  if (!page->beginning)
    page->beginning = g_idle_add (export, page);
}

/* ---- an interrupted training --------------------------------------------------------------------------------------------- */

static void
on_left (GtkInfoBar *bar, gint response, PhotoPage *page)
{
  if (response == RESPONSE_GO_ON)
    {
      start_soon (page, page->left);
      return;
    }
  gtk_widget_hide (page->left_bar);
  if (response == RESPONSE_FORGET)
    {
      g_autoptr (TrainingFolder) folder = training_folder_open (page->left, NULL);

      if (folder)
        training_folder_remove (folder);
    }
}

static GtkWidget *
make_left_bar (PhotoPage *page)
{
  GtkWidget       *bar = gtk_info_bar_new_with_buttons (_("Go on"), RESPONSE_GO_ON, _("Forget it"), RESPONSE_FORGET, NULL);
  g_autofree char *text = NULL;

  page->left = training_folder_find_left ();
  text = g_strdup_printf (_("The training of “%s” was interrupted. It can go on where it was."), page->left ? page->left : "");
  page->left_text = dialog_text_new ();
  gtk_label_set_text (GTK_LABEL (page->left_text), text);
  gtk_container_add (GTK_CONTAINER (gtk_info_bar_get_content_area (GTK_INFO_BAR (bar))), page->left_text);
  g_signal_connect (bar, "response", G_CALLBACK (on_left), page);
  gtk_widget_show_all (bar);
  gtk_widget_set_visible (bar, page->left != NULL);
  gtk_widget_set_no_show_all (bar, TRUE);
  return bar;
}

/* ---- the page --------------------------------------------------------------------------------------------------------------- */

static GtkWidget *
make_button (PhotoPage *page, GtkWidget *button, const char *signal, GCallback callback, gboolean sensitive)
{
  g_signal_connect (button, signal, callback, page);
  gtk_widget_set_sensitive (button, sensitive);
  return button;
}

static GtkWidget *
make_text (void)
{
  GtkWidget *label = dialog_text_new ();

  gtk_label_set_max_width_chars (GTK_LABEL (label), 44);
  gtk_widget_set_no_show_all (label, TRUE);
  return label;
}

static void
on_cancel (GtkButton *button, PhotoPage *page)
{
  photo_page_cancel (page);
}

static void
on_stop (GtkButton *button, PhotoPage *page)
{
  photo_page_stop (page);
}

static GtkWidget *
make_controls (PhotoPage *page)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *grid = gtk_grid_new (), *uses = gtk_grid_new ();
  GtkWidget *found = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);

  page->classes = make_text ();
  page->advice = dialog_advice_new ();
  gtk_box_pack_start (GTK_BOX (found), page->advice, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (found), page->classes, FALSE, FALSE, 0);
  page->scroll = dialog_scroll_new (found);
  page->score = make_text ();
  page->confusion = confusion_view_new ();
  page->train = make_button (page, gtk_button_new_with_mnemonic (_("_Train")), "clicked", G_CALLBACK (on_train), TRUE);
  page->pause = make_button (page, gtk_toggle_button_new_with_mnemonic (_("_Pause")), "toggled", G_CALLBACK (on_pause), FALSE);
  page->stop = make_button (page, gtk_button_new_with_mnemonic (_("_Stop and keep the best")), "clicked", G_CALLBACK (on_stop), FALSE);
  page->cancel = make_button (page, gtk_button_new_with_mnemonic (_("Cance_l")), "clicked", G_CALLBACK (on_cancel), FALSE);
  page->apply = make_button (page, gtk_button_new_with_mnemonic (_("_Apply now")), "clicked", G_CALLBACK (on_apply), FALSE);
  gtk_style_context_add_class (gtk_widget_get_style_context (page->train), "suggested-action");
  gtk_widget_set_size_request (page->train, CONTROLS_WIDTH, 56);
  page->export = make_button (page, gtk_button_new_with_mnemonic (_("E_xport…")), "clicked", G_CALLBACK (on_export), FALSE);
  page->places = apply_places_new ();
  gtk_widget_set_tooltip_text (page->apply, _("Uses the model there"));
  gtk_widget_set_tooltip_text (page->export, _("Writes a plain ONNX file for other programs, normalization inside"));
  gtk_box_pack_start (GTK_BOX (row), page->pause, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->stop, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->cancel, FALSE, FALSE, 0);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog_attach (GTK_GRID (grid), 0, _("_Name"), _("Of the model that is saved; empty: “My model”"), gimp_prop_entry_new (G_OBJECT (page->config), "name", -1));
  gtk_grid_set_column_spacing (GTK_GRID (uses), 12);
  gtk_grid_set_row_spacing (GTK_GRID (uses), 6);
  dialog_attach (GTK_GRID (uses), 0, _("Apply to"), _("Where the model is used"), page->places);
  gtk_grid_attach (GTK_GRID (uses), page->apply, 0, 1, 2, 1);
  gtk_grid_attach (GTK_GRID (uses), page->export, 0, 2, 2, 1);
  gtk_box_pack_start (GTK_BOX (column), grid, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->train, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->estimate = estimate_label_new (page->config), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->scroll, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->score, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->confusion, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), uses, FALSE, FALSE, 0);
  return column;
}

static GtkWidget *
make_content (PhotoPage *page)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  page->left_bar = make_left_bar (page);
  page->curve = curve_view_new ();
  page->stage = make_text ();
  page->bar = gtk_progress_bar_new ();
  atk_object_set_name (gtk_widget_get_accessible (page->bar), _("Progress"));
  page->message = make_text ();
  gtk_label_set_max_width_chars (GTK_LABEL (page->message), 60);
  gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (page->bar), TRUE);
  gtk_widget_set_no_show_all (page->bar, TRUE);
  gtk_box_pack_start (GTK_BOX (left), page->present = present_view_new (), TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), page->curve, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), page->stage, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), page->bar, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), page->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), make_controls (page), FALSE, FALSE, 0);
  gtk_widget_show_all (columns);
  return columns;
}

PhotoPage *
photo_page_new (GimpProcedureConfig *config, GimpImage *image, TrainSurvey *survey)
{
  PhotoPage *page = g_new0 (PhotoPage, 1);

  page->config = config;
  page->image = image;
  page->survey = survey;
  page->widget = make_content (page);
  return page;
}

void
photo_page_free (PhotoPage *page)
{
  g_clear_handle_id (&page->beginning, g_source_remove);
  train_run_clear (&page->run);
  g_free (page->left);
  g_free (page->model);
  g_free (page);
}

GtkWidget *
photo_page_get_widget (const PhotoPage *page)
{
  return page->widget;
}

GtkWidget *
photo_page_get_offer (const PhotoPage *page)
{
  return page->left_bar;
}

gboolean
photo_page_is_busy (const PhotoPage *page)
{
  return page->is_busy;
}
