/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph-cut.h: the least cut of a grid whose pixels are linked to their eight neighbours: which pixels are inside, so that the sum of what each pixel costs and
 * of the links between inside and outside is least (Boykov & Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for energy minimization in
 * vision", 2004).
 */
#pragma once

#include <gio/gio.h>

/* The neighbours that a pixel's links go to; those to the other four are the neighbours' own. */
enum { GRAPH_RIGHT, GRAPH_DOWN, GRAPH_DOWN_RIGHT, GRAPH_DOWN_LEFT, GRAPH_LINKS };

/* costs_inside, costs_outside: (height, width), 0 or more: of a pixel inside, outside. links: (height, width, GRAPH_LINKS), 0 or more; those that leave the grid
 * don't count. inside: (height, width), 1 or 0. FALSE with FOVEA_ERROR_MEMORY or when cancelled. */
gboolean graph_cut (int width, int height, const float *costs_inside, const float *costs_outside, const float *links, guint8 *inside, GCancellable *cancellable,
                    GError **error);
