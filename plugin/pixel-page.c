/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-page.c: see pixel-page.h. It looks (look.h) at the photo as soon as it is shown and keeps what the network sees; a look after that reads the labels and
 * learns (pixel-page-learn.c). What it is worth follows a look, which the user needn't wait for. While “Live” is on, strokes that are painted in GIMP's window are
 * noticed (label-watch.h) and only that part of the label layers is read again.
 */

#include "pixel-page-private.h"

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>
#include <string.h>

#include "apply-places.h"
#include "confusion-view.h"
#include "curve-view.h"
#include "dialog.h"
#include "label-examples.h"

#define POLL_MS    60
#define REST       3 /* looking for strokes takes at most one part of so many and one of the time */
#define COLUMN_WIDTH 290
#define CURVE_HEIGHT 90
#define LEARN_STEP 0.004 /* of the time of a look: what a step of learning takes */

/* ---- labels -------------------------------------------------------------------------------------------------------- */

static guint
count_painted (const PixelPage *page, guint index)
{
  gsize n = (gsize) fovea_pixel_trainer_get_grid (page->training->trainer), found = 0;

  for (gsize i = 0; page->cells && i < n * n; i++)
    found += page->cells[i] == index;
  return (guint) found;
}

static guint
count_painted_classes (const PixelPage *page)
{
  guint n = 0;

  for (guint i = 0; i < page->training->classes->len; i++)
    n += count_painted (page, i) > 0;
  return n;
}

static void
note_colours (PixelPage *page)
{
  GPtrArray *classes = page->training->classes;

  g_free (page->colours);
  page->colours = g_new0 (guint8, 3 * classes->len + 1);
  for (guint i = 0; i < classes->len; i++)
    {
      gint place = label_layers_index (page->labels, classes->pdata[i]);

      if (place >= 0)
        memcpy (page->colours + 3 * i, page->labels->classes[place].rgb, 3);
    }
}

/* A bar for each class: its share of what is painted. */
static void
show_bars (PixelPage *page)
{
  guint            n = page->training->classes->len, most = 1;
  g_autofree guint *counts = g_new0 (guint, n + 1);
  g_autoptr (GList) children = gtk_container_get_children (GTK_CONTAINER (page->bars));

  for (GList *child = children; child; child = child->next)
    gtk_widget_destroy (child->data);
  for (guint i = 0; i < n && page->cells; i++)
    most = MAX (most, counts[i] = count_painted (page, i));
  for (guint i = 0; i < n; i++)
    {
      GtkWidget       *bar = gtk_progress_bar_new ();
      g_autofree char *text = g_strdup_printf (ngettext ("%s: %u cell painted", "%s: %u cells painted", counts[i]), (const char *) page->training->classes->pdata[i], counts[i]);

      gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (bar), TRUE);
      gtk_progress_bar_set_text (GTK_PROGRESS_BAR (bar), text);
      gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (bar), (double) counts[i] / most);
      atk_object_set_name (gtk_widget_get_accessible (bar), text);
      gtk_box_pack_start (GTK_BOX (page->bars), bar, FALSE, FALSE, 0);
    }
  gtk_widget_show_all (page->bars);
  dialog_scroll_fit (page->scroll);
}

/* The classes as they are now; notes if the trainer knows others. */
static void
take_classes (PixelPage *page, LabelLayers *labels)
{
  PixelTraining        *training = page->training;
  g_autoptr (GPtrArray) before = training->classes;

  training->classes = g_ptr_array_new_with_free_func (g_free);
  pixel_training_add_classes (training, labels);
  if (before->len != training->classes->len)
    page->are_new = TRUE;
  for (guint i = 0; i < before->len && !page->are_new; i++)
    page->are_new = g_strcmp0 (before->pdata[i], training->classes->pdata[i]) != 0;
  g_clear_pointer (&page->labels, label_layers_free);
  page->labels = labels;
  note_colours (page);
}

