/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.c: what fovea.h promises about sessions: the same bits for any number of threads, sessions of one model side by side, cancelling, progress,
 * inputs that shapes depend on, float16 at the border, limits, and that running allocates nothing. The thread sanitizer runs this too.
 *
 * The linker wraps the doors to memory that the engine's own code goes through; what GLib takes inside itself isn't counted.
 */

#include <math.h>
#include <time.h>

#include "base/half.h"
#include "base/memory.h"
#include "base/sanitizer.h"
#include "ops/step.h"
#include "run/session.h"
#include "small-graph.h"

gpointer __real_g_malloc (gsize size);
gpointer __real_g_malloc0 (gsize size);
gpointer __real_g_malloc_n (gsize n, gsize size);
gpointer __real_g_malloc0_n (gsize n, gsize size);
gpointer __real_memory_alloc (gsize size, const char *what, GError **error);
gpointer __wrap_g_malloc (gsize size);
gpointer __wrap_g_malloc0 (gsize size);
gpointer __wrap_g_malloc_n (gsize n, gsize size);
gpointer __wrap_g_malloc0_n (gsize n, gsize size);
gpointer __wrap_memory_alloc (gsize size, const char *what, GError **error);

static gint n_allocations;

gpointer
__wrap_g_malloc (gsize size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_g_malloc (size);
}

gpointer
__wrap_g_malloc0 (gsize size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_g_malloc0 (size);
}

gpointer
__wrap_g_malloc_n (gsize n, gsize size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_g_malloc_n (n, size);
}

gpointer
__wrap_g_malloc0_n (gsize n, gsize size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_g_malloc0_n (n, size);
}

gpointer
__wrap_memory_alloc (gsize size, const char *what, GError **error)
{
  g_atomic_int_inc (&n_allocations);
  return __real_memory_alloc (size, what, error);
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static Value *
add_random (Graph *graph, guint n_dims, const gint64 *dims)
{
  FoveaShape              shape = { .n_dims = n_dims };
  g_autoptr (FoveaTensor) tensor = NULL;
  float                  *values;

  memcpy (shape.dims, dims, n_dims * sizeof *dims);
  tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, NULL);
  values = tensor->data;
  for (gsize i = 0; i < shape_count (&shape); i++)
    values[i] = (float) g_test_rand_double_range (-0.3, 0.3);
  return graph_add_constant (graph, NULL, tensor);
}

/* n_layers convolutions, then a classifier's end. */
static FoveaModel *
new_network (guint n_layers)
{
  Graph       *graph = small_graph_new ();
  Value       *y = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 3, 40, 40 } });
  const gint64 pads[] = { 1, 1, 1, 1 };

  for (guint i = 0; i < n_layers; i++)
    {
      y = small_graph_add_node (graph, "Conv", y, add_random (graph, 4, (gint64[]){ 24, i ? 24 : 3, 3, 3 }));
      node_set_ints (y->producer, "pads", pads, 4);
      y = small_graph_add_node (graph, "Tanh", y, NULL);
    }
  y = small_graph_add_node (graph, "Flatten", small_graph_add_node (graph, "GlobalAveragePool", y, NULL), NULL);
  y = small_graph_add_node (graph, "MatMul", y, add_random (graph, 2, (gint64[]){ 24, 10 }));
  y = small_graph_add_node (graph, "Softmax", y, NULL);
  return model_new_for_graph (small_graph_finish (graph, y, NULL), "network");
}

static FoveaSession *
new_session (FoveaModel *model, guint n_threads)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (GError) error = NULL;
  FoveaSession *session;

  fovea_session_options_set_threads (options, n_threads);
  session = fovea_session_new (model, options, &error);
  g_assert_no_error (error);
  return session;
}

/* Numbers that depend on the seed alone; a run may have overwritten the last ones. */
static void
fill (FoveaSession *session, guint32 seed)
{
  FoveaTensor *x = fovea_session_get_input (session, 0);
  float       *values = x->data;

  for (gsize i = 0; i < x->size / sizeof *values; i++)
    {
      seed = seed * 1664525u + 1013904223u;
      values[i] = (float) (seed >> 8) / (1 << 23) - 1;
    }
}

