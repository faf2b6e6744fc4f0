/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * window.h: a window that moves over the spatial dimensions of an image: what convolutions and pools have in common.
 */
#pragma once

#include "model/graph.h"

#define WINDOW_MAX_SPATIAL 3

typedef enum
{
  PAD_EXPLICIT,
  PAD_VALID,
  PAD_SAME_UPPER,
  PAD_SAME_LOWER,
} AutoPad;

typedef struct
{
  guint    n_spatial;                    /* 1 to 3; 0: no attribute says */
  gboolean has_kernel;                   /* FALSE: the kernel comes from the weights' shape */
  gint64   kernel[WINDOW_MAX_SPATIAL];
  gint64   stride[WINDOW_MAX_SPATIAL];
  gint64   dilation[WINDOW_MAX_SPATIAL];
  gint64   pad_begin[WINDOW_MAX_SPATIAL], pad_end[WINDOW_MAX_SPATIAL];
  AutoPad  auto_pad;
  gboolean ceil_mode;                    /* pools: sizes are rounded up */
} Window;

/* Reads kernel_shape, strides, dilations, pads, auto_pad, ceil_mode; refuses what is no window. What isn't given gets its default. */
gboolean window_parse   (Node *node, Window *window, GError **error);

/* The window for n_spatial dimensions: FALSE with an error where an attribute has another number of them. kernel: that of the weights, or
 * NULL where the attribute must give it; a contradiction between the two is an error. */
gboolean window_resolve (const Node *node, const Window *window, guint n_spatial, const gint64 *kernel, Window *resolved, GError **error);

/* Output size along `axis` for input size `in` of a resolved window; resolves auto_pad of that axis into pad_begin and pad_end. FALSE
 * with an error where nothing is left. */
gboolean window_output  (const Node *node, Window *window, guint axis, gint64 in, gint64 *out, GError **error);

/* What outputs [first, last) along `axis` look at of an input of size `in`: [*begin, *end). */
void     window_seen    (const Window *window, guint axis, gint64 in, gsize first, gsize last, gsize *begin, gsize *end);

/* As much of an input of size `in` as n outputs along `axis` look at, at most. */
gsize    window_most    (const Window *window, guint axis, gint64 in, gsize n);
