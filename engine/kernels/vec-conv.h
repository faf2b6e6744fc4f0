/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-conv.h: direct convolution: any kernel, stride, dilation and padding, pointwise ones and the first layer among them.
 *
 * A row of output pixels is cut evenly into tiles. Tiles whose window lies inside the image from left to right are strided, the others (and
 * all tiles of narrow images, which run over the ends of rows so that registers stay full) are gathered.
 */
#pragma once

#include "kernels/vec-gemm.h"
#include "kernels/vec-tile.h"

#define CONV_FIRST_CHANNELS 4 /* of the first layer, whose taps are listed for all of them where that is no more */

typedef struct
{
  int16_t taps[KERNEL_MAX_TAPS * CONV_FIRST_CHANNELS];
  int32_t offsets[KERNEL_MAX_TAPS * (TILE_PIXELS > CONV_FIRST_CHANNELS ? TILE_PIXELS : CONV_FIRST_CHANNELS)];
} ConvTaps;

/* The place in a plane of what tap (ky, kx) of output (y, x) reads, or -1 where that is outside. */
INLINE int32_t
conv_offset (const KernelConv *conv, int y, int x, int ky, int kx)
{
  int in_y = y * conv->stride_h - conv->pad_top + ky * conv->dilation_h;
  int in_x = x * conv->stride_w - conv->pad_left + kx * conv->dilation_w;

  if (in_y < 0 || in_y >= conv->in_h || in_x < 0 || in_x >= conv->in_w)
    return -1;
  return (in_y * conv->in_w + in_x) * conv->in_pixel;
}

/* Pixels [first, first + n_pixels), counted row by row, each with its own offsets. */
static void
conv_gather (const KernelConv *conv, size_t first, int n_pixels, ConvTaps *list, Tile *tile)
{
  int y = (int) (first / (size_t) conv->out_w), x = (int) (first % (size_t) conv->out_w), n_taps = 0;
  int in_y[TILE_PIXELS], in_x[TILE_PIXELS], row[TILE_PIXELS];

  for (int p = 0; p < n_pixels; p++)
    {
      in_y[p] = y * conv->stride_h - conv->pad_top;
      in_x[p] = x * conv->stride_w - conv->pad_left;
      if (++x == conv->out_w)
        {
          x = 0;
          y++;
        }
    }

  for (int ky = 0; ky < conv->kernel_h; ky++)
    {
      for (int p = 0; p < n_pixels; p++)
        {
          int at = in_y[p] + ky * conv->dilation_h;

          row[p] = at >= 0 && at < conv->in_h ? at * conv->in_w : -1;
        }
      for (int kx = 0; kx < conv->kernel_w; kx++)
        {
          int32_t *offsets = list->offsets + n_taps * n_pixels;
          bool     any = false;

          for (int p = 0; p < n_pixels; p++)
            {
              int at = in_x[p] + kx * conv->dilation_w;

              offsets[p] = row[p] >= 0 && at >= 0 && at < conv->in_w ? (row[p] + at) * conv->in_pixel : -1;
              any |= offsets[p] >= 0;
            }
          if (any)
            list->taps[n_taps++] = (int16_t) (ky * conv->kernel_w + kx);
        }
    }

  tile->mode = TILE_GATHERED;
  tile->n_taps = n_taps;
  tile->all_taps = conv->kernel_h * conv->kernel_w;
  if (conv->in_pixel == 1)
    {
      tile->inner = tile->last_inner = 1;
      tile->n_planes = conv->in_channels;
    }
}

/* Adds the taps of the window of (y, x) that lie inside the image, `place` floats from its beginning, `number` being that of the first. Each stands for
 * `run` taps of a row. */
static int
conv_list_taps (const KernelConv *conv, int y, int x, int run, size_t place, int number, ConvTaps *list, int n_taps)
{
  for (int ky = 0; ky < conv->kernel_h; ky++)
    for (int kx = 0; kx < conv->kernel_w; kx += run)
      {
        int32_t offset = conv_offset (conv, y, x, ky, kx);

        if (offset >= 0)
          {
            list->offsets[n_taps] = (int32_t) place + offset;
            list->taps[n_taps++] = (int16_t) (number + (ky * conv->kernel_w + kx) / run);
          }
      }
  return n_taps;
}

