/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * compile.c: the order of things from a graph to a plan: shapes of the inputs, shape inference, passes, steps, memory. See plan.h.
 */

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "compile/gradients.h"
#include "compile/infer-shapes.h"
#include "compile/memory-plan.h"
#include "compile/passes.h"
#include "compile/plan.h"
#include "compile/step-make.h"
#include "ops/macs.h"
#include "ops/operator.h"

#define MEMORY_WORK 8 /* a number that is read or written takes as long as so many multiply-adds */

gboolean
plan_value_bytes (const Value *value, gsize *bytes)
{
  FoveaShape shape = value->shape;

  if (value->layout == LAYOUT_BLOCKED)
    shape.dims[1] = (shape.dims[1] + 15) / 16 * 16;
  return shape_bytes_checked (&shape, value->type, bytes);
}

/* ---- inputs ----------------------------------------------------------------------------------------------- */

static gboolean
set_input_shape (Value *value, const FoveaShape *given, GError **error)
{
  gsize count;

  if (!value->has_rank && !given)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE, _("The model doesn't say the shape of its input “%s”. Give one."), value->name);
      return FALSE;
    }
  if (given && value->has_rank && given->n_dims != value->shape.n_dims)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE, _("Input “%s” has %u dimensions, but a shape of %u was given."), value->name,
                   value->shape.n_dims, given->n_dims);
      return FALSE;
    }
  for (guint i = 0; given && value->has_rank && i < given->n_dims; i++)
    if (value->shape.dims[i] >= 0 && value->shape.dims[i] != given->dims[i])
      {
        g_autofree char *wanted = shape_to_string (&value->shape), *got = shape_to_string (given);

        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE,
                     _("The model's input “%s” is of shape %s; a shape of %s doesn't fit. Give the model's own, or export it with free dimensions."),
                     value->name, wanted, got);
        return FALSE;
      }
  if (given)
    value->shape = *given;
  value->has_rank = TRUE;
  for (guint i = 0; i < value->shape.n_dims; i++)
    if (value->shape.dims[i] < 0)
      value->shape.dims[i] = 1;
  if (!shape_count_checked (&value->shape, &count))
    {
      g_autofree char *text = shape_to_string (&value->shape);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE, _("Input “%s” of shape %s is too large. Give a smaller one."), value->name, text);
      return FALSE;
    }
  return TRUE;
}

static gboolean
set_input_shapes (Graph *graph, const CompileOptions *options, GError **error)
{
  for (guint i = 0; i < graph->inputs->len; i++)
    {
      Value             *value = g_ptr_array_index (graph->inputs, i);
      const FoveaTensor *bound = options->bound ? g_hash_table_lookup (options->bound, value->name) : NULL;
      const FoveaShape  *shape = options->shapes ? g_hash_table_lookup (options->shapes, value->name) : NULL;

      if (bound && value->type != FOVEA_TYPE_NONE && bound->type != value->type)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Input “%s” is of type %s; a value of type %s can't be bound to it.", value->name,
                       type_name (value->type), type_name (bound->type));
          return FALSE;
        }
      if (!set_input_shape (value, bound ? &bound->shape : shape, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

static gsize
memory_limit (const CompileOptions *options)
{
  guint64 machine = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE);

  return (gsize) MIN (options->memory_limit ? options->memory_limit : machine, G_MAXSSIZE);
}

/* Operators make tables for what they read and write: what can never fit is refused before they do. */
static gboolean
check_values (const Node *node, gboolean outputs, guint64 limit, GError **error)
{
  for (guint i = 0; i < (outputs ? node->outputs : node->inputs)->len; i++)
    {
      const Value *value = outputs ? node_output (node, i) : node_input (node, i);
      gsize        bytes;

      if (value && (outputs || !value->constant) && (!shape_bytes_checked (&value->shape, value->type, &bytes) || bytes > limit))
        {
          g_autofree char *shape = shape_to_string (&value->shape);
          g_autofree char *text = g_format_size_full (limit, G_FORMAT_SIZE_IEC_UNITS);

          return node_error (node, error, FOVEA_ERROR_MEMORY, "its %s of shape %s takes more than %s. Give the model a smaller input.",
                             outputs ? "output" : "input", shape, text);
        }
    }
  return TRUE;
}

static gboolean
node_is_loss (const Node *node)
{
  return strcmp (node->domain, "fovea") == 0 && strcmp (node->type, "Loss") == 0;
}

/* Constants that every step that uses them has packed aren't needed any more: those that passes made go, those of the model stay there. */
static void
drop_packed (const Step *step, GHashTable *uses)
{
  for (guint i = 0; i < step->n_inputs; i++)
    {
      Value *value = step->in[i].value;
      guint  left;

      if (!value || !value->constant || !step->in[i].packed)
        continue;
      left = GPOINTER_TO_UINT (g_hash_table_lookup (uses, value)) - 1;
      g_hash_table_insert (uses, value, GUINT_TO_POINTER (left));
      if (left == 0)
        g_clear_pointer (&value->constant, fovea_tensor_unref);
    }
}

static GHashTable *
count_uses (const Graph *graph)
{
  GHashTable *uses = g_hash_table_new (NULL, NULL); /* Value* -> inputs of nodes and outputs of the graph that it is */

  for (guint i = 0; i < graph->nodes->len; i++)
    for (guint k = 0; k < ((const Node *) graph->nodes->pdata[i])->inputs->len; k++)
      {
        Value *value = node_input (graph->nodes->pdata[i], k);

        if (value)
          g_hash_table_insert (uses, value, GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (uses, value)) + 1));
      }
  for (guint i = 0; i < graph->outputs->len; i++)
    g_hash_table_insert (uses, graph->outputs->pdata[i],
                         GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (uses, graph->outputs->pdata[i])) + 1));
  return uses;
}

