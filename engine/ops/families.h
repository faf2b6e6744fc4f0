/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * families.h: the operators that each file of ops/ brings; an array ends with an entry whose type is NULL. A new family is declared here and
 * listed in operator.c.
 */
#pragma once

#include "ops/operator.h"

extern const Operator activation_operators[];
extern const Operator activation_gradient_operators[];
extern const Operator arg_max_operators[];
extern const Operator arithmetic_operators[];
extern const Operator batch_norm_operators[];
extern const Operator batch_norm_training_operators[];
extern const Operator block_operators[];
extern const Operator cast_operators[];
extern const Operator clip_operators[];
extern const Operator concat_operators[];
extern const Operator constant_operators[];
extern const Operator conv_operators[];
extern const Operator conv_gradient_operators[];
extern const Operator conv_rows_operators[];
extern const Operator conv_transpose_operators[];
extern const Operator detection_operators[];
extern const Operator determinant_operators[];
extern const Operator einsum_operators[];
extern const Operator gather_operators[];
extern const Operator grid_sample_operators[];
extern const Operator integer_conv_operators[];
extern const Operator integer_matmul_operators[];
extern const Operator logic_operators[];
extern const Operator matmul_operators[];
extern const Operator movement_operators[];
extern const Operator normalization_operators[];
extern const Operator pad_operators[];
extern const Operator pick_channels_operators[];
extern const Operator pool_operators[];
extern const Operator pool_gradient_operators[];
extern const Operator power_operators[];
extern const Operator quantize_operators[];
extern const Operator reduce_operators[];
extern const Operator resize_operators[];
extern const Operator pad_gradient_operators[];
extern const Operator resize_gradient_operators[];
extern const Operator scatter_operators[];
extern const Operator select_operators[];
extern const Operator softmax_operators[];
extern const Operator training_operators[];
extern const Operator unary_operators[];
extern const Operator view_operators[];
