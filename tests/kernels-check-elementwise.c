/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check-elementwise.c: activations, arithmetic, sums, and the way into blocks and back.
 */

#include <math.h>
#include <stdio.h>

#include "kernels-check.h"

/* Units in the last place between two floats, of numbers not below `floor`; huge where only one of them is NaN or infinite. */
static double
ulps (float expected, float got, float floor)
{
  if (isnan (expected) || isnan (got))
    return isnan (expected) && isnan (got) ? 0.0 : 1e30;
  if (expected == got)
    return 0.0;
  if (isinf (expected) || isinf (got))
    return fmaxf (fabsf (expected), fabsf (got)) == INFINITY && fminf (fabsf (expected), fabsf (got)) > 3.4e38f ? 1.0 : 1e30;
  return fabs ((double) expected - got) / ldexp (1.0, ilogbf (fmaxf (fabsf (expected), floor)) - 23);
}

void
test_activations (const Kernels *kernels)
{
  static const float points[] = { NAN,      INFINITY, -INFINITY, 0.0f,  -0.0f,  1e-40f, -1e-40f, 1e-30f, -1e-30f, 3.4e38f,
                                  -3.4e38f, 1e20f,    -1e20f,    88.0f, 88.72f, 88.73f, 89.5f,   -87.0f, -87.4f,  -103.0f,
                                  -104.5f,  0.34657f, -0.34657f, 0.5f,  1.0f,   -1.0f,  6.0f,    -3.0f,  3.0f };

  for (int kind = 0; kind < N_ACTIVATIONS; kind++)
    {
      Activation activation = { (ActivationKind) kind, 0.3f, 0.6f };
      double     worst = 0.0, allowed = 6.0;
      float      worst_at = 0.0f, floor = 1e-30f;
      enum { N = 20003 };
      static float in[N], got[N];

      if (kind == ACTIVATION_CELU || kind == ACTIVATION_SELU || kind == ACTIVATION_SILU)
        activation.alpha = 1.25f;
      if (kind == ACTIVATION_HARD_SIGMOID || kind == ACTIVATION_HARD_SWISH)
        floor = 0.2f; /* alpha x + beta may cancel */
      if (kind == ACTIVATION_GELU || kind == ACTIVATION_GELU_TANH || kind == ACTIVATION_SILU)
        {
          floor = 1e-6f; /* an exponential of a large argument magnifies its rounding */
          allowed = 32.0;
        }
      for (int i = 0; i < N; i++)
        in[i] = i < (int) N_ELEMENTS (points) ? points[i] : random_float () * (i % 3 == 0 ? 1.0f : i % 3 == 1 ? 12.0f : 110.0f);
      kernels->activate (&activation, in, got, N);
      for (int i = 0; i < N; i++)
        {
          float  expected = (float) activation_reference (&activation, in[i]);
          double error = ulps (expected, got[i], floor);

          if (error > worst)
            {
              worst = error;
              worst_at = in[i];
            }
        }
      report (worst <= allowed, "%s activation %d: %.2f units in the last place at %g", kernels->name, kind, worst, (double) worst_at);

      {
        float zero = 0.0f, result;

        kernels->activate (&activation, &zero, &result, 1);
        if (activation_keeps_zero (&activation) != (result == 0.0f))
          report (false, "%s activation %d: f (0) is %g", kernels->name, kind, (double) result);
      }
    }
}

