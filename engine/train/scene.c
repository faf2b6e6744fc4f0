/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scene.c: see scene.h.
 */

#include "train/scene.h"

#include <string.h>

#define BEYOND        114 /* gray, where a view goes beyond its photo */
#define SMALLEST_SIDE 3.0f /* pixels: what is smaller can't be found, and isn't asked for */
#define N_TRIES       12   /* for a neighbour whose source knows the same classes */

static void
add_box (float *list, gsize *n, float label, double left, double top, double right, double bottom)
{
  float *row = list + *n * SCENE_NUMBERS;

  if (*n >= SCENE_BOXES || !(right > left) || !(bottom > top))
    return;
  row[0] = label;
  row[1] = (float) left;
  row[2] = (float) top;
  row[3] = (float) right;
  row[4] = (float) bottom;
  (*n)++;
}

void
scene_add_boxes (const Sample *sample, const double scale[2], const double offset[2], float *list, gsize *n)
{
  for (guint b = 0; b < sample->n_boxes; b++)
    {
      const SampleBox *box = &sample->boxes[b];

      add_box (list, n, box->ignored ? SCENE_IGNORED : (float) box->index, box->x * scale[0] + offset[0], box->y * scale[1] + offset[1],
               (box->x + box->width) * scale[0] + offset[0], (box->y + box->height) * scale[1] + offset[1]);
    }
}

/* What is left of the sample's boxes in a view of `side` pixels that lies at (x, y). */
static void
add_placed (const Sample *sample, const Placement *place, int x, int y, int side, float *list, gsize *n)
{
  for (guint b = 0; b < sample->n_boxes; b++)
    {
      SampleBox seen;
      gboolean  is_shown = augment_box (place, &sample->boxes[b], &seen) && seen.width * side >= SMALLEST_SIDE && seen.height * side >= SMALLEST_SIDE;

      add_box (list, n, is_shown && !sample->boxes[b].ignored ? (float) seen.index : SCENE_IGNORED, x + seen.x * side, y + seen.y * side,
               x + (seen.x + seen.width) * side, y + (seen.y + seen.height) * side);
    }
}

/* Photos of one kind of source go together: what one of them doesn't know, the whole scene doesn't. */
static guint
choose_neighbour (const ScenePhotos *photos, const Dataset *dataset, guint known, Random *random)
{
  guint index = 0;

  for (guint i = 0; i < N_TRIES; i++)
    {
      index = photos->order[random_below (random, photos->n)];
      if (g_array_index (dataset->samples, Sample, index).known == known)
        break;
    }
  return index;
}

static gboolean
add_part (const ScenePhotos *photos, const FoveaAugmentation *augmentation, const Photo *photo, const Sample *sample, int size, int x, int y, int side,
          Random *random, guint8 *rgb, float *list, gsize *n, GError **error)
{
  Placement          place = augment_place (augmentation, photo, random);
  g_autofree guint8 *part = g_malloc ((gsize) side * side * 3);

  if (!augment_resample (photo, &place, side, BEYOND, part, error))
    return FALSE;
  for (int row = 0; row < side; row++)
    memcpy (rgb + ((gsize) (y + row) * size + x) * 3, part + (gsize) row * side * 3, (gsize) side * 3);
  add_placed (sample, &place, x, y, side, list, n);
  return TRUE;
}

static void
take_knowledge (const Dataset *dataset, const Sample *sample, float *known)
{
  const guint8 *row = g_ptr_array_index (dataset->known, sample->known);

  for (guint c = 0; c < dataset->n_classes; c++)
    known[c] = row[c] ? known[c] : 0.0f;
}

gboolean
scene_make (const ScenePhotos *photos, const Dataset *dataset, const FoveaAugmentation *augmentation, guint index, const Photo *photo, int size, Random *random,
            guint8 *rgb, float *list, float *known, GError **error)
{
  const Sample *own = &g_array_index (dataset->samples, Sample, index);
  int           across = random_chance (random, augmentation->mosaic) ? 2 : 1, side = size / across, place = (int) random_below (random, 4);
  gsize         n = 0;

  for (guint c = 0; c < dataset->n_classes; c++)
    known[c] = 1.0f;
  memset (rgb, BEYOND, (gsize) size * size * 3);
  for (int part = 0; part < across * across; part++)
    {
      gboolean      is_own = across == 1 || part == place, owned = FALSE, ok;
      guint         other = is_own ? index : choose_neighbour (photos, dataset, own->known, random);
      const Sample *sample = &g_array_index (dataset->samples, Sample, other);
      const Photo  *shown = is_own ? photo : photos->get_photo (photos->data, other, &owned, error);

      ok = shown && add_part (photos, augmentation, shown, sample, size, part % across * side, part / across * side, side, random, rgb, list, &n, error);
      if (owned)
        photos->free_photo ((gpointer) shown);
      if (!ok)
        return FALSE;
      take_knowledge (dataset, sample, known);
    }
  return TRUE;
}
