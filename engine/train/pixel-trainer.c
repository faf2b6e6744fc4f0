/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer.c: FoveaPixelTrainer: see fovea.h. Photos are looked at once; a run is a course (pixel-course.h) of the head on all that is painted, and where it
 * is to be judged meanwhile one of another head, in step with it, without a part of that.
 */

#include "train/pixel-course.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/half-weights.h"
#include "train/learner.h"
#include "train/pixel-near.h"
#include "train/random.h"
#include "vision/sidecar.h"

#define MOST_SAMPLES   4000 /* of a class in a photo */
#define MOST_CLASSES   200
#define N_SCORES       20   /* of a run that is judged meanwhile, */
#define JUDGED_MEANWHILE 2000 /* … by so many cells at most */
#define MEASURED_CELLS 3000 /* of a photo, for means and deviations */
#define JUDGED         ".judged" /* beside a checkpoint */
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
  trainer->loss = trainer->score = -1;
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
  g_clear_pointer (&trainer->near, pixel_near_free);
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
  g_clear_pointer (&trainer->near, pixel_near_free);
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

/* What the head that learns without a part of the strokes makes of some of these now. */
static gboolean
judge_beside (FoveaPixelTrainer *trainer, PixelCourse *beside, const PixelFold *fold, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel)      head = pixel_course_make_head (beside, error);
  g_autoptr (FoveaPixelScore) score = head ? pixel_score_fold (trainer, head, fold, JUDGED_MEANWHILE, cancellable, error) : NULL;

  if (score)
    trainer->score = score->enough ? score->accuracy : NAN;
  return score != NULL;
}

/* The other course lies beside the checkpoint, and is written first: with it stands what is to go on. */
static gboolean
save_courses (const char *checkpoint, const PixelCourse *course, const PixelCourse *beside, GError **error)
{
  g_autofree char *path = g_strconcat (checkpoint, JUDGED, NULL);

  return (!beside || pixel_course_save (beside, path, error)) && pixel_course_save (course, checkpoint, error);
}

/* Back to where an interrupted run stood. *beside goes where the two don't belong together: the score is for those who watch, no more. */
static gboolean
load_courses (FoveaPixelTrainer *trainer, const char *checkpoint, PixelCourse *course, PixelCourse **beside, GError **error)
{
  g_autofree char *path = NULL;

  if (!checkpoint || !g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!pixel_course_load (course, checkpoint, error))
    return FALSE;
  path = g_strconcat (checkpoint, JUDGED, NULL);
  if (*beside && (!pixel_course_load (*beside, path, NULL) || pixel_course_get_step (*beside) != pixel_course_get_step (course)))
    {
      g_clear_pointer (beside, pixel_course_free);
      trainer->score = -1;
    }
  return TRUE;
}

static gboolean
take_steps (FoveaPixelTrainer *trainer, const char *checkpoint, PixelCourse *course, PixelCourse *beside, const PixelFold *fold, GCancellable *cancellable,
            FoveaProgress progress, gpointer user_data, GError **error)
{
  guint  n_steps = pixel_course_count (course), score_after = MAX (n_steps / N_SCORES, 1);
  gint64 saved = g_get_monotonic_time ();

  for (guint step = pixel_course_get_step (course); step < n_steps; step++)
    {
      if (!pixel_course_step (course, cancellable, error) || (beside && !pixel_course_step (beside, cancellable, error)))
        return FALSE;
      trainer->loss = pixel_course_get_loss (course);
      if (beside && (step + 1) % score_after == 0 && !judge_beside (trainer, beside, fold, cancellable, error))
        return FALSE;
      if (checkpoint && learner_is_save_due (&saved) && !save_courses (checkpoint, course, beside, error))
        return FALSE;
      if (progress)
        progress ((step + 1.0) / n_steps, user_data);
    }
  return TRUE;
}

/* The head that learns without a part of the strokes; NULL where there is none, or with an error. */
static PixelCourse *
begin_beside (FoveaPixelTrainer *trainer, guint n_steps, PixelFold *fold, GError **error)
{
  g_autoptr (FoveaModel) fresh = NULL;

  trainer->score = -1;
  if (trainer->settings.judged_steps == 0 || n_steps < trainer->settings.judged_steps)
    return NULL;
  trainer->score = NAN;
  if (!pixel_score_choose_folds (trainer, fold))
    return NULL;
  fresh = pixel_head_new (trainer->features->n_features, (guint) trainer->input->n_labels, trainer->settings.seed, error);
  return fresh ? pixel_course_new (trainer, fresh, fold, n_steps, trainer->settings.seed, error) : NULL;
}

