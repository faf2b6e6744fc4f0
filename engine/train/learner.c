/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * learner.c: see learner.h.
 */

#include "train/learner.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/memory.h"
#include "model/mapping.h"
#include "model/model.h"
#include "ops/operator.h"

#define CHECKPOINT_MAGIC "Fovea checkpoint 1\n"
#define SAVE_SECONDS 30

struct _Learner
{
  FoveaModel   *model;
  Training      training;
  GPtrArray    *names;      /* of the variables, in the order of the graph: borrowed from the hash table */
  FoveaSession *session;
  Optimizer    *optimizer;
  GPtrArray    *statistics; /* of FoveaTensor: variables that steps move by themselves */
  float        *kept;       /* their numbers before a step, one after the other */
};

/* ---- what is trained -------------------------------------------------------------------------------------------------- */

static gboolean
has_weights (const Node *node)
{
  static const char *const types[] = { "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "GroupNormalization", "InstanceNormalization",
                                       "LayerNormalization", "PRelu" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (!*node->domain && strcmp (node->type, types[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
add_variable (Learner *learner, const Value *value, GError **error)
{
  FoveaTensor *tensor;
  char        *name;

  if (!value || !value->constant || !type_is_float (value->constant->type) || g_hash_table_contains (learner->training.variables, value->name))
    return TRUE;
  tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &value->constant->shape, error);
  if (!tensor)
    return FALSE;
  tensor_read_float (value->constant, 0, shape_count (&tensor->shape), tensor->data);
  mapping_release_pages (value->constant);
  name = g_strdup (value->name);
  g_hash_table_insert (learner->training.variables, name, tensor);
  g_ptr_array_add (learner->names, name);
  return TRUE;
}

static gboolean
choose_variables (Learner *learner, const LearnerSettings *settings, GError **error)
{
  const Graph *graph = model_get_graph (learner->model);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      if (!has_weights (node) || (settings->choice && !settings->choice (node, settings->choice_data)))
        continue;
      for (guint k = 0; k < node->inputs->len; k++)
        if (!add_variable (learner, node_input (node, k), error))
          return FALSE;
    }
  if (learner->names->len == 0)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Nothing of this network is trained. Choose layers with weights.");
      return FALSE;
    }
  return TRUE;
}

/* ---- making -------------------------------------------------------------------------------------------------------------- */

static void
run_tasks (gpointer session, gsize n_tasks, void (*func) (gconstpointer data, gsize first, gsize last, guint thread), gconstpointer data)
{
  session_parallel (session, n_tasks, func, data);
}

/* Statistics to what is kept of them, or back. */
static void
copy_statistics (Learner *learner, gboolean back)
{
  float *kept = learner->kept;

  for (guint i = 0; i < learner->statistics->len; i++)
    {
      FoveaTensor *tensor = g_ptr_array_index (learner->statistics, i);

      memcpy (back ? tensor->data : (gpointer) kept, back ? (gpointer) kept : tensor->data, tensor->size);
      kept += tensor->size / sizeof (float);
    }
}

static gboolean
find_statistics (Learner *learner, GError **error)
{
  gsize n = 0;

  for (guint i = 0; i < learner->names->len; i++)
    {
      const char  *name = g_ptr_array_index (learner->names, i);
      FoveaTensor *tensor = g_hash_table_lookup (learner->training.variables, name);

      if (g_hash_table_contains (learner->training.gradients, name))
        continue;
      g_ptr_array_add (learner->statistics, tensor);
      n += tensor->size;
    }
  learner->kept = memory_alloc_n (MAX (n, 1), 1, "the running statistics", error);
  return learner->kept != NULL;
}

static gboolean
make_optimizer (Learner *learner, const LearnerSettings *settings, GError **error)
{
  g_autofree Parameter *parameters = g_new0 (Parameter, learner->names->len);

  for (guint i = 0; i < learner->names->len; i++)
    {
      const char        *name = g_ptr_array_index (learner->names, i), *gradient = g_hash_table_lookup (learner->training.gradients, name);
      const FoveaTensor *tensor = g_hash_table_lookup (learner->training.variables, name);

      parameters[i] = (Parameter) { .name = name, .data = tensor->data, .n = shape_count (&tensor->shape), .decays = tensor->shape.n_dims > 1,
                                    .rate = settings->rate ? settings->rate (name, tensor, settings->rate_data) : 1.0,
                                    .gradient = gradient ? session_get_output_by_name (learner->session, gradient) : NULL };
    }
  learner->optimizer = optimizer_new (&settings->optimizer, parameters, learner->names->len, run_tasks, learner->session, error);
  return learner->optimizer != NULL;
}

static gboolean
prepare (Learner *learner, const FoveaShape *shape, const LearnerSettings *settings, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort                *input = fovea_model_get_input (learner->model, 0);
  const gint64                    one = 1;
  const FoveaShape                step = shape_make (1, &one);

  if (!input)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "This network has no input. Choose another one to train.");
      return FALSE;
    }
  learner->training.step = fovea_tensor_new (FOVEA_TYPE_INT64, &step, error);
  if (!learner->training.step || !choose_variables (learner, settings, error))
    return FALSE;
  fovea_session_options_set_threads (options, settings->n_threads);
  fovea_session_options_set_shape (options, input->name, shape);
  learner->session = session_new_training (learner->model, options, &learner->training, error);
  if (!learner->session || !make_optimizer (learner, settings, error) || !find_statistics (learner, error))
    return FALSE;
  if (g_hash_table_size (learner->training.gradients) == 0)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "Nothing that is trained has an influence on this network's output. Choose other layers.");
      return FALSE;
    }
  session_refresh (learner->session);
  return TRUE;
}

