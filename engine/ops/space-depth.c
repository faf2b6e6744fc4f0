/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * space-depth.c: DepthToSpace (DCR and CRD) and SpaceToDepth, any type. Plain only.
 */

#include <string.h>

#include "ops/families.h"
#include "ops/strided-copy.h"

typedef struct
{
  gint64   block;
  gboolean column_first; /* CRD: channels are (C, block, block) rather than (block, block, C) */
  gboolean to_depth;
} SpaceDepthParams;

static gboolean
space_depth_parse (Node *node, GError **error)
{
  SpaceDepthParams *params = node->params;
  const char       *mode = node_string (node, "mode", "DCR");

  params->to_depth = strcmp (node->type, "SpaceToDepth") == 0;
  if (!node_check_attributes (node, error, "blocksize", ATTRIBUTE_INT, params->to_depth ? NULL : "mode", ATTRIBUTE_STRING, NULL))
    return FALSE;
  params->block = node_int (node, "blocksize", 0);
  params->column_first = strcmp (mode, "CRD") == 0;
  if (!params->column_first && strcmp (mode, "DCR") != 0)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its mode “%s” is neither DCR nor CRD.", mode);
  if (params->block <= 0 || params->block > G_MAXUINT16)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its block size %" G_GINT64_FORMAT " can't be. The model is damaged.", params->block);
  return TRUE;
}

static gboolean
space_depth_infer (const Node *node, InferContext *context, GError **error)
{
  const SpaceDepthParams *params = node->params;
  gint64                  block = params->block;
  FoveaShape              shape;
  gboolean                fits;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  shape = node_input (node, 0)->shape;
  if (shape.n_dims != 4)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it needs images of 4 dimensions, not %u.", shape.n_dims);
  fits = params->to_depth ? shape.dims[2] % block == 0 && shape.dims[3] % block == 0 : shape.dims[1] % (block * block) == 0;
  if (!fits)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "blocks of %" G_GINT64_FORMAT " don't divide its input. Check the input's size.", block);

  if (params->to_depth)
    {
      shape.dims[2] /= block;
      shape.dims[3] /= block;
      fits = !__builtin_mul_overflow (shape.dims[1], block * block, &shape.dims[1]);
    }
  else
    {
      shape.dims[1] /= block * block;
      fits = !__builtin_mul_overflow (shape.dims[2], block, &shape.dims[2]) && !__builtin_mul_overflow (shape.dims[3], block, &shape.dims[3]);
    }
  if (!fits)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its output would be too large.");
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* The box (N, C, block, block, H, W) with the strides of each side; C, H, W are those of the deep side's channels and pixels. */
static gboolean
space_depth_prepare (Step *step, GError **error)
{
  const SpaceDepthParams *params = step->node->params;
  const FoveaShape       *space = params->to_depth ? &step->in[0].shape : &step->out[0].shape;
  const FoveaShape       *depth = params->to_depth ? &step->out[0].shape : &step->in[0].shape;
  gint64                  b = params->block, channels = space->dims[1], h = depth->dims[2], w = depth->dims[3];
  gint64                  space_strides[] = { channels * h * b * w * b, h * b * w * b, w * b, 1, b * w * b, b };
  gint64                  channel = (params->column_first ? b * b : 1) * h * w, cell = (params->column_first ? 1 : channels) * h * w;
  gint64                  depth_strides[] = { channels * b * b * h * w, channel, b * cell, cell, w, 1 };
  StridedCopy             copy = { .n_dims = 6, .dims = { space->dims[0], channels, b, b, h, w } };

  memcpy (copy.in_strides, params->to_depth ? space_strides : depth_strides, sizeof space_strides);
  memcpy (copy.out_strides, params->to_depth ? depth_strides : space_strides, sizeof space_strides);
  strided_copies_add (strided_copies_new (step, type_size (step->out[0].type)), &copy);
  strided_copies_finish (step, "plain");
  return TRUE;
}

const Operator space_depth_operators[] = {
  { "DepthToSpace", "", sizeof (SpaceDepthParams), space_depth_parse, space_depth_infer, NULL, space_depth_prepare, NULL },
  { "SpaceToDepth", "", sizeof (SpaceDepthParams), space_depth_parse, space_depth_infer, NULL, space_depth_prepare, NULL },
  { NULL },
};
