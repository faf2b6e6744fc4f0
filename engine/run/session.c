/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.c: a plan with its arena and threads; runs the steps one after the other. See the sessions part of fovea.h.
 *
 * Inputs and outputs that the caller sees are tensors of their own only where they must be: float16 ones (the plan computes float32), outputs
 * that are constants, and bound inputs. All others lie in the arena.
 */

#include <string.h>
#include <time.h>

#include "base/half.h"
#include "base/memory.h"
#include "base/pool.h"
#include "compile/plan.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "ops/macs.h"
#include "run/session.h"

struct _FoveaSessionOptions
{
  guint         n_threads;
  gboolean      reference;
  guint64       memory_limit;
  GCancellable *cancellable; /* borrowed, or NULL */
  GHashTable   *shapes;      /* char* -> FoveaShape* */
  GHashTable   *bound;       /* char* -> FoveaTensor* */
};

/* One input or output of the model. */
typedef struct
{
  Value       *value;
  FoveaTensor *tensor; /* what the caller reads and writes */
  float       *floats; /* in the arena, where the tensor is float16; else NULL */
  FoveaTensor *bound;  /* an input whose value shaped the plan: it must stay so; else NULL */
} Port;

struct _FoveaSession
{
  FoveaModel *model;
  Plan       *plan;
  Pool       *pool;
  guint8     *arena;
  Port       *inputs, *outputs;
  guint       n_inputs, n_outputs;
  GArray     *refreshed; /* of Step*: those that pack variables */
  gboolean    is_stale;  /* … which have changed since */
  SessionLoss loss;      /* NULL: the network only answers */
  gpointer    loss_data;
  double     *step_ms;   /* of the last run, one for each step; NULL: not measured */
  double      work;      /* of all steps, as plan.h counts it */
  gint        stop; /* atomic: tasks not yet begun are left out */
  FoveaShape *actual; /* true shapes of dynamic outputs, n_outputs of them */
};

/* ---- options ---------------------------------------------------------------------------------------------- */

FoveaSessionOptions *
fovea_session_options_new (void)
{
  FoveaSessionOptions *options = g_new0 (FoveaSessionOptions, 1);

  options->shapes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  options->bound = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fovea_tensor_unref);
  return options;
}

void
fovea_session_options_free (FoveaSessionOptions *options)
{
  if (!options)
    return;
  g_hash_table_unref (options->shapes);
  g_hash_table_unref (options->bound);
  g_free (options);
}

void
fovea_session_options_set_threads (FoveaSessionOptions *options, guint n_threads)
{
  options->n_threads = n_threads;
}

void
fovea_session_options_set_reference (FoveaSessionOptions *options, gboolean reference)
{
  options->reference = reference;
}

void
fovea_session_options_set_memory_limit (FoveaSessionOptions *options, guint64 bytes)
{
  options->memory_limit = bytes;
}

void
fovea_session_options_set_shape (FoveaSessionOptions *options, const char *input, const FoveaShape *shape)
{
  g_hash_table_insert (options->shapes, g_strdup (input), g_memdup2 (shape, sizeof *shape));
}

void
fovea_session_options_bind (FoveaSessionOptions *options, const char *input, FoveaTensor *value)
{
  g_hash_table_insert (options->bound, g_strdup (input), fovea_tensor_ref (value));
}

/* A name that isn't an input's is a slip of the caller: say so instead of running with another shape than was asked for. */
static gboolean
check_names (const Graph *graph, GHashTable *names, GError **error)
{
  GHashTableIter iter;
  gpointer       name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    {
      g_autoptr (GString) known = g_string_new (NULL);
      gboolean            found = FALSE;

      for (guint i = 0; i < graph->inputs->len; i++)
        {
          const Value *value = g_ptr_array_index (graph->inputs, i);

          found |= g_str_equal (value->name, name);
          g_string_append_printf (known, "%s“%s”", i ? ", " : "", value->name);
        }
      if (!found)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The model has no input “%s”. Its inputs are: %s.", (const char *) name, known->str);
          return FALSE;
        }
    }
  return TRUE;
}

/* ---- making ----------------------------------------------------------------------------------------------- */

static void *
value_place (const FoveaSession *session, const Value *value)
{
  gint index = GPOINTER_TO_INT (g_hash_table_lookup (session->plan->places, value)) - 1;

  if (index < 0)
    return value->constant ? value->constant->data : value->variable ? value->variable->data : NULL;
  return session->arena + g_array_index (session->plan->tensors, PlanTensor, index).offset;
}

