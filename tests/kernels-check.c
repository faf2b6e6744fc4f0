/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check.c: every kernel table that can run here against the reference, on random and on extreme inputs, at sizes around blocks and
 * tiles. Prints TAP. Needs nothing but the kernels and libc, so that it can be built for other processors and run under qemu.
 *
 * Outputs lie between guard values that no kernel may touch, and start as NaN, so that what a kernel forgets is seen. Inputs end where memory
 * ends, or begin where it begins: a kernel that reads outside stops the program. Every case is computed a second time cut into several calls:
 * the bits must be the same.
 *
 *   kernels-check [--quick] [NAME…]    only the tables named; fails if one of them isn't there; --quick leaves most cases out, for
 * emulators
 */

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "kernels/reference.h"

#define N_ELEMENTS(array) (sizeof (array) / sizeof (array)[0])
#define GUARD 64          /* floats before and after each output */
#define GUARD_VALUE 12345.678f

#ifdef KERNELS_CHECK_WIDE
extern const Kernels kernels_wide;
#endif

static int  n_tests, n_failures;
static bool quick, hurried;

static void __attribute__ ((format (printf, 2, 3)))
report (bool good, const char *format, ...)
{
  va_list arguments;

  n_tests++;
  n_failures += !good;
  printf ("%sok %d - ", good ? "" : "not ", n_tests);
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  printf ("\n");
}

/* ---- numbers ---------------------------------------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t
random_bits (void)
{
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

static int
random_int (int low, int high)
{
  return low + (int) (random_bits () % (uint32_t) (high - low + 1));
}

static float
random_float (void)
{
  return (float) random_bits () / (float) (1 << 23) - 1.0f;
}

typedef enum
{
  FILL_RANDOM,
  FILL_EXTREME, /* some NaN, infinities, denormals and huge numbers among them */
} Fill;

static float
random_value (Fill fill)
{
  static const float extremes[] = { NAN, INFINITY, -INFINITY, 1e-40f, -1e-40f, 0.0f, -0.0f, 1e30f, -1e30f };

  if (fill == FILL_EXTREME && random_bits () % 50 == 0)
    return extremes[random_bits () % N_ELEMENTS (extremes)];
  return random_float ();
}

/* ---- arrays at the edge of memory -------------------------------------------------------------------------- */

typedef struct
{
  float  *array;
  char   *mapping;
  size_t  size;
} Taken;

static Taken taken[32]; /* what isn't given back yet */

/* Room for n floats between two pages that can't be touched: its end lies at the second, or its beginning at the first, as chance has it. */
static float *
take (size_t n)
{
  static unsigned n_calls;
  bool        at_end = ++n_calls * 2654435761u >> 31;
  size_t      page = (size_t) sysconf (_SC_PAGESIZE), size = (n * sizeof (float) + page - 1) / page * page + 2 * page;
  char       *mapping = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (mapping == MAP_FAILED || mprotect (mapping, page, PROT_NONE) != 0 || mprotect (mapping + size - page, page, PROT_NONE) != 0)
    abort ();
  for (size_t i = 0; i < N_ELEMENTS (taken); i++)
    if (!taken[i].mapping)
      {
        taken[i] = (Taken) { (float *) (at_end ? mapping + size - page - n * sizeof (float) : mapping + page), mapping, size };
        return taken[i].array;
      }
  abort ();
}

static void
give_back (float *array)
{
  for (size_t i = 0; i < N_ELEMENTS (taken); i++)
    if (taken[i].mapping && taken[i].array == array)
      {
        munmap (taken[i].mapping, taken[i].size);
        taken[i].mapping = NULL;
        return;
      }
  abort ();
}

static float *
make (size_t n, Fill fill)
{
  float *array = take (n);

  for (size_t i = 0; i < n; i++)
    array[i] = random_value (fill);
  return array;
}