Learner *
learner_new (FoveaModel *model, const FoveaShape *shape, const LearnerSettings *settings, GError **error)
{
  Learner *learner = g_new0 (Learner, 1);

  learner->model = fovea_model_ref (model);
  learner->names = g_ptr_array_new ();
  learner->statistics = g_ptr_array_new ();
  learner->training.variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fovea_tensor_unref);
  learner->training.gradients = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  learner->training.momentum = settings->momentum;
  learner->training.seed = settings->seed;
  if (!prepare (learner, shape, settings, error))
    g_clear_pointer (&learner, learner_free);
  return learner;
}

void
learner_free (Learner *learner)
{
  if (!learner)
    return;
  optimizer_free (learner->optimizer);
  fovea_session_free (learner->session);
  g_hash_table_unref (learner->training.variables);
  g_hash_table_unref (learner->training.gradients);
  fovea_tensor_unref (learner->training.step);
  g_ptr_array_unref (learner->names);
  g_ptr_array_unref (learner->statistics);
  memory_free (learner->kept);
  fovea_model_unref (learner->model);
  g_free (learner);
}

float *
learner_get_input (Learner *learner)
{
  return fovea_session_get_input (learner->session, 0)->data;
}

FoveaSession *
learner_get_session (Learner *learner)
{
  return learner->session;
}

/* ---- learning ------------------------------------------------------------------------------------------------------------- */

gboolean
learner_step (Learner *learner, SessionLoss loss, gpointer user_data, double learning_rate, double *norm, gboolean *finite, GCancellable *cancellable,
              GError **error)
{
  *(gint64 *) learner->training.step->data = (gint64) optimizer_get_steps (learner->optimizer);
  session_set_loss (learner->session, loss, user_data);
  copy_statistics (learner, FALSE);
  if (!fovea_session_run (learner->session, cancellable, NULL, NULL, error))
    {
      copy_statistics (learner, TRUE);
      return FALSE;
    }
  *finite = optimizer_step (learner->optimizer, learning_rate, norm);
  if (*finite)
    session_refresh (learner->session);
  else
    copy_statistics (learner, TRUE);
  return TRUE;
}

