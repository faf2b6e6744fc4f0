/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train.c: `fovea train`: from labelled photos to a model.
 */

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

#include "evaluation.h"
#include "image.h"
#include "train-options.h"
#include "verbs.h"

static const CommandHelp help = {
  "train", "--data DIR --output FILE",
  "Trains a model on labelled photos and writes it as ONNX, with labels and settings inside. DIR is one of\n"
  "  a folder of folders: photos of each class in a folder of its name, optionally below train/ and val/;\n"
  "  a folder with manifest.jsonl, one JSON object a line: file, labels \"a;b\" or a list, split, boxes\n"
  "    [[class, x, y, w, h]] as shares of the photo, crowd (regions to ignore, alike), mask, src;\n"
  "  a folder with images/ and masks/, gray PNGs of the same names: 0 background, 1 … classes of classes.txt, 255 unknown;\n"
  "  for boxes, a folder with labels of COCO (annotations.json), YOLO (classes.txt, labels/) or VOC (Annotations/).\n"
  "\n"
  "Without --base and --arch a small network learns from nothing. --base begins with a trained classifier, whose last layer is exchanged for the new classes,\n"
  "or with a detector trained here, which keeps what it knows of classes that stay;\n"
  "--arch takes an architecture (fovea new --list), with --base begun with what weights fit. Ctrl+C stops; the same command goes on from where it was, as\n"
  "it does after a crash: until it is done, FILE.checkpoint keeps the state, at most 30 seconds old.\n"
  "\n"
  "A tag list (--tags) gathers labels of a manifest's sources into tags, several a photo: “tag = source:label source:label … | source …”, where photos of the\n"
  "sources after | are known not to show it; “-source:label” leaves photos out. With --task detect the labels are those of boxes.",
  "  fovea train --data flowers/ --output flowers.onnx                       a small network from nothing\n"
  "  fovea train --data flowers/ --base tagger --output flowers.onnx        on what the tagger knows\n"
  "  fovea train --data photos/ --task detect --base tagger --output boxes.onnx\n"
  "                                                                          boxes, on what the tagger knows\n"
  "  fovea train --data photos/ --task segment --arch unet --minutes 30 --output masks.onnx\n"
  "                                                                          masks, for half an hour\n",
};

typedef struct
{
  TrainOptions common;
  char    *base, *arch, *last_layer, *output, *trainable, *optimizer, *schedule, *balance, *loss, *checkpoint, *teacher;
  int      epochs, batch, patience;
  double   minutes, rate, base_rate, keep_base, decay, average, monitor, validation, smoothing, distill, temperature;
  gboolean json, find_rate, frozen_norms, no_balance, half, quiet;
} Options;

/* ---- progress ------------------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  gboolean    json, quiet;
  JsonBuilder *curve; /* an open array of epochs; NULL: none is wanted */
  gint64      shown;
  double      rate;  /* at its highest */
} Display;

static char *
print_time (double seconds)
{
  int all = (int) seconds;

  if (seconds < 0.0)
    return g_strdup ("?");
  return all >= 3600 ? g_strdup_printf ("%d:%02d h", all / 3600, all / 60 % 60) : g_strdup_printf ("%d:%02d min", all / 60, all % 60);
}

static void
add_epoch (JsonBuilder *curve, const FoveaTrainState *state)
{
  json_builder_begin_object (curve);
  json_builder_set_member_name (curve, "epoch");
  json_builder_add_int_value (curve, state->epoch + 1);
  json_builder_set_member_name (curve, "loss");
  json_builder_add_double_value (curve, state->loss);
  json_builder_set_member_name (curve, "learning_rate");
  json_builder_add_double_value (curve, state->learning_rate);
  json_builder_set_member_name (curve, state->score->metrics[0].name);
  json_builder_add_double_value (curve, state->score->metrics[0].value);
  json_builder_end_object (curve);
}

static void
show (const FoveaTrainState *state, gpointer user_data)
{
  Display         *display = user_data;
  gint64           now = g_get_monotonic_time ();
  gboolean         terminal = isatty (STDERR_FILENO);
  g_autofree char *left = print_time (state->seconds_left);

  if (state->prepared < 1.0)
    {
      if (!display->quiet)
        command_progress (state->finds_rate ? "learning rates, per cent" : "features, per cent", (gsize) (state->prepared * 100.0), 100);
    }
  else if (state->score)
    {
      if (display->curve)
        add_epoch (display->curve, state);
      if (!display->quiet)
        g_printerr ("%sepoch %u: loss %.4f, %s %.4f, %.0f photos/s, %s left%s\n", terminal ? "\r\033[K" : "", state->epoch + 1, state->loss,
                    state->score->metrics[0].name, state->score->metrics[0].value, state->images_per_second, left, state->best == state->score->metrics[0].value ? " *" : "");
    }
  else if (!display->quiet && terminal && now - display->shown > G_TIME_SPAN_SECOND / 5)
    {
      g_printerr ("\r\033[Kepoch %u, step %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT ": loss %.4f, %.0f photos/s, %s left", state->epoch + 1, state->step, state->n_steps,
                  state->loss, state->images_per_second, left);
      display->shown = now;
    }
}

