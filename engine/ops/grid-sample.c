/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * grid-sample.c: GridSample: values of a map at places that another tensor gives (Jaderberg et al. 2015, arXiv:1506.02025). Two or three spatial
 * dimensions, nearest, linear, and cubic (two dimensions). Plain only.
 *
 *   data (N, C, D…)   grid (N, O…, r)   ->   (N, C, O…)       r places from -1 to 1, the last dimension's first
 *
 * A place becomes a few elements along each dimension with their weights; all channels take the same.
 */

#include <math.h>
#include <string.h>

#include "ops/families.h"

#define MAX_RANK 3
#define MAX_TAPS 4
#define CUBIC    -0.75f

typedef enum { MODE_NEAREST, MODE_LINEAR, MODE_CUBIC } Mode;
typedef enum { PADDING_ZEROS, PADDING_BORDER, PADDING_REFLECTION } Padding;

typedef struct
{
  Mode     mode;
  Padding  padding;
  gboolean align_corners;
} GridParams;

/* Elements along one dimension; an index of -1 stands for a zero beyond the border. */
typedef struct
{
  guint  n;
  gint64 index[MAX_TAPS];
  float  weight[MAX_TAPS];
} Taps;

static gboolean
grid_parse (Node *node, GError **error)
{
  GridParams *params = node->params;
  const char *mode = node_string (node, "mode", node->opset < 20 ? "bilinear" : "linear"), *padding = node_string (node, "padding_mode", "zeros");

  params->align_corners = node_int (node, "align_corners", 0) != 0;
  if (strcmp (mode, "nearest") == 0)
    params->mode = MODE_NEAREST;
  else if (strcmp (mode, "bilinear") == 0 || strcmp (mode, "linear") == 0)
    params->mode = MODE_LINEAR;
  else if (strcmp (mode, "bicubic") == 0 || strcmp (mode, "cubic") == 0)
    params->mode = MODE_CUBIC;
  else
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its mode “%s” isn't known. Export the model for an older opset.", mode);
  if (strcmp (padding, "zeros") == 0)
    params->padding = PADDING_ZEROS;
  else if (strcmp (padding, "border") == 0)
    params->padding = PADDING_BORDER;
  else if (strcmp (padding, "reflection") == 0)
    params->padding = PADDING_REFLECTION;
  else
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its padding “%s” isn't known. Export the model for an older opset.", padding);
  return TRUE;
}

static gboolean
grid_infer (const Node *node, InferContext *context, GError **error)
{
  const GridParams *params = node->params;
  const FoveaShape *data, *grid;
  FoveaShape        shape;
  guint             rank;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE) || !infer_check_type (node, 1, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE))
    return FALSE;
  data = &node_input (node, 0)->shape;
  grid = &node_input (node, 1)->shape;
  rank = data->n_dims > 2 ? data->n_dims - 2 : 0;
  if (rank < 1 || grid->n_dims != data->n_dims || grid->dims[grid->n_dims - 1] != rank || grid->dims[0] != data->dims[0])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its grid doesn't fit its input. The model is damaged.");
  if (rank > MAX_RANK || (params->mode == MODE_CUBIC && rank > 2))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it samples in %u dimensions. Choose a model for photos.", rank);
  shape = *data;
  for (guint i = 0; i < rank; i++)
    {
      if (data->dims[2 + i] == 0)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "there is nothing to sample. Check the input's size.");
      shape.dims[2 + i] = grid->dims[1 + i];
    }
  infer_set (node, 0, FOVEA_TYPE_FLOAT32, &shape);
  return TRUE;
}

/* ---- places ------------------------------------------------------------------------------------------------- */

/* Thrown back at `low` and `high` as often as needed. */
static float
reflect (float x, float low, float high)
{
  float range = high - low, beyond, rest;

  if (!(range > 0) || !isfinite (x))
    return low;
  if (x >= low && x <= high)
    return x;
  beyond = x < low ? low - x : x - high;
  rest = fmodf (beyond, range);
  if ((gint64) fminf (beyond / range, 1e15f) % 2 == 0)
    return x < low ? low + rest : high - rest;
  return x < low ? high - rest : low + rest;
}

static gint64
find_index (const GridParams *params, float at, gint64 size)
{
  float low = params->align_corners ? 0 : -0.5f, high = params->align_corners ? (float) (size - 1) : (float) size - 0.5f;

  if (at >= 0 && at <= (float) (size - 1))
    return (gint64) at;
  if (params->padding == PADDING_ZEROS || isnan (at))
    return -1;
  if (params->padding == PADDING_REFLECTION)
    at = reflect (at, low, high);
  return (gint64) CLAMP (at, 0, (float) (size - 1));
}

