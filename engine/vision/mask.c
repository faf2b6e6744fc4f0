/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask.c: FoveaMasks and FoveaMask: from what the network said to masks of the photo's own pixels. What needs a pixel's neighbours (growing, feathering, colours
 * of the foreground) happens at the guide's size; only the border's refinement looks at the photo's full size, row by row.
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/masks.h"
#include "vision/refine.h"

#define COLOUR_RADIUS 0.045 /* of the windows that colours are taken from, share of the guide's longer side */

struct _FoveaMask
{
  const FoveaMasks *masks;
  FoveaMaskOptions  options;
  MaskStack         one;        /* the union, before anything is done to it */
  Refinement       *refinement; /* NULL: the plane below is the mask */
  float            *plane;      /* (guide_height, guide_width), with all options */
  float            *colours;    /* (guide_height, guide_width, 6): of foreground and background; NULL: not computed yet */
};

void
fovea_masks_free (FoveaMasks *masks)
{
  if (!masks)
    return;
  mask_stack_free (masks->stack);
  g_strfreev (masks->labels);
  g_free (masks->guide);
  g_free (masks);
}

gsize
fovea_masks_count (const FoveaMasks *masks)
{
  return masks->stack->n;
}

const char *
fovea_masks_get_label (const FoveaMasks *masks, gsize i)
{
  return masks->labels[i];
}

gsize
fovea_masks_get_class (const FoveaMasks *masks, gsize i)
{
  return masks->stack->classes[i];
}

/* ---- at the guide's size ----------------------------------------------------------------------------------------------------------------- */

/* Between the pixels of a plane of `fields` numbers each; x, y 0 to 1 of the photo. */
static void
sample (const float *plane, int width, int height, int fields, double x, double y, float *out)
{
  double px = CLAMP (x * width - 0.5, 0.0, width - 1.0), py = CLAMP (y * height - 0.5, 0.0, height - 1.0);
  gsize  x0 = (gsize) px, y0 = (gsize) py, x1 = MIN (x0 + 1, (gsize) width - 1), y1 = MIN (y0 + 1, (gsize) height - 1), row = (gsize) width;
  float  fx = (float) (px - (double) x0), fy = (float) (py - (double) y0);

  for (int k = 0; k < fields; k++)
    {
      float above = plane[(y0 * row + x0) * fields + k] * (1 - fx) + plane[(y0 * row + x1) * fields + k] * fx;
      float below = plane[(y1 * row + x0) * fields + k] * (1 - fx) + plane[(y1 * row + x1) * fields + k] * fx;

      out[k] = above * (1 - fy) + below * fy;
    }
}

static float
shape_share (const FoveaMaskOptions *options, float share)
{
  double x = options->softness >= 1.0 && options->threshold == 0.5 ? share : 0.5 + (share - options->threshold) / MAX (options->softness, 1e-3);

  return (float) CLAMP (x, 0.0, 1.0);
}

/* The greatest (least, where `least`) of each 2 radius + 1 pixels along a line of n, `stride` apart. */
static void
spread_line (float *line, gsize n, gsize stride, int radius, gboolean least, float *kept)
{
  for (gsize i = 0; i < n; i++)
    kept[i] = line[i * stride];
  for (gsize i = 0; i < n; i++)
    {
      gsize first = i > (gsize) radius ? i - (gsize) radius : 0, last = MIN (i + (gsize) radius, n - 1);
      float best = kept[first];

      for (gsize k = first + 1; k <= last; k++)
        best = least ? MIN (best, kept[k]) : MAX (best, kept[k]);
      line[i * stride] = best;
    }
}

static void
mean_line (float *line, gsize n, gsize stride, int radius, float *kept)
{
  double sum = 0.0;

  for (gsize i = 0; i < n; i++)
    kept[i] = line[i * stride];
  for (int k = -radius; k < radius; k++)
    sum += kept[CLAMP (k, 0, (gssize) n - 1)];
  for (gssize i = 0; i < (gssize) n; i++)
    {
      sum += kept[MIN (i + radius, (gssize) n - 1)];
      line[(gsize) i * stride] = (float) (sum / (2 * radius + 1));
      sum -= kept[MAX (i - radius, 0)];
    }
}

