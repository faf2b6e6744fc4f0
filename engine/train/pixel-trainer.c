/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer.c: FoveaPixelTrainer: see fovea.h. Photos are looked at once; a run draws batches of painted cells, the classes equally often, and moves the
 * head. In each batch some cells see only a part of their features: a head that leans on the colours of one photo alone would fail on the next.
 */

#include "train/pixel-trainer.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/half-weights.h"
#include "train/loss.h"
#include "train/random.h"
#include "train/schedule.h"
#include "vision/sidecar.h"

#define BATCH          256
#define MOST_SAMPLES   4000 /* of a class in a photo */
#define MOST_CLASSES   200
#define SMOOTHING      0.05
#define LOSS_SHARE     0.1  /* of a step in the moving mean */
#define WEIGHT_DECAY   0.02
#define MEASURED_CELLS 3000 /* of a photo, for means and deviations */
#define HIDE_COLOUR    0.35 /* share of the cells that see general features only */
#define HIDE_GENERAL   0.10 /* … that see colour and fine maps only */
#define HIDE_PLACES    0.35 /* … that don't see where in the photo they are: the head is for others, too */
#define UNTRAINED      "tiny" /* architecture of a base that has seen nothing: its layers are random filters, beside plain colour and place */

void
fovea_pixel_settings_init (FoveaPixelSettings *settings)
{
  *settings = (FoveaPixelSettings) { .seed = 1, .first_steps = 200, .more_steps = 80, .learning_rate = 0.01, .memory = (guint64) 1 << 30 };
}

/* ---- making ------------------------------------------------------------------------------------------------------------------------------ */

static gboolean
check_classes (const char *const *classes, GError **error)
{
  guint n = classes ? g_strv_length ((char **) classes) : 0;

  if (n < 2 || n > MOST_CLASSES)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, n < 2 ? _("Training on pixels needs two classes at least, such as Background and Object. Add one.")
                   : _("Training on pixels takes at most %d classes. Join some of them."), MOST_CLASSES);
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < i; k++)
      if (strcmp (classes[i], classes[k]) == 0)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There are two classes “%s”. Rename one, or join them."), classes[i]);
          return FALSE;
        }
  return TRUE;
}

static gboolean
make_input (FoveaPixelTrainer *trainer, FoveaModel *base, int side, GError **error)
{
  FoveaSettings *input = fovea_settings_read (base, error);

  if (!input)
    return FALSE;
  if (input->channels != 3 || input->nhwc)
    {
      fovea_settings_free (input);
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("“%s” doesn't take RGB photos in planes, so that pixels can't be learned on it. Choose another base model."),
                   fovea_model_get_name (base));
      return FALSE;
    }
  input->width = input->height = side;
  input->resize = FOVEA_RESIZE_STRETCH;
  input->filter = FOVEA_FILTER_BILINEAR;
  input->task = FOVEA_TASK_SEGMENT;
  input->activation = FOVEA_ACTIVATION_SOFTMAX;
  g_free (input->family);
  input->family = g_strdup ("semantic");
  trainer->input = input;
  return TRUE;
}

static gboolean
make_features (FoveaPixelTrainer *trainer, FoveaModel *base, int side, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { 1, 3, side, side } };

  if (trainer->before)
    trainer->features = pixel_features_find (base, side, error);
  else
    trainer->features = pixel_features_new (base, side, error);
  if (!trainer->features)
    return FALSE;
  fovea_session_options_set_threads (options, trainer->settings.n_threads);
  fovea_session_options_set_shape (options, fovea_model_get_input (trainer->features->model, 0)->name, &shape);
  trainer->session = fovea_session_new (trainer->features->model, options, error);
  return trainer->session != NULL;
}

static float *
read_numbers (JsonObject *object, const char *name, gsize n)
{
  JsonNode  *node = json_object_get_member (object, name);
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  float     *numbers;

  if (!array || json_array_get_length (array) != n)
    return NULL;
  numbers = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) json_array_get_double_element (array, (guint) i);
  return numbers;
}

