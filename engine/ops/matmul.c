/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matmul.c: MatMul (NumPy's rules, any rank) and Gemm (alpha A' B' + beta C).
 *
 * float32 goes through the kernels' gemm () on a packed right-hand side: packed once when it is constant, else at each run, panel by panel, in a
 * phase of its own. Other types, and the reference, go through plain loops.
 *
 *   A (batch, m, k)   B (batch or 1, k, n) packed to (n/16, k, 16)   C (batch, m, n)
 */

#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/broadcast.h"
#include "ops/element.h"
#include "ops/families.h"
#include "ops/matmul.h"

typedef struct
{
  gboolean   is_gemm, transpose_a, transpose_b;
  float      alpha, beta;
  Activation activation;
} MatmulParams;

/* The product as a batch of matrices. */
typedef struct
{
  gsize          m, n, k, batch;
  gsize          a_row, a_column, b_row, b_column; /* strides, elements */
  gsize         *a_offsets, *b_offsets;            /* of each matrix of the batch, elements */
  gsize          panels, row_chunk, row_chunks;
  const Kernels *kernels;
  float         *packed; /* of the constant B, times alpha; NULL: packed in each run */
  float         *bias;   /* Gemm's constant C of one row, times beta; NULL: see add_c */
  gboolean       add_c;  /* C is added by broadcasting beforehand */
  Broadcast      c_broadcast;
} Product;

static gboolean
matmul_parse (Node *node, GError **error)
{
  MatmulParams *params = node->params;

  params->is_gemm = strcmp (node->type, "Gemm") == 0;
  params->alpha = node_float (node, "alpha", 1);
  params->beta = node_float (node, "beta", 1);
  params->transpose_a = node_int (node, "transA", 0) != 0;
  params->transpose_b = node_int (node, "transB", 0) != 0;
  return TRUE;
}

static gboolean
refuse_shapes (const Node *node, const Value *a, const Value *b, GError **error)
{
  g_autofree char *first = shape_to_string (&a->shape), *second = shape_to_string (&b->shape);

  return node_error (node, error, FOVEA_ERROR_SHAPE, "matrices of the shapes %s and %s can't be multiplied. Check the input's size.", first, second);
}

gboolean
matmul_infer_shape (const Node *node, const Value *a, const Value *b, FoveaShape *out, GError **error)
{
  FoveaShape a_shape, b_shape, a_batch, b_batch, shape;

  if (a->shape.n_dims == 0 || b->shape.n_dims == 0)
    return refuse_shapes (node, a, b, error);

  a_shape = a->shape.n_dims == 1 ? shape_make (2, (gint64[]){ 1, a->shape.dims[0] }) : a->shape;
  b_shape = b->shape.n_dims == 1 ? shape_make (2, (gint64[]){ b->shape.dims[0], 1 }) : b->shape;
  if (a_shape.dims[a_shape.n_dims - 1] != b_shape.dims[b_shape.n_dims - 2])
    return refuse_shapes (node, a, b, error);
  a_batch = shape_make (a_shape.n_dims - 2, a_shape.dims);
  b_batch = shape_make (b_shape.n_dims - 2, b_shape.dims);
  if (!infer_broadcast (node, &a_batch, &b_batch, &shape, error))
    return FALSE;
  if (a->shape.n_dims > 1)
    shape.dims[shape.n_dims++] = a_shape.dims[a_shape.n_dims - 2];
  if (b->shape.n_dims > 1)
    shape.dims[shape.n_dims++] = b_shape.dims[b_shape.n_dims - 1];
  *out = shape;
  return TRUE;
}

static gboolean
matmul_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *a, *b;
  FoveaShape   shape;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  a = node_input (node, 0);
  b = node_input (node, 1);
  if (a->type != b->type || a->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't multiply %s by %s. Convert the model to float32.", type_name (a->type),
                       type_name (b->type));
  if (!matmul_infer_shape (node, a, b, &shape, error))
    return FALSE;
  infer_set (node, 0, a->type, &shape);
  return TRUE;
}