/* What is painted, of which only what is stale is read again. While no worker is at work. */
static gboolean
read_labels (PixelPage *page, GError **error)
{
  LabelLayers  *labels = pixels_check_image (page->image, error) ? label_layers_read (page->image, error) : NULL;
  guint8       *painted;
  int           grid;
  GeglRectangle area;

  if (!labels)
    return FALSE;
  if (label_watch_look (page->watch, labels, &area))
    gegl_rectangle_bounding_box (&page->stale, &page->stale, &area);
  take_classes (page, labels);
  if (!page->training->trainer)
    return TRUE;
  grid = fovea_pixel_trainer_get_grid (page->training->trainer);
  painted = page->painted ? label_examples_draw_again (labels, &page->stale, page->painted, grid, grid, error) : label_examples_draw (labels, grid, grid, error);
  if (!painted)
    return FALSE;
  g_free (page->painted);
  g_free (page->cells);
  page->painted = painted;
  page->cells = pixel_training_take_labels (page->training, labels, painted);
  page->stale = (GeglRectangle) { 0, 0, 0, 0 };
  show_bars (page);
  return TRUE;
}

/* ---- a look ---------------------------------------------------------------------------------------------------------- */

static gboolean
load (const char *model, gpointer data, GError **error)
{
  return pixel_training_load_base (((PixelPage *) data)->training, model, error);
}

/* What ends the work. */
static void
set_busy (PixelPage *page, gboolean is_busy)
{
  gtk_widget_set_sensitive (page->stop, is_busy);
  gtk_widget_set_sensitive (page->cancel, is_busy);
  if (is_busy)
    return;
  gtk_widget_set_sensitive (page->pause, FALSE);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (page->pause), FALSE);
}

/* The trainer that comes may have another grid. */
static void
loaded (gpointer data)
{
  PixelPage *page = data;

  page->has_photo = FALSE;
  g_clear_pointer (&page->painted, g_free);
  g_clear_pointer (&page->cells, g_free);
}

static void
forget (gpointer data)
{
  PixelPage *page = data;

  set_busy (page, TRUE);
  gtk_widget_set_sensitive (page->apply, FALSE);
  gtk_widget_set_sensitive (page->save, FALSE);
  gtk_widget_set_sensitive (page->export, FALSE);
}

static void
show_photo (GdkPixbuf *photo, GdkPixbuf *small, gpointer data)
{
  PixelPage *page = data;

  train_view_set_answer (page->view, NULL, NULL, 0);
  if (photo)
    train_view_set_size (page->view, gdk_pixbuf_get_width (photo), gdk_pixbuf_get_height (photo));
  photo_view_set_photo (page->view, photo, small);
}

static void
begin (gpointer data)
{
  PixelPage       *page = data;
  g_autoptr (GError) error = NULL;

  train_survey_stop (page->survey);
  look_show_progress (page->look, TRUE);
  page->is_other |= pixel_training_read_settings (page->training, page->config);
  if (!read_labels (page, &error))
    {
      g_clear_pointer (&page->labels, label_layers_free);
      look_show_message (page->look, error->message);
    }
  page->learns = page->wants && page->cells && (!page->is_live || (count_painted_classes (page) >= 2 && (pixel_page_has_run (page) || !page->training->is_long)));
  if (page->learns && !pixel_page_begin_learning (page, &error))
    {
      page->learns = FALSE;
      look_show_message (page->look, error->message);
    }
  gtk_widget_set_sensitive (page->pause, page->learns);
  gtk_widget_set_sensitive (page->cancel, !page->learns || page->keeps); /* a short learning goes on from the one before, and can't be taken back */
  if (!page->learns)
    return;
  g_clear_pointer (&page->report, training_report_free);
  page->report = training_report_new (NULL);
  page->n_points = 0;
}

/* The curve has the place of the confusion matrix, until there is another. */
static void
show_confusion (PixelPage *page, const Confusion *confusion)
{
  confusion_view_set (page->confusion, confusion);
  gtk_widget_set_visible (page->curve, !confusion);
  dialog_scroll_fit (page->scroll);
}

/* What is new of it. */
static void
show_curve (PixelPage *page)
{
  guint n_points = page->report ? training_report_count_points (page->report) : 0;

  if (n_points == page->n_points)
    return;
  if (page->n_points == 0)
    show_confusion (page, NULL);
  curve_view_set_curve (page->curve, training_report_get_curve (page->report));
  page->n_points = n_points;
}

/* What it says meanwhile, if that is new. */
static void
show_present (PixelPage *page)
{
  TrainAnswer *present = g_atomic_pointer_exchange (&page->new_present, NULL);

  if (!present)
    return;
  train_view_set_answer (page->view, present, page->colours, page->training->classes->len);
  train_answer_free (page->present);
  page->present = present;
  atk_object_set_description (gtk_widget_get_accessible (page->view), _("At present"));
}