static void
run (FoveaSession *session, guint32 seed, float out[10])
{
  g_autoptr (GError) error = NULL;

  fill (session, seed);
  fovea_session_run (session, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  memcpy (out, fovea_session_get_output (session, 0)->data, 10 * sizeof *out);
}

/* ---- tests ------------------------------------------------------------------------------------------------- */

static void
test_threads (void)
{
  g_autoptr (FoveaModel) model = new_network (3);
  float expected[10], found[10];

  for (guint n_threads = 1; n_threads <= 5; n_threads++)
    {
      g_autoptr (FoveaSession) session = new_session (model, n_threads);

      g_assert_cmpuint (fovea_session_get_threads (session), ==, n_threads);
      run (session, 1, n_threads == 1 ? expected : found);
      if (n_threads > 1)
        g_assert_cmpmem (expected, sizeof expected, found, sizeof found);
    }
}

typedef struct
{
  FoveaModel *model;
  guint32     seed;
  float       expected[10];
  gboolean    same;
} Runner;

static gpointer
run_often (gpointer data)
{
  Runner                  *runner = data;
  g_autoptr (FoveaSession) session = new_session (runner->model, 2);

  runner->same = TRUE;
  for (guint i = 0; i < 20; i++)
    {
      float found[10];

      run (session, runner->seed, found);
      runner->same &= memcmp (found, runner->expected, sizeof found) == 0;
    }
  return NULL;
}

/* Sessions of two models, one of them twice, made and run at the same time. */
static void
test_side_by_side (void)
{
  g_autoptr (FoveaModel) first = new_network (2), second = new_network (3);
  Runner   runners[3] = { { first, 1 }, { second, 2 }, { first, 3 } };
  GThread *threads[3];

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (FoveaSession) session = new_session (runners[i].model, 1);

      run (session, runners[i].seed, runners[i].expected);
    }
  g_assert_cmpint (memcmp (runners[0].expected, runners[2].expected, sizeof runners[0].expected), !=, 0);
  for (guint i = 0; i < 3; i++)
    threads[i] = g_thread_new ("runner", run_often, &runners[i]);
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 3; i++)
    g_assert_true (runners[i].same);
}

typedef struct
{
  GCancellable *cancellable;
  guint         n_calls, cancel_at; /* 0: never */
  double        last;
  gboolean      wrong;
} Progress;

static void
on_progress (double fraction, gpointer data)
{
  Progress *progress = data;

  progress->wrong |= fraction < progress->last || fraction > 1;
  progress->last = fraction;
  if (++progress->n_calls == progress->cancel_at)
    g_cancellable_cancel (progress->cancellable);
}

