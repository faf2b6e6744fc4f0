/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check-conv.c: convolutions of every kind: direct, first layer, pointwise, depthwise, spread, Winograd.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels-check.h"

typedef struct
{
  int  channels, outputs, group; /* of all groups */
  int  h, w, kernel_h, kernel_w, stride, dilation, pad_top, pad_left, pad_bottom, pad_right;
  bool plain;                    /* first layer: plain input */
  int  spread;                   /* 0, or output pixels and rows lie so many places apart */
} ConvCase;

typedef enum
{
  CALL_CONV,
  CALL_DEPTHWISE,
  CALL_WINOGRAD,       /* F(4x4, 3x3) */
  CALL_WINOGRAD_SMALL, /* F(2x2, 3x3) */
} ConvCall;

/* The m of F(m x m, 3x3); 0: no Winograd. */
static int
winograd_m (ConvCall call)
{
  return call == CALL_WINOGRAD ? 4 : call == CALL_WINOGRAD_SMALL ? 2 : 0;
}

static void
call_winograd (const Kernels *kernels, int m, const KernelConv *conv, size_t blocks, bool cut)
{
  KernelWinograd winograd = { *conv, m, (size_t) ((conv->out_w + m - 1) / m), (size_t) ((conv->out_h + m - 1) / m) };
  size_t         n_tiles = winograd.tiles_x * winograd.tiles_y, step = cut ? (n_tiles + 2) / 3 : n_tiles;
  size_t         in_blocks = kernel_blocks (conv->in_channels), in_size = kernel_winograd_size (m) * kernel_winograd_step (in_blocks, n_tiles);
  size_t         products_size = kernel_winograd_size (m) * kernel_winograd_step (kernels->winograd_blocks, n_tiles);
  float         *in = make_output (in_size), *products = make_output (products_size);

  for (size_t first = 0; first < n_tiles; first += step)
    {
      size_t last = first + step < n_tiles ? first + step : n_tiles;

      if (cut)
        {
          for (size_t block = in_blocks; block > 0; block--)
            kernels->winograd_input (&winograd, block - 1, block, first, last, in);
          for (size_t block = 0; block < blocks; block++)
            kernels->winograd_output (&winograd, block, block + 1, first, last, in, products);
        }
      else
        {
          kernels->winograd_input (&winograd, 0, in_blocks, first, last, in);
          kernels->winograd_output (&winograd, 0, blocks, first, last, in, products);
        }
    }
  if (!guards_whole (in, in_size) || !guards_whole (products, products_size))
    report (false, "%s winograd writes outside its scratch", kernels->name);
  free_output (in);
  free_output (products);
}

/* The whole output, or the same cut into one call for each block and for each third of the pixels or rows. */
static void
call_conv (const Kernels *kernels, ConvCall call, const KernelConv *conv, bool cut)
{
  size_t blocks = kernel_blocks (conv->out_channels);
  size_t n = call == CALL_CONV ? (size_t) conv->out_h * (size_t) conv->out_w : (size_t) conv->out_h, step = cut ? (n + 2) / 3 : n;

  if (winograd_m (call))
    {
      call_winograd (kernels, winograd_m (call), conv, blocks, cut);
      return;
    }
  for (size_t first = 0; first < n; first += step)
    for (size_t block = 0; block < blocks; block += cut ? 1 : blocks)
      (call == CALL_CONV ? kernels->conv : kernels->depthwise) (conv, block, cut ? block + 1 : blocks, first,
                                                                first + step < n ? first + step : n);
}

static size_t
pack_case (const ConvCase *c, ConvCall call, const float *weights, float **packed)
{
  size_t k = (size_t) c->outputs, channels = (size_t) (c->channels / c->group), taps = (size_t) (c->kernel_h * c->kernel_w), size;

  if (call == CALL_DEPTHWISE)
    {
      *packed = take (size = pack_depthwise_size (k, taps));
      pack_depthwise (weights, k, taps, *packed);
    }
  else if (winograd_m (call))
    {
      *packed = take (size = pack_winograd_size (k, channels, winograd_m (call)));
      pack_winograd (weights, k, channels, false, winograd_m (call), *packed);
    }
  else
    {
      *packed = take (size = pack_conv_size (k, channels, taps));
      pack_conv (weights, k, channels, taps, c->plain ? 1 : KERNEL_BLOCK, *packed);
    }
  return size;
}

