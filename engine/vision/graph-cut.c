/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph-cut.c: see graph-cut.h. Two trees grow, of pixels that flow from the source (inside) still reaches and of those from which the sink (outside) is reached.
 * Where they meet, flow is sent along the path; pixels that it cuts off look for another parent or become free, and the trees grow on. What the source's tree
 * holds when they no longer meet is inside.
 *
 *   node: pixel of the grid with a frame of unlinked ones around it, so that every pixel has eight neighbours
 *   residual (n, 8): what may still flow to each neighbour; terminal (n): from the source, below 0: to the sink
 */

#include "vision/graph-cut.h"

#include "base/memory.h"

#define N_WAYS         8
#define CHECK_INTERVAL 4096 /* paths between two looks at the cancellable */

enum { PARENT_TERMINAL = N_WAYS, PARENT_ORPHAN, PARENT_NONE }; /* below: the way to the parent */

typedef struct
{
  int     n, ways[N_WAYS]; /* nodes; steps to the neighbours. way ^ 1 leads back */
  float  *residual, *terminal;
  guint8 *from_source, *parent;
  int    *time, *distance; /* when the way to the root was last seen, and how long it was */
  int    *next_active, first_active, last_active; /* a queue; next_active: 0: not in it, itself: the last */
  int    *orphans, n_orphans;
  int     now;
} Cut;

/* ---- making ----------------------------------------------------------------------------------------------------------------------------- */

static void
cut_clear (Cut *cut)
{
  memory_free (cut->residual);
  memory_free (cut->terminal);
  memory_free (cut->from_source);
  memory_free (cut->parent);
  memory_free (cut->time);
  memory_free (cut->distance);
  memory_free (cut->next_active);
  memory_free (cut->orphans);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cut, cut_clear)

static gboolean
cut_alloc (Cut *cut, GError **error)
{
  gsize n = (gsize) cut->n;

  return (cut->residual = memory_alloc_n (n, N_WAYS * sizeof (float), "the cut", error)) && (cut->terminal = memory_alloc_n (n, sizeof (float), "the cut", error))
         && (cut->from_source = memory_alloc_n (n, 1, "the cut", error)) && (cut->parent = memory_alloc_n (n, 1, "the cut", error))
         && (cut->time = memory_alloc_n (n, sizeof (int), "the cut", error)) && (cut->distance = memory_alloc_n (n, sizeof (int), "the cut", error))
         && (cut->next_active = memory_alloc_n (n, sizeof (int), "the cut", error))
         && (cut->orphans = memory_alloc_n (n, sizeof (int), "the cut", error));
}

static void
activate (Cut *cut, int node)
{
  if (cut->next_active[node])
    return;
  cut->next_active[node] = node;
  if (cut->last_active)
    cut->next_active[cut->last_active] = node;
  else
    cut->first_active = node;
  cut->last_active = node;
}

/* The next active node that is still in a tree; 0: none. */
static int
take_active (Cut *cut)
{
  int node;

  while ((node = cut->first_active))
    {
      if (cut->next_active[node] == node)
        cut->first_active = cut->last_active = 0;
      else
        cut->first_active = cut->next_active[node];
      cut->next_active[node] = 0;
      if (cut->parent[node] != PARENT_NONE)
        break;
    }
  return node;
}

static void
fill (Cut *cut, int width, int height, const float *costs_inside, const float *costs_outside, const float *links)
{
  static const int way_of_link[GRAPH_LINKS] = { 0, 2, 4, 6 };

  for (int node = 0; node < cut->n; node++)
    cut->parent[node] = PARENT_NONE;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        int node = (y + 1) * (width + 2) + x + 1;
        gsize at = (gsize) y * (gsize) width + (gsize) x;

        for (int k = 0; k < GRAPH_LINKS; k++)
          {
            int way = way_of_link[k], to = node + cut->ways[way], column = x + (k == GRAPH_RIGHT || k == GRAPH_DOWN_RIGHT) - (k == GRAPH_DOWN_LEFT);

            if (column < 0 || column >= width || (k != GRAPH_RIGHT && y + 1 >= height))
              continue;
            cut->residual[node * N_WAYS + way] = cut->residual[to * N_WAYS + (way ^ 1)] = links[GRAPH_LINKS * at + (gsize) k];
          }
        cut->terminal[node] = costs_outside[at] - costs_inside[at];
        if (cut->terminal[node] == 0.0f)
          continue;
        cut->from_source[node] = cut->terminal[node] > 0.0f;
        cut->parent[node] = PARENT_TERMINAL;
        cut->distance[node] = 1;
        activate (cut, node);
      }
}

/* ---- flowing ------------------------------------------------------------------------------------------------------------------------------ */

/* What may flow between a node of a tree and the neighbour that lies `way` from it, in the tree's direction: away from the source, or towards the sink. */
static float
outward (const Cut *cut, int node, int way)
{
  return cut->from_source[node] ? cut->residual[node * N_WAYS + way] : cut->residual[(node + cut->ways[way]) * N_WAYS + (way ^ 1)];
}

/* The tree of `node` grows by one layer. Returns the way to a neighbour of the other tree, or -1. */
static int
grow (Cut *cut, int node)
{
  for (int way = 0; way < N_WAYS; way++)
    {
      int to = node + cut->ways[way];

      if (!(outward (cut, node, way) > 0.0f))
        continue;
      if (cut->parent[to] != PARENT_NONE && cut->from_source[to] != cut->from_source[node])
        return way;
      if (cut->parent[to] == PARENT_NONE)
        {
          cut->from_source[to] = cut->from_source[node];
          activate (cut, to);
        }
      else if (cut->time[to] > cut->time[node] || cut->distance[to] <= cut->distance[node])
        continue; /* its own way to the root is no longer */
      cut->parent[to] = (guint8) (way ^ 1);
      cut->time[to] = cut->time[node];
      cut->distance[to] = cut->distance[node] + 1;
    }
  return -1;
}

