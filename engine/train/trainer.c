/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer.c: a training made of labelled photos, a base model and settings. trainer-run.c runs it. See fovea.h.
 */

#include "train/trainer-private.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "model/half-weights.h"
#include "train/architecture.h"
#include "train/detector.h"
#include "train/head.h"

void
fovea_train_settings_init (FoveaTrainSettings *settings, FoveaTask task)
{
  *settings = (FoveaTrainSettings) {
    .task = task, .epochs = 30, .batch = 16, .learning_rate = 0.05, .weight_decay = 4e-5, .warm_up = 0.05, .base_rate = 1.0, .smoothing = 0.05, .average = 0.998, .temperature = 4.0,
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
                           _("This network's input isn't square RGB in planes, so that it can't be trained here. Choose another base model."));
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
                      : !(settings->base_rate > 0.0 && settings->base_rate <= 1.0) ? "The share of the rate for the base's layers must be above 0, at most 1."
                      : !(settings->keep_base >= 0.0 && settings->keep_base <= 1.0) ? "The share of the base's weights that is kept must be 0 to 1."
                      : !(settings->distill >= 0.0 && settings->distill <= 1.0) ? "The share of the loss that the teacher's answers have must be 0 to 1."
                      : !(settings->temperature >= 0.1 && settings->temperature <= 100.0) ? "The temperature of the teacher's answers must be 0.1 to 100."
                      : settings->distill > 0.0 && !settings->teacher          ? "Give a teacher whose answers are learned."
                      : settings->balance_by_weight && settings->task != FOVEA_TASK_CLASSIFY
                          ? "Rare classes weigh more in classifiers only. Show their photos more often instead."
                      : settings->size < 0 || settings->size > 2048            ? "The size of photos must be 16 to 2048 pixels."
                      : !(settings->average >= 0.0 && settings->average < 1.0) ? "The moving average must keep a share of 0 or more, below 1."
                                                                               : NULL;

  if (wrong)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, wrong);
  return !wrong;
}

void
trainer_set_labels (FoveaSettings *settings, const Dataset *dataset)
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

  if (trainer->settings.last_layer && (dataset->task != FOVEA_TASK_CLASSIFY || architecture || !base))
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "A last layer is exchanged in a base that is to name photos. Give such a base and no architecture, or name no layer.");
      return NULL;
    }
  if (dataset->task == FOVEA_TASK_DETECT)
    return make_detector (trainer, base, architecture, error);
  if (trainer->teacher)
    n_outputs += (guint) teacher_count (trainer->teacher);
  if (base && dataset->task == FOVEA_TASK_SEGMENT && !architecture && !has_classes (trainer->input, dataset))
    architecture = "cutout"; /* the last layers of networks for masks are no heads that could be exchanged */
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
  if (!trainer->settings.last_layer && has_classes (trainer->input, dataset) && !(trainer->teacher && teacher_count (trainer->teacher) > 0))
    return fovea_model_ref (base);
  model = head_replace (base, trainer->settings.last_layer, &shape, n_outputs, trainer->settings.seed, &trainer->head, error);
  if (model && trainer->settings.trainable != FOVEA_TRAIN_HEAD && trainer->input->labels) /* a last layer alone begins on other numbers: standardized features */
    head_keep_classes (model, base, trainer->settings.last_layer, (const char *const *) trainer->input->labels, (const char *const *) dataset->classes);
  return model;
}

/* Whether a layer is trained: all, the head, or the last third of the layers with weights; without batch normalizations where they are frozen. */
static gboolean
choose_layer (const Node *node, gpointer user_data)
{
  FoveaTrainer *trainer = user_data;
  const Graph  *graph = model_get_graph (trainer->model);
  guint         index = 0;

  if (trainer->settings.frozen_norms && strcmp (node->type, "BatchNormalization") == 0)
    return FALSE;
  if (trainer->settings.trainable == FOVEA_TRAIN_ALL)
    return TRUE;
  if (trainer->settings.trainable == FOVEA_TRAIN_HEAD)
    return g_strcmp0 (node->name, trainer->head) == 0 || (!trainer->head && node == g_ptr_array_index (graph->nodes, graph->nodes->len - 1));
  g_ptr_array_find (graph->nodes, node, &index);
  return index * 3 >= graph->nodes->len * 2;
}

typedef struct
{
  const Graph *base;
  double       share; /* of the rate, for what is as it is there */
} BaseRate;