static bool
check_conv (const Kernels *kernels, const ConvCase *c, ConvCall call, Fill fill, bool residual, ActivationKind kind)
{
  int         out_h = (c->h + c->pad_top + c->pad_bottom - (c->kernel_h - 1) * c->dilation - 1) / c->stride + 1;
  int         out_w = (c->w + c->pad_left + c->pad_right - (c->kernel_w - 1) * c->dilation - 1) / c->stride + 1;
  size_t      spread = (size_t) (c->spread ? c->spread : 1), pixels = (size_t) (c->h * c->w);
  size_t out_pixels = (size_t) (out_h * out_w) * spread * spread, size = kernel_blocks ((size_t) c->outputs) * out_pixels * KERNEL_BLOCK;
  float      *in = c->plain ? make ((size_t) c->channels * pixels, fill) : make_blocked ((size_t) c->channels, pixels, fill);
  float      *weights = make ((size_t) (c->outputs * (c->channels / c->group) * c->kernel_h * c->kernel_w), FILL_RANDOM);
  float *bias = make_blocked ((size_t) c->outputs, 1, FILL_RANDOM), *added = make_blocked ((size_t) c->outputs, out_pixels, FILL_RANDOM);
  float      *expected = make_output (size), *got = make_output (size), *again = make_output (size), *packed, *plain_packed;
  ptrdiff_t   at;
  bool        good, whole, same;
  KernelConv  conv = {
     .in = in,
     .in_channels = (size_t) (call == CALL_DEPTHWISE ? 1 : c->channels / c->group),
     .in_plane = c->plain ? pixels : pixels * KERNEL_BLOCK,
     .in_pixel = c->plain ? 1 : KERNEL_BLOCK,
     .in_h = c->h,
     .in_w = c->w,
     .out_channels = (size_t) c->outputs,
     .out_plane = out_pixels * KERNEL_BLOCK,
     .out_h = out_h,
     .out_w = out_w,
     .kernel_h = c->kernel_h,
     .kernel_w = c->kernel_w,
     .stride_h = c->stride,
     .stride_w = c->stride,
     .dilation_h = c->dilation,
     .dilation_w = c->dilation,
     .pad_top = c->pad_top,
     .pad_left = c->pad_left,
     .bias = bias,
     .residual = residual ? added : NULL,
     .activation = { kind,
                    kind == ACTIVATION_LEAKY_RELU ? 0.1f
                     : kind == ACTIVATION_CLIP     ? -0.25f
                     : kind == ACTIVATION_SILU     ? 1.0f
                                                   : 1.0f / 6,
                     0.5f },
  };

  if (c->spread)
    {
      conv.out_step = spread * KERNEL_BLOCK;
      conv.out_row = (size_t) out_w * spread * spread * KERNEL_BLOCK;
    }
  if (call == CALL_CONV && c->group > 1)
    {
      conv.group_in_blocks = (size_t) (c->channels / c->group / KERNEL_BLOCK);
      conv.group_out_blocks = (size_t) (c->outputs / c->group / KERNEL_BLOCK);
    }

  /* The meaning is always that of the direct sum. */
  pack_case (c, winograd_m (call) ? CALL_CONV : call, weights, &plain_packed);
  conv.weights = plain_packed;
  conv.out = expected;
  call_conv (&kernels_reference, winograd_m (call) ? CALL_CONV : call, &conv, false);

  pack_case (c, call, weights, &packed);
  conv.weights = packed;
  conv.out = got;
  call_conv (kernels, call, &conv, false);
  conv.out = again;
  call_conv (kernels, call, &conv, true);

  /* Rounding errors add up like the root of the channels; Winograd's transforms make them larger. Sums of numbers from -1 to 1 reach some three times that root. */
  at = difference (expected, got, size, (winograd_m (call) ? 2e-4 : 1e-5) * (1.0 + sqrt (c->channels) / 4));
  whole = guards_whole (got, size) && guards_whole (again, size);
  same = same_bits (got, again, size);
  good = at < 0 && whole && same;
  if (!good)
    {
      printf ("# %s call %d: %d->%d group %d, %dx%d, kernel %dx%d, stride %d, dilation %d, pads %d %d %d %d, plain %d, activation %d, "
              "residual %d, "
              "fill %d:%s%s",
              kernels->name, call, c->channels, c->outputs, c->group, c->h, c->w, c->kernel_h, c->kernel_w, c->stride, c->dilation,
              c->pad_top, c->pad_left, c->pad_bottom, c->pad_right, c->plain, kind, residual, fill, whole ? "" : " writes outside",
              same ? "" : " depends on how it is cut");
      if (at >= 0)
        printf (" element %td is %g, should be %g", at, (double) got[at], (double) expected[at]);
      printf ("\n");
    }

  give_back (in);
  give_back (weights);
  give_back (bias);
  give_back (added);
  give_back (packed);
  give_back (plain_packed);
  free_output (expected);
  free_output (got);
  free_output (again);
  return good;
}

