/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer.c: from labelled photos to a trained model: epochs of batches through a Learner, a score after each, checkpoints. See fovea.h.
 *
 * What the next step will do depends on the settings, the data, the seed and the mark (epoch, step, …) in the checkpoint only: a training that was killed goes
 * on to the same model to the bit, as long as its end is set by epochs and not by minutes.
 */

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/half-weights.h"
#include "train/architecture.h"
#include "train/detector.h"
#include "train/evaluate.h"
#include "train/feature-cache.h"
#include "train/head.h"
#include "train/learner.h"
#include "train/lesson.h"
#include "train/schedule.h"
#include "train/teacher.h"
#include "vision/sidecar.h"

#define CHECKPOINT_SECONDS 30
#define FORMS              5   /* augmented forms whose features are kept, where only the last layer learns */
#define MOST_REPEATS       4.0 /* of a rare class's photos within an epoch */
#define MOST_RECOVERIES    6

/* Where a training stands; goes into the checkpoint as it is. */
typedef struct
{
  guint64 version;
  guint64 epoch, step;
  guint64 best_epoch, n_recoveries;
  double  elapsed;      /* seconds */
  double  best;         /* score; NAN: none */
  double  rate_scale;   /* falls by half with each recovery */
  double  loss;         /* moving mean */
  guint64 key;          /* of what must not change meanwhile */
} Mark;

struct _FoveaTrainer
{
  FoveaTrainSettings settings;
  FoveaSettings     *input;
  Dataset           *dataset;
  GArray            *train, *monitor, *val;   /* of guint */
  FoveaModel        *model;
  char              *head;                    /* name of the new layer; NULL: none was exchanged */
  gboolean           on_features;             /* only the new layer learns: the learner has it alone */
  gint64             n_features;
  float             *mean, *scale;            /* that the features are standardized with */
  FeatureCache      *features, *judged;       /* of the training photos, and of those that are looked at after an epoch; NULL: not yet */
  Batch              batch;                   /* on_features: our own */
  Learner           *learner;
  Loader            *loader;
  Teacher           *teacher;                 /* NULL: none */
  Lesson            *lesson;
  FoveaReadFile      read;
  gpointer           read_data;
  GPtrArray         *warnings;
  char              *base_name;
  guint              n_copied;
  Mark               mark;
};

void
fovea_train_settings_init (FoveaTrainSettings *settings, FoveaTask task)
{
  *settings = (FoveaTrainSettings) {
    .task = task, .epochs = 30, .batch = 16, .learning_rate = 0.05, .weight_decay = 4e-5, .warm_up = 0.05, .smoothing = 0.05, .average = 0.998,
    .validation_share = 0.15, .balance = TRUE, .seed = 1, .cache = (guint64) 1 << 30,
    .augmentation = { .crop = 0.35, .stretch = 0.3, .rotate = 8.0, .flip_horizontal = TRUE, .colour = 0.3, .hue = 0.02, .grayscale = 0.05 },
  };
  if (task == FOVEA_TASK_SEGMENT)
    settings->augmentation = (FoveaAugmentation) { .crop = 0.5, .stretch = 0.2, .scale = 0.2, .rotate = 12.0, .flip_horizontal = TRUE, .colour = 0.3,
                                                   .hue = 0.02, .grayscale = 0.05 };
  if (task == FOVEA_TASK_DETECT)
    settings->augmentation = (FoveaAugmentation) { .crop = 0.3, .stretch = 0.3, .scale = 0.3, .flip_horizontal = TRUE, .colour = 0.4, .hue = 0.03,
                                                   .grayscale = 0.05, .mosaic = 0.4 };
}

/* ---- making --------------------------------------------------------------------------------------------------------------------------------- */

static FoveaSettings *
make_input (const FoveaTrainSettings *settings, FoveaModel *base, GError **error)
{
  FoveaSettings *input = base ? fovea_settings_read (base, error) : NULL;

  if (base && !input)
    return NULL;
  if (!input)
    {
      static const double mean[3] = { 0.485, 0.456, 0.406 }, std[3] = { 0.229, 0.224, 0.225 };

      input = g_new0 (FoveaSettings, 1);
      input->resize = FOVEA_RESIZE_STRETCH;
      input->crop_scale = 1.0;
      input->filter = FOVEA_FILTER_BILINEAR;
      input->channels = 3;
      input->range = 1.0;
      memcpy (input->mean, mean, sizeof mean);
      memcpy (input->std, std, sizeof std);
      input->width = input->height = 160;
    }
  if (settings->task == FOVEA_TASK_DETECT && input->task != FOVEA_TASK_DETECT)
    {
      input->width = input->height = 320; /* a classifier's photos are too small to find things in */
      input->resize = FOVEA_RESIZE_STRETCH;
    }
  if (settings->size > 0)
    input->width = input->height = settings->size;
  if (input->channels != 3 || input->nhwc || input->width != input->height || input->width < 16)
    {
      fovea_settings_free (input);
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                           "This network's input isn't square RGB in planes, so that it can't be trained here. Choose another base model.");
      return NULL;
    }
  return input;
}

