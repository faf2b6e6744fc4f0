/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * samples.c: see samples.h. A sample makes its input of the same numbers for every table, and puts all that comes out one after the other.
 */

#include "kernels/samples.h"

#include <math.h>
#include <string.h>

/* Images of the samples: odd sizes, so that rows, pixels and blocks end within a tile. */
#define H 7
#define W 9
#define C 32
#define K 48

#define WEIGHTS (9 * KERNEL_BLOCK * KERNEL_BLOCK) /* of a 3x3 convolution, of one block by one */

typedef struct
{
  const char *name;
  size_t      n_outputs;
  double      tolerance; /* of the greater of 1 and the expected value */
  void      (*run) (const Kernels *kernels, const float *numbers, float *scratch, float *out);
} Sample;

/* ---- convolution ------------------------------------------------------------------------------------------ */

/* A convolution of C/16 blocks (plain: of 3 channels) with padding that keeps the size at stride 1. */
static KernelConv
make_conv (const float *numbers, bool plain, int kernel, int stride, int dilation, float *out)
{
  int        out_h = (H - 1) / stride + 1, out_w = (W - 1) / stride + 1, pad = (kernel - 1) / 2 * dilation;
  KernelConv conv = { .in = numbers,
                      .in_channels = plain ? 3 : C,
                      .in_plane = plain ? H * W : H * W * KERNEL_BLOCK,
                      .in_pixel = plain ? 1 : KERNEL_BLOCK,
                      .in_h = H,
                      .in_w = W,
                      .out = out,
                      .out_channels = K,
                      .out_plane = (size_t) (out_h * out_w) * KERNEL_BLOCK,
                      .out_h = out_h,
                      .out_w = out_w,
                      .kernel_h = kernel,
                      .kernel_w = kernel,
                      .stride_h = stride,
                      .stride_w = stride,
                      .dilation_h = dilation,
                      .dilation_w = dilation,
                      .pad_top = pad,
                      .pad_left = pad,
                      .bias = numbers + 100,
                      .activation = { ACTIVATION_LEAKY_RELU, 0.1f, 0.0f } };

  return conv;
}

static void
run_conv (const Kernels *kernels, KernelConv *conv, const float *numbers, float *scratch)
{
  pack_conv (numbers + 64, K, conv->in_channels, (size_t) (conv->kernel_h * conv->kernel_w), conv->in_pixel == 1 ? 1 : KERNEL_BLOCK, scratch);
  conv->weights = scratch;
  kernels->conv (conv, 0, K / KERNEL_BLOCK, 0, (size_t) (conv->out_h * conv->out_w));
}

static void
sample_conv (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv conv = make_conv (numbers, false, 3, 1, 1, out);

  conv.residual = numbers + 33;
  run_conv (kernels, &conv, numbers, scratch);
}

static void
sample_conv_apart (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv conv = make_conv (numbers, false, 3, 2, 2, out);

  run_conv (kernels, &conv, numbers, scratch);
}

static void
sample_conv_pointwise (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv conv = make_conv (numbers, false, 1, 1, 1, out);

  run_conv (kernels, &conv, numbers, scratch);
}

static void
sample_conv_first (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv conv = make_conv (numbers, true, 5, 2, 1, out);

  run_conv (kernels, &conv, numbers, scratch);
}

static void
sample_depthwise (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv conv = make_conv (numbers, false, 5, 1, 1, out);

  pack_depthwise (numbers + 64, C, 25, scratch);
  conv.in_channels = 1;
  conv.out_channels = C;
  conv.weights = scratch;
  kernels->depthwise (&conv, 0, C / KERNEL_BLOCK, 0, H);
}

/* The meaning is that of the direct sum. One block of inputs, so that tiles fit the scratch. */
static void
sample_winograd (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelConv     conv = make_conv (numbers, false, 3, 1, 1, out);
  KernelWinograd winograd;
  float         *tiles;

  conv.in_channels = conv.out_channels = KERNEL_BLOCK;
  if (kernels == &kernels_reference)
    {
      pack_conv (numbers + 64, KERNEL_BLOCK, KERNEL_BLOCK, 9, KERNEL_BLOCK, scratch);
      conv.weights = scratch;
      kernels->conv (&conv, 0, 1, 0, H * W);
      return;
    }
  pack_winograd (numbers + 64, KERNEL_BLOCK, KERNEL_BLOCK, false, 4, scratch);
  conv.weights = scratch;
  tiles = scratch + pack_winograd_size (KERNEL_BLOCK, KERNEL_BLOCK, 4);
  winograd = (KernelWinograd) { conv, 4, (W + 3) / 4, (H + 3) / 4 };
  for (size_t tile = 0; tile < winograd.tiles_x * winograd.tiles_y; tile += 2)
    {
      kernels->winograd_input (&winograd, 0, 1, tile, tile + 2, tiles);
      kernels->winograd_output (&winograd, 0, 1, tile, tile + 2, tiles, tiles + kernel_winograd_size (4) * kernel_winograd_step (1, 2));
    }
}