static void
forget_present (PixelPage *page)
{
  train_answer_free (g_atomic_pointer_exchange (&page->new_present, NULL));
  if (!page->present)
    return;
  train_view_set_answer (page->view, page->answer, page->colours, page->training->classes->len);
  g_clear_pointer (&page->present, train_answer_free);
  atk_object_set_description (gtk_widget_get_accessible (page->view), page->answer ? _("Trained") : "");
}

static void
exchange_answer (PixelPage *page)
{
  train_view_set_answer (page->view, page->new_answer, page->colours, page->training->classes->len);
  g_clear_pointer (&page->answer, train_answer_free);
  g_clear_pointer (&page->masks, fovea_masks_free);
  page->answer = g_steal_pointer (&page->new_answer);
  page->masks = g_steal_pointer (&page->new_masks);
}

static void
show_answer (PixelPage *page)
{
  g_autofree char *score = page->training->judges ? NULL : pixel_training_tell_score (page->training);

  exchange_answer (page);
  train_view_set_mark (page->view, FALSE);
  g_free (page->are_background);
  page->are_background = g_memdup2 (page->training->background, page->training->classes->len * sizeof (gboolean));
  page->is_unsaved = TRUE;
  gtk_label_set_text (GTK_LABEL (page->score), score ? score : "");
  show_curve (page);
  atk_object_set_description (gtk_widget_get_accessible (page->view), _("Trained"));
}

/* How long the next learning will take: by how long the last one took, or, where there was none, by how fast the network looked at the photo. */
static void
show_estimate (PixelPage *page)
{
  PixelTraining     next = { 0 };
  gboolean          begins;
  double            step, seconds;
  g_autofree char  *text = NULL;

  next.settings = page->training->settings;
  begins = pixel_training_read_settings (&next, page->config) || next.is_long || !pixel_page_has_run (page);
  step = page->n_steps > 0 ? page->learn_seconds / page->n_steps : LEARN_STEP * page->look_seconds;
  seconds = (begins && pixel_page_has_run (page) ? page->look_seconds : 0) + step * pixel_training_count_steps (&next, begins);
  text = dialog_tell_estimate (page->look_seconds > 0 ? seconds : -1);
  gtk_label_set_text (GTK_LABEL (page->estimate), text);
}

static void
on_setting (GimpProcedureConfig *config, GParamSpec *property, PixelPage *page)
{
  show_estimate (page);
}

static gboolean
live_is_on (const PixelPage *page)
{
  return gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (page->live));
}

static void
ended (gboolean done, gpointer data)
{
  PixelPage *page = data;

  set_busy (page, FALSE);
  if (!done && page->learns && !page->wants)
    look_show_message (page->look, _("Cancelled. Nothing was changed; earlier models are as they were."));
  pixel_page_end_learning (page, done);
  forget_present (page);
  if (done && page->labels && !page->cells && (page->wants || live_is_on (page))) /* the photo has been looked at, so that what is painted can be drawn */
    {
      page->is_live = !page->wants;
      page->wants = TRUE;
      look_start (page->look);
      return;
    }
  page->wants = FALSE;
  page->judge &= done;
  if (done && page->new_answer)
    {
      page->judge = page->training->judges;
      show_answer (page);
      if (page->keeps && !g_cancellable_is_cancelled (page->halt)) /* what took long isn't lost for want of a click */
        pixel_page_save_as (page, page->order->name);
    }
  g_clear_pointer (&page->new_answer, train_answer_free);
  gtk_widget_set_sensitive (page->apply, page->masks != NULL);
  gtk_widget_set_sensitive (page->save, page->masks != NULL);
  gtk_widget_set_sensitive (page->export, page->masks != NULL);
  gtk_widget_set_sensitive (page->next, page->masks != NULL);
  show_estimate (page);
  look_follow (page->look);
  if (!look_is_following (page->look))
    train_survey_count (page->survey);
}

/* ---- what it is worth -------------------------------------------------------------------------------------------------- */

static const char *
prepare (gpointer data)
{
  PixelPage *page = data;

  set_busy (page, page->judge);
  return page->judge ? _("Judging by strokes kept out") : NULL;
}