/* A blocked image (C/16, pixels, 16) with zeros past C. */
static float *
make_blocked (size_t channels, size_t n_pixels, Fill fill)
{
  size_t n = kernel_blocks (channels) * n_pixels * KERNEL_BLOCK;
  float *array = make (n, fill);

  for (size_t i = 0; i < n; i++)
    if (i / (n_pixels * KERNEL_BLOCK) * KERNEL_BLOCK + i % KERNEL_BLOCK >= channels)
      array[i] = 0.0f;
  return array;
}

static float *
make_output (size_t n)
{
  float *array = take (n + 2 * GUARD);

  for (size_t i = 0; i < n + 2 * GUARD; i++)
    array[i] = i < GUARD || i >= GUARD + n ? GUARD_VALUE : NAN;
  return array + GUARD;
}

static void
free_output (float *array)
{
  give_back (array - GUARD);
}

static bool
guards_whole (const float *array, size_t n)
{
  for (size_t i = 0; i < GUARD; i++)
    if (array[-1 - (ptrdiff_t) i] != GUARD_VALUE || array[n + i] != GUARD_VALUE)
      return false;
  return true;
}

static bool
same_bits (const float *a, const float *b, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (memcmp (a + i, b + i, sizeof (float)) != 0 && !(isnan (a[i]) && isnan (b[i])))
      return false;
  return true;
}

/* Where two results differ by more than `tolerance` of the greater of 1 and the expected value; -1: nowhere. Where the extreme inputs of
 * 1e30 have a part in a sum, what is left when they cancel is as uncertain as they are; what is near the end of the range may be infinite
 * on one side. */
static ptrdiff_t
difference (const float *expected, const float *got, size_t n, double tolerance)
{
  for (size_t i = 0; i < n; i++)
    {
      double e = expected[i], g = got[i], magnitude = fabs (e) > 1e15 ? fmax (1e30, fabs (e)) : fmax (1.0, fabs (e));

      if ((isnan (e) && isnan (g)) || (fabs (e) > 1e37 && fabs (g) > 1e37 && (e > 0) == (g > 0)))
        continue;
      if (!(fabs (e - g) <= tolerance * magnitude))
        return (ptrdiff_t) i;
    }
  return -1;
}

/* ---- convolution ------------------------------------------------------------------------------------------ */

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

static const ActivationKind conv_activations[] = {
  ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_CLIP, ACTIVATION_HARD_SWISH, ACTIVATION_SIGMOID, ACTIVATION_LEAKY_RELU, ACTIVATION_SILU,
};

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
      pack_winograd (weights, k, channels, winograd_m (call), *packed);
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

static void
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
static void
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
static void
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

static void
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
static void
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

static void
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

/* ---- pooling ---------------------------------------------------------------------------------------------- */

static bool
check_pool (const Kernels *kernels, KernelPool *pool, Fill fill)
{
  size_t    pixels = (size_t) (pool->in_h * pool->in_w), blocks = kernel_blocks (pool->channels);
  size_t    size = blocks * (size_t) (pool->out_h * pool->out_w) * KERNEL_BLOCK;
  float    *in = make_blocked (pool->channels, pixels, fill), *expected = make_output (size), *got = make_output (size);
  ptrdiff_t at;
  bool      good;

  pool->in = in;
  pool->in_plane = pixels * KERNEL_BLOCK;
  pool->out_plane = (size_t) (pool->out_h * pool->out_w) * KERNEL_BLOCK;
  pool->out = expected;
  kernels_reference.pool (pool, 0, blocks, 0, (size_t) pool->out_h);
  pool->out = got;
  for (size_t block = 0; block < blocks; block++)
    for (size_t row = 0; row < (size_t) pool->out_h; row++)
      kernels->pool (pool, block, block + 1, row, row + 1);
  at = difference (expected, got, size, 1e-5);
  good = at < 0 && guards_whole (got, size);
  if (!good)
    printf ("# %s pool kind %d: %zu channels, %dx%d to %dx%d, kernel %dx%d, stride %d, dilation %d, pads %d %d %d %d, element %td\n",
            kernels->name, pool->kind, pool->channels, pool->in_h, pool->in_w, pool->out_h, pool->out_w, pool->kernel_h, pool->kernel_w,
            pool->stride_h, pool->dilation_h, pool->pad_top, pool->pad_left, pool->pad_bottom, pool->pad_right, at);
  give_back (in);
  free_output (expected);
  free_output (got);
  return good;
}