/* Rows and columns of a plane, one after the other. radius below 0: the least; `mean`: a mean over 2 radius + 1. */
static void
filter_plane (float *plane, int width, int height, int fields, int radius, gboolean mean, float *kept)
{
  for (int pass = 0; pass < 2; pass++)
    {
      gsize n_lines = (gsize) (pass ? width : height), n = (gsize) (pass ? height : width), step = (gsize) (pass ? width : 1) * (gsize) fields;

      for (gsize i = 0; i < n_lines; i++)
        for (int k = 0; k < fields; k++)
          {
            float *line = plane + i * (gsize) (pass ? 1 : width) * (gsize) fields + k;

            if (mean)
              mean_line (line, n, step, radius, kept);
            else
              spread_line (line, n, step, ABS (radius), radius < 0, kept);
          }
    }
}

static gboolean
make_plane (FoveaMask *mask, GError **error)
{
  const FoveaMasks *masks = mask->masks;
  int               width = masks->guide_width, height = masks->guide_height;
  double            scale = (double) width / masks->photo_width;
  int               grow = (int) rint (mask->options.grow * scale), feather = (int) rint (mask->options.feather * scale);
  g_autofree float *kept = g_new (float, MAX (width, height));

  mask->plane = memory_alloc_n (width, (gsize) height * sizeof (float), "the mask", error);
  if (!mask->plane)
    return FALSE;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        gsize at = (gsize) y * width + x;

        if (mask->refinement)
          refinement_apply (mask->refinement, (x + 0.5) / width, (y + 0.5) / height, 1.0, masks->guide + 3 * at, 1, mask->plane + at);
        else
          sample (mask->one.shares, mask->one.width, mask->one.height, 1, (x + 0.5) / width, (y + 0.5) / height, mask->plane + at);
        mask->plane[at] = shape_share (&mask->options, mask->plane[at]);
      }
  if (grow)
    filter_plane (mask->plane, width, height, 1, grow, FALSE, kept);
  for (int pass = 0; pass < 3 && feather > 0; pass++) /* three means are nearly a Gaussian */
    filter_plane (mask->plane, width, height, 1, MAX (1, feather / 2), TRUE, kept);
  for (gsize at = 0; at < (gsize) width * (gsize) height && mask->options.invert; at++)
    mask->plane[at] = 1.0f - mask->plane[at];
  if (grow || feather > 0)
    g_clear_pointer (&mask->refinement, refinement_free); /* the plane is what is left of it */
  return TRUE;
}

FoveaMask *
fovea_mask_new (const FoveaMasks *masks, const gsize *which, gsize n, const FoveaMaskOptions *options, GError **error)
{
  g_autoptr (FoveaMask) mask = g_new0 (FoveaMask, 1);
  const MaskStack      *stack = masks->stack;
  gsize                 size = (gsize) stack->width * (gsize) stack->height;

  mask->masks = masks;
  mask->options = *options;
  mask->one = (MaskStack) { .n = 1, .width = stack->width, .height = stack->height };
  mask->one.shares = memory_alloc_n (size, sizeof (float), "the mask", error);
  if (!mask->one.shares)
    return NULL;
  for (gsize k = 0; k < (n ? n : stack->n); k++)
    for (gsize i = 0; i < size; i++)
      mask->one.shares[i] = MAX (mask->one.shares[i], stack->shares[(n ? which[k] : k) * size + i]);
  if (options->refine)
    {
      mask->refinement = refinement_new (masks->guide, masks->guide_width, masks->guide_height, mask->one.shares, stack->width, stack->height, 0, error);
      if (!mask->refinement)
        return NULL;
    }
  return make_plane (mask, error) ? g_steal_pointer (&mask) : NULL;
}

void
fovea_mask_free (FoveaMask *mask)
{
  if (!mask)
    return;
  g_clear_pointer (&mask->refinement, refinement_free);
  memory_free (mask->one.shares);
  memory_free (mask->plane);
  memory_free (mask->colours);
  g_free (mask);
}

double
fovea_mask_get_area (const FoveaMask *mask)
{
  gsize  n = (gsize) mask->masks->guide_width * (gsize) mask->masks->guide_height;
  double sum = 0.0;

  for (gsize i = 0; i < n; i++)
    sum += mask->plane[i];
  return sum / (double) n;
}

/* ---- at the photo's size ------------------------------------------------------------------------------------------------------------------- */

