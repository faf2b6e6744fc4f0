/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forms.c: fovea_train_show_forms: photos as training sees them, for people to look at. The training's own loader makes them, so that nothing else is shown than
 * what is learned from.
 */

#include <string.h>

#include "train/loader.h"
#include "train/mix.h"

typedef struct
{
  const Dataset *dataset;
  int            size;
  guint64        seed;
  guint          batch;      /* 2 where photos are mixed two by two */
  FoveaObjects   objects;
  FoveaTrainForm form;
  guint8        *rgb, *mask; /* (size, size, 3), (size, size) */
} Show;

static void
show_clear (Show *show)
{
  g_free (show->objects.objects);
  g_free (show->rgb);
  g_free (show->mask);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Show, show_clear)

/* A loader that leaves pixels as bytes. */
static Loader *
make_loader (const Dataset *dataset, const FoveaSettings *settings, const FoveaTrainSettings *train, const FoveaAugmentation *augmentation, guint batch, FoveaReadFile read,
             gpointer read_data, GError **error)
{
  LoaderSettings loader = { .dataset = dataset, .settings = settings, .augmentation = augmentation, .read = read, .read_data = read_data, .batch = batch,
                            .n_threads = MAX (1, train->n_threads), .seed = train->seed };

  return loader_new (&loader, error);
}

/* The class of each pixel: 0 background, 1 … classes, FOVEA_PIXEL_UNKNOWN. */
static void
read_masks (Show *show, const Batch *batch)
{
  gsize n = (gsize) show->size * (gsize) show->size, n_maps = show->dataset->n_classes == 1 ? 1 : show->dataset->n_classes + 1;

  for (gsize i = 0; i < n; i++)
    {
      gsize best = 0;

      for (gsize c = 1; c < n_maps; c++)
        if (batch->targets[c * n + i] > batch->targets[best * n + i])
          best = c;
      show->mask[i] = batch->weights[i] < 0.5f ? FOVEA_PIXEL_UNKNOWN : n_maps == 1 ? batch->targets[i] >= 0.5f : (guint8) best;
    }
}

static void
read_boxes (Show *show, const Batch *batch)
{
  show->objects.n = 0;
  for (gsize i = 0; i < SCENE_BOXES; i++)
    {
      const float *row = batch->targets + SCENE_NUMBERS * i;
      FoveaObject *object = &show->objects.objects[show->objects.n];

      if (!(row[3] > row[1] && row[4] > row[2]))
        break;
      *object = (FoveaObject) { .score = 1.0, .x = row[1], .y = row[2], .width = row[3] - row[1], .height = row[4] - row[2] };
      object->rough = row[0] < 0.0f;
      object->index = object->rough ? 0 : (gsize) row[0];
      object->label = object->rough ? (char *) "?" : show->dataset->classes[object->index];
      show->objects.n++;
    }
}

/* The next batch, mixed as training mixes it. */
static const Batch *
next_batch (const Show *show, Loader *loader, const FoveaAugmentation *augmentation, guint form, guint index, GCancellable *cancellable, GError **error)
{
  const Batch *batch = loader_next (loader, cancellable, error);
  Random       random = random_stream (show->seed, MIX_STREAM + form, index);

  if (batch && mix_is_wanted (augmentation, show->dataset))
    mix_batch (augmentation, &random, batch->input, show->batch, 3 * (gsize) show->size * (gsize) show->size, (gsize) show->size, batch->targets, show->dataset->exclusive ? NULL : batch->weights,
               show->dataset->n_classes);
  return batch;
}