/* Once it is known what it is worth, it says more of the photo. */
static gboolean
follow (GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  PixelPage *page = data;

  g_clear_pointer (&page->new_score, fovea_pixel_score_free);
  page->new_score = fovea_pixel_trainer_judge (page->training->trainer, cancellable, error);
  return page->new_score && (!page->new_score->enough || pixel_page_look_again (page, cancellable, error));
}

static void
followed (gboolean done, gpointer data)
{
  PixelPage            *page = data;
  g_autofree char      *score = NULL;
  g_autoptr (Confusion) confusion = NULL;

  page->judge = FALSE;
  set_busy (page, FALSE);
  train_survey_count (page->survey);
  if (!done)
    return;
  g_clear_pointer (&page->training->score, fovea_pixel_score_free);
  page->training->score = g_steal_pointer (&page->new_score);
  if (page->new_answer)
    exchange_answer (page);
  score = pixel_training_tell_score (page->training);
  gtk_label_set_text (GTK_LABEL (page->score), score);
  confusion = pixel_training_get_confusion (page->training);
  show_confusion (page, confusion);
  if (page->keeps && !page->is_unsaved)
    pixel_page_save_as (page, page->order->name); /* with its score */
}

/* ---- live ---------------------------------------------------------------------------------------------------------------- */

/* What has been learned since, and strokes that were painted since. */
static gboolean
on_poll (gpointer data)
{
  PixelPage              *page = data;
  gint64                  started = g_get_monotonic_time ();
  g_autoptr (GError)      error = NULL;
  g_autoptr (LabelLayers) labels = NULL;
  GeglRectangle           area;

  show_curve (page);
  if (pixel_page_is_learning (page))
    show_present (page);
  if (!page->is_shown || !page->has_photo || started < page->next_poll || !live_is_on (page) || (page->keeps && pixel_page_is_learning (page)))
    return G_SOURCE_CONTINUE;
  labels = pixels_check_image (page->image, &error) ? label_layers_read (page->image, &error) : NULL;
  if (error && g_strcmp0 (page->trouble, error->message) != 0)
    look_show_message (page->look, error->message);
  g_free (page->trouble);
  page->trouble = error ? g_strdup (error->message) : NULL;
  if (labels && label_watch_look (page->watch, labels, &area))
    {
      gegl_rectangle_bounding_box (&page->stale, &page->stale, &area);
      page->is_live = !page->wants || page->is_live;
      page->wants = TRUE;
      look_start (page->look);
    }
  page->next_poll = g_get_monotonic_time () + REST * (g_get_monotonic_time () - started);
  return G_SOURCE_CONTINUE;
}

/* ---- buttons --------------------------------------------------------------------------------------------------------- */

static void
on_train (GtkButton *button, PixelPage *page)
{
  page->wants = TRUE;
  page->is_live = FALSE;
  if (look_is_busy (page->look) && (!page->has_photo || page->learns)) /* it goes on to that as soon as the photo has been looked at, or is at it */
    return;
  g_clear_pointer (&page->painted, g_free); /* everything is read, to the last pixel */
  look_start (page->look);
}

static void
on_base (GimpProcedureConfig *config, GParamSpec *property, PixelPage *page)
{
  g_autofree char *model = NULL;

  g_object_get (config, "base-model", &model, NULL);
  if (page->is_shown && !dialog_is_choosing (model))
    look_start (page->look);
}

gboolean
pixel_page_is_learning (const PixelPage *page)
{
  return page->wants && look_is_busy (page->look);
}

void
pixel_page_cancel (PixelPage *page)
{
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (page->live), FALSE);
  page->wants = page->judge = FALSE;
  look_stop (page->look);
}

static void
on_stop (GtkButton *button, PixelPage *page)
{
  if (!g_atomic_int_get (&page->takes_steps))
    {
      pixel_page_cancel (page);
      return;
    }
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (page->live), FALSE);
  g_cancellable_cancel (page->halt);
}

static void
on_cancel (GtkButton *button, PixelPage *page)
{
  pixel_page_cancel (page);
}

static void
on_pause (GtkToggleButton *button, PixelPage *page)
{
  g_atomic_int_set (&page->is_paused, gtk_toggle_button_get_active (button));
}

static void
on_next (GtkButton *button, PixelPage *page)
{
  FoveaPhoto       photo = look_get_photo (page->look);
  g_autofree char *text = g_strdup_printf (_("At %d, %d: paint what it is there."), (int) (page->answer->next_x * photo.width), (int) (page->answer->next_y * photo.height));

  train_view_set_mark (page->view, TRUE);
  look_show_message (page->look, text);
}