/* Pixels from (y, x) on in one row, all windows inside from left to right. In the first layer the taps of a row lie side by side like channels, and are
 * taken as such. */
static void
conv_stride (const KernelConv *conv, int y, int x, ConvTaps *list, Tile *tile)
{
  int run = conv->in_pixel == 1 && conv->dilation_w == 1 ? conv->kernel_w : 1, n = conv->kernel_h * conv->kernel_w / run;

  tile->step = (size_t) (conv->stride_w * conv->in_pixel);
  tile->all_taps = n;
  if (conv->in_pixel == 1)
    tile->inner = tile->last_inner = (size_t) run;
  if (conv->in_pixel == 1 && conv->in_channels <= CONV_FIRST_CHANNELS)
    {
      tile->mode = TILE_STRIDED;
      tile->n_taps = 0;
      tile->n_planes = 1;
      for (int c = 0; c < (int) conv->in_channels; c++)
        tile->n_taps = conv_list_taps (conv, y, x, run, (size_t) c * conv->in_plane, c * n, list, tile->n_taps);
      return;
    }
  tile->n_taps = conv_list_taps (conv, y, x, run, 0, 0, list, 0);
  tile->mode = tile->step != KERNEL_BLOCK ? TILE_STRIDED : n * tile->n_taps == 1 ? TILE_POINTWISE : TILE_STRIDED_16;
}

/* Output x for which no tap falls off to the left or right: [*first, *last). */
static void
conv_inside (const KernelConv *conv, int *first, int *last)
{
  int reach = (conv->kernel_w - 1) * conv->dilation_w, room = conv->in_w - 1 - reach + conv->pad_left;

  *first = conv->pad_left > 0 ? (conv->pad_left + conv->stride_w - 1) / conv->stride_w : 0;
  *last = room < 0 ? 0 : room / conv->stride_w + 1;
}

/* Which outputs are computed, and over which planes of the input: all of them, or some at a time. */
typedef struct
{
  const KernelConv *conv;
  size_t            first_block, last_block; /* all of one group */
  size_t            skipped;                 /* floats of a block's weights before those of the planes */
  size_t            first, last;             /* pixels of the call */
  size_t            next, n_next;            /* floats of a block's weights to those that are needed after these pixels, and how many */
  Tile              tile;
  ConvTaps          list;
} ConvJob;

/* The sums of one tile, or of a strided row of them. */
static void
conv_tile_at (ConvJob *job, size_t pixel, size_t n_pixels)
{
  const KernelConv *conv = job->conv;
  Tile             *tile = &job->tile;
  size_t            place = pixel * KERNEL_BLOCK, n = job->last - job->first, next = job->n_next * (pixel - job->first) / n;

  if (conv->out_step != 0)
    place = pixel / (size_t) conv->out_w * conv->out_row + pixel % (size_t) conv->out_w * conv->out_step;
  for (size_t block = job->first_block; block < job->last_block; block += TILE_BLOCKS)
    {
      size_t channel = block * KERNEL_BLOCK, end = (block + TILE_BLOCKS < job->last_block ? block + TILE_BLOCKS : job->last_block) * KERNEL_BLOCK;

      tile->weights = conv->weights + block * tile->weights_block + job->skipped;
      tile->next = tile->weights + job->next + next;
      tile->n_next = job->n_next * (pixel + n_pixels - job->first) / n - next;
      tile->bias = conv->bias ? conv->bias + channel : NULL;
      tile->n_channels = (end < conv->out_channels ? end : conv->out_channels) - channel;
      tile->out = conv->out + block * conv->out_plane + place;
      tile->residual = conv->residual ? conv->residual + block * conv->out_plane + place : NULL;
      tile_run (tile, n_pixels);
    }
}

