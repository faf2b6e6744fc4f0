/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate.c: see evaluate.h.
 */

#include "train/evaluate.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "run/session.h"
#include "train/evaluate-boxes.h"
#include "train/metrics.h"
#include "vision/decode-classes.h"

#define FEWEST_POSITIVES 10 /* a class with fewer has no average precision that means anything: it doesn't enter the mean */

/* What all samples gave. */
typedef struct
{
  const Dataset *dataset;
  GArray        *scores, *targets, *known; /* of float: (n, classes); known of exclusive classes (n) */
  double         iou, error;               /* sums over images */
  double        *source_iou;               /* (sources) likewise */
  gsize         *source_n;
  const guint   *order;                    /* samples; NULL: nobody asks which photo was how good */
  GArray        *photos;                   /* of FoveaPhotoScore */
  gsize          n;
  gsize         *confusion;                /* masks: as FoveaEvaluation has it */
  gboolean       gives_shares;
} Tally;

/* ---- one batch --------------------------------------------------------------------------------------------------------------------------- */

static float
squash (float x)
{
  return (float) (1.0 / (1.0 + exp (-(double) x)));
}

static void
clear_photo (gpointer data)
{
  g_free (((FoveaPhotoScore *) data)->file);
}

GArray *
evaluation_photos_new (void)
{
  GArray *photos = g_array_new (FALSE, FALSE, sizeof (FoveaPhotoScore));

  g_array_set_clear_func (photos, clear_photo);
  return photos;
}

void
evaluation_add_photo (GArray *photos, const Dataset *dataset, guint sample, double score)
{
  FoveaPhotoScore photo = { g_strdup (g_array_index (dataset->samples, Sample, sample).file), score };

  g_array_append_val (photos, photo);
}

void
evaluation_take_photos (FoveaEvaluation *evaluation, GArray *photos)
{
  evaluation->photos = g_array_steal (photos, &evaluation->n_photos);
}

/* Of the answer to one photo: the softmax at its class, or the average precision of the known classes. NAN where there is nothing to judge. */
static double
judge_classes (gboolean exclusive, const float *scores, const float *targets, const float *known, guint n)
{
  guint  truth = 0;
  double sum = 0.0;

  if (!exclusive)
    return metric_average_precision (scores, targets, known, n, 1);
  for (guint c = 1; c < n; c++)
    truth = targets[c] > targets[truth] ? c : truth;
  for (guint c = 0; c < n; c++)
    sum += exp ((double) scores[c] - scores[truth]);
  return 1.0 / sum;
}

static void
count_classes (Tally *tally, const Batch *batch, const float *answers)
{
  guint n = tally->dataset->n_classes;

  for (gsize i = 0; i < batch->n; i++)
    {
      const float *known = batch->weights + i * (tally->dataset->exclusive ? 1 : n);

      if (tally->dataset->exclusive && known[0] == 0.0f)
        continue; /* it couldn't be read */
      g_array_append_vals (tally->scores, answers + i * n, n);
      g_array_append_vals (tally->targets, batch->targets + i * n, n);
      g_array_append_vals (tally->known, known, tally->dataset->exclusive ? 1 : n);
      if (tally->order)
        {
          double score = judge_classes (tally->dataset->exclusive, answers + i * n, batch->targets + i * n, known, n);

          if (isfinite (score))
            evaluation_add_photo (tally->photos, tally->dataset, tally->order[batch->first + i], score);
        }
      tally->n++;
    }
}

/* The map that is greatest at a pixel. One class has one map, and what is below a half is none. */
static guint
find_class (const float *maps, guint n_maps, gsize pixels, gsize p, double half)
{
  guint best = 0;

  if (n_maps == 1)
    return maps[p] > half ? 0 : 1;
  for (guint c = 1; c < n_maps; c++)
    best = maps[c * pixels + p] > maps[best * pixels + p] ? c : best;
  return best > 0 ? best - 1 : n_maps - 1; /* the background comes first there, and last here */
}

