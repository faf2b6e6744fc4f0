/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-photo.c: see pixel-photo.h.
 */

#include "train/pixel-photo.h"

#include <string.h>

#include "base/memory.h"
#include "train/random.h"

PixelPhoto *
pixel_photo_new (const PixelFeatures *features, const FoveaSettings *settings, const FoveaPhoto *photo, FoveaSession *session, GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo->width, photo->height, error), guide = input ? masks_make_guide (photo, GUIDE_SIDE, error) : NULL;
  PixelPhoto            *seen;
  const guint8          *pixels;

  if (!guide || !masks_push_rows (photo, input, guide, session, cancellable, error))
    return NULL;
  seen = g_new0 (PixelPhoto, 1);
  seen->width = photo->width;
  seen->height = photo->height;
  seen->samples = g_array_new (FALSE, FALSE, sizeof (PixelSample));
  pixels = fovea_input_get_pixels (guide, &seen->guide_width, &seen->guide_height);
  seen->guide = g_memdup2 (pixels, (gsize) seen->guide_width * (gsize) seen->guide_height * 3);
  seen->labels = memory_alloc_n ((gsize) features->grid, (gsize) features->grid, "the labels", error);
  seen->input = seen->labels ? fovea_tensor_new (FOVEA_TYPE_FLOAT32, &fovea_session_get_input (session, 0)->shape, error) : NULL;
  if (seen->input)
    {
      memset (seen->labels, FOVEA_PIXEL_UNKNOWN, (gsize) features->grid * (gsize) features->grid);
      fovea_input_write (input, seen->input);
    }
  if (!seen->input || !pixel_photo_see (seen, features, session, cancellable, error))
    {
      pixel_photo_forget (seen, features);
      g_clear_pointer (&seen, pixel_photo_free);
    }
  return seen;
}

/* Whoever has the features forgets the maps first. */
void
pixel_photo_free (PixelPhoto *photo)
{
  if (!photo)
    return;
  g_free (photo->guide);
  if (photo->input)
    fovea_tensor_unref (photo->input);
  memory_free (photo->labels);
  memory_free (photo->features);
  g_array_unref (photo->samples);
  g_free (photo);
}

void
pixel_photo_forget (PixelPhoto *photo, const PixelFeatures *features)
{
  for (guint i = 0; photo->maps && i < features->n; i++)
    memory_free (photo->maps[i]);
  g_clear_pointer (&photo->maps, g_free);
}

gboolean
pixel_photo_see (PixelPhoto *photo, const PixelFeatures *features, FoveaSession *session, GCancellable *cancellable, GError **error)
{
  FoveaTensor *in = fovea_session_get_input (session, 0);

  if (photo->maps)
    return TRUE;
  memcpy (in->data, photo->input->data, in->size);
  if (!fovea_session_run (session, cancellable, NULL, NULL, error))
    return FALSE;
  photo->maps = g_new0 (float *, features->n);
  for (guint i = 0; i < features->n; i++)
    {
      const FoveaTensor *out = fovea_session_get_output (session, i);

      photo->maps[i] = memory_alloc (out->size, "what the network sees of a photo", error);
      if (!photo->maps[i])
        {
          pixel_photo_forget (photo, features);
          return FALSE;
        }
      memcpy (photo->maps[i], out->data, out->size);
    }
  return TRUE;
}

/* Gives all cells that touch `cell` and have its label the number `stroke`; stack has room for all cells. */
static void
fill_stroke (const guint8 *labels, guint *strokes, int grid, guint cell, guint stroke, guint *stack)
{
  gsize n = 0;

  stack[n++] = cell;
  strokes[cell] = stroke;
  while (n > 0)
    {
      int x, y;

      cell = stack[--n];
      x = (int) cell % grid;
      y = (int) cell / grid;
      for (int ny = MAX (y - 1, 0); ny <= MIN (y + 1, grid - 1); ny++)
        for (int nx = MAX (x - 1, 0); nx <= MIN (x + 1, grid - 1); nx++)
          {
            guint next = (guint) (ny * grid + nx);

            if (labels[next] == labels[cell] && !strokes[next])
              {
                strokes[next] = stroke;
                stack[n++] = next;
              }
          }
    }
}

static gboolean
find_strokes (const PixelPhoto *photo, int grid, GArray **cells /* of guint, for each label */, guint *strokes, GError **error)
{
  gsize  n = (gsize) grid * (gsize) grid;
  guint *stack = memory_alloc_n (n, sizeof (guint), "the strokes", error), n_strokes[256] = { 0 };

  for (guint cell = 0; stack && cell < n; cell++)
    {
      guint8 label = photo->labels[cell];

      if (label == FOVEA_PIXEL_UNKNOWN)
        continue;
      if (!strokes[cell])
        fill_stroke (photo->labels, strokes, grid, cell, ++n_strokes[label], stack);
      if (!cells[label])
        cells[label] = g_array_new (FALSE, FALSE, sizeof (guint));
      g_array_append_val (cells[label], cell);
    }
  memory_free (stack);
  return stack != NULL;
}

gboolean
pixel_photo_paint (PixelPhoto *photo, const PixelFeatures *features, const guint8 *labels, gsize most, guint64 seed, GError **error)
{
  gsize   n = (gsize) features->grid * (gsize) features->grid;
  guint  *strokes = memory_alloc_n (n, sizeof (guint), "the strokes", error);
  GArray *cells[256] = { NULL };
  Random  random = random_stream (seed, 0x57a0, 0);
  gboolean found = FALSE;

  g_array_set_size (photo->samples, 0);
  g_clear_pointer (&photo->features, memory_free);
  if (labels)
    memcpy (photo->labels, labels, n);
  else
    memset (photo->labels, FOVEA_PIXEL_UNKNOWN, n);
  found = strokes && find_strokes (photo, features->grid, cells, strokes, error);
  if (found)
    for (int label = 0; label < 256; label++)
      {
        if (!cells[label])
          continue;
        random_shuffle (&random, (guint *) (gpointer) cells[label]->data, cells[label]->len);
        for (guint i = 0; i < MIN (cells[label]->len, most); i++)
          {
            guint       cell = g_array_index (cells[label], guint, i);
            PixelSample sample = { cell, strokes[cell] - 1, (guint8) label };

            g_array_append_val (photo->samples, sample);
          }
        g_array_unref (cells[label]);
      }
  memory_free (strokes);
  photo->features = found ? memory_alloc_n (MAX (photo->samples->len, 1), features->n_features * sizeof (float), "the features of painted pixels", error) : NULL;
  for (guint i = 0; photo->features && i < photo->samples->len; i++)
    {
      int cell = (int) g_array_index (photo->samples, PixelSample, i).cell;

      pixel_features_read (features, (const float *const *) photo->maps, cell % features->grid, cell / features->grid, photo->features + i * features->n_features);
    }
  return photo->features != NULL;
}