static void
test_cancel (void)
{
  g_autoptr (FoveaModel) model = new_network (4);
  g_autoptr (FoveaSession) session = new_session (model, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Progress progress = { cancellable, 0, 2, 0, FALSE };
  float    before[10], after[10];

  run (session, 7, before);
  fill (session, 7);
  g_assert_false (fovea_session_run (session, cancellable, on_progress, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (progress.n_calls, ==, 2);
  g_clear_error (&error);

  /* Cancelled from the start: not a step is made. */
  progress.n_calls = 0;
  g_assert_false (fovea_session_run (session, cancellable, on_progress, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (progress.n_calls, ==, 0);
  g_clear_error (&error);

  /* The session is as good as new. */
  run (session, 7, after);
  g_assert_cmpmem (before, sizeof before, after, sizeof after);
}

static gpointer
cancel (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

/* From another thread, at any moment: the answer is right, or the run was cancelled. */
static void
test_cancel_any_time (void)
{
  g_autoptr (FoveaModel) model = new_network (3);
  g_autoptr (FoveaSession) session = new_session (model, 2);
  float expected[10];

  run (session, 5, expected);
  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      GThread *thread;

      fill (session, 5);
      thread = g_thread_new ("cancel", cancel, cancellable);
      if (fovea_session_run (session, cancellable, NULL, NULL, &error))
        g_assert_cmpmem (expected, sizeof expected, fovea_session_get_output (session, 0)->data, sizeof expected);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_thread_join (thread);
    }
}

/* Seconds of processor time that the whole program has taken: what else the machine does doesn't count. */
static double
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

typedef struct
{
  FoveaSession *session;
  GCancellable *cancellable;
  GError       *error;
} LongRun;

static gpointer
run_long (gpointer data)
{
  LongRun *run = data;

  fovea_session_run (run->session, run->cancellable, NULL, NULL, &run->error);
  return NULL;
}

/* Cancelled in the middle, the run gives its threads back within 0.2 s: in the first case between steps, in the second within one, of plain loops over a
 * large window. */
static void
test_cancel_soon (gconstpointer is_one_step)
{
  const guint  n_threads = 2;
  Graph       *graph = small_graph_new ();
  const gint64 kernel[] = { 9, 9, 9 }, pads[] = { 1, 1, 1, 1 };
  Value       *y = small_graph_add_input (graph, "x", is_one_step ? &(FoveaShape){ 5, { 1, 1, 100, 100, 100 } } : &(FoveaShape){ 4, { 1, 32, 200, 200 } });
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  LongRun  run;
  GThread *thread;
  double   begin;
  double   most = (UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER ? 10 : 1) * 0.2 * n_threads;

  if (is_one_step)
    {
      y = small_graph_add_node (graph, "MaxPool", y, NULL);
      node_set_ints (y->producer, "kernel_shape", kernel, 3);
    }
  for (guint i = 0; !is_one_step && i < 100; i++)
    {
      y = small_graph_add_node (graph, "Conv", y, add_random (graph, 4, (gint64[]){ 32, 32, 3, 3 }));
      node_set_ints (y->producer, "pads", pads, 4);
    }
  model = model_new_for_graph (small_graph_finish (graph, y, NULL), "long");
  session = new_session (model, n_threads);
  run = (LongRun) { session, cancellable, NULL };
  begin = processor_time ();
  thread = g_thread_new ("run", run_long, &run);
  while (processor_time () - begin < 0.1)
    g_usleep (1000);
  g_cancellable_cancel (cancellable);
  begin = processor_time ();
  g_thread_join (thread);
  g_assert_cmpfloat (processor_time () - begin, <, most);
  error = run.error;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_progress (void)
{
  g_autoptr (FoveaModel) model = new_network (3);
  g_autoptr (FoveaSession) session = new_session (model, 1);
  Progress progress = { 0 };

  fill (session, 1);
  g_assert_true (fovea_session_run (session, NULL, on_progress, &progress, NULL));
  g_assert_false (progress.wrong);
  g_assert_cmpuint (progress.n_calls, ==, fovea_session_get_n_steps (session));
  g_assert_cmpfloat_with_epsilon (progress.last, 1, 1e-9);
}

static void
note_first (double fraction, gpointer first)
{
  if (*(double *) first < 0)
    *(double *) first = fraction;
}

/* Progress goes by arithmetic: a step with nearly all of it is nearly all of the way. */
static void
test_progress_by_work (void)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 2, { 64, 256 } });
  Value *y = small_graph_add_node (graph, "MatMul", x, add_random (graph, 2, (gint64[]){ 256, 64 }));
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaSession) session = NULL;
  double first = -1;

  for (guint i = 0; i < 3; i++)
    y = small_graph_add_node (graph, "Softmax", y, NULL);
  model = model_new_for_graph (small_graph_finish (graph, y, NULL), "uneven");
  session = new_session (model, 1);
  g_assert_cmpuint (fovea_session_get_n_steps (session), ==, 4);
  g_assert_true (fovea_session_run (session, NULL, note_first, &first, NULL));
  g_assert_cmpfloat (first, >, 0.7);
  g_assert_cmpfloat (first, <, 1);
}

static void
test_no_allocation (void)
{
  g_autoptr (FoveaModel) model = new_network (3);
  g_autoptr (FoveaSession) session = new_session (model, 2);
  gboolean ok = TRUE;
  gint     before;

  fill (session, 1);
  g_assert_cmpint (n_allocations, >, 0);
  before = g_atomic_int_get (&n_allocations);
  for (guint i = 0; i < 5; i++)
    ok &= fovea_session_run (session, NULL, NULL, NULL, NULL);
  g_assert_cmpint (g_atomic_int_get (&n_allocations), ==, before);
  g_assert_true (ok);
}

/* Reshape to a shape that is an input of the model. */
static void
test_bound (void)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 2, { 4, 6 } });
  Value *target = small_graph_add_input (graph, "target", &(FoveaShape){ 1, { 2 } });
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaTensor) value = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape){ 1, { 2 } }, NULL);
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GError) error = NULL;

  target->type = FOVEA_TYPE_INT64;
  model = model_new_for_graph (small_graph_finish (graph, small_graph_add_node (graph, "Reshape", x, target), NULL), "reshape");
  session = fovea_session_new (model, NULL, &error);
  g_assert_null (session);
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "target"));
  g_clear_error (&error);

  ((gint64 *) value->data)[0] = 3;
  ((gint64 *) value->data)[1] = -1;
  fovea_session_options_bind (options, "target", value);
  session = fovea_session_new (model, options, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fovea_session_get_output (session, 0)->shape.dims[1], ==, 8);
  fill (session, 1);
  g_assert_true (fovea_session_run (session, NULL, NULL, NULL, &error));

  ((gint64 *) fovea_session_get_input (session, 1)->data)[0] = 4;
  g_assert_false (fovea_session_run (session, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_clear_error (&error);
  ((gint64 *) fovea_session_get_input (session, 1)->data)[0] = 3;
  g_assert_true (fovea_session_run (session, NULL, NULL, NULL, &error));
}

static void
test_float16 (void)
{
  static const float values[] = { 1.5f, -2, 0.25f, 65504 };
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 1, { 4 } }), *y;
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (FoveaSession) session = NULL;
  guint16 *halves;

  x->type = FOVEA_TYPE_FLOAT16;
  y = small_graph_add_node (graph, "Neg", x, NULL);
  y->type = FOVEA_TYPE_FLOAT16;
  model = model_new_for_graph (small_graph_finish (graph, y, NULL), "halves");
  session = new_session (model, 1);
  g_assert_cmpint (fovea_session_get_input (session, 0)->type, ==, FOVEA_TYPE_FLOAT16);
  g_assert_cmpint (fovea_session_get_output (session, 0)->type, ==, FOVEA_TYPE_FLOAT16);
  halves = fovea_session_get_input (session, 0)->data;
  for (guint i = 0; i < 4; i++)
    halves[i] = half_from_float (values[i]);
  g_assert_true (fovea_session_run (session, NULL, NULL, NULL, NULL));
  halves = fovea_session_get_output (session, 0)->data;
  for (guint i = 0; i < 4; i++)
    g_assert_cmpfloat (half_to_float (halves[i]), ==, -values[i]);
}