static void
test_pool (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < (quick ? 60 : 600); i++)
    {
      KernelPool pool = { .kind = (PoolKind) (i % 3),
                          .channels = (size_t) random_int (1, 40),
                          .in_h = random_int (1, 12),
                          .in_w = random_int (1, 20),
                          .kernel_h = random_int (1, 5),
                          .kernel_w = random_int (1, 5),
                          .stride_h = random_int (1, 3),
                          .stride_w = random_int (1, 3),
                          .dilation_h = random_int (1, 2),
                          .dilation_w = random_int (1, 2),
                          .pad_top = random_int (0, 3),
                          .pad_left = random_int (0, 3),
                          .pad_bottom = random_int (0, 3),
                          .pad_right = random_int (0, 3) };
      int        room_h = pool.in_h + pool.pad_top + pool.pad_bottom - (pool.kernel_h - 1) * pool.dilation_h - 1;
      int        room_w = pool.in_w + pool.pad_left + pool.pad_right - (pool.kernel_w - 1) * pool.dilation_w - 1;

      if (room_h < 0 || room_w < 0)
        continue;
      pool.out_h = room_h / pool.stride_h + 1 + random_int (0, 1); /* as ceil_mode has it: one more, partly or wholly past the end */
      pool.out_w = room_w / pool.stride_w + 1 + random_int (0, 1);
      good &= check_pool (kernels, &pool, i % 2 ? FILL_EXTREME : FILL_RANDOM);
    }
  report (good, "%s pool", kernels->name);
}

static void
test_sum_pixels (const Kernels *kernels)
{
  bool good = true;

  for (size_t n = 0; n < 70; n++)
    {
      float *in = make (n * KERNEL_BLOCK, n % 3 ? FILL_RANDOM : FILL_EXTREME), expected[KERNEL_BLOCK], got[KERNEL_BLOCK];

      for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
        if (fabsf (in[i]) == 1e30f) /* sums of these depend on their order */
          in[i] = 1.0f;
      kernels_reference.sum_pixels (in, n, 0.5f, expected);
      kernels->sum_pixels (in, n, 0.5f, got);
      good &= difference (expected, got, KERNEL_BLOCK, 1e-5) < 0;
      give_back (in);
    }
  report (good, "%s sum_pixels", kernels->name);
}

/* ---- matrices --------------------------------------------------------------------------------------------- */

static bool
check_gemm (const Kernels *kernels, size_t m, size_t n, size_t k, bool transposed, bool accumulate, Fill fill, ActivationKind kind)
{
  size_t     a_row = k + (size_t) random_int (0, 3), c_row = n + (size_t) random_int (0, 3), b_row = (transposed ? k : n) + 1;
  size_t     panels = kernel_blocks (n);
  float     *a = make (m * a_row, fill), *b = make ((transposed ? n : k) * b_row, FILL_RANDOM),
        *packed = take (pack_gemm_size (n, k));
  float     *bias = make_blocked (n, 1, FILL_RANDOM), *start = make (m * c_row, FILL_RANDOM);
  float     *expected = make_output (m * c_row), *got = make_output (m * c_row), *again = make_output (m * c_row);
  KernelGemm gemm = { .m = m, .n = n, .k = k, .a = a, .a_row = a_row, .b = packed, .c_row = c_row, .bias = random_int (0, 1) ? bias : NULL,
                      .accumulate = accumulate, .activation = { kind, 0.1f, 0.7f } };
  bool       good;

  pack_gemm (b, n, k, b_row, transposed, packed);
  memcpy (expected, start, m * c_row * sizeof (float));
  memcpy (got, start, m * c_row * sizeof (float));
  memcpy (again, start, m * c_row * sizeof (float));
  gemm.c = expected;
  kernels_reference.gemm (&gemm, 0, panels, 0, m);
  gemm.c = got;
  kernels->gemm (&gemm, 0, panels, 0, m);
  gemm.c = again;
  for (size_t panel = 0; panel < panels; panel++)
    for (size_t row = 0; row < m; row += 4)
      kernels->gemm (&gemm, panel, panel + 1, row, row + 4 < m ? row + 4 : m);

  good = difference (expected, got, m * c_row, 1e-5 * (1 + sqrt ((double) k) / 4)) < 0 && same_bits (got, again, m * c_row)
         && guards_whole (got, m * c_row) && guards_whole (again, m * c_row);
  if (!good)
    printf ("# %s gemm %zux%zux%zu transposed %d accumulate %d fill %d activation %d\n", kernels->name, m, n, k, transposed, accumulate,
            fill, kind);
  give_back (a);
  give_back (b);
  give_back (packed);
  give_back (bias);
  give_back (start);
  free_output (expected);
  free_output (got);
  free_output (again);
  return good;
}

