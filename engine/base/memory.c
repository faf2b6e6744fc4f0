/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory.c: large blocks, aligned and zeroed, asked for politely. See memory.h.
 */

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fovea.h"

gpointer
memory_alloc (gsize size, const char *what, GError **error)
{
  gpointer block = NULL;

  if (size <= PTRDIFF_MAX - MEMORY_ALIGNMENT)
    {
      gsize rounded = (MAX (size, 1) + MEMORY_ALIGNMENT - 1) & ~(gsize) (MEMORY_ALIGNMENT - 1);

      block = aligned_alloc (MEMORY_ALIGNMENT, rounded);
      if (block)
        memset (block, 0, rounded);
    }
  if (!block)
    {
      g_autofree char *wanted = g_format_size_full (size, G_FORMAT_SIZE_IEC_UNITS);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY,
                   "Not enough memory for %s: %s are needed. Close other programs, or use a smaller input or model.", what, wanted);
    }
  return block;
}

gpointer
memory_alloc_n (gsize n_items, gsize item_size, const char *what, GError **error)
{
  gsize size;

  if (!g_size_checked_mul (&size, n_items, item_size))
    size = G_MAXSIZE;
  return memory_alloc (size, what, error);
}

void
memory_free (gpointer block)
{
  free (block);
}
