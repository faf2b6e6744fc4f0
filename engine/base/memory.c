/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory.c: large blocks, aligned and zeroed, asked for politely. See memory.h.
 */

#include "base/memory.h"

#include <glib/gi18n.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "fovea.h"

/* From this size on blocks lie in huge pages, where the system has them: with pages of 4 kB it depends on where these happen to lie in memory whether
 * what is used together fits into the second-level cache. */
#define HUGE_PAGE ((gsize) 2 << 20)

static gsize
round_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) & ~(alignment - 1);
}

/* A block of that many bytes at least; `size` > 0. NULL where there is no memory. */
static gpointer
get_block (gsize size)
{
  gpointer block;

  if (size < HUGE_PAGE)
    return aligned_alloc (MEMORY_ALIGNMENT, round_up (size, MEMORY_ALIGNMENT));
  block = aligned_alloc (HUGE_PAGE, round_up (size, HUGE_PAGE));
#ifdef MADV_HUGEPAGE
  if (block)
    (void) madvise (block, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE); /* what can't be had isn't needed */
#endif
  return block;
}

gpointer
memory_alloc (gsize size, const char *what, GError **error)
{
  gpointer block = NULL;

  if (size <= PTRDIFF_MAX - HUGE_PAGE)
    {
      block = get_block (MAX (size, 1));
      if (block)
        memset (block, 0, MAX (size, 1));
    }
  if (!block)
    {
      g_autofree char *wanted = g_format_size_full (size, G_FORMAT_SIZE_IEC_UNITS);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY,
                   _("Not enough memory for %s: %s are needed. Close other programs, or use a smaller input or model."), what, wanted);
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
