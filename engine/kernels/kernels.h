/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.h: the arithmetic of the engine, one table of functions for each instruction set.
 *
 * Kernels are pure functions on floats: they take pointers and sizes, return nothing, allocate nothing, keep no state, know nothing of the
 * engine. The same function of two tables gives the same answer up to rounding; within one table it doesn't depend on how the work was cut
 * into calls. kernels_reference (reference.c, plain C) is the meaning of all of them.
 *
 * Blocked images are (C/16, H, W, 16), C/16 rounded up; the lanes past the last channel are zero, in what kernels read and in what they
 * write. No pointer needs more alignment than that of a float; 64 bytes are fastest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"

#define KERNEL_BLOCK         16 /* channels of a block */
#define KERNEL_MAX_TAPS      128 /* most kernel_h * kernel_w that conv () takes */
#define KERNEL_WINOGRAD_MOST 6  /* inputs along one side of the larger Winograd tile */

static inline size_t
kernel_blocks (size_t channels)
{
  return (channels + KERNEL_BLOCK - 1) / KERNEL_BLOCK;
}

/* ---- convolution --------------------------------------------------------------------------------------- */

/* One image of a two-dimensional convolution. What a call does not use is left zero. */
typedef struct
{
  /* blocked: in (C/16, in_h, in_w, 16), in_pixel 16;  first layer (conv () only): in (C, in_h, in_w), in_pixel 1 */
  const float *in;
  size_t       in_channels;     /* C that each output channel sums over (those of one group; 1 for depthwise ()) */
  size_t       in_plane;        /* floats from one block (first layer: channel) to the next */
  int          in_pixel;        /* floats from one pixel to the next: 16 or 1 */
  int          in_h, in_w;

  float       *out;             /* (K/16, out_h, out_w, 16) */
  size_t       out_channels;    /* K of all groups */
  size_t       out_plane;       /* floats from one block to the next */
  size_t       out_step, out_row; /* conv (): floats from one pixel, and from one row, to the next; both 0: they lie side by side */
  int          out_h, out_w;

  int          kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int          pad_top, pad_left; /* may be negative: the first windows then begin inside */

  size_t group_in_blocks; /* groups of whole blocks: output block b reads from input block b / group_out_blocks * group_in_blocks on; */
  size_t       group_out_blocks; /* 0: one group */

  const float *weights;         /* conv (): pack_conv ();  depthwise (): pack_depthwise () */
  const float *bias;            /* (K rounded up to 16), zero past K; NULL: none */
  const float *residual;        /* laid out as out, added before the activation; NULL: none. May be out itself. */
  Activation   activation;
} KernelConv;

/* Winograd F(m x m, 3x3): kernel 3x3, stride and dilation 1 (Lavin and Gray, arXiv 1509.09308). A tile of m x m outputs comes from (m + 2) x
 * (m + 2) inputs by as many products: 36 for 16 outputs with m 4, 16 for 4 with m 2. Tiles are numbered row by row. */
typedef struct
{
  KernelConv   conv;            /* weights: pack_winograd () for the same m */
  int          m;               /* 4, or 2: fewer weights to read, for small images of many channels */
  size_t       tiles_x, tiles_y; /* ceil (out_w / m), ceil (out_h / m) */
} KernelWinograd;

/* Products of a tile. */
static inline size_t
kernel_winograd_size (int m)
{
  return (size_t) ((m + 2) * (m + 2));
}

/* Floats from one element of n tiles' transforms to the next: an odd number of cache lines, since the elements of a tile are written side by
 * side and would otherwise fall on the same few places of the cache. */
static inline size_t
kernel_winograd_step (size_t blocks, size_t n_tiles)
{
  return (blocks * n_tiles | 1) * KERNEL_BLOCK;
}

/* ---- pooling ------------------------------------------------------------------------------------------- */

typedef enum
{
  POOL_MAX,                   /* NaN wins; a window that lies outside altogether gives -infinity */
  POOL_AVERAGE,               /* over the pixels inside */
  POOL_AVERAGE_PADDED,        /* over the pixels inside the image and its padding: see pad_bottom */
} PoolKind;