/* Puts addresses where the plan has offsets. */
static void
settle_steps (FoveaSession *session)
{
  session->refreshed = g_array_new (FALSE, FALSE, sizeof (Step *));
  for (guint s = 0; s < session->plan->n_steps; s++)
    {
      Step *step = &session->plan->steps[s];

      if (step->refresh)
        g_array_append_val (session->refreshed, step);
      step->scratch = session->arena + GPOINTER_TO_SIZE (step->scratch);
      step->workspace = session->arena + GPOINTER_TO_SIZE (step->workspace);
      for (guint i = 0; i < step->n_inputs; i++)
        if (step->in[i].value && !step->in[i].value->constant)
          step->in[i].data = value_place (session, step->in[i].value);
      for (guint i = 0; i < step->n_outputs; i++)
        if (step->out[i].value)
          {
            step->out[i].data = value_place (session, step->out[i].value);
            for (guint j = 0; j < session->n_outputs; j++)
              if (session->plan->outputs->pdata[j] == step->out[i].value)
                step->out[i].actual = &session->actual[j];
          }
    }
}

static gboolean
make_port (FoveaSession *session, Port *port, Value *value, gboolean is_half, GError **error)
{
  gpointer place = value_place (session, value);
  gsize    size;

  port->value = value;
  if (is_half && value->type == FOVEA_TYPE_FLOAT32)
    {
      port->tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT16, &value->shape, error);
      port->floats = place;
    }
  else if (shape_bytes_checked (&value->shape, value->type, &size))
    port->tensor = fovea_tensor_new_for_data (value->type, &value->shape, place, size, NULL, NULL, error);
  return port->tensor != NULL;
}

static gboolean
make_ports (FoveaSession *session, GError **error)
{
  Plan *plan = session->plan;

  for (guint i = 0; i < session->n_inputs; i++)
    {
      Value       *value = g_ptr_array_index (plan->inputs, i);
      FoveaTensor *bound = g_hash_table_lookup (plan->bound, value->name);
      Port        *port = &session->inputs[i];

      if (bound)
        {
          /* The caller writes to a copy, which running compares with the value that the plan was made for. */
          port->value = value;
          port->bound = fovea_tensor_ref (bound);
          port->tensor = fovea_tensor_new (bound->type, &bound->shape, error);
          if (!port->tensor)
            return FALSE;
          memcpy (port->tensor->data, bound->data, bound->size);
        }
      else if (!make_port (session, port, value, fovea_model_get_input (session->model, i)->type == FOVEA_TYPE_FLOAT16, error))
        return FALSE;
    }
  for (guint i = 0; i < session->n_outputs; i++)
    {
      Value           *value = g_ptr_array_index (plan->outputs, i);
      const FoveaPort *port = fovea_model_get_output (session->model, i); /* NULL: a gradient */
      gboolean         is_half = port && (port->type == FOVEA_TYPE_NONE ? plan->are_halves[i] : port->type == FOVEA_TYPE_FLOAT16);

      if (!make_port (session, &session->outputs[i], value, is_half, error))
        return FALSE;
    }
  return TRUE;
}

void
session_options_set_cancellable (FoveaSessionOptions *options, GCancellable *cancellable)
{
  options->cancellable = cancellable;
}

/* `options` may be NULL. Threads are left to the caller. */
static gboolean
resolve_options (const FoveaModel *model, const FoveaSessionOptions *options, CompileOptions *compile, GError **error)
{
  if (!options)
    return TRUE;
  compile->reference = options->reference;
  compile->memory_limit = options->memory_limit;
  compile->cancellable = options->cancellable;
  compile->shapes = options->shapes;
  compile->bound = options->bound;
  return check_names (model_get_graph (model), options->shapes, error) && check_names (model_get_graph (model), options->bound, error);
}

Graph *
session_infer (const FoveaModel *model, const FoveaSessionOptions *options, GError **error)
{
  CompileOptions compile = { .n_threads = 1 };

  return resolve_options (model, options, &compile, error) ? plan_infer (model_get_graph (model), &compile, error) : NULL;
}