/* Each case with one activation after the other, with and without residual; Winograd only with finite numbers, since a transform mixes the
 * pixels of a tile. */
static bool
check_conv_forms (const Kernels *kernels, const ConvCase *c, ConvCall call)
{
  static unsigned turn;
  bool            good = true;

  if (quick && turn++ % 16 != 0)
    return true;
  good &= check_conv (kernels, c, call, FILL_RANDOM, turn % 2, conv_activations[turn % N_ELEMENTS (conv_activations)]);
  if (!winograd_m (call))
    good &= check_conv (kernels, c, call, FILL_EXTREME, turn / 2 % 2, conv_activations[turn / 3 % N_ELEMENTS (conv_activations)]);
  turn++;
  return good;
}

static bool
fits (const ConvCase *c)
{
  return c->h + c->pad_top + c->pad_bottom >= (c->kernel_h - 1) * c->dilation + 1
         && c->w + c->pad_left + c->pad_right >= (c->kernel_w - 1) * c->dilation + 1;
}

void
test_conv (const Kernels *kernels)
{
  static const int channels[] = { 1, 3, 8, 15, 16, 17, 24, 31, 32, 33, 40 };
  static const int sizes[][2] = { { 1, 1 }, { 1, 7 }, { 5, 6 }, { 7, 7 }, { 4, 12 }, { 3, 13 }, { 2, 25 } };
  static const int windows[][7] = { /* kernel h w, stride, dilation, pad top/bottom, left/right, extra at the end */
    { 1, 1, 1, 1, 0, 0, 0 }, { 1, 1, 2, 1, 0, 0, 0 }, { 3, 3, 1, 1, 1, 1, 0 }, { 3, 3, 2, 1, 1, 1, 0 }, { 3, 3, 1, 1, 0, 0, 1 },
    { 5, 5, 1, 1, 2, 2, 0 }, { 3, 3, 1, 2, 2, 2, 0 }, { 3, 3, 1, 12, 12, 12, 0 }, { 1, 3, 1, 1, 0, 1, 0 }, { 7, 1, 3, 1, 3, 0, 0 },
    { 2, 2, 2, 1, 0, 0, 1 }, { 3, 3, 1, 1, 5, 4, 0 }, { 11, 11, 4, 1, 2, 2, 0 }, { 1, 1, 1, 1, 1, 2, 1 },
  };
  bool good = true;

  for (size_t s = 0; s < N_ELEMENTS (sizes); s++)
    for (size_t i = 0; i < N_ELEMENTS (windows); i++)
      for (size_t j = 0; j < N_ELEMENTS (channels); j++)
        {
          const int *window = windows[i];
          ConvCase   c = {
              .channels = channels[(j * 7 + i) % N_ELEMENTS (channels)],
              .outputs = channels[j],
              .group = 1,
              .h = sizes[s][0],
              .w = sizes[s][1],
              .kernel_h = window[0],
              .kernel_w = window[1],
              .stride = window[2],
              .dilation = window[3],
              .pad_top = window[4],
              .pad_left = window[5],
              .pad_bottom = window[4] + window[6],
              .pad_right = window[5] + window[6],
          };

          if (!fits (&c))
            continue;
          good &= check_conv_forms (kernels, &c, CALL_CONV);
          if (c.channels <= 4)
            {
              c.plain = true;
              good &= check_conv_forms (kernels, &c, CALL_CONV);
            }
        }
  report (good, "%s conv", kernels->name);

  good = true;
  for (int i = 0; i < 12; i++)
    {
      ConvCase c = { .channels = 16 * random_int (1, 2),
                     .outputs = 16 * random_int (1, 3),
                     .group = random_int (2, 3),
                     .h = random_int (2, 9),
                     .w = random_int (2, 20),
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .stride = random_int (1, 2),
                     .dilation = 1,
                     .pad_top = 1,
                     .pad_left = 1,
                     .pad_bottom = 1,
                     .pad_right = 1 };

      c.channels *= c.group;
      c.outputs *= c.group;
      good &= check_conv_forms (kernels, &c, CALL_CONV);
    }
  report (good, "%s conv, groups", kernels->name);
}