static void
orphan (Cut *cut, int node)
{
  cut->parent[node] = PARENT_ORPHAN;
  cut->orphans[cut->n_orphans++] = node;
}

/* The residual between a node and its parent, in the direction of the flow. */
static float *
parent_residual (Cut *cut, int node)
{
  int way = cut->parent[node];

  return cut->from_source[node] ? &cut->residual[(node + cut->ways[way]) * N_WAYS + (way ^ 1)] : &cut->residual[node * N_WAYS + way];
}

/* From `node` to its root: the least residual (send 0), or `send` taken from each. */
static float
walk (Cut *cut, int node, float send)
{
  float least = G_MAXFLOAT, left;

  while (cut->parent[node] != PARENT_TERMINAL)
    {
      float *residual = parent_residual (cut, node);
      int    way = cut->parent[node];

      least = MIN (least, *residual);
      if (send > 0.0f)
        {
          *residual -= send;
          *(cut->from_source[node] ? &cut->residual[node * N_WAYS + way] : &cut->residual[(node + cut->ways[way]) * N_WAYS + (way ^ 1)]) += send;
          if (!(*residual > 0.0f))
            orphan (cut, node);
        }
      node += cut->ways[way];
    }
  left = cut->from_source[node] ? cut->terminal[node] : -cut->terminal[node];
  if (send > 0.0f)
    {
      cut->terminal[node] -= cut->from_source[node] ? send : -send;
      if (!(left - send > 0.0f))
        orphan (cut, node);
    }
  return MIN (least, left);
}

/* `from` is of the source's tree, what lies `way` from it of the sink's. */
static void
augment (Cut *cut, int from, int way)
{
  int   to = from + cut->ways[way];
  float send = cut->residual[from * N_WAYS + way], up = walk (cut, from, 0.0f), down = walk (cut, to, 0.0f);

  send = MIN (send, MIN (up, down));
  cut->residual[from * N_WAYS + way] -= send;
  cut->residual[to * N_WAYS + (way ^ 1)] += send;
  walk (cut, from, send);
  walk (cut, to, send);
}

/* How far the root is, 0: the way there leads to an orphan. */
static int
find_root (Cut *cut, int node)
{
  int steps = 0, at = node, distance;

  while (cut->time[at] != cut->now)
    {
      steps++;
      if (cut->parent[at] == PARENT_TERMINAL)
        break;
      if (cut->parent[at] == PARENT_ORPHAN)
        return 0;
      at += cut->ways[cut->parent[at]];
    }
  if (cut->time[at] != cut->now)
    {
      cut->time[at] = cut->now;
      cut->distance[at] = 1;
      steps--;
    }
  distance = cut->distance[at] + steps;
  for (int step = distance; cut->time[node] != cut->now; step--)
    {
      cut->time[node] = cut->now;
      cut->distance[node] = step;
      node += cut->ways[cut->parent[node]];
    }
  return distance;
}

/* A node that has lost its parent takes the neighbour that is nearest to the root, or becomes free. */
static void
adopt (Cut *cut, int node)
{
  int best = -1, least = G_MAXINT;

  for (int way = 0; way < N_WAYS; way++)
    {
      int to = node + cut->ways[way], distance;

      if (cut->parent[to] == PARENT_NONE || cut->from_source[to] != cut->from_source[node] || !(outward (cut, to, way ^ 1) > 0.0f))
        continue;
      distance = find_root (cut, to);
      if (distance && distance < least)
        {
          best = way;
          least = distance;
        }
    }
  if (best >= 0)
    {
      cut->parent[node] = (guint8) best;
      cut->time[node] = cut->now;
      cut->distance[node] = least + 1;
      return;
    }
  for (int way = 0; way < N_WAYS; way++)
    {
      int to = node + cut->ways[way];

      if (cut->parent[to] == PARENT_NONE || cut->from_source[to] != cut->from_source[node])
        continue;
      if (outward (cut, to, way ^ 1) > 0.0f)
        activate (cut, to);
      if (cut->parent[to] == (way ^ 1))
        orphan (cut, to);
    }
  cut->parent[node] = PARENT_NONE;
}

/* ---- public ------------------------------------------------------------------------------------------------------------------------------- */

gboolean
graph_cut (int width, int height, const float *costs_inside, const float *costs_outside, const float *links, guint8 *inside, GCancellable *cancellable,
           GError **error)
{
  int        row = width + 2, node;
  g_auto (Cut) cut = { .n = row * (height + 2), .ways = { 1, -1, row, -row, row + 1, -row - 1, row - 1, -row + 1 } };

  if (!cut_alloc (&cut, error))
    return FALSE;
  fill (&cut, width, height, costs_inside, costs_outside, links);
  while ((node = take_active (&cut)))
    for (int way; cut.parent[node] != PARENT_NONE && (way = grow (&cut, node)) >= 0;)
      {
        cut.now++;
        if (cut.now % CHECK_INTERVAL == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
          return FALSE;
        augment (&cut, cut.from_source[node] ? node : node + cut.ways[way], cut.from_source[node] ? way : way ^ 1);
        while (cut.n_orphans)
          adopt (&cut, cut.orphans[--cut.n_orphans]);
      }
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        node = (y + 1) * row + x + 1;
        inside[(gsize) y * (gsize) width + (gsize) x] = cut.parent[node] != PARENT_NONE && cut.from_source[node];
      }
  return TRUE;
}