FoveaModel *
learner_make_model (Learner *learner, GCancellable *cancellable, GError **error)
{
  Graph   *graph = graph_copy (model_get_graph (learner->model));
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < learner->names->len; i++)
    {
      const char        *name = g_ptr_array_index (learner->names, i);
      const FoveaTensor *now = g_hash_table_lookup (learner->training.variables, name);
      FoveaTensor       *copy = g_cancellable_set_error_if_cancelled (cancellable, error) ? NULL : fovea_tensor_new (FOVEA_TYPE_FLOAT32, &now->shape, error);
      Value             *value = graph_find_value (graph, name);

      ok = copy != NULL;
      if (!ok)
        break;
      memcpy (copy->data, optimizer_get_average (learner->optimizer, now->data), now->size);
      fovea_tensor_unref (value->constant);
      value->constant = copy;
      value->type = FOVEA_TYPE_FLOAT32;
    }
  if (!ok)
    {
      graph_free (graph);
      return NULL;
    }
  return model_new_for_graph (graph, fovea_model_get_name (learner->model));
}

/* ---- checkpoints: magic, number of steps, number of blocks, for each its size and floats, size of extra, extra; the order of bytes is the machine's ---- */

/* Block i: the variables, then the optimizer's state. */
static float *
get_block (Learner *learner, guint i, gsize *n)
{
  FoveaTensor *tensor;

  if (i >= learner->names->len)
    return optimizer_get_state (learner->optimizer, i - learner->names->len, n);
  tensor = g_hash_table_lookup (learner->training.variables, g_ptr_array_index (learner->names, i));
  *n = shape_count (&tensor->shape);
  return tensor->data;
}

guint64
learner_count_bytes (Learner *learner)
{
  guint64 bytes = fovea_session_get_arena_bytes (learner->session);
  gsize   n;

  for (guint i = 0; get_block (learner, i, &n); i++)
    bytes += n * sizeof (float);
  return bytes;
}

GPtrArray *
learner_copy_state (Learner *learner, GError **error)
{
  g_autoptr (GPtrArray) state = g_ptr_array_new_with_free_func (memory_free);
  float                *block;
  gsize                 n;

  for (guint i = 0; (block = get_block (learner, i, &n)); i++)
    {
      float *copy = memory_alloc_n (n, sizeof *block, "a copy of the weights", error);

      if (!copy)
        return NULL;
      memcpy (copy, block, n * sizeof *block);
      g_ptr_array_add (state, copy);
    }
  return g_steal_pointer (&state);
}

void
learner_restore_state (Learner *learner, const GPtrArray *state, guint64 steps)
{
  float *block;
  gsize  n;

  for (guint i = 0; (block = get_block (learner, i, &n)); i++)
    memcpy (block, g_ptr_array_index (state, i), n * sizeof *block);
  optimizer_set_steps (learner->optimizer, steps);
  session_refresh (learner->session);
}

guint64
learner_get_steps (Learner *learner)
{
  return optimizer_get_steps (learner->optimizer);
}

static gboolean
write_number (GOutputStream *stream, guint64 number, GError **error)
{
  return g_output_stream_write_all (stream, &number, sizeof number, NULL, NULL, error);
}

static gboolean
write_checkpoint (Learner *learner, GOutputStream *stream, GBytes *extra, GError **error)
{
  gsize   n, size;
  guint64 n_blocks = 0;
  float  *block;

  while (get_block (learner, (guint) n_blocks, &n))
    n_blocks++;
  if (!g_output_stream_write_all (stream, CHECKPOINT_MAGIC, strlen (CHECKPOINT_MAGIC), NULL, NULL, error)
      || !write_number (stream, optimizer_get_steps (learner->optimizer), error) || !write_number (stream, n_blocks, error))
    return FALSE;
  for (guint i = 0; (block = get_block (learner, i, &n)); i++)
    if (!write_number (stream, n, error) || !g_output_stream_write_all (stream, block, n * sizeof *block, NULL, NULL, error))
      return FALSE;
  size = extra ? g_bytes_get_size (extra) : 0;
  return write_number (stream, size, error)
         && (size == 0 || g_output_stream_write_all (stream, g_bytes_get_data (extra, NULL), size, NULL, NULL, error));
}

