/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * einsum.c: Einsum, sums of products by Einstein's convention, as NumPy reads it. Plain only.
 *
 * Every label of the equation is a loop: labels of the result are walked over the tasks, the others are summed. A label has a stride in each input:
 * 0 where the input hasn't got it (or has size 1 there), the sum of its strides where it stands twice ("ii", a diagonal). "..." stands for labels of
 * its own, counted from the end. Sums are made in double, those of integers wrap.
 */

#include <string.h>

#include "ops/element.h"
#include "ops/families.h"

#define MAX_INPUTS 8
#define N_LETTERS  52
#define MAX_LABELS (N_LETTERS + FOVEA_MAX_DIMS) /* A–Z, a–z, then the dimensions that "..." stands for, from the end */

typedef struct
{
  gsize size;
  gsize strides[MAX_INPUTS]; /* elements */
} Loop;

typedef struct
{
  guint n_out, n_summed; /* set by infer, as all of this */
  Loop  out[FOVEA_MAX_DIMS];
  Loop  summed[MAX_LABELS];
  gsize count;           /* products that make an element of the result */
} EinsumParams;

typedef struct
{
  guint  uses[MAX_LABELS];
  gint64 sizes[MAX_LABELS];
  gsize  strides[MAX_LABELS][MAX_INPUTS];
  guint  n_ellipsis; /* most dimensions that "..." stands for */
} Labels;

static gboolean
refuse_equation (const Node *node, GError **error)
{
  return node_error (node, error, FOVEA_ERROR_MODEL, "its equation “%s” doesn't fit its inputs. The model is damaged, or was written by a faulty exporter.",
                     node_string (node, "equation", ""));
}

/* The labels of one term of the equation, which ends at a comma, at the arrow or at the end; "..." becomes n_ellipsis labels. *text moves on to the
 * term's end. FALSE if it has letters that aren't any, or more than FOVEA_MAX_DIMS labels. n_ellipsis < 0: as many as n_dims leaves. */
static gboolean
read_term (const char **text, gint n_dims, gint n_ellipsis, guint *labels, guint *n)
{
  gint        n_letters = 0;
  gboolean    has_ellipsis = FALSE;
  const char *at;

  for (at = *text; *at && *at != ',' && *at != '-'; at++)
    n_letters += g_ascii_isalpha (*at) != 0;
  if (n_ellipsis < 0)
    n_ellipsis = n_dims - n_letters;
  *n = 0;
  for (at = *text; *at && *at != ',' && *at != '-'; at++)
    if (g_ascii_isalpha (*at) && *n < FOVEA_MAX_DIMS)
      labels[(*n)++] = (guint) (g_ascii_isupper (*at) ? *at - 'A' : *at - 'a' + 26);
    else if (strncmp (at, "...", 3) == 0 && !has_ellipsis && n_ellipsis >= 0 && *n + (guint) n_ellipsis <= FOVEA_MAX_DIMS)
      {
        for (gint i = n_ellipsis; i-- > 0;)
          labels[(*n)++] = N_LETTERS + (guint) i;
        has_ellipsis = TRUE;
        at += 2;
      }
    else if (*at != ' ')
      return FALSE;
  *text = at;
  return TRUE;
}

static gboolean
read_input (const Node *node, guint input, const char **text, Labels *labels, GError **error)
{
  const FoveaShape *shape = &node_input (node, input)->shape;
  guint             term[FOVEA_MAX_DIMS], n;
  gsize             stride = 1;

  if (!read_term (text, (gint) shape->n_dims, -1, term, &n) || n != shape->n_dims)
    return refuse_equation (node, error);
  for (guint i = n; i-- > 0;)
    {
      guint  label = term[i];
      gint64 size = shape->dims[i];

      if (labels->uses[label]++ == 0 || labels->sizes[label] == 1)
        labels->sizes[label] = size;
      else if (size != labels->sizes[label] && size != 1)
        return refuse_equation (node, error);
      if (size != 1)
        labels->strides[label][input] += stride;
      stride *= (gsize) size;
      if (label >= N_LETTERS)
        labels->n_ellipsis = MAX (labels->n_ellipsis, label - N_LETTERS + 1);
    }
  return TRUE;
}

/* Where the equation has no "->": the dimensions of "...", then the letters that stand in it once, in the alphabet's order. */
static gboolean
implicit_result (const Labels *labels, guint *term, guint *n)
{
  *n = 0;
  for (guint i = labels->n_ellipsis; i-- > 0;)
    term[(*n)++] = N_LETTERS + i;
  for (guint label = 0; label < N_LETTERS; label++)
    if (labels->uses[label] == 1)
      {
        if (*n == FOVEA_MAX_DIMS)
          return FALSE;
        term[(*n)++] = label;
      }
  return TRUE;
}

static Loop
loop_of_label (const Labels *labels, guint label)
{
  Loop loop = { .size = (gsize) labels->sizes[label] };

  memcpy (loop.strides, labels->strides[label], sizeof loop.strides);
  return loop;
}

