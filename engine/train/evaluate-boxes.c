/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate-boxes.c: see evaluate-boxes.h.
 */

#include "train/evaluate-boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/session.h"
#include "train/evaluate.h"
#include "vision/nms.h"

#define N_OVERLAPS    10    /* 0.5, 0.55 … 0.95 */
#define LEAST_OVERLAP (0.5 - 1e-6)
#define N_RECALLS     101   /* 0, 0.01 … 1 */
#define LEAST_SCORE   0.01f
#define SURE_SCORE    0.25  /* from which on a box counts for its photo, where the model says nothing else */
#define MOST_BOXES    300   /* of a photo */
#define FEWEST_BOXES  10    /* a class with fewer doesn't enter the mean, unless all have fewer: its average precision means little */

/* A box that the network said. A bit for each overlap: it hit an object; or it lies in a crowd of its class. */
typedef struct
{
  float   score;
  guint16 hits, ignored;
} Answer;

typedef struct
{
  const LoaderSettings *settings;
  FoveaSession         *session;
  const char          **names;    /* of the outputs */
  FoveaTensor         **outputs;
  guint                 n_outputs;
  gint32               *class_of; /* of the network's label; -1: the data have none such */
  gsize                 n_labels;
  GArray              **answers;  /* (classes) of Answer */
  gsize                *n_truths; /* (classes) */
  gsize                *confusion; /* as FoveaEvaluation has it */
  GArray               *photos;   /* of FoveaPhotoScore */
  gsize                 n_photos;
} Judge;

/* ---- making ----------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
check_model (FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  if (decode_boxes_find (settings->family) && !settings->nhwc && settings->channels == 3 && fovea_model_get_n_inputs (model) == 1)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” isn't a detector that takes one photo in planes, so that its boxes can't be judged here. "
               "Choose another model.", fovea_model_get_name (model));
  return FALSE;
}

static gboolean
match_labels (Judge *judge, GError **error)
{
  const FoveaSettings *network = judge->settings->settings;
  const Dataset       *dataset = judge->settings->dataset;
  gsize                n_matched = 0;

  judge->n_labels = network->n_labels;
  judge->class_of = g_new (gint32, network->n_labels + 1);
  for (gsize l = 0; l < network->n_labels; l++)
    {
      judge->class_of[l] = -1;
      for (guint c = 0; c < dataset->n_classes && judge->class_of[l] < 0; c++)
        if (g_ascii_strcasecmp (network->labels[l], dataset->classes[c]) == 0)
          judge->class_of[l] = (gint32) c;
      n_matched += judge->class_of[l] >= 0;
    }
  if (n_matched > 0)
    return TRUE;
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "None of the network's classes is one of the data's. Give data with its classes, or a tag list "
                       "that makes them of the data's.");
  return FALSE;
}

static gboolean
make_session (Judge *judge, FoveaModel *model, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort                *port = fovea_model_get_input (model, 0);
  FoveaShape                      shape;

  if (!fovea_settings_get_input_shape (judge->settings->settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_threads (options, judge->settings->n_threads);
  fovea_session_options_set_shape (options, port->name, &shape);
  session_options_set_cancellable (options, cancellable);
  judge->session = fovea_session_new (model, options, error);
  if (!judge->session)
    return FALSE;
  judge->n_outputs = fovea_model_get_n_outputs (model);
  judge->names = g_new0 (const char *, judge->n_outputs + 1);
  judge->outputs = g_new0 (FoveaTensor *, judge->n_outputs + 1);
  for (guint i = 0; i < judge->n_outputs; i++)
    {
      judge->names[i] = fovea_model_get_output (model, i)->name;
      judge->outputs[i] = fovea_session_get_output (judge->session, i);
    }
  return TRUE;
}

static void
judge_clear (Judge *judge)
{
  for (guint c = 0; judge->answers && c < judge->settings->dataset->n_classes; c++)
    g_array_unref (judge->answers[c]);
  g_array_unref (judge->photos);
  g_free (judge->answers);
  g_free (judge->n_truths);
  g_free (judge->confusion);
  g_free (judge->class_of);
  g_free (judge->names);
  g_free (judge->outputs);
  g_clear_pointer (&judge->session, fovea_session_free);
}

/* ---- one photo -------------------------------------------------------------------------------------------------------------------------------- */

static Box
truth_box (const float *row)
{
  return (Box) { row[1], row[2], row[3], row[4], 1.0f, (gint32) row[0], -1 };
}