static gboolean
check_settings (const FoveaTrainSettings *settings, GError **error)
{
  const char *wrong = settings->batch < 1 || settings->batch > 4096             ? "The batch must have 1 to 4096 photos."
                      : settings->epochs < 1 && settings->minutes <= 0.0       ? "Say how many epochs or minutes to train."
                      : !(settings->learning_rate > 0.0)                       ? "The learning rate must be above 0."
                      : settings->size < 0 || settings->size > 2048            ? "The size of photos must be 16 to 2048 pixels."
                      : !(settings->average >= 0.0 && settings->average < 1.0) ? "The moving average must keep a share of 0 or more, below 1."
                                                                               : NULL;

  if (wrong)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, wrong);
  return !wrong;
}

/* What the trained network's answers will mean. */
static void
set_labels (FoveaSettings *settings, const Dataset *dataset)
{
  g_free (settings->family);
  settings->family = g_strdup (dataset->task == FOVEA_TASK_SEGMENT ? NULL : dataset->task == FOVEA_TASK_DETECT ? DETECTOR_FAMILY : "classifier");
  if (dataset->task == FOVEA_TASK_DETECT)
    {
      settings->threshold = DETECTOR_THRESHOLD;
      settings->overlap = DETECTOR_OVERLAP;
    }
  g_strfreev (settings->labels);
  settings->labels = g_strdupv (dataset->classes);
  settings->n_labels = dataset->n_classes;
}

/* TRUE if the base already answers with the data's classes, in their order. */
static gboolean
has_classes (const FoveaSettings *input, const Dataset *dataset)
{
  if (input->n_labels != dataset->n_classes)
    return FALSE;
  for (guint c = 0; c < dataset->n_classes; c++)
    if (strcmp (input->labels[c], dataset->classes[c]) != 0)
      return FALSE;
  return TRUE;
}

/* A network of cells: a finished detector's, or an architecture's with what weights of the base fit. */
static FoveaModel *
make_detector (FoveaTrainer *trainer, FoveaModel *base, const char *architecture, GError **error)
{
  const Dataset         *dataset = trainer->dataset;
  const char *const     *classes = (const char *const *) dataset->classes, *const *before = (const char *const *) trainer->input->labels;
  g_autoptr (FoveaModel) cells = base ? detector_open (base) : NULL, same = NULL, untrained = NULL;

  if (cells && before)
    same = detector_adapt (cells, before, classes, trainer->settings.seed, error);
  if (cells && before && !same)
    return NULL;
  if (same && !architecture)
    return g_steal_pointer (&same);
  untrained = fovea_model_new_untrained (architecture ? architecture : "objects", 3, dataset->n_classes, trainer->settings.seed, error);
  return untrained && base ? head_take_weights (untrained, same ? same : base, &trainer->n_copied) : g_steal_pointer (&untrained);
}

static FoveaModel *
make_model (FoveaTrainer *trainer, FoveaModel *base, const char *architecture, GError **error)
{
  const Dataset *dataset = trainer->dataset;
  guint          n_outputs = dataset->n_classes + (dataset->task == FOVEA_TASK_SEGMENT && dataset->n_classes > 1);
  FoveaShape     shape = { .n_dims = 4, .dims = { 1, 3, trainer->input->height, trainer->input->width } };
  FoveaModel    *model;

  if (dataset->task == FOVEA_TASK_DETECT)
    return make_detector (trainer, base, architecture, error);
  if (trainer->teacher)
    n_outputs += (guint) teacher_count (trainer->teacher);
  if (architecture || !base)
    {
      model = fovea_model_new_untrained (architecture ? architecture : "tiny", 3, n_outputs, trainer->settings.seed, error);
      if (model && base)
        {
          g_autoptr (FoveaModel) untrained = model;

          model = head_take_weights (untrained, base, &trainer->n_copied);
        }
      return model;
    }
  if (has_classes (trainer->input, dataset) && !trainer->teacher)
    return fovea_model_ref (base);
  if (dataset->task != FOVEA_TASK_CLASSIFY)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” answers with other classes than the data have. Give an architecture for the new task; it "
                   "begins with what weights of the base fit.", fovea_model_get_name (base));
      return NULL;
    }
  return head_replace (base, &shape, n_outputs, trainer->settings.seed, &trainer->head, error);
}

/* Whether a layer is trained: all, the head, or the last third of the layers with weights. */
static gboolean
choose_layer (const Node *node, gpointer user_data)
{
  FoveaTrainer *trainer = user_data;
  const Graph  *graph = model_get_graph (trainer->model);
  guint         index = 0;

  if (trainer->settings.trainable == FOVEA_TRAIN_ALL)
    return TRUE;
  if (trainer->settings.trainable == FOVEA_TRAIN_HEAD)
    return g_strcmp0 (node->name, trainer->head) == 0 || (!trainer->head && node == g_ptr_array_index (graph->nodes, graph->nodes->len - 1));
  g_ptr_array_find (graph->nodes, node, &index);
  return index * 3 >= graph->nodes->len * 2;
}

/* Where only the new layer learns, the learner has nothing else, and a batch of our own is filled with features. */
static gboolean
make_feature_batch (FoveaTrainer *trainer, GError **error)
{
  const Graph *graph = model_get_graph (trainer->model);
  gsize        n_classes = trainer->dataset->n_classes, n = trainer->settings.batch;

  trainer->n_features = graph_find_value (graph, "head.weight")->constant->shape.dims[1];
  trainer->batch.input = memory_alloc_n (n, (gsize) trainer->n_features * sizeof (float), "a batch of features", error);
  trainer->batch.targets = trainer->batch.input ? memory_alloc_n (n, n_classes * sizeof (float), "a batch of labels", error) : NULL;
  trainer->batch.weights = trainer->batch.targets ? memory_alloc_n (n, n_classes * sizeof (float), "a batch of labels", error) : NULL;
  return trainer->batch.weights != NULL;
}