static void
test_gemm (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < (quick ? 40 : 300); i++)
    good &= check_gemm (kernels, (size_t) (i % 4 ? random_int (1, 30) : 1), (size_t) random_int (1, 150),
                        (size_t) random_int (i % 10 ? 1 : 0, 70), i % 2, i / 2 % 2, i % 3 ? FILL_RANDOM : FILL_EXTREME,
                        conv_activations[i % N_ELEMENTS (conv_activations)]);
  report (good, "%s gemm", kernels->name);
}

/* ---- elementwise ------------------------------------------------------------------------------------------ */

/* Units in the last place between two floats, of numbers not below `floor`; huge where only one of them is NaN or infinite. */
static double
ulps (float expected, float got, float floor)
{
  if (isnan (expected) || isnan (got))
    return isnan (expected) && isnan (got) ? 0.0 : 1e30;
  if (expected == got)
    return 0.0;
  if (isinf (expected) || isinf (got))
    return fmaxf (fabsf (expected), fabsf (got)) == INFINITY && fminf (fabsf (expected), fabsf (got)) > 3.4e38f ? 1.0 : 1e30;
  return fabs ((double) expected - got) / ldexp (1.0, ilogbf (fmaxf (fabsf (expected), floor)) - 23);
}

static void
test_activations (const Kernels *kernels)
{
  static const float points[] = { NAN,      INFINITY, -INFINITY, 0.0f,  -0.0f,  1e-40f, -1e-40f, 1e-30f, -1e-30f, 3.4e38f,
                                  -3.4e38f, 1e20f,    -1e20f,    88.0f, 88.72f, 88.73f, 89.5f,   -87.0f, -87.4f,  -103.0f,
                                  -104.5f,  0.34657f, -0.34657f, 0.5f,  1.0f,   -1.0f,  6.0f,    -3.0f,  3.0f };

  for (int kind = 0; kind < N_ACTIVATIONS; kind++)
    {
      Activation activation = { (ActivationKind) kind, 0.3f, 0.6f };
      double     worst = 0.0, allowed = 6.0;
      float      worst_at = 0.0f, floor = 1e-30f;
      enum { N = 20003 };
      static float in[N], got[N];

      if (kind == ACTIVATION_CELU || kind == ACTIVATION_SELU || kind == ACTIVATION_SILU)
        activation.alpha = 1.25f;
      if (kind == ACTIVATION_HARD_SIGMOID || kind == ACTIVATION_HARD_SWISH)
        floor = 0.2f; /* alpha x + beta may cancel */
      if (kind == ACTIVATION_GELU || kind == ACTIVATION_GELU_TANH || kind == ACTIVATION_SILU)
        {
          floor = 1e-6f; /* an exponential of a large argument magnifies its rounding */
          allowed = 32.0;
        }
      for (int i = 0; i < N; i++)
        in[i] = i < (int) N_ELEMENTS (points) ? points[i] : random_float () * (i % 3 == 0 ? 1.0f : i % 3 == 1 ? 12.0f : 110.0f);
      kernels->activate (&activation, in, got, N);
      for (int i = 0; i < N; i++)
        {
          float  expected = (float) activation_reference (&activation, in[i]);
          double error = ulps (expected, got[i], floor);

          if (error > worst)
            {
              worst = error;
              worst_at = in[i];
            }
        }
      report (worst <= allowed, "%s activation %d: %.2f units in the last place at %g", kernels->name, kind, worst, (double) worst_at);

      {
        float zero = 0.0f, result;

        kernels->activate (&activation, &zero, &result, 1);
        if (activation_keeps_zero (&activation) != (result == 0.0f))
          report (false, "%s activation %d: f (0) is %g", kernels->name, kind, (double) result);
      }
    }
}

