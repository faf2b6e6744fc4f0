/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour-space.c: see colour-space.h. A space is three curves and a matrix (ICC.1, matrix/TRC profiles; babl knows RGB spaces of no other kind): a table for
 * each curve with its part of the matrix to sRGB's primaries, a table for sRGB's own curve. All of that is asked of babl.
 */

#include "colour-space.h"

#define N_DEEP    16384 /* numbers that are told apart of 16 bits: more than 8 of the result can show */
#define N_ENCODED 16384 /* steps of light that are told apart of the result: five for each of its numbers where sRGB is steepest */

/* What a number of one channel adds to the light of sRGB's three, in N_ENCODED steps. */
typedef float Light[3];

struct _ColourSpace
{
  const Babl *space;
  gboolean    is_deep; /* 16 bits a number, else 8 */
  guint       n;       /* of each channel's */
  Light      *lights[3];
  guint8      encoded[N_ENCODED];
};

static gboolean
is_format (const Babl *format, const char *name, const Babl *space)
{
  return format == babl_format_with_space (name, space);
}

/* Curve and matrix of each channel. */
static void
make_lights (ColourSpace *space)
{
  const Babl *linear = babl_format_with_space ("RGB float", space->space), *curve = babl_fish (babl_format_with_space ("R'G'B' float", space->space), linear),
             *matrix = babl_fish (linear, babl_format ("RGB float"));

  for (guint c = 0; c < 3; c++)
    for (guint i = 0; i < space->n; i++)
      {
        float value[3] = { 0 }, light[3], to[3];

        value[c] = (float) i / (float) (space->n - 1);
        babl_process (curve, value, light, 1);
        babl_process (matrix, light, to, 1);
        for (guint k = 0; k < 3; k++)
          space->lights[c][i][k] = to[k] * (N_ENCODED - 1);
      }
}

static void
make_output (ColourSpace *space)
{
  const Babl *fish = babl_fish (babl_format ("RGB float"), babl_format ("R'G'B' float"));

  for (guint i = 0; i < N_ENCODED; i++)
    {
      float value = (float) i / (N_ENCODED - 1), from[] = { value, value, value }, to[3];

      babl_process (fish, from, to, 1);
      space->encoded[i] = (guint8) (CLAMP (to[0], 0.0f, 1.0f) * 255.0f + 0.5f);
    }
}

ColourSpace *
colour_space_new (const Babl *format)
{
  const Babl  *own = babl_format_get_space (format);
  gboolean     is_deep = is_format (format, "R'G'B' u16", own) || is_format (format, "R'G'B'A u16", own);
  ColourSpace *space;

  if (own == babl_space ("sRGB") || !(is_deep || is_format (format, "R'G'B' u8", own) || is_format (format, "R'G'B'A u8", own)))
    return NULL;
  space = g_new (ColourSpace, 1);
  space->space = own;
  space->is_deep = is_deep;
  space->n = is_deep ? N_DEEP : 256;
  for (guint c = 0; c < 3; c++)
    space->lights[c] = g_new (Light, space->n);
  make_lights (space);
  make_output (space);
  return space;
}

void
colour_space_free (ColourSpace *space)
{
  if (!space)
    return;
  for (guint c = 0; c < 3; c++)
    g_free (space->lights[c]);
  g_free (space);
}

const Babl *
colour_space_get_format (const ColourSpace *space, gboolean has_alpha)
{
  if (space->is_deep)
    return babl_format_with_space (has_alpha ? "R'G'B'A u16" : "R'G'B' u16", space->space);
  return babl_format_with_space (has_alpha ? "R'G'B'A u8" : "R'G'B' u8", space->space);
}

static inline void
convert (const ColourSpace *space, guint red, guint green, guint blue, guint8 *to)
{
  const float *r = space->lights[0][red], *g = space->lights[1][green], *b = space->lights[2][blue];

  for (guint k = 0; k < 3; k++)
    to[k] = space->encoded[(int) CLAMP (r[k] + g[k] + b[k] + 0.5f, 0.0f, N_ENCODED - 1)];
}

/* 16 bits to the number of a light. */
static inline guint
shorten (guint16 value)
{
  return ((guint) value * (N_DEEP - 1) + 32767) / 65535;
}

void
colour_space_convert (const ColourSpace *space, gconstpointer from, gsize n, gboolean has_alpha, guint8 *to)
{
  gsize n_channels = has_alpha ? 4 : 3;

  if (space->is_deep)
    for (const guint16 *pixel = from; n > 0; n--, pixel += n_channels, to += n_channels)
      {
        convert (space, shorten (pixel[0]), shorten (pixel[1]), shorten (pixel[2]), to);
        if (has_alpha)
          to[3] = (guint8) ((pixel[3] + 128) / 257);
      }
  else
    for (const guint8 *pixel = from; n > 0; n--, pixel += n_channels, to += n_channels)
      {
        convert (space, pixel[0], pixel[1], pixel[2], to);
        if (has_alpha)
          to[3] = pixel[3];
      }
}
