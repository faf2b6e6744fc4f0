/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * integer.h: what operators on quantized tensors share. An integer q stands for the number (q - zero point) * scale.
 */
#pragma once

#include "base/tensor.h"
#include "ops/step.h"

/* Element i of a tensor of integers of at most 32 bits. */
static inline gint32
integer_element (const TensorView *view, gsize i)
{
  switch (view->type)
    {
    case FOVEA_TYPE_UINT8:  return ((const guint8 *) view->data)[i];
    case FOVEA_TYPE_INT8:   return ((const gint8 *) view->data)[i];
    case FOVEA_TYPE_UINT16: return ((const guint16 *) view->data)[i];
    case FOVEA_TYPE_INT16:  return ((const gint16 *) view->data)[i];
    default:                return ((const gint32 *) view->data)[i];
    }
}

/* How numbers become integers of a type. */
typedef struct
{
  FoveaType type;
  gint32    zero;
  float     least, most; /* of what is rounded, before the zero point is added */
} Quantizer;

static inline Quantizer
quantizer_make (FoveaType type, gint32 zero)
{
  gint32 low = type == FOVEA_TYPE_INT8 ? G_MININT8 : type == FOVEA_TYPE_INT16 ? G_MININT16 : 0;
  gint32 high = type == FOVEA_TYPE_INT8 ? G_MAXINT8 : type == FOVEA_TYPE_UINT8 ? G_MAXUINT8 : type == FOVEA_TYPE_INT16 ? G_MAXINT16 : G_MAXUINT16;

  return (Quantizer) { type, zero, (float) (low - zero), (float) (high - zero) };
}

/* x is in units of the scale. Halves go to the even integer; NaN gives the least. */
static inline gint32
quantizer_round (const Quantizer *quantizer, float x)
{
  const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */

  x = x > quantizer->least ? x : quantizer->least;
  x = x < quantizer->most ? x : quantizer->most;
  return (gint32) (x + magic - magic) + quantizer->zero;
}

static inline void
quantizer_write (const Quantizer *quantizer, float x, void *out, gsize i)
{
  gint32 q = quantizer_round (quantizer, x);

  if (quantizer->type == FOVEA_TYPE_UINT8 || quantizer->type == FOVEA_TYPE_INT8)
    ((guint8 *) out)[i] = (guint8) q;
  else
    ((guint16 *) out)[i] = (guint16) q;
}

/* The zero point of input i for element `at` of its list: 0 where the input is left out; that of a single value holds for all. */
static inline gint32
integer_zero (const Step *step, guint i, gsize at)
{
  if (i >= step->n_inputs || !step->in[i].value)
    return 0;
  return integer_element (&step->in[i], shape_is_single (&step->in[i].shape) ? 0 : at);
}

/* The scale, float32, likewise. */
static inline float
integer_scale (const Step *step, guint i, gsize at)
{
  return ((const float *) step->in[i].data)[shape_is_single (&step->in[i].shape) ? 0 : at];
}
