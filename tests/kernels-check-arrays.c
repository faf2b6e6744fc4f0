/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check-arrays.c: random numbers, arrays at the edge of memory, and how results are compared.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels-check.h"

#define GUARD 64          /* floats before and after each output */
#define GUARD_VALUE 12345.678f

/* ---- numbers ---------------------------------------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t
random_bits (void)
{
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

int
random_int (int low, int high)
{
  return low + (int) (random_bits () % (uint32_t) (high - low + 1));
}

float
random_float (void)
{
  return (float) random_bits () / (float) (1 << 23) - 1.0f;
}

static float
random_value (Fill fill)
{
  static const float extremes[] = { NAN, INFINITY, -INFINITY, 1e-40f, -1e-40f, 0.0f, -0.0f, 1e30f, -1e30f };

  if (fill == FILL_EXTREME && random_bits () % 50 == 0)
    return extremes[random_bits () % N_ELEMENTS (extremes)];
  return random_float ();
}

/* ---- arrays at the edge of memory -------------------------------------------------------------------------- */

typedef struct
{
  float  *array;
  char   *mapping;
  size_t  size;
} Taken;

static Taken taken[32]; /* what isn't given back yet */

float *
take (size_t n)
{
  static unsigned n_calls;
  bool        at_end = ++n_calls * 2654435761u >> 31;
  size_t      page = (size_t) sysconf (_SC_PAGESIZE), size = (n * sizeof (float) + page - 1) / page * page + 2 * page;
  char       *mapping = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (mapping == MAP_FAILED || mprotect (mapping, page, PROT_NONE) != 0 || mprotect (mapping + size - page, page, PROT_NONE) != 0)
    abort ();
  for (size_t i = 0; i < N_ELEMENTS (taken); i++)
    if (!taken[i].mapping)
      {
        taken[i] = (Taken) { (float *) (at_end ? mapping + size - page - n * sizeof (float) : mapping + page), mapping, size };
        return taken[i].array;
      }
  abort ();
}

void
give_back (float *array)
{
  for (size_t i = 0; i < N_ELEMENTS (taken); i++)
    if (taken[i].mapping && taken[i].array == array)
      {
        munmap (taken[i].mapping, taken[i].size);
        taken[i].mapping = NULL;
        return;
      }
  abort ();
}

float *
make (size_t n, Fill fill)
{
  float *array = take (n);

  for (size_t i = 0; i < n; i++)
    array[i] = random_value (fill);
  return array;
}

float *
make_blocked (size_t channels, size_t n_pixels, Fill fill)
{
  size_t n = kernel_blocks (channels) * n_pixels * KERNEL_BLOCK;
  float *array = make (n, fill);

  for (size_t i = 0; i < n; i++)
    if (i / (n_pixels * KERNEL_BLOCK) * KERNEL_BLOCK + i % KERNEL_BLOCK >= channels)
      array[i] = 0.0f;
  return array;
}

float *
make_output (size_t n)
{
  float *array = take (n + 2 * GUARD);

  for (size_t i = 0; i < n + 2 * GUARD; i++)
    array[i] = i < GUARD || i >= GUARD + n ? GUARD_VALUE : NAN;
  return array + GUARD;
}

void
free_output (float *array)
{
  give_back (array - GUARD);
}

bool
guards_whole (const float *array, size_t n)
{
  for (size_t i = 0; i < GUARD; i++)
    if (array[-1 - (ptrdiff_t) i] != GUARD_VALUE || array[n + i] != GUARD_VALUE)
      return false;
  return true;
}

bool
same_bits (const float *a, const float *b, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (memcmp (a + i, b + i, sizeof (float)) != 0 && !(isnan (a[i]) && isnan (b[i])))
      return false;
  return true;
}

ptrdiff_t
difference (const float *expected, const float *got, size_t n, double tolerance)
{
  for (size_t i = 0; i < n; i++)
    {
      double e = expected[i], g = got[i], magnitude = fabs (e) > 1e15 ? fmax (1e30, fabs (e)) : fmax (1.0, fabs (e));

      if ((isnan (e) && isnan (g)) || (fabs (e) > 1e37 && fabs (g) > 1e37 && (e > 0) == (g > 0)))
        continue;
      if (!(fabs (e - g) <= tolerance * magnitude))
        return (ptrdiff_t) i;
    }
  return -1;
}