/* The model doesn't say the output's type: it is what a Cast makes, or what float16 becomes in the operators after it. */
static void
test_float16_undeclared (void)
{
  for (guint n_after = 0; n_after < 3; n_after++)
    {
      Graph *graph = small_graph_new ();
      Value *y = small_graph_add_node (graph, "Cast", small_graph_add_input (graph, "x", &(FoveaShape){ 1, { 2 } }), NULL);
      g_autoptr (FoveaModel) model = NULL;
      g_autoptr (FoveaSession) session = NULL;
      const guint16 *halves;

      node_set_int (y->producer, "to", 10);
      for (guint i = 0; i < n_after; i++)
        y = small_graph_add_node (graph, "Neg", y, NULL);
      model = model_new_for_graph (small_graph_finish (graph, y, NULL), "half");
      session = new_session (model, 1);
      g_assert_cmpint (fovea_session_get_input (session, 0)->type, ==, FOVEA_TYPE_FLOAT32);
      g_assert_cmpint (fovea_session_get_output (session, 0)->type, ==, FOVEA_TYPE_FLOAT16);
      memcpy (fovea_session_get_input (session, 0)->data, (float[]){ 1.5f, -0.25f }, 2 * sizeof (float));
      g_assert_true (fovea_session_run (session, NULL, NULL, NULL, NULL));
      halves = fovea_session_get_output (session, 0)->data;
      g_assert_cmpfloat (half_to_float (halves[0]), ==, n_after == 1 ? -1.5f : 1.5f);
      g_assert_cmpfloat (half_to_float (halves[1]), ==, n_after == 1 ? 0.25f : -0.25f);
    }
}