static double
choose_rate (const char *name, const FoveaTensor *start, gpointer user_data)
{
  const BaseRate    *rate = user_data;
  const Value       *value = graph_find_value (rate->base, name);
  const FoveaTensor *before = value ? value->constant : NULL;

  if (!before || before->type != start->type || !shape_equal (&before->shape, &start->shape))
    return 1.0;
  return memcmp (before->data, start->data, start->size) == 0 ? rate->share : 1.0;
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
make_learner (FoveaTrainer *trainer, FoveaModel *base, GError **error)
{
  const FoveaTrainSettings *settings = &trainer->settings;
  FoveaShape                shape = { .n_dims = 4, .dims = { settings->batch, 3, trainer->input->height, trainer->input->width } };
  g_autoptr (FoveaModel)    model = NULL;
  BaseRate                  rate = { base ? model_get_graph (base) : NULL, settings->base_rate };
  LearnerSettings           learner = { .n_threads = settings->n_threads, .seed = settings->seed, .momentum = 0.1, .choice = choose_layer, .choice_data = trainer };

  learner.optimizer = (OptimizerSettings) { .kind = settings->optimizer, .momentum = 0.9, .second = 0.999, .weight_decay = settings->weight_decay, .clip = 5.0,
                                            .average = settings->average };
  if (base)
    {
      learner.rate = choose_rate;
      learner.rate_data = &rate;
    }
  trainer->on_features = settings->trainable == FOVEA_TRAIN_HEAD && trainer->head;
  if (trainer->on_features && settings->augmentation.cutmix > 0.0)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Where only a new last layer learns, no rectangles of photos can be exchanged. Mix whole photos instead, or train "
                           "more layers.");
      return FALSE;
    }
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

LoaderSettings
trainer_loader_settings (FoveaTrainer *trainer, gboolean augmented)
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
  g_checksum_update (checksum, (const guchar *) &s->augmentation, G_STRUCT_OFFSET (FoveaAugmentation, jpeg));
  if (s->augmentation.jpeg > 0.0 || s->augmentation.cutmix > 0.0) /* these are younger than some checkpoints */
    g_checksum_update (checksum, (const guchar *) &s->augmentation.jpeg, 2 * sizeof s->augmentation.jpeg);
  if (s->find_rate)
    g_checksum_update (checksum, (const guchar *) "found", -1);
  if (s->last_layer)
    g_checksum_update (checksum, (const guchar *) s->last_layer, -1);
  if (s->frozen_norms)
    g_checksum_update (checksum, (const guchar *) "frozen", -1);
  if (s->optimizer == FOVEA_OPTIMIZER_ADAMW)
    g_checksum_update (checksum, (const guchar *) "adamw", -1);
  if (s->balance && s->balance_by_weight)
    g_checksum_update (checksum, (const guchar *) "weighed", -1);
  if (s->loss != FOVEA_LOSS_USUAL)
    g_checksum_update (checksum, (const guchar *) &s->loss, sizeof s->loss);
  if (s->distill > 0.0)
    {
      g_checksum_update (checksum, (const guchar *) &s->distill, sizeof s->distill);
      g_checksum_update (checksum, (const guchar *) &s->temperature, sizeof s->temperature);
    }
  if (s->schedule != FOVEA_SCHEDULE_COSINE)
    g_checksum_update (checksum, (const guchar *) &s->schedule, sizeof s->schedule);
  if (s->keep_base > 0.0 && s->patience > 0) /* of what is judged, the best epoch is one of the marks */
    g_checksum_update (checksum, (const guchar *) &s->keep_base, sizeof s->keep_base);
  if (s->base_rate < 1.0)
    g_checksum_update (checksum, (const guchar *) &s->base_rate, sizeof s->base_rate);
  return g_ascii_strtoull (g_checksum_get_string (checksum) + 48, NULL, 16);
}

static gboolean
learns_norms (FoveaTrainer *trainer)
{
  const Graph *graph = model_get_graph (trainer->model);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      if (strcmp (node->type, "BatchNormalization") == 0 && choose_layer (node, trainer))
        return TRUE;
    }
  return FALSE;
}

/* What batch normalizations measured of one network's numbers and of another's tells nothing about those of a network between both. */
static gboolean
make_keep (FoveaTrainer *trainer, FoveaModel *base, GError **error)
{
  g_autoptr (FoveaModel) cells = base && trainer->settings.task == FOVEA_TASK_DETECT ? detector_open (base) : NULL;
  const char            *wrong = !base                 ? "Nothing of a base can be kept without a base. Give one, or keep nothing."
                                 : trainer->on_features ? "Where only a new last layer learns, all of the base is kept. Train more layers, or keep no share."
                                 : learns_norms (trainer)
                                     ? "Batch normalizations that learn can't be mixed with the base's. Freeze them, or keep no share of the base." : NULL;

  if (wrong)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, wrong);
  else
    trainer->keep = keep_base_new (cells ? cells : base, trainer->settings.keep_base, (const char *const *) trainer->input->labels,
                                   (const char *const *) trainer->dataset->classes, cells ? G_MAXUINT : 1);
  return !wrong;
}

static gboolean
make_teacher (FoveaTrainer *trainer, GError **error)
{
  LoaderSettings plain = trainer_loader_settings (trainer, FALSE);

  if (trainer->settings.task != FOVEA_TASK_CLASSIFY || trainer->settings.trainable == FOVEA_TRAIN_HEAD)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "A teacher teaches classifiers that learn as a whole. Train all layers, or without a teacher.");
  else if (trainer->settings.distill > 0.0)
    trainer->teacher = teacher_new_answers (trainer->settings.teacher, &plain, error);
  else
    trainer->teacher = teacher_new (trainer->settings.teacher, &plain, (const guint *) (gpointer) trainer->train->data, trainer->train->len, NULL, error);
  trainer->settings.teacher = NULL; /* the caller's */
  return trainer->teacher != NULL;
}

