/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt-text.c: see prompt-text.h.
 */

#include "prompt-text.h"

#include <math.h>

#define REGION_SIDE 512 /* of what boxes cover, at most */

/* n numbers with commas between, and nothing else. */
static gboolean
read_numbers (const char *text, double *numbers, int n)
{
  for (int i = 0; i < n; i++)
    {
      char *end;

      numbers[i] = g_ascii_strtod (text, &end);
      if (end == text || !isfinite (numbers[i]) || *end != (i + 1 < n ? ',' : '\0'))
        return FALSE;
      text = end + 1;
    }
  return TRUE;
}

gboolean
prompt_text_read_point (const char *word, FoveaPromptPoint *point)
{
  double numbers[2];

  point->inside = *word != '!';
  if (!read_numbers (word + !point->inside, numbers, 2))
    return FALSE;
  point->x = numbers[0];
  point->y = numbers[1];
  return TRUE;
}

/* box: x, y, width, height. */
static void
add_box (PromptText *read, int width, int height, const double box[4])
{
  FoveaPrompt *prompt = &read->prompt;
  double       scale = MIN (1.0, REGION_SIDE / (double) MAX (width, height));

  if (!read->region)
    {
      prompt->region_width = MAX (1, (int) rint (width * scale));
      prompt->region_height = MAX (1, (int) rint (height * scale));
      read->region = g_new0 (float, (gsize) prompt->region_width * (gsize) prompt->region_height);
    }
  for (int y = 0; y < prompt->region_height; y++)
    for (int x = 0; x < prompt->region_width; x++)
      {
        double u = (x + 0.5) * width / prompt->region_width, v = (y + 0.5) * height / prompt->region_height;

        if (u >= box[0] && u <= box[0] + box[2] && v >= box[1] && v <= box[1] + box[3])
          read->region[(gsize) y * (gsize) prompt->region_width + (gsize) x] = 1.0f;
      }
}

gboolean
prompt_text_read (const char *text, int width, int height, PromptText *read, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  *read = (PromptText) { .points = g_array_new (FALSE, FALSE, sizeof (FoveaPromptPoint)) };
  for (guint i = 0; words[i]; i++)
    {
      FoveaPromptPoint point;
      double           box[4];

      if (!*words[i])
        continue;
      if (prompt_text_read_point (words[i], &point))
        g_array_append_val (read->points, point);
      else if (read_numbers (words[i], box, 4) && box[2] > 0 && box[3] > 0)
        add_box (read, width, height, box);
      else
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                       "“%s” is neither a point nor a box. Write points as “120,80”, “!120,80” where the thing isn't, boxes as “x,y,width,height”, with spaces between.",
                       words[i]);
          return FALSE;
        }
    }
  prompt_text_join (read);
  return TRUE;
}

void
prompt_text_join (PromptText *read)
{
  read->prompt.region = read->region;
  read->prompt.points = (const FoveaPromptPoint *) (gpointer) read->points->data;
  read->prompt.n_points = read->points->len;
}

void
prompt_text_clear (PromptText *read)
{
  g_free (read->region);
  g_clear_pointer (&read->points, g_array_unref);
  *read = (PromptText) { { 0 } };
}