/* ---- pooling, matrices, rows ------------------------------------------------------------------------------ */

static void
sample_pool (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  for (int kind = POOL_MAX; kind <= POOL_AVERAGE_PADDED; kind++)
    {
      KernelPool pool = { .kind = (PoolKind) kind, .in = numbers, .in_plane = H * W * KERNEL_BLOCK, .in_h = H, .in_w = W, .channels = C,
                          .out_h = 4, .out_w = 5, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .dilation_h = 1, .dilation_w = 1,
                          .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1 };

      pool.out = out + (size_t) kind * 20 * C;
      pool.out_plane = 20 * KERNEL_BLOCK;
      kernels->pool (&pool, 0, C / KERNEL_BLOCK, 0, 4);
    }
  kernels->sum_pixels (numbers, H * W, 1.0f / (H * W), out + 60 * C);
}

static void
sample_gemm (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  enum { M = 11, N = 70, DEPTH = 53 };
  KernelGemm gemm = { .m = M, .n = N, .k = DEPTH, .a = numbers, .a_row = DEPTH, .b = scratch, .c = out, .c_row = N, .bias = numbers + 7,
                      .activation = { ACTIVATION_RELU, 0.0f, 0.0f } };

  pack_gemm (numbers + 64, N, DEPTH, N, false, scratch);
  kernels->gemm (&gemm, 0, kernel_blocks (N), 0, M);
}

static Activation
make_activation (int kind)
{
  bool smooth = kind == ACTIVATION_CELU || kind == ACTIVATION_SELU || kind == ACTIVATION_SILU;

  return (Activation) { (ActivationKind) kind, smooth ? 1.25f : 0.3f, 0.6f };
}

#define N_POINTS 203

/* Numbers of all sizes, and those that aren't numbers. */
static void
make_points (const float *numbers, float *points)
{
  static const float extremes[] = { NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, 1e20f, -1e20f, 88.0f, -88.0f, -104.5f };

  memcpy (points, extremes, sizeof extremes);
  for (size_t i = sizeof extremes / sizeof extremes[0]; i < N_POINTS; i++)
    points[i] = numbers[i] * (i % 3 == 0 ? 1.0f : i % 3 == 1 ? 12.0f : 80.0f);
}

static void
sample_activate (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  make_points (numbers, scratch);
  for (int kind = 0; kind < N_ACTIVATIONS; kind++)
    {
      Activation activation = make_activation (kind);

      kernels->activate (&activation, scratch, out + kind * N_POINTS, N_POINTS);
    }
}

static void
sample_activate_gradient (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  for (int kind = 0; kind < N_ACTIVATIONS; kind++)
    {
      Activation   activation = make_activation (kind);
      const float *in = numbers + (kind == ACTIVATION_SQRT ? 1 : 0);

      for (int i = 0; i < N_POINTS; i++) /* the derivatives of roots and reciprocals have no bound near 0 */
        scratch[i] = kind == ACTIVATION_SQRT || kind == ACTIVATION_RECIPROCAL ? fabsf (in[i]) + 0.25f : 3.0f * in[i];
      kernels->activate_gradient (&activation, scratch, numbers + 500, out + kind * N_POINTS, N_POINTS);
    }
}

#define N_ROW 112 /* seven pixels of a block */

static void
sample_binary (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  const float *a = numbers, *b = numbers + 300;

  for (int kind = 0; kind < N_BINARIES; kind++, out += 5 * N_ROW)
    {
      kernels->binary ((BinaryKind) kind, a, b, out, N_ROW);
      kernels->binary_right ((BinaryKind) kind, a, 0.7f, out + N_ROW, N_ROW);
      kernels->binary_left ((BinaryKind) kind, -0.7f, b, out + 2 * N_ROW, N_ROW);
      kernels->binary_channels ((BinaryKind) kind, a, b, out + 3 * N_ROW, N_ROW / KERNEL_BLOCK);
      kernels->binary_channels_left ((BinaryKind) kind, b, a, out + 4 * N_ROW, N_ROW / KERNEL_BLOCK);
    }
}