/* Output pixels apart from each other, and windows that begin inside: the parts of a transposed convolution. */
void
test_spread (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < 60; i++)
    {
      ConvCase c = { .channels = random_int (1, 40),
                     .outputs = random_int (1, 40),
                     .group = 1,
                     .h = random_int (3, 9),
                     .w = random_int (3, 20),
                     .kernel_h = random_int (1, 3),
                     .kernel_w = random_int (1, 3),
                     .stride = 1,
                     .dilation = 1,
                     .pad_top = random_int (-1, 1),
                     .pad_left = random_int (-1, 1),
                     .pad_bottom = random_int (0, 2),
                     .pad_right = random_int (0, 2),
                     .spread = random_int (2, 3) };

      if (fits (&c))
        good &= check_conv_forms (kernels, &c, CALL_CONV);
    }
  report (good, "%s conv, spread", kernels->name);
}

/* One-row images of pointwise convolutions, as long and as deep as in networks. */
void
test_pointwise (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < 40; i++)
    {
      ConvCase c = { .channels = random_int (1, 130),
                     .outputs = random_int (1, 100),
                     .group = 1,
                     .h = 1,
                     .w = random_int (1, 90),
                     .kernel_h = 1,
                     .kernel_w = 1,
                     .stride = 1,
                     .dilation = 1 };

      good &= check_conv_forms (kernels, &c, CALL_CONV);
    }
  report (good, "%s conv, pointwise", kernels->name);
}

void
test_depthwise (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < 400; i++)
    {
      int      channels = random_int (1, 40), pad = random_int (0, 3), square = random_int (1, 5);
      ConvCase c = { .channels = channels,
                     .outputs = channels,
                     .group = channels,
                     .h = random_int (1, 15),
                     .w = random_int (1, 30),
                     .kernel_h = square,
                     .kernel_w = i % 3 ? square : random_int (1, 7),
                     .stride = random_int (1, 3),
                     .dilation = random_int (1, 3),
                     .pad_top = pad,
                     .pad_left = random_int (0, 3),
                     .pad_bottom = random_int (0, 3),
                     .pad_right = pad };

      if (fits (&c))
        good &= check_conv_forms (kernels, &c, CALL_DEPTHWISE);
    }
  for (int width = 1; width <= 28; width++) /* the usual windows, at all lengths around those of a strip */
    for (int i = 0; i < 4; i++)
      {
        ConvCase c = { .channels = random_int (1, 40),
                       .h = random_int (1, 9),
                       .w = width,
                       .kernel_h = i % 2 ? 3 : 5,
                       .kernel_w = i % 2 ? 3 : 5,
                       .stride = i / 2 + 1,
                       .dilation = 1,
                       .pad_top = random_int (0, 3),
                       .pad_left = random_int (0, 3),
                       .pad_bottom = random_int (0, 3),
                       .pad_right = random_int (0, 3) };

        c.outputs = c.group = c.channels;
        if (fits (&c))
          good &= check_conv_forms (kernels, &c, CALL_DEPTHWISE);
      }
  report (good, "%s depthwise", kernels->name);
}