static gboolean
gemm_infer (const Node *node, InferContext *context, GError **error)
{
  const MatmulParams *params = node->params;
  const Value        *a, *b, *c;
  FoveaShape          shape = { 2, { 0 } }, both;

  if (!infer_check_inputs (node, 2, 3, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  a = node_input (node, 0);
  b = node_input (node, 1);
  c = node_input (node, 2);
  if (a->type != b->type || (c && c->type != a->type) || a->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't multiply %s by %s. Convert the model to float32.", type_name (a->type),
                       type_name (b->type));
  if (a->shape.n_dims != 2 || b->shape.n_dims != 2 || a->shape.dims[!params->transpose_a] != b->shape.dims[params->transpose_b])
    return refuse_shapes (node, a, b, error);
  shape.dims[0] = a->shape.dims[params->transpose_a];
  shape.dims[1] = b->shape.dims[!params->transpose_b];
  if (c && !infer_broadcast (node, &shape, &c->shape, &both, error))
    return FALSE;
  if (c && !shape_equal (&shape, &both))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "what it adds is larger than its result. The model is damaged.");
  infer_set (node, 0, a->type, &shape);
  return TRUE;
}

/* ---- plain loops ------------------------------------------------------------------------------------------ */

/* C's element that is added to output element i. */
static gsize
c_index (const Product *product, gsize i)
{
  gsize          chunk = i % product->c_broadcast.row / BROADCAST_CHUNK;
  BroadcastPiece piece;

  broadcast_piece (&product->c_broadcast, i / product->c_broadcast.row * product->c_broadcast.chunks + chunk, &piece);
  return piece.in[0] + (i - piece.out) * piece.step[0];
}

/* A task is one row of one matrix of the result. */
static void
plain_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Product      *product = step->state;
  const MatmulParams *params = step->node->params;
  gboolean            has_c = step->n_inputs > 2 && step->in[2].value;

  for (gsize task = first; task < last; task++)
    for (gsize j = 0; j < product->n; j++)
      {
        gsize a = product->a_offsets[task / product->m] + task % product->m * product->a_row;
        gsize b = product->b_offsets[task / product->m] + j * product->b_column;
        gsize at = task * product->n + j;

        if (type_is_float (step->out[0].type))
          {
            double sum = 0;

            for (gsize k = 0; k < product->k; k++)
              sum += element_read_number (&step->in[0], a + k * product->a_column) * element_read_number (&step->in[1], b + k * product->b_row);
            sum *= params->alpha;
            if (has_c)
              sum += params->beta * element_read_number (&step->in[2], c_index (product, at));
            if (step->out[0].type == FOVEA_TYPE_FLOAT32)
              ((float *) step->out[0].data)[at] = (float) sum;
            else
              ((double *) step->out[0].data)[at] = sum;
          }
        else
          {
            guint64 sum = 0;

            for (gsize k = 0; k < product->k; k++)
              sum += (guint64) element_read_integer (&step->in[0], a + k * product->a_column) * (guint64) element_read_integer (&step->in[1], b + k * product->b_row);
            if (params->alpha != 1)
              sum = (guint64) int64_from_double ((double) (gint64) sum * params->alpha);
            if (has_c)
              sum += (guint64) int64_from_double (params->beta * (double) element_read_integer (&step->in[2], c_index (product, at)));
            element_write_integer (&step->out[0], at, sum);
          }
      }
}

/* ---- kernels ---------------------------------------------------------------------------------------------- */

static gsize
packed_size (const Product *product)
{
  return pack_gemm_size (product->n, product->k);
}

/* Phase for a B that isn't constant: a task packs one panel of one matrix. */
static void
pack_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Product      *product = step->state;
  const MatmulParams *params = step->node->params;
  float              *packed = (float *) step->workspace;

  for (gsize task = first; task < last; task++)
    {
      gsize        matrix = task / product->panels, panel = task % product->panels;
      const float *b = (const float *) step->in[1].data + product->b_offsets[matrix];
      float       *out = packed + matrix * packed_size (product) + panel * product->k * KERNEL_BLOCK;

      for (gsize k = 0; k < product->k; k++)
        for (gsize lane = 0; lane < KERNEL_BLOCK; lane++)
          {
            gsize column = panel * KERNEL_BLOCK + lane;

            out[k * KERNEL_BLOCK + lane] = column < product->n ? params->alpha * b[k * product->b_row + column * product->b_column] : 0.0f;
          }
    }
}