static void
kind_toggled (GtkToggleButton *button, PixelPage *page)
{
  if (gtk_toggle_button_get_active (button))
    train_view_set_kind (page->view, (TrainViewKind) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "kind")));
}

/* ---- the page --------------------------------------------------------------------------------------------------------- */

static GtkWidget *
make_button (PixelPage *page, const char *label, GCallback clicked, gboolean sensitive)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  g_signal_connect (button, "clicked", clicked, page);
  gtk_widget_set_sensitive (button, sensitive);
  return button;
}

static GtkWidget *
make_kinds (PixelPage *page)
{
  const char *const labels[] = { _("Classes"), _("Confidence"), _("Uncertainty") };
  GtkWidget        *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0), *button = NULL;

  gtk_style_context_add_class (gtk_widget_get_style_context (box), "linked");
  for (int kind = 0; kind < (int) G_N_ELEMENTS (labels); kind++)
    {
      button = gtk_radio_button_new_with_label_from_widget (button ? GTK_RADIO_BUTTON (button) : NULL, labels[kind]);
      gtk_toggle_button_set_mode (GTK_TOGGLE_BUTTON (button), FALSE);
      g_object_set_data (G_OBJECT (button), "kind", GINT_TO_POINTER (kind));
      g_signal_connect (button, "toggled", G_CALLBACK (kind_toggled), page);
      gtk_box_pack_start (GTK_BOX (box), button, TRUE, TRUE, 0);
    }
  return box;
}

/* What is done with what was learned. */
static GtkWidget *
make_uses (PixelPage *page)
{
  const char *const output_rows[] = { "selection", _("A selection"), "layer-mask", _("A layer mask"), "channels", _("Channels"), "layers", _("Coloured layers"),
                                      "cut-out", _("A cut-out"), NULL };
  g_autoptr (GtkListStore) outputs = dialog_make_store (output_rows);
  GtkWidget *grid = gtk_grid_new (), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *where = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  page->apply = make_button (page, _("_Apply now"), G_CALLBACK (pixel_page_on_apply), FALSE);
  page->save = make_button (page, _("Save _model"), G_CALLBACK (pixel_page_on_save), FALSE);
  page->export = make_button (page, _("Export…"), G_CALLBACK (pixel_page_on_export), FALSE);
  page->places = apply_places_new ();
  gtk_widget_set_tooltip_text (page->export, _("Writes a plain ONNX file for other programs, normalization inside"));
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_box_pack_start (GTK_BOX (where), page->places, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (where), page->apply, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->save, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->export, TRUE, TRUE, 0);
  dialog_attach (GTK_GRID (grid), 0, _("Ma_ke"), _("What the classes become in the image"),
                 gimp_prop_string_combo_box_new (G_OBJECT (page->config), "output", GTK_TREE_MODEL (outputs), 0, 1));
  dialog_attach (GTK_GRID (grid), 1, _("Apply to"), _("Where the model is used; elsewhere than on this image it is saved first"), where);
  atk_object_set_name (gtk_widget_get_accessible (page->places), _("Apply to"));
  dialog_attach (GTK_GRID (grid), 2, _("_Name"), _("Of the model that is saved; empty: “My model”"), gimp_prop_entry_new (G_OBJECT (page->config), "name", -1));
  gtk_grid_attach (GTK_GRID (grid), row, 0, 3, 2, 1);
  return grid;
}

