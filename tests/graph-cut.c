/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph-cut.c: the least cut, against every other way of cutting small grids; and that large ones end.
 */

#include "vision/graph-cut.h"

static double
cost_of (int width, int height, const float *inside_costs, const float *outside_costs, const float *links, guint cut)
{
  static const int dx[GRAPH_LINKS] = { 1, 0, 1, -1 }, dy[GRAPH_LINKS] = { 0, 1, 1, 1 };
  double           sum = 0.0;

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        int   at = y * width + x;
        guint inside = (cut >> at) & 1;

        sum += inside ? inside_costs[at] : outside_costs[at];
        for (int k = 0; k < GRAPH_LINKS; k++)
          {
            int column = x + dx[k], row = y + dy[k];

            if (column >= 0 && column < width && row < height && ((cut >> (row * width + column)) & 1) != inside)
              sum += links[GRAPH_LINKS * at + k];
          }
      }
  return sum;
}

static void
test_least (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);

  for (int round = 0; round < 400; round++)
    {
      int    width = g_rand_int_range (rand, 1, 5), height = g_rand_int_range (rand, 1, 4), n = width * height;
      float  inside_costs[16], outside_costs[16], links[16 * GRAPH_LINKS];
      guint8 inside[16];
      guint  found = 0;
      double least = G_MAXDOUBLE;

      for (int i = 0; i < n; i++)
        {
          inside_costs[i] = (float) g_rand_int_range (rand, 0, 9);
          outside_costs[i] = (float) g_rand_int_range (rand, 0, 9);
          for (int k = 0; k < GRAPH_LINKS; k++)
            links[GRAPH_LINKS * i + k] = (float) g_rand_int_range (rand, 0, 6);
        }
      g_assert_true (graph_cut (width, height, inside_costs, outside_costs, links, inside, NULL, NULL));
      for (int i = 0; i < n; i++)
        found |= (guint) inside[i] << i;
      for (guint cut = 0; cut < 1u << n; cut++)
        least = MIN (least, cost_of (width, height, inside_costs, outside_costs, links, cut));
      g_assert_cmpfloat (cost_of (width, height, inside_costs, outside_costs, links, found), ==, least);
    }
}

/* A noisy disc comes back round: what noise alone says is wrong for a third of the pixels. */
static void
test_disc (void)
{
  enum { SIDE = 200, RADIUS = 60 };
  g_autoptr (GRand)  rand = g_rand_new_with_seed (6);
  g_autofree float  *inside_costs = g_new (float, SIDE * SIDE), *outside_costs = g_new (float, SIDE * SIDE), *links = g_new (float, SIDE * SIDE * GRAPH_LINKS);
  g_autofree guint8 *inside = g_new (guint8, SIDE * SIDE);
  int                wrong = 0;

  for (int i = 0; i < SIDE * SIDE; i++)
    {
      int      x = i % SIDE - SIDE / 2, y = i / SIDE - SIDE / 2;
      gboolean looks_inside = (x * x + y * y < RADIUS * RADIUS) != (g_rand_double (rand) < 0.33);

      inside_costs[i] = looks_inside ? 0.0f : 1.0f;
      outside_costs[i] = 1.0f - inside_costs[i];
      for (int k = 0; k < GRAPH_LINKS; k++)
        links[GRAPH_LINKS * i + k] = 0.8f;
    }
  g_assert_true (graph_cut (SIDE, SIDE, inside_costs, outside_costs, links, inside, NULL, NULL));
  for (int i = 0; i < SIDE * SIDE; i++)
    {
      int x = i % SIDE - SIDE / 2, y = i / SIDE - SIDE / 2;

      wrong += (x * x + y * y < RADIUS * RADIUS) != inside[i];
    }
  g_assert_cmpint (wrong, <, SIDE * SIDE / 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph-cut/least", test_least);
  g_test_add_func ("/graph-cut/disc", test_disc);
  return g_test_run ();
}