/* The elementwise kernels on n numbers, all but activations; results must be the same to the bit, but for a fused multiply-add. */
static bool
check_elementwise (const Kernels *kernels, size_t n, Fill fill)
{
  float *a = make (n, fill), *b = make (n, fill), *channels = make (KERNEL_BLOCK, FILL_RANDOM), *shifts = make (KERNEL_BLOCK, FILL_RANDOM);
  size_t pixels = n / KERNEL_BLOCK;
  bool   good = true;

  for (int kind = 0; kind < N_BINARIES; kind++)
    for (int form = 0; form < 5; form++)
      {
        float *expected = make_output (n), *got = make_output (n);

        for (int turn = 0; turn < 2; turn++)
          {
            const Kernels *table = turn ? kernels : &kernels_reference;
            float         *out = turn ? got : expected;

            switch (form)
              {
              case 0: table->binary ((BinaryKind) kind, a, b, out, n); break;
              case 1: table->binary_right ((BinaryKind) kind, a, 0.7f, out, n); break;
              case 2: table->binary_left ((BinaryKind) kind, -0.7f, b, out, n); break;
              case 3: table->binary_channels ((BinaryKind) kind, a, channels, out, pixels); break;
              case 4: table->binary_channels_left ((BinaryKind) kind, channels, a, out, pixels); break;
              }
          }
        if (difference (expected, got, n, 1e-7) >= 0 || !guards_whole (got, n))
          {
            printf ("# %s binary %d form %d of %zu, element %td\n", kernels->name, kind, form, n, difference (expected, got, n, 1e-7));
            good = false;
          }
        free_output (expected);
        free_output (got);
      }

  for (int form = 0; form < 4; form++)
    {
      float *expected = make_output (n + 1), *got = make_output (n + 1);

      if (form == 3 && n > 0)
        a[n / 2] = NAN;
      for (int turn = 0; turn < 2; turn++)
        {
          const Kernels *table = turn ? kernels : &kernels_reference;
          float         *out = turn ? got : expected;

          if (form == 0)
            table->scale_shift (a, 0.3f, -0.2f, out, n);
          else if (form == 1)
            table->scale_shift_channels (a, channels, shifts, out, pixels);
          else if (n > 0)
            table->softmax (a, out, n, form == 2);
        }
      if (difference (expected, got, n, 3e-6) >= 0 || !guards_whole (got, n + 1))
        {
          printf ("# %s row form %d of %zu: element %td\n", kernels->name, form, n, difference (expected, got, n, 3e-6));
          good = false;
        }
      free_output (expected);
      free_output (got);
    }

  give_back (a);
  give_back (b);
  give_back (channels);
  give_back (shifts);
  return good;
}

static bool
check_sums (const Kernels *kernels, size_t n, Fill fill)
{
  float *a = make (n, fill), expected[3], got[3];
  bool   good;

  for (size_t i = 0; i < n; i++)
    if (fabsf (a[i]) == 1e30f)
      a[i] = 1.0f;
  for (int turn = 0; turn < 2; turn++)
    {
      const Kernels *table = turn ? kernels : &kernels_reference;
      float         *out = turn ? got : expected;

      out[0] = table->sum (a, n);
      out[1] = table->sum_squares (a, n, 0.25f);
      out[2] = table->max (a, n);
    }
  good = difference (expected, got, 3, 1e-5) < 0;
  if (!good)
    printf ("# %s sums of %zu: %g %g %g, should be %g %g %g\n", kernels->name, n, (double) got[0], (double) got[1], (double) got[2],
            (double) expected[0], (double) expected[1], (double) expected[2]);
  give_back (a);
  return good;
}

