/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * look.c: see look.h.
 */

#include "look.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dialog.h"
#include "photo-view.h"
#include "smaller.h"

#define HUGE_PAGE  ((gsize) 2 << 20)
#define TICK_MS    100
#define TELL_AFTER 2.0 /* seconds: before that a guess of the time left is worth nothing */

struct _Look
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GimpDrawable       **drawables;
  const char          *layer_region;
  const char          *model_setting, *fixed_region; /* the latter may be NULL */
  LookSteps            steps;
  gpointer             user_data;
  GtkWidget           *status, *spinner, *bar, *message, *facts;

  PixelReader  *reader;
  char         *loaded;      /* the model's name as set; NULL: none is loaded */
  char         *region;      /* that the pixels are of; NULL: none have been read */
  guint8       *rgb;         /* (height, width, 3), the region's pixels; from alloc_pixels */
  Smaller      *smaller;     /* NULL: they are few, or memory is short */
  int           width, height, next_row;
  GMutex        lock;        /* of the two below */
  GCond         came;        /* either changed */
  int           rows;        /* that a worker may use, of rgb */
  gboolean      are_all;     /* that will come */
  GCancellable *cancellable; /* of the look under way, or of what follows */
  gboolean      is_busy;     /* a worker or an idle source is at work */
  gboolean      is_loading, is_reading; /* … of the model, of the pixels: at the same time */
  gboolean      has_begun, is_running;  /* the network, in this look; it waits for pixels */
  gboolean      is_shown;    /* the region's pixels */
  GError       *trouble;     /* the first that was met */
  gboolean      is_following; /* the worker of what follows is at work */
  gboolean      look_again, follow_again; /* something changed meanwhile */
  const char   *words;       /* what is done, static; NULL: nothing is said */
  gint          looked;      /* thousandths of the look; atomic */
  gint64        began;       /* the worker's run */
  guint         tick;
};

/* ---- what the user sees of it --------------------------------------------------------------------------------- */

static void
make_status (Look *look)
{
  GtkWidget *below = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  look->status = g_object_ref_sink (gtk_box_new (GTK_ORIENTATION_VERTICAL, 6));
  look->spinner = gtk_spinner_new ();
  look->bar = gtk_progress_bar_new ();
  atk_object_set_name (gtk_widget_get_accessible (look->bar), _("Progress"));
  look->message = dialog_text_new ();
  look->facts = dialog_text_new ();
  gtk_style_context_add_class (gtk_widget_get_style_context (look->facts), "dim-label");
  gtk_box_pack_start (GTK_BOX (below), look->facts, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (below), look->spinner, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (look->status), look->bar, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (look->status), look->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (look->status), below, FALSE, FALSE, 0);
  gtk_widget_show_all (look->status);
  gtk_widget_hide (look->bar);
  gtk_widget_hide (look->message);
  gtk_widget_set_no_show_all (look->bar, TRUE);
  gtk_widget_set_no_show_all (look->message, TRUE);
}

GtkWidget *
look_get_status (const Look *look)
{
  return look->status;
}

void
look_show_message (Look *look, const char *text)
{
  gtk_label_set_text (GTK_LABEL (look->message), text);
  gtk_widget_set_visible (look->message, text != NULL);
}

void
look_show_facts (Look *look, const char *text)
{
  gtk_label_set_text (GTK_LABEL (look->facts), text);
}

void
look_show_progress (Look *look, gboolean visible)
{
  gtk_widget_set_visible (look->bar, visible);
}

static gboolean
on_tick (gpointer data)
{
  Look            *look = data;
  double           fraction = g_atomic_int_get (&look->looked) / 1000.0, passed = (double) (g_get_monotonic_time () - look->began) / G_USEC_PER_SEC;
  g_autofree char *left = dialog_tell_time (fraction > 0 && passed > TELL_AFTER ? passed / fraction * (1 - fraction) : -1);

  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (look->bar), fraction);
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (look->bar), *left || !look->words ? left : look->words);
  gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (look->bar), *left || look->words);
  return G_SOURCE_CONTINUE;
}

