/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-choose.c: which way of computing takes a convolution: an ordered table, the first row that accepts wins. It looks at shapes only,
 * so that every instruction set computes the same thing in the same order.
 */

#include "kernels/kernels.h"
#include "ops/conv.h"

/* Of a 3x3 convolution of 512 channels on 7 x 7 pixels: F(4) takes 4.0 ms, F(2) 2.6, direct 3.5; 256 on 14 x 14: 1.43, 1.75, 3.4 (Zen 3). */
#define WINOGRAD_WEIGHT_TILES 10

static gboolean
is_kernel (const ConvShape *shape, gint64 h, gint64 w)
{
  return shape->window.kernel[0] == h && shape->window.kernel[1] == w;
}

static gboolean
is_dense (const ConvShape *shape)
{
  return shape->window.stride[0] == 1 && shape->window.stride[1] == 1;
}

/* Whether a pointwise convolution looks at nothing beside the image. */
static gboolean
is_inside (const ConvShape *shape)
{
  return shape->window.pad_begin[0] == 0 && shape->window.pad_begin[1] == 0 && (shape->out_h - 1) * shape->window.stride[0] < shape->h
         && (shape->out_w - 1) * shape->window.stride[1] < shape->w;
}

/* What the kernels' int32 places can hold. */
gboolean
conv_fits_kernels (const ConvShape *shape)
{
  const Window *window = &shape->window;

  for (guint i = 0; i < 2; i++)
    if (window->kernel[i] > 1 << 12 || window->stride[i] > 1 << 12 || window->dilation[i] > 1 << 12 || window->pad_begin[i] > 1 << 20
        || window->pad_end[i] > 1 << 20)
      return FALSE;
  return shape->h > 0 && shape->w > 0 && shape->h <= G_MAXINT32 / KERNEL_BLOCK / shape->w &&
         shape->out_h <= G_MAXINT32 / KERNEL_BLOCK / shape->out_w && shape->h < 1 << 24 && shape->w < 1 << 24;
}

static gboolean
few_taps (const ConvShape *shape)
{
  return shape->window.kernel[0] * shape->window.kernel[1] <= KERNEL_MAX_TAPS;
}

gboolean
conv_has_whole_blocks (const ConvShape *shape)
{
  return shape->group == 1
         || (shape->channels / shape->group % KERNEL_BLOCK == 0 && shape->outputs / shape->group % KERNEL_BLOCK == 0);
}

void
conv_crop (ConvShape *shape)
{
  Window *window = &shape->window;

  for (guint i = 0; i < 2; i++)
    {
      gint64 size = i == 0 ? shape->h : shape->w, out = i == 0 ? shape->out_h : shape->out_w, first = 0, last = window->kernel[i] - 1;

      while (first < last && (out - 1) * window->stride[i] + first * window->dilation[i] < window->pad_begin[i])
        first++;
      while (first < last && last * window->dilation[i] >= size + window->pad_begin[i])
        last--;
      shape->first_tap[i] = first;
      shape->all_taps[i] = window->kernel[i];
      window->kernel[i] = last - first + 1;
      window->pad_begin[i] -= first * window->dilation[i];
      if (window->kernel[i] == 1)
        window->dilation[i] = 1;
    }
}

gboolean
conv_is_depthwise (const ConvShape *shape)
{
  return shape->group > 1 && shape->group == shape->channels && shape->group == shape->outputs;
}

static gboolean
accept_first (const ConvShape *shape)
{
  return shape->group == 1 && shape->channels <= 4 && few_taps (shape);
}

static gboolean
accept_pointwise (const ConvShape *shape)
{
  return is_kernel (shape, 1, 1) && is_dense (shape) && is_inside (shape) && shape->out_h == shape->h && shape->out_w == shape->w
         && conv_has_whole_blocks (shape);
}

static gboolean
accept_thinned (const ConvShape *shape)
{
  return is_kernel (shape, 1, 1) && !is_dense (shape) && is_inside (shape) && conv_has_whole_blocks (shape);
}

/* Roughly what Winograd F(m x m, 3x3) takes for each pair of channels, or with m 1 the plain sum: as many products as a tile has numbers for each
 * tile, and the same number of weights to read, which takes as long as some tiles more. */
static gint64
winograd_cost (const ConvShape *shape, int m)
{
  gint64 tiles = ((shape->out_h + m - 1) / m) * ((shape->out_w + m - 1) / m);

  return (gint64) kernel_winograd_size (m) * (tiles + WINOGRAD_WEIGHT_TILES);
}

int
conv_winograd_m (const ConvShape *shape)
{
  return winograd_cost (shape, 2) < winograd_cost (shape, 4) ? 2 : 4;
}

static gboolean
accept_winograd (const ConvShape *shape)
{
  return is_kernel (shape, 3, 3) && is_dense (shape) && shape->window.dilation[0] == 1 && shape->window.dilation[1] == 1 &&
         shape->group == 1 && shape->channels >= 16 && shape->outputs >= 16
         && winograd_cost (shape, conv_winograd_m (shape)) < winograd_cost (shape, 1);
}

static gboolean
accept_direct (const ConvShape *shape)
{
  return conv_has_whole_blocks (shape) && few_taps (shape);
}

static gboolean
accept_diagonal (const ConvShape *shape)
{
  gint64 channels = shape->channels / shape->group;

  return channels == shape->outputs / shape->group && KERNEL_BLOCK % channels == 0 && few_taps (shape);
}

guint64
conv_count_macs (const ConvShape *shape)
{
  return (guint64) (shape->n * shape->outputs) * (guint64) (shape->out_h * shape->out_w) * (guint64) (shape->channels / shape->group)
         * (guint64) (shape->window.kernel[0] * shape->window.kernel[1]);
}

static const struct
{
  ConvKind kind;
  gboolean (*accepts) (const ConvShape *shape);
} choices[] = {
  { CONV_DEPTHWISE, conv_is_depthwise }, /* channels don't mix: bound by memory, nothing to share between outputs */
  { CONV_FIRST, accept_first },         /* blocks of 3 channels would be four fifths zeros; also saves the reorder of the image */
  { CONV_POINTWISE, accept_pointwise }, /* one long row: no ends of rows */
  { CONV_THINNED, accept_thinned },     /* the shortcuts of ResNets: one and a half times, at 7 x 7 twice as fast as direct */
  { CONV_WINOGRAD, accept_winograd },   /* 1.4 (7 pixels) to 3.1 times the speed of direct; below 16 channels the transforms eat it up */
  { CONV_DIRECT, accept_direct },       /* everything else that comes in whole blocks: near the arithmetic peak */
  { CONV_DIAGONAL, accept_diagonal },   /* up to 15 of 16 multiplications are by zero, and still several times faster than plain loops */
};

ConvKind
conv_choose (const ConvShape *shape)
{
  if (conv_fits_kernels (shape))
    for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
      if (choices[i].accepts (shape))
        return choices[i].kind;
  return CONV_PLAIN;
}