static void
count_pixels (Tally *tally, const float *maps, const float *truth, const float *known, gsize pixels)
{
  guint n_maps = tally->dataset->n_classes == 1 ? 1 : tally->dataset->n_classes + 1, n = tally->dataset->n_classes + 1;

  for (gsize p = 0; p < pixels; p++)
    if (known[p] > 0.0f)
      tally->confusion[find_class (truth, n_maps, pixels, p, 0.5) * n + find_class (maps, n_maps, pixels, p, tally->gives_shares ? 0.5 : 0.0)]++;
}

/* One class: a sigmoid, unless the network has it. Several: the greatest wins, and the mean is over the classes but the background. */
static void
count_masks (Tally *tally, const Batch *batch, const float *answers, gsize pixels)
{
  guint             n_maps = tally->dataset->n_classes == 1 ? 1 : tally->dataset->n_classes + 1;
  g_autofree float *mask = g_new (float, pixels);

  for (gsize i = 0; i < batch->n; i++)
    {
      const float *maps = answers + i * n_maps * pixels, *truth = batch->targets + i * n_maps * pixels, *known = batch->weights + i * pixels;
      double       iou = 0.0, error = 0.0;
      guint        n_counted = 0;

      count_pixels (tally, maps, truth, known, pixels);
      for (guint c = n_maps > 1; c < n_maps; c++)
        {
          gboolean there = n_maps == 1;

          for (gsize p = 0; p < pixels; p++)
            {
              mask[p] = n_maps > 1 ? 1.0f : tally->gives_shares ? maps[p] : squash (maps[p]);
              for (guint other = 0; other < n_maps && n_maps > 1; other++)
                mask[p] = other != c && maps[other * pixels + p] > maps[c * pixels + p] ? 0.0f : mask[p];
              there = there || truth[c * pixels + p] > 0.5f;
            }
          if (!there)
            continue;
          iou += metric_iou (mask, truth + c * pixels, known, pixels, 0.5);
          error += metric_mean_error (mask, truth + c * pixels, known, pixels);
          n_counted++;
        }
      if (n_counted > 0)
        {
          guint sample = tally->order[batch->first + i], source = g_array_index (tally->dataset->samples, Sample, sample).known;

          evaluation_add_photo (tally->photos, tally->dataset, sample, iou / n_counted);

          tally->iou += iou / n_counted;
          tally->source_iou[source] += iou / n_counted;
          tally->source_n[source]++;
          tally->error += error / n_counted;
          tally->n++;
        }
    }
}

/* ---- the sums -------------------------------------------------------------------------------------------------------------------------------- */

static void
add_metric (FoveaEvaluation *evaluation, const char *name, double value)
{
  evaluation->metrics[evaluation->n_metrics++] = (FoveaMetric) { name, value };
}

static gsize *
count_confusions (const Tally *tally, const float *scores, const float *targets)
{
  guint  n = tally->dataset->n_classes;
  gsize *confusion = g_new0 (gsize, (gsize) n * n + 1);

  for (gsize i = 0; i < tally->n; i++)
    {
      guint truth = 0, said = 0;

      for (guint c = 1; c < n; c++)
        {
          truth = targets[i * n + c] > targets[i * n + truth] ? c : truth;
          said = scores[i * n + c] > scores[i * n + said] ? c : said;
        }
      confusion[truth * n + said]++;
    }
  return confusion;
}