/* Classes that are there already keep their rows of the last layer. */
static FoveaModel *
keep_classes (FoveaModel *head, char *const *old, const char *const *classes, GError **error)
{
  guint           n = g_strv_length ((char **) classes);
  g_autofree int *rows = g_new (int, n);

  for (guint i = 0; i < n; i++)
    {
      rows[i] = -1;
      for (int k = 0; old && old[k]; k++)
        if (strcmp (old[k], classes[i]) == 0)
          rows[i] = k;
    }
  return pixel_head_change_classes (head, rows, n, error);
}

/* What the model knew that training goes on from. */
static gboolean
take_head (FoveaPixelTrainer *trainer, const char *const *classes, GError **error)
{
  const char            *text = fovea_model_get_metadata (trainer->before, PIXEL_METADATA);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode              *root = text && json_parser_load_from_data (parser, text, -1, NULL) ? json_parser_get_root (parser) : NULL;
  PixelScale             scale;
  g_autoptr (FoveaModel) head = NULL;

  if (root && JSON_NODE_HOLDS_OBJECT (root))
    {
      trainer->mean = read_numbers (json_node_get_object (root), "mean", trainer->features->n_features);
      trainer->scale = read_numbers (json_node_get_object (root), "scale", trainer->features->n_features);
    }
  for (gsize k = 0; trainer->scale && k < trainer->features->n_features; k++)
    if (!(trainer->scale[k] > 0.0f))
      g_clear_pointer (&trainer->scale, g_free);
  if (!trainer->mean || !trainer->scale)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("“%s” was changed after its training, so that it can't go on. Train a new model."),
                   fovea_model_get_name (trainer->before));
      return FALSE;
    }
  scale = (PixelScale) { trainer->mean, trainer->scale };
  head = pixel_head_find (trainer->features, trainer->before, &scale, error);
  trainer->head = head ? keep_classes (head, trainer->input->labels, classes, error) : NULL;
  return trainer->head != NULL;
}

static void
set_labels (FoveaSettings *input, const char *const *classes)
{
  g_strfreev (input->labels);
  input->labels = g_strdupv ((char **) classes);
  input->n_labels = g_strv_length (input->labels);
}

static gboolean
prepare (FoveaPixelTrainer *trainer, FoveaModel *base, const char *const *classes, int longest, GError **error)
{
  g_autoptr (FoveaModel) wide = model_widen (base, error);
  int                    side = pixel_features_choose_side (longest);

  if (!wide)
    return FALSE;
  if (fovea_model_get_metadata (base, PIXEL_METADATA))
    {
      g_autoptr (FoveaSettings) own = fovea_settings_read (base, error);

      if (!own)
        return FALSE;
      side = own->width;
      trainer->before = fovea_model_ref (wide);
    }
  return make_input (trainer, base, side, error) && make_features (trainer, wide, side, error) && (!trainer->before || take_head (trainer, classes, error));
}

FoveaPixelTrainer *
fovea_pixel_trainer_new (FoveaModel *base, const char *const *classes, int longest, const FoveaPixelSettings *settings, GError **error)
{
  g_autoptr (FoveaPixelTrainer) trainer = g_new0 (FoveaPixelTrainer, 1);
  g_autoptr (FoveaModel)        untrained = NULL;

  trainer->photos = g_ptr_array_new ();
  trainer->loss = -1;
  trainer->base_name = base ? g_strdup (fovea_model_get_name (base)) : NULL;
  trainer->base_licence = base ? fovea_model_get_licence (base) : NULL;
  if (settings)
    trainer->settings = *settings;
  else
    fovea_pixel_settings_init (&trainer->settings);
  if (!check_classes (classes, error) || (!base && !(untrained = fovea_model_new_untrained (UNTRAINED, 3, 2, trainer->settings.seed, error)))
      || !prepare (trainer, base ? base : untrained, classes, longest, error))
    return NULL;
  set_labels (trainer->input, classes);
  return g_steal_pointer (&trainer);
}