static gboolean
make_steps (Plan *plan, const CompileOptions *options, GError **error)
{
  gsize limit = memory_limit (options);
  g_autoptr (GHashTable) uses = count_uses (plan->graph);

  plan->steps = g_new0 (Step, plan->graph->nodes->len + 1);
  plan->work = g_new0 (double, plan->graph->nodes->len + 1);
  for (guint i = 0; i < plan->graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (plan->graph->nodes, i);
      Step       *step = &plan->steps[i];

      if (g_cancellable_set_error_if_cancelled (options->cancellable, error) || !check_values (node, FALSE, limit, error) || !check_values (node, TRUE, limit, error))
        return FALSE;
      plan->n_steps++;
      if (options->training && node_is_loss (node))
        plan->loss_step = (gint) i;
      if (!step_make (step, node, options->reference, options->n_threads, limit - plan->weight_bytes, error))
        return FALSE;
      plan->weight_bytes += step->held;
      plan->work[i] = (double) node_count_macs (node) + MEMORY_WORK * (double) node_count_elements (node);
      drop_packed (step, uses);
    }
  return TRUE;
}

/* ---- memory ----------------------------------------------------------------------------------------------- */

static gint
tensor_index (const Plan *plan, const Value *value)
{
  return GPOINTER_TO_INT (g_hash_table_lookup (plan->places, value)) - 1;
}

static PlanTensor *
tensor_at (const Plan *plan, gint index)
{
  return &g_array_index (plan->tensors, PlanTensor, index);
}

/* The tensor that owns the memory of tensor `index`; *shift (may be NULL) is where in it that one begins. */
static gint
tensor_root (const Plan *plan, gint index, gsize *shift)
{
  gsize sum = 0;

  for (; tensor_at (plan, index)->root != index; index = tensor_at (plan, index)->root)
    sum += tensor_at (plan, index)->shift;
  if (shift)
    *shift = sum;
  return index;
}

/* Notes that a value is alive at `step`. */
static gboolean
touch_value (Plan *plan, Value *value, gint step, GError **error)
{
  gint index;

  if (!value || value->constant || value->variable)
    return TRUE;
  index = tensor_index (plan, value);
  if (index < 0)
    {
      PlanTensor tensor = { .value = value, .first = step, .last = step, .root = (gint) plan->tensors->len };

      if (!plan_value_bytes (value, &tensor.bytes))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Tensor “%s” is too large. Use a smaller input."), value->name);
          return FALSE;
        }
      g_array_append_val (plan->tensors, tensor);
      g_hash_table_insert (plan->places, value, GINT_TO_POINTER (plan->tensors->len));
      return TRUE;
    }
  tensor_at (plan, index)->last = MAX (tensor_at (plan, index)->last, step);
  return TRUE;
}