/* Whether so much of the box lies in one crowd of its class (COCO's rule: a crowd's overlap is the share of the box, and any number of boxes may lie in it). */
static gboolean
is_in_crowd (const Box *box, double least, const float *list, gsize n_truths)
{
  double area = ((double) box->right - box->left) * ((double) box->bottom - box->top);

  for (gsize t = 0; t < n_truths; t++)
    {
      const float *row = list + t * SCENE_NUMBERS;
      double       width = MIN (box->right, row[3]) - MAX (box->left, row[1]), height = MIN (box->bottom, row[4]) - MAX (box->top, row[2]);

      if (row[0] == SCENE_IGNORED (box->label) && width > 0.0 && height > 0.0 && width * height > least * area)
        return TRUE;
    }
  return FALSE;
}

/* Of the boxes of one class, best first, each takes the object that it covers best and that isn't taken: at each overlap anew. */
static void
judge_class (Judge *judge, gint32 class, const Box *boxes, gsize n, const float *list, gsize n_truths)
{
  g_autofree guint16 *taken = g_new0 (guint16, n_truths + 1);

  for (gsize i = 0; i < n; i++)
    {
      Answer answer = { .score = boxes[i].score };

      if (boxes[i].label != class)
        continue;
      for (guint o = 0; o < N_OVERLAPS; o++)
        {
          const double least = LEAST_OVERLAP + 0.05 * o;
          double       most = least;
          gsize        best = n_truths;

          for (gsize t = 0; t < n_truths; t++)
            {
              Box    truth = truth_box (list + t * SCENE_NUMBERS);
              double overlap = truth.label == class && !(taken[t] >> o & 1) ? nms_overlap (&boxes[i], &truth) : 0.0;

              if (overlap > most)
                {
                  most = overlap;
                  best = t;
                }
            }
          if (best < n_truths)
            {
              taken[best] |= (guint16) (1u << o);
              answer.hits |= (guint16) (1u << o);
            }
          else if (is_in_crowd (&boxes[i], least, list, n_truths))
            answer.ignored |= (guint16) (1u << o);
        }
      g_array_append_val (judge->answers[class], answer);
    }
}

/* The network's boxes of a photo, with the data's classes; those of other classes are left out. */
static GArray *
find_boxes (Judge *judge, GError **error)
{
  const FoveaSettings *settings = judge->settings->settings;
  const BoxOptions     options = { .width = settings->width, .height = settings->height, .least = LEAST_SCORE, .n_labels = settings->n_labels, .first_id = 1,
                                   .activation = settings->activation, .anchors = settings->anchors, .n_anchors = settings->n_anchors };
  g_autoptr (GArray)   all = decode_boxes (settings->family, &options, judge->names, judge->outputs, judge->n_outputs, error);
  GArray              *kept;
  guint                n = 0;

  if (!all)
    return NULL;
  for (guint i = 0; i < all->len; i++)
    {
      Box box = g_array_index (all, Box, i);

      box.label = box.label >= 0 && (gsize) box.label < judge->n_labels ? judge->class_of[box.label] : -1;
      if (box.label >= 0)
        g_array_index (all, Box, n++) = box;
    }
  kept = g_array_sized_new (FALSE, FALSE, sizeof (Box), n + 1);
  g_array_set_size (kept, n);
  n = (guint) nms_suppress ((const Box *) (gpointer) all->data, n, FOVEA_SUPPRESS_CLASS, settings->overlap > 0.0 ? settings->overlap : 0.6, LEAST_SCORE,
                            MOST_BOXES, (Box *) (gpointer) kept->data);
  g_array_set_size (kept, n);
  return kept;
}

static double
get_sure_score (const Judge *judge)
{
  return judge->settings->settings->threshold > 0.0 ? judge->settings->settings->threshold : SURE_SCORE;
}

/* The object, of whatever class, that a box covers best, by half at least; n_truths: none. Crowds are none. */
static gsize
find_object (const Box *box, const float *list, gsize n_truths, const gboolean *taken)
{
  double most = LEAST_OVERLAP;
  gsize  best = n_truths;

  for (gsize t = 0; t < n_truths; t++)
    {
      Box    truth = truth_box (list + t * SCENE_NUMBERS);
      double overlap = truth.label >= 0 && !taken[t] ? nms_overlap (box, &truth) : 0.0;

      if (overlap > most)
        {
          most = overlap;
          best = t;
        }
    }
  return best;
}