/* One row of pixels, as convolutions of 1x1 are given: at all lengths around those of tiles, and over so many channels that the sum is taken in
 * several goes. */
void
test_one_row (const Kernels *kernels)
{
  static const int channels[] = { 5, 16, 40, 255, 256, 257, 288, 529 }, outputs[] = { 1, 7, 8, 9, 16, 24, 33, 40, 72 };
  bool             good = true;

  for (int width = 1; width <= 40; width++)
    for (size_t j = 0; j < N_ELEMENTS (outputs); j++)
      {
        ConvCase c = { .channels = channels[((size_t) width + j) % N_ELEMENTS (channels)],
                       .outputs = outputs[j],
                       .group = 1,
                       .h = 1,
                       .w = width,
                       .kernel_h = 1,
                       .kernel_w = 1,
                       .stride = 1,
                       .dilation = 1 };

        good &= check_conv_forms (kernels, &c, CALL_CONV);
      }
  report (good, "%s convolution of one row", kernels->name);
}

void
test_winograd (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < 60; i++)
    {
      ConvCase c = { .channels = i % 10 == 0 ? random_int (125, 300) : random_int (1, 60), /* now and then more than are summed up at once */
                     .outputs = random_int (1, 60),
                     .group = 1,
                     .h = random_int (3, 20),
                     .w = random_int (3, 30),
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .stride = 1,
                     .dilation = 1,
                     .pad_top = random_int (0, 2),
                     .pad_left = random_int (0, 2),
                     .pad_bottom = random_int (0, 2),
                     .pad_right = random_int (0, 2) };

      good &= check_conv_forms (kernels, &c, CALL_WINOGRAD);
      good &= check_conv_forms (kernels, &c, CALL_WINOGRAD_SMALL);
    }
  report (good, "%s winograd", kernels->name);
}

/* ---- weight gradients --------------------------------------------------------------------------------------- */

/* The weight gradient of a 3x3 convolution of a batch, all images and blocks: by Winograd in `cuts` calls, or 0: by the kernel for any convolution. */
static void
call_weight_gradient (const Kernels *kernels, const KernelWinogradGradient *winograd, size_t images, size_t out_blocks, size_t cuts, float *out)
{
  KernelWeightGradient gradient = winograd->gradient;
  size_t               in_blocks = kernel_blocks (gradient.in_channels), n_tiles = images * winograd->tiles_x * winograd->tiles_y, pairs = in_blocks * out_blocks;
  size_t               n_sums = kernel_winograd_size (4) * kernel_winograd_step (pairs, KERNEL_BLOCK);
  size_t               n_scratch = kernel_winograd_size (4) * (kernel_winograd_step (in_blocks, n_tiles) + kernel_winograd_step (out_blocks, n_tiles));
  float               *sums, *scratch;

  if (cuts == 0)
    {
      memset (out, 0, pairs * 9 * KERNEL_BLOCK * KERNEL_BLOCK * sizeof *out);
      for (size_t image = 0; image < images; image++, gradient.in += winograd->in_image, gradient.gradient += winograd->gradient_image)
        for (size_t block = 0; block < in_blocks; block++)
          kernels->weight_gradient (&gradient, 0, out_blocks, block, 0, (size_t) gradient.out_h, out + block * 9 * KERNEL_BLOCK * KERNEL_BLOCK);
      return;
    }
  sums = make_output (n_sums);
  scratch = make_output (n_scratch);
  memset (sums, 0, n_sums * sizeof *sums);
  for (size_t i = 0; i < cuts; i++)
    kernels->winograd_gradient (winograd, 0, out_blocks, n_tiles * i / cuts, n_tiles * (i + 1) / cuts, scratch, sums);
  kernels->winograd_gradient_out (sums, pairs, out);
  if (!guards_whole (sums, n_sums) || !guards_whole (scratch, n_scratch))
    report (false, "%s winograd gradient writes outside its scratch", kernels->name);
  free_output (sums);
  free_output (scratch);
}

