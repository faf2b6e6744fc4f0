/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory.h: the one door for large blocks (tensors, arenas, packed weights). Blocks are aligned to 64 bytes, a failed or
 * absurd request is a GError that says how much was wanted and what for, never an abort. Small things use GLib's own.
 */
#pragma once

#include <glib.h>

#define MEMORY_ALIGNMENT 64

/* A zeroed block of `size` bytes (at least one), or NULL with FOVEA_ERROR_MEMORY. `what` reads on in "Not enough memory for …". */
gpointer memory_alloc (gsize size, const char *what, GError **error);

/* The same for n_items * item_size, the product checked. */
gpointer memory_alloc_n (gsize n_items, gsize item_size, const char *what, GError **error);

void     memory_free (gpointer block);