/* Pixels [first, last) of one row. Those tiles that lie inside the image are taken as one. */
static void
conv_row (ConvJob *job, size_t first, size_t last)
{
  const KernelConv *conv = job->conv;
  size_t            n = last - first, n_tiles = tile_count (n), row = first / (size_t) conv->out_w * (size_t) conv->out_w, end;
  int               inside_first, inside_last;

  conv_inside (conv, &inside_first, &inside_last);
  for (size_t i = 0; i < n_tiles; i = end)
    {
      size_t pixel = first + tile_first (n, n_tiles, i), x = pixel - row, n_pixels;

      end = i + 1;
      n_pixels = first + tile_first (n, n_tiles, end) - pixel;
      if ((int) x >= inside_first && (int) (x + n_pixels) <= inside_last)
        {
          while (end < n_tiles && (int) (first + tile_first (n, n_tiles, end + 1) - row) <= inside_last)
            end++;
          n_pixels = first + tile_first (n, n_tiles, end) - pixel;
          conv_stride (conv, (int) (row / (size_t) conv->out_w), (int) x, &job->list, &job->tile);
        }
      else
        conv_gather (conv, pixel, (int) n_pixels, &job->list, &job->tile);
      conv_tile_at (job, pixel, n_pixels);
    }
}

/* Pixels [first, last) whatever the rows. */
static void
conv_run_on (ConvJob *job, size_t first, size_t last)
{
  size_t n_tiles = tile_count (last - first);

  for (size_t i = 0; i < n_tiles; i++)
    {
      size_t pixel = first + tile_first (last - first, n_tiles, i);
      size_t n_pixels = first + tile_first (last - first, n_tiles, i + 1) - pixel;

      conv_gather (job->conv, pixel, (int) n_pixels, &job->list, &job->tile);
      conv_tile_at (job, pixel, n_pixels);
    }
}

/* Pixels [first, last) over the planes of the job. */
static void
conv_pixels (ConvJob *job, size_t first, size_t last)
{
  const KernelConv *conv = job->conv;
  size_t            width = (size_t) conv->out_w;

  if (width / tile_count (width) < 4 && conv->out_h > 1 && conv->out_step == 0)
    conv_run_on (job, first, last);
  else
    while (first < last)
      {
        size_t row_end = (first / width + 1) * width, end = row_end < last ? row_end : last;

        conv_row (job, first, end);
        first = end;
      }
}

/* Weights that stay in a cache while all pixels pass by: where a block of outputs has more, the sum is taken some planes at a time. For pointwise
 * convolutions it is the first-level cache; with windows a plane's weights are used for longer, and finding their places again costs more. */
#define CONV_POINTWISE_BYTES (16 * 1024)
#define CONV_WINDOW_BYTES    (128 * 1024)

static size_t
conv_planes_at_once (const KernelConv *conv, size_t n_planes)
{
  size_t taps = (size_t) conv->kernel_h * (size_t) conv->kernel_w; /* 0: what a transposed convolution leaves untouched */
  size_t bytes = KERNEL_BLOCK * KERNEL_BLOCK * sizeof (float) * TILE_BLOCKS * (taps + (taps == 0));
  size_t n = (taps > 1 ? CONV_WINDOW_BYTES : CONV_POINTWISE_BYTES) / bytes, n_goes;

  if (n == 0 || conv->in_pixel == 1 || conv->residual == conv->out || n_planes <= n)
    return n_planes;
  n_goes = (n_planes + n - 1) / n;
  return (n_planes + n_goes - 1) / n_goes;
}

/* The weights that follow those of planes up to `end`: the block's next planes, or, if there are more blocks to come, the first ones of the next. */
static void
conv_next (ConvJob *job, size_t n_planes, size_t end, size_t at_once, bool more)
{
  size_t block = job->tile.weights_block, plane = block / job->conv->in_channels * KERNEL_BLOCK, begin = end < n_planes ? end * plane : 0;
  size_t after = begin + at_once * plane;

  job->next = (begin > 0 ? begin : (job->last_block - job->first_block) * block) - job->skipped;
  job->n_next = begin > 0 || more ? (after < block ? after : block) - begin : 0;
}