/* One blocked image. */
typedef struct
{
  PoolKind     kind;
  const float *in;              /* (C/16, in_h, in_w, 16) */
  size_t       in_plane;
  int          in_h, in_w;
  float       *out;             /* (C/16, out_h, out_w, 16) */
  size_t       out_plane;
  size_t       channels;        /* C */
  int          out_h, out_w;
  int          kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int          pad_top, pad_left, pad_bottom, pad_right;
} KernelPool;

/* ---- matrices ------------------------------------------------------------------------------------------ */

/* C = activation (A B + bias), all but B row-major. */
typedef struct
{
  size_t       m, n, k;
  const float *a;               /* (m, k), rows a_row floats apart */
  size_t       a_row;
  const float *b;               /* pack_gemm () */
  float       *c;               /* (m, n), rows c_row floats apart */
  size_t       c_row;
  const float *bias;            /* (n rounded up to 16); NULL: none */
  bool         accumulate;      /* add to what is in c, before the activation */
  Activation   activation;
} KernelGemm;

/* ---- elementwise --------------------------------------------------------------------------------------- */

typedef enum
{
  BINARY_ADD,
  BINARY_SUB,
  BINARY_MUL,
  BINARY_DIV,
  BINARY_MAX,                   /* NaN if either is */
  BINARY_MIN,                   /* NaN if either is */
  BINARY_PRELU,                 /* a < 0 ? a b : a */
  N_BINARIES
} BinaryKind;

/* ---- training: see reference-gradient.c for the meaning -------------------------------------------------- */

/* What one image brings to the weight gradient of a convolution: sum over the output's pixels of in * gradient. The sizes are those of the
 * convolution itself. */
typedef struct
{
  const float *in;              /* blocked: in_pixel 16, in_channel 1;  plain: in_pixel 1, in_channel in_h * in_w */
  size_t       in_channels;     /* C */
  size_t       in_plane;        /* floats from one block of 16 channels to the next */
  size_t       in_pixel, in_channel;
  int          in_h, in_w;
  const float *gradient;        /* (K/16, out_h, out_w, 16) */
  size_t       gradient_plane;
  int          out_h, out_w;
  int          kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  size_t       sum_block;       /* floats from the sums of one output block to those of the next */
} KernelWeightGradient;

/* The weight gradient of a 3x3 convolution of stride and dilation 1 over a batch, as Winograd's F(4x4, 3x3): tiles of 4 x 4 outputs are numbered row
 * by row, image by image. */
typedef struct
{
  KernelWeightGradient gradient; /* of the first image; blocked */
  size_t in_image, gradient_image; /* floats from one image to the next */
  size_t tiles_x, tiles_y;       /* ceil (out_w / 4), ceil (out_h / 4) */
} KernelWinogradGradient;

/* The normalization of one block of 16 channels and what follows: y = f (x scale + shift), scale = gamma / sigma, shift = beta - mean scale. */
typedef struct
{
  const float *scale, *shift;   /* (16) */
  const float *mean, *inverse;  /* (16): 1 / sigma */
  Activation   activation;      /* f */
} KernelNorm;

/* ---- the table ----------------------------------------------------------------------------------------- */