void
fovea_pixel_trainer_free (FoveaPixelTrainer *trainer)
{
  if (!trainer)
    return;
  for (guint i = 0; i < trainer->photos->len; i++)
    {
      pixel_photo_forget (g_ptr_array_index (trainer->photos, i), trainer->features);
      pixel_photo_free (g_ptr_array_index (trainer->photos, i));
    }
  g_ptr_array_unref (trainer->photos);
  g_clear_pointer (&trainer->session, fovea_session_free);
  g_clear_pointer (&trainer->answer, fovea_session_free);
  g_clear_pointer (&trainer->head, fovea_model_unref);
  g_clear_pointer (&trainer->before, fovea_model_unref);
  pixel_features_free (trainer->features);
  fovea_settings_free (trainer->input);
  g_free (trainer->mean);
  g_free (trainer->scale);
  g_free (trainer->base_name);
  g_free (trainer->base_licence);
  g_free (trainer);
}

gboolean
fovea_pixel_trainer_set_classes (FoveaPixelTrainer *trainer, const char *const *classes, GError **error)
{
  FoveaModel *head = NULL;

  if (!check_classes (classes, error) || (trainer->head && !(head = keep_classes (trainer->head, trainer->input->labels, classes, error))))
    return FALSE;
  for (guint i = 0; i < trainer->photos->len; i++)
    if (!pixel_photo_paint (g_ptr_array_index (trainer->photos, i), trainer->features, NULL, 0, 0, error))
      {
        g_clear_pointer (&head, fovea_model_unref);
        return FALSE;
      }
  g_clear_pointer (&trainer->answer, fovea_session_free);
  g_clear_pointer (&trainer->head, fovea_model_unref);
  trainer->head = head;
  set_labels (trainer->input, classes);
  return TRUE;
}

/* ---- photos ------------------------------------------------------------------------------------------------------------------------------ */

int
fovea_pixel_trainer_get_grid (const FoveaPixelTrainer *trainer)
{
  return trainer->features->grid;
}

/* Keeps the maps within bounds: those of other photos go first. */
static void
forget_others (FoveaPixelTrainer *trainer, const PixelPhoto *kept)
{
  guint64 size = 0, each = 0;

  for (guint i = 0; i < trainer->features->n; i++)
    each += (guint64) trainer->features->taps[i].channels * (guint64) trainer->features->taps[i].size * (guint64) trainer->features->taps[i].size * sizeof (float);
  for (guint i = trainer->photos->len; i-- > 0;)
    {
      PixelPhoto *photo = g_ptr_array_index (trainer->photos, i);

      if (photo->maps)
        size += each;
      if (photo != kept && size > trainer->settings.memory)
        pixel_photo_forget (photo, trainer->features);
    }
}

static PixelPhoto *
see_photo (FoveaPixelTrainer *trainer, int index, GCancellable *cancellable, GError **error)
{
  PixelPhoto *photo;

  if (index < 0 || (guint) index >= trainer->photos->len)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "There is no photo %d in this training. Add it first.", index);
      return NULL;
    }
  photo = g_ptr_array_index (trainer->photos, index);
  if (!pixel_photo_see (photo, trainer->features, trainer->session, cancellable, error))
    return NULL;
  forget_others (trainer, photo);
  return photo;
}

int
fovea_pixel_trainer_add_photo (FoveaPixelTrainer *trainer, const FoveaPhoto *photo, GCancellable *cancellable, GError **error)
{
  PixelPhoto *seen = pixel_photo_new (trainer->features, trainer->input, photo, trainer->session, cancellable, error);

  if (!seen)
    return -1;
  g_ptr_array_add (trainer->photos, seen);
  forget_others (trainer, seen);
  return (int) trainer->photos->len - 1;
}