/* Gemm's C into the result, to which the product is then added. */
static void
write_c (const Step *step, const Product *product, gsize first_row, gsize last_row, gsize first_column, gsize last_column)
{
  const MatmulParams *params = step->node->params;
  const float        *c = step->in[2].data;
  float              *out = step->out[0].data;

  for (gsize i = first_row; i < last_row; i++)
    for (gsize j = first_column; j < last_column; j++)
      out[i * product->n + j] = params->beta * c[c_index (product, i * product->n + j)];
}

/* A task is a panel group of a chunk of rows of one matrix. */
static void
gemm_run (const Step *step, gsize first, gsize last, guint thread)
{
  const Product      *product = step->state;
  const MatmulParams *params = step->node->params;
  gsize               per_matrix = product->row_chunks * product->panels;

  for (gsize task = first; task < last;)
    {
      gsize      matrix = task / per_matrix, chunk = task % per_matrix / product->panels, panel = task % product->panels;
      gsize      end_panel = MIN (product->panels, panel + (last - task));
      gsize      row = chunk * product->row_chunk, end_row = MIN (product->m, row + product->row_chunk);
      KernelGemm gemm = {
        .m = product->m,
        .n = product->n,
        .k = product->k,
        .a = (const float *) step->in[0].data + product->a_offsets[matrix],
        .a_row = product->a_row,
        .b = product->packed ? product->packed : (const float *) step->workspace + matrix * packed_size (product),
        .c = (float *) step->out[0].data + matrix * product->m * product->n,
        .c_row = product->n,
        .bias = product->bias,
        .accumulate = product->add_c,
        .activation = params->activation,
      };

      if (product->add_c)
        write_c (step, product, row, end_row, panel * KERNEL_BLOCK, MIN (product->n, end_panel * KERNEL_BLOCK));
      product->kernels->gemm (&gemm, panel, end_panel, row, end_row);
      task += end_panel - panel;
    }
}

static void
product_free (gpointer data)
{
  Product *product = data;

  memory_free (product->a_offsets);
  memory_free (product->b_offsets);
  memory_free (product->packed);
  memory_free (product->bias);
  g_free (product);
}

/* ---- prepare ---------------------------------------------------------------------------------------------- */

gboolean
matmul_batch_offsets (const FoveaShape *out, const FoveaShape *a, const FoveaShape *b, gsize a_size, gsize b_size, gsize **a_offsets, gsize **b_offsets,
                      GError **error)
{
  const FoveaShape *shapes[] = { a, b };
  gsize             batch = shape_count (out);
  Broadcast         broadcast;

  *a_offsets = memory_alloc_n (batch + 1, sizeof (gsize), "a table of matrices", error);
  *b_offsets = *a_offsets ? memory_alloc_n (batch + 1, sizeof (gsize), "a table of matrices", error) : NULL;
  if (!*b_offsets)
    return FALSE;
  broadcast_init (&broadcast, out, shapes, 2);
  for (gsize task = 0; task < broadcast.n_tasks; task++)
    {
      BroadcastPiece piece;

      broadcast_piece (&broadcast, task, &piece);
      for (gsize i = 0; i < piece.n; i++)
        {
          (*a_offsets)[piece.out + i] = (piece.in[0] + i * piece.step[0]) * a_size;
          (*b_offsets)[piece.out + i] = (piece.in[1] + i * piece.step[1]) * b_size;
        }
    }
  return TRUE;
}

static gboolean
describe (Step *step, Product *product, GError **error)
{
  const MatmulParams *params = step->node->params;
  FoveaShape          a = step->in[0].shape, b = step->in[1].shape, batch, a_batch, b_batch;

  if (a.n_dims == 1)
    a = shape_make (2, (gint64[]){ 1, a.dims[0] });
  if (b.n_dims == 1)
    b = shape_make (2, (gint64[]){ b.dims[0], 1 });
  product->m = (gsize) a.dims[a.n_dims - 2 + params->transpose_a];
  product->k = (gsize) a.dims[a.n_dims - 1 - params->transpose_a];
  product->n = (gsize) b.dims[b.n_dims - 1 - params->transpose_b];
  product->a_row = params->transpose_a ? 1 : product->k;
  product->a_column = params->transpose_a ? product->m : 1;
  product->b_row = params->transpose_b ? 1 : product->n;
  product->b_column = params->transpose_b ? product->k : 1;

  a_batch = shape_make (a.n_dims - 2, a.dims);
  b_batch = shape_make (b.n_dims - 2, b.dims);
  batch = step->out[0].shape;
  batch.n_dims = MAX (a_batch.n_dims, b_batch.n_dims);
  product->batch = shape_count (&batch);
  if (!matmul_batch_offsets (&batch, &a_batch, &b_batch, product->m * product->k, product->k * product->n, &product->a_offsets, &product->b_offsets, error))
    return FALSE;

  /* One B for all: the batch is one tall matrix. */
  if (b_batch.n_dims == 0 && !params->transpose_a && product->batch > 1)
    {
      product->m *= product->batch;
      product->batch = 1;
    }
  if (step->n_inputs > 2 && step->in[2].value)
    {
      const FoveaShape *shapes[] = { &step->in[2].shape };

      broadcast_init (&product->c_broadcast, &step->out[0].shape, shapes, 1);
    }
  return TRUE;
}

