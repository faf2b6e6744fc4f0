/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * parts.c: masks taken apart: by the objects that the network told apart; else where they don't hang together: what a class's mask shows twice is two things.
 * Pixels of the soft border go to the part that they are nearest to.
 */

#include <string.h>

#include "base/memory.h"
#include "vision/masks.h"

#define LEAST_SHARE 0.02f  /* of a pixel that belongs to a part's border */
#define LEAST_AREA  0.0005 /* of the photo: smaller parts are specks */
#define MAX_PARTS   64     /* of a photo */

typedef struct
{
  gsize mask;          /* that it is of */
  int   number, size;  /* its number in the mask's numbers; pixels */
} Part;

/* Gives each pixel that is reached from the queue's through pixels above `least` its neighbour's number. Returns how many the queue holds then. */
static int
spread (const float *shares, int width, int height, float least, int *numbers, int *queue, int n)
{
  for (int i = 0; i < n; i++)
    {
      int at = queue[i], x = at % width, y = at / width;
      int beside[] = { x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, y > 0 ? at - width : -1, y < height - 1 ? at + width : -1 };

      for (int k = 0; k < 4; k++)
        if (beside[k] >= 0 && !numbers[beside[k]] && shares[beside[k]] >= least)
          {
            numbers[beside[k]] = numbers[at];
            queue[n++] = beside[k];
          }
    }
  return n;
}

/* Numbers the parts of one mask from 1 on, adds those that are large enough to `parts`, and gives the borders to them. */
static void
find_parts (const MaskStack *stack, gsize mask, float threshold, int *numbers, int *queue, GArray *parts)
{
  int          size = stack->width * stack->height, n_parts = 0, n = 0;
  const float *shares = stack->shares + mask * (gsize) size;

  memset (numbers, 0, (gsize) size * sizeof *numbers);
  for (int at = 0; at < size; at++)
    if (!numbers[at] && shares[at] >= threshold)
      {
        Part part = { mask, ++n_parts, 0 };

        numbers[at] = n_parts;
        queue[0] = at;
        part.size = spread (shares, stack->width, stack->height, threshold, numbers, queue, 1);
        if (part.size >= LEAST_AREA * size)
          g_array_append_val (parts, part);
      }
  for (int at = 0; at < size; at++)
    if (numbers[at])
      queue[n++] = at;
  spread (shares, stack->width, stack->height, LEAST_SHARE, numbers, queue, n);
}

static int
compare_sizes (gconstpointer a, gconstpointer b)
{
  return ((const Part *) b)->size - ((const Part *) a)->size;
}

/* Masks of the same photo: those of `stack`, which is taken over; labels[i] is the name of mask i. */
static FoveaMasks *
with_stack (const FoveaMasks *masks, MaskStack *stack, char **labels)
{
  FoveaMasks *result = g_new0 (FoveaMasks, 1);

  *result = (FoveaMasks) { .photo_width = masks->photo_width, .photo_height = masks->photo_height, .guide_width = masks->guide_width,
                           .guide_height = masks->guide_height, .n_threads = masks->n_threads, .stack = stack, .labels = labels };
  result->guide = g_memdup2 (masks->guide, (gsize) masks->guide_width * (gsize) masks->guide_height * 3);
  return result;
}

/* The name of a class that has a mask. */
static const char *
find_label (const FoveaMasks *masks, gsize class)
{
  gsize i = 0;

  while (masks->stack->classes[i] != class)
    i++;
  return masks->labels[i];
}

/* The objects that the network told apart. */
static FoveaMasks *
take_objects (const FoveaMasks *masks, double threshold, GError **error)
{
  const MaskStack      *objects = masks->objects;
  gsize                 size = (gsize) objects->width * (gsize) objects->height;
  g_autoptr (GArray)    parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_autoptr (MaskStack) stack = g_new0 (MaskStack, 1);
  char                **labels;

  for (gsize k = 0; k < objects->n; k++)
    {
      Part part = { k, 0, 0 };

      for (gsize at = 0; at < size; at++)
        part.size += objects->shares[k * size + at] >= (float) threshold;
      if (part.size > 0)
        g_array_append_val (parts, part);
    }
  g_array_sort (parts, compare_sizes);
  *stack = (MaskStack) { .n = parts->len, .width = objects->width, .height = objects->height, .classes = g_new0 (gsize, parts->len + 1) };
  stack->shares = memory_alloc_n (MAX (stack->n, 1) * size, sizeof (float), "the parts", error);
  if (!stack->shares)
    return NULL;
  labels = g_new0 (char *, stack->n + 1);
  for (gsize k = 0; k < stack->n; k++)
    {
      gsize object = g_array_index (parts, Part, k).mask;

      stack->classes[k] = objects->classes[object];
      labels[k] = g_strdup (find_label (masks, objects->classes[object]));
      memcpy (stack->shares + k * size, objects->shares + object * size, size * sizeof (float));
    }
  return with_stack (masks, g_steal_pointer (&stack), labels);
}

/* The parts that hang together. */
static FoveaMasks *
find_all_parts (const FoveaMasks *masks, double threshold, GError **error)
{
  const MaskStack      *stack = masks->stack;
  gsize                 size = (gsize) stack->width * (gsize) stack->height;
  int                  *numbers = memory_alloc_n (MAX (stack->n, 1) * size, sizeof (int), "the parts", error);
  int                  *queue = numbers ? memory_alloc_n (size, sizeof (int), "the parts", error) : NULL;
  g_autoptr (GArray)    parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_autoptr (MaskStack) split = g_new0 (MaskStack, 1);
  FoveaMasks           *result = NULL;

  for (gsize i = 0; queue && i < stack->n; i++)
    find_parts (stack, i, (float) threshold, numbers + i * size, queue, parts);
  g_array_sort (parts, compare_sizes);
  split->n = MIN (parts->len, MAX_PARTS);
  split->width = stack->width;
  split->height = stack->height;
  split->classes = g_new0 (gsize, split->n + 1);
  split->shares = queue ? memory_alloc_n (MAX (split->n, 1) * size, sizeof (float), "the parts", error) : NULL;
  for (gsize k = 0; split->shares && k < split->n; k++)
    {
      const Part *part = &g_array_index (parts, Part, k);

      split->classes[k] = stack->classes[part->mask];
      for (gsize at = 0; at < size; at++)
        if (numbers[part->mask * size + at] == part->number)
          split->shares[k * size + at] = stack->shares[part->mask * size + at];
    }
  if (split->shares)
    {
      char **labels = g_new0 (char *, split->n + 1);

      for (gsize k = 0; k < split->n; k++)
        labels[k] = g_strdup (masks->labels[g_array_index (parts, Part, k).mask]);
      result = with_stack (masks, g_steal_pointer (&split), labels);
    }
  memory_free (queue);
  memory_free (numbers);
  return result;
}

FoveaMasks *
fovea_masks_split (const FoveaMasks *masks, double threshold, GError **error)
{
  return masks->objects ? take_objects (masks, threshold, error) : find_all_parts (masks, threshold, error);
}
