/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * detection.c: what detectors end in: NonMaxSuppression, RoiAlign. Plain only; the number of boxes that are left is known only after running.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/families.h"

/* ---- NonMaxSuppression -------------------------------------------------------------------------------------- */

typedef struct
{
  gboolean centre; /* boxes are (x, y, width, height), not two corners (y, x, y, x) */
  gint64   most;   /* boxes per class; set by infer */
} SuppressionParams;

static gboolean
suppression_infer (const Node *node, InferContext *context, GError **error)
{
  SuppressionParams *params = node->params;
  const FoveaShape  *boxes, *scores;
  gssize             n;
  gint64             most;

  if (!infer_check_inputs (node, 2, 5, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE) || !infer_check_type (node, 1, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE)
      || !infer_ints (node, context, 2, NULL, &params->most, 1, &n, error))
    return FALSE;
  boxes = &node_input (node, 0)->shape;
  scores = &node_input (node, 1)->shape;
  if (boxes->n_dims != 3 || scores->n_dims != 3 || boxes->dims[2] != 4 || boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its boxes and scores don't fit together. The model is damaged.");
  for (guint i = 3; i < 5; i++)
    if (node_input (node, i) && (node_input (node, i)->type != FOVEA_TYPE_FLOAT32 || shape_count (&node_input (node, i)->shape) != 1))
      return node_error (node, error, FOVEA_ERROR_MODEL, "its threshold isn't a single number. The model is damaged.");
  if (n < 1)
    params->most = 0;
  params->centre = node_int (node, "center_point_box", 0) != 0;
  most = CLAMP (params->most, 0, boxes->dims[1]);
  if (scores->dims[0] > 0 && scores->dims[1] > 0 && most > G_MAXINT32 / scores->dims[0] / scores->dims[1])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it could give too many boxes. Use a smaller input.");
  infer_set (node, 0, FOVEA_TYPE_INT64, &(FoveaShape){ 2, { scores->dims[0] * scores->dims[1] * most, 3 } });
  node_output (node, 0)->dynamic = TRUE;
  return TRUE;
}

/* Corners in order: y, x, y, x. */
static void
corners (const float *box, gboolean centre, float *out)
{
  if (centre)
    {
      out[0] = box[1] - box[3] / 2;
      out[1] = box[0] - box[2] / 2;
      out[2] = box[1] + box[3] / 2;
      out[3] = box[0] + box[2] / 2;
      return;
    }
  out[0] = MIN (box[0], box[2]);
  out[1] = MIN (box[1], box[3]);
  out[2] = MAX (box[0], box[2]);
  out[3] = MAX (box[1], box[3]);
}

static float
overlap (const float *a, const float *b, gboolean centre)
{
  float p[4], q[4], height, width, both;

  corners (a, centre, p);
  corners (b, centre, q);
  height = MIN (p[2], q[2]) - MAX (p[0], q[0]);
  width = MIN (p[3], q[3]) - MAX (p[1], q[1]);
  if (height <= 0 || width <= 0)
    return 0;
  both = height * width;
  return both / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - both);
}

typedef struct
{
  float score;
  gint  index;
} Scored;

static int
compare_scores (gconstpointer a, gconstpointer b)
{
  const Scored *first = a, *second = b;

  if (first->score != second->score)
    return first->score > second->score ? -1 : 1;
  return (first->index > second->index) - (first->index < second->index);
}