gboolean
fovea_pixel_trainer_set_labels (FoveaPixelTrainer *trainer, int index, const guint8 *labels, GError **error)
{
  PixelPhoto *photo = see_photo (trainer, index, NULL, error);
  gsize       n = (gsize) trainer->features->grid * (gsize) trainer->features->grid;

  for (gsize i = 0; photo && i < n; i++)
    if (labels[i] != FOVEA_PIXEL_UNKNOWN && labels[i] >= trainer->input->n_labels)
      {
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "A pixel is labelled as class %d, and there are %d. Label it as one of them.", labels[i],
                     (int) trainer->input->n_labels);
        return FALSE;
      }
  return photo && pixel_photo_paint (photo, trainer->features, labels, MOST_SAMPLES, trainer->settings.seed, error);
}

gsize
fovea_pixel_trainer_count (const FoveaPixelTrainer *trainer, guint index)
{
  gsize n = (gsize) trainer->features->grid * (gsize) trainer->features->grid, count = 0;

  for (guint i = 0; i < trainer->photos->len; i++)
    for (gsize k = 0; k < n; k++)
      count += ((PixelPhoto *) g_ptr_array_index (trainer->photos, i))->labels[k] == index;
  return count;
}

/* ---- learning ---------------------------------------------------------------------------------------------------------------------------- */

/* Means and deviations of the features over whole photos. */
static gboolean
measure (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error)
{
  gsize              n = trainer->features->n_features, n_seen = 0;
  guint64            n_cells = (guint64) trainer->features->grid * (guint64) trainer->features->grid;
  g_autofree double *sums = g_new0 (double, 2 * n);
  g_autofree float  *row = g_new (float, n);
  Random             random = random_stream (trainer->settings.seed, 0x3ea5, 0);

  for (guint i = 0; i < trainer->photos->len; i++)
    {
      PixelPhoto *photo = see_photo (trainer, (int) i, cancellable, error);

      if (!photo)
        return FALSE;
      for (guint k = 0; k < MAX (MEASURED_CELLS / trainer->photos->len, 100); k++, n_seen++)
        {
          int cell = (int) random_below (&random, n_cells);

          pixel_features_read (trainer->features, (const float *const *) photo->maps, cell % trainer->features->grid, cell / trainer->features->grid, row);
          for (gsize c = 0; c < n; c++)
            {
              sums[c] += row[c];
              sums[n + c] += (double) row[c] * row[c];
            }
        }
    }
  trainer->mean = g_new (float, n);
  trainer->scale = g_new (float, n);
  for (gsize c = 0; c < n; c++)
    {
      double mean = sums[c] / (double) MAX (n_seen, 1), variance = sums[n + c] / (double) MAX (n_seen, 1) - mean * mean;

      trainer->mean[c] = (float) mean;
      trainer->scale[c] = (float) (1.0 / sqrt (MAX (variance, 0.0) + 1e-3));
    }
  for (guint t = 0, c = 0; t < trainer->features->n; t++)
    for (gint64 k = 0; k < trainer->features->taps[t].channels; k++)
      trainer->scale[c++] *= trainer->features->taps[t].emphasis;
  return TRUE;
}

gboolean
pixel_trainer_begin (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error)
{
  if (!trainer->mean && !measure (trainer, cancellable, error))
    return FALSE;
  if (!trainer->head)
    trainer->head = pixel_head_new (trainer->features->n_features, (guint) trainer->input->n_labels, trainer->settings.seed, error);
  return trainer->head != NULL;
}

gboolean
pixel_fold_holds (const PixelFold *fold, guint photo, const PixelSample *sample)
{
  return fold && fold->n_folds > 0 && (fold->by_photo ? photo : sample->stroke) % fold->n_folds == fold->fold;
}

/* The samples of each class: pointers to their features. */
typedef struct
{
  GPtrArray **features; /* n_classes of float* */
  guint       n_classes;
  guint      *filled;   /* n_filled classes that have some */
  guint       n_filled;
  gboolean    places;   /* where in the photo a cell lies says something, as all lie in one */
} Pools;

static guint
count_painted (const FoveaPixelTrainer *trainer)
{
  guint n = 0;

  for (guint i = 0; i < trainer->photos->len; i++)
    n += ((PixelPhoto *) g_ptr_array_index (trainer->photos, i))->samples->len > 0;
  return n;
}