static bool
check_weight_gradient (const Kernels *kernels, int channels, int outputs, int h, int w, int pad_top, int pad_left, size_t images)
{
  int    out_h = h + 2 * pad_top - 2, out_w = w + 2 * pad_left - 2;
  size_t in_blocks = kernel_blocks ((size_t) channels), out_blocks = kernel_blocks ((size_t) outputs);
  size_t in_image = in_blocks * (size_t) (h * w) * KERNEL_BLOCK, gradient_image = out_blocks * (size_t) (out_h * out_w) * KERNEL_BLOCK;
  size_t size = in_blocks * out_blocks * 9 * KERNEL_BLOCK * KERNEL_BLOCK;
  float *in = make_blocked (in_blocks * KERNEL_BLOCK, images * (size_t) (h * w), FILL_RANDOM);
  float *gradient = make_blocked (out_blocks * KERNEL_BLOCK, images * (size_t) (out_h * out_w), FILL_RANDOM);
  float *expected = make_output (size), *direct = make_output (size), *got = make_output (size), *cut = make_output (size);
  bool   good;
  KernelWinogradGradient winograd = {
    .gradient = { .in = in, .in_channels = in_blocks * KERNEL_BLOCK, .in_plane = (size_t) (h * w) * KERNEL_BLOCK, .in_pixel = KERNEL_BLOCK, .in_channel = 1,
                  .in_h = h, .in_w = w, .gradient = gradient, .gradient_plane = (size_t) (out_h * out_w) * KERNEL_BLOCK, .out_h = out_h, .out_w = out_w,
                  .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = pad_top, .pad_left = pad_left,
                  .sum_block = in_blocks * 9 * KERNEL_BLOCK * KERNEL_BLOCK },
    .in_image = in_image, .gradient_image = gradient_image, .tiles_x = (size_t) (out_w + 3) / 4, .tiles_y = (size_t) (out_h + 3) / 4,
  };

  call_weight_gradient (&kernels_reference, &winograd, images, out_blocks, 0, expected);
  call_weight_gradient (kernels, &winograd, images, out_blocks, 0, direct);
  call_weight_gradient (kernels, &winograd, images, out_blocks, 1, got);
  call_weight_gradient (kernels, &winograd, images, out_blocks, 3, cut);
  good = difference (expected, direct, size, 1e-4) < 0 && difference (expected, got, size, 1e-3) < 0 && (kernels == &kernels_reference || same_bits (got, cut, size))
         && guards_whole (direct, size) && guards_whole (got, size);
  if (!good)
    printf ("# %s weight gradient: %d->%d, %dx%d, pads %d %d, %zu images: elements %td, %td%s\n", kernels->name, channels, outputs, h, w, pad_top, pad_left,
            images, difference (expected, direct, size, 1e-4), difference (expected, got, size, 1e-3), same_bits (got, cut, size) ? "" : ", depends on how it is cut");
  give_back (in);
  give_back (gradient);
  free_output (expected);
  free_output (direct);
  free_output (got);
  free_output (cut);
  return good;
}

void
test_weight_gradient (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < (quick ? 4 : 20); i++)
    good &= check_weight_gradient (kernels, random_int (1, 40), random_int (1, 60), random_int (3, 12), random_int (3, 14), random_int (0, 2), random_int (0, 2),
                                   (size_t) random_int (1, 3));
  report (good, "%s weight gradients of 3x3 convolutions", kernels->name);
}