static gboolean
make_learner (FoveaTrainer *trainer, GError **error)
{
  const FoveaTrainSettings *settings = &trainer->settings;
  FoveaShape                shape = { .n_dims = 4, .dims = { settings->batch, 3, trainer->input->height, trainer->input->width } };
  g_autoptr (FoveaModel)    model = NULL;
  LearnerSettings           learner = { .n_threads = settings->n_threads, .seed = settings->seed, .momentum = 0.1, .choice = choose_layer, .choice_data = trainer };

  learner.optimizer = (OptimizerSettings) { .kind = OPTIMIZER_SGD, .momentum = 0.9, .second = 0.999, .weight_decay = settings->weight_decay, .clip = 5.0,
                                            .average = settings->average };
  trainer->on_features = settings->trainable == FOVEA_TRAIN_HEAD && trainer->head;
  if (trainer->on_features && !make_feature_batch (trainer, error))
    return FALSE;
  if (trainer->on_features)
    {
      shape = (FoveaShape) { .n_dims = 2, .dims = { settings->batch, trainer->n_features } };
      learner.choice = NULL;
    }
  model = trainer->on_features ? head_only (trainer->model, trainer->head, trainer->n_features) : fovea_model_ref (trainer->model);
  trainer->learner = learner_new (model, &shape, &learner, error);
  return trainer->learner != NULL;
}

static LoaderSettings
loader_settings (FoveaTrainer *trainer, gboolean augmented)
{
  return (LoaderSettings) { .dataset = trainer->dataset, .settings = trainer->input, .augmentation = augmented ? &trainer->settings.augmentation : NULL,
                            .read = trainer->read, .read_data = trainer->read_data, .batch = trainer->settings.batch, .seed = trainer->settings.seed,
                            .n_threads = trainer->settings.n_threads ? trainer->settings.n_threads : g_get_num_processors (),
                            .cache = augmented ? trainer->settings.cache : 0 };
}

/* Takes a share of each class's training samples out, to look at while training. */
static void
choose_monitor (FoveaTrainer *trainer)
{
  g_autoptr (GArray) all = trainer->train;
  Random             random = random_stream (trainer->settings.seed, 0x3042, 0);

  trainer->train = g_array_new (FALSE, FALSE, sizeof (guint));
  trainer->monitor = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < all->len; i++)
    {
      guint index = g_array_index (all, guint, i);

      g_array_append_val (random_chance (&random, trainer->settings.monitor_share) ? trainer->monitor : trainer->train, index);
    }
}

static guint64
find_key (const FoveaTrainer *trainer)
{
  const FoveaTrainSettings *s = &trainer->settings;
  g_autoptr (GChecksum)     checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char          *text = g_strdup_printf ("%d %d %u %u %g %g %g %g %g %" G_GUINT64_FORMAT " %u %u %d", s->task, trainer->input->width, s->epochs, s->batch,
                                                    s->learning_rate, s->weight_decay, s->warm_up, s->smoothing, s->average, s->seed, trainer->train->len,
                                                    trainer->dataset->n_classes, trainer->teacher ? (int) teacher_count (trainer->teacher) : 0);

  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_update (checksum, (const guchar *) &s->augmentation, sizeof s->augmentation);
  return g_ascii_strtoull (g_checksum_get_string (checksum) + 48, NULL, 16);
}

static gboolean
make_teacher (FoveaTrainer *trainer, GError **error)
{
  LoaderSettings plain = loader_settings (trainer, FALSE);

  if (trainer->settings.task != FOVEA_TASK_CLASSIFY || trainer->settings.trainable == FOVEA_TRAIN_HEAD)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "A teacher teaches classifiers that learn as a whole. Train all layers, or without a teacher.");
  else
    trainer->teacher = teacher_new (trainer->settings.teacher, &plain, (const guint *) (gpointer) trainer->train->data, trainer->train->len, NULL, error);
  trainer->settings.teacher = NULL; /* the caller's */
  return trainer->teacher != NULL;
}

static gboolean
prepare (FoveaTrainer *trainer, FoveaModel *base, const char *architecture, const char *data, GError **error)
{
  DatasetSettings choice = { .tags = trainer->settings.tags, .validation_share = trainer->settings.validation_share, .seed = trainer->settings.seed,
                             .backgrounds = trainer->settings.backgrounds };
  LoaderSettings  loader;

  trainer->input = make_input (&trainer->settings, base, error);
  trainer->dataset = trainer->input ? dataset_load (data, trainer->settings.task, &choice, error) : NULL;
  if (!trainer->dataset)
    return FALSE;
  for (guint i = 0; i < trainer->dataset->warnings->len; i++)
    g_ptr_array_add (trainer->warnings, g_strdup (g_ptr_array_index (trainer->dataset->warnings, i)));
  trainer->train = dataset_list (trainer->dataset, SPLIT_TRAIN);
  trainer->val = dataset_list (trainer->dataset, SPLIT_VAL);
  choose_monitor (trainer);
  if (trainer->settings.teacher && !make_teacher (trainer, error))
    return FALSE;
  trainer->model = make_model (trainer, base, architecture, error);
  if (!trainer->model || !make_learner (trainer, error))
    return FALSE;
  set_labels (trainer->input, trainer->dataset);
  trainer->lesson = lesson_new (trainer->dataset, trainer->settings.batch, trainer->input->width, trainer->settings.smoothing);
  loader = loader_settings (trainer, TRUE);
  trainer->loader = loader_new (&loader, error);
  trainer->mark = (Mark) { .version = 1, .best = NAN, .rate_scale = 1.0, .loss = NAN, .key = find_key (trainer) };
  return trainer->loader != NULL;
}

