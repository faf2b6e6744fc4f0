/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels.c: which tables this processor can run, and the choice among them. Compiled without any instruction-set flag: nothing here may
 * use an instruction that the oldest processor lacks.
 */

#include "kernels/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined __x86_64__ || defined __i386__
#include <cpuid.h>

extern const Kernels kernels_sse2, kernels_avx2, kernels_avx512;

/* The state that the operating system saves when it switches threads: bits 1 and 2 are the SSE and AVX registers, 5 to 7 those of
 * AVX-512. */
static uint64_t
saved_state (void)
{
  uint32_t low, high;

  __asm__ volatile ("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
  return (uint64_t) high << 32 | low;
}

/* Number of tables that this processor can run, in the order of `tables`. */
static int
count_tables (void)
{
  const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;                 /* leaf 1, ecx */
  const unsigned sse2 = 1u << 26;                                                                     /* leaf 1, edx */
  const unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;                  /* leaf 7, ebx: F DQ BW VL */
  unsigned       a, b, c, d, b7 = 0, c7, d7;

  if (!__get_cpuid (1, &a, &b, &c, &d) || !(d & sse2))
    return 1;
  if ((c & (fma | osxsave | avx | f16c)) != (fma | osxsave | avx | f16c) || (saved_state () & 0x6) != 0x6
      || !__get_cpuid_count (7, 0, &a, &b7, &c7, &d7) || !(b7 & avx2))
    return 2;
  if ((b7 & avx512) != avx512 || (saved_state () & 0xe6) != 0xe6)
    return 3;
  return 4;
}

static const Kernels *const tables[] = {
  &kernels_reference, &kernels_sse2, &kernels_avx2,
#ifndef KERNELS_WITHOUT_AVX512
  &kernels_avx512,
#endif
};

#elif defined __aarch64__

extern const Kernels kernels_neon;

static int
count_tables (void)
{
  return 2; /* every aarch64 has it */
}

static const Kernels *const tables[] = { &kernels_reference, &kernels_neon };

#else

extern const Kernels kernels_portable;

static int
count_tables (void)
{
  return 2;
}

static const Kernels *const tables[] = { &kernels_reference, &kernels_portable };

#endif

#define N_TABLES ((int) (sizeof tables / sizeof tables[0]))

/* cpuid is slow under a hypervisor, so its answer is kept: the same for every thread, so that it doesn't matter who stores it. */
static int
available_tables (void)
{
  static atomic_int n_available;
  int               n = atomic_load_explicit (&n_available, memory_order_relaxed);

  if (n == 0)
    {
      n = count_tables ();
      n = n < N_TABLES ? n : N_TABLES;
      atomic_store_explicit (&n_available, n, memory_order_relaxed);
    }
  return n;
}

const Kernels *
kernels_get (void)
{
  const char *forced = getenv ("FOVEA_ISA");
  int         n = available_tables ();

  if (forced)
    for (int i = 0; i < N_TABLES; i++)
      if (strcmp (forced, tables[i]->name) == 0)
        return tables[i < n ? i : n - 1];
  return tables[n - 1];
}

const Kernels *
kernels_nth (int i)
{
  return i >= 0 && i < available_tables () ? tables[i] : NULL;
}
