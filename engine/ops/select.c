/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * select.c: operators that search: TopK, NonZero, Unique, Trilu. Plain only; NonZero's and Unique's sizes are known only after running.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/element.h"
#include "ops/families.h"

typedef struct
{
  guint    axis; /* set by infer */
  gint64   k;
  gboolean largest, sorted;
} SelectParams;

/* ---- TopK --------------------------------------------------------------------------------------------------- */

static gboolean
top_infer (const Node *node, InferContext *context, GError **error)
{
  SelectParams *params = node->params;
  FoveaShape    shape;
  gssize        n;

  if (!infer_check_inputs (node, 1, 2, error) || !infer_check_outputs (node, 2, error)
      || !infer_ints (node, context, 1, NULL, &params->k, 1, &n, error))
    return FALSE;
  if (n < 0)
    params->k = node_int (node, "k", -1);
  shape = node_input (node, 0)->shape;
  if (!infer_axis (node, node_int (node, "axis", -1), shape.n_dims, &params->axis, error))
    return FALSE;
  if (params->k < 0 || params->k > shape.dims[params->axis])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it asks for the best %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ". Check the input's size.", params->k,
                       shape.dims[params->axis]);
  params->largest = node_int (node, "largest", 1) != 0;
  shape.dims[params->axis] = params->k;
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  infer_set (node, 1, FOVEA_TYPE_INT64, &shape);
  return TRUE;
}

typedef struct
{
  double value;
  gint64 index;
} Candidate;

/* Whether a stands before b: larger (smaller) values first, of equal ones the lower index. */
static gboolean
stands_before (const Candidate *a, const Candidate *b, gboolean largest)
{
  if (a->value != b->value)
    return largest ? a->value > b->value || (isnan (a->value) && !isnan (b->value)) : a->value < b->value || (isnan (b->value) && !isnan (a->value));
  return a->index < b->index;
}

/* Heap sort by the order above, worst on top: the first k stay in the heap. */
static void
sift_down (Candidate *heap, gsize n, gsize at, gboolean largest)
{
  for (;;)
    {
      gsize     child = 2 * at + 1;
      Candidate swap;

      if (child >= n)
        return;
      if (child + 1 < n && stands_before (&heap[child], &heap[child + 1], largest))
        child++;
      if (!stands_before (&heap[at], &heap[child], largest))
        return;
      swap = heap[at];
      heap[at] = heap[child];
      heap[child] = swap;
      at = child;
    }
}

static void
top_of_line (const Step *step, gsize base, gsize inner, gsize length, gsize out_base, Candidate *heap)
{
  const SelectParams *params = step->node->params;
  gsize               k = (gsize) params->k, size = type_size (step->in[0].type);

  for (gsize i = 0; i < length; i++)
    {
      Candidate candidate = { element_read_number (&step->in[0], base + i * inner), (gint64) i };

      if (i < k)
        {
          heap[i] = candidate;
          if (i + 1 == k)
            for (gsize j = k / 2 + 1; j-- > 0;)
              sift_down (heap, k, j, params->largest);
        }
      else if (stands_before (&candidate, &heap[0], params->largest))
        {
          heap[0] = candidate;
          sift_down (heap, k, 0, params->largest);
        }
    }
  for (gsize n = k; n-- > 0;)
    {
      Candidate worst = heap[0];
      gsize     at = out_base + n * inner;

      heap[0] = heap[n];
      sift_down (heap, n, 0, params->largest);
      if (step->out[0].value)
        memcpy ((guint8 *) step->out[0].data + at * size, (const guint8 *) step->in[0].data + (base + (gsize) worst.index * inner) * size, size);
      if (step->n_outputs > 1 && step->out[1].value)
        ((gint64 *) step->out[1].data)[at] = worst.index;
    }
}

static void
top_run (const Step *step, gsize first, gsize last, guint thread)
{
  const SelectParams *params = step->node->params;
  const FoveaShape   *shape = &step->in[0].shape;
  gsize               length = (gsize) shape->dims[params->axis], inner = shape_count_range (shape, params->axis + 1, shape->n_dims);

  for (gsize task = first; task < last; task++)
    top_of_line (step, task / inner * length * inner + task % inner, inner, length, task / inner * (gsize) params->k * inner + task % inner,
                 step_scratch (step, thread));
}