FoveaSession *
session_new_training (FoveaModel *model, const FoveaSessionOptions *options, const Training *training, GError **error)
{
  g_autoptr (FoveaSession) session = g_new0 (FoveaSession, 1);
  CompileOptions           compile = { .training = training };

  session->model = fovea_model_ref (model);
  if (!resolve_options (model, options, &compile, error))
    return NULL;
  session->pool = pool_new (options ? options->n_threads : 0, error);
  if (!session->pool)
    return NULL;
  compile.n_threads = pool_get_threads (session->pool);

  session->plan = plan_new (model_get_graph (model), &compile, error);
  if (!session->plan)
    return NULL;
  session->arena = memory_alloc (session->plan->arena_bytes, "running the network", error);
  if (!session->arena)
    return NULL;
  session->n_inputs = session->plan->inputs->len;
  session->n_outputs = session->plan->outputs->len;
  session->inputs = g_new0 (Port, session->n_inputs + 1);
  session->outputs = g_new0 (Port, session->n_outputs + 1);
  session->actual = g_new0 (FoveaShape, session->n_outputs + 1);
  settle_steps (session);
  for (guint s = 0; s < session->plan->n_steps; s++)
    session->work += session->plan->work[s];
  if (!make_ports (session, error))
    return NULL;
  return g_steal_pointer (&session);
}

FoveaSession *
fovea_session_new (FoveaModel *model, const FoveaSessionOptions *options, GError **error)
{
  return session_new_training (model, options, NULL, error);
}

static void
clear_ports (Port *ports, guint n)
{
  for (guint i = 0; ports && i < n; i++)
    {
      fovea_tensor_unref (ports[i].tensor);
      fovea_tensor_unref (ports[i].bound);
    }
  g_free (ports);
}

void
fovea_session_free (FoveaSession *session)
{
  if (!session)
    return;
  clear_ports (session->inputs, session->n_inputs);
  clear_ports (session->outputs, session->n_outputs);
  pool_free (session->pool);
  plan_free (session->plan);
  memory_free (session->arena);
  g_clear_pointer (&session->refreshed, g_array_unref);
  fovea_model_unref (session->model);
  g_free (session->actual);
  g_free (session->step_ms);
  g_free (session);
}

/* ---- running ---------------------------------------------------------------------------------------------- */

FoveaTensor *
fovea_session_get_input (FoveaSession *session, guint i)
{
  return i < session->n_inputs ? session->inputs[i].tensor : NULL;
}

FoveaTensor *
fovea_session_get_output (FoveaSession *session, guint i)
{
  return i < session->n_outputs ? session->outputs[i].tensor : NULL;
}

static gboolean
take_inputs (FoveaSession *session, GError **error)
{
  for (guint i = 0; i < session->n_inputs; i++)
    {
      Port          *port = &session->inputs[i];
      const guint16 *halves = port->tensor->data;

      if (port->bound && port->bound->size > 0 && memcmp (port->bound->data, port->tensor->data, port->bound->size) != 0)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                       "Input “%s” was bound to other values when the model was compiled, and shapes depend on it. Compile the model anew.",
                       port->value->name);
          return FALSE;
        }
      for (gsize j = 0; port->floats && j < port->tensor->size / sizeof *halves; j++)
        port->floats[j] = half_to_float (halves[j]);
    }
  return TRUE;
}

static void
give_outputs (FoveaSession *session)
{
  for (guint i = 0; i < session->n_outputs; i++)
    {
      Port    *port = &session->outputs[i];
      guint16 *halves = port->tensor->data;

      if (port->value->dynamic)
        {
          port->tensor->shape = session->actual[i];
          port->tensor->size = shape_count (&session->actual[i]) * type_size (port->tensor->type);
        }
      for (gsize j = 0; port->floats && j < port->tensor->size / sizeof *halves; j++)
        halves[j] = half_from_float (port->floats[j]);
    }
}

/* ---- training --------------------------------------------------------------------------------------------- */

void
session_set_loss (FoveaSession *session, SessionLoss loss, gpointer user_data)
{
  session->loss = loss;
  session->loss_data = user_data;
}

static void
refresh_steps (gconstpointer data, gsize first, gsize last, guint thread)
{
  const FoveaSession *session = data;

  for (gsize i = first; i < last; i++)
    {
      const Step *step = g_array_index (session->refreshed, Step *, i);

      step->refresh (step);
    }
}

void
session_refresh (FoveaSession *session)
{
  session->is_stale = TRUE;
}

