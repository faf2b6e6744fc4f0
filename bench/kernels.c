/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.c: how fast each kernel table is at convolution shapes from real networks, on one thread: GFLOP/s of the direct sum (Winograd
 * does fewer operations than are counted), the best of several runs. Data are warm; the whole output is one call.
 *
 *   kernels [NAME…]    only the tables named
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

typedef enum
{
  DIRECT,
  POINTWISE,
  FIRST,
  DEPTHWISE,
  WINOGRAD,       /* F(4x4, 3x3) */
  WINOGRAD_SMALL, /* F(2x2, 3x3) */
} Way;

static const struct
{
  Way         way;
  const char *name;
  int         channels, outputs, size, kernel, stride;
} shapes[] = {
  { DIRECT, "3x3 64", 64, 64, 56, 3, 1 },
  { DIRECT, "3x3 128", 128, 128, 28, 3, 1 },
  { DIRECT, "3x3 256", 256, 256, 14, 3, 1 },
  { DIRECT, "3x3 512", 512, 512, 7, 3, 1 },
  { DIRECT, "3x3 s2 64", 64, 128, 56, 3, 2 },
  { DIRECT, "3x3 24", 24, 24, 56, 3, 1 },
  { POINTWISE, "1x1 16-96", 16, 96, 112, 1, 1 },
  { POINTWISE, "1x1 144-24", 144, 24, 56, 1, 1 },
  { POINTWISE, "1x1 192-64", 192, 64, 14, 1, 1 },
  { POINTWISE, "1x1 960-160", 960, 160, 7, 1, 1 },
  { POINTWISE, "1x1 256-64", 256, 64, 56, 1, 1 },
  { POINTWISE, "1x1 512-1000", 512, 1000, 13, 1, 1 },
  { POINTWISE, "vector 960-240", 960, 240, 1, 1, 1 },
  { FIRST, "first 3x3 s2", 3, 32, 224, 3, 2 },
  { FIRST, "first 7x7 s2", 3, 64, 224, 7, 2 },
  { DEPTHWISE, "depthwise 3x3", 32, 32, 112, 3, 1 },
  { DEPTHWISE, "depthwise 3x3 s2", 96, 96, 112, 3, 2 },
  { DEPTHWISE, "depthwise 3x3", 576, 576, 14, 3, 1 },
  { DEPTHWISE, "depthwise 5x5", 672, 672, 14, 5, 1 },
  { DEPTHWISE, "depthwise 5x5", 960, 960, 7, 5, 1 },
  { WINOGRAD, "winograd 64", 64, 64, 56, 3, 1 },
  { WINOGRAD, "winograd 128", 128, 128, 28, 3, 1 },
  { WINOGRAD, "winograd 256", 256, 256, 14, 3, 1 },
  { WINOGRAD, "winograd 32", 32, 32, 256, 3, 1 },
  { WINOGRAD, "winograd 512", 512, 512, 7, 3, 1 },
  { WINOGRAD, "winograd 64-256", 64, 256, 13, 3, 1 },
  { WINOGRAD, "winograd 32-128", 32, 128, 27, 3, 1 },
  { WINOGRAD_SMALL, "winograd 2x2 32-128", 32, 128, 27, 3, 1 },
  { WINOGRAD_SMALL, "winograd 2x2 64-256", 64, 256, 13, 3, 1 },
  { WINOGRAD_SMALL, "winograd 2x2 128", 128, 128, 28, 3, 1 },
  { WINOGRAD_SMALL, "winograd 2x2 256", 256, 256, 14, 3, 1 },
  { WINOGRAD_SMALL, "winograd 2x2 512", 512, 512, 7, 3, 1 },
};

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static float *
make (size_t n)
{
  float *array = aligned_alloc (64, (n * sizeof (float) + 63) / 64 * 64);

  for (size_t i = 0; i < n; i++)
    array[i] = (float) (i * 2654435761u % 1000) / 1000.0f - 0.5f;
  return array;
}

static int
winograd_m (Way way)
{
  return way == WINOGRAD_SMALL ? 2 : 4;
}

/* Tiles of a Winograd convolution that are transformed and multiplied together, as conv-blocked.c takes them. */
static size_t
winograd_band (int m, int channels)
{
  size_t n = 448 * 1024 / sizeof (float) / (kernel_winograd_size (m) * kernel_blocks ((size_t) channels) * KERNEL_BLOCK);

  return n > 24 ? n : 24;
}

