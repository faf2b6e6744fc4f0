/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nms.c: non-maximum suppression, plain, over all classes, and soft. A slider waits for it: it costs the number of boxes times the number of those that
 * stay.
 */

#include "vision/nms.h"

#define SIGMA 0.5 /* of soft suppression, as in the paper */

double
nms_overlap (const Box *a, const Box *b)
{
  double width = (double) MIN (a->right, b->right) - MAX (a->left, b->left), height = (double) MIN (a->bottom, b->bottom) - MAX (a->top, b->top), both;

  if (width <= 0 || height <= 0)
    return 0;
  both = width * height;
  return both / (((double) a->right - a->left) * ((double) a->bottom - a->top) + ((double) b->right - b->left) * ((double) b->bottom - b->top) - both);
}

static gsize
suppress_hard (const Box *boxes, gsize n, gboolean all, double overlap, double threshold, gsize most, Box *kept)
{
  gsize n_kept = 0;

  for (gsize i = 0; i < n && n_kept < most && boxes[i].score >= threshold; i++)
    {
      gboolean stays = TRUE;

      for (gsize k = 0; k < n_kept && stays; k++)
        stays = !(all || kept[k].label == boxes[i].label) || nms_overlap (&kept[k], &boxes[i]) <= overlap;
      if (stays)
        kept[n_kept++] = boxes[i];
    }
  return n_kept;
}

/* The place of the best of boxes [first, n). */
static gsize
find_best (const Box *boxes, gsize first, gsize n)
{
  gsize best = first;

  for (gsize i = first + 1; i < n; i++)
    if (boxes[i].score > boxes[best].score)
      best = i;
  return best;
}

/* `kept` holds all boxes; those in front of `done` are final. */
static gsize
suppress_soft (const Box *boxes, gsize n, double threshold, gsize most, Box *kept)
{
  gsize n_left = 0, done = 0;

  for (gsize i = 0; i < n && boxes[i].score >= threshold; i++)
    kept[n_left++] = boxes[i];
  while (done < n_left && done < most)
    {
      gsize best = find_best (kept, done, n_left), n_next;
      Box   box = kept[best];

      kept[best] = kept[done];
      kept[done++] = box;
      n_next = done;
      for (gsize i = done; i < n_left; i++)
        {
          if (kept[i].label == box.label)
            {
              double overlap = nms_overlap (&box, &kept[i]);

              kept[i].score *= (float) exp (-overlap * overlap / SIGMA);
            }
          if (kept[i].score >= threshold)
            kept[n_next++] = kept[i];
        }
      n_left = n_next;
    }
  return done;
}

gsize
nms_suppress (const Box *boxes, gsize n, FoveaSuppression method, double overlap, double threshold, gsize most, Box *kept)
{
  if (method == FOVEA_SUPPRESS_SOFT)
    return suppress_soft (boxes, n, threshold, most, kept);
  return suppress_hard (boxes, n, method == FOVEA_SUPPRESS_ALL, overlap, threshold, most, kept);
}
