/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * determinant.c: Det, the determinant of each matrix of a batch (…, n, n), by Gaussian elimination with pivots in double. Plain only.
 */

#include <math.h>

#include "ops/families.h"

static gboolean
determinant_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape *in;
  FoveaShape        shape;

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_NONE))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (in->n_dims < 2 || in->dims[in->n_dims - 1] != in->dims[in->n_dims - 2])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input isn't made of square matrices. Check the input's size.");
  shape = shape_make (in->n_dims - 2, in->dims);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* Turns the matrix into an upper triangle, and gives the product of its diagonal. */
static double
eliminate (double *matrix, gsize n) /* (n, n) */
{
  double determinant = 1;

  for (gsize column = 0; column < n; column++)
    {
      gsize pivot = column;

      for (gsize row = column + 1; row < n; row++)
        if (fabs (matrix[row * n + column]) > fabs (matrix[pivot * n + column]))
          pivot = row;
      if (matrix[pivot * n + column] == 0)
        return 0;
      if (pivot != column)
        {
          determinant = -determinant;
          for (gsize i = 0; i < n; i++)
            {
              double element = matrix[pivot * n + i];

              matrix[pivot * n + i] = matrix[column * n + i];
              matrix[column * n + i] = element;
            }
        }
      determinant *= matrix[column * n + column];
      for (gsize row = column + 1; row < n; row++)
        {
          double factor = matrix[row * n + column] / matrix[column * n + column];

          for (gsize i = column; i < n; i++)
            matrix[row * n + i] -= factor * matrix[column * n + i];
        }
    }
  return determinant;
}

/* A task is one matrix, which is eliminated in the thread's scratch. */
static void
determinant_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaTensor in = { .type = step->in[0].type, .data = step->in[0].data };
  gsize             n = (gsize) step->in[0].shape.dims[step->in[0].shape.n_dims - 1];
  double           *matrix = step_scratch (step, thread);

  for (gsize task = first; task < last; task++)
    {
      double determinant;

      tensor_read_double (&in, task * n * n, n * n, matrix);
      determinant = eliminate (matrix, n);
      if (step->out[0].type == FOVEA_TYPE_FLOAT32)
        ((float *) step->out[0].data)[task] = (float) determinant;
      else
        ((double *) step->out[0].data)[task] = determinant;
    }
}

static gboolean
determinant_prepare (Step *step, GError **error)
{
  const FoveaShape *shape = &step->in[0].shape;

  step->scratch_size = shape_count_range (shape, shape->n_dims - 2, shape->n_dims) * sizeof (double);
  step_set_run (step, "plain", determinant_run, shape_count (&step->out[0].shape), 1);
  return TRUE;
}

const Operator determinant_operators[] = {
  { "Det", "", 0, NULL, determinant_infer, NULL, determinant_prepare, NULL },
  { NULL },
};