static gboolean
find_lives (Plan *plan, GError **error)
{
  gint end = (gint) plan->n_steps;

  for (guint i = 0; i < plan->inputs->len; i++)
    if (!touch_value (plan, g_ptr_array_index (plan->inputs, i), -1, error))
      return FALSE;
  for (gint s = 0; s < end; s++)
    {
      Step *step = &plan->steps[s];

      for (guint i = 0; i < step->n_inputs; i++)
        if (!step->in[i].packed && !touch_value (plan, step->in[i].value, s, error))
          return FALSE;
      for (guint i = 0; i < step->n_outputs; i++)
        if (!touch_value (plan, step->out[i].value, s, error))
          return FALSE;
    }
  for (guint i = 0; i < plan->outputs->len; i++)
    if (!touch_value (plan, g_ptr_array_index (plan->outputs, i), end, error))
      return FALSE;
  return TRUE;
}

/* Gives tensor `index`, and all that lies in its memory, the memory of `owner` from `shift` on, whose life then covers both. */
static void
share_memory (Plan *plan, gint index, gint owner, gsize shift)
{
  gsize       owner_shift;
  gint        root_index = tensor_root (plan, owner, &owner_shift);
  PlanTensor *root = tensor_at (plan, root_index), *tensor = tensor_at (plan, index);

  tensor->root = root_index;
  tensor->shift = owner_shift + shift;
  root->first = MIN (root->first, tensor->first);
  root->last = MAX (root->last, tensor->last);
}

/* Makes the parts, views of n values, in the memory of `whole`, one after the other; whether that could be done with all of them. What has a place
 * already, in another tensor or outside the arena, is left where it is: the step copies it. */
static gboolean
share_parts (Plan *plan, Value *whole, const TensorView *parts, guint n)
{
  gint     owner = tensor_index (plan, whole);
  gsize    at = 0;
  gboolean all = TRUE;

  if (owner < 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      gint  part = tensor_index (plan, parts[i].value), root = part < 0 ? part : tensor_root (plan, part, NULL);
      gsize bytes = 0;

      if (!plan_value_bytes (parts[i].value, &bytes))
        return FALSE;
      if (root >= 0 && root != tensor_root (plan, owner, NULL) && tensor_at (plan, root)->bytes == bytes)
        share_memory (plan, root, owner, at);
      else
        all = FALSE;
      at += bytes;
    }
  return all;
}

/* Whether the step reads something else that lies in the same memory as input `from`: writing there would change it. */
static gboolean
reads_same_memory (const Plan *plan, const Step *step, gint from)
{
  gint root = tensor_root (plan, tensor_index (plan, step->in[from].value), NULL);

  for (guint i = 0; i < step->n_inputs; i++)
    {
      gint index = step->in[i].value ? tensor_index (plan, step->in[i].value) : -1;

      if (index >= 0 && step->in[i].value != step->in[from].value && tensor_root (plan, index, NULL) == root)
        return TRUE;
    }
  return FALSE;
}

/* Views always share. In place happens where nobody needs the input any more after the step. Parts are made where the whole will be, and taken
 * from where it is. */
static void
share_tensors (Plan *plan)
{
  gboolean share = !UNDER_ADDRESS_SANITIZER && pass_is_on ("share-parts");

  for (gint s = 0; s < (gint) plan->n_steps; s++)
    {
      Step *step = &plan->steps[s];
      gint  from = step->view >= 0 ? step->view : step->in_place;
      gint  in, out;

      if (share && ((step->joins && share_parts (plan, step->out[0].value, step->in, step->n_inputs))
                    || (step->splits && share_parts (plan, step->in[0].value, step->out, step->n_outputs))))
        {
          step->kernel = "in place";
          step->n_phases = 0;
        }
      if (from < 0 || !step->in[from].value || !step->out[0].value || step->in[from].value->constant || step->in[from].value->variable)
        continue;
      in = tensor_index (plan, step->in[from].value);
      out = tensor_index (plan, step->out[0].value);
      if (step->view >= 0
          || (!UNDER_ADDRESS_SANITIZER && tensor_at (plan, tensor_root (plan, in, NULL))->last == s && tensor_at (plan, in)->bytes == tensor_at (plan, out)->bytes
              && !reads_same_memory (plan, step, from)))
        share_memory (plan, out, in, 0);
    }
}

