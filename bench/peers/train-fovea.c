/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-fovea.c: our own trainer in the harness: a run is a whole step on the batch INPUT. OUTPUT gets the losses of the first steps.
 */

#include "train/learner.h"
#include "train/loss.h"

#include "harness.h"

#define STEPS   5 /* whose losses are compared */
#define RATE    0.001
#define CHECKER 16 /* pixels of a square that masks are made of */

typedef struct
{
  Learner *learner;
  float   *input, *targets; /* the latter like the answers; NULL: to be made */
  gsize    size;            /* of the input, bytes */
  double   loss;
} Trainee;

/* One class for each photo, or for each square of a checkerboard: train-pytorch.py makes the same. */
static float *
make_targets (const FoveaShape *shape)
{
  gsize  batch = (gsize) shape->dims[0], classes = (gsize) shape->dims[1], height = shape->n_dims > 2 ? (gsize) shape->dims[2] : 1;
  gsize  width = shape->n_dims > 2 ? (gsize) shape->dims[3] : 1;
  float *targets = g_new0 (float, batch * classes * height * width);

  for (gsize i = 0; i < batch; i++)
    for (gsize y = 0; y < height; y++)
      for (gsize x = 0; x < width; x++)
        {
          gsize class = (shape->n_dims > 2 ? y / CHECKER + x / CHECKER : 37 * i) % classes;

          targets[((i * classes + class) * height + y) * width + x] = 1.0f;
        }
  return targets;
}

static void
lose (const TensorView *outputs, const TensorView *gradients, guint n, gpointer data)
{
  Trainee          *trainee = data;
  const FoveaShape *shape = &outputs[0].shape;
  gsize             pixels = shape->n_dims > 2 ? (gsize) shape->dims[2] * (gsize) shape->dims[3] : 1;

  if (!trainee->targets)
    trainee->targets = make_targets (shape);
  trainee->loss = loss_softmax (outputs[0].data, trainee->targets, NULL, (gsize) shape->dims[0] * pixels, (gsize) shape->dims[1], pixels, 0.0, gradients[0].data);
}

static void
run (void *data)
{
  Trainee *trainee = data;
  gboolean finite;

  memcpy (learner_get_input (trainee->learner), trainee->input, trainee->size);
  learner_step (trainee->learner, lose, trainee, RATE, NULL, &finite, NULL, NULL);
}

int
main (int argc, char **argv)
{
  Harness                harness = harness_begin (argc, argv);
  g_autofree char       *path = g_strconcat (harness.model, ".onnx", NULL);
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = fovea_model_load (path, &error);
  LearnerSettings        settings = { .optimizer = { .kind = FOVEA_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4 }, .momentum = 0.1, .seed = 1 };
  FoveaShape             shape = { .n_dims = 4 };
  Trainee                trainee = { .input = harness.input, .size = (gsize) harness.count * sizeof (float) };
  double                 loaded, first;

  settings.n_threads = (guint) harness.threads;
  for (int i = 0; i < 4; i++)
    shape.dims[i] = harness.shape[i];
  trainee.learner = model ? learner_new (model, &shape, &settings, &error) : NULL;
  if (!trainee.learner)
    harness_fail (error->message);
  loaded = now_ms ();
  run (&trainee);
  first = now_ms ();
  for (int i = 0; i < STEPS; i++)
    {
      float loss = (float) trainee.loss;

      harness_output (&harness, &loss, 1);
      run (&trainee);
    }
  harness_serve (&harness, loaded - harness.started, first - loaded, run, &trainee);
  learner_free (trainee.learner);
  g_free (trainee.targets);
  return 0;
}