/* Output blocks [first_block, last_block), all of one group; `more`: others follow. */
static void
conv_blocks (const KernelConv *conv, size_t first_block, size_t last_block, bool more, size_t first, size_t last)
{
  size_t taps = (size_t) conv->kernel_h * (size_t) conv->kernel_w, group = conv->group_out_blocks ? first_block / conv->group_out_blocks : 0;
  size_t n_planes = conv->in_pixel == 1 ? conv->in_channels : kernel_blocks (conv->in_channels), at_once = conv_planes_at_once (conv, n_planes);
  ConvJob job;

  job.conv = conv;
  job.first_block = first_block;
  job.last_block = last_block;
  job.first = first;
  job.last = last;
  job.list.offsets[0] = 0;
  job.tile = (Tile) {
    .plane = conv->in_plane,
    .inner = KERNEL_BLOCK,
    .taps = job.list.taps,
    .offsets = job.list.offsets,
    .weights_block = conv->in_channels * taps * KERNEL_BLOCK,
    .out_step = conv->out_step ? conv->out_step : KERNEL_BLOCK,
    .out_block = conv->out_plane,
    .activation = conv->activation,
  };
  for (size_t plane = 0, end; plane < n_planes; plane = end)
    {
      end = plane + at_once < n_planes ? plane + at_once : n_planes;
      job.skipped = plane * taps * KERNEL_BLOCK * KERNEL_BLOCK;
      job.tile.in = conv->in + (group * conv->group_in_blocks + plane) * conv->in_plane;
      job.tile.n_planes = end - plane;
      job.tile.last_inner = end < n_planes ? KERNEL_BLOCK : conv->in_channels - (n_planes - 1) * KERNEL_BLOCK;
      job.tile.resumes = plane > 0;
      job.tile.pauses = end < n_planes;
      conv_next (&job, n_planes, end, at_once, more);
      conv_pixels (&job, first, last);
    }
}

/* One pixel that looks at one pixel: a matrix by a vector. */
static bool
conv_is_vector (const KernelConv *conv)
{
  return conv->kernel_h * conv->kernel_w == 1 && conv->in_h * conv->in_w == 1 && conv->out_h * conv->out_w == 1 && conv->pad_top == 0 &&
         conv->pad_left == 0 && conv->in_plane == (size_t) conv->in_pixel && conv->out_plane == KERNEL_BLOCK &&
         conv->group_out_blocks == 0 && !conv->residual;
}

static void
conv_vector (const KernelConv *conv, size_t first_block, size_t last_block)
{
  KernelGemm gemm = {
    .m = 1, .n = last_block * KERNEL_BLOCK, .k = conv->in_channels, .a = conv->in, .a_row = conv->in_channels,
    .b = conv->weights, .c = conv->out, .c_row = last_block * KERNEL_BLOCK, .bias = conv->bias, .activation = conv->activation,
  };

  vec_gemm (&gemm, first_block, last_block, 0, 1);
  for (size_t channel = conv->out_channels; channel < last_block * KERNEL_BLOCK; channel++)
    conv->out[channel] = 0.0f;
}

/* Weights of few bytes stay in the first-level cache while all output blocks of a tile are computed, so that its places are found once. */
#define CONV_SMALL_WEIGHTS (16 * 1024)

static void
vec_conv (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_pixel, size_t last_pixel)
{
  size_t block_bytes = conv->in_channels * (size_t) (conv->kernel_h * conv->kernel_w) * KERNEL_BLOCK * sizeof (float);
  size_t at_once =
      block_bytes * TILE_BLOCKS < CONV_SMALL_WEIGHTS ? CONV_SMALL_WEIGHTS / (block_bytes + 1) / TILE_BLOCKS * TILE_BLOCKS : TILE_BLOCKS;

  if (first_pixel >= last_pixel)
    return;
  if (conv_is_vector (conv))
    {
      conv_vector (conv, first_block, last_block);
      return;
    }
  for (size_t block = first_block, end; block < last_block; block = end)
    {
      end = block + at_once < last_block ? block + at_once : last_block;
      if (conv->group_out_blocks)
        {
          size_t group_end = (block / conv->group_out_blocks + 1) * conv->group_out_blocks;

          end = end < group_end ? end : group_end;
        }
      conv_blocks (conv, block, end, end < last_block, first_pixel, last_pixel);
    }
}