/* *learned gets the head as it is then, also where this is FALSE with an error. */
static gboolean
learn (FoveaPixelTrainer *trainer, guint n_steps, const char *checkpoint, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
       FoveaModel **learned, GError **error)
{
  g_autoptr (PixelCourse) course = pixel_course_new (trainer, trainer->head, NULL, n_steps, trainer->settings.seed + trainer->n_runs, error), beside = NULL;
  PixelFold               fold;
  GError                 *local = NULL;
  gboolean                done;

  if (!course)
    return FALSE;
  beside = begin_beside (trainer, n_steps, &fold, &local);
  trainer->course = course;
  done = !local && load_courses (trainer, checkpoint, course, &beside, &local)
         && take_steps (trainer, checkpoint, course, beside, &fold, cancellable, progress, user_data, &local);
  trainer->course = NULL;
  *learned = pixel_course_make_head (course, local ? NULL : &local);
  if (local)
    g_propagate_error (error, local);
  return done && *learned;
}

gboolean
fovea_pixel_trainer_run (FoveaPixelTrainer *trainer, const char *checkpoint, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  gboolean    first = !trainer->head || (trainer->n_runs == 0 && !trainer->before), done;
  guint       n_steps = first ? trainer->settings.first_steps : trainer->settings.more_steps;
  FoveaModel *learned = NULL;
  PixelNear  *near = NULL;

  if (!check_painted (trainer, error) || !pixel_trainer_begin (trainer, cancellable, error))
    return FALSE;
  done = learn (trainer, n_steps, checkpoint, cancellable, progress, user_data, &learned, error);
  g_clear_pointer (&trainer->answer, fovea_session_free);
  if (learned)
    {
      fovea_model_unref (trainer->head);
      trainer->head = learned;
      trainer->n_runs++;
      trainer->n_steps += n_steps;
    }
  if (done && pixel_trainer_count_painted (trainer) == 1)
    done = (near = pixel_near_new (trainer, cancellable, error)) != NULL;
  g_clear_pointer (&trainer->near, pixel_near_free);
  trainer->near = near;
  return done;
}

gboolean
fovea_pixel_trainer_has_run (const FoveaPixelTrainer *trainer)
{
  return trainer->n_runs > 0;
}

double
fovea_pixel_trainer_get_loss (const FoveaPixelTrainer *trainer)
{
  return trainer->loss;
}

double
fovea_pixel_trainer_get_score (const FoveaPixelTrainer *trainer)
{
  return trainer->score;
}

/* ---- answering --------------------------------------------------------------------------------------------------------------------------- */

FoveaModel *
pixel_trainer_take_head (const FoveaPixelTrainer *trainer, GError **error)
{
  if (trainer->course)
    return pixel_course_make_head (trainer->course, error);
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

  if (trainer->answer && trainer->answer_has_places == places && !trainer->course)
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
  gboolean    alone = photo && photo->samples->len > 0 && pixel_trainer_count_painted (trainer) == 1;
  MaskStack  *stack;
  float      *logits;

  if (!photo || !make_answer (trainer, alone, error))
    return NULL;
  for (guint i = 0; i < trainer->features->n; i++)
    {
      FoveaTensor *in = fovea_session_get_input (trainer->answer, i);

      memcpy (in->data, photo->maps[i], in->size);
    }
  if (!fovea_session_run (trainer->answer, cancellable, NULL, NULL, error))
    return NULL;
  logits = fovea_session_get_output (trainer->answer, 0)->data;
  if (alone && trainer->near && !pixel_near_add (trainer->near, photo->maps, logits, cancellable, error))
    return NULL;
  stack = make_stack (trainer, photo, logits, error);
  return stack ? masks_new (photo->width, photo->height, stack, trainer->input, photo->guide, photo->guide_width, photo->guide_height, trainer->settings.n_threads) : NULL;
}
