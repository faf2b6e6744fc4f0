/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate-sheet.c: see evaluate-sheet.h.
 */

#include "evaluate-sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "image.h"
#include "operation.h"
#include "output-file.h"
#include "pictures.h"

#define N_COLUMNS 8   /* photos of a kind: the best, those in the middle, the worst */
#define SIDE      240 /* pixels that a photo may take */
#define GAP       6
#define N_NAMES   3   /* of a classifier's answer */

static int
compare_scores (gconstpointer a, gconstpointer b)
{
  double x = ((const FoveaPhotoScore *) a)->score, y = ((const FoveaPhotoScore *) b)->score;

  return x < y ? 1 : x > y ? -1 : 0;
}

/* The model's answer drawn into a copy of the photo; of a classifier its names in `words`. */
static GdkPixbuf *
draw_answer (Operation *operation, GdkPixbuf *photo, GString *words, GError **error)
{
  g_autoptr (Finding)   finding = operation_look (operation, 0, photo, NULL, error);
  g_autoptr (GdkPixbuf) small = NULL;
  int                   longer = MAX (gdk_pixbuf_get_width (photo), gdk_pixbuf_get_height (photo));

  if (!finding)
    return NULL;
  for (gsize i = 0; finding->classes && i < MIN (finding->classes->n, N_NAMES); i++)
    g_string_append_printf (words, "%s%s %.0f %%", i ? ", " : "", finding->classes->classes[i].label, finding->classes->classes[i].score * 100.0);
  if (finding->objects)
    return draw_objects (photo, finding->objects, error);
  small = gdk_pixbuf_scale_simple (photo, MAX (1, gdk_pixbuf_get_width (photo) * SIDE / longer), MAX (1, gdk_pixbuf_get_height (photo) * SIDE / longer),
                                   GDK_INTERP_BILINEAR);
  if (!small)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "Not enough memory to draw a photo. Close other programs.");
  else if (finding->masks && !pictures_tint (small, photo, finding, error))
    return NULL;
  return g_steal_pointer (&small);
}

static gboolean
add_photo (DrawnSheet *sheet, guint row, guint column, Operation *operation, const FoveaPhotoScore *score, GError **error)
{
  g_autoptr (GdkPixbuf) photo = image_load (score->file, error), drawn = NULL;
  g_autofree char      *name = g_path_get_basename (score->file);
  g_autoptr (GString)   words = g_string_new (NULL);

  g_string_append_printf (words, "%.2f  %s\n", score->score, name);
  drawn = photo ? draw_answer (operation, photo, words, error) : NULL;
  return drawn && drawn_sheet_put (sheet, row, column, drawn, words->str, error);
}

gboolean
evaluate_sheet_write (const char *file, const char *model, OperationKind kind, FoveaEvaluation *evaluation, guint n_threads, GError **error)
{
  static const char *const titles[] = { "Best", "In the middle", "Worst" };
  const OperationSettings  settings = { .kind = kind, .top = N_NAMES, .selection = { .threshold = -1.0, .overlap = -1.0 }, .mask = { .threshold = 0.5, .softness = 1.0 } };
  const guint              n = (guint) MIN (evaluation->n_photos, N_COLUMNS);
  const gsize              first[] = { 0, (evaluation->n_photos - n) / 2, evaluation->n_photos - n };
  g_autoptr (Operation)    operation = operation_new (model, &settings, 1, n_threads, error);
  g_autoptr (GdkPixbuf)    picture = NULL;
  DrawnSheet              *sheet;

  sheet = operation ? drawn_sheet_new (G_N_ELEMENTS (titles), N_COLUMNS, SIDE, GAP, error) : NULL;
  if (!sheet)
    return FALSE;
  if (n > 0)
    qsort (evaluation->photos, evaluation->n_photos, sizeof *evaluation->photos, compare_scores);
  for (guint row = 0; row < G_N_ELEMENTS (titles); row++)
    {
      drawn_sheet_title (sheet, row, titles[row]);
      for (guint column = 0; column < n; column++)
        if (!add_photo (sheet, row, column, operation, &evaluation->photos[first[row] + column], error))
          {
            drawn_sheet_free (sheet);
            return FALSE;
          }
    }
  picture = drawn_sheet_finish (sheet, error);
  return picture && output_file_write_png (file, picture, error);
}
