/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check.c: every kernel table that can run here against the reference, on random and on extreme inputs, at sizes around blocks and
 * tiles. Prints TAP. Needs nothing but the kernels and libc, so that it can be built for other processors and run under qemu.
 *
 * Outputs lie between guard values that no kernel may touch, and start as NaN, so that what a kernel forgets is seen. Inputs end where memory
 * ends, or begin where it begins: a kernel that reads outside stops the program. Every case is computed a second time cut into several calls:
 * the bits must be the same.
 *
 *   kernels-check [--quick] [NAME…]    only the tables named; fails if one of them isn't there; --quick leaves most cases out, for
 * emulators
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels-check.h"

#ifdef KERNELS_CHECK_WIDE
extern const Kernels kernels_wide;
#endif

bool        quick;
static bool hurried;
static int  n_tests, n_failures;

void
report (bool good, const char *format, ...)
{
  va_list arguments;

  n_tests++;
  n_failures += !good;
  printf ("%sok %d - ", good ? "" : "not ", n_tests);
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  printf ("\n");
}

static void
test_table (const Kernels *kernels)
{
  test_conv (kernels);
  test_spread (kernels);
  test_pointwise (kernels);
  test_one_row (kernels);
  test_depthwise (kernels);
  test_winograd (kernels);
  test_weight_gradient (kernels);
  test_pool (kernels);
  test_sum_pixels (kernels);
  test_gemm (kernels);
  test_activations (kernels);
  test_elementwise (kernels);
  test_layout (kernels);
}

/* FOVEA_ISA: each table by its name, the last of the list for what isn't here. */
static void
test_choice (void)
{
  const Kernels *best = NULL;
  bool           good = true;

  for (int i = 0; kernels_nth (i); i++)
    {
      best = kernels_nth (i);
      setenv ("FOVEA_ISA", best->name, 1);
      good &= kernels_get () == best;
    }
  setenv ("FOVEA_ISA", "nonsense", 1);
  good &= kernels_get () == best;
  unsetenv ("FOVEA_ISA");
  good &= kernels_get () == best && kernels_nth (-1) == NULL && strcmp (kernels_nth (0)->name, "reference") == 0;
  report (good, "FOVEA_ISA");
}

#ifdef KERNELS_CHECK_WIDE
/* On x86 it is compiled for AVX2. */
static bool
can_run_wide (void)
{
#ifdef __x86_64__
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
#else
  return true;
#endif
}
#endif

static bool
is_named (const char *name, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return true;
  return argc < 2;
}

int
main (int argc, char **argv)
{
  int n_run = 0;

  if (argc > 1 && strcmp (argv[1], "--quick") == 0)
    {
      quick = hurried = true;
      argc--;
      argv++;
    }
  test_choice ();
  for (int i = 0; kernels_nth (i); i++)
    if (is_named (kernels_nth (i)->name, argc, argv))
      {
        quick = hurried || i == 0; /* the reference against itself says little, and is slow */
        test_table (kernels_nth (i));
        n_run++;
      }
  quick = hurried;
#ifdef KERNELS_CHECK_WIDE
  if (can_run_wide () && is_named ("wide", argc, argv))
    {
      test_table (&kernels_wide);
      n_run++;
    }
#endif
  if (argc > 1 && n_run < argc - 1)
    report (false, "a table that was asked for isn't there");
  printf ("1..%d\n", n_tests);
  return n_failures > 0;
}