static void
read_row (const FoveaMask *mask, int x, int y, int width, const guint8 *rgb, float *out)
{
  const FoveaMasks *masks = mask->masks;
  double            first = (x + 0.5) / masks->photo_width, row = (y + 0.5) / masks->photo_height, step = 1.0 / masks->photo_width;
  gboolean          plain = !mask->options.grow && !mask->options.feather;

  if (mask->refinement)
    refinement_apply (mask->refinement, first, row, step, rgb, (gsize) width, out);
  for (int i = 0; i < width; i++)
    {
      /* Straight from the network's own pixels, unless neighbours came in at the guide's size. */
      if (!mask->refinement && plain)
        sample (mask->one.shares, mask->one.width, mask->one.height, 1, first + i * step, row, out + i);
      else if (!mask->refinement)
        sample (mask->plane, masks->guide_width, masks->guide_height, 1, first + i * step, row, out + i);
      if (mask->refinement || plain)
        {
          out[i] = shape_share (&mask->options, out[i]);
          out[i] = mask->options.invert ? 1.0f - out[i] : out[i];
        }
    }
}

gboolean
fovea_mask_read (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error)
{
  g_autofree guint8 *rgb = mask->refinement ? g_malloc ((gsize) width * 3) : NULL;

  for (int row = 0; row < height; row++)
    {
      if (rgb && !photo->read (photo->user_data, x, y + row, width, 1, rgb, (gsize) width * 3, error))
        return FALSE;
      read_row (mask, x, y + row, width, rgb, out + (gsize) row * width);
    }
  return TRUE;
}

/* Means of the colours inside and outside the mask around each pixel of the guide. */
static gboolean
find_colours (FoveaMask *mask, GError **error)
{
  const FoveaMasks *masks = mask->masks;
  int               width = masks->guide_width, height = masks->guide_height, radius = MAX (2, (int) (COLOUR_RADIUS * MAX (width, height)));
  gsize             n = (gsize) width * (gsize) height;
  float            *sums = memory_alloc_n (n, 8 * sizeof (float), "the colours of the foreground", error);
  g_autofree float *kept = g_new (float, MAX (width, height));

  mask->colours = sums ? memory_alloc_n (n, 6 * sizeof (float), "the colours of the foreground", error) : NULL;
  for (gsize at = 0; mask->colours && at < n; at++)
    {
      float share = mask->plane[at];

      for (int c = 0; c < 3; c++)
        {
          sums[8 * at + c] = share * masks->guide[3 * at + c] / 255.0f;
          sums[8 * at + 4 + c] = (1.0f - share) * masks->guide[3 * at + c] / 255.0f;
        }
      sums[8 * at + 3] = share;
      sums[8 * at + 7] = 1.0f - share;
    }
  if (mask->colours)
    filter_plane (sums, width, height, 8, radius, TRUE, kept);
  for (gsize at = 0; mask->colours && at < n; at++)
    for (int side = 0; side < 2; side++)
      for (int c = 0; c < 3; c++)
        {
          float weight = sums[8 * at + 4 * side + 3];

          mask->colours[6 * at + 3 * side + c] = weight > 1e-4f ? sums[8 * at + 4 * side + c] / weight : masks->guide[3 * at + c] / 255.0f;
        }
  memory_free (sums);
  return mask->colours != NULL;
}

gboolean
fovea_mask_read_cutout (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error)
{
  const FoveaMasks  *masks = mask->masks;
  g_autofree guint8 *rgb = g_malloc ((gsize) width * 3);
  g_autofree float  *shares = g_new (float, width);

  if (!mask->colours && !find_colours (mask, error))
    return FALSE;
  for (int row = 0; row < height; row++)
    {
      if (!photo->read (photo->user_data, x, y + row, width, 1, rgb, (gsize) width * 3, error))
        return FALSE;
      read_row (mask, x, y + row, width, rgb, shares);
      for (int i = 0; i < width; i++)
        {
          float *pixel = out + ((gsize) row * width + i) * 4, colours[6], share = shares[i];

          sample (mask->colours, masks->guide_width, masks->guide_height, 6, (x + i + 0.5) / masks->photo_width, (y + row + 0.5) / masks->photo_height, colours);
          for (int c = 0; c < 3; c++)
            {
              float seen = rgb[3 * i + c] / 255.0f, left = seen - share * colours[c] - (1.0f - share) * colours[3 + c];

              /* Where the mask is full, the photo's own colour; where it is thin, the foreground's around. */
              pixel[c] = share >= 0.999f ? seen : CLAMP (colours[c] + share * left, 0.0f, 1.0f);
            }
          pixel[3] = share;
        }
    }
  return TRUE;
}