typedef struct
{
  const char *name;             /* "avx2" */
  const char *tile;             /* "16 channels x 6 pixels": for people */

  /* Output channel blocks [first_block, last_block) of output pixels [first_pixel, last_pixel), pixels counted row by row. Cheapest per
   * output when the blocks come two by two and the pixels as whole rows. A pointwise convolution of stride 1 without padding is given as
   * an image of one row. kernel_h * kernel_w <= KERNEL_MAX_TAPS, in_h * in_w * in_pixel < 2^31, of the first layer's channels together. */
  void (*conv)            (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_pixel, size_t last_pixel);

  /* Channel blocks [first_block, last_block) of output rows [first_row, last_row). */
  void (*depthwise)       (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_row, size_t last_row);

  /* Transforms input blocks [first_block, last_block) of tiles [first, last) to out (size, C/16, last - first, 16), its elements
   * kernel_winograd_step () apart; nothing is written of the other blocks. */
  void (*winograd_input)  (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *out);

  /* Output channel blocks [first_block, last_block) of tiles [first, last) from `in`, which winograd_input () made of all blocks of tiles
   * [first, last).
   * products: scratch of size * kernel_winograd_step (kernels->winograd_blocks, last - first) floats. */
  void (*winograd_output) (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last,
                           const float *in, float *products);
  size_t winograd_blocks; /* output blocks that are multiplied together */

  /* Blocks and rows as above. */
  void (*pool)            (const KernelPool *pool, size_t first_block, size_t last_block, size_t first_row, size_t last_row);

  /* out (16) = the sum over n pixels of in (n, 16), times scale. For global average pooling and squeeze-and-excitation. */
  void (*sum_pixels)      (const float *in, size_t n, float scale, float *out);

  /* Panels (16 columns) [first_panel, last_panel) of rows [first_row, last_row). */
  void (*gemm)            (const KernelGemm *gemm, size_t first_panel, size_t last_panel, size_t first_row, size_t last_row);

  /* out[i] = activation (in[i]), i < n. in and out may be the same. */
  void (*activate)        (const Activation *activation, const float *in, float *out, size_t n);

  /* out[i] = a[i] op b[i].  out may be a or b. */
  void (*binary)          (BinaryKind kind, const float *a, const float *b, float *out, size_t n);
  /* out[i] = a[i] op b   and   out[i] = a op b[i] */
  void (*binary_right)    (BinaryKind kind, const float *a, float b, float *out, size_t n);
  void (*binary_left)     (BinaryKind kind, float a, const float *b, float *out, size_t n);
  /* One block: a, out (n, 16), b (16):  out[i][c] = a[i][c] op b[c]   (binary_channels_left: b[c] op a[i][c]).  DIV by a zero lane past
   * the channels would make NaN there: give b ones in these lanes. */
  void (*binary_channels) (BinaryKind kind, const float *a, const float *b, float *out, size_t n);
  void (*binary_channels_left) (BinaryKind kind, const float *b, const float *a, float *out, size_t n);
  /* out[i] = a[i] * scale + shift;   one block: out[i][c] = a[i][c] * scale[c] + shift[c] */
  void (*scale_shift)          (const float *a, float scale, float shift, float *out, size_t n);
  void (*scale_shift_channels) (const float *a, const float *scale, const float *shift, float *out, size_t n);

  /* One row: out = exp (in - max) / sum, or its logarithm. n >= 1. out may be in. A row with NaN is all NaN. */
  void (*softmax)         (const float *in, float *out, size_t n, bool logarithm);

  /* Sum, sum of squares about `centre`, greatest of n numbers (n 0: 0, 0, -infinity; NaN if one is). Deterministic for given n. */
  float (*sum)            (const float *in, size_t n);
  float (*sum_squares)    (const float *in, size_t n, float centre);
  float (*max)            (const float *in, size_t n);

  /* Pixels [first, last) of a plain image (C, n_pixels) to blocked (C/16, n_pixels, 16), and back. */
  void (*block)           (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last);
  void (*unblock)         (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last);

  /* Adds output rows [first_row, last_row) of output blocks [first_block, last_block) and one input block to sum (last_block - first_block, taps, 16 in,
   * 16 out), blocks sum_block floats apart; what lies past the last input channel is left as it is. Fastest with two output blocks, when the rows that it
   * looks at fit the first-level cache. */
  void (*weight_gradient) (const KernelWeightGradient *gradient, size_t first_block, size_t last_block, size_t in_block, size_t first_row, size_t last_row,
                           float *sum);
  /* Adds tiles [first, last) of output blocks [first_block, last_block) and all input blocks to sum (36, last_block - first_block, C/16, 16 in, 16 out),
   * its elements kernel_winograd_step (pairs of blocks, 16) apart.
   * scratch: 36 * (kernel_winograd_step (C/16, last - first) + kernel_winograd_step (last_block - first_block, last - first)) floats. */
  void (*winograd_gradient) (const KernelWinogradGradient *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *scratch,
                             float *sum);
  /* The gradient (n_pairs, 9 taps, 16 in, 16 out) that such sums of n_pairs pairs of blocks mean. */
  void (*winograd_gradient_out) (const float *sum, size_t n_pairs, float *out);
  /* The same for a depthwise convolution: sum (taps, 16) of one block. */
  void (*depthwise_weight_gradient) (const KernelWeightGradient *gradient, size_t block, size_t first_row, size_t last_row, float *sum);
  /* Adds the gradient of one block of a POOL_MAX, whose answer is in pool->out, by its image to out (in_h, in_w, 16): that of each maximum to the first
   * pixel of its window that equals it. gradient: laid out as pool->out. */
  void (*max_pool_gradient) (const KernelPool *pool, const float *gradient, size_t block, float *out);
  /* The data gradient of a depthwise convolution, described by its forward form: out (in_h, in_w, 16) of `block`, rows [first_row, last_row)
   * of the input, from the gradient of its output. weights: pack_depthwise (). */
  void (*depthwise_input_gradient)  (const KernelWeightGradient *gradient, const float *weights, size_t block, size_t first_row, size_t last_row,
                                     float *out);

  /* Adds n pixels (n, 16) of one block, less the pivot (16), to sum (16), and the squares to squares (16). */
  void (*norm_sums)          (const float *in, const float *pivot, size_t n, float *sum, float *squares);
  /* out (n, 16) = f (in scale + shift). */
  void (*norm_apply)         (const KernelNorm *norm, const float *in, float *out, size_t n);
  /* g = gradient f' (in scale + shift):  adds g to sum (16), g (in - mean) inverse to product (16). */
  void (*norm_gradient_sums) (const KernelNorm *norm, const float *in, const float *gradient, size_t n, float *sum, float *product);
  /* out = a g + b in + c,  a, b, c (16); out may be gradient. */
  void (*norm_gradient)      (const KernelNorm *norm, const float *in, const float *gradient, const float *a, const float *b, const float *c,
                              float *out, size_t n);

  /* At least n multiply-adds, all in registers; what is in out (16) afterwards means nothing. Tells the peak that others are measured by. */
  void (*multiply_adds)      (size_t n, float *out);

  /* out[i] = gradient[i] f' (in[i]);  out may be gradient. */
  void (*activate_gradient)  (const Activation *activation, const float *in, const float *gradient, float *out, size_t n);
} Kernels;