static void
sum_classes (FoveaEvaluation *evaluation, const Tally *tally)
{
  const float *scores = (const float *) (gpointer) tally->scores->data, *targets = (const float *) (gpointer) tally->targets->data;
  const float *known = (const float *) (gpointer) tally->known->data;
  guint        n_classes = tally->dataset->n_classes, n_counted = 0;
  gboolean     exclusive = tally->dataset->exclusive;
  double       sum = 0.0;

  evaluation->classes = g_new0 (FoveaClassMetric, n_classes + 1);
  evaluation->n_classes = n_classes;
  for (guint c = 0; c < n_classes; c++)
    {
      FoveaClassMetric *metric = &evaluation->classes[c];
      gsize             right = 0;

      metric->label = evaluation->labels[c];
      for (gsize i = 0; i < tally->n; i++)
        if (targets[i * n_classes + c] > 0.5f)
          {
            metric->n++;
            right += metric_count_top (scores + i * n_classes, targets + i * n_classes, 1, n_classes, 1);
          }
      metric->value = exclusive ? (metric->n > 0 ? (double) right / (double) metric->n : NAN)
                                : metric_average_precision (scores + c, targets + c, known + c, tally->n, n_classes);
      if (!exclusive && metric->n >= FEWEST_POSITIVES)
        {
          sum += metric->value;
          n_counted++;
        }
    }
  if (exclusive)
    {
      evaluation->confused = g_strdupv (tally->dataset->classes);
      evaluation->confusion = count_confusions (tally, scores, targets);
      add_metric (evaluation, "accuracy", (double) metric_count_top (scores, targets, tally->n, n_classes, 1) / (double) MAX (tally->n, 1));
      if (n_classes > 5)
        add_metric (evaluation, "top5", (double) metric_count_top (scores, targets, tally->n, n_classes, 5) / (double) MAX (tally->n, 1));
    }
  else
    add_metric (evaluation, "map", n_counted > 0 ? sum / n_counted : NAN);
}

/* A row for each source of masks, where there are several. */
static void
sum_sources (FoveaEvaluation *evaluation, const Tally *tally)
{
  guint n = tally->dataset->sources->len;

  g_strfreev (evaluation->labels);
  evaluation->labels = g_new0 (char *, n + 1);
  evaluation->classes = g_new0 (FoveaClassMetric, n + 1);
  for (guint s = 0; s < n && n > 1; s++)
    if (tally->source_n[s] > 0)
      {
        char *label = evaluation->labels[evaluation->n_classes] = g_strdup (g_ptr_array_index (tally->dataset->sources, s));

        evaluation->classes[evaluation->n_classes++] = (FoveaClassMetric) { label, tally->source_n[s], tally->source_iou[s] / (double) tally->source_n[s] };
      }
}

char **
evaluation_name_confused (const Dataset *dataset)
{
  char **names = g_new0 (char *, dataset->n_classes + 2);

  for (guint c = 0; c < dataset->n_classes; c++)
    names[c] = g_strdup (dataset->classes[c]);
  names[dataset->n_classes] = g_strdup ("");
  return names;
}

static FoveaEvaluation *
make_evaluation (Tally *tally)
{
  FoveaEvaluation *evaluation = g_new0 (FoveaEvaluation, 1);

  evaluation_take_photos (evaluation, tally->photos);
  evaluation->n_images = tally->n;
  evaluation->labels = g_strdupv (tally->dataset->classes);
  if (tally->dataset->task == FOVEA_TASK_SEGMENT)
    {
      add_metric (evaluation, "iou", tally->iou / (double) MAX (tally->n, 1));
      add_metric (evaluation, "mae", tally->error / (double) MAX (tally->n, 1));
      sum_sources (evaluation, tally);
      evaluation->confused = evaluation_name_confused (tally->dataset);
      evaluation->confusion = g_steal_pointer (&tally->confusion);
    }
  else
    sum_classes (evaluation, tally);
  return evaluation;
}

void
fovea_evaluation_free (FoveaEvaluation *evaluation)
{
  if (!evaluation)
    return;
  g_free (evaluation->classes);
  g_free (evaluation->confusion);
  g_strfreev (evaluation->confused);
  for (gsize i = 0; i < evaluation->n_photos; i++)
    g_free (evaluation->photos[i].file);
  g_free (evaluation->photos);
  g_strfreev (evaluation->labels);
  g_free (evaluation);
}

