/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-blobs.c: see label-blobs.h. Runs of a row join the blobs of the runs above that they touch (union-find).
 */

#include "label-blobs.h"

typedef struct
{
  int   start, end; /* columns, end excluded */
  guint blob;
} Run;

/* left, top, right, bottom: the last two excluded. */
typedef struct
{
  guint   parent; /* itself: a blob; else it was joined to another */
  int     left, top, right, bottom;
  guint64 pixels;
} Part;

struct _LabelBlobs
{
  GArray *parts;       /* of Part */
  GArray *above, *now; /* of Run */
  int     row;         /* of `above` */
};

LabelBlobs *
label_blobs_new (void)
{
  LabelBlobs *blobs = g_new0 (LabelBlobs, 1);

  blobs->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  blobs->above = g_array_new (FALSE, FALSE, sizeof (Run));
  blobs->now = g_array_new (FALSE, FALSE, sizeof (Run));
  return blobs;
}

void
label_blobs_free (LabelBlobs *blobs)
{
  if (!blobs)
    return;
  g_array_unref (blobs->parts);
  g_array_unref (blobs->above);
  g_array_unref (blobs->now);
  g_free (blobs);
}

static Part *
part_at (LabelBlobs *blobs, guint i)
{
  return &g_array_index (blobs->parts, Part, i);
}

static guint
find_root (LabelBlobs *blobs, guint i)
{
  while (part_at (blobs, i)->parent != i)
    i = part_at (blobs, i)->parent = part_at (blobs, part_at (blobs, i)->parent)->parent;
  return i;
}

/* The older of the two stays: it has the first pixel. */
static guint
join (LabelBlobs *blobs, guint a, guint b)
{
  guint older = MIN (a, b), newer = MAX (a, b);
  Part *to = part_at (blobs, older), *from = part_at (blobs, newer);

  if (a == b)
    return a;
  to->left = MIN (to->left, from->left);
  to->top = MIN (to->top, from->top);
  to->right = MAX (to->right, from->right);
  to->bottom = MAX (to->bottom, from->bottom);
  to->pixels += from->pixels;
  from->parent = older;
  return older;
}

/* `next`: the first run above that may still touch. */
static void
add_run (LabelBlobs *blobs, int y, int start, int end, guint *next)
{
  Part  part = { blobs->parts->len, start, y, end, y + 1, (guint64) (end - start) };
  Run   run = { start, end, blobs->parts->len };
  guint i = *next;

  g_array_append_val (blobs->parts, part);
  while (i < blobs->above->len && g_array_index (blobs->above, Run, i).end < start)
    i++;
  *next = i;
  for (; i < blobs->above->len && g_array_index (blobs->above, Run, i).start <= end; i++)
    run.blob = join (blobs, find_root (blobs, run.blob), find_root (blobs, g_array_index (blobs->above, Run, i).blob));
  g_array_append_val (blobs->now, run);
}

void
label_blobs_add_row (LabelBlobs *blobs, int x, int y, const guint8 *painted, int n)
{
  GArray *swap = blobs->above;
  guint   next = 0;

  if (y != blobs->row + 1)
    g_array_set_size (blobs->above, 0);
  g_array_set_size (blobs->now, 0);
  for (int i = 0; i < n;)
    {
      int start = i;

      if (!painted[i])
        {
          i++;
          continue;
        }
      while (i < n && painted[i])
        i++;
      add_run (blobs, y, x + start, x + i, &next);
    }
  blobs->above = blobs->now;
  blobs->now = swap;
  blobs->row = y;
}

GArray *
label_blobs_list (LabelBlobs *blobs)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (LabelBlob));

  for (guint i = 0; i < blobs->parts->len; i++)
    {
      const Part *part = part_at (blobs, i);
      LabelBlob   blob = { part->left, part->top, part->right - part->left, part->bottom - part->top, part->pixels };

      if (part->parent == i)
        g_array_append_val (list, blob);
    }
  return list;
}
