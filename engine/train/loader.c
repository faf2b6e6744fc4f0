/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loader.c: see loader.h. A ring of batches: threads take the next photo of the earliest batch that isn't full; the trainer takes batches in order.
 */

#include "train/loader.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/memory.h"
#include "vision/input.h"

#define N_SLOTS 3 /* one in use, two ahead */

typedef struct
{
  Batch batch;
  gsize n_taken; /* photos that a thread has begun */
  gsize n_done;
} Slot;

struct _Loader
{
  LoaderSettings settings;
  gsize          input_size, target_size, weight_size; /* floats of one photo */
  Slot           slots[N_SLOTS];
  gsize          n_next;    /* batches handed out since the start */
  gsize          n_batches; /* of this order, from `first` on */
  gsize          first;     /* batch */
  guint         *order;
  gsize          n;
  guint64        epoch;
  gsize          generation; /* counts starts: what was begun before is dropped */
  guint          n_busy;
  gboolean       quit;
  GThread      **threads;
  GMutex         lock;
  GCond          work, done;
  GPtrArray     *warnings;
  GHashTable    *broken;    /* sample index + 1 */
  gsize          n_read, n_failed;
  gboolean       pastes;    /* cut-outs on scenes: masks are read, too */
  GHashTable    *cache;     /* sample index + 1 -> Photo* */
  guint64        cached;    /* bytes */
};

static void
photo_free (gpointer data)
{
  Photo *photo = data;

  if (!photo)
    return;
  g_free (photo->rgb);
  g_free (photo->mask);
  g_free (photo);
}

/* ---- one photo ------------------------------------------------------------------------------------------------------------------------------- */

/* Photos are counted on from the samples to the backgrounds. */
static Photo *
read_photo (Loader *loader, guint index, GError **error)
{
  const Dataset    *dataset = loader->settings.dataset;
  const Sample     *sample = index < dataset->samples->len ? &g_array_index (dataset->samples, Sample, index) : NULL;
  const char       *file = sample ? sample->file : dataset->backgrounds[index - dataset->samples->len];
  g_autofree Photo *photo = g_new0 (Photo, 1);

  photo->rgb = loader->settings.read (file, 3, &photo->width, &photo->height, loader->settings.read_data, error);
  if (!photo->rgb)
    return NULL;
  if (sample && sample->mask && (dataset->task == FOVEA_TASK_SEGMENT || loader->pastes))
    {
      photo->mask = loader->settings.read (sample->mask, 1, &photo->mask_width, &photo->mask_height, loader->settings.read_data, error);
      if (!photo->mask)
        {
          g_free (photo->rgb);
          return NULL;
        }
    }
  return g_steal_pointer (&photo);
}

/* The photo of an index; *owned says that the caller frees it. */
static const Photo *
get_photo (Loader *loader, guint index, gboolean *owned, GError **error)
{
  gpointer      key = GUINT_TO_POINTER (index + 1);
  Photo        *photo;
  guint64       size;

  *owned = FALSE;
  g_mutex_lock (&loader->lock);
  photo = g_hash_table_lookup (loader->cache, key);
  g_mutex_unlock (&loader->lock);
  if (photo)
    return photo;
  photo = read_photo (loader, index, error);
  *owned = TRUE;
  if (!photo)
    return NULL;
  size = (guint64) photo->width * photo->height * 3 + (guint64) photo->mask_width * photo->mask_height;
  g_mutex_lock (&loader->lock);
  if (loader->cached + size <= loader->settings.cache && !g_hash_table_contains (loader->cache, key))
    {
      g_hash_table_insert (loader->cache, key, photo);
      loader->cached += size;
      *owned = FALSE;
    }
  g_mutex_unlock (&loader->lock);
  return photo;
}

static void
normalize (const FoveaSettings *settings, const guint8 *rgb, int width, int height, float *out)
{
  gsize n = (gsize) width * height;

  for (int c = 0; c < 3; c++)
    {
      int   from = settings->bgr ? 2 - c : c;
      float scale = (float) (settings->range / 255.0 / settings->std[from]), shift = (float) (settings->mean[from] / settings->std[from]);

      for (gsize i = 0; i < n; i++)
        out[(gsize) c * n + i] = rgb[3 * i + (gsize) from] * scale - shift;
    }
}

