/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * form-sheet.c: see form-sheet.h.
 */

#include "form-sheet.h"

#include <string.h>

#include "draw.h"

#define GAP  4    /* pixels between pictures */
#define TINT 0.5  /* of a mask's colour */

typedef struct
{
  GdkPixbuf *sheet;
  guint      n_forms;
} Sheet;

/* A copy of the form's pixels. */
static GdkPixbuf *
copy_pixels (const FoveaTrainForm *form)
{
  GdkPixbuf *picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, form->size, form->size);

  for (int y = 0; picture && y < form->size; y++)
    memcpy (gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture), form->rgb + (gsize) y * (gsize) form->size * 3,
            (gsize) form->size * 3);
  return picture;
}

/* Classes in their colours; what is unknown becomes gray. */
static void
tint (GdkPixbuf *picture, const FoveaTrainForm *form)
{
  for (int y = 0; y < form->size; y++)
    for (int x = 0; x < form->size; x++)
      {
        guint8 *pixel = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture) + 3 * (gsize) x;
        guint8  index = form->mask[(gsize) y * (gsize) form->size + (gsize) x], colour[3] = { 128, 128, 128 };

        if (index != FOVEA_PIXEL_UNKNOWN && index)
          fovea_get_class_colour (index - 1u, colour);
        for (int c = 0; c < 3 && index; c++)
          pixel[c] = (guint8) (pixel[c] + TINT * (colour[c] - pixel[c]));
      }
}

static gboolean
add_form (const FoveaTrainForm *form, gpointer user_data, GError **error)
{
  Sheet                *sheet = user_data;
  int                   step = form->size + GAP;
  g_autoptr (GdkPixbuf) picture = copy_pixels (form);

  if (!sheet->sheet)
    {
      sheet->sheet = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, (int) (sheet->n_forms + 1) * step + GAP, (int) form->n_photos * step + GAP);
      if (sheet->sheet)
        gdk_pixbuf_fill (sheet->sheet, 0xffffffff);
    }
  if (picture && form->mask)
    tint (picture, form);
  if (picture && form->objects)
    {
      GdkPixbuf *drawn = draw_objects (picture, form->objects, error);

      if (!drawn)
        return FALSE;
      g_object_unref (picture);
      picture = drawn;
    }
  if (!picture || !sheet->sheet)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "The sheet is too large. Draw fewer or smaller photos.");
      return FALSE;
    }
  gdk_pixbuf_copy_area (picture, 0, 0, form->size, form->size, sheet->sheet, GAP + (int) form->form * step, GAP + (int) form->photo * step);
  return TRUE;
}

GdkPixbuf *
form_sheet_draw (const char *data, const FoveaTrainSettings *settings, guint n_photos, guint n_forms, FoveaReadFile read, gpointer read_data,
                 GCancellable *cancellable, GError **error)
{
  Sheet sheet = { NULL, n_forms };

  if (!fovea_train_show_forms (data, settings, n_photos, n_forms, read, read_data, add_form, &sheet, cancellable, error))
    g_clear_object (&sheet.sheet);
  return sheet.sheet;
}