/* What each object is taken for, where its class is known of the photo: sure boxes, best first, take one each; what is left over is nothing, or was missed. */
static void
count_confusions (Judge *judge, const float *known, const Box *boxes, gsize n_boxes, const float *list, gsize n_truths)
{
  g_autofree gboolean *taken = g_new0 (gboolean, n_truths + 1);
  double               least = get_sure_score (judge);
  guint                nothing = judge->settings->dataset->n_classes, n = nothing + 1;

  for (gsize i = 0; i < n_boxes; i++)
    {
      gsize t = boxes[i].score >= least && known[boxes[i].label] > 0.0f ? find_object (&boxes[i], list, n_truths, taken) : n_truths;

      if (boxes[i].score < least || known[boxes[i].label] <= 0.0f || (t == n_truths && is_in_crowd (&boxes[i], LEAST_OVERLAP, list, n_truths)))
        continue;
      judge->confusion[(t < n_truths ? (guint) list[t * SCENE_NUMBERS] : nothing) * n + (guint) boxes[i].label]++;
      taken[t] = TRUE;
    }
  for (gsize t = 0; t < n_truths; t++)
    if (!taken[t] && list[t * SCENE_NUMBERS] >= 0.0f && known[(guint) list[t * SCENE_NUMBERS]] > 0.0f)
      judge->confusion[(guint) list[t * SCENE_NUMBERS] * n + nothing]++;
}

/* F1 of a photo's sure boxes: the answers from `first` (classes) on are its own. */
static double
judge_alone (const Judge *judge, const guint *first, gsize n_truths)
{
  double least = get_sure_score (judge);
  gsize  n_right = 0, n_said = 0;

  for (guint c = 0; c < judge->settings->dataset->n_classes; c++)
    for (guint i = first[c]; i < judge->answers[c]->len; i++)
      {
        const Answer *answer = &g_array_index (judge->answers[c], Answer, i);

        n_said += answer->score >= least && !(answer->ignored & 1);
        n_right += answer->score >= least && (answer->hits & 1);
      }
  return n_said + n_truths > 0 ? 2.0 * (double) n_right / (double) (n_said + n_truths) : NAN;
}

static gboolean
judge_photo (Judge *judge, const Batch *batch, guint sample, GError **error)
{
  const float       *list = batch->targets;
  g_autoptr (GArray) boxes = find_boxes (judge, error);
  g_autofree guint  *first = g_new0 (guint, judge->settings->dataset->n_classes + 1);
  gsize              n_truths = 0, n_known = 0;
  double             score;

  if (!boxes)
    return FALSE;
  while (n_truths < SCENE_BOXES && list[n_truths * SCENE_NUMBERS + 3] > list[n_truths * SCENE_NUMBERS + 1])
    n_truths++;
  for (guint c = 0; c < judge->settings->dataset->n_classes; c++)
    {
      gsize n = 0;

      first[c] = judge->answers[c]->len;
      if (batch->weights[c] <= 0.0f)
        continue;
      for (gsize t = 0; t < n_truths; t++)
        n += list[t * SCENE_NUMBERS] == (float) c;
      judge->n_truths[c] += n;
      n_known += n;
      judge_class (judge, (gint32) c, (const Box *) (gpointer) boxes->data, boxes->len, list, n_truths);
    }
  judge->n_photos++;
  count_confusions (judge, batch->weights, (const Box *) (gpointer) boxes->data, boxes->len, list, n_truths);
  score = judge_alone (judge, first, n_known);
  if (isfinite (score))
    evaluation_add_photo (judge->photos, judge->settings->dataset, sample, score);
  return TRUE;
}

/* ---- the sums --------------------------------------------------------------------------------------------------------------------------------- */

static int
compare_answers (gconstpointer a, gconstpointer b)
{
  float x = ((const Answer *) a)->score, y = ((const Answer *) b)->score;

  return x < y ? 1 : x > y ? -1 : 0;
}

/* The mean over recalls of the best precision at that recall or beyond; answers are in falling order. */
static double
find_precision (const GArray *answers, gsize n_truths, guint overlap)
{
  g_autofree double *best = g_new0 (double, N_RECALLS); /* of the answers whose recall reaches that, but not the next */
  gsize              n_right = 0, n_counted = 0;
  double             sum = 0.0, most = 0.0;

  for (guint i = 0; i < answers->len; i++)
    {
      const Answer *answer = &g_array_index (answers, Answer, i);
      guint         at;

      if (answer->ignored >> overlap & 1)
        continue;
      n_counted++;
      if (!(answer->hits >> overlap & 1))
        continue;
      n_right++;
      at = (guint) floor ((double) n_right / (double) n_truths * (N_RECALLS - 1) + 1e-9);
      best[at] = MAX (best[at], (double) n_right / (double) n_counted);
    }
  for (guint r = N_RECALLS; r-- > 0;)
    {
      most = MAX (most, best[r]);
      sum += most;
    }
  return sum / N_RECALLS;
}