/* ---- the network ------------------------------------------------------------------------------------------------ */

/* TRUE: something changed meanwhile, and the next look has begun. Otherwise what has happened is shown. */
static gboolean
end_work (Look *look, const GError *error)
{
  if (look->look_again)
    {
      look->look_again = look->follow_again = FALSE;
      look_start (look);
      return TRUE;
    }
  gtk_spinner_stop (GTK_SPINNER (look->spinner));
  look_show_progress (look, FALSE);
  if (error && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      look_show_message (look, error->message);
      look_show_facts (look, "");
    }
  return FALSE;
}

/* The look is over, well or not. */
static void
end_look (Look *look, const GError *error)
{
  look->is_busy = FALSE;
  if (!end_work (look, error))
    look->steps.ended (!error, look->user_data);
}

static void
note_progress (double fraction, gpointer data)
{
  g_atomic_int_set (&((Look *) data)->looked, (gint) (1000 * fraction));
}

/* In a worker: waits for rows that haven't come yet. */
static gboolean
read_copy (gpointer data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  Look    *look = data;
  gboolean are_there;

  g_mutex_lock (&look->lock);
  while (look->rows < y + height && !look->are_all)
    g_cond_wait (&look->came, &look->lock);
  are_there = look->rows >= y + height;
  g_mutex_unlock (&look->lock);
  for (int row = 0; row < height && are_there; row++)
    memcpy (rgb + (gsize) row * row_stride, look->rgb + ((gsize) (y + row) * (gsize) look->width + (gsize) x) * 3, (gsize) width * 3);
  if (!are_there)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The photo's pixels didn't come.");
  return are_there;
}

static void
note_rows (Look *look, int rows, gboolean are_all)
{
  g_mutex_lock (&look->lock);
  look->rows = rows;
  look->are_all = are_all;
  g_cond_broadcast (&look->came);
  g_mutex_unlock (&look->lock);
}

FoveaPhoto
look_get_photo (Look *look)
{
  return (FoveaPhoto) { look->width, look->height, read_copy, look };
}