/* The output's size is that of the data, anew at each run. */
static void
test_dynamic (void)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 1, { 6 } });
  g_autoptr (FoveaModel) model = model_new_for_graph (small_graph_finish (graph, small_graph_add_node (graph, "NonZero", x, NULL), NULL), "dynamic");
  g_autoptr (FoveaSession) session = new_session (model, 1);
  float *values = fovea_session_get_input (session, 0)->data;

  for (guint n = 0; n <= 6; n += 2)
    {
      const FoveaTensor *out = fovea_session_get_output (session, 0);

      for (guint i = 0; i < 6; i++)
        values[i] = i < n;
      g_assert_true (fovea_session_run (session, NULL, NULL, NULL, NULL));
      g_assert_cmpint (out->shape.dims[1], ==, n);
      g_assert_cmpuint (out->size, ==, n * sizeof (gint64));
      for (guint i = 0; i < n; i++)
        g_assert_cmpint (((gint64 *) out->data)[i], ==, i);
    }
}

static void
check_refused (FoveaModel *model, const char *input, const FoveaShape *shape, guint64 limit, int code)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GError) error = NULL;

  fovea_session_options_set_shape (options, input, shape);
  fovea_session_options_set_memory_limit (options, limit);
  session = fovea_session_new (model, options, &error);
  g_assert_null (session);
  g_assert_error (error, FOVEA_ERROR, code);
}

static void
test_refused (void)
{
  g_autoptr (FoveaModel) model = new_network (2);
  Graph *graph = small_graph_new ();
  Value *free_shape = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 3, -1, -1 } });
  Value *y = small_graph_add_node (graph, "Conv", free_shape, add_random (graph, 4, (gint64[]){ 8, 3, 3, 3 }));
  g_autoptr (FoveaModel) free_model = model_new_for_graph (small_graph_finish (graph, y, NULL), "free");
  const FoveaShape right = { 4, { 1, 3, 40, 40 } };

  check_refused (model, "y", &right, 0, FOVEA_ERROR_ARGUMENT);
  check_refused (model, "x", &right, 1000, FOVEA_ERROR_MEMORY);
  check_refused (model, "x", &(FoveaShape){ 4, { 1, 3, 41, 40 } }, 0, FOVEA_ERROR_SHAPE);
  check_refused (model, "x", &(FoveaShape){ 3, { 3, 40, 40 } }, 0, FOVEA_ERROR_SHAPE);
  check_refused (free_model, "x", &(FoveaShape){ 4, { 1, 3, 2, 2 } }, 0, FOVEA_ERROR_SHAPE);
  check_refused (free_model, "x", &(FoveaShape){ 4, { 1, 3, G_MAXINT64, G_MAXINT64 } }, 0, FOVEA_ERROR_SHAPE);
  check_refused (free_model, "x", &(FoveaShape){ 4, { 1, 3, 1 << 20, 1 << 20 } }, 1 << 30, FOVEA_ERROR_MEMORY);
}

static FoveaSession *
new_limited (FoveaModel *model, guint64 limit, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();

  fovea_session_options_set_threads (options, 1);
  fovea_session_options_set_memory_limit (options, limit);
  return fovea_session_new (model, options, error);
}

