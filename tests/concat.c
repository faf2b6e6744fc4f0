/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * concat.c: Concat and Split along the channels, on blocks as in plain form, for parts that begin within a block and at one; refusals.
 */

#include <string.h>

#include "kernels/kernels.h"
#include "node-runner.h"

#define HEIGHT 3
#define WIDTH 5

typedef struct
{
  guint  n;
  gint64 channels[4];
} Parts;

static const Parts cases[] = {
  { 2, { 16, 32 } }, { 2, { 20, 12 } }, { 3, { 1, 16, 3 } }, { 4, { 7, 9, 17, 33 } }, { 1, { 5 } }, { 2, { 48, 1 } },
};

static void
test_concat (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint threads = 1; threads <= 3; threads += 2)
      {
        g_autoptr (Runner)  runner = runner_new ("Concat");
        g_autoptr (GError)  error = NULL;
        g_autofree float   *plain = NULL, *blocked = NULL;
        const float        *parts[4];
        gsize               size = 0, at;
        gint64              total = 0;

        node_set_int (runner->node, "axis", 1);
        for (guint k = 0; k < cases[i].n; k++)
          {
            gint64 dims[] = { 2, cases[i].channels[k], HEIGHT, WIDTH };

            parts[k] = runner_add (runner, FOVEA_TYPE_FLOAT32, 4, dims, FALSE);
            total += cases[i].channels[k];
          }
        size = (gsize) (2 * total * HEIGHT * WIDTH);
        g_assert_true (runner_infer (runner, 1, &error));
        g_assert_cmpint (runner->out[0]->shape.dims[1], ==, total);

        if (cases[i].n > 1)
          {
            plain = runner_run (runner, FALSE, threads, 0, NULL);
            blocked = runner_run (runner, TRUE, threads, 0, NULL);
            g_assert_nonnull (blocked);
            g_assert_cmpmem (plain, size * sizeof (float), blocked, size * sizeof (float));
            at = 0;
            for (gint64 image = 0; image < 2; image++)
              for (guint k = 0; k < cases[i].n; k++)
                {
                  gsize n = (gsize) (cases[i].channels[k] * HEIGHT * WIDTH);

                  g_assert_cmpmem (plain + at, n * sizeof (float), parts[k] + (gsize) image * n, n * sizeof (float));
                  at += n;
                }
          }
      }
}

static void
test_split (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 first = cases[i].channels[0], second = cases[i].n > 1 ? cases[i].channels[1] : 2;
      gint64 dims[] = { 2, first + second, HEIGHT, WIDTH }, two = 2;

      for (guint output = 0; output < 2; output++)
        {
          g_autoptr (Runner)  runner = runner_new ("Split");
          g_autoptr (GError)  error = NULL;
          g_autofree float   *plain = NULL, *blocked = NULL;
          gsize               n = (gsize) ((output ? second : first) * HEIGHT * WIDTH), from = output ? (gsize) (first * HEIGHT * WIDTH) : 0;
          const float        *in = runner_add (runner, FOVEA_TYPE_FLOAT32, 4, dims, FALSE);
          gint64             *parts = runner_add (runner, FOVEA_TYPE_INT64, 1, &two, TRUE);

          parts[0] = first;
          parts[1] = second;
          node_set_int (runner->node, "axis", -3);
          g_assert_true (runner_infer (runner, 2, &error));
          plain = runner_run (runner, FALSE, 1, output, NULL);
          blocked = runner_run (runner, TRUE, 2, output, NULL);
          g_assert_nonnull (blocked);
          g_assert_cmpmem (plain, 2 * n * sizeof (float), blocked, 2 * n * sizeof (float));
          g_assert_cmpmem (plain, n * sizeof (float), in + from, n * sizeof (float));
        }
    }
}

static void
test_refusals (void)
{
  gint64 four[] = { 1, 4, 2, 2 }, other[] = { 1, 4, 3, 2 }, two = 2;
  g_autoptr (GError) error = NULL;
  gint64            *parts;

  {
    g_autoptr (Runner) runner = runner_new ("Concat");

    node_set_int (runner->node, "axis", 1);
    runner_add (runner, FOVEA_TYPE_FLOAT32, 4, four, FALSE);
    runner_add (runner, FOVEA_TYPE_FLOAT32, 4, other, FALSE);
    g_assert_false (runner_infer (runner, 1, &error));
    g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE);
    g_assert_nonnull (strstr (error->message, "tested"));
    g_clear_error (&error);
  }
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Runner) runner = runner_new ("Split");

      node_set_int (runner->node, "axis", 1);
      runner_add (runner, FOVEA_TYPE_FLOAT32, 4, four, FALSE);
      parts = runner_add (runner, FOVEA_TYPE_INT64, 1, &two, TRUE);
      parts[0] = i ? -1 : G_MAXINT64;
      parts[1] = 5;
      g_assert_false (runner_infer (runner, 2, &error));
      g_assert_nonnull (error);
      g_clear_error (&error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/concat/concat", test_concat);
  g_test_add_func ("/concat/split", test_split);
  g_test_add_func ("/concat/refusals", test_refusals);
  return g_test_run ();
}
