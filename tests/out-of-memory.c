/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * out-of-memory.c: every large allocation of loading, compiling and running fails in turn: each time the answer is an error of kind FOVEA_ERROR_MEMORY,
 * never a crash, and (the address sanitizer sees to that) nothing leaks. The doors to memory that can fail are wrapped by the linker: aligned_alloc for
 * tensors, arenas and weights, g_try_malloc for what protobuf-c asks for. GLib's own small allocations abort by design.
 */

#include <glib/gstdio.h>
#include <stdlib.h>

#include "small-graph.h"

void    *__real_aligned_alloc (size_t alignment, size_t size);
void    *__wrap_aligned_alloc (size_t alignment, size_t size);
gpointer __real_g_try_malloc (gsize size);
gpointer __wrap_g_try_malloc (gsize size);

static gint n_allocations, failing; /* the allocation that fails, counted from 1; 0: none */

static gboolean
fails_now (void)
{
  return g_atomic_int_add (&n_allocations, 1) + 1 == failing;
}

void *
__wrap_aligned_alloc (size_t alignment, size_t size)
{
  return fails_now () ? NULL : __real_aligned_alloc (alignment, size);
}

gpointer
__wrap_g_try_malloc (gsize size)
{
  return fails_now () ? NULL : __real_g_try_malloc (size);
}

static Value *
add_floats (Graph *graph, guint n_dims, const gint64 *dims)
{
  FoveaShape shape = { .n_dims = n_dims };

  memcpy (shape.dims, dims, n_dims * sizeof *dims);
  return small_graph_add_floats (graph, NULL, &shape, NULL);
}

/* Of each kind a layer: what is packed, folded, evaluated while compiling, and needs scratch. */
static char *
write_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;
  g_autofree char *folder = g_dir_make_tmp ("fovea-XXXXXX", &error);
  Graph       *graph = small_graph_new ();
  Value       *x = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 3, 32, 32 } }), *y, *sum;
  const gint64 pads[] = { 1, 1, 1, 1 };
  char        *path;

  y = small_graph_add_node (graph, "Conv", x, add_floats (graph, 4, (gint64[]){ 32, 3, 3, 3 }));
  node_set_ints (y->producer, "pads", pads, 4);
  sum = small_graph_add_node (graph, "Add", add_floats (graph, 3, (gint64[]){ 32, 1, 1 }), add_floats (graph, 3, (gint64[]){ 32, 1, 1 }));
  y = small_graph_add_node (graph, "Relu", small_graph_add_node (graph, "Mul", y, sum), NULL);
  y = small_graph_add_node (graph, "Conv", y, add_floats (graph, 4, (gint64[]){ 32, 32, 3, 3 }));
  y = small_graph_add_node (graph, "GlobalAveragePool", y, NULL);
  y = small_graph_add_node (graph, "MatMul", small_graph_add_node (graph, "Flatten", y, NULL), add_floats (graph, 2, (gint64[]){ 32, 10 }));
  y = small_graph_add_node (graph, "Softmax", y, NULL);
  model = model_new_for_graph (small_graph_finish (graph, y, NULL), "test");

  path = g_build_filename (folder, "net.onnx", NULL);
  g_assert_true (fovea_model_save (model, path, &error));
  return path;
}

static gboolean
load_compile_run (const char *path, gboolean reference, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaModel) model = fovea_model_load (path, error);
  g_autoptr (FoveaSession) session = NULL;

  fovea_session_options_set_threads (options, 1);
  fovea_session_options_set_reference (options, reference);
  session = model ? fovea_session_new (model, options, error) : NULL;
  return session && fovea_session_run (session, NULL, NULL, NULL, error);
}

static void
test_every_allocation (gconstpointer reference)
{
  g_autofree char *path = write_model (), *folder = g_path_get_dirname (path);
  gboolean         ok = FALSE;
  gint             n;

  for (n = 1; !ok && n < 100000; n++)
    {
      g_autoptr (GError) error = NULL;

      n_allocations = 0;
      failing = n;
      ok = load_compile_run (path, GPOINTER_TO_INT (reference), &error);
      failing = 0;
      if (ok)
        g_assert_cmpint (n_allocations, <, n);
      else
        g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY);
    }
  g_test_message ("%d allocations failed one by one", n - 2);
  g_assert_true (ok);
  g_assert_cmpint (n, >, 20);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/out-of-memory/fast", GINT_TO_POINTER (FALSE), test_every_allocation);
  g_test_add_data_func ("/out-of-memory/reference", GINT_TO_POINTER (TRUE), test_every_allocation);
  return g_test_run ();
}
