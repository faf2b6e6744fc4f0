/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory-plan.h: where each tensor lies in one arena, so that tensors that are alive at the same time never overlap.
 */
#pragma once

#include <glib.h>

/* A block that is wanted from step `first` to step `last`, both included. */
typedef struct
{
  gsize size;   /* bytes; 0 takes no room */
  gint  first;
  gint  last;
  gsize offset; /* the answer, a multiple of 64 */
} MemoryBlock;

/* Sets the offsets; *arena_bytes gets the arena's size. FALSE when that doesn't fit a gsize. With `separate` no two blocks share memory at all (for
 * the address sanitizer, which then sees every read outside of a tensor). After Pisarchyk & Lee 2020, arXiv:2001.03288. */
gboolean memory_plan (MemoryBlock *blocks, gsize n, gboolean separate, gsize *arena_bytes);
