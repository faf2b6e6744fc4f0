/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tensor.h: what the engine itself asks of tensors, beyond fovea.h: sizes of types, checked element counts, reading any
 * numeric type as float or int64. A FoveaTensor is always plain, row-major, dense; blocked data exists only inside a plan.
 */
#pragma once

#include "fovea.h"

/* Bytes of one element; 0 for FOVEA_TYPE_NONE. */
gsize       type_size            (FoveaType type);

/* "float32", "int64" …: the words of error messages and of --json. */
const char *type_name            (FoveaType type);

gboolean    type_is_float        (FoveaType type);
gboolean    type_is_integer      (FoveaType type);   /* signed or not; not bool */

FoveaShape  shape_make           (guint n_dims, const gint64 *dims);
gboolean    shape_equal          (const FoveaShape *a, const FoveaShape *b);

/* TRUE if every dimension is known (>= 0). */
gboolean    shape_is_known       (const FoveaShape *shape);

/* Product of the dimensions [first, last); the shape must be known and checked (see shape_count_checked). */
gsize       shape_count_range    (const FoveaShape *shape, guint first, guint last);
gsize       shape_count          (const FoveaShape *shape);

/* TRUE for a scalar and for whatever has one element. */
gboolean    shape_is_single      (const FoveaShape *shape);

/* The number of elements and of bytes, with every multiplication checked; FALSE if a dimension is negative or it doesn't fit. */
gboolean    shape_count_checked  (const FoveaShape *shape, gsize *count);
gboolean    shape_bytes_checked  (const FoveaShape *shape, FoveaType type, gsize *bytes);

/* "1x3x224x224", "scalar", "?x3": for messages. */
char       *shape_to_string      (const FoveaShape *shape);

/* Truncated towards 0, saturated; NaN is 0. A plain conversion of what doesn't fit is undefined. */
gint64      int64_from_double    (double value);

/* Reads elements [first, first + n) of any numeric or bool tensor as float / int64 / double (saturating, truncating towards 0). */
void        tensor_read_float    (const FoveaTensor *tensor, gsize first, gsize n, float *out);
void        tensor_read_int64    (const FoveaTensor *tensor, gsize first, gsize n, gint64 *out);
void        tensor_read_double   (const FoveaTensor *tensor, gsize first, gsize n, double *out);

/* Large constants in a mapped file may lie at any address: the tensor_read functions don't mind, all other code needs aligned data. The second
 * gives the tensor itself (one more reference), or an aligned copy. */
gboolean     tensor_is_aligned   (const FoveaTensor *tensor);
FoveaTensor *tensor_aligned      (FoveaTensor *tensor, GError **error);
