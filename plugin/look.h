/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * look.h: how a window looks at a photo without ever standing still. The model is loaded in a worker, and meanwhile pixels are copied band by band when the main loop
 * is idle (GIMP is asked on the main thread only); the network, in a worker, too, begins when the model is there and waits for pixels where it wants them before they
 * came. A change cancels the look that is under way; the next begins as soon as its worker has let go. What hasn't changed isn't done again. What takes long in the
 * making of the answer follows in a worker, while the window goes on showing the answer before.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"
#include "pixels.h"

typedef struct _Look Look;

/* What a window does at each stage; on the main thread unless it says otherwise. */
typedef struct
{
  gboolean (*load)   (const char *model, gpointer user_data, GError **error); /* in a worker: without a call of GIMP. What was loaded before goes away. */
  void     (*loaded) (gpointer user_data);
  void     (*forget) (gpointer user_data); /* the answer before no longer holds */
  void     (*show)   (GdkPixbuf *photo, GdkPixbuf *small, gpointer user_data); /* the region and its small copy, for a photo view: valid until the next call; NULL:
                                                                                   none. While the worker runs, perhaps */
  void     (*begin)  (gpointer user_data); /* the network is about to run: settings are read now */
  gboolean (*run)    (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer user_data, GError **error);
                                           /* in a worker */
  void     (*ended)  (gboolean done, gpointer user_data); /* FALSE: it failed, which look.c has said in words, or was cancelled */

  /* After a look, as often as look_follow is called; all NULL where nothing ever follows. */
  const char *(*prepare) (gpointer user_data); /* no worker is at work: what it works on may change. What is done now, in words; NULL: nothing is to be done */
  gboolean (*follow)   (GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer user_data, GError **error); /* in a worker */
  void     (*followed) (gboolean done, gpointer user_data); /* like ended */
} LookSteps;

/* `layer_region`: what the word "layer" of the setting “region” means to the pixel reader. */
Look        *look_new           (GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, const char *layer_region, const LookSteps *steps,
                                 gpointer user_data);

/* Another setting than “model” names the model, and one region is looked at whatever the settings say. Both are borrowed. */
void         look_fix           (Look *look, const char *model_setting, const char *region);

/* Cancels what is under way; the window stays as it is. */
void         look_stop          (Look *look);

/* Cancels what is under way, waits for it and frees everything. */
void         look_free          (Look *look);

/* Looks, with the settings “model” and “region” as they are now. */
void         look_start         (Look *look);

/* What comes after a look: `prepare`, and what it wants done. What is under way of it is cancelled first. Nothing happens before a look has ended: call it from there. */
void         look_follow        (Look *look);

/* TRUE while a look is under way; what follows isn't part of it. */
gboolean     look_is_busy       (const Look *look);
gboolean     look_is_following  (const Look *look);

/* TRUE if the model is there that the setting says. */
gboolean     look_has_model     (const Look *look);

/* The copy of the region that was looked at: valid as long as the look, until another region is read. While that is being read only workers may read this: they wait. */
FoveaPhoto   look_get_photo     (Look *look);

/* The reader of the region; look_take_reader: it becomes the caller's. */
PixelReader *look_get_reader    (const Look *look);
PixelReader *look_take_reader   (Look *look);

/* Progress, a message and facts, one below the other: for the window to put below its picture. */
GtkWidget   *look_get_status    (const Look *look);
void         look_show_message  (Look *look, const char *text); /* NULL: none */
void         look_show_facts    (Look *look, const char *text);
void         look_show_progress (Look *look, gboolean visible);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Look, look_free)