FoveaTrainer *
fovea_trainer_new (FoveaModel *base, const char *architecture, const char *data, const FoveaTrainSettings *settings, FoveaReadFile read, gpointer read_data,
                   GError **error)
{
  FoveaTrainer          *trainer;
  g_autoptr (FoveaModel) wide = NULL;

  if (!check_settings (settings, error) || (base && !(wide = model_widen (base, error))))
    return NULL;
  trainer = g_new0 (FoveaTrainer, 1);
  trainer->settings = *settings;
  trainer->settings.checkpoint = g_strdup (settings->checkpoint);
  trainer->settings.tags = g_strdup (settings->tags);
  trainer->read = read;
  trainer->read_data = read_data;
  trainer->warnings = g_ptr_array_new_with_free_func (g_free);
  trainer->base_name = base ? g_strdup (fovea_model_get_name (base)) : NULL;
  if (!prepare (trainer, wide, architecture, data, error))
    g_clear_pointer (&trainer, fovea_trainer_free);
  return trainer;
}

void
fovea_trainer_free (FoveaTrainer *trainer)
{
  if (!trainer)
    return;
  loader_free (trainer->loader);
  learner_free (trainer->learner);
  feature_cache_free (trainer->features);
  feature_cache_free (trainer->judged);
  teacher_free (trainer->teacher);
  lesson_free (trainer->lesson);
  g_free (trainer->mean);
  g_free (trainer->scale);
  memory_free (trainer->batch.input);
  memory_free (trainer->batch.targets);
  memory_free (trainer->batch.weights);
  if (trainer->model)
    fovea_model_unref (trainer->model);
  fovea_settings_free (trainer->input);
  dataset_free (trainer->dataset);
  g_clear_pointer (&trainer->train, g_array_unref);
  g_clear_pointer (&trainer->monitor, g_array_unref);
  g_clear_pointer (&trainer->val, g_array_unref);
  g_ptr_array_unref (trainer->warnings);
  g_free (trainer->head);
  g_free (trainer->base_name);
  g_free ((char *) trainer->settings.checkpoint);
  g_free ((char *) trainer->settings.tags);
  g_free (trainer);
}

const char *const *
fovea_trainer_get_warnings (FoveaTrainer *trainer)
{
  GPtrArray *read = loader_get_warnings (trainer->loader);

  while (read->len > 0)
    g_ptr_array_add (trainer->warnings, g_ptr_array_steal_index (read, 0));
  if (trainer->warnings->len == 0 || g_ptr_array_index (trainer->warnings, trainer->warnings->len - 1))
    g_ptr_array_add (trainer->warnings, NULL);
  return (const char *const *) trainer->warnings->pdata;
}

char *
fovea_trainer_describe (FoveaTrainer *trainer)
{
  return g_strdup_printf ("%u classes%s, %u photos to learn from, %u to look at meanwhile, %u to be judged by; %s%s%u pixels, batch %u, memory %.0f MB",
                          trainer->dataset->n_classes, trainer->dataset->task != FOVEA_TASK_CLASSIFY || trainer->dataset->exclusive ? "" : " (several a photo)",
                          trainer->train->len, trainer->monitor->len, trainer->val->len, trainer->base_name ? trainer->base_name : "from nothing",
                          trainer->head ? " with a new last layer, " : ", ", (guint) trainer->input->width, trainer->settings.batch,
                          (double) fovea_session_get_arena_bytes (learner_get_session (trainer->learner)) / 1e6);
}

/* ---- an epoch's order -------------------------------------------------------------------------------------------------------------------------- */

/* How often a sample comes in an epoch: the square root of how much rarer its rarest class is than the mean (Gupta et al. 2019, arXiv:1908.03195). */
static double
count_repeats (const FoveaTrainer *trainer, const Sample *sample, const double *rarity)
{
  double repeats = 1.0;

  for (guint l = 0; l < sample->n_labels && trainer->settings.balance; l++)
    repeats = MAX (repeats, rarity[sample->labels[l]]);
  return MIN (repeats, MOST_REPEATS);
}