static gboolean
top_prepare (Step *step, GError **error)
{
  const SelectParams *params = step->node->params;
  gsize               count = shape_count (&step->in[0].shape);

  if (step->n_inputs > 1)
    step->in[1].packed = TRUE;
  step->scratch_size = (gsize) params->k * sizeof (Candidate);
  step_set_run (step, "heap", top_run, params->k ? count / (gsize) step->in[0].shape.dims[params->axis] : 0, 1);
  return TRUE;
}

/* ---- NonZero ------------------------------------------------------------------------------------------------ */

static gboolean
nonzero_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape *in;
  FoveaShape        shape = { 2, { 0 } };

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  shape.dims[0] = in->n_dims;
  shape.dims[1] = (gint64) shape_count (in);
  infer_set (node, 0, FOVEA_TYPE_INT64, &shape);
  node_output (node, 0)->dynamic = TRUE;
  return TRUE;
}

static void
nonzero_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaShape *in = &step->in[0].shape;
  gsize             count = shape_count (in), found = 0, at = 0;
  gint64           *out = step->out[0].data;

  for (gsize i = 0; i < count; i++)
    found += element_read_number (&step->in[0], i) != 0;
  for (gsize i = 0; i < count; i++)
    if (element_read_number (&step->in[0], i) != 0)
      {
        gsize rest = i;

        for (guint d = in->n_dims; d-- > 0;)
          {
            out[d * found + at] = (gint64) (rest % (gsize) in->dims[d]);
            rest /= (gsize) in->dims[d];
          }
        at++;
      }
  *step->out[0].actual = shape_make (2, (gint64[]){ in->n_dims, (gint64) found });
}

static gboolean
nonzero_prepare (Step *step, GError **error)
{
  step_set_run (step, "plain", nonzero_run, 1, 1);
  return TRUE;
}

/* ---- Unique ------------------------------------------------------------------------------------------------- */

static gboolean
unique_infer (const Node *node, InferContext *context, GError **error)
{
  SelectParams     *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape, line;
  gboolean          flat = !node_attribute (node, "axis");

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 4, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  params->sorted = node_int (node, "sorted", 1) != 0;
  shape = shape_make (1, (gint64[]){ (gint64) shape_count (in) });
  if (!flat)
    {
      if (!infer_axis (node, node_int (node, "axis", 0), in->n_dims, &params->axis, error))
        return FALSE;
      shape = *in;
    }
  line = shape_make (1, &shape.dims[params->axis]);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  for (guint i = 1; i < 4; i++)
    infer_set (node, i, FOVEA_TYPE_INT64, &line);
  for (guint i = 0; i < 4; i++)
    if (node_output (node, i) && i != 2)
      node_output (node, i)->dynamic = TRUE;
  return TRUE;
}

/* Compares slices i and j along the axis: outer * inner elements each. */
static int
compare_slices (const Step *step, gsize outer, gsize length, gsize inner, gsize i, gsize j)
{
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < inner; k++)
      {
        double a = element_read_number (&step->in[0], (o * length + i) * inner + k), b = element_read_number (&step->in[0], (o * length + j) * inner + k);

        if (a != b)
          return a < b ? -1 : 1;
      }
  return 0;
}

/* Scratch: order (length), group of each slice (length), first slice of each group (length). */
static void
unique_run (const Step *step, gsize first, gsize last, guint thread)
{
  const SelectParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape;
  gboolean            flat = !node_attribute (step->node, "axis");
  gsize               outer = flat ? 1 : shape_count_range (in, 0, params->axis), length = flat ? shape_count (in) : (gsize) in->dims[params->axis];
  gsize               inner = flat ? 1 : shape_count_range (in, params->axis + 1, in->n_dims), size = type_size (step->in[0].type), n = 0;
  gsize              *firsts = step_scratch (step, thread), *groups = firsts + length;

  /* Groups in the order they appear, then by value: insertion, since there are few. */
  for (gsize i = 0; i < length; i++)
    {
      gsize at = 0;
      int   order = 1;

      while (at < n && (order = compare_slices (step, outer, length, inner, i, firsts[at])) != 0 && (!params->sorted || order > 0))
        at++;
      if (at == n || order != 0)
        {
          memmove (firsts + at + 1, firsts + at, (n - at) * sizeof *firsts);
          firsts[at] = i;
          n++;
        }
    }
  for (gsize i = 0; i < length; i++)
    for (groups[i] = 0; compare_slices (step, outer, length, inner, i, firsts[groups[i]]) != 0;)
      groups[i]++;

  for (gsize g = 0; g < n; g++)
    for (gsize o = 0; o < outer; o++)
      memcpy ((guint8 *) step->out[0].data + (o * n + g) * inner * size, (const guint8 *) step->in[0].data + (o * length + firsts[g]) * inner * size,
              inner * size);
  for (guint k = 1; k < step->n_outputs; k++)
    if (step->out[k].value)
      {
        gint64 *out = step->out[k].data;

        memset (out, 0, length * sizeof *out);
        for (gsize i = 0; i < length; i++)
          if (k == 2)
            out[i] = (gint64) groups[i];
          else if (k == 3)
            out[groups[i]]++;
        for (gsize g = 0; k == 1 && g < n; g++)
          out[g] = (gint64) firsts[g];
      }
  for (guint k = 0; k < step->n_outputs; k++)
    if (step->out[k].value && k != 2 && step->out[k].actual)
      {
        *step->out[k].actual = step->out[k].shape;
        step->out[k].actual->dims[k == 0 ? params->axis : 0] = (gint64) n;
      }
}