static gboolean
pack_constants (Step *step, Product *product, GError **error)
{
  const MatmulParams *params = step->node->params;
  const Value        *c = step->n_inputs > 2 ? step->in[2].value : NULL;

  if (step->in[1].value->constant && product->batch == 1)
    {
      float *b = step_constant_floats (step, 1, error);

      if (b)
        product->packed = step_alloc (step, packed_size (product), sizeof (float), error);
      if (product->packed)
        pack_gemm (b, product->n, product->k, params->transpose_b ? product->k : product->n, params->transpose_b, product->packed);
      memory_free (b);
      if (!product->packed)
        return FALSE;
      for (gsize i = 0; params->alpha != 1 && i < packed_size (product); i++)
        product->packed[i] *= params->alpha;
      step->in[1].packed = TRUE;
    }
  if (c && c->constant && shape_count (&c->shape) == product->n && c->shape.dims[c->shape.n_dims - 1] == (gint64) product->n)
    {
      product->bias = step_alloc (step, kernel_blocks (product->n) * KERNEL_BLOCK, sizeof (float), error);
      if (!product->bias)
        return FALSE;
      tensor_read_float (c->constant, 0, product->n, product->bias);
      for (gsize i = 0; i < product->n; i++)
        product->bias[i] *= params->beta;
      step->in[2].packed = TRUE;
    }
  product->add_c = c && !product->bias;
  return TRUE;
}

static gboolean
matmul_prepare (Step *step, GError **error)
{
  Product *product = g_new0 (Product, 1);

  step->state = product;
  step->free_state = product_free;
  if (!describe (step, product, error))
    return FALSE;
  if (step->reference || step->out[0].type != FOVEA_TYPE_FLOAT32 || product->a_column != 1 || product->k == 0
      || shape_count (&step->out[0].shape) == 0)
    {
      step_set_run (step, "plain", plain_run, product->batch * product->m, 1 + 16384 / MAX (product->n * product->k, 1));
      return TRUE;
    }

  product->kernels = kernels_get ();
  product->panels = kernel_blocks (product->n);
  product->row_chunk = 96;
  product->row_chunks = (product->m + product->row_chunk - 1) / product->row_chunk;
  if (!pack_constants (step, product, error))
    return FALSE;
  if (!product->packed)
    {
      if (!g_size_checked_mul (&step->workspace_size, packed_size (product) * sizeof (float), product->batch))
        return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its matrices are too large. Use a smaller input.");
      step->n_phases = 1;
      step->phase[0].run = pack_run;
      step->phase[0].n_tasks = product->batch * product->panels;
      step->phase[0].grain = 1 + 1024 / product->k;
    }
  step->kernel = product->m == 1 ? "gemm, one row" : "gemm";
  step->phase[step->n_phases].run = gemm_run;
  step->phase[step->n_phases].n_tasks = product->batch * product->row_chunks * product->panels;
  step->phase[step->n_phases].grain = 1 + 65536 / (MIN (product->m, product->row_chunk) * product->k * KERNEL_BLOCK);
  step->n_phases++;
  return TRUE;
}

static const AttributeSpec gemm_attributes[] = {
  { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { "transA", ATTRIBUTE_INT }, { "transB", ATTRIBUTE_INT },
  { NULL },
};

const Operator matmul_operators[] = {
  { "Gemm", "", sizeof (MatmulParams), matmul_parse, gemm_infer, NULL, matmul_prepare, NULL, gemm_attributes },
  { "MatMul", "", sizeof (MatmulParams), matmul_parse, matmul_infer, NULL, matmul_prepare, NULL },
  { NULL },
};