/* The elementwise kernels on n numbers, all but activations; results must be the same to the bit, but for a fused multiply-add. */
static bool
check_elementwise (const Kernels *kernels, size_t n, Fill fill)
{
  float *a = make (n, fill), *b = make (n, fill), *channels = make (KERNEL_BLOCK, FILL_RANDOM), *shifts = make (KERNEL_BLOCK, FILL_RANDOM);
  size_t pixels = n / KERNEL_BLOCK;
  bool   good = true;

  for (int kind = 0; kind < N_BINARIES; kind++)
    for (int form = 0; form < 5; form++)
      {
        float *expected = make_output (n), *got = make_output (n);

        for (int turn = 0; turn < 2; turn++)
          {
            const Kernels *table = turn ? kernels : &kernels_reference;
            float         *out = turn ? got : expected;

            switch (form)
              {
              case 0: table->binary ((BinaryKind) kind, a, b, out, n); break;
              case 1: table->binary_right ((BinaryKind) kind, a, 0.7f, out, n); break;
              case 2: table->binary_left ((BinaryKind) kind, -0.7f, b, out, n); break;
              case 3: table->binary_channels ((BinaryKind) kind, a, channels, out, pixels); break;
              case 4: table->binary_channels_left ((BinaryKind) kind, channels, a, out, pixels); break;
              }
          }
        if (difference (expected, got, n, 1e-7) >= 0 || !guards_whole (got, n))
          {
            printf ("# %s binary %d form %d of %zu, element %td\n", kernels->name, kind, form, n, difference (expected, got, n, 1e-7));
            good = false;
          }
        free_output (expected);
        free_output (got);
      }

  for (int form = 0; form < 4; form++)
    {
      float *expected = make_output (n + 1), *got = make_output (n + 1);

      if (form == 3 && n > 0)
        a[n / 2] = NAN;
      for (int turn = 0; turn < 2; turn++)
        {
          const Kernels *table = turn ? kernels : &kernels_reference;
          float         *out = turn ? got : expected;

          if (form == 0)
            table->scale_shift (a, 0.3f, -0.2f, out, n);
          else if (form == 1)
            table->scale_shift_channels (a, channels, shifts, out, pixels);
          else if (n > 0)
            table->softmax (a, out, n, form == 2);
        }
      if (difference (expected, got, n, 3e-6) >= 0 || !guards_whole (got, n + 1))
        {
          printf ("# %s row form %d of %zu: element %td\n", kernels->name, form, n, difference (expected, got, n, 3e-6));
          good = false;
        }
      free_output (expected);
      free_output (got);
    }

  give_back (a);
  give_back (b);
  give_back (channels);
  give_back (shifts);
  return good;
}

static bool
check_sums (const Kernels *kernels, size_t n, Fill fill)
{
  float *a = make (n, fill), expected[3], got[3];
  bool   good;

  for (size_t i = 0; i < n; i++)
    if (fabsf (a[i]) == 1e30f)
      a[i] = 1.0f;
  for (int turn = 0; turn < 2; turn++)
    {
      const Kernels *table = turn ? kernels : &kernels_reference;
      float         *out = turn ? got : expected;

      out[0] = table->sum (a, n);
      out[1] = table->sum_squares (a, n, 0.25f);
      out[2] = table->max (a, n);
    }
  good = difference (expected, got, 3, 1e-5) < 0;
  if (!good)
    printf ("# %s sums of %zu: %g %g %g, should be %g %g %g\n", kernels->name, n, (double) got[0], (double) got[1], (double) got[2],
            (double) expected[0], (double) expected[1], (double) expected[2]);
  give_back (a);
  return good;
}

void
test_elementwise (const Kernels *kernels)
{
  bool good = true;

  for (size_t n = 0; n < 100; n += quick ? 7 : 1)
    good &= check_elementwise (kernels, n, n % 2 ? FILL_EXTREME : FILL_RANDOM);
  report (good, "%s binary, scale, softmax", kernels->name);

  good = true;
  for (size_t n = 0; n < 300; n += quick ? 11 : 1)
    good &= check_sums (kernels, n, n % 4 ? FILL_RANDOM : FILL_EXTREME);
  report (good, "%s sums", kernels->name);
}

void
test_layout (const Kernels *kernels)
{
  bool good = true;

  for (size_t channels = 1; channels <= 40; channels += quick ? 13 : 1)
    for (size_t n = 1; n < 40; n += 6)
      {
        size_t size = kernel_blocks (channels) * n * KERNEL_BLOCK, middle = n / 3;
        float *plain = make (channels * n, FILL_EXTREME), *expected = make_output (size), *got = make_output (size),
              *back = make_output (channels * n);

        kernels_reference.block (plain, expected, channels, n, 0, n);
        kernels->block (plain, got, channels, n, 0, middle);
        kernels->block (plain, got, channels, n, middle, n);
        kernels->unblock (got, back, channels, n, 0, middle);
        kernels->unblock (got, back, channels, n, middle, n);
        good &= same_bits (expected, got, size) && same_bits (plain, back, channels * n) && guards_whole (got, size) &&
                guards_whole (back, channels * n);
        give_back (plain);
        free_output (expected);
        free_output (got);
        free_output (back);
      }
  report (good, "%s block, unblock", kernels->name);
}
