/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory-plan.c: whatever the blocks, no two that are alive together overlap, and the arena is at least what lives at the worst moment and at most what
 * all take together; chains as networks make them are packed tightly.
 */

#include <string.h>

#include "compile/memory-plan.h"

#define MAX_BLOCKS 120

static gsize
round_up (gsize size)
{
  return (size + 63) / 64 * 64;
}

/* Bytes alive at the worst step. */
static gsize
greatest_live (const MemoryBlock *blocks, gsize n, gint n_steps)
{
  gsize greatest = 0;

  for (gint step = -1; step <= n_steps; step++)
    {
      gsize live = 0;

      for (gsize i = 0; i < n; i++)
        if (blocks[i].first <= step && step <= blocks[i].last)
          live += round_up (blocks[i].size);
      greatest = MAX (greatest, live);
    }
  return greatest;
}

static void
check_plan (const MemoryBlock *wanted, gsize n, gint n_steps, gboolean separate, gsize *arena)
{
  MemoryBlock blocks[MAX_BLOCKS];
  gsize       sum = 0;

  if (n > 0)
    memcpy (blocks, wanted, n * sizeof *blocks);
  g_assert_true (memory_plan (blocks, n, separate, arena));
  for (gsize i = 0; i < n; i++)
    {
      g_assert_cmpuint (blocks[i].offset % 64, ==, 0);
      g_assert_cmpint (blocks[i].first, ==, wanted[i].first);
      g_assert_cmpint (blocks[i].last, ==, wanted[i].last);
      g_assert_cmpuint (blocks[i].offset + wanted[i].size, <=, *arena);
      sum += round_up (wanted[i].size);
      for (gsize j = 0; j < i; j++)
        {
          gboolean together = separate || (wanted[i].first <= wanted[j].last && wanted[j].first <= wanted[i].last);

          if (together && wanted[i].size && wanted[j].size)
            g_assert_true (blocks[i].offset + wanted[i].size <= blocks[j].offset || blocks[j].offset + wanted[j].size <= blocks[i].offset);
        }
    }
  g_assert_cmpuint (*arena, <=, sum);
  g_assert_cmpuint (*arena, >=, separate ? sum : greatest_live (wanted, n, n_steps));
}

static void
test_random (void)
{
  for (guint turn = 0; turn < 3000; turn++)
    {
      MemoryBlock blocks[MAX_BLOCKS] = { 0 };
      gsize       n = (gsize) g_test_rand_int_range (0, MAX_BLOCKS + 1), arena;
      gint        n_steps = g_test_rand_int_range (1, 60);

      for (gsize i = 0; i < n; i++)
        {
          blocks[i].size = g_test_rand_int_range (0, 5) ? (gsize) g_test_rand_int_range (1, 5000) : 0;
          blocks[i].first = g_test_rand_int_range (-1, n_steps + 1);
          blocks[i].last = g_test_rand_int_range (blocks[i].first, n_steps + 1);
        }
      check_plan (blocks, n, n_steps, turn % 4 == 0, &arena);
    }
}

/* A chain whose tensors shrink, each living until the next is written, and now and then one that waits for a later step (a skip connection). */
static void
test_chain (void)
{
  MemoryBlock blocks[80] = { 0 };
  gsize       arena, size = 1 << 20;

  for (gint i = 0; i < 80; i++)
    {
      blocks[i] = (MemoryBlock){ size, i - 1, i + (i % 10 == 3 ? 12 : 0), 0 };
      if (i % 8 == 7)
        size /= 2;
    }
  check_plan (blocks, 80, 100, FALSE, &arena);
  g_assert_cmpuint (arena, <=, greatest_live (blocks, 80, 100) * 105 / 100);
}

static void
test_nothing (void)
{
  gsize arena = 1;

  check_plan (NULL, 0, 1, FALSE, &arena);
  g_assert_cmpuint (arena, ==, 0);
}

static void
test_too_large (void)
{
  MemoryBlock one = { G_MAXSIZE, 0, 1, 0 };
  MemoryBlock many[3] = { { G_MAXSIZE / 4, 0, 1, 0 }, { G_MAXSIZE / 4, 0, 1, 0 }, { G_MAXSIZE / 4, 1, 1, 0 } };
  gsize       arena;

  g_assert_false (memory_plan (&one, 1, FALSE, &arena));
  g_assert_false (memory_plan (many, 3, FALSE, &arena));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/memory-plan/random", test_random);
  g_test_add_func ("/memory-plan/chain", test_chain);
  g_test_add_func ("/memory-plan/nothing", test_nothing);
  g_test_add_func ("/memory-plan/too-large", test_too_large);
  return g_test_run ();
}
