/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * node-runner.c: see node-runner.h.
 */

#include "node-runner.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "compile/step-make.h"
#include "kernels/kernels.h"

double
runner_random (void)
{
  return g_test_rand_double_range (-1.0, 1.0);
}

Runner *
runner_new (const char *type)
{
  Runner *runner = g_new0 (Runner, 1);

  runner->graph = graph_new ();
  g_hash_table_insert (runner->graph->opsets, g_strdup (""), GINT_TO_POINTER (22));
  runner->node = graph_add_node (runner->graph, "", type, "tested", -1);
  return runner;
}

void
runner_free (Runner *runner)
{
  for (guint i = 0; i < RUNNER_MAX_VALUES; i++)
    g_free (runner->data[i]);
  operator_clear_node (runner->node);
  graph_free (runner->graph);
  g_free (runner);
}

gpointer
runner_add (Runner *runner, FoveaType type, guint n_dims, const gint64 *dims, gboolean constant)
{
  FoveaShape shape = shape_make (n_dims, dims);
  guint      i = runner->node->inputs->len;
  gsize      n = shape_count (&shape);
  gpointer   data;

  if (constant)
    {
      g_autoptr (FoveaTensor) tensor = fovea_tensor_new (type, &shape, NULL);

      runner->in[i] = graph_add_constant (runner->graph, NULL, tensor);
      data = tensor->data;
    }
  else
    {
      runner->in[i] = graph_add_value (runner->graph, NULL);
      runner->in[i]->type = type;
      runner->in[i]->has_rank = TRUE;
      runner->in[i]->shape = shape;
      data = runner->data[i] = g_malloc0 (n * type_size (type) + 1);
    }
  for (gsize j = 0; j < n; j++)
    switch (type)
      {
      case FOVEA_TYPE_FLOAT32: ((float *) data)[j] = (float) runner_random (); break;
      case FOVEA_TYPE_FLOAT64: ((double *) data)[j] = runner_random (); break;
      default:                 ((guint8 *) data)[j] = (guint8) g_test_rand_int_range (0, 256); break;
      }
  node_add_input (runner->node, runner->in[i]);
  return data;
}

void
runner_skip (Runner *runner)
{
  node_add_input (runner->node, NULL);
}

static const FoveaTensor *
runner_constant (InferContext *context, const Node *node, guint i, GError **error)
{
  if (!node_input (node, i)->constant)
    node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its input %u isn't a constant.", i);
  return node_input (node, i)->constant;
}

gboolean
runner_infer (Runner *runner, guint n_outputs, GError **error)
{
  InferContext context = { runner_constant };

  for (guint i = 0; i < n_outputs; i++)
    {
      runner->out[i] = graph_add_value (runner->graph, NULL);
      node_add_output (runner->node, runner->out[i]);
    }
  return operator_parse_node (runner->node, error) && runner->node->op->infer (runner->node, &context, error);
}

/* Bytes of a value in its layout. */
static gsize
view_bytes (const TensorView *view)
{
  const FoveaShape *shape = &view->shape;

  if (view->layout == LAYOUT_PLAIN)
    return shape_count (shape) * type_size (view->type);
  return (gsize) shape->dims[0] * kernel_blocks ((gsize) shape->dims[1]) * KERNEL_BLOCK * shape_count_range (shape, 2, 4) * sizeof (float);
}

/* Every image to blocks, or back. */
static void
reorder (const TensorView *view, gconstpointer from, gpointer to, gboolean to_blocks)
{
  gsize channels = (gsize) view->shape.dims[1], pixels = shape_count_range (&view->shape, 2, 4),
        blocked = kernel_blocks (channels) * KERNEL_BLOCK * pixels;

  for (gsize i = 0; i < (gsize) view->shape.dims[0]; i++)
    if (to_blocks)
      kernels_reference.block ((const float *) from + i * channels * pixels, (float *) to + i * blocked, channels, pixels, 0, pixels);
    else
      kernels_reference.unblock ((const float *) from + i * blocked, (float *) to + i * channels * pixels, channels, pixels, 0, pixels);
}