/* The samples of an epoch in their order: a whole number of batches, at least one. */
static GArray *
make_order (const FoveaTrainer *trainer, guint64 epoch)
{
  guint              n_classes = trainer->dataset->n_classes, n_full;
  g_autofree double *rarity = g_new0 (double, n_classes + 1);
  GArray            *order = g_array_new (FALSE, FALSE, sizeof (guint));
  Random             random = random_stream (trainer->settings.seed, 0x0bde, epoch);
  double             mean = 0.0;

  for (guint i = 0; i < trainer->train->len; i++)
    {
      const Sample *sample = &g_array_index (trainer->dataset->samples, Sample, g_array_index (trainer->train, guint, i));

      for (guint l = 0; l < sample->n_labels; l++)
        rarity[sample->labels[l]] += 1.0;
    }
  for (guint c = 0; c < n_classes; c++)
    mean += rarity[c] / n_classes;
  for (guint c = 0; c < n_classes; c++)
    rarity[c] = rarity[c] > 0.0 ? sqrt (mean / rarity[c]) : 1.0;
  while (order->len < trainer->settings.batch)
    for (guint i = 0; i < trainer->train->len; i++)
      {
        guint  index = g_array_index (trainer->train, guint, i);
        double repeats = count_repeats (trainer, &g_array_index (trainer->dataset->samples, Sample, index), rarity) + random_between (&random, 0.0, 1.0);

        for (guint k = 1; k <= (guint) repeats; k++)
          g_array_append_val (order, index);
      }
  random_shuffle (&random, (guint *) (gpointer) order->data, order->len);
  n_full = order->len / trainer->settings.batch * trainer->settings.batch;
  g_array_set_size (order, n_full);
  return order;
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
save_checkpoint (FoveaTrainer *trainer, GError **error)
{
  g_autoptr (GBytes) mark = g_bytes_new (&trainer->mark, sizeof trainer->mark);

  if (!trainer->settings.checkpoint || learner_save (trainer->learner, trainer->settings.checkpoint, mark, error))
    return TRUE;
  g_prefix_error (error, "The training can't be kept in “%s”; the last state that was kept is whole. ", trainer->settings.checkpoint);
  return FALSE;
}

/* FOVEA_CHECKPOINT_SECONDS is for tests and for careful people. */
static gint64
checkpoint_seconds (void)
{
  const char *seconds = g_getenv ("FOVEA_CHECKPOINT_SECONDS");

  return seconds ? g_ascii_strtoll (seconds, NULL, 10) : CHECKPOINT_SECONDS;
}

static gboolean
load_checkpoint (FoveaTrainer *trainer, GError **error)
{
  g_autoptr (GBytes) bytes = learner_load (trainer->learner, trainer->settings.checkpoint, error);
  const Mark        *mark = bytes && g_bytes_get_size (bytes) == sizeof *mark ? g_bytes_get_data (bytes, NULL) : NULL;

  if (!bytes)
    return FALSE;
  if (!mark || mark->version != 1 || mark->key != trainer->mark.key)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "“%s” belongs to a training with other settings or data. Train with those, or delete it to begin anew.",
                   trainer->settings.checkpoint);
      return FALSE;
    }
  trainer->mark = *mark;
  return TRUE;
}

/* After a number that isn't finite: back to the last good state, at half the rate. */
static gboolean
recover (FoveaTrainer *trainer, GError **error)
{
  guint64 n = trainer->mark.n_recoveries + 1;
  double  scale = trainer->mark.rate_scale / 2.0;

  if (n > MOST_RECOVERIES)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The training fell apart again and again: its numbers left all bounds. Try a tenth of the "
                           "learning rate, and look whether some photos or labels are damaged.");
      return FALSE;
    }
  if (trainer->settings.checkpoint && g_file_test (trainer->settings.checkpoint, G_FILE_TEST_EXISTS) && !load_checkpoint (trainer, error))
    return FALSE;
  trainer->mark.n_recoveries = n;
  trainer->mark.rate_scale = scale;
  g_ptr_array_add (loader_get_warnings (trainer->loader), g_strdup ("The loss left all bounds; training goes on from the last good state at half the rate."));
  return save_checkpoint (trainer, error);
}

/* ---- running ------------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct
{
  FoveaTrainProgress progress;
  gpointer           user_data;
  GCancellable      *cancellable;
  gint64             began;      /* minus what had elapsed before */
  gint64             saved;
  gsize              n_images;   /* since this run began */
  gint64             run_began;
  const guint       *order;      /* of this epoch */
} Run;

static double
find_fraction (const FoveaTrainer *trainer, gsize n_steps)
{
  if (trainer->settings.minutes > 0.0)
    return MIN (trainer->mark.elapsed / (trainer->settings.minutes * 60.0), 1.0);
  return ((double) trainer->mark.epoch + (double) trainer->mark.step / (double) n_steps) / trainer->settings.epochs;
}

static void
report (FoveaTrainer *trainer, const Run *run, gsize n_steps, double rate, const FoveaEvaluation *score)
{
  double          fraction = find_fraction (trainer, n_steps), seconds = (double) (g_get_monotonic_time () - run->run_began) / 1e6;
  FoveaTrainState state = { .epoch = (guint) trainer->mark.epoch, .n_epochs = trainer->settings.minutes > 0.0 ? 0 : trainer->settings.epochs,
                            .step = trainer->mark.step, .n_steps = n_steps, .fraction = fraction, .loss = trainer->mark.loss, .learning_rate = rate,
                            .images_per_second = (double) run->n_images / MAX (seconds, 1e-6), .score = score, .best = trainer->mark.best,
                            .prepared = 1.0 };

  state.seconds_left = trainer->settings.minutes > 0.0 ? trainer->settings.minutes * 60.0 - trainer->mark.elapsed
                       : fraction > 0.0                ? trainer->mark.elapsed / fraction * (1.0 - fraction)
                                                       : -1.0;
  if (run->progress)
    run->progress (&state, run->user_data);
}

