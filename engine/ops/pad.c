/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pad.c: Pad (constant, reflect, edge, wrap; negative pads cut) and CenterCropPad, any type. Images of float32 also on blocks, as long as batch and
 * channels stay and the padding is zero.
 */

#include <string.h>

#include "ops/axis-map.h"
#include "ops/families.h"

typedef enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } PadMode;

static const char *const mode_names[] = { "constant", "reflect", "edge", "wrap" };

typedef struct
{
  PadMode mode;
  float   value;                   /* by attribute, before opset 11 */
  gint64  begin[FOVEA_MAX_DIMS];   /* output index i shows input index i - begin */
} PadParams;

/* ---- Pad --------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
pad_parse (Node *node, GError **error)
{
  PadParams  *params = node->params;
  const char *mode = node_string (node, "mode", "constant");

  if (node->opset >= 11 ? !node_check_attributes (node, error, "mode", ATTRIBUTE_STRING, NULL)
                        : !node_check_attributes (node, error, "mode", ATTRIBUTE_STRING, "pads", ATTRIBUTE_INTS, "value", ATTRIBUTE_FLOAT, NULL))
    return FALSE;
  params->value = node_float (node, "value", 0.0f);
  for (guint i = 0; i < G_N_ELEMENTS (mode_names); i++)
    if (strcmp (mode, mode_names[i]) == 0)
      {
        params->mode = (PadMode) i;
        return TRUE;
      }
  return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its mode “%s” isn't constant, reflect, edge or wrap.", mode);
}

static gboolean
check_constant (const Node *node, GError **error)
{
  const Value *value = node_input (node, 2);

  if (value && (shape_count (&value->shape) != 1 || value->type != node_input (node, 0)->type))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its constant value isn't a single one of the input's type. The model is damaged.");
  return TRUE;
}

static gboolean
pad_infer (const Node *node, InferContext *context, GError **error)
{
  PadParams        *params = node->params;
  const FoveaShape *in;
  FoveaShape        out;
  gint64            pads[2 * FOVEA_MAX_DIMS], axes[FOVEA_MAX_DIMS];
  gssize            n_pads, n_axes;

  if (!infer_check_inputs (node, 1, 4, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, "pads", pads, G_N_ELEMENTS (pads), &n_pads, error)
      || !infer_ints (node, context, 3, NULL, axes, FOVEA_MAX_DIMS, &n_axes, error) || !check_constant (node, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  out = *in;
  for (guint i = 0; i < in->n_dims; i++)
    params->begin[i] = 0;
  if (n_axes < 0)
    {
      n_axes = in->n_dims;
      for (gssize i = 0; i < n_axes; i++)
        axes[i] = i;
    }
  if (n_pads != 2 * n_axes)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it has %" G_GSSIZE_FORMAT " pads for %" G_GSSIZE_FORMAT " axes. The model is damaged.", n_pads, n_axes);

  for (gssize i = 0; i < n_axes; i++)
    {
      guint  axis;
      gint64 begin = pads[i], end = pads[i + n_axes], size;

      if (!infer_axis (node, axes[i], in->n_dims, &axis, error))
        return FALSE;
      size = in->dims[axis];
      if (__builtin_add_overflow (size, begin, &out.dims[axis]) || __builtin_add_overflow (out.dims[axis], end, &out.dims[axis]) || out.dims[axis] < 0)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT " don't fit to axis %u of size %" G_GINT64_FORMAT
                           ". Check the input's size.", begin, end, axis, size);
      if (params->mode != PAD_CONSTANT && out.dims[axis] > 0 && MIN (begin, 0) + MIN (end, 0) + size <= 0)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "axis %u has nothing to be padded with. Check the input's size.", axis);
      params->begin[axis] = begin;
    }
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

/* Index i of a line that goes on as the mode says before `low` and from `high` on. */
static gint64
pad_index (PadMode mode, gint64 i, gint64 low, gint64 high)
{
  gint64 n = high - low, at;

  if (i >= low && i < high)
    return i;
  switch (mode)
    {
    case PAD_EDGE:
      return i < low ? low : high - 1;
    case PAD_WRAP:
      at = (i - low) % n;
      return low + (at < 0 ? at + n : at);
    case PAD_REFLECT:
      if (n == 1)
        return low;
      at = ABS (i - low) % (2 * n - 2);
      return low + (at < n ? at : 2 * n - 2 - at);
    case PAD_CONSTANT:
      break;
    }
  return AXIS_MAP_FILL;
}