static void
test_elementwise (const Kernels *kernels)
{
  bool good = true;

  for (size_t n = 0; n < 100; n += quick ? 7 : 1)
    good &= check_elementwise (kernels, n, n % 2 ? FILL_EXTREME : FILL_RANDOM);
  report (good, "%s binary, scale, softmax", kernels->name);

  good = true;
  for (size_t n = 0; n < 300; n += quick ? 11 : 1)
    good &= check_sums (kernels, n, n % 4 ? FILL_RANDOM : FILL_EXTREME);
  report (good, "%s sums", kernels->name);
}

static void
test_layout (const Kernels *kernels)
{
  bool good = true;

  for (size_t channels = 1; channels <= 40; channels += quick ? 13 : 1)
    for (size_t n = 1; n < 40; n += 6)
      {
        size_t size = kernel_blocks (channels) * n * KERNEL_BLOCK, middle = n / 3;
        float *plain = make (channels * n, FILL_EXTREME), *expected = make_output (size), *got = make_output (size),
              *back = make_output (channels * n);

        kernels_reference.block (plain, expected, channels, n, 0, n);
        kernels->block (plain, got, channels, n, 0, middle);
        kernels->block (plain, got, channels, n, middle, n);
        kernels->unblock (got, back, channels, n, 0, middle);
        kernels->unblock (got, back, channels, n, middle, n);
        good &= same_bits (expected, got, size) && same_bits (plain, back, channels * n) && guards_whole (got, size) &&
                guards_whole (back, channels * n);
        give_back (plain);
        free_output (expected);
        free_output (got);
        free_output (back);
      }
  report (good, "%s block, unblock", kernels->name);
}

/* ---- the tables ------------------------------------------------------------------------------------------- */

static void
test_table (const Kernels *kernels)
{
  test_conv (kernels);
  test_spread (kernels);
  test_pointwise (kernels);
  test_one_row (kernels);
  test_depthwise (kernels);
  test_winograd (kernels);
  test_pool (kernels);
  test_sum_pixels (kernels);
  test_gemm (kernels);
  test_activations (kernels);
  test_elementwise (kernels);
  test_layout (kernels);
}

/* FOVEA_ISA: each table by its name, the last of the list for what isn't here. */
static void
test_choice (void)
{
  const Kernels *best = NULL;
  bool           good = true;

  for (int i = 0; kernels_nth (i); i++)
    {
      best = kernels_nth (i);
      setenv ("FOVEA_ISA", best->name, 1);
      good &= kernels_get () == best;
    }
  setenv ("FOVEA_ISA", "nonsense", 1);
  good &= kernels_get () == best;
  unsetenv ("FOVEA_ISA");
  good &= kernels_get () == best && kernels_nth (-1) == NULL && strcmp (kernels_nth (0)->name, "reference") == 0;
  report (good, "FOVEA_ISA");
}

#ifdef KERNELS_CHECK_WIDE
/* On x86 it is compiled for AVX2. */
static bool
can_run_wide (void)
{
#ifdef __x86_64__
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
#else
  return true;
#endif
}
#endif

static bool
is_named (const char *name, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return true;
  return argc < 2;
}

int
main (int argc, char **argv)
{
  int n_run = 0;

  if (argc > 1 && strcmp (argv[1], "--quick") == 0)
    {
      quick = hurried = true;
      argc--;
      argv++;
    }
  test_choice ();
  for (int i = 0; kernels_nth (i); i++)
    if (is_named (kernels_nth (i)->name, argc, argv))
      {
        quick = hurried || i == 0; /* the reference against itself says little, and is slow */
        test_table (kernels_nth (i));
        n_run++;
      }
  quick = hurried;
#ifdef KERNELS_CHECK_WIDE
  if (can_run_wide () && is_named ("wide", argc, argv))
    {
      test_table (&kernels_wide);
      n_run++;
    }
#endif
  if (argc > 1 && n_run < argc - 1)
    report (false, "a table that was asked for isn't there");
  printf ("1..%d\n", n_tests);
  return n_failures > 0;
}