/* Mixup: each photo with its neighbour in the batch, labels in the same shares. */
static void
mix_batch (FoveaTrainer *trainer, const Batch *batch, float *input, gsize n_floats)
{
  Random random = random_stream (trainer->settings.seed, 0x314c + trainer->mark.epoch, trainer->mark.step);
  gsize  n = trainer->settings.batch, size = n_floats / n, classes = trainer->dataset->n_classes;
  float  share, *targets = batch->targets;

  if (trainer->dataset->task != FOVEA_TASK_CLASSIFY || !trainer->dataset->exclusive || !random_chance (&random, trainer->settings.augmentation.mixup))
    return;
  share = (float) random_between (&random, 0.6, 1.0);
  for (gsize i = 0; i + 1 < n; i += 2)
    {
      for (gsize k = 0; k < size; k++)
        {
          float a = input[i * size + k], b = input[(i + 1) * size + k];

          input[i * size + k] = share * a + (1.0f - share) * b;
          input[(i + 1) * size + k] = share * b + (1.0f - share) * a;
        }
      for (gsize c = 0; c < classes; c++)
        {
          float a = targets[i * classes + c], b = targets[(i + 1) * classes + c];

          targets[i * classes + c] = share * a + (1.0f - share) * b;
          targets[(i + 1) * classes + c] = share * b + (1.0f - share) * a;
        }
    }
}

/* FALSE with G_IO_ERROR_CANCELLED, and where the loader fails. */
static const Batch *
next_batch (FoveaTrainer *trainer, const Run *run, GError **error)
{
  gsize n = trainer->settings.batch, first = trainer->mark.step * n;

  if (!trainer->on_features)
    return loader_next (trainer->loader, run->cancellable, error);
  if (g_cancellable_set_error_if_cancelled (run->cancellable, error))
    return NULL;
  feature_cache_fill (trainer->features, run->order + first, n, trainer->settings.seed, trainer->mark.epoch, first, &trainer->batch);
  return &trainer->batch;
}

/* One step. *done FALSE: the state went back, the epoch begins at another place. */
static gboolean
take_step (FoveaTrainer *trainer, Run *run, gsize n_steps, gboolean *done, GError **error)
{
  const Batch *batch = next_batch (trainer, run, error);
  const float *taught = NULL;
  double       rate = schedule_rate (find_fraction (trainer, n_steps), trainer->settings.warm_up) * trainer->settings.learning_rate * trainer->mark.rate_scale, norm, loss;
  gsize        n_floats = shape_count (&fovea_session_get_input (learner_get_session (trainer->learner), 0)->shape);
  gboolean     finite = TRUE;
  float       *input = learner_get_input (trainer->learner);

  *done = TRUE;
  if (!batch)
    return FALSE;
  memcpy (input, batch->input, n_floats * sizeof (float));
  mix_batch (trainer, batch, input, n_floats);
  if (trainer->teacher && !(taught = teacher_run (trainer->teacher, input, run->cancellable, error)))
    return FALSE;
  lesson_begin (trainer->lesson, batch, taught);
  if (!learner_step (trainer->learner, lesson_lose, trainer->lesson, rate, &norm, &finite, run->cancellable, error))
    return FALSE;
  loss = lesson_get_loss (trainer->lesson);
  if (!finite || !isfinite (loss))
    {
      *done = FALSE;
      return recover (trainer, error);
    }
  trainer->mark.step++;
  trainer->mark.elapsed = (double) (g_get_monotonic_time () - run->began) / 1e6;
  trainer->mark.loss = isnan (trainer->mark.loss) ? loss : 0.98 * trainer->mark.loss + 0.02 * loss;
  run->n_images += batch->n;
  report (trainer, run, n_steps, rate, NULL);
  if (g_get_monotonic_time () - run->saved < checkpoint_seconds () * G_TIME_SPAN_SECOND)
    return TRUE;
  run->saved = g_get_monotonic_time ();
  return save_checkpoint (trainer, error);
}

/* The photos that are looked at after each epoch. */
static const GArray *
look_at (const FoveaTrainer *trainer)
{
  return trainer->monitor->len > 0 ? trainer->monitor : trainer->val;
}

/* The whole network with the layer that learned. */
static FoveaModel *
join_head (FoveaTrainer *trainer, FoveaModel *head, GError **error)
{
  g_autoptr (FoveaModel) folded = trainer->mean ? head_fold_scale (head, trainer->mean, trainer->scale, error) : fovea_model_ref (head);

  return folded ? head_take_weights (trainer->model, folded, NULL) : NULL;
}

/* With the backbone before the layer that learned. */
static FoveaEvaluation *
look_whole (FoveaTrainer *trainer, FoveaModel *head, const LoaderSettings *settings, const GArray *samples, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel) whole = join_head (trainer, head, error);

  return !whole ? NULL : evaluate_samples (whole, settings, (const guint *) (gconstpointer) samples->data, samples->len, NULL, cancellable, NULL, NULL, error);
}

/* The network as it is now, without what it says to its teacher. */
static FoveaModel *
make_trained (FoveaTrainer *trainer, GError **error)
{
  g_autoptr (FoveaModel) model = learner_make_model (trainer->learner, error);

  if (model && trainer->dataset->task == FOVEA_TASK_DETECT)
    return detector_finish (model, trainer->input->width, trainer->input->height, error);
  return !model || !trainer->teacher ? g_steal_pointer (&model) : head_narrow (model, trainer->dataset->n_classes, error);
}

