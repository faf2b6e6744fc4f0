/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tensor.c: types, shapes and the reference counted tensor of fovea.h.
 */

#include "base/tensor.h"

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"

static const struct
{
  const char *name;
  gsize       size;
} types[FOVEA_N_TYPES] = {
  [FOVEA_TYPE_NONE]    = { "unknown", 0 },
  [FOVEA_TYPE_FLOAT32] = { "float32", 4 },
  [FOVEA_TYPE_FLOAT64] = { "float64", 8 },
  [FOVEA_TYPE_FLOAT16] = { "float16", 2 },
  [FOVEA_TYPE_INT8]    = { "int8", 1 },
  [FOVEA_TYPE_INT16]   = { "int16", 2 },
  [FOVEA_TYPE_INT32]   = { "int32", 4 },
  [FOVEA_TYPE_INT64]   = { "int64", 8 },
  [FOVEA_TYPE_UINT8]   = { "uint8", 1 },
  [FOVEA_TYPE_UINT16]  = { "uint16", 2 },
  [FOVEA_TYPE_UINT32]  = { "uint32", 4 },
  [FOVEA_TYPE_UINT64]  = { "uint64", 8 },
  [FOVEA_TYPE_BOOL]    = { "bool", 1 },
};

gsize
type_size (FoveaType type)
{
  return type < FOVEA_N_TYPES ? types[type].size : 0;
}

const char *
type_name (FoveaType type)
{
  return types[type < FOVEA_N_TYPES ? type : FOVEA_TYPE_NONE].name;
}

gsize
fovea_type_size (FoveaType type)
{
  return type_size (type);
}

const char *
fovea_type_name (FoveaType type)
{
  return type_name (type);
}

gboolean
type_is_float (FoveaType type)
{
  return type == FOVEA_TYPE_FLOAT32 || type == FOVEA_TYPE_FLOAT64 || type == FOVEA_TYPE_FLOAT16;
}

gboolean
type_is_integer (FoveaType type)
{
  return type >= FOVEA_TYPE_INT8 && type <= FOVEA_TYPE_UINT64;
}

/* ---- shapes ----------------------------------------------------------------------------------------------- */

FoveaShape
shape_make (guint n_dims, const gint64 *dims)
{
  FoveaShape shape = { n_dims, { 0 } };

  g_assert (n_dims <= FOVEA_MAX_DIMS);
  for (guint i = 0; i < n_dims; i++)
    shape.dims[i] = dims[i];
  return shape;
}

gboolean
shape_equal (const FoveaShape *a, const FoveaShape *b)
{
  if (a->n_dims != b->n_dims)
    return FALSE;
  for (guint i = 0; i < a->n_dims; i++)
    if (a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

gboolean
shape_is_known (const FoveaShape *shape)
{
  for (guint i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] < 0)
      return FALSE;
  return TRUE;
}

gsize
shape_count_range (const FoveaShape *shape, guint first, guint last)
{
  gsize count = 1;

  for (guint i = first; i < last; i++)
    count *= (gsize) shape->dims[i];
  return count;
}

gsize
shape_count (const FoveaShape *shape)
{
  return shape_count_range (shape, 0, shape->n_dims);
}

gboolean
shape_is_single (const FoveaShape *shape)
{
  return shape_count (shape) == 1;
}

/* A zero dimension does not excuse the others: their product must fit too, so that partial products can't overflow. */
gboolean
shape_count_checked (const FoveaShape *shape, gsize *count)
{
  gsize    product = 1;
  gboolean empty = FALSE;

  for (guint i = 0; i < shape->n_dims; i++)
    {
      if (shape->dims[i] < 0)
        return FALSE;
      if (shape->dims[i] == 0)
        empty = TRUE;
      else if (!g_size_checked_mul (&product, product, (gsize) shape->dims[i]))
        return FALSE;
    }
  *count = empty ? 0 : product;
  return product <= G_MAXSSIZE;
}

gboolean
shape_bytes_checked (const FoveaShape *shape, FoveaType type, gsize *bytes)
{
  gsize count;

  return shape_count_checked (shape, &count) && g_size_checked_mul (bytes, count, type_size (type)) && *bytes <= G_MAXSSIZE;
}

char *
shape_to_string (const FoveaShape *shape)
{
  GString *text = g_string_new (shape->n_dims == 0 ? "scalar" : NULL);

  for (guint i = 0; i < shape->n_dims; i++)
    {
      if (i > 0)
        g_string_append_c (text, 'x');
      if (shape->dims[i] < 0)
        g_string_append_c (text, '?');
      else
        g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[i]);
    }
  return g_string_free (text, FALSE);
}

/* ---- tensors ---------------------------------------------------------------------------------------------- */

static gboolean
tensor_check (FoveaType type, const FoveaShape *shape, gsize *bytes, GError **error)
{
  g_autofree char *text = NULL;

  if (type > FOVEA_TYPE_NONE && type < FOVEA_N_TYPES && shape->n_dims <= FOVEA_MAX_DIMS && shape_bytes_checked (shape, type, bytes))
    return TRUE;

  text = shape->n_dims <= FOVEA_MAX_DIMS ? shape_to_string (shape) : g_strdup ("too many dimensions");
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE,
               "A tensor of type %s and shape %s can't be made: give a known type and dimensions whose product fits in memory.",
               type_name (type), text);
  return FALSE;
}

