/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * feature-cache.c: see feature-cache.h.
 */

#include "train/feature-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "run/session.h"

#define LENGTH 4.0 /* of a vector of standardized features */

static FoveaSession *
make_session (FoveaModel *backbone, const LoaderSettings *settings, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaSettings            *input = settings->settings;
  const FoveaShape                shape = { .n_dims = 4, .dims = { settings->batch, input->channels, input->height, input->width } };

  fovea_session_options_set_threads (options, settings->n_threads);
  fovea_session_options_set_shape (options, fovea_model_get_input (backbone, 0)->name, &shape);
  session_options_set_cancellable (options, cancellable);
  return fovea_session_new (backbone, options, error);
}

/* Memory that lies in a file of the user's cache folder, which has no name any more; NULL: there is no room, or no such folder. */
static float *
map_file (gsize bytes)
{
  g_autofree char *path = g_build_filename (g_get_user_cache_dir (), "fovea-features-XXXXXX", NULL);
  int              file = g_mkdir_with_parents (g_get_user_cache_dir (), 0700) == 0 ? g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600) : -1;
  void            *data = MAP_FAILED;

  if (file < 0)
    return NULL;
  g_unlink (path);
  if (posix_fallocate (file, 0, (off_t) bytes) == 0)
    data = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close (file);
  return data == MAP_FAILED ? NULL : data;
}

/* In memory, on disk, or fewer forms in memory. */
static gboolean
place_features (FeatureCache *cache, gsize n_forms, guint64 limit, GError **error)
{
  guint64 form = MAX ((guint64) cache->n * cache->size * sizeof (float), 1), in_memory = CLAMP (limit / form, 1, n_forms);

  cache->n_forms = limit / form >= n_forms ? n_forms : CLAMP (limit / form * FEATURE_CACHE_DISK + limit % form * FEATURE_CACHE_DISK / form, 1, n_forms);
  if (cache->n_forms * form > limit && (cache->features = map_file (cache->n_forms * form)))
    {
      cache->on_disk = cache->n_forms * form;
      return TRUE;
    }
  cache->n_forms = in_memory;
  cache->features = memory_alloc_n (cache->n_forms * cache->n, cache->size * sizeof (float), "the features of the photos", error);
  return cache->features != NULL;
}

static gboolean
allocate (FeatureCache *cache, const LoaderSettings *settings, const guint *order, GError **error)
{
  const Dataset *dataset = settings->dataset;

  cache->target_size = dataset->n_classes;
  cache->weight_size = dataset->exclusive ? 1 : dataset->n_classes;
  cache->labels.targets = memory_alloc_n (cache->n, cache->target_size * sizeof (float), "the photos' labels", error);
  cache->labels.weights = cache->labels.targets ? memory_alloc_n (cache->n, cache->weight_size * sizeof (float), "the photos' labels", error) : NULL;
  if (!cache->labels.weights)
    return FALSE;
  cache->row = g_new (guint, dataset->samples->len + 1);
  memset (cache->row, 0xff, (dataset->samples->len + 1) * sizeof (guint));
  for (gsize i = 0; i < cache->n; i++)
    cache->row[order[i]] = (guint) i;
  return TRUE;
}

static gboolean
fill_form (FeatureCache *cache, gsize form, FoveaSession *session, Loader *loader, gsize batch_size, GCancellable *cancellable, FoveaProgress progress,
           gpointer user_data, GError **error)
{
  for (gsize done = 0; done < cache->n; done += batch_size)
    {
      const Batch *batch = loader_next (loader, cancellable, error);
      FoveaTensor *in = fovea_session_get_input (session, 0);

      if (!batch)
        return FALSE;
      memcpy (in->data, batch->input, in->size);
      if (!fovea_session_run (session, cancellable, NULL, NULL, error))
        return FALSE;
      memcpy (cache->features + (form * cache->n + done) * cache->size, fovea_session_get_output (session, 0)->data, batch->n * cache->size * sizeof (float));
      memcpy (cache->labels.targets + done * cache->target_size, batch->targets, batch->n * cache->target_size * sizeof (float));
      memcpy (cache->labels.weights + done * cache->weight_size, batch->weights, batch->n * cache->weight_size * sizeof (float));
      if (progress)
        progress (((double) form + (double) MIN (done + batch_size, cache->n) / (double) cache->n) / (double) cache->n_forms, user_data);
    }
  return TRUE;
}