/* The lanes past the last channel must be zero. */
static void
check_tail (const TensorView *view)
{
  gsize channels = (gsize) view->shape.dims[1], pixels = shape_count_range (&view->shape, 2, 4), blocks = kernel_blocks (channels);

  for (gsize i = 0; i < (gsize) view->shape.dims[0] * blocks * pixels * KERNEL_BLOCK; i++)
    if (i / (pixels * KERNEL_BLOCK) % blocks * KERNEL_BLOCK + i % KERNEL_BLOCK >= channels)
      g_assert_true (((float *) view->data)[i] == 0.0f);
}

static void
set_layouts (Runner *runner, const BlockedForm *form)
{
  for (guint i = 0; i < runner->node->inputs->len; i++)
    if (node_input (runner->node, i))
      node_input (runner->node, i)->layout = form->inputs >> i & 1 ? LAYOUT_BLOCKED : LAYOUT_PLAIN;
  for (guint i = 0; i < runner->node->outputs->len; i++)
    node_output (runner->node, i)->layout = form->outputs >> i & 1 ? LAYOUT_BLOCKED : LAYOUT_PLAIN;
}

/* Data of their exact size for everything that the step touches, so that sanitizers see each byte past the end. */
static void
give_data (Runner *runner, Step *step, guint n_threads)
{
  for (guint i = 0; i < step->n_inputs; i++)
    if (step->in[i].value && !step->in[i].value->constant)
      {
        step->in[i].data = memory_alloc (view_bytes (&step->in[i]), "a test", NULL);
        if (step->in[i].layout == LAYOUT_BLOCKED)
          reorder (&step->in[i], runner->data[i], step->in[i].data, TRUE);
        else
          memcpy (step->in[i].data, runner->data[i], view_bytes (&step->in[i]));
      }
  for (guint i = 0; i < step->n_outputs; i++)
    {
      step->out[i].data = memory_alloc (view_bytes (&step->out[i]), "a test", NULL);
      memset (step->out[i].data, 0xff, view_bytes (&step->out[i]));
    }
  step->scratch = memory_alloc (step->scratch_size * n_threads, "a test", NULL);
  step->workspace = memory_alloc (step->workspace_size, "a test", NULL);
  memset (step->scratch, 0xff, step->scratch_size * n_threads);
  memset (step->workspace, 0xff, step->workspace_size);
}

static void
free_data (Step *step)
{
  for (guint i = 0; i < step->n_inputs; i++)
    if (step->in[i].value && !step->in[i].value->constant)
      memory_free (step->in[i].data);
  for (guint i = 0; i < step->n_outputs; i++)
    memory_free (step->out[i].data);
  memory_free (step->scratch);
  memory_free (step->workspace);
}

gpointer
runner_run (Runner *runner, gboolean blocked, guint n_threads, guint output, const char **kernel)
{
  BlockedForm form = { 0 };
  Step        step;
  GError     *error = NULL;
  gpointer    result;

  if (blocked && !(runner->node->op->blocked && runner->node->op->blocked (runner->node, &form)))
    return NULL;
  set_layouts (runner, &form);
  if (!step_make (&step, runner->node, !blocked, n_threads, G_MAXSIZE, &error))
    g_error ("%s", error->message);
  give_data (runner, &step, n_threads);

  /* The last tasks first: order must not matter. */
  for (guint phase = 0; phase < step.n_phases; phase++)
    for (gsize last = step.phase[phase].n_tasks, turn = 0; last > 0; turn++)
      {
        gsize first = last > step.phase[phase].grain ? last - step.phase[phase].grain : 0;

        step.phase[phase].run (&step, first, last, (guint) (turn % n_threads));
        last = first;
      }

  result = g_malloc (shape_count (&step.out[output].shape) * type_size (step.out[output].type) + 1);
  if (step.out[output].layout == LAYOUT_BLOCKED)
    {
      check_tail (&step.out[output]);
      reorder (&step.out[output], step.out[output].data, result, FALSE);
    }
  else
    memcpy (result, step.out[output].data, view_bytes (&step.out[output]));
  if (kernel)
    *kernel = step.kernel;
  free_data (&step);
  step_clear (&step);
  return result;
}