static GtkWidget *
make_controls (PixelPage *page)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *found = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);

  page->bars = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  page->advice = dialog_advice_new ();
  page->score = dialog_text_new ();
  page->confusion = confusion_view_new ();
  page->curve = curve_view_new ();
  gtk_widget_set_size_request (page->curve, -1, CURVE_HEIGHT);
  gtk_widget_set_no_show_all (page->curve, TRUE);
  page->train = make_button (page, _("_Train"), G_CALLBACK (on_train), TRUE);
  page->pause = gtk_toggle_button_new_with_mnemonic (_("_Pause"));
  g_signal_connect (page->pause, "toggled", G_CALLBACK (on_pause), page);
  page->stop = make_button (page, _("_Stop"), G_CALLBACK (on_stop), FALSE);
  gtk_widget_set_tooltip_text (page->stop, _("What was learned by then is kept"));
  page->cancel = make_button (page, _("Cance_l"), G_CALLBACK (on_cancel), FALSE);
  gtk_widget_set_tooltip_text (page->cancel, _("What was learned before is kept"));
  page->next = make_button (page, _("Label here ne_xt"), G_CALLBACK (on_next), FALSE);
  page->live = gtk_check_button_new_with_mnemonic (_("Li_ve: learn each stroke that is painted"));
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (page->live), TRUE);
  gtk_style_context_add_class (gtk_widget_get_style_context (page->train), "suggested-action");
  gtk_widget_set_size_request (page->train, -1, 42);
  gtk_box_pack_start (GTK_BOX (row), page->pause, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->stop, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), page->cancel, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->train, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->estimate = dialog_text_new (), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->live, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->score, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (found), page->advice, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (found), page->bars, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (found), page->curve, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (found), page->confusion, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->scroll = dialog_scroll_new (found), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), page->next, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), make_uses (page), FALSE, FALSE, 0);
  gtk_widget_set_size_request (column, COLUMN_WIDTH, -1);
  return column;
}

static GtkWidget *
make_content (PixelPage *page)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  page->view = train_view_new ();
  gtk_box_pack_start (GTK_BOX (left), make_kinds (page), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), page->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), look_get_status (page->look), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), make_controls (page), FALSE, FALSE, 0);
  gtk_widget_show_all (columns);
  return columns;
}

PixelPage *
pixel_page_new (GimpProcedureConfig *config, GimpImage *image, TrainSurvey *survey)
{
  static const LookSteps steps = { load, loaded, forget, show_photo, begin, pixel_page_run, ended, prepare, follow, followed };
  PixelPage             *page = g_new0 (PixelPage, 1);

  page->config = config;
  page->image = image;
  page->survey = survey;
  page->training = pixel_training_new ();
  page->watch = label_watch_new ();
  page->look = look_new (config, image, NULL, "image", &steps, page);
  look_fix (page->look, "base-model", "image");
  page->widget = make_content (page);
  page->poll = g_timeout_add (POLL_MS, on_poll, page);
  g_signal_connect (config, "notify::base-model", G_CALLBACK (on_base), page);
  g_signal_connect (config, "notify::epochs", G_CALLBACK (on_setting), page);
  return page;
}

GtkWidget *
pixel_page_get_widget (const PixelPage *page)
{
  return page->widget;
}

void
pixel_page_set_shown (PixelPage *page, gboolean is_shown)
{
  if (is_shown && !page->is_shown)
    look_start (page->look);
  else if (!is_shown && page->is_shown)
    look_stop (page->look);
  page->is_shown = is_shown;
  if (is_shown && !look_is_busy (page->look) && !look_is_following (page->look)) /* else when that is done */
    train_survey_count (page->survey);
}

void
pixel_page_tell (PixelPage *page)
{
  dialog_advice_set (page->advice, train_survey_get (page->survey)->advice);
  dialog_scroll_fit (page->scroll);
}

gboolean
pixel_page_is_unsaved (const PixelPage *page)
{
  return page->is_unsaved;
}

void
pixel_page_save (PixelPage *page)
{
  if (!look_is_busy (page->look))
    pixel_page_on_save (NULL, page);
}

void
pixel_page_free (PixelPage *page)
{
  g_signal_handlers_disconnect_by_data (page->config, page);
  g_source_remove (page->poll);
  g_clear_handle_id (&page->acting, g_source_remove);
  forget_present (page);
  show_photo (NULL, NULL, page);
  look_free (page->look);
  train_answer_free (page->new_present);
  pixel_page_forget_kept (page, page->is_unsaved);
  g_clear_pointer (&page->order, photo_order_free);
  g_clear_object (&page->halt);
  pixel_training_free (page->training);
  g_clear_pointer (&page->labels, label_layers_free);
  g_clear_pointer (&page->masks, fovea_masks_free);
  g_clear_pointer (&page->new_masks, fovea_masks_free);
  g_clear_pointer (&page->answer, train_answer_free);
  g_clear_pointer (&page->new_score, fovea_pixel_score_free);
  g_clear_pointer (&page->report, training_report_free);
  label_watch_free (page->watch);
  g_free (page->painted);
  g_free (page->cells);
  g_free (page->are_background);
  g_free (page->colours);
  g_free (page->trouble);
  g_free (page->saved);
  g_free (page);
}