static FoveaTensor *
tensor_make (FoveaType type, const FoveaShape *shape, gpointer data, gsize size, gpointer owner, GDestroyNotify free_owner)
{
  FoveaTensor *tensor = g_new0 (FoveaTensor, 1);

  tensor->type = type;
  tensor->shape = *shape;
  tensor->size = size;
  tensor->data = data;
  tensor->owner = owner;
  tensor->free_owner = free_owner;
  g_atomic_ref_count_init (&tensor->ref_count);
  return tensor;
}

FoveaTensor *
fovea_tensor_new (FoveaType type, const FoveaShape *shape, GError **error)
{
  gsize    size;
  gpointer data;

  if (!tensor_check (type, shape, &size, error))
    return NULL;
  data = memory_alloc (size, "a tensor", error);
  return data ? tensor_make (type, shape, data, size, data, memory_free) : NULL;
}

FoveaTensor *
fovea_tensor_new_for_data (FoveaType type, const FoveaShape *shape, gpointer data, gsize size, gpointer owner,
                           GDestroyNotify free_owner, GError **error)
{
  gsize expected;

  if (!tensor_check (type, shape, &expected, error))
    return NULL;
  if (size != expected)
    {
      g_autofree char *text = shape_to_string (shape);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE,
                   "A tensor of type %s and shape %s takes %" G_GSIZE_FORMAT " bytes, but %" G_GSIZE_FORMAT " were given.",
                   type_name (type), text, expected, size);
      return NULL;
    }
  return tensor_make (type, shape, data, size, owner, free_owner);
}

FoveaTensor *
fovea_tensor_ref (FoveaTensor *tensor)
{
  g_atomic_ref_count_inc (&tensor->ref_count);
  return tensor;
}

void
fovea_tensor_unref (FoveaTensor *tensor)
{
  if (tensor && g_atomic_ref_count_dec (&tensor->ref_count))
    {
      if (tensor->free_owner)
        tensor->free_owner (tensor->owner);
      g_free (tensor);
    }
}

/* ---- reading any type ------------------------------------------------------------------------------------- */

/* Through memcpy: constants in a mapped file may lie anywhere. */
static double
element_double (const FoveaTensor *tensor, gsize i)
{
  gsize size = type_size (tensor->type);
  union
  {
    float   float32;
    double  float64;
    guint16 half;
    gint8   int8;
    gint16  int16;
    gint32  int32;
    gint64  int64;
    guint8  uint8;
    guint16 uint16;
    guint32 uint32;
    guint64 uint64;
  } element;

  memcpy (&element, (const guint8 *) tensor->data + i * size, size);
  switch (tensor->type)
    {
    case FOVEA_TYPE_FLOAT32: return element.float32;
    case FOVEA_TYPE_FLOAT64: return element.float64;
    case FOVEA_TYPE_FLOAT16: return half_to_float (element.half);
    case FOVEA_TYPE_INT8:    return element.int8;
    case FOVEA_TYPE_INT16:   return element.int16;
    case FOVEA_TYPE_INT32:   return element.int32;
    case FOVEA_TYPE_INT64:   return (double) element.int64;
    case FOVEA_TYPE_UINT8:
    case FOVEA_TYPE_BOOL:    return element.uint8;
    case FOVEA_TYPE_UINT16:  return element.uint16;
    case FOVEA_TYPE_UINT32:  return element.uint32;
    case FOVEA_TYPE_UINT64:  return (double) element.uint64;
    case FOVEA_TYPE_NONE:
    case FOVEA_N_TYPES:      break;
    }
  return 0.0;
}

gint64
int64_from_double (double value)
{
  if (isnan (value))
    return 0;
  if (value >= 9223372036854775808.0)
    return G_MAXINT64;
  if (value <= -9223372036854775808.0)
    return G_MININT64;
  return (gint64) value;
}

void
tensor_read_double (const FoveaTensor *tensor, gsize first, gsize n, double *out)
{
  for (gsize i = 0; i < n; i++)
    out[i] = element_double (tensor, first + i);
}

void
tensor_read_float (const FoveaTensor *tensor, gsize first, gsize n, float *out)
{
  if (n == 0)
    return;
  if (tensor->type == FOVEA_TYPE_FLOAT32)
    memcpy (out, (const guint8 *) tensor->data + first * sizeof (float), n * sizeof (float));
  else
    for (gsize i = 0; i < n; i++)
      out[i] = (float) element_double (tensor, first + i);
}

void
tensor_read_int64 (const FoveaTensor *tensor, gsize first, gsize n, gint64 *out)
{
  gboolean is_unsigned = tensor->type == FOVEA_TYPE_UINT64;

  if (n == 0)
    return;
  if (tensor->type != FOVEA_TYPE_INT64 && !is_unsigned)
    {
      for (gsize i = 0; i < n; i++)
        out[i] = int64_from_double (element_double (tensor, first + i));
      return;
    }
  memcpy (out, (const guint8 *) tensor->data + first * sizeof *out, n * sizeof *out);
  for (gsize i = 0; is_unsigned && i < n; i++)
    if (out[i] < 0)
      out[i] = G_MAXINT64;
}

/* ---- alignment -------------------------------------------------------------------------------------------- */

gboolean
tensor_is_aligned (const FoveaTensor *tensor)
{
  return (guintptr) tensor->data % type_size (tensor->type) == 0;
}

FoveaTensor *
tensor_aligned (FoveaTensor *tensor, GError **error)
{
  FoveaTensor *copy;

  if (tensor_is_aligned (tensor))
    return fovea_tensor_ref (tensor);
  copy = fovea_tensor_new (tensor->type, &tensor->shape, error);
  if (copy && copy->size > 0)
    memcpy (copy->data, tensor->data, copy->size);
  return copy;
}