/* What the network is worth now, on the photos kept out for that; NULL without an error: there are none. */
static FoveaEvaluation *
look (FoveaTrainer *trainer, const GArray *samples, GCancellable *cancellable, GError **error)
{
  LoaderSettings         settings = loader_settings (trainer, FALSE);
  g_autoptr (FoveaModel) model = samples->len > 0 ? make_trained (trainer, error) : NULL;

  if (model && trainer->on_features)
    return samples == look_at (trainer) && trainer->judged ? evaluate_features (model, trainer->judged, trainer->dataset, error)
                                                           : look_whole (trainer, model, &settings, samples, cancellable, error);
  return model ? evaluate_samples (model, &settings, (const guint *) (gconstpointer) samples->data, samples->len, NULL, cancellable, NULL, NULL, error) : NULL;
}

static gboolean
end_epoch (FoveaTrainer *trainer, Run *run, gsize n_steps, gboolean *stop, GError **error)
{
  GError                     *local = NULL;
  g_autoptr (FoveaEvaluation) score = look (trainer, look_at (trainer), run->cancellable, &local);

  if (local)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (score && (isnan (trainer->mark.best) || score->metrics[0].value > trainer->mark.best))
    {
      trainer->mark.best = score->metrics[0].value;
      trainer->mark.best_epoch = trainer->mark.epoch;
    }
  report (trainer, run, n_steps, 0.0, score);
  trainer->mark.epoch++;
  trainer->mark.step = 0;
  *stop = trainer->settings.minutes > 0.0 ? trainer->mark.elapsed >= trainer->settings.minutes * 60.0 : trainer->mark.epoch >= trainer->settings.epochs;
  *stop = *stop || (trainer->settings.patience > 0 && trainer->monitor->len > 0 && trainer->mark.epoch > trainer->mark.best_epoch + trainer->settings.patience);
  run->saved = g_get_monotonic_time ();
  return save_checkpoint (trainer, error);
}

static gboolean
run_epoch (FoveaTrainer *trainer, Run *run, gboolean *stop, GError **error)
{
  guint64            epoch = trainer->mark.epoch;
  g_autoptr (GArray) order = make_order (trainer, epoch);
  gsize              n_steps = order->len / trainer->settings.batch;
  gboolean           done, late = FALSE;

  run->order = (const guint *) (gconstpointer) order->data;
  if (!trainer->on_features)
    loader_start (trainer->loader, run->order, order->len, epoch, trainer->mark.step);
  while (trainer->mark.step < n_steps && !late)
    {
      if (!take_step (trainer, run, n_steps, &done, error))
        return FALSE;
      if (!done)
        return TRUE; /* again, from where the checkpoint stands */
      late = trainer->settings.minutes > 0.0 && trainer->mark.elapsed >= trainer->settings.minutes * 60.0;
    }
  return end_epoch (trainer, run, n_steps, stop, error);
}

static void
report_preparation (double fraction, gpointer data)
{
  const Run      *run = data;
  FoveaTrainState state = { .prepared = fraction, .best = NAN, .loss = NAN, .seconds_left = -1.0 };

  if (run->progress)
    run->progress (&state, run->user_data);
}

/* Once: the features of all photos that this training looks at. */
static gboolean
compute_features (FoveaTrainer *trainer, Run *run, GError **error)
{
  g_autoptr (FoveaModel) backbone = head_cut (trainer->model, trainer->head, error);
  LoaderSettings         augmented = loader_settings (trainer, TRUE), plain = loader_settings (trainer, FALSE);
  const GArray          *judged = look_at (trainer);
  GPtrArray             *warnings = loader_get_warnings (trainer->loader);
  gboolean               changes = trainer->settings.augmentation.crop < 1.0 || trainer->settings.augmentation.flip_horizontal;

  if (!backbone)
    return FALSE;
  trainer->features = feature_cache_new (backbone, &augmented, (const guint *) (gpointer) trainer->train->data, trainer->train->len, changes ? FORMS : 1,
                                         trainer->settings.cache, warnings, run->cancellable, report_preparation, run, error);
  if (trainer->features && judged->len > 0)
    trainer->judged = feature_cache_new (backbone, &plain, (const guint *) (gconstpointer) judged->data, judged->len, 1, trainer->settings.cache, warnings,
                                         run->cancellable, NULL, NULL, error);
  if (!trainer->features || (judged->len > 0 && !trainer->judged))
    return FALSE;
  feature_cache_measure (trainer->features, &trainer->mean, &trainer->scale);
  feature_cache_standardize (trainer->features, trainer->mean, trainer->scale);
  if (trainer->judged)
    feature_cache_standardize (trainer->judged, trainer->mean, trainer->scale);
  return TRUE;
}

