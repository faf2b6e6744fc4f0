/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour-space.c: pixels of other RGB spaces become what babl makes of them, or the next number, at every precision, with alpha and without.
 */

#include "colour-space.h"

#include <stdlib.h>
#include <string.h>

#define N 50000

/* The darkest and the lightest numbers, then any. */
static guint
pick (gsize i, guint most)
{
  if (i < 300)
    return (guint) i;
  return i < 600 ? most - (guint) (i - 300) % 256 : (guint) g_test_rand_int_range (0, (gint32) most + 1);
}

static void
fill (void *numbers, gsize n, gboolean is_deep)
{
  for (gsize i = 0; i < n; i++)
    if (is_deep)
      ((guint16 *) numbers)[i] = (guint16) pick (i, 65535);
    else
      ((guint8 *) numbers)[i] = (guint8) pick (i, 255);
}

static void
check (const char *space_name, gboolean is_deep, gboolean has_alpha)
{
  const Babl         *own = babl_space (space_name);
  const Babl         *format = babl_format_with_space (is_deep ? (has_alpha ? "R'G'B'A u16" : "R'G'B' u16") : (has_alpha ? "R'G'B'A u8" : "R'G'B' u8"), own);
  gsize               n = N * (has_alpha ? 4 : 3);
  g_autofree guint16 *from = g_new (guint16, n);
  g_autofree guint8  *to = g_new0 (guint8, n), *expected = g_new0 (guint8, n);
  ColourSpace        *space = colour_space_new (format);
  gsize               n_same = 0;

  g_assert_nonnull (space);
  g_assert_true (colour_space_get_format (space, has_alpha) == format);
  fill (from, n, is_deep);
  babl_process (babl_fish (format, babl_format (has_alpha ? "R'G'B'A u8" : "R'G'B' u8")), from, expected, N);
  colour_space_convert (space, from, N, has_alpha, to);
  for (gsize i = 0; i < n; i++)
    {
      g_assert_cmpint (abs (to[i] - expected[i]), <=, 1);
      n_same += to[i] == expected[i];
    }
  g_assert_cmpuint (n_same, >, n / 100 * 97);
  colour_space_free (space);
}

static void
test_as_babl (void)
{
  const char *const names[] = { "Adobish", "ProPhoto" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (int k = 0; k < 4; k++)
      check (names[i], k & 1, k & 2);
}

static void
test_not_needed (void)
{
  const char *const names[] = { "RGB u8", "RGB float", "R'G'B' float", "R'G'B'A half", "Y' u8", "Y'A u16" };

  g_assert_null (colour_space_new (babl_format ("R'G'B' u8")));
  g_assert_null (colour_space_new (babl_format ("R'G'B'A u16")));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_null (colour_space_new (babl_format_with_space (names[i], babl_space ("Adobish"))));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  babl_init ();
  g_test_add_func ("/colour-space/as-babl", test_as_babl);
  g_test_add_func ("/colour-space/not-needed", test_not_needed);
  return g_test_run ();
}