static void
run (const Kernels *kernels, Way way, const KernelConv *conv, float *in, float *products)
{
  size_t blocks = kernel_blocks (conv->out_channels);

  if (way == DEPTHWISE)
    kernels->depthwise (conv, 0, blocks, 0, (size_t) conv->out_h);
  else if (way >= WINOGRAD)
    {
      int            m = winograd_m (way);
      KernelWinograd winograd = { *conv, m, (size_t) ((conv->out_w + m - 1) / m), (size_t) ((conv->out_h + m - 1) / m) };
      size_t         n = winograd.tiles_x * winograd.tiles_y, most = winograd_band (m, (int) conv->in_channels), n_bands = (n + most - 1) / most;

      for (size_t band = 0; band < n_bands; band++)
        {
          kernels->winograd_input (&winograd, 0, kernel_blocks (conv->in_channels), n * band / n_bands, n * (band + 1) / n_bands, in);
          kernels->winograd_output (&winograd, 0, blocks, n * band / n_bands, n * (band + 1) / n_bands, in, products);
        }
    }
  else
    kernels->conv (conv, 0, blocks, 0, (size_t) (conv->out_h * conv->out_w));
}

static double
measure (const Kernels *kernels, size_t i)
{
  int        size = shapes[i].size, out = (size - 1) / shapes[i].stride + 1, k = shapes[i].kernel;
  Way        way = shapes[i].way;
  size_t pixels = (size_t) size * (size_t) size, out_pixels = (size_t) out * (size_t) out, band = winograd_band (winograd_m (way), shapes[i].channels) + 1;
  size_t     blocks = kernel_blocks ((size_t) shapes[i].channels), out_blocks = kernel_blocks ((size_t) shapes[i].outputs);
  float     *in = make (blocks * pixels * KERNEL_BLOCK), *result = make (out_blocks * out_pixels * KERNEL_BLOCK);
  float     *weights = make (out_blocks * KERNEL_BLOCK * (size_t) shapes[i].channels * (size_t) (way >= WINOGRAD ? 36 : k * k));
  float     *transformed = make (36 * kernel_winograd_step (blocks, band)), *products = make (36 * kernel_winograd_step (kernels->winograd_blocks, band));
  double     best = 1e9, macs = (double) out_pixels * shapes[i].outputs * k * k * (way == DEPTHWISE ? 1 : shapes[i].channels);
  KernelConv conv = {
    .in = in,
    .in_channels = way == DEPTHWISE ? 1 : (size_t) shapes[i].channels,
    .in_pixel = way == FIRST ? 1 : KERNEL_BLOCK,
    .in_plane = pixels * (way == FIRST ? 1 : KERNEL_BLOCK),
    .in_h = size,
    .in_w = size,
    .out = result,
    .out_channels = (size_t) shapes[i].outputs,
    .out_plane = out_pixels * KERNEL_BLOCK,
    .out_h = out,
    .out_w = out,
    .kernel_h = k,
    .kernel_w = k,
    .stride_h = shapes[i].stride,
    .stride_w = shapes[i].stride,
    .dilation_h = 1,
    .dilation_w = 1,
    .pad_top = k / 2,
    .pad_left = k / 2,
    .weights = weights,
    .activation = { ACTIVATION_RELU, 0, 0 },
  };

  if (way == POINTWISE)
    {
      conv.in_w = conv.out_w = (int) pixels;
      conv.in_h = conv.out_h = 1;
    }
  for (int turn = 0; turn < 60; turn++) /* short ones: on a shared machine some are undisturbed */
    {
      int    n = 1 + (int) (3e6 / macs);
      double start = now ();

      for (int j = 0; j < n; j++)
        run (kernels, way, &conv, transformed, products);
      start = (now () - start) / n;
      if (start < best)
        best = start;
    }
  free (in);
  free (result);
  free (weights);
  free (transformed);
  free (products);
  return 2e-9 * macs / best;
}

int
main (int argc, char **argv)
{
  printf ("%-20s %5s %5s %5s", "GFLOP/s, one thread", "in", "out", "size");
  for (int table = 1; kernels_nth (table); table++)
    printf (" %9s", kernels_nth (table)->name);
  printf ("\n");
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    {
      printf ("%-20s %5d %5d %5d", shapes[i].name, shapes[i].channels, shapes[i].outputs, shapes[i].size);
      for (int table = 1; kernels_nth (table); table++)
        if (argc < 2 || strcmp (argv[1], kernels_nth (table)->name) == 0)
          printf (" %9.1f", measure (kernels_nth (table), i));
      printf ("\n");
      fflush (stdout);
    }
  return 0;
}