/* The first photos of the order, whole batches, in one form. */
static gboolean
show_form (Show *show, Loader *loader, const FoveaAugmentation *augmentation, const GArray *order, guint form, FoveaShowForm callback, gpointer user_data,
           GCancellable *cancellable, GError **error)
{
  gsize        pixels = (gsize) show->size * (gsize) show->size;
  const Batch *batch = NULL;

  loader_start (loader, (const guint *) (gconstpointer) order->data, order->len, form, 0);
  for (guint i = 0; i < show->form.n_photos; i++)
    {
      if (i % show->batch == 0)
        batch = next_batch (show, loader, augmentation, form, i / show->batch, cancellable, error);
      if (!batch)
        return FALSE;
      for (gsize k = 0; k < 3 * pixels; k++)
        show->rgb[k] = (guint8) CLAMP (batch->input[i % show->batch * 3 * pixels + k % 3 * pixels + k / 3] + 0.5f, 0.0f, 255.0f);
      if (show->dataset->task == FOVEA_TASK_SEGMENT)
        read_masks (show, batch);
      if (show->dataset->task == FOVEA_TASK_DETECT)
        read_boxes (show, batch);
      show->form.file = g_array_index (show->dataset->samples, Sample, g_array_index (order, guint, i)).file;
      show->form.photo = i;
      show->form.form = form;
      if (!callback (&show->form, user_data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fovea_train_show_forms (const char *data, const FoveaTrainSettings *settings, guint n_photos, guint n_forms, FoveaReadFile read, gpointer read_data,
                        FoveaShowForm callback, gpointer user_data, GCancellable *cancellable, GError **error)
{
  DatasetSettings     choice = { .tags = settings->tags, .validation_share = settings->validation_share, .seed = settings->seed, .backgrounds = settings->backgrounds };
  FoveaAugmentation   nothing = { .crop = 1.0 };
  int                 size = settings->size > 0 ? settings->size : 160;
  FoveaSettings       input = { .task = settings->task, .width = size, .height = size, .resize = FOVEA_RESIZE_STRETCH, .filter = FOVEA_FILTER_BILINEAR,
                                .crop_scale = 1.0, .channels = 3, .range = 255.0, .std = { 1.0, 1.0, 1.0 } };
  g_autoptr (Dataset) dataset = NULL;
  g_autoptr (GArray)  train = NULL, order = g_array_new (FALSE, FALSE, sizeof (guint));
  g_auto (Show)       show = { .size = size };
  gboolean            done = TRUE;
  guint               first;

  if (n_photos < 1 || size < 16 || size > 2048)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Show one photo or more, at 16 to 2048 pixels.");
      return FALSE;
    }
  dataset = dataset_load (data, settings->task, &choice, error);
  if (!dataset)
    return FALSE;
  train = dataset_list (dataset, SPLIT_TRAIN);
  for (guint i = 0; i < MIN (n_photos, train->len); i++)
    g_array_append_val (order, g_array_index (train, guint, i * train->len / MIN (n_photos, train->len)));
  show.dataset = dataset;
  show.seed = settings->seed;
  show.batch = mix_is_wanted (&settings->augmentation, dataset) ? 2 : 1;
  show.rgb = g_malloc ((gsize) size * (gsize) size * 3);
  show.mask = g_malloc0 ((gsize) size * (gsize) size);
  show.objects.objects = g_new0 (FoveaObject, SCENE_BOXES);
  show.form = (FoveaTrainForm) { .n_photos = order->len, .size = size, .rgb = show.rgb, .mask = settings->task == FOVEA_TASK_SEGMENT ? show.mask : NULL,
                                 .objects = settings->task == FOVEA_TASK_DETECT ? &show.objects : NULL };
  first = g_array_index (order, guint, 0);
  if (order->len % show.batch != 0)
    g_array_append_val (order, first); /* to be mixed with the last one */
  for (guint form = 0; form <= n_forms && done; form++)
    {
      const FoveaAugmentation *augmentation = form ? &settings->augmentation : &nothing;
      Loader                  *loader = make_loader (dataset, &input, settings, augmentation, show.batch, read, read_data, error);

      done = loader && show_form (&show, loader, augmentation, order, form, callback, user_data, cancellable, error);
      g_clear_pointer (&loader, loader_free);
    }
  return done;
}