/* Where the sample's boxes lie in the network's input. */
static void
fill_boxes (Loader *loader, const Sample *sample, const Photo *photo, const FoveaInput *input, float *targets, float *weights)
{
  const Dataset *dataset = loader->settings.dataset;
  const guint8  *known = g_ptr_array_index (dataset->known, sample->known);
  double         scale[2], offset[2];
  gsize          n = 0;

  input_get_mapping (input, scale, offset);
  scale[0] = photo->width / scale[0];
  scale[1] = photo->height / scale[1];
  scene_add_boxes (sample, scale, offset, targets, &n);
  for (guint c = 0; c < dataset->n_classes; c++)
    weights[c] = known[c];
}

/* Photos as the network sees them once it is trained. */
static gboolean
fill_plain (Loader *loader, const Sample *sample, const Photo *photo, float *out, float *targets, float *weights, GError **error)
{
  const FoveaSettings   *settings = loader->settings.settings;
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo->width, photo->height, error);
  int                    x, y, width, height;

  if (!input)
    return FALSE;
  fovea_input_get_region (input, &x, &y, &width, &height);
  fovea_input_push (input, photo->rgb + ((gsize) y * photo->width + x) * 3, (gsize) photo->width * 3, height);
  normalize (settings, fovea_input_get_pixels (input, &width, &height), settings->width, settings->height, out);
  if (loader->settings.dataset->task == FOVEA_TASK_DETECT)
    fill_boxes (loader, sample, photo, input, targets, weights);
  return TRUE;
}

static void
fill_labels (Loader *loader, const Sample *sample, float *targets, float *weights)
{
  const Dataset *dataset = loader->settings.dataset;
  const guint8  *known = g_ptr_array_index (dataset->known, sample->known);

  for (guint l = 0; l < sample->n_labels; l++)
    targets[sample->labels[l]] = 1.0f;
  if (dataset->exclusive)
    weights[0] = 1.0f;
  for (guint c = 0; c < dataset->n_classes && !dataset->exclusive; c++)
    weights[c] = known[c];
}

static void
fill_masks (Loader *loader, const Photo *photo, const Placement *place, float *targets, float *weights)
{
  const LoaderSettings *settings = &loader->settings;
  gboolean              one = settings->dataset->n_classes == 1;

  for (guint c = 0; c < loader->target_size / loader->weight_size; c++)
    augment_mask (photo, place, settings->settings->width, (guint8) (c + one), targets + (gsize) c * loader->weight_size, weights);
}

/* Lays what the mask shows on another photo: a network that has seen objects only on white takes white for the background. */
static gboolean
paste (Loader *loader, guint8 *rgb, const float *mask, Random *random, GError **error)
{
  const Dataset     *dataset = loader->settings.dataset;
  int                size = loader->settings.settings->width;
  gsize              n = (gsize) size * size;
  guint              index = dataset->samples->len + (guint) random_below (random, dataset->n_backgrounds);
  gboolean           owned, ok;
  const Photo       *photo = get_photo (loader, index, &owned, error);
  g_autofree guint8 *behind = g_malloc (n * 3);
  Placement          place;

  if (!photo)
    return FALSE;
  place = augment_place (loader->settings.augmentation, photo, random);
  ok = augment_resample (photo, &place, size, AUGMENT_MIRROR, behind, error);
  if (owned)
    photo_free ((gpointer) photo);
  for (gsize i = 0; ok && i < 3 * n; i++)
    rgb[i] = (guint8) (behind[i] + mask[i / 3] * ((float) rgb[i] - behind[i]) + 0.5f);
  return ok;
}

