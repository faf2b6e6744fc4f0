/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jpeg-loss.c: see jpeg-loss.h.
 */

#include "train/jpeg-loss.h"

#include <math.h>

#define BLOCK 8

/* Steps at quality 50, of light and of colours (T.81, annex K), row by row. */
static const guint8 steps[2][BLOCK * BLOCK] = {
  { 16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99 },
  { 17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99 },
};

/* waves[k][i]: place i of the k-th cosine; its rows are orthonormal. */
static void
make_waves (float waves[BLOCK][BLOCK])
{
  for (int k = 0; k < BLOCK; k++)
    for (int i = 0; i < BLOCK; i++)
      waves[k][i] = (float) ((k ? 0.5 : sqrt (0.125)) * cos ((2 * i + 1) * k * G_PI / 16.0));
}

/* out = waves · block · wavesᵀ, or with the waves transposed: back. */
static void
transform (float waves[BLOCK][BLOCK], gboolean back, float block[BLOCK][BLOCK])
{
  float half[BLOCK][BLOCK];

  for (int k = 0; k < BLOCK; k++)
    for (int x = 0; x < BLOCK; x++)
      {
        half[k][x] = 0.0f;
        for (int i = 0; i < BLOCK; i++)
          half[k][x] += (back ? waves[i][k] : waves[k][i]) * block[i][x];
      }
  for (int y = 0; y < BLOCK; y++)
    for (int k = 0; k < BLOCK; k++)
      {
        block[y][k] = 0.0f;
        for (int i = 0; i < BLOCK; i++)
          block[y][k] += half[y][i] * (back ? waves[i][k] : waves[k][i]);
      }
}

/* One plane, around 0; past its sides it goes on as at them. */
static void
store_plane (float *plane, int size, const guint8 *table, int quality, float waves[BLOCK][BLOCK])
{
  int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;

  for (int top = 0; top < size; top += BLOCK)
    for (int left = 0; left < size; left += BLOCK)
      {
        float block[BLOCK][BLOCK];

        for (int y = 0; y < BLOCK; y++)
          for (int x = 0; x < BLOCK; x++)
            block[y][x] = plane[MIN (top + y, size - 1) * size + MIN (left + x, size - 1)];
        transform (waves, FALSE, block);
        for (int i = 0; i < BLOCK * BLOCK; i++)
          {
            float step = (float) CLAMP ((table[i] * scale + 50) / 100, 1, 255);

            block[i / BLOCK][i % BLOCK] = roundf (block[i / BLOCK][i % BLOCK] / step) * step;
          }
        transform (waves, TRUE, block);
        for (int y = 0; y < MIN (BLOCK, size - top); y++)
          for (int x = 0; x < MIN (BLOCK, size - left); x++)
            plane[(top + y) * size + left + x] = block[y][x];
      }
}

void
jpeg_loss (guint8 *rgb, int size, int quality)
{
  static const float to[3][3] = { { 0.299f, 0.587f, 0.114f }, { -0.168736f, -0.331264f, 0.5f }, { 0.5f, -0.418688f, -0.081312f } };
  static const float from[3][2] = { { 0.0f, 1.402f }, { -0.344136f, -0.714136f }, { 1.772f, 0.0f } };
  int                half = (size + 1) / 2;
  g_autofree float  *light = g_new (float, (gsize) size * size), *colours = g_new0 (float, 2 * (gsize) half * half);
  float              waves[BLOCK][BLOCK];

  make_waves (waves);
  for (int y = 0; y < 2 * half; y++)
    for (int x = 0; x < 2 * half; x++)
      {
        const guint8 *pixel = rgb + 3 * ((gsize) MIN (y, size - 1) * size + MIN (x, size - 1));

        for (int c = 1; c < 3; c++)
          colours[((c - 1) * half + y / 2) * half + x / 2] += 0.25f * (to[c][0] * pixel[0] + to[c][1] * pixel[1] + to[c][2] * pixel[2]);
        if (x < size && y < size)
          light[y * size + x] = to[0][0] * pixel[0] + to[0][1] * pixel[1] + to[0][2] * pixel[2] - 128.0f;
      }
  store_plane (light, size, steps[0], quality, waves);
  for (int c = 0; c < 2; c++)
    store_plane (colours + (gsize) c * half * half, half, steps[1], quality, waves);
  for (int y = 0; y < size; y++)
    for (int x = 0; x < size; x++)
      for (int c = 0; c < 3; c++)
        {
          const float *blue = colours + y / 2 * half + x / 2, *red = blue + half * half;
          float        value = light[y * size + x] + 128.5f + from[c][0] * *blue + from[c][1] * *red;

          rgb[3 * (y * size + x) + c] = (guint8) CLAMP (value, 0.0f, 255.0f);
        }
}
