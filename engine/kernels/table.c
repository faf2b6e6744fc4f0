/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * table.c: compiled once for each instruction set, with -DKERNELS=kernels_avx2 -DKERNELS_NAME="avx2" and that set's flags. The table is
 * the only symbol that leaves: all else is static, so that the linker can't mix code of different sets.
 */

#include "kernels/vec-conv.h"
#include "kernels/vec-depthwise.h"
#include "kernels/vec-gradient.h"
#include "kernels/vec-layout.h"
#include "kernels/vec-limits.h"
#include "kernels/vec-pool.h"
#include "kernels/vec-weight-gradient.h"
#include "kernels/vec-winograd.h"

extern const Kernels KERNELS;

const Kernels KERNELS = {
  .name = KERNELS_NAME,
  .tile = TILE_TEXT,
  .conv = vec_conv,
  .depthwise = vec_depthwise,
  .winograd_input = vec_winograd_input,
  .winograd_output = vec_winograd_output,
  .winograd_blocks = WINOGRAD_BLOCKS,
  .pool = vec_pool,
  .max_pool_gradient = vec_max_pool_gradient,
  .sum_pixels = vec_sum_pixels,
  .gemm = vec_gemm,
  .activate = vec_activate,
  .binary = vec_binary,
  .binary_right = vec_binary_right,
  .binary_left = vec_binary_left,
  .binary_channels = vec_binary_channels,
  .binary_channels_left = vec_binary_channels_left,
  .scale_shift = vec_scale_shift,
  .scale_shift_channels = vec_scale_shift_channels,
  .softmax = vec_softmax,
  .sum = vec_sum,
  .sum_squares = vec_sum_squares,
  .max = vec_greatest,
  .block = vec_block,
  .unblock = vec_unblock,
  .weight_gradient = vec_weight_gradient,
  .winograd_gradient = vec_winograd_gradient,
  .winograd_gradient_out = vec_winograd_gradient_out,
  .depthwise_weight_gradient = vec_depthwise_weight_gradient,
  .depthwise_input_gradient = vec_depthwise_input_gradient,
  .norm_sums = vec_norm_sums,
  .norm_apply = vec_norm_apply,
  .norm_gradient_sums = vec_norm_gradient_sums,
  .norm_gradient = vec_norm_gradient,
  .multiply_adds = vec_multiply_adds,
  .activate_gradient = vec_activate_gradient,
};