static gboolean
check_loss (const FoveaTrainer *trainer, GError **error)
{
  FoveaLoss   loss = trainer->settings.loss;
  FoveaTask   task = trainer->settings.task;
  gboolean    is_mask = task == FOVEA_TASK_SEGMENT && trainer->dataset->n_classes == 1;
  gboolean    is_focal = task == FOVEA_TASK_CLASSIFY ? !trainer->dataset->exclusive : is_mask;
  const char *wrong = (loss == FOVEA_LOSS_CIOU || loss == FOVEA_LOSS_SMOOTH_L1) && task != FOVEA_TASK_DETECT ? "That loss is for boxes. Choose another one."
                      : loss == FOVEA_LOSS_LOVASZ && task != FOVEA_TASK_SEGMENT ? "The Lovász loss is for masks. Choose another one."
                      : loss == FOVEA_LOSS_L1 && !is_mask ? "The L1 loss is for masks of one class. Choose another one."
                      : loss == FOVEA_LOSS_FOCAL && !is_focal ? "The focal loss is for several tags a photo, and for masks of one class. Choose another one." : NULL;

  if (wrong)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, wrong);
  return !wrong;
}

static guint
count_least_epochs (const FoveaTrainer *trainer)
{
  guint steps = MAX (trainer->train->len / trainer->settings.batch, 1);

  return trainer->settings.minutes > 0.0 ? 0 : (trainer->settings.least_steps + steps - 1) / steps;
}

static gboolean
prepare (FoveaTrainer *trainer, FoveaModel *base, const char *architecture, const char *data, GError **error)
{
  DatasetSettings choice = { .tags = trainer->settings.tags, .validation_share = trainer->settings.validation_share, .seed = trainer->settings.seed,
                             .backgrounds = trainer->settings.backgrounds };
  LessonSettings  lesson;
  LoaderSettings  loader;

  trainer->input = make_input (&trainer->settings, base, error);
  trainer->dataset = trainer->input ? dataset_load (data, trainer->settings.task, &choice, error) : NULL;
  if (!trainer->dataset || !check_loss (trainer, error))
    return FALSE;
  for (guint i = 0; i < trainer->dataset->warnings->len; i++)
    g_ptr_array_add (trainer->warnings, g_strdup (g_ptr_array_index (trainer->dataset->warnings, i)));
  trainer->train = dataset_list (trainer->dataset, SPLIT_TRAIN);
  trainer->val = dataset_list (trainer->dataset, SPLIT_VAL);
  choose_monitor (trainer);
  trainer->settings.epochs = MAX (trainer->settings.epochs, count_least_epochs (trainer));
  if (trainer->settings.teacher && !make_teacher (trainer, error))
    return FALSE;
  trainer->model = make_model (trainer, base, architecture, error);
  if (!trainer->model || !make_learner (trainer, base, error))
    return FALSE;
  if (trainer->settings.keep_base > 0.0 && !make_keep (trainer, base, error))
    return FALSE;
  trainer_set_labels (trainer->input, trainer->dataset);
  lesson = (LessonSettings) { .loss = trainer->settings.loss, .smoothing = trainer->settings.smoothing, .distill = trainer->settings.distill, .temperature = trainer->settings.temperature,
                              .class_weights = trainer->settings.balance && trainer->settings.balance_by_weight ? trainer_weigh_classes (trainer) : NULL };
  trainer->lesson = lesson_new (trainer->dataset, trainer->settings.batch, trainer->input->width, &lesson);
  loader = trainer_loader_settings (trainer, TRUE);
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
  g_mutex_init (&trainer->mutex);
  g_cond_init (&trainer->changed);
  trainer->settings = *settings;
  trainer->settings.checkpoint = g_strdup (settings->checkpoint);
  trainer->settings.tags = g_strdup (settings->tags);
  trainer->read = read;
  trainer->read_data = read_data;
  trainer->warnings = g_ptr_array_new_with_free_func (g_free);
  trainer->base_name = base ? g_strdup (fovea_model_get_name (base)) : NULL;
  trainer->base_licence = base ? fovea_model_get_licence (base) : NULL;
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
  keep_base_free (trainer->keep);
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
  g_clear_pointer (&trainer->best, fovea_model_unref);
  g_mutex_clear (&trainer->mutex);
  g_cond_clear (&trainer->changed);
  g_free (trainer->head);
  g_free (trainer->base_name);
  g_free (trainer->base_licence);
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

guint
fovea_trainer_count_photos (const FoveaTrainer *trainer)
{
  return trainer->train->len + trainer->monitor->len + trainer->val->len;
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