static void
suppression_run (const Step *step, gsize first, gsize last, guint thread)
{
  const SuppressionParams *params = step->node->params;
  gint64                   batches = step->in[1].shape.dims[0], classes = step->in[1].shape.dims[1], n = step->in[1].shape.dims[2], found = 0;
  float                    threshold = step->n_inputs > 3 && step->in[3].value ? *(const float *) step->in[3].data : 0;
  float                    least = step->n_inputs > 4 && step->in[4].value ? *(const float *) step->in[4].data : -INFINITY;
  Scored                  *order = step_scratch (step, thread);
  gint64                  *out = step->out[0].data;

  for (gint64 b = 0; b < batches; b++)
    for (gint64 c = 0; c < classes; c++)
      {
        const float *scores = (const float *) step->in[1].data + (b * classes + c) * n, *boxes = (const float *) step->in[0].data + b * n * 4;
        gint64       begin = found, candidates = 0;

        for (gint64 i = 0; i < n; i++)
          if (scores[i] > least)
            order[candidates++] = (Scored){ scores[i], (gint) i };
        qsort (order, (gsize) candidates, sizeof *order, compare_scores);
        for (gint64 i = 0; i < candidates && found - begin < params->most; i++)
          {
            gboolean keep = TRUE;

            for (gint64 k = begin; keep && k < found; k++)
              keep = overlap (boxes + 4 * order[i].index, boxes + 4 * out[3 * k + 2], params->centre) <= threshold;
            if (keep)
              {
                out[3 * found] = b;
                out[3 * found + 1] = c;
                out[3 * found++ + 2] = order[i].index;
              }
          }
      }
  *step->out[0].actual = shape_make (2, (gint64[]){ found, 3 });
}

static gboolean
suppression_prepare (Step *step, GError **error)
{
  if (step->n_inputs > 2)
    step->in[2].packed = TRUE;
  step->scratch_size = (gsize) step->in[1].shape.dims[2] * sizeof (Scored);
  step_set_run (step, "plain", suppression_run, 1, 1);
  return TRUE;
}

/* ---- RoiAlign (He et al. 2017, arXiv:1703.06870) ------------------------------------------------------------ */

typedef struct
{
  gboolean max, half_pixel;
  gint64   height, width, ratio;
  float    scale;
} RoiParams;

static gboolean
roi_parse (Node *node, GError **error)
{
  RoiParams *params = node->params;

  params->max = strcmp (node_string (node, "mode", "avg"), "max") == 0;
  params->half_pixel = strcmp (node_string (node, "coordinate_transformation_mode", node->opset < 16 ? "output_half_pixel" : "half_pixel"), "half_pixel") == 0;
  params->height = node_int (node, "output_height", 1);
  params->width = node_int (node, "output_width", 1);
  params->ratio = node_int (node, "sampling_ratio", 0);
  params->scale = node_float (node, "spatial_scale", 1);
  return (params->height > 0 && params->width > 0 && params->ratio >= 0 && params->ratio < 1 << 15)
         || node_error (node, error, FOVEA_ERROR_MODEL, "its output would be empty. The model is damaged.");
}

static gboolean
roi_infer (const Node *node, InferContext *context, GError **error)
{
  const RoiParams  *params = node->params;
  const FoveaShape *in, *rois;

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE) || !infer_check_type (node, 1, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE)
      || !infer_check_type (node, 2, error, FOVEA_TYPE_INT64, FOVEA_TYPE_NONE))
    return FALSE;
  in = &node_input (node, 0)->shape;
  rois = &node_input (node, 1)->shape;
  if (in->n_dims != 4 || rois->n_dims != 2 || rois->dims[1] != 4 || shape_count (&node_input (node, 2)->shape) != (gsize) rois->dims[0] || in->dims[0] == 0
      || in->dims[2] == 0 || in->dims[3] == 0)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its regions don't fit its input. The model is damaged.");
  infer_set (node, 0, FOVEA_TYPE_FLOAT32, &(FoveaShape){ 4, { rois->dims[0], in->dims[1], params->height, params->width } });
  return TRUE;
}