static void
gather (const FoveaPixelTrainer *trainer, const PixelFold *fold, Pools *pools)
{
  pools->n_classes = (guint) trainer->input->n_labels;
  pools->features = g_new (GPtrArray *, pools->n_classes);
  pools->filled = g_new (guint, pools->n_classes);
  pools->n_filled = 0;
  for (guint c = 0; c < pools->n_classes; c++)
    pools->features[c] = g_ptr_array_new ();
  for (guint i = 0; i < trainer->photos->len; i++)
    {
      const PixelPhoto *photo = g_ptr_array_index (trainer->photos, i);

      for (guint k = 0; k < photo->samples->len; k++)
        {
          const PixelSample *sample = &g_array_index (photo->samples, PixelSample, k);

          if (!pixel_fold_holds (fold, i, sample))
            g_ptr_array_add (pools->features[sample->label], photo->features + k * trainer->features->n_features);
        }
    }
  pools->places = count_painted (trainer) == 1;
  for (guint c = 0; c < pools->n_classes; c++)
    if (pools->features[c]->len > 0)
      pools->filled[pools->n_filled++] = c;
}

static void
clear_pools (Pools *pools)
{
  for (guint c = 0; c < pools->n_classes; c++)
    g_ptr_array_unref (pools->features[c]);
  g_free (pools->features);
  g_free (pools->filled);
}

typedef struct
{
  float  *targets; /* (BATCH, classes) */
  double *loss;    /* a moving mean; negative: none yet */
} Lesson;

static void
lose (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data)
{
  const Lesson *lesson = user_data;
  double        loss;

  loss = loss_softmax (outputs[0].data, lesson->targets, NULL, (gsize) outputs[0].shape.dims[0], (gsize) outputs[0].shape.dims[1], 1, SMOOTHING, gradients[0].data);
  *lesson->loss = *lesson->loss < 0 ? loss : *lesson->loss + LOSS_SHARE * (loss - *lesson->loss);
}

static void
fill_batch (const FoveaPixelTrainer *trainer, const Pools *pools, Random *random, float *input, float *targets)
{
  const PixelFeatures *features = trainer->features;

  memset (targets, 0, (gsize) BATCH * pools->n_classes * sizeof (float));
  for (guint i = 0; i < BATCH; i++, targets += pools->n_classes)
    {
      guint        label = pools->filled[random_below (random, pools->n_filled)];
      const float *from = g_ptr_array_index (pools->features[label], random_below (random, pools->features[label]->len));
      double       chance = random_between (random, 0.0, 1.0);
      gsize        at = 0;

      targets[label] = 1.0f;
      for (guint t = 0; t < features->n; t++)
        {
          gboolean hidden = features->taps[t].general ? chance >= 1.0 - HIDE_GENERAL : chance < HIDE_COLOUR;

          for (gint64 c = 0; c < features->taps[t].channels; c++, at++)
            *input++ = hidden ? 0.0f : (from[at] - trainer->mean[at]) * trainer->scale[at];
        }
      chance = pools->places ? random_between (random, 0.0, 1.0) : 0.0;
      for (; at < features->n_features; at++)
        *input++ = chance < HIDE_PLACES ? 0.0f : (from[at] - trainer->mean[at]) * trainer->scale[at];
    }
}

static Learner *
new_learner (const FoveaPixelTrainer *trainer, FoveaModel *head, GError **error)
{
  const FoveaShape shape = { .n_dims = 2, .dims = { BATCH, (gint64) trainer->features->n_features } };
  LearnerSettings  settings = { .n_threads = trainer->settings.n_threads, .seed = trainer->settings.seed, .momentum = 0.1 };

  settings.optimizer = (OptimizerSettings) { .kind = FOVEA_OPTIMIZER_ADAMW, .momentum = 0.9, .second = 0.999, .weight_decay = WEIGHT_DECAY, .clip = 5.0, .average = 0.95 };
  return learner_new (head, &shape, &settings, error);
}