static gboolean
einsum_infer (const Node *node, InferContext *context, GError **error)
{
  EinsumParams *params = node->params;
  const char   *text = node_string (node, "equation", "");
  Labels        labels = { 0 };
  gboolean      in_result[MAX_LABELS] = { FALSE };
  guint         term[FOVEA_MAX_DIMS], n;
  FoveaShape    shape = { 0, { 0 } };

  if (!infer_check_inputs (node, 1, MAX_INPUTS, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  for (guint i = 0; i < node->inputs->len; i++)
    {
      if (!node_input (node, i) || node_input (node, i)->type != node_input (node, 0)->type || node_input (node, i)->type == FOVEA_TYPE_BOOL)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its inputs aren't numbers of one type. The model is damaged, or was written by a faulty exporter.");
      if (i > 0 && *text++ != ',')
        return refuse_equation (node, error);
      if (!read_input (node, i, &text, &labels, error))
        return FALSE;
    }
  if (*text == '\0' ? !implicit_result (&labels, term, &n)
                    : !g_str_has_prefix (text, "->") || (text += 2, !read_term (&text, 0, (gint) labels.n_ellipsis, term, &n)) || *text)
    return refuse_equation (node, error);

  params->n_out = params->n_summed = 0;
  params->count = 1;
  for (guint i = 0; i < n; i++)
    {
      if (in_result[term[i]] || labels.uses[term[i]] == 0)
        return refuse_equation (node, error);
      in_result[term[i]] = TRUE;
      params->out[params->n_out++] = loop_of_label (&labels, term[i]);
      shape.dims[shape.n_dims++] = labels.sizes[term[i]];
    }
  for (guint label = 0; label < MAX_LABELS; label++)
    if (labels.uses[label] && !in_result[label])
      {
        params->summed[params->n_summed++] = loop_of_label (&labels, label);
        if (!g_size_checked_mul (&params->count, params->count, (gsize) labels.sizes[label]))
          return refuse_equation (node, error);
      }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* Adds to each input's offset that of element `index` of the loops, the last of which is the fastest. */
static void
add_offsets (const Loop *loops, guint n_loops, guint n_inputs, gsize index, gsize *offsets)
{
  for (guint i = n_loops; i-- > 0; index /= loops[i].size)
    for (guint input = 0; input < n_inputs; input++)
      offsets[input] += index % loops[i].size * loops[i].strides[input];
}

static double
product_of_floats (const Step *step, const gsize *offsets)
{
  double product = 1;

  for (guint i = 0; i < step->n_inputs; i++)
    product *= step->in[i].type == FOVEA_TYPE_FLOAT32 ? (double) ((const float *) step->in[i].data)[offsets[i]] : ((const double *) step->in[i].data)[offsets[i]];
  return product;
}

static guint64
product_of_integers (const Step *step, const gsize *offsets)
{
  guint64 product = 1;

  for (guint i = 0; i < step->n_inputs; i++)
    product *= (guint64) element_read_integer (&step->in[i], offsets[i]);
  return product;
}

/* A task is an element of the result. */
static void
einsum_run (const Step *step, gsize first, gsize last, guint thread)
{
  const EinsumParams *params = step->node->params;
  static const Loop   once = { .size = 1 };
  const Loop         *inner = params->n_summed ? &params->summed[params->n_summed - 1] : &once;
  void               *out = step->out[0].data;

  for (gsize task = first; task < last; task++)
    {
      double  sum = 0;
      guint64 integer_sum = 0;

      for (gsize row = 0; params->count && row < params->count / inner->size; row++)
        {
          gsize offsets[MAX_INPUTS] = { 0 };

          add_offsets (params->out, params->n_out, step->n_inputs, task, offsets);
          if (params->n_summed)
            add_offsets (params->summed, params->n_summed - 1, step->n_inputs, row, offsets);
          for (gsize i = 0; i < inner->size; i++)
            {
              if (type_is_float (step->in[0].type))
                sum += product_of_floats (step, offsets);
              else
                integer_sum += product_of_integers (step, offsets);
              for (guint input = 0; input < step->n_inputs; input++)
                offsets[input] += inner->strides[input];
            }
        }
      if (step->out[0].type == FOVEA_TYPE_FLOAT32)
        ((float *) out)[task] = (float) sum;
      else if (step->out[0].type == FOVEA_TYPE_FLOAT64)
        ((double *) out)[task] = sum;
      else if (type_size (step->out[0].type) == 8)
        ((guint64 *) out)[task] = integer_sum;
      else if (type_size (step->out[0].type) == 4)
        ((guint32 *) out)[task] = (guint32) integer_sum;
      else if (type_size (step->out[0].type) == 2)
        ((guint16 *) out)[task] = (guint16) integer_sum;
      else
        ((guint8 *) out)[task] = (guint8) integer_sum;
    }
}

static gboolean
einsum_prepare (Step *step, GError **error)
{
  const EinsumParams *params = step->node->params;

  step_set_run (step, "plain", einsum_run, shape_count (&step->out[0].shape), 1 + 4096 / MAX (params->count, 1));
  return TRUE;
}

static const AttributeSpec einsum_attributes[] = { { "equation", ATTRIBUTE_STRING }, { NULL } };

const Operator einsum_operators[] = {
  { "Einsum", "", sizeof (EinsumParams), NULL, einsum_infer, NULL, einsum_prepare, NULL, einsum_attributes },
  { NULL },
};