static void
sample_rows (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  kernels->scale_shift (numbers, 0.3f, -0.2f, out, N_ROW);
  kernels->scale_shift_channels (numbers, numbers + 200, numbers + 300, out + N_ROW, N_ROW / KERNEL_BLOCK);
  kernels->softmax (numbers, out + 2 * N_ROW, N_ROW - 5, false);
  kernels->softmax (numbers, out + 3 * N_ROW - 5, N_ROW - 5, true);
  out += 4 * N_ROW - 10;
  out[0] = kernels->sum (numbers, 1001);
  out[1] = kernels->sum_squares (numbers, 1001, 0.25f);
  out[2] = kernels->max (numbers, 1001);
}

static void
sample_layout (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  enum { CHANNELS = 21, PIXELS = 37 };

  kernels->block (numbers, out, CHANNELS, PIXELS, 0, PIXELS);
  kernels->unblock (out, out + 2 * KERNEL_BLOCK * PIXELS, CHANNELS, PIXELS, 0, PIXELS);
}

/* ---- training --------------------------------------------------------------------------------------------- */

static void
sample_gradient (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelWeightGradient gradient = { .in = numbers, .in_channels = C, .in_plane = H * W * KERNEL_BLOCK, .in_pixel = KERNEL_BLOCK, .in_channel = 1, .in_h = H,
                                    .in_w = W, .gradient = numbers + 500, .gradient_plane = H * W * KERNEL_BLOCK, .out_h = H, .out_w = W, .kernel_h = 3,
                                    .kernel_w = 3, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1,
                                    .sum_block = WEIGHTS };

  memset (out, 0, (2 * WEIGHTS + 9 * 16) * sizeof (float)); /* these are added to */
  kernels->weight_gradient (&gradient, 0, 2, 1, 0, H, out);
  kernels->depthwise_weight_gradient (&gradient, 1, 0, H, out + 2 * WEIGHTS);
  pack_depthwise (numbers + 64, C, 9, scratch);
  kernels->depthwise_input_gradient (&gradient, scratch, 1, 0, H, out + 2 * WEIGHTS + 9 * 16);
}

static void
sample_winograd_gradient (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  const size_t           n_sums = kernel_winograd_size (4) * kernel_winograd_step (1, KERNEL_BLOCK);
  KernelWinogradGradient winograd = { .gradient = { .in = numbers, .in_channels = KERNEL_BLOCK, .in_plane = H * W * KERNEL_BLOCK, .in_h = H, .in_w = W,
                                                    .gradient = numbers + 500, .gradient_plane = H * W * KERNEL_BLOCK, .out_h = H, .out_w = W,
                                                    .pad_top = 1, .pad_left = 1 },
                                      .tiles_x = (W + 3) / 4, .tiles_y = (H + 3) / 4 };

  memset (scratch, 0, n_sums * sizeof (float)); /* added to */
  kernels->winograd_gradient (&winograd, 0, 1, 0, winograd.tiles_x * winograd.tiles_y, scratch + n_sums, scratch);
  kernels->winograd_gradient_out (scratch, 1, out);
}

static void
sample_pool_gradient (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  KernelPool pool = { .kind = POOL_MAX, .in = numbers, .in_plane = H * W * KERNEL_BLOCK, .in_h = H, .in_w = W, .channels = C, .out = scratch,
                      .out_plane = 20 * KERNEL_BLOCK, .out_h = 4, .out_w = 5, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .dilation_h = 1,
                      .dilation_w = 1, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1 };

  kernels_reference.pool (&pool, 0, 2, 0, 4); /* the same maxima for all */
  memset (out, 0, H * W * KERNEL_BLOCK * sizeof (float)); /* added to */
  kernels->max_pool_gradient (&pool, numbers + 500, 1, out);
}

static void
sample_norm (const Kernels *kernels, const float *numbers, float *scratch, float *out)
{
  const KernelNorm norm = { numbers + 1000, numbers + 1020, numbers + 1040, numbers + 1060, { ACTIVATION_RELU, 0.0f, 0.0f } };
  enum { PIXELS = 23 };

  memset (out, 0, 4 * KERNEL_BLOCK * sizeof (float)); /* these are added to */
  kernels->norm_sums (numbers, numbers + 40, PIXELS, out, out + 16);
  kernels->norm_gradient_sums (&norm, numbers, numbers + 500, PIXELS, out + 32, out + 48);
  kernels->norm_apply (&norm, numbers, out + 64, PIXELS);
  kernels->norm_gradient (&norm, numbers, numbers + 500, numbers + 1100, numbers + 1120, numbers + 1140, out + 64 + 16 * PIXELS, PIXELS);
}