static gboolean
take_steps (FoveaPixelTrainer *trainer, Learner *learner, const Pools *pools, guint n_steps, guint64 seed, GCancellable *cancellable, FoveaProgress progress,
            gpointer user_data, GError **error)
{
  g_autofree float *targets = g_new (float, (gsize) BATCH * pools->n_classes);
  Random            random = random_stream (seed, 0xba7c, 0);
  double            loss = -1;
  Lesson            lesson = { targets, trainer->learner == learner ? &trainer->loss : &loss };
  gboolean          finite = TRUE;

  *lesson.loss = -1;
  for (guint step = 0; step < n_steps; step++)
    {
      double rate = trainer->settings.learning_rate * schedule_rate (FOVEA_SCHEDULE_COSINE, (double) step / n_steps, 0.1);

      fill_batch (trainer, pools, &random, learner_get_input (learner), targets);
      if (g_cancellable_set_error_if_cancelled (cancellable, error) || !learner_step (learner, lose, &lesson, rate, NULL, &finite, cancellable, error))
        return FALSE;
      if (progress)
        progress ((step + 1.0) / n_steps, user_data);
    }
  return TRUE;
}

FoveaModel *
pixel_trainer_learn (FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, guint64 seed, GCancellable *cancellable,
                     FoveaProgress progress, gpointer user_data, FoveaModel **reached, GError **error)
{
  Learner    *learner = new_learner (trainer, head, error);
  Pools       pools;
  FoveaModel *learned = NULL;

  if (!learner)
    return NULL;
  gather (trainer, fold, &pools);
  trainer->learner = fold ? NULL : learner;
  if (take_steps (trainer, learner, &pools, n_steps, seed, cancellable, progress, user_data, error))
    learned = learner_make_model (learner, error);
  else if (reached)
    *reached = learner_make_model (learner, NULL);
  clear_pools (&pools);
  trainer->learner = NULL;
  learner_free (learner);
  return learned;
}

static gboolean
check_painted (const FoveaPixelTrainer *trainer, GError **error)
{
  g_autoptr (GString) missing = g_string_new (NULL);
  guint               n_painted = 0;

  for (guint c = 0; c < trainer->input->n_labels; c++)
    {
      gsize n = 0;

      for (guint i = 0; i < trainer->photos->len && n == 0; i++)
        {
          const GArray *samples = ((PixelPhoto *) g_ptr_array_index (trainer->photos, i))->samples;

          for (guint k = 0; k < samples->len && n == 0; k++)
            n += g_array_index (samples, PixelSample, k).label == c;
        }
      if (n > 0)
        n_painted++;
      else
        g_string_append_printf (missing, "%s“%s”", missing->len ? ", " : "", trainer->input->labels[c]);
    }
  if (n_painted < 2)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, n_painted == 0 ? _("Nothing is painted yet. Paint a stroke on the layers of two classes at least: %s.")
                 : _("Only one class is painted. Paint a stroke of another one too: %s."), missing->str);
  return n_painted >= 2;
}

gboolean
fovea_pixel_trainer_run (FoveaPixelTrainer *trainer, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  gboolean    first = !trainer->head || (trainer->n_runs == 0 && !trainer->before);
  guint       n_steps = first ? trainer->settings.first_steps : trainer->settings.more_steps;
  FoveaModel *reached = NULL, *learned;

  if (!check_painted (trainer, error) || !pixel_trainer_begin (trainer, cancellable, error))
    return FALSE;
  learned = pixel_trainer_learn (trainer, trainer->head, NULL, n_steps, trainer->settings.seed + trainer->n_runs, cancellable, progress, user_data, &reached, error);
  if (learned || reached)
    {
      g_clear_pointer (&trainer->answer, fovea_session_free);
      fovea_model_unref (trainer->head);
      trainer->head = learned ? fovea_model_ref (learned) : fovea_model_ref (reached);
      trainer->n_runs++;
      trainer->n_steps += n_steps;
    }
  g_clear_pointer (&reached, fovea_model_unref);
  if (!learned)
    return FALSE;
  fovea_model_unref (learned);
  return TRUE;
}

