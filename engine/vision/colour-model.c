/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour-model.c: see colour-model.h. k-means gives the parts, their covariances the rest.
 */

#include "vision/colour-model.h"

#include <math.h>
#include <string.h>

#define N_ROUNDS      8
#define LEAST_SPREAD  1e-4 /* variance added to each channel: what noise and rounding make of one colour */

static int
nearest (float mean[][3], const guint8 *rgb)
{
  int   best = 0;
  float least = G_MAXFLOAT;

  for (int k = 0; k < COLOUR_MODEL_PARTS; k++)
    {
      float distance = 0.0f;

      for (int c = 0; c < 3; c++)
        {
          float apart = rgb[c] / 255.0f - mean[k][c];

          distance += apart * apart;
        }
      if (distance < least)
        {
          least = distance;
          best = k;
        }
    }
  return best;
}

/* The first means lie along the brightness: at the middle of each fifth of the weight. */
static void
begin (ColourModel *model, const guint8 *rgb, const float *weights, gsize n, double total)
{
  double histogram[256] = { 0 }, sums[256][3] = { { 0 } }, below = 0.0;
  int    part = 0;

  for (gsize i = 0; i < n; i++)
    {
      int level = (rgb[3 * i] + 2 * rgb[3 * i + 1] + rgb[3 * i + 2]) / 4;

      histogram[level] += weights[i];
      for (int c = 0; c < 3; c++)
        sums[level][c] += weights[i] * rgb[3 * i + (gsize) c] / 255.0;
    }
  for (int level = 0; level < 256; level++)
    {
      below += histogram[level];
      for (; part < COLOUR_MODEL_PARTS && histogram[level] > 0.0 && below >= total * (part + 0.5) / COLOUR_MODEL_PARTS; part++)
        for (int c = 0; c < 3; c++)
          model->mean[part][c] = (float) (sums[level][c] / histogram[level] + 1e-3 * part); /* no two alike */
    }
}

/* Weight, means and second moments of each part, of the pixels that are nearest to it. */
typedef struct
{
  double weight, sum[3], product[6];
} Moments;

static void
measure (ColourModel *model, const guint8 *rgb, const float *weights, gsize n, Moments *moments)
{
  memset (moments, 0, COLOUR_MODEL_PARTS * sizeof *moments);
  for (gsize i = 0; i < n; i++)
    if (weights[i] > 0.0f)
      {
        Moments *part = &moments[nearest (model->mean, rgb + 3 * i)];
        double   w = weights[i], r = rgb[3 * i] / 255.0, g = rgb[3 * i + 1] / 255.0, b = rgb[3 * i + 2] / 255.0;
        double   first[] = { r, g, b }, second[] = { r * r, r * g, r * b, g * g, g * b, b * b };

        part->weight += w;
        for (int c = 0; c < 3; c++)
          part->sum[c] += w * first[c];
        for (int c = 0; c < 6; c++)
          part->product[c] += w * second[c];
      }
  for (int k = 0; k < COLOUR_MODEL_PARTS; k++)
    for (int c = 0; c < 3 && moments[k].weight > 0.0; c++)
      model->mean[k][c] = (float) (moments[k].sum[c] / moments[k].weight);
}

static void
finish_part (ColourModel *model, int k, const Moments *moments, double total)
{
  static const int first[] = { 0, 0, 0, 1, 1, 2 }, second[] = { 0, 1, 2, 1, 2, 2 };
  double           m[3], v[6], cofactors[6], determinant;

  if (moments->weight < 1e-6 * total)
    {
      model->constant[k] = G_MAXFLOAT;
      return;
    }
  for (int c = 0; c < 3; c++)
    m[c] = moments->sum[c] / moments->weight;
  for (int c = 0; c < 6; c++)
    v[c] = moments->product[c] / moments->weight - m[first[c]] * m[second[c]] + (first[c] == second[c] ? LEAST_SPREAD : 0.0);
  cofactors[0] = v[3] * v[5] - v[4] * v[4];
  cofactors[1] = v[2] * v[4] - v[1] * v[5];
  cofactors[2] = v[1] * v[4] - v[2] * v[3];
  cofactors[3] = v[0] * v[5] - v[2] * v[2];
  cofactors[4] = v[1] * v[2] - v[0] * v[4];
  cofactors[5] = v[0] * v[3] - v[1] * v[1];
  determinant = MAX (v[0] * cofactors[0] + v[1] * cofactors[1] + v[2] * cofactors[2], 1e-15);
  for (int c = 0; c < 6; c++)
    model->inverse[k][c] = (float) (cofactors[c] / determinant);
  model->constant[k] = (float) (0.5 * log (determinant) + 1.5 * log (2.0 * G_PI) - log (moments->weight / total));
}

gboolean
colour_model_fit (ColourModel *model, const guint8 *rgb, const float *weights, gsize n)
{
  Moments moments[COLOUR_MODEL_PARTS];
  double  total = 0.0;

  for (gsize i = 0; i < n; i++)
    total += weights[i];
  if (!(total > 0.0))
    return FALSE;
  begin (model, rgb, weights, n, total);
  for (int round = 0; round < N_ROUNDS; round++)
    measure (model, rgb, weights, n, moments);
  for (int k = 0; k < COLOUR_MODEL_PARTS; k++)
    finish_part (model, k, &moments[k], total);
  return TRUE;
}

float
colour_model_cost (const ColourModel *model, const guint8 *rgb)
{
  float least = G_MAXFLOAT, sum = 0.0f, costs[COLOUR_MODEL_PARTS];

  for (int k = 0; k < COLOUR_MODEL_PARTS; k++)
    {
      const float *v = model->inverse[k];
      float        r = rgb[0] / 255.0f - model->mean[k][0], g = rgb[1] / 255.0f - model->mean[k][1], b = rgb[2] / 255.0f - model->mean[k][2];

      costs[k] = model->constant[k] == G_MAXFLOAT
                   ? G_MAXFLOAT
                   : model->constant[k] + 0.5f * (v[0] * r * r + v[3] * g * g + v[5] * b * b) + v[1] * r * g + v[2] * r * b + v[4] * g * b;
      least = MIN (least, costs[k]);
    }
  for (int k = 0; k < COLOUR_MODEL_PARTS; k++)
    sum += expf (least - costs[k]);
  return least - logf (sum);
}