gboolean
fovea_trainer_run (FoveaTrainer *trainer, GCancellable *cancellable, FoveaTrainProgress progress, gpointer user_data, GError **error)
{
  Run      run = { progress, user_data, cancellable, 0, 0, 0, 0, NULL };
  gboolean stop = FALSE;

  if (trainer->settings.checkpoint && g_file_test (trainer->settings.checkpoint, G_FILE_TEST_EXISTS) && !load_checkpoint (trainer, error))
    return FALSE;
  if (trainer->on_features && !trainer->features && !compute_features (trainer, &run, error))
    return FALSE;
  run.run_began = run.saved = g_get_monotonic_time ();
  run.began = run.run_began - (gint64) (trainer->mark.elapsed * 1e6);
  stop = trainer->settings.minutes > 0.0 ? trainer->mark.elapsed >= trainer->settings.minutes * 60.0 : trainer->mark.epoch >= trainer->settings.epochs;
  while (!stop)
    if (!run_epoch (trainer, &run, &stop, error))
      {
        if (error && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
          save_checkpoint (trainer, NULL);
        return FALSE;
      }
  return TRUE;
}

FoveaEvaluation *
fovea_trainer_evaluate (FoveaTrainer *trainer, GCancellable *cancellable, GError **error)
{
  return look (trainer, trainer->val, cancellable, error);
}

/* ---- the result --------------------------------------------------------------------------------------------------------------------------------------- */

static JsonObject *
make_card (const FoveaTrainer *trainer, const FoveaEvaluation *evaluation)
{
  JsonObject      *card = json_object_new (), *training = json_object_new ();
  GDateTime       *now = g_date_time_new_now_utc ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d");

  g_date_time_unref (now);
  json_object_set_string_member (card, "date", date);
  if (trainer->base_name)
    json_object_set_string_member (card, "base", trainer->base_name);
  json_object_set_int_member (training, "photos", trainer->train->len);
  json_object_set_int_member (training, "epochs", (gint64) trainer->mark.epoch);
  json_object_set_double_member (training, "minutes", round (trainer->mark.elapsed / 6.0) / 10.0);
  json_object_set_int_member (training, "seed", (gint64) trainer->settings.seed);
  json_object_set_object_member (card, "training", training);
  if (evaluation)
    {
      JsonObject *metrics = json_object_new ();

      for (gsize i = 0; i < evaluation->n_metrics; i++)
        json_object_set_double_member (metrics, evaluation->metrics[i].name, round (evaluation->metrics[i].value * 1e4) / 1e4);
      json_object_set_int_member (metrics, "images", (gint64) evaluation->n_images);
      json_object_set_object_member (card, "metrics", metrics);
    }
  return card;
}

FoveaModel *
fovea_trainer_make_model (FoveaTrainer *trainer, const FoveaEvaluation *evaluation, GError **error)
{
  g_autoptr (FoveaModel)    trained = make_trained (trainer, error), result = NULL;
  g_autoptr (FoveaSettings) settings = NULL;
  Graph                    *graph;

  if (!trained)
    return NULL;
  if (trainer->on_features)
    {
      g_autoptr (FoveaModel) head = g_steal_pointer (&trained);

      trained = join_head (trainer, head, error);
      if (!trained)
        return NULL;
    }
  settings = fovea_settings_copy (trainer->input);
  settings->task = trainer->settings.task;
  settings->activation = trainer->settings.task == FOVEA_TASK_CLASSIFY && trainer->dataset->exclusive ? FOVEA_ACTIVATION_SOFTMAX
                         : trainer->settings.task == FOVEA_TASK_SEGMENT && trainer->dataset->n_classes > 1 ? FOVEA_ACTIVATION_SOFTMAX : FOVEA_ACTIVATION_SIGMOID;
  set_labels (settings, trainer->dataset);
  graph = graph_copy (model_get_graph (trained));
  g_hash_table_replace (graph->metadata, g_strdup ("task"), g_strdup (sidecar_task_word (settings->task)));
  g_hash_table_replace (graph->metadata, g_strdup ("names"), sidecar_write_names (settings));
  g_hash_table_replace (graph->metadata, g_strdup ("imgsz"), g_strdup_printf ("%d", settings->width));
  g_hash_table_replace (graph->metadata, g_strdup ("fovea"), sidecar_write_settings (settings, make_card (trainer, evaluation)));
  result = model_new_for_graph (graph, fovea_model_get_name (trainer->model));
  return trainer->settings.half_weights ? model_halve (result, error) : g_steal_pointer (&result);
}

/* ---- untrained networks ------------------------------------------------------------------------------------------------------------------------------- */

FoveaModel *
fovea_model_new_untrained (const char *architecture, guint channels, guint n_classes, guint64 seed, GError **error)
{
  ArchitectureSettings settings = { .channels = channels, .n_classes = n_classes, .seed = seed };
  g_autofree char     *text = NULL, *known = NULL;

  for (const Architecture *one = architectures; one->name; one++)
    if (strcmp (one->name, architecture) == 0)
      return architecture_build (one->text, architecture, &settings, error);
  if (g_file_get_contents (architecture, &text, NULL, NULL))
    return architecture_build (text, "network", &settings, error);
  for (const Architecture *one = architectures; one->name; one++)
    {
      g_autofree char *before = known;

      known = before ? g_strconcat (before, ", ", one->name, NULL) : g_strdup (one->name);
    }
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "There is no architecture “%s”. Give one of %s, or a file that describes one.", architecture, known);
  return NULL;
}

char **
fovea_list_architectures (void)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();

  for (const Architecture *one = architectures; one->name; one++)
    {
      const char      *end = strchr (one->text, '\n');
      g_autofree char *line = g_strndup (one->text + 2, (gsize) (end - one->text - 2));

      g_strv_builder_add (list, one->name);
      g_strv_builder_add (list, line);
    }
  return g_strv_builder_end (list);
}
