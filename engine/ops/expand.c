/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * expand.c: Expand and Tile, any type. Plain only.
 */

#include "ops/axis-map.h"
#include "ops/families.h"

static gboolean
no_attributes (Node *node, GError **error)
{
  return node_check_attributes (node, error, NULL);
}

static gboolean
expand_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape wanted, out;
  gssize     n;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, wanted.dims, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  wanted.n_dims = (guint) n;
  for (gssize i = 0; i < n; i++)
    if (wanted.dims[i] < 0)
      return node_error (node, error, FOVEA_ERROR_SHAPE, "it is to make an axis of size %" G_GINT64_FORMAT ". Check the model.", wanted.dims[i]);
  if (!infer_broadcast (node, &node_input (node, 0)->shape, &wanted, &out, error))
    return FALSE;
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

static gboolean
tile_infer (const Node *node, InferContext *context, GError **error)
{
  gint64     repeats[FOVEA_MAX_DIMS];
  gssize     n;
  FoveaShape out;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, repeats, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  out = node_input (node, 0)->shape;
  if (n != (gssize) out.n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it has %" G_GSSIZE_FORMAT " repeats for %u dimensions. Check the input's shape.", n, out.n_dims);
  for (gssize i = 0; i < n; i++)
    if (repeats[i] < 0 || __builtin_mul_overflow (out.dims[i], repeats[i], &out.dims[i]))
      return node_error (node, error, FOVEA_ERROR_SHAPE, "its axis %" G_GSSIZE_FORMAT " can't be repeated %" G_GINT64_FORMAT " times.", i, repeats[i]);
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

/* Both go round and round along an axis: an axis of 1 is expanded by repeating it. */
static gboolean
repeat_prepare (Step *step, GError **error)
{
  const FoveaShape *out = &step->out[0].shape;
  AxisMap           map;
  gboolean          ok = TRUE;

  axis_map_init (&map, &step->in[0].shape, out->n_dims);
  for (guint i = 0; ok && i < out->n_dims; i++)
    if (map.in.dims[i] != out->dims[i])
      {
        gint64 *indices = axis_map_add (&map, i, (gsize) out->dims[i], error);

        for (gint64 j = 0; indices && j < out->dims[i]; j++)
          indices[j] = j % map.in.dims[i];
        ok = indices != NULL;
      }
  ok = ok && axis_map_prepare (step, &map, "repeat", error);
  axis_map_clear (&map);
  return ok;
}

const Operator expand_operators[] = {
  { "Expand", "", 0, no_attributes, expand_infer, NULL, repeat_prepare, NULL },
  { "Tile", "", 0, no_attributes, tile_infer, NULL, repeat_prepare, NULL },
  { NULL },
};
