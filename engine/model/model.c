/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.c: FoveaModel, a read-only graph with its file. The public face of model/.
 */

#include "model/model.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/mapping.h"
#include "model/onnx-read.h"
#include "model/onnx-write.h"

struct _FoveaModel
{
  gatomicrefcount ref_count;
  char           *path; /* NULL: from memory */
  char           *name;
  Graph          *graph;
  GArray         *inputs, *outputs; /* of FoveaPort, whose texts are the graph's */
};

static GArray *
make_ports (const GPtrArray *values)
{
  GArray *ports = g_array_new (FALSE, TRUE, sizeof (FoveaPort));

  for (guint i = 0; i < values->len; i++)
    {
      const Value *value = g_ptr_array_index (values, i);
      FoveaPort    port = { value->name, value->type, value->has_rank, value->shape, { NULL } };

      for (guint j = 0; j < FOVEA_MAX_DIMS; j++)
        port.dim_names[j] = value->dim_names[j];
      g_array_append_val (ports, port);
    }
  return ports;
}

FoveaModel *
model_new_for_graph (Graph *graph, const char *name)
{
  FoveaModel *model = g_new0 (FoveaModel, 1);

  g_atomic_ref_count_init (&model->ref_count);
  model->name = g_strdup (name);
  model->graph = graph;
  model->inputs = make_ports (graph->inputs);
  model->outputs = make_ports (graph->outputs);
  return model;
}

static FoveaModel *
model_read (Mapping *file, const char *path, const char *name, const char *shown, GError **error)
{
  Graph *graph = onnx_read (file, path, error);

  if (!graph)
    {
      g_prefix_error (error, _("Model “%s”: "), shown);
      return NULL;
    }
  return model_new_for_graph (graph, name);
}

/* NAME.onnx and NAME/model.onnx are both NAME. */
static char *
name_of_path (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path), *above = g_path_get_basename (folder), *base = g_path_get_basename (path);
  gboolean         within = strcmp (base, "model.onnx") == 0 && *above != '.' && *above != G_DIR_SEPARATOR;
  g_autofree char *name = g_filename_display_name (within ? above : base);

  if (!within && g_str_has_suffix (name, ".onnx") && strlen (name) > strlen (".onnx"))
    name[strlen (name) - strlen (".onnx")] = '\0';
  return g_steal_pointer (&name);
}

FoveaModel *
fovea_model_load (const char *path, GError **error)
{
  g_autoptr (Mapping) file = mapping_new_for_file (path, error);
  g_autofree char *name = name_of_path (path);
  g_autofree char *shown = g_filename_display_basename (path);
  FoveaModel *model = file ? model_read (file, path, name, shown, error) : NULL;

  if (model)
    model->path = g_strdup (path);
  return model;
}

FoveaModel *
fovea_model_load_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (Mapping) file = mapping_new_for_bytes (bytes);

  return model_read (file, NULL, name, name, error);
}

gboolean
fovea_model_save (FoveaModel *model, const char *path, GError **error)
{
  return onnx_write (model->graph, path, error);
}

FoveaModel *
fovea_model_ref (FoveaModel *model)
{
  g_atomic_ref_count_inc (&model->ref_count);
  return model;
}

void
fovea_model_unref (FoveaModel *model)
{
  if (!model || !g_atomic_ref_count_dec (&model->ref_count))
    return;
  g_free (model->path);
  g_free (model->name);
  g_array_unref (model->inputs);
  g_array_unref (model->outputs);
  graph_free (model->graph);
  g_free (model);
}

const Graph *
model_get_graph (const FoveaModel *model)
{
  return model->graph;
}

const char *
fovea_model_get_path (const FoveaModel *model)
{
  return model->path;
}

const char *
fovea_model_get_name (const FoveaModel *model)
{
  return model->name;
}

guint
fovea_model_get_n_inputs (const FoveaModel *model)
{
  return model->inputs->len;
}

guint
fovea_model_get_n_outputs (const FoveaModel *model)
{
  return model->outputs->len;
}

const FoveaPort *
fovea_model_get_input (const FoveaModel *model, guint i)
{
  return i < model->inputs->len ? &g_array_index (model->inputs, FoveaPort, i) : NULL;
}

const FoveaPort *
fovea_model_get_output (const FoveaModel *model, guint i)
{
  return i < model->outputs->len ? &g_array_index (model->outputs, FoveaPort, i) : NULL;
}

const char *
fovea_model_get_metadata (const FoveaModel *model, const char *key)
{
  return g_hash_table_lookup (model->graph->metadata, key);
}