/* Ctrl+C: a thread of its own watches, since the main one computes. */
static gboolean
on_interrupt (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_CONTINUE;
}

/* From within the loop, so that it isn't missed where the loop hasn't begun yet. */
static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
watch (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

/* ---- settings -------------------------------------------------------------------------------------------------------------------------------- */

static const char *const trainable_words[] = { "all", "last", "head", NULL };
static const char *const optimizer_words[] = { "sgd", "adamw", NULL };
static const char *const schedule_words[] = { "cosine", "step", "one-cycle", "constant", NULL };
static const char *const loss_words[] = { "usual", "focal", "lovasz", "ciou", "smooth-l1", "l1", NULL };
static const char *const balance_words[] = { "repeats", "weights", "none", NULL };

/* Where none is given: what serves most trainings of this kind. */
static double
choose_rate (const Options *given, const FoveaTrainSettings *settings)
{
  gboolean is_head = settings->trainable == FOVEA_TRAIN_HEAD;

  if (settings->optimizer == FOVEA_OPTIMIZER_ADAMW)
    return is_head ? 0.02 : 0.001;
  return is_head ? 0.3 : given->base && !given->arch ? 0.01 : settings->learning_rate;
}

static const char *
read_settings (const Options *given, FoveaTrainSettings *settings)
{
  int         trainable = given->trainable ? train_options_find (trainable_words, given->trainable) : 0;
  int         optimizer = given->optimizer ? train_options_find (optimizer_words, given->optimizer) : 0;
  int         schedule = given->schedule ? train_options_find (schedule_words, given->schedule) : 0;
  int         loss = given->loss ? train_options_find (loss_words, given->loss) : 0;
  int         balance = given->no_balance ? 2 : given->balance ? train_options_find (balance_words, given->balance) : 0;
  const char *wrong = train_options_read (&given->common, settings);

  if (wrong)
    return wrong;
  if (trainable < 0)
    return "--trainable must be all, last or head.";
  if (optimizer < 0)
    return "--optimizer must be sgd or adamw.";
  if (schedule < 0)
    return "--schedule must be cosine, step, one-cycle or constant.";
  if (loss < 0)
    return "--loss must be usual, focal, lovasz, ciou, smooth-l1 or l1.";
  if (given->frozen_norms && !given->base)
    return "--frozen-norms keeps what --base has learned: give a base.";
  if (balance < 0)
    return "--balance must be repeats, weights or none.";
  if (given->base_rate != 1.0 && !given->base)
    return "--base-rate is for what --base has learned: give a base.";
  if (given->keep_base != 0.0 && !given->base)
    return "--keep-base keeps a share of --base: give a base.";
  if ((given->distill != 0.0 || given->temperature >= 0.0) && !given->teacher)
    return "--distill and --temperature are for a teacher's answers: give --teacher.";
  if (given->temperature >= 0.0 && given->distill == 0.0)
    return "--temperature is for a teacher's answers: give --distill.";
  if (given->epochs < 0 || given->batch < 0 || given->patience < 0)
    return "Numbers of epochs and photos must be 0 or more.";
  settings->trainable = (FoveaTrainable) trainable;
  settings->optimizer = (FoveaOptimizer) optimizer;
  settings->loss = (FoveaLoss) loss;
  settings->schedule = (FoveaSchedule) schedule;
  settings->last_layer = given->last_layer;
  settings->frozen_norms = given->frozen_norms;
  settings->epochs = given->epochs ? (guint) given->epochs : settings->epochs;
  settings->minutes = given->minutes;
  settings->batch = given->batch ? (guint) given->batch : settings->batch;
  settings->learning_rate = given->rate > 0.0 ? given->rate : choose_rate (given, settings);
  settings->base_rate = given->base_rate;
  settings->keep_base = given->keep_base;
  settings->find_rate = given->find_rate;
  settings->weight_decay = given->decay >= 0.0 ? given->decay : optimizer == FOVEA_OPTIMIZER_ADAMW ? 0.01 : settings->weight_decay;
  settings->average = given->average >= 0.0 ? given->average : settings->average;
  settings->smoothing = given->smoothing >= 0.0 ? given->smoothing : settings->smoothing;
  settings->distill = given->distill;
  settings->temperature = given->temperature >= 0.0 ? given->temperature : settings->temperature;
  settings->monitor_share = given->monitor;
  settings->validation_share = given->validation;
  settings->patience = (guint) given->patience;
  settings->balance = balance < 2;
  settings->balance_by_weight = balance == 1;
  settings->half_weights = given->half;
  return NULL;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------------------------------------- */

static void
print_result (const Options *given, const FoveaEvaluation *evaluation, double rate, JsonBuilder *json)
{
  if (json)
    {
      json_builder_end_array (json);
      command_add_string (json, "model", given->output);
      json_builder_set_member_name (json, "learning_rate");
      json_builder_add_double_value (json, rate);
      if (evaluation)
        {
          json_builder_set_member_name (json, "evaluation");
          json_builder_begin_object (json);
          evaluation_add_json (json, evaluation);
          json_builder_end_object (json);
        }
      json_builder_end_object (json);
      command_print_json (json);
      return;
    }
  if (evaluation)
    evaluation_print (evaluation, FALSE);
  g_print ("%s\n", given->output);
}

static gboolean
train (const Options *given, FoveaTrainSettings *settings, Display *display, GCancellable *cancellable, FoveaEvaluation **evaluation, GError **error)
{
  g_autofree char         *text = NULL, *line = NULL;
  g_autoptr (FoveaModel)   base = given->base ? command_load_model (given->base, error) : NULL, result = NULL;
  g_autoptr (FoveaModel)   teacher = given->teacher && (base || !given->base) ? command_load_model (given->teacher, error) : NULL;
  g_autoptr (FoveaTrainer) trainer = NULL;
  g_autofree char         *beside = g_strconcat (given->output, ".checkpoint", NULL);
  GError                  *local = NULL;

  if ((given->base && !base) || (given->teacher && !teacher) || (given->common.tags && !g_file_get_contents (given->common.tags, &text, NULL, error)))
    return FALSE;
  settings->tags = text;
  settings->teacher = teacher;
  settings->checkpoint = given->checkpoint ? given->checkpoint : beside;
  trainer = fovea_trainer_new (base, given->arch, given->common.data, settings, image_read_file, NULL, error);
  if (!trainer)
    return FALSE;
  line = fovea_trainer_describe (trainer);
  if (!display->quiet)
    g_printerr ("%s\n", line);
  if (!fovea_trainer_run (trainer, cancellable, show, display, error))
    return FALSE;
  display->rate = fovea_trainer_get_rate (trainer);
  for (const char *const *warning = fovea_trainer_get_warnings (trainer); *warning; warning++)
    command_warn ("%s", *warning);
  *evaluation = fovea_trainer_evaluate (trainer, cancellable, &local);
  if (local)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  result = fovea_trainer_make_model (trainer, *evaluation, error);
  if (!result || !fovea_model_save (result, given->output, error))
    return FALSE;
  if (!given->checkpoint)
    {
      g_autofree char *best = g_strconcat (beside, ".best", NULL);

      g_unlink (settings->checkpoint);
      g_unlink (best);
    }
  return TRUE;
}

static int
run (const Options *given, FoveaTrainSettings *settings)
{
  g_autoptr (GError)          error = NULL;
  g_autoptr (GCancellable)    cancellable = g_cancellable_new ();
  g_autoptr (FoveaEvaluation) evaluation = NULL;
  g_autoptr (JsonBuilder)     json = given->json ? json_builder_new () : NULL;
  Display                     display = { given->json, given->quiet, json, 0, 0.0 };
  GMainLoop                  *loop = g_main_loop_new (NULL, FALSE);
  GThread                    *watcher;
  gboolean                    ok;

  if (json)
    {
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "epochs");
      json_builder_begin_array (json);
    }
  g_unix_signal_add (SIGINT, on_interrupt, cancellable);
  g_unix_signal_add (SIGTERM, on_interrupt, cancellable);
  watcher = g_thread_new ("signals", watch, loop);
  ok = train (given, settings, &display, cancellable, &evaluation, &error);
  g_idle_add (quit, loop);
  g_thread_join (watcher);
  g_main_loop_unref (loop);
  if (ok)
    print_result (given, evaluation, display.rate, json);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    command_warn ("Stopped. The same command goes on from here.");
  return ok ? COMMAND_OK : command_fail (given->json, error);
}

int
verb_train (int argc, char **argv)
{
  FoveaTrainSettings       settings;
  Options                  given = { .base_rate = 1.0, .decay = -1.0, .average = -1.0, .smoothing = -1.0, .temperature = -1.0, .validation = 0.15 };
  const char              *wrong;
  int                      status;
  const GOptionEntry       own[] = {
    { "base", 0, 0, G_OPTION_ARG_FILENAME, &given.base, "Begin with this trained model", "MODEL" },
    { "arch", 0, 0, G_OPTION_ARG_FILENAME, &given.arch, "Name or file of an architecture (tiny; boxes: objects)", "NAME" },
    { "last-layer", 0, 0, G_OPTION_ARG_STRING, &given.last_layer, "The layer of --base that is exchanged, with what follows it (the last one with weights)", "NAME" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &given.output, "The model to write", "FILE" },
    { "trainable", 0, 0, G_OPTION_ARG_STRING, &given.trainable, "What learns: all, last (third of the layers), head (all)", "WHAT" },
    { "frozen-norms", 0, 0, G_OPTION_ARG_NONE, &given.frozen_norms, "Batch normalizations stay as --base has them: for small batches and little data", NULL },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &given.epochs, "How often each photo is looked at (30)", "N" },
    { "minutes", 0, 0, G_OPTION_ARG_DOUBLE, &given.minutes, "Train for so long instead", "N" },
    { "batch", 0, 0, G_OPTION_ARG_INT, &given.batch, "Photos of a step (16)", "N" },
    { "optimizer", 0, 0, G_OPTION_ARG_STRING, &given.optimizer, "What moves the weights: sgd (Nesterov momentum), adamw (sgd)", "NAME" },
    { "learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &given.rate, "At its highest (0.05; with --base 0.01; for a head alone 0.3; adamw 0.001, a head 0.02)", "R" },
    { "base-rate", 0, 0, G_OPTION_ARG_DOUBLE, &given.base_rate, "Share of the learning rate for layers that are as --base has them (1)", "S" },
    { "keep-base", 0, 0, G_OPTION_ARG_DOUBLE, &given.keep_base, "Share of --base's weights that the result keeps, 0 to 1: it forgets less; with --frozen-norms (0)", "S" },
    { "schedule", 0, 0, G_OPTION_ARG_STRING, &given.schedule, "What becomes of the learning rate: cosine, step, one-cycle, constant (cosine)", "NAME" },
    { "find-rate", 0, 0, G_OPTION_ARG_NONE, &given.find_rate, "Find the learning rate: some dozens of steps more", NULL },
    { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &given.decay, "(0.00004; adamw 0.01)", "D" },
    { "average", 0, 0, G_OPTION_ARG_DOUBLE, &given.average, "Share that the weights' moving average keeps at each step (0.998)", "S" },
    { "loss", 0, 0, G_OPTION_ARG_STRING, &given.loss, "usual; tags and masks of one class: focal; masks: lovasz, of one class l1; boxes: ciou, smooth-l1 (usual)", "NAME" },
    { "smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &given.smoothing, "Of labels (0.05)", "S" },
    { "validation", 0, 0, G_OPTION_ARG_DOUBLE, &given.validation, "Share of the photos to be judged by, where the data don't say (0.15)", "S" },
    { "monitor", 0, 0, G_OPTION_ARG_DOUBLE, &given.monitor, "Share of the rest kept out to see when to stop (0)", "S" },
    { "patience", 0, 0, G_OPTION_ARG_INT, &given.patience, "Stop after so many epochs without a better score on those, and keep the best (0: never)", "N" },
    { "balance", 0, 0, G_OPTION_ARG_STRING, &given.balance, "Rare classes: repeats of their photos, weights in the loss, none (repeats)", "HOW" },
    { "no-balance", 0, 0, G_OPTION_ARG_NONE, &given.no_balance, "The same as --balance none", NULL },
    { "teacher", 0, 0, G_OPTION_ARG_FILENAME, &given.teacher, "Learn this classifier's features, too: with few photos a network sees more in them", "MODEL" },
    { "distill", 0, 0, G_OPTION_ARG_DOUBLE, &given.distill, "Learn the teacher's answers instead, with this share of the loss against the labels (0)", "S" },
    { "temperature", 0, 0, G_OPTION_ARG_DOUBLE, &given.temperature, "Divides logits where answers are learned: higher says more of wrong answers that are nearly right (4)", "T" },
    { "checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &given.checkpoint, "Keep the state here, also when done (FILE.checkpoint, until done)", "FILE" },
    { "half", 0, 0, G_OPTION_ARG_NONE, &given.half, "Write weights as float16: half the file", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &given.quiet, "No progress", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &given.json, "Print one JSON object: epochs[{epoch, loss, learning_rate, …}], model, learning_rate, evaluation", NULL },
    { NULL },
  };
  g_autofree GOptionEntry *entries = train_options_join (own, &given.common);

  train_options_init (&given.common);
  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  wrong = !given.common.data || !given.output || argc > 1 ? "Give --data and --output." : read_settings (&given, &settings);
  status = wrong ? command_usage (&help, given.json, "%s", wrong) : run (&given, &settings);
  train_options_clear (&given.common);
  g_free (given.base);
  g_free (given.arch);
  g_free (given.last_layer);
  g_free (given.output);
  g_free (given.trainable);
  g_free (given.optimizer);
  g_free (given.schedule);
  g_free (given.balance);
  g_free (given.loss);
  g_free (given.checkpoint);
  g_free (given.teacher);
  return status;
}
