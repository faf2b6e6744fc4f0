/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matmul.h: what products of matrices have in common, in whatever numbers.
 */
#pragma once

#include "ops/operator.h"

/* The shape of a MatMul of a and b by NumPy's rules; FALSE with an error naming both. */
gboolean matmul_infer_shape   (const Node *node, const Value *a, const Value *b, FoveaShape *out, GError **error);

/* Where each matrix of the batch `out` begins in a and in b (batch dimensions only, broadcast to out): elements. Free both with memory_free, also
 * after FALSE. */
gboolean matmul_batch_offsets (const FoveaShape *out, const FoveaShape *a, const FoveaShape *b, gsize a_size, gsize b_size, gsize **a_offsets,
                               gsize **b_offsets, GError **error);