double
fovea_pixel_trainer_get_loss (const FoveaPixelTrainer *trainer)
{
  return trainer->loss;
}

/* ---- answering --------------------------------------------------------------------------------------------------------------------------- */

FoveaModel *
pixel_trainer_take_head (const FoveaPixelTrainer *trainer, GError **error)
{
  if (trainer->learner)
    return learner_make_model (trainer->learner, error);
  if (trainer->head)
    return fovea_model_ref (trainer->head);
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Nothing is learned yet. Train first."));
  return NULL;
}

static gboolean
make_answer (FoveaPixelTrainer *trainer, gboolean places, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const PixelScale                scale = { trainer->mean, trainer->scale };
  g_autoptr (FoveaModel)          head = NULL, model = NULL;

  if (trainer->answer && trainer->answer_has_places == places)
    return TRUE;
  g_clear_pointer (&trainer->answer, fovea_session_free);
  head = pixel_trainer_take_head (trainer, error);
  model = head ? pixel_head_join (trainer->features, head, &scale, places ? PIXEL_JOIN_PLACES : PIXEL_JOIN_MAPS, error) : NULL;
  if (!model)
    return FALSE;
  fovea_session_options_set_threads (options, trainer->settings.n_threads);
  trainer->answer = fovea_session_new (model, options, error);
  trainer->answer_has_places = places;
  return trainer->answer != NULL;
}

/* Softmax over the classes; painted cells are certain. */
static MaskStack *
make_stack (const FoveaPixelTrainer *trainer, const PixelPhoto *photo, const float *logits, GError **error)
{
  MaskStack *stack = g_new0 (MaskStack, 1);
  gsize      n = (gsize) trainer->features->grid * (gsize) trainer->features->grid;

  stack->n = trainer->input->n_labels;
  stack->width = stack->height = trainer->features->grid;
  stack->classes = g_new (gsize, stack->n);
  stack->shares = memory_alloc_n (stack->n, n * sizeof (float), "the masks", error);
  for (gsize c = 0; c < stack->n; c++)
    stack->classes[c] = c;
  for (gsize i = 0; stack->shares && i < n; i++)
    {
      float greatest = logits[i], sum = 0.0f;

      for (gsize c = 1; c < stack->n; c++)
        greatest = MAX (greatest, logits[c * n + i]);
      for (gsize c = 0; c < stack->n; c++)
        sum += stack->shares[c * n + i] = expf (logits[c * n + i] - greatest);
      for (gsize c = 0; c < stack->n; c++)
        stack->shares[c * n + i] = photo->labels[i] == FOVEA_PIXEL_UNKNOWN ? stack->shares[c * n + i] / sum : photo->labels[i] == c;
    }
  if (!stack->shares)
    g_clear_pointer (&stack, mask_stack_free);
  return stack;
}

FoveaMasks *
fovea_pixel_trainer_look (FoveaPixelTrainer *trainer, int index, GCancellable *cancellable, GError **error)
{
  PixelPhoto *photo = see_photo (trainer, index, cancellable, error);
  MaskStack  *stack;

  if (!photo || !make_answer (trainer, photo->samples->len > 0 && count_painted (trainer) == 1, error))
    return NULL;
  for (guint i = 0; i < trainer->features->n; i++)
    {
      FoveaTensor *in = fovea_session_get_input (trainer->answer, i);

      memcpy (in->data, photo->maps[i], in->size);
    }
  if (!fovea_session_run (trainer->answer, cancellable, NULL, NULL, error))
    return NULL;
  stack = make_stack (trainer, photo, fovea_session_get_output (trainer->answer, 0)->data, error);
  return stack ? masks_new (photo->width, photo->height, stack, trainer->input, photo->guide, photo->guide_width, photo->guide_height, trainer->settings.n_threads) : NULL;
}