/* ---- the list --------------------------------------------------------------------------------------------- */

static const Sample samples[] = {
  { "convolution 3x3", K * H * W, 1e-4, sample_conv },
  { "convolution, strided and dilated", K * 4 * 5, 1e-4, sample_conv_apart },
  { "convolution 1x1", K * H * W, 1e-4, sample_conv_pointwise },
  { "convolution of a photo", K * 4 * 5, 1e-4, sample_conv_first },
  { "depthwise convolution", C * H * W, 1e-4, sample_depthwise },
  { "Winograd convolution", KERNEL_BLOCK * H * W, 2e-4, sample_winograd },
  { "pooling", 60 * C + KERNEL_BLOCK, 1e-5, sample_pool },
  { "matrix product", 11 * 70, 1e-4, sample_gemm },
  { "activations", N_ACTIVATIONS * N_POINTS, 1e-5, sample_activate },
  { "elementwise", N_BINARIES * 5 * N_ROW, 1e-6, sample_binary },
  { "scaling, softmax, sums", 4 * N_ROW - 7, 1e-5, sample_rows },
  { "layout", 2 * KERNEL_BLOCK * 37 + 21 * 37, 0.0, sample_layout },
  { "gradients of convolutions", 2 * WEIGHTS + 9 * 16 + H * W * KERNEL_BLOCK, 1e-4, sample_gradient },
  { "gradient of a Winograd convolution", WEIGHTS, 2e-4, sample_winograd_gradient },
  { "gradient of pooling", H * W * KERNEL_BLOCK, 1e-6, sample_pool_gradient },
  { "normalization and its gradients", 64 + 2 * 16 * 23, 1e-5, sample_norm },
  { "gradients of activations", N_ACTIVATIONS * N_POINTS, 1e-5, sample_activate_gradient },
};

#define N_SAMPLES (sizeof samples / sizeof samples[0])
#define GUARD_VALUE 12345.678f

const char *
sample_name (size_t i)
{
  return i < N_SAMPLES ? samples[i].name : NULL;
}

void
sample_numbers (float *numbers, size_t n)
{
  uint32_t state = 1;

  for (size_t i = 0; i < n; i++)
    {
      state = state * 1664525u + 1013904223u;
      numbers[i] = (float) (state >> 8) / (float) (1 << 23) - 1.0f;
    }
}

double
sample_compare (const float *expected, const float *got, size_t n)
{
  double worst = 0.0;

  for (size_t i = 0; i < n; i++)
    {
      double e = expected[i], g = got[i], difference = fabs (e - g) / fmax (1.0, fabs (e));

      if ((isnan (e) && isnan (g)) || (fabs (e) > 1e37 && fabs (g) > 1e37 && (e > 0) == (g > 0)))
        continue;
      if (!(difference <= worst))
        worst = isfinite (difference) ? difference : INFINITY;
    }
  return worst;
}

/* Outputs start as NaN, so that what a kernel forgets is seen. */
static float *
prepare (float *buffer, size_t n)
{
  for (size_t i = 0; i < n + 2 * SAMPLE_GUARD; i++)
    buffer[i] = i < SAMPLE_GUARD || i >= n + SAMPLE_GUARD ? GUARD_VALUE : NAN;
  return buffer + SAMPLE_GUARD;
}

static bool
is_whole (const float *buffer, size_t n)
{
  for (size_t i = 0; i < SAMPLE_GUARD; i++)
    if (buffer[i] != GUARD_VALUE || buffer[n + SAMPLE_GUARD + i] != GUARD_VALUE)
      return false;
  return true;
}

SampleResult
sample_check (const Kernels *kernels, size_t i, const SampleBuffers *buffers, double *worst)
{
  const Sample *sample = &samples[i];
  float        *expected = prepare (buffers->expected, sample->n_outputs), *got = prepare (buffers->got, sample->n_outputs);

  sample->run (&kernels_reference, buffers->numbers, buffers->scratch, expected);
  sample->run (kernels, buffers->numbers, buffers->scratch, got);
  *worst = sample_compare (expected, got, sample->n_outputs);
  if (!is_whole (buffers->got, sample->n_outputs))
    return SAMPLE_OUTSIDE;
  return *worst <= sample->tolerance ? SAMPLE_EQUAL : SAMPLE_DIFFERS;
}