FeatureCache *
feature_cache_new (FoveaModel *backbone, const LoaderSettings *settings, const guint *order, gsize n, gsize n_forms, guint64 limit, GPtrArray *warnings,
                   GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (FeatureCache) cache = g_new0 (FeatureCache, 1);
  g_autoptr (FoveaSession) session = make_session (backbone, settings, cancellable, error);
  Loader                  *loader = session ? loader_new (settings, error) : NULL;
  gboolean                 ok = loader != NULL;

  if (!ok)
    return NULL;
  cache->n = n;
  cache->size = shape_count (&fovea_session_get_output (session, 0)->shape) / settings->batch;
  ok = place_features (cache, n_forms, limit, error) && allocate (cache, settings, order, error);
  for (gsize form = 0; ok && form < cache->n_forms; form++)
    {
      loader_start (loader, order, n, form, 0);
      ok = fill_form (cache, form, session, loader, settings->batch, cancellable, progress, user_data, error);
    }
  for (guint i = 0; i < loader_get_warnings (loader)->len; i++)
    g_ptr_array_add (warnings, g_strdup (g_ptr_array_index (loader_get_warnings (loader), i)));
  loader_free (loader);
  return ok ? g_steal_pointer (&cache) : NULL;
}

void
feature_cache_free (FeatureCache *cache)
{
  if (!cache)
    return;
  if (cache->on_disk)
    munmap (cache->features, cache->on_disk);
  else
    memory_free (cache->features);
  memory_free (cache->labels.targets);
  memory_free (cache->labels.weights);
  g_free (cache->row);
  g_free (cache);
}

void
feature_cache_measure (const FeatureCache *cache, float **mean, float **scale)
{
  gsize              n = cache->n * cache->n_forms, size = cache->size;
  g_autofree double *sums = g_new0 (double, 2 * size);
  double             whole = 0.0;

  *mean = g_new (float, size);
  *scale = g_new (float, size);
  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; k < size; k++)
      {
        double x = cache->features[i * size + k];

        sums[k] += x;
        sums[size + k] += x * x;
      }
  for (gsize k = 0; k < size; k++)
    {
      sums[k] /= (double) n;
      sums[size + k] = MAX (sums[size + k] / (double) n - sums[k] * sums[k], 0.0);
      whole += sums[size + k] / (double) size;
    }
  for (gsize k = 0; k < size; k++)
    {
      (*mean)[k] = (float) sums[k];
      (*scale)[k] = (float) (LENGTH / sqrt ((double) size * (sums[size + k] + 0.05 * whole + 1e-12)));
    }
}

void
feature_cache_standardize (FeatureCache *cache, const float *mean, const float *scale)
{
  for (gsize i = 0; i < cache->n * cache->n_forms; i++)
    for (gsize k = 0; k < cache->size; k++)
      cache->features[i * cache->size + k] = (cache->features[i * cache->size + k] - mean[k]) * scale[k];
}

void
feature_cache_fill (const FeatureCache *cache, const guint *order, gsize n, guint64 seed, guint64 epoch, gsize first, Batch *batch)
{
  batch->n = n;
  batch->first = first;
  for (gsize i = 0; i < n; i++)
    {
      gsize  row = cache->row[order[i]];
      Random random = random_stream (seed, epoch, first + i);
      gsize  form = random_below (&random, cache->n_forms);

      memcpy (batch->input + i * cache->size, cache->features + (form * cache->n + row) * cache->size, cache->size * sizeof (float));
      memcpy (batch->targets + i * cache->target_size, cache->labels.targets + row * cache->target_size, cache->target_size * sizeof (float));
      memcpy (batch->weights + i * cache->weight_size, cache->labels.weights + row * cache->weight_size, cache->weight_size * sizeof (float));
    }
}
