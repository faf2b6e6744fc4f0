/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * element.h: one element of a step's tensor of any numeric type, for plain loops that don't care which: tensor_read_* for views.
 */
#pragma once

#include "base/tensor.h"
#include "ops/step.h"

static inline double
element_read_number (const TensorView *view, gsize i)
{
  const FoveaTensor tensor = { .type = view->type, .data = view->data };
  double            value;

  if (view->type == FOVEA_TYPE_FLOAT32)
    return ((const float *) view->data)[i];
  if (view->type == FOVEA_TYPE_FLOAT64)
    return ((const double *) view->data)[i];
  tensor_read_double (&tensor, i, 1, &value);
  return value;
}

/* To a tensor of float32 or float64. */
static inline void
element_write_number (const TensorView *view, gsize i, double value)
{
  if (view->type == FOVEA_TYPE_FLOAT64)
    ((double *) view->data)[i] = value;
  else
    ((float *) view->data)[i] = (float) value;
}

/* A uint64 keeps its bits; a float saturates. */
static inline gint64
element_read_integer (const TensorView *view, gsize i)
{
  const FoveaTensor tensor = { .type = view->type, .data = view->data };
  gint64            value;

  if (view->type == FOVEA_TYPE_INT64 || view->type == FOVEA_TYPE_UINT64)
    return ((const gint64 *) view->data)[i];
  tensor_read_int64 (&tensor, i, 1, &value);
  return value;
}

/* -1, 0 or 1, of what element_read_integer gives. */
static inline int
element_compare_integers (FoveaType type, gint64 a, gint64 b)
{
  if (a == b)
    return 0;
  return (type == FOVEA_TYPE_UINT64 ? (guint64) a < (guint64) b : a < b) ? -1 : 1;
}

/* To a tensor of integers or of bool: the low bits, as C does it. */
static inline void
element_write_integer (const TensorView *view, gsize i, guint64 value)
{
  switch (type_size (view->type))
    {
    case 1: ((guint8 *) view->data)[i] = (guint8) value; break;
    case 2: ((guint16 *) view->data)[i] = (guint16) value; break;
    case 4: ((guint32 *) view->data)[i] = (guint32) value; break;
    default: ((guint64 *) view->data)[i] = value; break;
    }
}
