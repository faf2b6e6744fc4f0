/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory-plan.c: greedy by size. The largest block is placed first; each next one goes into the smallest gap, among the blocks already placed that are
 * alive at the same time, that it fits in. See memory-plan.h.
 *
 *        step  0 1 2 3 4 5
 *   offset 0   A A A . D D      D fits where A was
 *              A A A B D D
 *          64  . C C B B .
 */

#include "compile/memory-plan.h"

#include <stdlib.h>

#define ALIGNMENT ((gsize) 64)

static int
compare_sizes (gconstpointer a, gconstpointer b)
{
  const MemoryBlock *first = *(MemoryBlock *const *) a, *second = *(MemoryBlock *const *) b;

  if (first->size != second->size)
    return first->size > second->size ? -1 : 1;
  if (first->first != second->first)
    return first->first < second->first ? -1 : 1;
  return (first > second) - (first < second);
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const MemoryBlock *first = *(MemoryBlock *const *) a, *second = *(MemoryBlock *const *) b;

  return (first->offset > second->offset) - (first->offset < second->offset);
}

static gboolean
alive_together (const MemoryBlock *a, const MemoryBlock *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap among `placed` (n, sorted by offset) that holds block; the end of all where there is none. */
static gsize
find_gap (MemoryBlock **placed, gsize n, const MemoryBlock *block, gboolean separate)
{
  gsize end = 0, best = G_MAXSIZE, best_size = G_MAXSIZE;

  for (gsize i = 0; i < n; i++)
    {
      const MemoryBlock *other = placed[i];

      if (!separate && !alive_together (block, other))
        continue;
      if (other->offset > end && other->offset - end >= block->size && other->offset - end < best_size)
        {
          best = end;
          best_size = other->offset - end;
        }
      end = MAX (end, other->offset + other->size);
    }
  return best == G_MAXSIZE ? end : best;
}

gboolean
memory_plan (MemoryBlock *blocks, gsize n, gboolean separate, gsize *arena_bytes)
{
  g_autofree MemoryBlock **order = g_new (MemoryBlock *, n + 1);
  g_autofree MemoryBlock **placed = g_new (MemoryBlock *, n + 1);
  gsize                    n_placed = 0;

  *arena_bytes = 0;
  for (gsize i = 0; i < n; i++)
    {
      order[i] = &blocks[i];
      blocks[i].offset = 0;
      if (blocks[i].size > G_MAXSSIZE - ALIGNMENT)
        return FALSE;
      blocks[i].size = (blocks[i].size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    }
  qsort (order, n, sizeof *order, compare_sizes);

  for (gsize i = 0; i < n && order[i]->size > 0; i++)
    {
      MemoryBlock *block = order[i];
      gsize        end, at;

      block->offset = find_gap (placed, n_placed, block, separate);
      if (!g_size_checked_add (&end, block->offset, block->size) || end > G_MAXSSIZE)
        return FALSE;
      *arena_bytes = MAX (*arena_bytes, end);

      for (at = n_placed; at > 0 && compare_offsets (&placed[at - 1], &block) > 0; at--)
        placed[at] = placed[at - 1];
      placed[at] = block;
      n_placed++;
    }
  return TRUE;
}