/* The limit holds for packed weights and the arena together, and what is packed isn't kept twice. */
static void
test_limit (void)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 64, 8, 8 } });
  Value *y = small_graph_add_node (graph, "Conv", x, add_random (graph, 4, (gint64[]){ 128, 64, 3, 3 }));
  g_autoptr (FoveaModel) model = model_new_for_graph (small_graph_finish (graph, y, NULL), "wide");
  g_autoptr (FoveaSession) session = new_session (model, 1), tight = NULL;
  g_autoptr (GError) error = NULL;
  const guint64 arena = fovea_session_get_arena_bytes (session), weights = 128 * 64 * 9 * sizeof (float);
  guint64       least = arena;

  g_assert_cmpuint (arena, <, weights);
  tight = new_limited (model, arena, &error);
  g_assert_null (tight);
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "layer “"));
  for (guint64 step = 1 << 20; step > 0; step /= 2) /* the greatest limit that is refused */
    {
      g_autoptr (FoveaSession) fits = new_limited (model, least + step, NULL);

      least += fits ? 0 : step;
    }
  g_assert_cmpuint (least + 1, >=, arena + weights);
  tight = new_limited (model, least + 1, NULL);
  g_assert_nonnull (tight);
  for (guint i = 0; i < fovea_session_get_n_steps (session); i++)
    {
      const Step *step = session_get_step (session, i);

      if (g_str_equal (step->node->type, "Conv"))
        g_assert_true (step->in[1].packed && !step->in[1].value->constant);
    }
}

/* The tables of a resize are far larger than its output, when it makes little of much: they count, and so does what comes in. */
static void
test_limit_of_tables (void)
{
  const gint64 width = 1 << 20, sizes[] = { 1, 1, 1, 4 };

  for (guint times = 1; times <= 512; times *= 512)
    {
      Graph       *graph = small_graph_new ();
      FoveaTensor *small = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape){ 1, { 4 } }, NULL);
      Value       *x = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 1, 1, width * times } }), *y;
      g_autoptr (FoveaModel) model = NULL;
      g_autoptr (FoveaSession) session = NULL;
      g_autoptr (GError) error = NULL;

      memcpy (small->data, sizes, sizeof sizes);
      y = small_graph_add_node (graph, "Resize", x, NULL);
      node_add_input (y->producer, NULL);
      node_add_input (y->producer, NULL);
      node_add_input (y->producer, graph_add_constant (graph, "sizes", small));
      fovea_tensor_unref (small);
      node_set_string (y->producer, "mode", "linear");
      node_set_int (y->producer, "antialias", 1);
      model = model_new_for_graph (small_graph_finish (graph, y, NULL), "little of much");
      session = new_limited (model, 16 << 20, &error);
      g_assert_null (session);
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/threads", test_threads);
  g_test_add_func ("/session/side-by-side", test_side_by_side);
  g_test_add_func ("/session/cancel", test_cancel);
  g_test_add_func ("/session/cancel-any-time", test_cancel_any_time);
  g_test_add_data_func ("/session/cancel-soon/steps", GINT_TO_POINTER (FALSE), test_cancel_soon);
  g_test_add_data_func ("/session/cancel-soon/step", GINT_TO_POINTER (TRUE), test_cancel_soon);
  g_test_add_func ("/session/progress", test_progress);
  g_test_add_func ("/session/progress-by-work", test_progress_by_work);
  g_test_add_func ("/session/no-allocation", test_no_allocation);
  g_test_add_func ("/session/bound", test_bound);
  g_test_add_func ("/session/float16", test_float16);
  g_test_add_func ("/session/dynamic", test_dynamic);
  g_test_add_func ("/session/refused", test_refused);
  g_test_add_func ("/session/float16-undeclared", test_float16_undeclared);
  g_test_add_func ("/session/limit", test_limit);
  g_test_add_func ("/session/limit-of-tables", test_limit_of_tables);
  return g_test_run ();
}