static void
run_network (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Look            *look = data;
  const FoveaPhoto photo = look_get_photo (look);
  GError          *error = NULL;

  if (look->steps.run (&photo, cancellable, note_progress, look, look->user_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
start_worker (Look *look, GTaskThreadFunc run, GAsyncReadyCallback done)
{
  g_autoptr (GTask) task = g_task_new (NULL, look->cancellable, done, look);

  g_atomic_int_set (&look->looked, 0);
  look->began = g_get_monotonic_time ();
  g_task_set_task_data (task, look, NULL);
  g_task_run_in_thread (task, run);
}

static void
show_photo (Look *look)
{
  if (look->region && !look->is_shown)
    {
      g_autoptr (GdkPixbuf) photo = gdk_pixbuf_new_from_data (look->rgb, GDK_COLORSPACE_RGB, FALSE, 8, look->width, look->height, look->width * 3, NULL, NULL);

      look->steps.show (photo, look->smaller ? smaller_get (look->smaller) : photo, look->user_data);
    }
  look->is_shown = look->region != NULL;
}

static void go_on (Look *look);

static void
network_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Look   *look = data;
  GError *error = NULL;

  look->is_running = FALSE;
  g_task_propagate_boolean (G_TASK (result), &error);
  if (look->trouble)
    g_clear_error (&error);
  else
    look->trouble = error;
  go_on (look);
}

/* The network begins as soon as the model is there and has the pixels as they come; the photo is drawn when all have. */
static void
go_on (Look *look)
{
  g_autoptr (GError) trouble = NULL;

  if (look->is_loading)
    return;
  if (!look->has_begun && !look->trouble)
    {
      look->has_begun = look->is_running = TRUE;
      look->words = NULL;
      look->steps.begin (look->user_data);
      start_worker (look, run_network, network_done);
    }
  if (!look->is_reading)
    show_photo (look);
  if (look->is_reading || look->is_running)
    return;
  trouble = g_steal_pointer (&look->trouble);
  end_look (look, trouble);
}

/* Of loading and reading; takes the error. Whatever else comes for this look isn't wanted then. */
static void
note_trouble (Look *look, GError *error)
{
  g_cancellable_cancel (look->cancellable);
  if (look->trouble)
    g_error_free (error);
  else
    look->trouble = error;
}

/* ---- what follows ------------------------------------------------------------------------------------------------- */

static void
run_following (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Look   *look = data;
  GError *error = NULL;

  if (look->steps.follow (cancellable, note_progress, look, look->user_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
following_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Look              *look = data;
  g_autoptr (GError) error = NULL;
  gboolean           again = look->follow_again;

  g_task_propagate_boolean (G_TASK (result), &error);
  look->is_following = look->follow_again = FALSE;
  if (end_work (look, error))
    return;
  look->steps.followed (!error, look->user_data);
  if (again)
    look_follow (look);
}

void
look_follow (Look *look)
{
  if (look->is_following)
    {
      look->follow_again = TRUE;
      g_cancellable_cancel (look->cancellable);
      return;
    }
  if (look->is_busy || !(look->words = look->steps.prepare (look->user_data)))
    return;
  look->is_following = TRUE;
  g_clear_object (&look->cancellable);
  look->cancellable = g_cancellable_new ();
  gtk_spinner_start (GTK_SPINNER (look->spinner));
  look_show_progress (look, TRUE);
  start_worker (look, run_following, following_done);
}

/* ---- pixels ------------------------------------------------------------------------------------------------------- */

static char *
get_region (const Look *look)
{
  char *region = g_strdup (look->fixed_region);

  if (!region)
    g_object_get (look->config, "region", &region, NULL);
  return region;
}

/* In huge pages, where the system has them: of others a copy of 24 megapixels wants 18,000, which the kernel hands out one by one. Free it with free(). */
static guint8 *
alloc_pixels (int width, int height)
{
  gsize size = (gsize) width * (gsize) height * 3;
  void *block;

  if (posix_memalign (&block, HUGE_PAGE, size) != 0)
    return NULL;
  (void) madvise (block, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE); /* what can't be had isn't needed */
  return block;
}

static gboolean
read_band (gpointer data)
{
  Look   *look = data;
  GError *error = NULL;
  gsize   stride = (gsize) look->width * 3;
  guint8 *band = look->rgb + (gsize) look->next_row * stride;
  int     rows = MIN (pixels_count_band_rows (look->width), look->height - look->next_row);

  if (!g_cancellable_set_error_if_cancelled (look->cancellable, &error) && look->next_row < look->height
      && pixel_reader_read (look->reader, 0, look->next_row, look->width, rows, band, stride, &error))
    {
      look->next_row += rows;
      note_rows (look, MIN (look->next_row, look->height - 1), FALSE); /* the last waits for all to be judged */
      if (look->smaller)
        smaller_push (look->smaller, band, rows);
      return G_SOURCE_CONTINUE;
    }
  look->is_reading = FALSE;
  if (!error && pixel_reader_check_opaque (look->reader, &error))
    look->region = get_region (look);
  else
    note_trouble (look, error);
  note_rows (look, look->region ? look->height : 0, TRUE);
  go_on (look);
  return G_SOURCE_REMOVE;
}

static gboolean
open_region (Look *look, const char *region, GError **error)
{
  look->reader = pixel_reader_new (look->image, look->drawables, g_strcmp0 (region, "layer") == 0 ? look->layer_region : region, error);
  if (!look->reader)
    return FALSE;
  pixel_reader_get_size (look->reader, &look->width, &look->height);
  look->rgb = alloc_pixels (look->width, look->height);
  look->smaller = smaller_new (look->width, look->height, PHOTO_VIEW_SMALL);
  if (!look->rgb)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("There isn't memory enough for a copy of that part. Select a smaller one."));
  return look->rgb != NULL;
}

/* The region's pixels, unless they have been read. */
static void
start_reading (Look *look)
{
  GError          *error = NULL;
  g_autofree char *region = get_region (look);

  if (look->region && g_strcmp0 (region, look->region) == 0)
    return;
  look->steps.show (NULL, NULL, look->user_data);
  look->is_shown = FALSE;
  g_clear_pointer (&look->region, g_free);
  g_clear_pointer (&look->rgb, free);
  g_clear_pointer (&look->smaller, smaller_free);
  g_clear_pointer (&look->reader, pixel_reader_free);
  look->next_row = 0;
  note_rows (look, 0, FALSE);
  look->is_reading = open_region (look, region, &error);
  if (look->is_reading)
    g_idle_add_full (G_PRIORITY_LOW, read_band, look, NULL);
  else
    note_trouble (look, error);
}

/* ---- the model ------------------------------------------------------------------------------------------------------ */

static void
load_model (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Look   *look = data;
  GError *error = NULL;

  if (look->steps.load (look->loaded, look->user_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
model_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  Look   *look = data;
  GError *error = NULL;

  look->is_loading = FALSE;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    look->steps.loaded (look->user_data);
  else
    {
      g_clear_pointer (&look->loaded, g_free);
      note_trouble (look, error);
    }
  go_on (look);
}

static void
start_loading (Look *look)
{
  g_autoptr (GTask) task = NULL;

  if (look_has_model (look))
    return;
  g_free (look->loaded);
  g_object_get (look->config, look->model_setting, &look->loaded, NULL);
  if (!look->loaded)
    look->loaded = g_strdup ("");
  look->is_loading = TRUE;
  task = g_task_new (NULL, NULL, model_loaded, look);
  g_task_set_task_data (task, look, NULL);
  g_task_run_in_thread (task, load_model);
}

gboolean
look_has_model (const Look *look)
{
  g_autofree char *model = NULL;

  g_object_get (look->config, look->model_setting, &model, NULL);
  return look->loaded && strcmp (look->loaded, model ? model : "") == 0;
}

void
look_start (Look *look)
{
  if (look->is_busy || look->is_following)
    {
      look->look_again = TRUE;
      g_cancellable_cancel (look->cancellable);
      return;
    }
  look->is_busy = TRUE;
  g_clear_object (&look->cancellable);
  look->cancellable = g_cancellable_new ();
  gtk_spinner_start (GTK_SPINNER (look->spinner));
  look_show_message (look, NULL);
  look->steps.forget (look->user_data);
  look->has_begun = FALSE;
  start_loading (look);
  start_reading (look);
  go_on (look);
}

/* ---- its life --------------------------------------------------------------------------------------------------------- */

Look *
look_new (GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, const char *layer_region, const LookSteps *steps, gpointer user_data)
{
  Look *look = g_new0 (Look, 1);

  look->config = config;
  look->image = image;
  look->drawables = drawables;
  look->layer_region = layer_region;
  look->model_setting = "model";
  look->steps = *steps;
  look->user_data = user_data;
  g_mutex_init (&look->lock);
  g_cond_init (&look->came);
  make_status (look);
  look->tick = g_timeout_add (TICK_MS, on_tick, look);
  return look;
}

void
look_fix (Look *look, const char *model_setting, const char *region)
{
  look->model_setting = model_setting;
  look->fixed_region = region;
}

void
look_stop (Look *look)
{
  look->look_again = look->follow_again = FALSE;
  g_cancellable_cancel (look->cancellable);
}

void
look_free (Look *look)
{
  if (!look)
    return;
  look_stop (look);
  while (look->is_busy || look->is_following)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (look->tick);
  g_clear_object (&look->cancellable);
  g_clear_object (&look->status);
  g_clear_pointer (&look->reader, pixel_reader_free);
  g_free (look->loaded);
  g_free (look->region);
  free (look->rgb);
  smaller_free (look->smaller);
  g_clear_error (&look->trouble);
  g_mutex_clear (&look->lock);
  g_cond_clear (&look->came);
  g_free (look);
}

gboolean
look_is_busy (const Look *look)
{
  return look->is_busy;
}

gboolean
look_is_following (const Look *look)
{
  return look->is_following;
}

PixelReader *
look_get_reader (const Look *look)
{
  return look->reader;
}

PixelReader *
look_take_reader (Look *look)
{
  return g_steal_pointer (&look->reader);
}
