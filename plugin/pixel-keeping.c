/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-keeping.c: see pixel-keeping.h.
 */

#include "pixel-keeping.h"

#include <glib/gi18n.h>
#include <string.h>

#include "training-folder.h"

#define BAND_ROWS 256

struct _PixelKeeping
{
  TrainingFolder *folder;
  GChecksum      *digest;
};

PixelKeeping *
pixel_keeping_new (const char *name, GError **error)
{
  TrainingFolder *folder = training_folder_open (name, error);
  PixelKeeping   *keeping;

  if (!folder)
    return NULL;
  keeping = g_new0 (PixelKeeping, 1);
  keeping->folder = folder;
  keeping->digest = g_checksum_new (G_CHECKSUM_SHA256);
  return keeping;
}

void
pixel_keeping_free (PixelKeeping *keeping)
{
  if (!keeping)
    return;
  training_folder_free (keeping->folder);
  g_checksum_free (keeping->digest);
  g_free (keeping);
}

gboolean
pixel_keeping_add (PixelKeeping *keeping, const PixelTraining *training, const FoveaPhoto *photo, const guint8 *cells, GError **error)
{
  gsize              grid = (gsize) fovea_pixel_trainer_get_grid (training->trainer), stride = (gsize) photo->width * 3;
  g_autofree guint8 *band = g_malloc (stride * BAND_ROWS);

  g_checksum_update (keeping->digest, cells, (gssize) (grid * grid));
  for (int y = 0; y < photo->height; y += BAND_ROWS)
    {
      int rows = MIN (BAND_ROWS, photo->height - y);

      if (!photo->read (photo->user_data, 0, y, photo->width, rows, band, stride, error))
        return FALSE;
      g_checksum_update (keeping->digest, band, (gssize) (stride * (gsize) rows));
    }
  return TRUE;
}

const char *
pixel_keeping_begin (PixelKeeping *keeping, PixelTraining *training, PhotoOrder *order, const char *left, GError **error)
{
  g_autofree char *before = g_steal_pointer (&order->digest), *text = NULL;
  const char      *checkpoint = training_folder_get_checkpoint (keeping->folder);

  for (guint i = 0; i < training->classes->len; i++)
    g_checksum_update (keeping->digest, training->classes->pdata[i], (gssize) strlen (training->classes->pdata[i]) + 1);
  order->digest = g_strdup (g_checksum_get_string (keeping->digest));
  if (left && g_strcmp0 (before, order->digest) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   _("The photos and labels that “%s” was learning aren't as they were. Open them again as they were then, or train it anew."), left);
      return NULL;
    }
  text = photo_order_write (order);
  if (!training_folder_begin (keeping->folder, text, error))
    return NULL;
  training->is_resumed = g_file_test (checkpoint, G_FILE_TEST_EXISTS);
  return checkpoint;
}

void
pixel_keeping_remove (PixelKeeping *keeping)
{
  training_folder_remove (keeping->folder);
}