/* Keys' cubic for the distance of the second of four taps, as resize has it. */
static void
weigh_cubic (float t, float weight[4])
{
  float u = 1 - t;

  weight[0] = ((CUBIC * (t + 1) - 5 * CUBIC) * (t + 1) + 8 * CUBIC) * (t + 1) - 4 * CUBIC;
  weight[1] = ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1;
  weight[2] = ((CUBIC + 2) * u - (CUBIC + 3)) * u * u + 1;
  weight[3] = ((CUBIC * (u + 1) - 5 * CUBIC) * (u + 1) + 8 * CUBIC) * (u + 1) - 4 * CUBIC;
}

static void
find_taps (const GridParams *params, float place, gint64 size, Taps *taps)
{
  float at = params->align_corners ? (place + 1) / 2 * (float) (size - 1) : ((place + 1) * (float) size - 1) / 2, first;

  if (params->mode == MODE_NEAREST)
    at = rintf (at);
  if (params->padding == PADDING_BORDER && params->mode != MODE_CUBIC) /* a cubic's elements move to the border one by one, as elsewhere */
    at = CLAMP (at, 0, (float) (size - 1));
  else if (params->padding == PADDING_REFLECTION)
    at = params->align_corners ? reflect (at, 0, (float) (size - 1)) : reflect (at, -0.5f, (float) size - 0.5f);

  if (params->mode == MODE_NEAREST)
    {
      taps->n = 1;
      taps->index[0] = find_index (params, rintf (at), size);
      taps->weight[0] = 1;
      return;
    }
  first = floorf (at);
  taps->n = params->mode == MODE_LINEAR ? 2 : 4;
  if (params->mode == MODE_LINEAR)
    {
      taps->weight[0] = 1 - (at - first);
      taps->weight[1] = at - first;
    }
  else
    weigh_cubic (at - first, taps->weight);
  for (guint i = 0; i < taps->n; i++)
    taps->index[i] = find_index (params, first + (float) i - (params->mode == MODE_CUBIC), size);
  for (guint i = 0; i < taps->n; i++)
    if (taps->index[i] < 0 || isnan (taps->weight[i]))
      taps->weight[i] = taps->index[i] = 0;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* All elements that a place takes, of all dimensions: at most 4 x 4 or 2 x 2 x 2. */
typedef struct
{
  guint n;
  gsize offset[16];
  float weight[16];
} Stencil;

static void
find_stencil (const GridParams *params, const FoveaShape *data, const float *place, Stencil *stencil)
{
  guint rank = data->n_dims - 2;

  stencil->n = 1;
  stencil->offset[0] = 0;
  stencil->weight[0] = 1;
  for (guint i = 0; i < rank; i++) /* slowest dimension first; the grid has it last */
    {
      Stencil before = *stencil;
      Taps    taps;

      find_taps (params, place[rank - 1 - i], data->dims[2 + i], &taps);
      stencil->n = 0;
      for (guint k = 0; k < before.n; k++)
        for (guint t = 0; t < taps.n; t++, stencil->n++)
          {
            stencil->offset[stencil->n] = before.offset[k] * (gsize) data->dims[2 + i] + (gsize) MAX (taps.index[t], 0);
            stencil->weight[stencil->n] = before.weight[k] * (taps.index[t] < 0 ? 0 : taps.weight[t]);
          }
    }
}

/* A task is one place of one photo. */
static void
grid_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GridParams *params = step->node->params;
  const FoveaShape *data = &step->in[0].shape;
  gsize             n_places = shape_count_range (&step->out[0].shape, 2, data->n_dims), n_channels = (gsize) data->dims[1];
  gsize             plane = shape_count_range (data, 2, data->n_dims), rank = data->n_dims - 2;

  for (gsize task = first; task < last; task++)
    {
      gsize        batch = task / n_places;
      const float *in = (const float *) step->in[0].data + batch * n_channels * plane;
      float       *out = (float *) step->out[0].data + batch * n_channels * n_places + task % n_places;
      Stencil      stencil;

      find_stencil (params, data, (const float *) step->in[1].data + task * rank, &stencil);
      for (gsize c = 0; c < n_channels; c++, in += plane, out += n_places)
        {
          float sum = 0;

          for (guint i = 0; i < stencil.n; i++)
            if (stencil.weight[i] != 0)
              sum += stencil.weight[i] * in[stencil.offset[i]];
          *out = sum;
        }
    }
}

static gboolean
grid_prepare (Step *step, GError **error)
{
  const FoveaShape *out = &step->out[0].shape;

  step_set_run (step, "grid", grid_run, shape_count (out) ? (gsize) out->dims[0] * shape_count_range (out, 2, out->n_dims) : 0,
                1 + 2048 / (gsize) MAX (out->dims[1], 1));
  return TRUE;
}

static const AttributeSpec grid_attributes[] = {
  { "align_corners", ATTRIBUTE_INT }, { "mode", ATTRIBUTE_STRING }, { "padding_mode", ATTRIBUTE_STRING }, { NULL },
};

const Operator grid_sample_operators[] = {
  { "GridSample", "", sizeof (GridParams), grid_parse, grid_infer, NULL, grid_prepare, NULL, grid_attributes },
  { NULL },
};