/* Another form of the photo, and of its masks. */
static gboolean
fill_changed (Loader *loader, const Photo *photo, Random *random, float *input, float *targets, float *weights, GError **error)
{
  const LoaderSettings    *settings = &loader->settings;
  const FoveaAugmentation *augmentation = settings->augmentation;
  int                      size = settings->settings->width;
  g_autofree guint8       *rgb = g_malloc ((gsize) size * size * 3);
  Placement                place = augment_place (augmentation, photo, random);

  if (!augment_resample (photo, &place, size, AUGMENT_MIRROR, rgb, error))
    return FALSE;
  if (photo->mask)
    fill_masks (loader, photo, &place, targets, weights);
  if (photo->mask && settings->dataset->n_classes == 1 && settings->dataset->n_backgrounds > 0 && random_chance (random, augmentation->paste)
      && !paste (loader, rgb, targets, random, error))
    return FALSE;
  augment_colour (augmentation, size, rgb, random);
  normalize (settings->settings, rgb, size, size, input);
  return TRUE;
}

static const Photo *
get_any_photo (gpointer loader, guint index, gboolean *owned, GError **error)
{
  return get_photo (loader, index, owned, error);
}

/* A scene of one photo or several, with its boxes. */
static gboolean
fill_scene (Loader *loader, guint index, const Photo *photo, Random *random, float *input, float *targets, float *weights, GError **error)
{
  const LoaderSettings *settings = &loader->settings;
  const ScenePhotos     photos = { get_any_photo, photo_free, loader, loader->order, loader->n };
  int                   size = settings->settings->width;
  g_autofree guint8    *rgb = g_malloc ((gsize) size * size * 3);

  if (!scene_make (&photos, settings->dataset, settings->augmentation, index, photo, size, random, rgb, targets, weights, error))
    return FALSE;
  augment_colour (settings->augmentation, size, rgb, random);
  normalize (settings->settings, rgb, size, size, input);
  return TRUE;
}

/* Input, targets and weights of one photo. */
static gboolean
fill_task (Loader *loader, guint index, const Photo *photo, Random *random, float *input, float *targets, float *weights, GError **error)
{
  const LoaderSettings *settings = &loader->settings;
  const Sample         *sample = &g_array_index (settings->dataset->samples, Sample, index);

  if (!settings->augmentation)
    return fill_plain (loader, sample, photo, input, targets, weights, error);
  if (settings->dataset->task == FOVEA_TASK_DETECT)
    return fill_scene (loader, index, photo, random, input, targets, weights, error);
  return fill_changed (loader, photo, random, input, targets, weights, error);
}

static gboolean
fill_photo (Loader *loader, guint index, guint64 epoch, gsize at, const Photo *photo, float *input, float *targets, float *weights, GError **error)
{
  static const Placement whole = { { 1, 0, 0, 0, 1, 0, 0, 0, 1 } };
  const LoaderSettings  *settings = &loader->settings;
  Random                 random = random_stream (settings->seed, epoch, at);

  if (!fill_task (loader, index, photo, &random, input, targets, weights, error))
    {
      memset (targets, 0, loader->target_size * sizeof (float));
      memset (weights, 0, loader->weight_size * sizeof (float));
      return FALSE;
    }
  if (settings->dataset->task == FOVEA_TASK_CLASSIFY)
    fill_labels (loader, &g_array_index (settings->dataset->samples, Sample, index), targets, weights);
  else if (settings->dataset->task == FOVEA_TASK_SEGMENT && !settings->augmentation)
    fill_masks (loader, photo, &whole, targets, weights);
  return TRUE;
}

/* ---- threads -------------------------------------------------------------------------------------------------------------------------------------- */

/* With the lock held: the next photo to make ready; FALSE: none is needed now. */
static gboolean
take (Loader *loader, Slot **slot, gsize *place)
{
  gsize in_use = loader->n_next > 0 ? loader->n_next - 1 : 0, last = MIN (in_use + N_SLOTS, loader->n_batches);

  for (gsize b = in_use; b < last; b++)
    {
      Slot *candidate = &loader->slots[b % N_SLOTS];

      if (candidate->n_taken < candidate->batch.n && candidate->batch.first == (loader->first + b) * loader->settings.batch)
        {
          *slot = candidate;
          *place = candidate->n_taken++;
          return TRUE;
        }
    }
  return FALSE;
}