gboolean
learner_save (Learner *learner, const char *path, GBytes *extra, GError **error)
{
  g_autoptr (GFile)             file = g_file_new_for_path (path);
  g_autoptr (GFileOutputStream) stream = g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE | G_FILE_CREATE_REPLACE_DESTINATION, NULL, error);
  g_autoptr (GCancellable)      give_up = g_cancellable_new ();

  if (!stream)
    return FALSE;
  if (write_checkpoint (learner, G_OUTPUT_STREAM (stream), extra, error))
    return g_output_stream_close (G_OUTPUT_STREAM (stream), NULL, error);
  g_cancellable_cancel (give_up); /* closing so leaves the old file in its place */
  g_output_stream_close (G_OUTPUT_STREAM (stream), give_up, NULL);
  return FALSE;
}

static gboolean
read_exactly (GInputStream *stream, gpointer buffer, gsize size, GError **error)
{
  gsize n = 0;

  if (!g_input_stream_read_all (stream, buffer, size, &n, NULL, error))
    return FALSE;
  if (n != size)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("The checkpoint is cut off. Delete it and train from the start."));
  return n == size;
}

static gboolean
refuse_checkpoint (GError **error)
{
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                       _("The checkpoint belongs to another network or other settings. Train with those, or delete it and train from the start."));
  return FALSE;
}

static GBytes *
read_checkpoint (Learner *learner, GInputStream *stream, GError **error)
{
  char    magic[sizeof CHECKPOINT_MAGIC - 1];
  guint64 steps, n_blocks, size;
  gsize   n, i = 0;
  float  *block;
  guint8 *extra;

  if (!read_exactly (stream, magic, sizeof magic, error))
    return NULL;
  if (memcmp (magic, CHECKPOINT_MAGIC, sizeof magic) != 0)
    {
      refuse_checkpoint (error);
      return NULL;
    }
  if (!read_exactly (stream, &steps, sizeof steps, error) || !read_exactly (stream, &n_blocks, sizeof n_blocks, error))
    return NULL;
  for (; (block = get_block (learner, (guint) i, &n)); i++)
    {
      if (i >= n_blocks || !read_exactly (stream, &size, sizeof size, error) || size != n)
        {
          if (!error || !*error)
            refuse_checkpoint (error);
          return NULL;
        }
      if (!read_exactly (stream, block, n * sizeof *block, error))
        return NULL;
    }
  if (i != n_blocks || !read_exactly (stream, &size, sizeof size, error) || size > 1 << 20)
    {
      if (!error || !*error)
        refuse_checkpoint (error);
      return NULL;
    }
  extra = g_malloc (size + 1);
  if (!read_exactly (stream, extra, size, error))
    {
      g_free (extra);
      return NULL;
    }
  optimizer_set_steps (learner->optimizer, steps);
  session_refresh (learner->session);
  return g_bytes_new_take (extra, size);
}

GBytes *
learner_load (Learner *learner, const char *path, GError **error)
{
  g_autoptr (GFile)            file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  g_autoptr (GInputStream)     buffered = NULL;

  if (!stream)
    return NULL;
  buffered = g_buffered_input_stream_new_sized (G_INPUT_STREAM (stream), 1 << 16);
  return read_checkpoint (learner, buffered, error);
}

/* FOVEA_CHECKPOINT_SECONDS is for tests and for careful people. */
gboolean
learner_is_save_due (gint64 *saved)
{
  const char *seconds = g_getenv ("FOVEA_CHECKPOINT_SECONDS");
  gint64      now = g_get_monotonic_time ();

  if (now - *saved < (seconds ? g_ascii_strtoll (seconds, NULL, 10) : SAVE_SECONDS) * G_TIME_SPAN_SECOND)
    return FALSE;
  *saved = now;
  return TRUE;
}