static FoveaEvaluation *
make_evaluation (Judge *judge)
{
  const Dataset   *dataset = judge->settings->dataset;
  FoveaEvaluation *evaluation = g_new0 (FoveaEvaluation, 1);
  double           half = 0.0, all = 0.0;
  gsize            fewest = 1;
  guint            n_counted = 0;

  for (guint c = 0; c < dataset->n_classes; c++)
    fewest = judge->n_truths[c] >= FEWEST_BOXES ? FEWEST_BOXES : fewest;
  evaluation->n_images = judge->n_photos;
  evaluation_take_photos (evaluation, judge->photos);
  evaluation->labels = g_strdupv (dataset->classes);
  evaluation->classes = g_new0 (FoveaClassMetric, dataset->n_classes + 1);
  evaluation->n_classes = dataset->n_classes;
  evaluation->confused = evaluation_name_confused (dataset);
  evaluation->confusion = g_steal_pointer (&judge->confusion);
  for (guint c = 0; c < dataset->n_classes; c++)
    {
      FoveaClassMetric *metric = &evaluation->classes[c];
      double            mean = 0.0;

      *metric = (FoveaClassMetric) { evaluation->labels[c], judge->n_truths[c], NAN };
      if (metric->n == 0)
        continue;
      g_array_sort (judge->answers[c], compare_answers);
      for (guint o = 0; o < N_OVERLAPS; o++)
        mean += find_precision (judge->answers[c], metric->n, o) / N_OVERLAPS;
      metric->value = find_precision (judge->answers[c], metric->n, 0);
      if (metric->n < fewest)
        continue;
      half += metric->value;
      all += mean;
      n_counted++;
    }
  evaluation->metrics[0] = (FoveaMetric) { "ap50", n_counted > 0 ? half / n_counted : NAN };
  evaluation->metrics[1] = (FoveaMetric) { "map", n_counted > 0 ? all / n_counted : NAN };
  evaluation->n_metrics = 2;
  return evaluation;
}

static gboolean
run_photos (Judge *judge, Loader *loader, const guint *order, gsize n, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      const Batch *batch = loader_next (loader, cancellable, error);
      FoveaTensor *in = fovea_session_get_input (judge->session, 0);

      if (!batch)
        return FALSE;
      memcpy (in->data, batch->input, in->size);
      if (!fovea_session_run (judge->session, cancellable, NULL, NULL, error) || !judge_photo (judge, batch, order[i], error))
        return FALSE;
      if (progress)
        progress ((double) (i + 1) / (double) n, user_data);
    }
  return TRUE;
}

FoveaEvaluation *
evaluate_boxes (FoveaModel *model, const LoaderSettings *settings, const guint *order, gsize n, GPtrArray *warnings, GCancellable *cancellable,
                FoveaProgress progress, gpointer user_data, GError **error)
{
  LoaderSettings   single = *settings;
  Judge            judge = { .settings = &single };
  guint            n_classes = settings->dataset->n_classes;
  FoveaEvaluation *evaluation = NULL;
  Loader          *loader = NULL;

  single.batch = 1;
  single.cache = 0;
  judge.photos = evaluation_photos_new ();
  judge.answers = g_new0 (GArray *, n_classes + 1);
  judge.n_truths = g_new0 (gsize, n_classes + 1);
  judge.confusion = g_new0 (gsize, ((gsize) n_classes + 1) * (n_classes + 1));
  for (guint c = 0; c < n_classes; c++)
    judge.answers[c] = g_array_new (FALSE, FALSE, sizeof (Answer));
  if (check_model (model, settings->settings, error) && match_labels (&judge, error) && make_session (&judge, model, cancellable, error))
    loader = loader_new (&single, error);
  if (loader)
    {
      loader_start (loader, order, n, 0, 0);
      if (run_photos (&judge, loader, order, n, cancellable, progress, user_data, error))
        evaluation = make_evaluation (&judge);
      for (guint i = 0; warnings && i < loader_get_warnings (loader)->len; i++)
        g_ptr_array_add (warnings, g_strdup (g_ptr_array_index (loader_get_warnings (loader), i)));
    }
  loader_free (loader);
  judge_clear (&judge);
  return evaluation;
}
