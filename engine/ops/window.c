/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * window.c: reading windows and what they leave of an image. See window.h.
 */

#include "ops/window.h"

#include <string.h>

#include "base/tensor.h"

#define WINDOW_LIMIT (1 << 28) /* of kernel, stride, dilation, padding: sums and products of them stay far within 64 bits */

/* Reads n values, each within [least, WINDOW_LIMIT]. Absent: nothing is changed, *n stays 0. */
static gboolean
read_attribute (const Node *node, const char *name, gint64 least, gint64 *values, gsize max, gsize *n, GError **error)
{
  const gint64 *ints;

  *n = node_ints (node, name, &ints);
  if (*n > max)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                       "its attribute “%s” has %" G_GSIZE_FORMAT " values; windows have one to three dimensions.", name, *n);
  for (gsize i = 0; i < *n; i++)
    {
      if (ints[i] < least || ints[i] > WINDOW_LIMIT)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                           "its attribute “%s” has the value %" G_GINT64_FORMAT ", which is out of range.", name, ints[i]);
      values[i] = ints[i];
    }
  return TRUE;
}

static gboolean
read_auto_pad (const Node *node, AutoPad *auto_pad, GError **error)
{
  static const char *const names[] = { "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER" };
  const char              *given = node_string (node, "auto_pad", "NOTSET");

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (given, names[i]) == 0)
      {
        *auto_pad = (AutoPad) i;
        return TRUE;
      }
  return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “auto_pad” must be NOTSET, VALID, SAME_UPPER or SAME_LOWER.");
}

/* All attributes that are there must speak of the same number of dimensions. */
static gboolean
agree (const Node *node, Window *window, gsize n, GError **error)
{
  if (n == 0)
    return TRUE;
  if (window->n_spatial != 0 && window->n_spatial != n)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attributes speak of %u and of %" G_GSIZE_FORMAT " dimensions.",
                       window->n_spatial, n);
  window->n_spatial = (guint) n;
  return TRUE;
}

gboolean
window_parse (Node *node, Window *window, GError **error)
{
  gint64 pads[2 * WINDOW_MAX_SPATIAL] = { 0 };
  gsize  n;

  memset (window, 0, sizeof *window);
  for (guint i = 0; i < WINDOW_MAX_SPATIAL; i++)
    window->kernel[i] = window->stride[i] = window->dilation[i] = 1;

  if (!read_attribute (node, "kernel_shape", 1, window->kernel, WINDOW_MAX_SPATIAL, &n, error) || !agree (node, window, n, error))
    return FALSE;
  window->has_kernel = n > 0;
  if (!read_attribute (node, "strides", 1, window->stride, WINDOW_MAX_SPATIAL, &n, error) || !agree (node, window, n, error)
      || !read_attribute (node, "dilations", 1, window->dilation, WINDOW_MAX_SPATIAL, &n, error) || !agree (node, window, n, error)
      || !read_attribute (node, "pads", 0, pads, 2 * WINDOW_MAX_SPATIAL, &n, error) || !read_auto_pad (node, &window->auto_pad, error))
    return FALSE;
  if (n % 2 != 0)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “pads” must have two values for each dimension.");
  if (!agree (node, window, n / 2, error))
    return FALSE;
  for (gsize i = 0; i < n / 2; i++)
    {
      window->pad_begin[i] = pads[i];
      window->pad_end[i] = pads[n / 2 + i];
    }
  window->ceil_mode = node_int (node, "ceil_mode", 0) != 0;
  return TRUE;
}

gboolean
window_resolve (const Node *node, const Window *window, guint n_spatial, const gint64 *kernel, Window *resolved, GError **error)
{
  if (n_spatial < 1 || n_spatial > WINDOW_MAX_SPATIAL)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "images of %u spatial dimensions aren't supported, only one to three.",
                       n_spatial);
  if (window->n_spatial != 0 && window->n_spatial != n_spatial)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its window has %u dimensions, its input has %u.", window->n_spatial, n_spatial);
  if (!window->has_kernel && !kernel)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “kernel_shape” is missing.");

  *resolved = *window;
  resolved->n_spatial = n_spatial;
  for (guint i = 0; kernel && i < n_spatial; i++)
    {
      if (window->has_kernel && window->kernel[i] != kernel[i])
        return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “kernel_shape” contradicts the shape of its weights.");
      if (kernel[i] < 1 || kernel[i] > WINDOW_LIMIT)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its weights are empty or too large.");
      resolved->kernel[i] = kernel[i];
    }
  resolved->has_kernel = TRUE;
  return TRUE;
}

gboolean
window_output (const Node *node, Window *window, guint axis, gint64 in, gint64 *out, GError **error)
{
  gint64 stride = window->stride[axis], reach = (window->kernel[axis] - 1) * window->dilation[axis] + 1, room;

  if (window->auto_pad == PAD_SAME_UPPER || window->auto_pad == PAD_SAME_LOWER)
    {
      gint64 total;

      *out = in / stride + (in % stride != 0);
      total = MAX ((*out - 1) * stride + reach - in, 0);
      window->pad_begin[axis] = window->auto_pad == PAD_SAME_UPPER ? total / 2 : total - total / 2;
      window->pad_end[axis] = total - window->pad_begin[axis];
    }
  else
    {
      if (window->auto_pad == PAD_VALID)
        window->pad_begin[axis] = window->pad_end[axis] = 0;
      room = in + window->pad_begin[axis] + window->pad_end[axis] - reach;
      if (room < 0)
        *out = 0;
      else if (!window->ceil_mode)
        *out = room / stride + 1;
      else
        {
          /* The last window must begin within the image or the padding before it. */
          *out = room / stride + (room % stride != 0) + 1;
          if ((*out - 1) * stride >= in + window->pad_begin[axis])
            (*out)--;
        }
    }
  if (*out < 1)
    return node_error (node, error, FOVEA_ERROR_SHAPE,
                       "nothing is left of an input of size %" G_GINT64_FORMAT " under a window of %" G_GINT64_FORMAT
                       ". Use a larger input.",
                       in, reach);
  return TRUE;
}

void
window_seen (const Window *window, guint axis, gint64 in, gsize first, gsize last, gsize *begin, gsize *end)
{
  gint64 top = (gint64) first * window->stride[axis] - window->pad_begin[axis];
  gint64 bottom = ((gint64) last - 1) * window->stride[axis] - window->pad_begin[axis] + (window->kernel[axis] - 1) * window->dilation[axis] + 1;

  *begin = (gsize) CLAMP (top, 0, in);
  *end = (gsize) CLAMP (bottom, (gint64) *begin, in);
}

gsize
window_most (const Window *window, guint axis, gint64 in, gsize n)
{
  return (gsize) MIN (((gint64) n - 1) * window->stride[axis] + (window->kernel[axis] - 1) * window->dilation[axis] + 1, in);
}