/* The four neighbours of (y, x), weighted; with `max` the greatest of the four products, as ONNX's reference has it. */
static float
sample (const float *plane, gint64 height, gint64 width, float y, float x, gboolean max)
{
  gint64 y0, x0, y1, x1;
  float  dy, dx, part[4];

  if (!(y >= -1 && y <= (float) height && x >= -1 && x <= (float) width))
    return 0;
  y = MAX (y, 0);
  x = MAX (x, 0);
  y0 = MIN ((gint64) y, height - 1);
  x0 = MIN ((gint64) x, width - 1);
  y1 = MIN (y0 + 1, height - 1);
  x1 = MIN (x0 + 1, width - 1);
  dy = y0 >= height - 1 ? 0 : y - (float) y0;
  dx = x0 >= width - 1 ? 0 : x - (float) x0;
  part[0] = (1 - dy) * (1 - dx) * plane[y0 * width + x0];
  part[1] = (1 - dy) * dx * plane[y0 * width + x1];
  part[2] = dy * (1 - dx) * plane[y1 * width + x0];
  part[3] = dy * dx * plane[y1 * width + x1];
  return max ? MAX (MAX (part[0], part[1]), MAX (part[2], part[3])) : part[0] + part[1] + part[2] + part[3];
}

/* A task is one channel of one region. */
static void
roi_run (const Step *step, gsize first, gsize last, guint thread)
{
  const RoiParams  *params = step->node->params;
  const FoveaShape *in = &step->in[0].shape;
  gint64            channels = in->dims[1], height = in->dims[2], width = in->dims[3];

  for (gsize task = first; task < last; task++)
    {
      const float *roi = (const float *) step->in[1].data + 4 * (task / (gsize) channels);
      gint64       batch = CLAMP (((const gint64 *) step->in[2].data)[task / (gsize) channels], 0, in->dims[0] - 1);
      const float *plane = (const float *) step->in[0].data + (batch * channels + (gint64) (task % (gsize) channels)) * height * width;
      float        shift = params->half_pixel ? 0.5f : 0, x = roi[0] * params->scale - shift, y = roi[1] * params->scale - shift;
      float        roi_width = roi[2] * params->scale - shift - x, roi_height = roi[3] * params->scale - shift - y;
      gint64       rows, columns;

      if (!params->half_pixel)
        {
          roi_width = MAX (roi_width, 1);
          roi_height = MAX (roi_height, 1);
        }
      rows = params->ratio ? params->ratio : CLAMP (int64_from_double (ceilf (roi_height / (float) params->height)), 0, 4096);
      columns = params->ratio ? params->ratio : CLAMP (int64_from_double (ceilf (roi_width / (float) params->width)), 0, 4096);
      for (gint64 i = 0; i < params->height * params->width; i++)
        {
          float top = y + (float) (i / params->width) * roi_height / (float) params->height, cell_height = roi_height / (float) params->height;
          float left = x + (float) (i % params->width) * roi_width / (float) params->width, cell_width = roi_width / (float) params->width;
          float result = 0;

          for (gint64 k = 0; k < rows * columns; k++)
            {
              float value = sample (plane, height, width, top + ((float) (k / columns) + 0.5f) * cell_height / (float) rows,
                                    left + ((float) (k % columns) + 0.5f) * cell_width / (float) columns, params->max);

              result = params->max ? (k == 0 ? value : MAX (result, value)) : result + value;
            }
          ((float *) step->out[0].data)[(gint64) task * params->height * params->width + i] = params->max ? result : result / (float) MAX (rows * columns, 1);
        }
    }
}

static gboolean
roi_prepare (Step *step, GError **error)
{
  step_set_run (step, "plain", roi_run, (gsize) (step->out[0].shape.dims[0] * step->out[0].shape.dims[1]), 1);
  return TRUE;
}

static const AttributeSpec suppression_attributes[] = { { "center_point_box", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec roi_attributes[] = {
  { "coordinate_transformation_mode", ATTRIBUTE_STRING }, { "mode", ATTRIBUTE_STRING },
  { "output_height", ATTRIBUTE_INT }, { "output_width", ATTRIBUTE_INT }, { "sampling_ratio", ATTRIBUTE_INT },
  { "spatial_scale", ATTRIBUTE_FLOAT }, { NULL },
};

const Operator detection_operators[] = {
  { "NonMaxSuppression", "", sizeof (SuppressionParams), NULL, suppression_infer, NULL, suppression_prepare, NULL, suppression_attributes },
  { "RoiAlign", "", sizeof (RoiParams), roi_parse, roi_infer, NULL, roi_prepare, NULL, roi_attributes },
  { NULL },
};