static gboolean
unique_prepare (Step *step, GError **error)
{
  const SelectParams *params = step->node->params;

  step->scratch_size = 2 * (gsize) MAX (step->out[0].shape.dims[params->axis], 1) * sizeof (gsize) + sizeof (gsize);
  step_set_run (step, "plain", unique_run, shape_count (&step->in[0].shape) > 0, 1);
  return TRUE;
}

/* ---- Trilu -------------------------------------------------------------------------------------------------- */

static gboolean
trilu_infer (const Node *node, InferContext *context, GError **error)
{
  SelectParams *params = node->params;
  gssize        n;

  if (!infer_check_inputs (node, 1, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, &params->k, 1, &n, error))
    return FALSE;
  if (n < 0)
    params->k = 0;
  if (node_input (node, 0)->shape.n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input isn't a matrix. Check the input's size.");
  params->k = CLAMP (params->k, -G_MAXINT32, G_MAXINT32);
  infer_same (node, 0, 0);
  return TRUE;
}

static void
trilu_run (const Step *step, gsize first, gsize last, guint thread)
{
  const SelectParams *params = step->node->params;
  const FoveaShape   *shape = &step->in[0].shape;
  gint64              rows = shape->dims[shape->n_dims - 2], columns = shape->dims[shape->n_dims - 1];
  gsize               size = type_size (step->in[0].type);
  gboolean            upper = node_int (step->node, "upper", 1) != 0;

  for (gsize task = first; task < last; task++)
    for (gint64 j = 0; j < columns; j++)
      {
        gint64 distance = j - (gint64) (task % (gsize) rows);
        gsize  at = (task * (gsize) columns + (gsize) j) * size;

        if (upper ? distance >= params->k : distance <= params->k)
          memcpy ((guint8 *) step->out[0].data + at, (const guint8 *) step->in[0].data + at, size);
        else
          memset ((guint8 *) step->out[0].data + at, 0, size);
      }
}

static gboolean
trilu_prepare (Step *step, GError **error)
{
  const FoveaShape *shape = &step->in[0].shape;

  if (step->n_inputs > 1)
    step->in[1].packed = TRUE;
  step_set_run (step, "plain", trilu_run, shape_count (shape) ? shape_count_range (shape, 0, shape->n_dims - 1) : 0, 64);
  return TRUE;
}

static const AttributeSpec top_attributes[] = {
  { "axis", ATTRIBUTE_INT }, { "k", ATTRIBUTE_INT }, { "largest", ATTRIBUTE_INT }, { "sorted", ATTRIBUTE_INT },
  { NULL },
};
static const AttributeSpec trilu_attributes[] = { { "upper", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec unique_attributes[] = { { "axis", ATTRIBUTE_INT }, { "sorted", ATTRIBUTE_INT }, { NULL } };

const Operator select_operators[] = {
  { "NonZero", "", 0, NULL, nonzero_infer, NULL, nonzero_prepare, NULL },
  { "TopK", "", sizeof (SelectParams), NULL, top_infer, NULL, top_prepare, NULL, top_attributes },
  { "Trilu", "", sizeof (SelectParams), NULL, trilu_infer, NULL, trilu_prepare, NULL, trilu_attributes },
  { "Unique", "", sizeof (SelectParams), NULL, unique_infer, NULL, unique_prepare, NULL, unique_attributes },
  { NULL },
};
