/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scene.c: see scene.h.
 */

#include "train/scene.h"

#include <math.h>
#include <string.h>

#define BEYOND        114 /* gray, where a view goes beyond its photo */
#define SMALLEST_SIDE 3.0f /* pixels: what is smaller can't be found, and isn't asked for */
#define N_TRIES       12   /* for a neighbour whose source knows the same classes */
#define N_PASTE_TRIES 64   /* for one with a cut-out: few photos may have one */
#define PASTE_LEAST   0.2  /* of the scene's side, for the longer side of what is pasted */
#define PASTE_MOST    0.8
#define PASTE_AGREES  0.6  /* intersection over union of box and mask, for the mask to be of what the box is around */
#define COVERED       0.6  /* share of a box that lies under what is pasted: nothing is said of it any more */

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

      add_box (list, n, box->ignored ? SCENE_IGNORED (box->index) : (float) box->index, box->x * scale[0] + offset[0], box->y * scale[1] + offset[1],
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

      add_box (list, n, is_shown && !sample->boxes[b].ignored ? (float) seen.index : SCENE_IGNORED (sample->boxes[b].index), x + seen.x * side, y + seen.y * side,
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

/* ---- cut-outs ------------------------------------------------------------------------------------------------------------------------------------ */

/* The only box of a photo whose mask shows what the box is around; NULL: it has none. */
static const SampleBox *
find_cutout (const Sample *sample, const Photo *photo)
{
  const SampleBox *box = sample->boxes;
  int              low_x = G_MAXINT, low_y = G_MAXINT, high_x = -1, high_y = -1;
  double           left, top, right, bottom, common, both;

  for (int y = 0; y < photo->mask_height; y++)
    for (int x = 0; x < photo->mask_width; x++)
      if (photo->mask[(gsize) y * photo->mask_width + x] == 1)
        {
          low_x = MIN (low_x, x);
          high_x = MAX (high_x, x);
          low_y = MIN (low_y, y);
          high_y = MAX (high_y, y);
        }
  left = (double) low_x / photo->mask_width;
  top = (double) low_y / photo->mask_height;
  right = (high_x + 1.0) / photo->mask_width;
  bottom = (high_y + 1.0) / photo->mask_height;
  common = MAX (MIN (right, box->x + box->width) - MAX (left, box->x), 0.0) * MAX (MIN (bottom, box->y + box->height) - MAX (top, box->y), 0.0);
  both = (right - left) * (bottom - top) + box->width * box->height - common;
  return high_x >= 0 && common >= PASTE_AGREES * both ? box : NULL;
}

/* The square of the photo with the box in its middle, mirrored or not: the whole of it is what the box's longer side is. */
static Placement
place_cutout (const Photo *photo, const SampleBox *box, gboolean mirror)
{
  double longer = MAX (box->width * photo->width, box->height * photo->height), width = longer / photo->width, height = longer / photo->height;
  double x = box->x + box->width / 2.0, y = box->y + box->height / 2.0;

  return (Placement) { { mirror ? -width : width, 0, mirror ? x + width / 2.0 : x - width / 2.0, 0, height, y - height / 2.0, 0, 0, 1 } };
}

/* Of boxes that are hidden now nothing is said. */
static void
cover_boxes (float *list, gsize n, double left, double top, double right, double bottom)
{
  for (gsize b = 0; b < n; b++)
    {
      float *row = list + b * SCENE_NUMBERS;
      double hidden = MAX (MIN (right, row[3]) - MAX (left, row[1]), 0.0) * MAX (MIN (bottom, row[4]) - MAX (top, row[2]), 0.0);

      if (row[0] >= 0.0f && hidden >= COVERED * (row[3] - row[1]) * (row[4] - row[2]))
        row[0] = SCENE_IGNORED (row[0]);
    }
}

/* Lays a photo's object on the scene, somewhere, in some size. */
static gboolean
paste_cutout (const Photo *photo, const SampleBox *box, int size, Random *random, guint8 *rgb, float *list, gsize *n, GError **error)
{
  int                side = (int) (size * PASTE_LEAST * pow (PASTE_MOST / PASTE_LEAST, random_between (random, 0.0, 1.0)));
  int                x = (int) random_below (random, (guint64) (size - side + 1)), y = (int) random_below (random, (guint64) (size - side + 1));
  gsize              n_pixels = (gsize) side * side;
  Placement          place = place_cutout (photo, box, random_chance (random, 0.5));
  g_autofree guint8 *object = g_malloc (n_pixels * 3);
  g_autofree float  *shares = g_new (float, n_pixels), *known = g_new (float, n_pixels);
  SampleBox          seen;

  if (side < SMALLEST_SIDE || !augment_box (&place, box, &seen) || seen.width * side < SMALLEST_SIDE || seen.height * side < SMALLEST_SIDE)
    return TRUE;
  if (!augment_resample (photo, &place, side, BEYOND, object, error))
    return FALSE;
  augment_mask (photo, &place, side, 1, shares, known);
  for (gsize i = 0; i < n_pixels; i++)
    {
      guint8 *pixel = rgb + ((y + i / side) * size + x + i % side) * 3;

      for (int c = 0; c < 3; c++)
        pixel[c] = (guint8) (pixel[c] + known[i] * shares[i] * ((float) object[3 * i + c] - pixel[c]) + 0.5f);
    }
  cover_boxes (list, *n, x + seen.x * side, y + seen.y * side, x + (seen.x + seen.width) * side, y + (seen.y + seen.height) * side);
  add_box (list, n, (float) box->index, x + seen.x * side, y + seen.y * side, x + (seen.x + seen.width) * side, y + (seen.y + seen.height) * side);
  return TRUE;
}

/* Of another photo, one whose only box is of a class that the scene knows. Nothing happens where none is found. */
static gboolean
paste_other (const ScenePhotos *photos, const Dataset *dataset, guint index, int size, Random *random, guint8 *rgb, float *list, gsize *n, const float *known,
             GError **error)
{
  for (guint i = 0; i < N_PASTE_TRIES; i++)
    {
      guint            other = photos->order[random_below (random, photos->n)];
      const Sample    *sample = &g_array_index (dataset->samples, Sample, other);
      gboolean         owned = FALSE, ok;
      const Photo     *photo;
      const SampleBox *box;

      if (other == index || !sample->mask || sample->n_boxes != 1 || sample->boxes[0].ignored || known[sample->boxes[0].index] <= 0.0f)
        continue;
      photo = photos->get_photo (photos->data, other, &owned, error);
      if (!photo)
        return FALSE;
      box = find_cutout (sample, photo);
      ok = !box || paste_cutout (photo, box, size, random, rgb, list, n, error);
      if (owned)
        photos->free_photo ((gpointer) photo);
      if (box || !ok)
        return ok;
    }
  return TRUE;
}

/* ---- the scene ----------------------------------------------------------------------------------------------------------------------------------- */

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
  return !random_chance (random, augmentation->paste) || paste_other (photos, dataset, index, size, random, rgb, list, &n, known, error);
}
