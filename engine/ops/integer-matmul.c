/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * integer-matmul.c: MatMulInteger and QLinearMatMul: exact sums of products of 8-bit integers, of any rank by NumPy's rules. Plain loops. See integer.h.
 */

#include <string.h>

#include "base/memory.h"
#include "ops/families.h"
#include "ops/integer.h"
#include "ops/matmul.h"

/* Where the two operators have their inputs; scales and the output's zero point: only QLinearMatMul. */
typedef struct
{
  gboolean linear;
  guint    a_zero, b, b_zero, a_scale, b_scale, out_scale, out_zero;
} Places;

typedef struct
{
  gsize  m, n, k, batch;
  gsize *a_offsets, *b_offsets;
} IntegerProduct;

static const Places *
get_places (const Node *node)
{
  static const Places integer = { FALSE, 2, 1, 3, 0, 0, 0, 0 }, linear = { TRUE, 2, 3, 5, 1, 4, 6, 7 };

  return strcmp (node->type, "QLinearMatMul") == 0 ? &linear : &integer;
}

/* A scale or zero point is one value, or one for each of n rows or columns. */
static gboolean
check_count (const Node *node, guint i, gint64 n, GError **error)
{
  const Value *value = node_input (node, i);

  return !value || shape_is_single (&value->shape) || (shape_count (&value->shape) == (gsize) n && n >= 1)
         || node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its input %u must be one value or one for each row or column.", i);
}

static gboolean
check_bytes (const Node *node, guint i, GError **error)
{
  return !node_input (node, i) || infer_check_type (node, i, error, FOVEA_TYPE_UINT8, FOVEA_TYPE_INT8, FOVEA_TYPE_NONE);
}

static gboolean
check_scale (const Node *node, guint i, gint64 n, GError **error)
{
  return infer_check_type (node, i, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE) && check_count (node, i, n, error);
}

static gboolean
integer_matmul_infer (const Node *node, InferContext *context, GError **error)
{
  const Places *places = get_places (node);
  const Value  *a, *b;
  FoveaShape    shape;
  gint64        rows, columns;

  if (!infer_check_inputs (node, places->linear ? 8 : 2, places->linear ? 8 : 4, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  a = node_input (node, 0);
  b = node_input (node, places->b);
  if (!matmul_infer_shape (node, a, b, &shape, error))
    return FALSE;
  rows = a->shape.n_dims > 1 ? a->shape.dims[a->shape.n_dims - 2] : 1;
  columns = b->shape.n_dims > 1 ? b->shape.dims[b->shape.n_dims - 1] : 1;
  if (!check_bytes (node, 0, error) || !check_bytes (node, places->b, error) || !check_bytes (node, places->a_zero, error)
      || !check_bytes (node, places->b_zero, error) || !check_count (node, places->a_zero, rows, error)
      || !check_count (node, places->b_zero, columns, error))
    return FALSE;
  if (places->linear
      && (!check_bytes (node, places->out_zero, error) || !check_count (node, places->out_zero, 1, error)
          || !check_scale (node, places->a_scale, rows, error) || !check_scale (node, places->b_scale, columns, error)
          || !check_scale (node, places->out_scale, 1, error)))
    return FALSE;
  infer_set (node, 0, places->linear ? node_input (node, places->out_zero)->type : FOVEA_TYPE_INT32, &shape);
  return TRUE;
}

/* The sum of one output, modulo 2^32 as ONNX Runtime has it. */
static gint32
sum_product (const Step *step, const IntegerProduct *product, gsize matrix, gsize row, gsize column)
{
  const Places *places = get_places (step->node);
  gint32        a_zero = integer_zero (step, places->a_zero, row), b_zero = integer_zero (step, places->b_zero, column);
  gsize         a = product->a_offsets[matrix] + row * product->k, b = product->b_offsets[matrix] + column;
  guint32       sum = 0;

  for (gsize i = 0; i < product->k; i++)
    sum += (guint32) ((integer_element (&step->in[0], a + i) - a_zero) * (integer_element (&step->in[places->b], b + i * product->n) - b_zero));
  return (gint32) sum;
}

/* One task: a row of the output. */
static void
integer_matmul_run (const Step *step, gsize first, gsize last, guint thread)
{
  const IntegerProduct *product = step->state;
  const Places         *places = get_places (step->node);
  Quantizer             quantizer = quantizer_make (step->out[0].type, places->linear ? integer_zero (step, places->out_zero, 0) : 0);

  for (gsize task = first; task < last; task++)
    for (gsize column = 0; column < product->n; column++)
      {
        gsize  i = task * product->n + column, row = task % product->m;
        gint32 sum = sum_product (step, product, task / product->m, row, column);

        if (places->linear)
          quantizer_write (&quantizer,
                           (float) sum * (integer_scale (step, places->a_scale, row) * integer_scale (step, places->b_scale, column)
                                          / integer_scale (step, places->out_scale, 0)),
                           step->out[0].data, i);
        else
          ((gint32 *) step->out[0].data)[i] = sum;
      }
}

static void
integer_product_free (gpointer data)
{
  IntegerProduct *product = data;

  memory_free (product->a_offsets);
  memory_free (product->b_offsets);
  g_free (product);
}

static gboolean
integer_matmul_prepare (Step *step, GError **error)
{
  IntegerProduct *product = g_new0 (IntegerProduct, 1);
  FoveaShape      a = step->in[0].shape, b = step->in[get_places (step->node)->b].shape, batch = step->out[0].shape, a_batch, b_batch;

  step->state = product;
  step->free_state = integer_product_free;
  if (a.n_dims == 1)
    a = shape_make (2, (gint64[]){ 1, a.dims[0] });
  if (b.n_dims == 1)
    b = shape_make (2, (gint64[]){ b.dims[0], 1 });
  product->m = (gsize) a.dims[a.n_dims - 2];
  product->k = (gsize) a.dims[a.n_dims - 1];
  product->n = (gsize) b.dims[b.n_dims - 1];
  a_batch = shape_make (a.n_dims - 2, a.dims);
  b_batch = shape_make (b.n_dims - 2, b.dims);
  batch.n_dims = MAX (a_batch.n_dims, b_batch.n_dims);
  product->batch = shape_count (&batch);
  if (!matmul_batch_offsets (&batch, &a_batch, &b_batch, product->m * product->k, product->k * product->n, &product->a_offsets, &product->b_offsets, error))
    return FALSE;
  step_set_run (step, "plain", integer_matmul_run, product->batch * product->m, 1 + 16384 / MAX (product->n * product->k, 1));
  return TRUE;
}

const Operator integer_matmul_operators[] = {
  { "MatMulInteger", "", 0, NULL, integer_matmul_infer, NULL, integer_matmul_prepare, NULL },
  { "QLinearMatMul", "", 0, NULL, integer_matmul_infer, NULL, integer_matmul_prepare, NULL },
  { NULL },
};