/* What is packed of the variables. Where it was stopped it is all to be done again. */
static void
refresh (FoveaSession *session)
{
  if (!session->is_stale)
    return;
  pool_run (session->pool, session->refreshed->len, 1, refresh_steps, session, &session->stop);
  session->is_stale = g_atomic_int_get (&session->stop) != 0;
}

float *
session_get_output_by_name (FoveaSession *session, const char *name)
{
  for (guint i = 0; i < session->n_outputs; i++)
    if (g_str_equal (session->outputs[i].value->name, name))
      return session->outputs[i].tensor->data;
  return NULL;
}

void
session_parallel (FoveaSession *session, gsize n_tasks, void (*func) (gconstpointer data, gsize first, gsize last, guint thread), gconstpointer data)
{
  pool_run (session->pool, n_tasks, 1, func, data, NULL);
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

typedef struct
{
  const Step *step;
  guint       phase;
} Job;

static void
run_job (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Job *job = data;

  job->step->phase[job->phase].run (job->step, first, last, thread);
}

/* Some steps take a microsecond: GLib's clock is too coarse. */
static double
now_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

static void
on_cancelled (GCancellable *cancellable, gpointer session)
{
  g_atomic_int_set (&((FoveaSession *) session)->stop, 1);
}

gboolean
fovea_session_run (FoveaSession *session, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  const Plan *plan = session->plan;
  double      done = 0;
  gulong      handler = 0;
  gboolean    stopped;

  g_atomic_int_set (&session->stop, 0);
  if (!take_inputs (session, error))
    return FALSE;
  if (cancellable)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), session, NULL);

  refresh (session);
  for (guint s = 0; s < plan->n_steps && !g_atomic_int_get (&session->stop); s++)
    {
      const Step *step = &plan->steps[s];
      double      begin = session->step_ms ? now_ms () : 0;

      if ((gint) s == plan->loss_step && session->loss)
        session->loss (step->in, step->out, step->n_outputs, session->loss_data);
      for (guint p = 0; p < step->n_phases; p++)
        {
          Job job = { step, p };

          pool_run (session->pool, step->phase[p].n_tasks, step->phase[p].grain, run_job, &job, &session->stop);
        }
      if (session->step_ms)
        session->step_ms[s] = now_ms () - begin;
      done += plan->work[s];
      if (progress)
        progress (s + 1 == plan->n_steps ? 1 : done / session->work, user_data);
    }

  g_cancellable_disconnect (cancellable, handler);
  stopped = g_atomic_int_get (&session->stop);
  if (stopped)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled.");
      return FALSE;
    }
  give_outputs (session);
  return TRUE;
}

const double *
fovea_session_time_steps (FoveaSession *session)
{
  if (!session->step_ms)
    session->step_ms = g_new0 (double, session->plan->n_steps + 1);
  return session->step_ms;
}

const Step *
session_get_step (const FoveaSession *session, guint i)
{
  return &session->plan->steps[i];
}

/* Bytes of a tensor as it lies in memory. */
static double
view_bytes (const TensorView *view)
{
  gsize bytes = 0;

  if (!view->value || !plan_value_bytes (view->value, &bytes))
    return 0;
  return (double) bytes;
}

void
fovea_session_get_step (const FoveaSession *session, guint i, FoveaStep *described)
{
  const Step *step = &session->plan->steps[i];

  *described = (FoveaStep) {
    .name = step->node->name,
    .operator_type = step->node->type,
    .kernel = step->view >= 0 ? "view" : step->kernel,
    .flop = 2 * (double) node_count_macs (step->node),
  };
  if (step->n_inputs > 0)
    described->in = step->in[0].shape;
  if (step->n_outputs > 0)
    described->out = step->out[0].shape;
  for (guint k = 0; step->view < 0 && k < step->n_inputs; k++)
    described->bytes += view_bytes (&step->in[k]);
  for (guint k = 0; step->view < 0 && k < step->n_outputs; k++)
    described->bytes += view_bytes (&step->out[k]);
}

guint
fovea_session_get_threads (const FoveaSession *session)
{
  return pool_get_threads (session->pool);
}

guint
fovea_session_get_n_steps (const FoveaSession *session)
{
  return session->plan->n_steps;
}

guint64
fovea_session_get_arena_bytes (const FoveaSession *session)
{
  return session->plan->arena_bytes;
}

char *
fovea_session_print_plan (const FoveaSession *session)
{
  return plan_print (session->plan);
}

const char *
fovea_get_isa (void)
{
  return kernels_get ()->name;
}