/* Tensors, then scratch and workspace of each step: blocks of one arena. */
static gboolean
place_tensors (Plan *plan, const CompileOptions *options, GError **error)
{
  guint                   n_tensors = plan->tensors->len;
  gsize                   n = n_tensors + 2 * plan->n_steps;
  g_autofree MemoryBlock *blocks = g_new0 (MemoryBlock, n + 1);
  gboolean                fits = TRUE;

  for (guint i = 0; i < n_tensors; i++)
    {
      const PlanTensor *tensor = tensor_at (plan, (gint) i);

      if (tensor->root == (gint) i)
        blocks[i] = (MemoryBlock){ tensor->bytes, tensor->first, tensor->last, 0 };
    }
  for (guint s = 0; s < plan->n_steps; s++)
    {
      MemoryBlock *scratch = &blocks[n_tensors + 2 * s], *workspace = scratch + 1;

      plan->steps[s].scratch_size = (plan->steps[s].scratch_size + 63) & ~(gsize) 63;
      *scratch = (MemoryBlock){ 0, (gint) s, (gint) s, 0 };
      *workspace = (MemoryBlock){ plan->steps[s].workspace_size, (gint) s, (gint) s, 0 };
      fits &= g_size_checked_mul (&scratch->size, plan->steps[s].scratch_size, options->n_threads);
    }
  fits = fits && memory_plan (blocks, n, UNDER_ADDRESS_SANITIZER, &plan->arena_bytes);
  if (!fits || plan->arena_bytes > memory_limit (options) - plan->weight_bytes)
    {
      g_autofree char *wanted = g_format_size_full (fits ? plan->arena_bytes : G_MAXSIZE, G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *weights = g_format_size_full (plan->weight_bytes, G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *limit = g_format_size_full (memory_limit (options), G_FORMAT_SIZE_IEC_UNITS);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY,
                   _("This input needs %s of memory beside weights of %s, more than the limit of %s. Use a smaller input."), wanted, weights, limit);
      return FALSE;
    }

  for (guint i = 0; i < n_tensors; i++)
    {
      gsize shift;
      gint  root = tensor_root (plan, (gint) i, &shift);

      tensor_at (plan, (gint) i)->offset = blocks[root].offset + shift;
    }
  for (guint s = 0; s < plan->n_steps; s++)
    {
      /* Offsets until the session knows where the arena begins. */
      plan->steps[s].scratch = GSIZE_TO_POINTER (blocks[n_tensors + 2 * s].offset);
      plan->steps[s].workspace = GSIZE_TO_POINTER (blocks[n_tensors + 2 * s + 1].offset);
    }
  return TRUE;
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

Plan *
plan_new (const Graph *graph, const CompileOptions *options, GError **error)
{
  g_autoptr (Plan) plan = g_new0 (Plan, 1);

  plan->loss_step = -1;
  plan->graph = graph_copy (graph);
  plan->tensors = g_array_new (FALSE, FALSE, sizeof (PlanTensor));
  plan->places = g_hash_table_new (NULL, NULL);
  plan->bound = g_hash_table_new (g_str_hash, g_str_equal);
  plan->inputs = g_ptr_array_ref (plan->graph->inputs);
  plan->outputs = g_ptr_array_ref (plan->graph->outputs);

  if (!set_input_shapes (plan->graph, options, error) || !infer_shapes (plan->graph, options, plan->bound, error))
    return NULL;
  plan->are_halves = g_new0 (gboolean, plan->outputs->len + 1);
  for (guint i = 0; i < plan->outputs->len; i++)
    plan->are_halves[i] = ((const Value *) plan->outputs->pdata[i])->is_half;
  if ((options->training && !append_gradients (plan->graph, options->training, error))
      || !run_passes (plan->graph, options->reference, options->cancellable, error) || !make_steps (plan, options, error) || !find_lives (plan, error))
    return NULL;
  share_tensors (plan);
  if (!place_tensors (plan, options, error))
    return NULL;
  return g_steal_pointer (&plan);
}

Graph *
plan_infer (const Graph *graph, const CompileOptions *options, GError **error)
{
  g_autoptr (Graph)      copy = graph_copy (graph);
  g_autoptr (GHashTable) bound = g_hash_table_new (g_str_hash, g_str_equal);

  if (!set_input_shapes (copy, options, error) || !infer_shapes (copy, options, bound, error))
    return NULL;
  return g_steal_pointer (&copy);
}

void
plan_free (Plan *plan)
{
  if (!plan)
    return;
  for (guint i = 0; i < plan->n_steps; i++)
    step_clear (&plan->steps[i]);
  g_free (plan->steps);
  g_free (plan->work);
  g_free (plan->are_halves);
  g_array_unref (plan->tensors);
  g_hash_table_unref (plan->places);
  g_hash_table_unref (plan->bound);
  g_ptr_array_unref (plan->inputs);
  g_ptr_array_unref (plan->outputs);
  graph_free (plan->graph);
  g_free (plan);
}