static void
note_failure (Loader *loader, guint index, GError *error)
{
  loader->n_failed++;
  if (g_hash_table_add (loader->broken, GUINT_TO_POINTER (index + 1)))
    g_ptr_array_add (loader->warnings, g_strdup_printf (_("%s It is left out."), error->message));
  g_error_free (error);
}

static gpointer
work (gpointer data)
{
  Loader *loader = data;

  g_mutex_lock (&loader->lock);
  while (!loader->quit)
    {
      Slot        *slot;
      gsize        at, place;
      guint        index;
      guint64      epoch;
      gboolean     owned = FALSE, ok;
      const Photo *photo;
      GError      *error = NULL;

      if (!take (loader, &slot, &at))
        {
          g_cond_wait (&loader->work, &loader->lock);
          continue;
        }
      place = slot->batch.first + at;
      index = loader->order[place];
      epoch = loader->epoch;
      loader->n_busy++;
      g_mutex_unlock (&loader->lock);
      photo = get_photo (loader, index, &owned, &error);
      ok = photo && fill_photo (loader, index, epoch, place, photo, slot->batch.input + at * loader->input_size, slot->batch.targets + at * loader->target_size,
                                slot->batch.weights + at * loader->weight_size, &error);
      if (owned)
        photo_free ((gpointer) photo);
      g_mutex_lock (&loader->lock);
      loader->n_busy--;
      loader->n_read++;
      if (!ok)
        note_failure (loader, index, error);
      slot->n_done++;
      g_cond_broadcast (&loader->done);
    }
  g_mutex_unlock (&loader->lock);
  return NULL;
}

/* With the lock held: batch b of this order gets its slot. */
static void
clear_slot (Loader *loader, gsize b)
{
  Slot *slot = &loader->slots[b % N_SLOTS];

  if (b >= loader->n_batches)
    return;
  slot->batch.first = (loader->first + b) * loader->settings.batch;
  slot->batch.n = MIN (loader->settings.batch, loader->n - slot->batch.first);
  slot->n_taken = slot->n_done = 0;
  memset (slot->batch.input, 0, loader->settings.batch * loader->input_size * sizeof (float));
  memset (slot->batch.targets, 0, loader->settings.batch * loader->target_size * sizeof (float));
  memset (slot->batch.weights, 0, loader->settings.batch * loader->weight_size * sizeof (float));
}

static gboolean
make_slots (Loader *loader, GError **error)
{
  for (guint i = 0; i < N_SLOTS; i++)
    {
      Batch *batch = &loader->slots[i].batch;

      batch->input = memory_alloc_n (loader->input_size, loader->settings.batch * sizeof (float), "a batch of photos", error);
      batch->targets = batch->input ? memory_alloc_n (loader->target_size, loader->settings.batch * sizeof (float), "a batch of photos", error) : NULL;
      batch->weights = batch->targets ? memory_alloc_n (loader->weight_size, loader->settings.batch * sizeof (float), "a batch of photos", error) : NULL;
      if (!batch->weights)
        return FALSE;
    }
  return TRUE;
}

Loader *
loader_new (const LoaderSettings *settings, GError **error)
{
  Loader *loader = g_new0 (Loader, 1);
  gsize   pixels = (gsize) settings->settings->width * settings->settings->height;
  guint   n_classes = settings->dataset->n_classes;

  loader->settings = *settings;
  loader->pastes = settings->dataset->task == FOVEA_TASK_DETECT && settings->augmentation && settings->augmentation->paste > 0.0;
  loader->input_size = pixels * (gsize) settings->settings->channels;
  if (settings->dataset->task == FOVEA_TASK_SEGMENT)
    {
      loader->target_size = pixels * (n_classes == 1 ? 1 : n_classes + 1);
      loader->weight_size = pixels;
    }
  else if (settings->dataset->task == FOVEA_TASK_DETECT)
    {
      loader->target_size = SCENE_BOXES * SCENE_NUMBERS;
      loader->weight_size = n_classes;
    }
  else
    {
      loader->target_size = n_classes;
      loader->weight_size = settings->dataset->exclusive ? 1 : n_classes;
    }
  loader->warnings = g_ptr_array_new_with_free_func (g_free);
  loader->broken = g_hash_table_new (NULL, NULL);
  loader->cache = g_hash_table_new_full (NULL, NULL, NULL, photo_free);
  g_mutex_init (&loader->lock);
  g_cond_init (&loader->work);
  g_cond_init (&loader->done);
  if (!make_slots (loader, error))
    {
      loader_free (loader);
      return NULL;
    }
  loader->threads = g_new0 (GThread *, settings->n_threads + 1);
  for (guint i = 0; i < settings->n_threads; i++)
    loader->threads[i] = g_thread_new ("fovea-loader", work, loader);
  return loader;
}