/* The meaning, plain C. */
extern const Kernels kernels_reference;

/* The best table that this build has and that processor and operating system support. FOVEA_ISA (reference, sse2, avx2, avx512, neon,
 * portable) forces one; where that one can't be had, the next simpler one of the same processor is taken (avx512 -> avx2 -> sse2), an
 * unknown word is as if unset: so nothing ever dies of an illegal instruction, and `name` says what runs. */
const Kernels *kernels_get (void);

/* Table i of those that can run here, simplest first, kernels_reference being 0; NULL past the last. For tests and `fovea info`. */
const Kernels *kernels_nth (int i);

/* ---- packing, the same for all tables (pack.c) --------------------------------------------------------- */

/* weights (K, C, kernel_h, kernel_w), C being the channels of one group, to (K/16, C/in_block, kernel_h, kernel_w, in_block, 16) where the
 * last in_block has only the channels that are left; in_block 16, or 1 for the first layer. Zero past K. K/16 * C * taps * 16 floats. */
size_t pack_conv_size      (size_t out_channels, size_t in_channels, size_t taps);
void   pack_conv           (const float *weights, size_t out_channels, size_t in_channels, size_t taps, size_t in_block, float *out);

/* Groups of `channels` in and out channels each, channels dividing 16: to groups of 16 with zeros between. As pack_conv with in_channels
 * 16. */
void   pack_conv_diagonal  (const float *weights, size_t out_channels, size_t channels, size_t taps, float *out);

/* weights (C, taps) to (C/16, taps, 16), zero past C. */
size_t pack_depthwise_size (size_t channels, size_t taps);
void   pack_depthwise      (const float *weights, size_t channels, size_t taps, float *out);

/* weights (K, C, 3, 3), or turned: (C, K, 3, 3) of the convolution whose data gradient this is, to (K/16, (m + 2)^2, C, 16) for F(m x m, 3x3): transformed in
 * double, then rounded. */
size_t pack_winograd_size  (size_t out_channels, size_t in_channels, int m);
void   pack_winograd       (const float *weights, size_t out_channels, size_t in_channels, bool turned, int m, float *out);

/* b (k, n) row-major with rows b_row apart, or (n, k) when transposed, to (n/16, k, 16), zero past n. */
size_t pack_gemm_size      (size_t n, size_t k);
void   pack_gemm           (const float *b, size_t n, size_t k, size_t b_row, bool transposed, float *out);
