/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * transpose.c: Transpose of tensors of any type. Plain only.
 */

#include "ops/families.h"
#include "ops/strided-copy.h"

typedef struct
{
  guint order[FOVEA_MAX_DIMS]; /* output axis i is input axis order[i] */
} TransposeParams;

static gboolean
transpose_parse (Node *node, GError **error)
{
  return node_check_attributes (node, error, "perm", ATTRIBUTE_INTS, NULL);
}

static gboolean
transpose_infer (const Node *node, InferContext *context, GError **error)
{
  TransposeParams  *params = node->params;
  const FoveaShape *in;
  FoveaShape        out;
  const gint64     *order;
  gsize             n = node_ints (node, "perm", &order);
  guint             seen = 0;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  out.n_dims = in->n_dims;
  if (node_attribute (node, "perm") && n != in->n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its order of axes is for %" G_GSIZE_FORMAT " dimensions, its input has %u. Check the input's shape.", n,
                       in->n_dims);
  for (guint i = 0; i < in->n_dims; i++)
    {
      if (n == 0)
        params->order[i] = in->n_dims - 1 - i;
      else if (!infer_axis (node, order[i], in->n_dims, &params->order[i], error))
        return FALSE;
      if (seen & 1u << params->order[i])
        return node_error (node, error, FOVEA_ERROR_MODEL, "its order of axes names one twice. The model is damaged.");
      seen |= 1u << params->order[i];
      out.dims[i] = in->dims[params->order[i]];
    }
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

/* Axes of one element may go anywhere: memory stays as it is. */
static gboolean
keeps_memory (const TransposeParams *params, const FoveaShape *in)
{
  gint last = -1;

  for (guint i = 0; i < in->n_dims; i++)
    if (in->dims[params->order[i]] != 1)
      {
        if ((gint) params->order[i] < last)
          return FALSE;
        last = (gint) params->order[i];
      }
  return TRUE;
}

static gboolean
transpose_prepare (Step *step, GError **error)
{
  const TransposeParams *params = step->node->params;
  StridedCopy            copy = { .n_dims = step->out[0].shape.n_dims };
  gint64                 strides[FOVEA_MAX_DIMS];

  if (keeps_memory (params, &step->in[0].shape))
    {
      step->view = 0;
      return TRUE;
    }
  strided_copy_strides (&step->in[0].shape, strides);
  strided_copy_strides (&step->out[0].shape, copy.out_strides);
  for (guint i = 0; i < copy.n_dims; i++)
    {
      copy.dims[i] = step->out[0].shape.dims[i];
      copy.in_strides[i] = strides[params->order[i]];
    }
  strided_copies_add (strided_copies_new (step, type_size (step->out[0].type)), &copy);
  strided_copies_finish (step, "transpose");
  return TRUE;
}

const Operator transpose_operators[] = {
  { "Transpose", "", sizeof (TransposeParams), transpose_parse, transpose_infer, NULL, transpose_prepare, NULL },
  { NULL },
};