static void
store_float (guint8 *fill, FoveaType type, float value)
{
  double wide = value;

  /* Before opset 11 only floats can be padded; others get what the number is cut to. */
  switch (type)
    {
    case FOVEA_TYPE_FLOAT32: memcpy (fill, &value, sizeof value); break;
    case FOVEA_TYPE_FLOAT64: memcpy (fill, &wide, sizeof wide); break;
    default:                 break;
    }
}

static gboolean
prepare_map (Step *step, const PadParams *params, gint fill_input, GError **error)
{
  const FoveaShape *out = &step->out[0].shape;
  AxisMap           map;
  gboolean          ok = TRUE;

  axis_map_init (&map, &step->in[0].shape, out->n_dims);
  map.fill_input = fill_input;
  store_float (map.fill, step->out[0].type, params->value);
  for (guint i = 0; ok && i < out->n_dims; i++)
    if (params->begin[i] != 0 || map.in.dims[i] != out->dims[i])
      {
        gint64  begin = params->begin[i], end = out->dims[i] - map.in.dims[i] - begin;
        gint64  low = MAX (-begin, 0), high = map.in.dims[i] - MAX (-end, 0);
        gint64 *indices = axis_map_add (&map, i, (gsize) out->dims[i], error);

        for (gint64 j = 0; indices && j < out->dims[i]; j++)
          indices[j] = pad_index (params->mode, j - begin, low, high);
        ok = indices != NULL;
      }
  ok = ok && axis_map_prepare (step, &map, mode_names[params->mode], error);
  axis_map_clear (&map);
  return ok;
}

static gboolean
pads_zero (const Node *node)
{
  const PadParams *params = node->params;
  const Value     *value = node_input (node, 2);
  float            constant = params->value;

  if (value && !value->constant)
    return FALSE;
  if (value)
    tensor_read_float (value->constant, 0, 1, &constant);
  return constant == 0.0f;
}

static gboolean
pad_blocked (const Node *node, BlockedForm *form)
{
  const PadParams *params = node->params;
  const Value     *in = node_input (node, 0), *out = node_output (node, 0);

  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4 || in->shape.dims[0] != out->shape.dims[0] || in->shape.dims[1] != out->shape.dims[1]
      || params->begin[0] != 0 || params->begin[1] != 0 || !pads_zero (node))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

static gboolean
pad_prepare (Step *step, GError **error)
{
  return prepare_map (step, step->node->params, node_input (step->node, 2) ? 2 : -1, error);
}

/* ---- CenterCropPad ----------------------------------------------------------------------------------------------------------------------- */

static gboolean
center_crop_pad_parse (Node *node, GError **error)
{
  return node_check_attributes (node, error, "axes", ATTRIBUTE_INTS, NULL);
}

static gboolean
center_crop_pad_infer (const Node *node, InferContext *context, GError **error)
{
  PadParams    *params = node->params;
  const gint64 *axes;
  gsize         n_axes = node_ints (node, "axes", &axes);
  gint64        sizes[FOVEA_MAX_DIMS];
  gssize        n;
  FoveaShape    out;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, sizes, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  out = node_input (node, 0)->shape;
  if (n != (gssize) (axes ? n_axes : out.n_dims))
    return node_error (node, error, FOVEA_ERROR_MODEL, "it has %" G_GSSIZE_FORMAT " sizes for other axes. The model is damaged.", n);
  for (gssize i = 0; i < n; i++)
    {
      guint  axis;
      gint64 more;

      if (!infer_axis (node, axes ? axes[i] : i, out.n_dims, &axis, error))
        return FALSE;
      if (sizes[i] < 0)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "it is to make an axis of size %" G_GINT64_FORMAT ". Check the model.", sizes[i]);
      more = sizes[i] - node_input (node, 0)->shape.dims[axis];
      params->begin[axis] = more >= 0 ? more / 2 : -(-more / 2);
      out.dims[axis] = sizes[i];
    }
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

static gboolean
center_crop_pad_prepare (Step *step, GError **error)
{
  return prepare_map (step, step->node->params, -1, error);
}

const Operator pad_operators[] = {
  { "CenterCropPad", "", sizeof (PadParams), center_crop_pad_parse, center_crop_pad_infer, NULL, center_crop_pad_prepare, NULL },
  { "Pad", "", sizeof (PadParams), pad_parse, pad_infer, pad_blocked, pad_prepare, NULL },
  { NULL },
};