/* ---- the run --------------------------------------------------------------------------------------------------------------------------------- */

static FoveaSession *
make_session (FoveaModel *model, const LoaderSettings *settings, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaSettings            *input = settings->settings;
  FoveaShape                      shape = { .n_dims = 4, .dims = { settings->batch, input->channels, input->height, input->width } };

  fovea_session_options_set_threads (options, settings->n_threads);
  fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
  session_options_set_cancellable (options, cancellable);
  return fovea_session_new (model, options, error);
}

static void
tally_init (Tally *tally, const Dataset *dataset, const guint *order, gboolean gives_shares)
{
  *tally = (Tally) { .dataset = dataset, .order = order, .gives_shares = gives_shares };
  tally->source_iou = g_new0 (double, dataset->sources->len + 1);
  tally->source_n = g_new0 (gsize, dataset->sources->len + 1);
  tally->photos = evaluation_photos_new ();
  tally->scores = g_array_new (FALSE, FALSE, sizeof (float));
  tally->targets = g_array_new (FALSE, FALSE, sizeof (float));
  tally->known = g_array_new (FALSE, FALSE, sizeof (float));
  tally->confusion = g_new0 (gsize, ((gsize) dataset->n_classes + 1) * (dataset->n_classes + 1));
}

static void
tally_clear (Tally *tally)
{
  g_array_unref (tally->photos);
  g_array_unref (tally->scores);
  g_array_unref (tally->targets);
  g_array_unref (tally->known);
  g_free (tally->source_iou);
  g_free (tally->source_n);
  g_free (tally->confusion);
}

/* What is no number is neither greater nor less than anything: it would count as right. */
static gboolean
check_numbers (const FoveaTensor *answers, GError **error)
{
  const float *numbers = answers->data;

  for (gsize i = 0; i < shape_count (&answers->shape); i++)
    if (!isfinite (numbers[i]))
      {
        g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                             _("The network answers with what are no numbers: it is damaged, or its training fell apart. Train it anew at a tenth of the learning rate."));
        return FALSE;
      }
  return TRUE;
}

FoveaEvaluation *
evaluate_features (FoveaModel *head, const FeatureCache *cache, const Dataset *dataset, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 2, .dims = { (gint64) cache->n, (gint64) cache->size } };
  g_autoptr (FoveaSession)        session = NULL;
  Batch                           batch = cache->labels;
  FoveaEvaluation                *evaluation;
  Tally                           tally;

  fovea_session_options_set_threads (options, 1);
  fovea_session_options_set_shape (options, "features", &shape);
  session = fovea_session_new (head, options, error);
  if (!session)
    return NULL;
  memcpy (fovea_session_get_input (session, 0)->data, cache->features, cache->n * cache->size * sizeof (float));
  if (!fovea_session_run (session, NULL, NULL, NULL, error) || !check_numbers (fovea_session_get_output (session, 0), error))
    return NULL;
  batch.n = cache->n;
  tally_init (&tally, dataset, NULL, FALSE);
  count_classes (&tally, &batch, fovea_session_get_output (session, 0)->data);
  evaluation = make_evaluation (&tally);
  tally_clear (&tally);
  return evaluation;
}

static gboolean
check_answer (FoveaSession *session, const LoaderSettings *settings, GError **error)
{
  const FoveaTensor *out = fovea_session_get_output (session, 0);
  const Dataset     *dataset = settings->dataset;
  gsize              pixels = (gsize) settings->settings->width * settings->settings->height, expected = dataset->n_classes;

  if (dataset->task == FOVEA_TASK_SEGMENT)
    expected = pixels * (dataset->n_classes == 1 ? 1 : dataset->n_classes + 1);
  if (out->type == FOVEA_TYPE_FLOAT32 && out->size == expected * settings->batch * sizeof (float))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE, "The network's answer doesn't fit the data's %u classes. Evaluate it on data with its own classes.",
               dataset->n_classes);
  return FALSE;
}