void
loader_free (Loader *loader)
{
  if (!loader)
    return;
  g_mutex_lock (&loader->lock);
  loader->quit = TRUE;
  g_cond_broadcast (&loader->work);
  g_mutex_unlock (&loader->lock);
  for (guint i = 0; loader->threads && loader->threads[i]; i++)
    g_thread_join (loader->threads[i]);
  for (guint i = 0; i < N_SLOTS; i++)
    {
      memory_free (loader->slots[i].batch.input);
      memory_free (loader->slots[i].batch.targets);
      memory_free (loader->slots[i].batch.weights);
    }
  g_ptr_array_unref (loader->warnings);
  g_hash_table_unref (loader->broken);
  g_hash_table_unref (loader->cache);
  g_mutex_clear (&loader->lock);
  g_cond_clear (&loader->work);
  g_cond_clear (&loader->done);
  g_free (loader->threads);
  g_free (loader->order);
  g_free (loader);
}

void
loader_start (Loader *loader, const guint *order, gsize n, guint64 epoch, gsize first)
{
  gsize all = (n + loader->settings.batch - 1) / loader->settings.batch;

  g_mutex_lock (&loader->lock);
  loader->n_batches = 0;
  while (loader->n_busy > 0)
    g_cond_wait (&loader->done, &loader->lock);
  g_free (loader->order);
  loader->order = g_memdup2 (order, n * sizeof *order);
  loader->n = n;
  loader->epoch = epoch;
  loader->first = first;
  loader->n_next = 0;
  loader->n_batches = all > first ? all - first : 0;
  for (gsize b = 0; b < N_SLOTS; b++)
    clear_slot (loader, b);
  g_cond_broadcast (&loader->work);
  g_mutex_unlock (&loader->lock);
}

/* With the lock held. */
static gboolean
check_failures (Loader *loader, GError **error)
{
  if (loader->n_read < 16 || loader->n_failed * 2 <= loader->n_read)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("Most of the photos can't be read. Is the folder still there? The first of them: %s"),
               loader->warnings->len ? (const char *) g_ptr_array_index (loader->warnings, 0) : "");
  return FALSE;
}

const Batch *
loader_next (Loader *loader, GCancellable *cancellable, GError **error)
{
  Slot    *slot;
  gboolean ok = TRUE;

  g_mutex_lock (&loader->lock);
  g_assert (loader->n_next < loader->n_batches);
  if (loader->n_next > 0)
    clear_slot (loader, loader->n_next - 1 + N_SLOTS); /* the one that the caller had becomes the furthest ahead */
  slot = &loader->slots[loader->n_next % N_SLOTS];
  loader->n_next++;
  g_cond_broadcast (&loader->work);
  while (ok && slot->n_done < slot->batch.n)
    {
      g_cond_wait_until (&loader->done, &loader->lock, g_get_monotonic_time () + G_TIME_SPAN_SECOND / 20);
      ok = !g_cancellable_set_error_if_cancelled (cancellable, error);
    }
  ok = ok && check_failures (loader, error);
  g_mutex_unlock (&loader->lock);
  return ok ? &slot->batch : NULL;
}

GPtrArray *
loader_get_warnings (Loader *loader)
{
  return loader->warnings;
}