static gboolean
run_batches (Tally *tally, FoveaSession *session, Loader *loader, const LoaderSettings *settings, gsize n, GCancellable *cancellable, FoveaProgress progress,
             gpointer user_data, GError **error)
{
  for (gsize done = 0; done < n; done += settings->batch)
    {
      const Batch *batch = loader_next (loader, cancellable, error);
      FoveaTensor *in = fovea_session_get_input (session, 0);

      if (!batch)
        return FALSE;
      memcpy (in->data, batch->input, in->size);
      if (!fovea_session_run (session, cancellable, NULL, NULL, error) || !check_numbers (fovea_session_get_output (session, 0), error))
        return FALSE;
      if (tally->dataset->task == FOVEA_TASK_SEGMENT)
        count_masks (tally, batch, fovea_session_get_output (session, 0)->data, (gsize) settings->settings->width * settings->settings->height);
      else
        count_classes (tally, batch, fovea_session_get_output (session, 0)->data);
      if (progress)
        progress ((double) MIN (done + settings->batch, n) / (double) n, user_data);
    }
  return TRUE;
}

FoveaEvaluation *
evaluate_samples (FoveaModel *model, const LoaderSettings *settings, const guint *order, gsize n, GPtrArray *warnings, GCancellable *cancellable,
                  FoveaProgress progress, gpointer user_data, GError **error)
{
  Tally                    tally;
  g_autoptr (FoveaSession) session = NULL;
  Loader                  *loader;
  FoveaEvaluation         *evaluation = NULL;

  if (settings->dataset->task == FOVEA_TASK_DETECT)
    return evaluate_boxes (model, settings, order, n, warnings, cancellable, progress, user_data, error);
  session = make_session (model, settings, cancellable, error);
  loader = session && check_answer (session, settings, error) ? loader_new (settings, error) : NULL;
  if (!loader)
    return NULL;
  tally_init (&tally, settings->dataset, order, settings->gives_shares);
  loader_start (loader, order, n, 0, 0);
  if (run_batches (&tally, session, loader, settings, n, cancellable, progress, user_data, error))
    evaluation = make_evaluation (&tally);
  for (guint i = 0; warnings && i < loader_get_warnings (loader)->len; i++)
    g_ptr_array_add (warnings, g_strdup (g_ptr_array_index (loader_get_warnings (loader), i)));
  loader_free (loader);
  tally_clear (&tally);
  return evaluation;
}

FoveaEvaluation *
fovea_evaluate (FoveaModel *model, const char *data, const char *split, const char *tags, guint n_threads, FoveaReadFile read, gpointer read_data,
                GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (FoveaSettings) settings = fovea_settings_read (model, error);
  DatasetSettings           choice = { .tags = tags };
  g_autoptr (Dataset)       dataset = NULL;
  g_autoptr (GArray)        list = NULL;
  LoaderSettings            loader = { .settings = settings, .read = read, .read_data = read_data, .batch = 8,
                                        .gives_shares = settings && settings->activation == FOVEA_ACTIVATION_NONE };

  if (!settings)
    return NULL;
  dataset = dataset_load (data, settings->task, &choice, error);
  if (!dataset)
    return NULL;
  loader.dataset = dataset;
  loader.n_threads = n_threads ? n_threads : g_get_num_processors ();
  list = dataset_list (dataset, strcmp (split, "train") == 0 ? SPLIT_TRAIN : SPLIT_VAL);
  if (list->len == 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "“%s” has no photos of the split “%s”. Choose another split.", data, split);
      return NULL;
    }
  if (!settings->family && settings->task == FOVEA_TASK_UNKNOWN)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "It isn't known what this model is for. Say its task in a sidecar file.");
      return NULL;
    }
  return evaluate_samples (model, &loader, (const guint *) (gpointer) list->data, list->len, NULL, cancellable, progress, user_data, error);
}
