/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augment.c: `fovea augment`: a contact sheet of what training shows a network: each photo as it is, then in other forms, boxes and masks drawn in.
 */

#include <string.h>

#include "command.h"
#include "draw.h"
#include "image.h"
#include "output-file.h"
#include "train-options.h"
#include "verbs.h"

#define GAP  4    /* pixels between pictures */
#define TINT 0.5  /* of a mask's colour */

static const CommandHelp help = {
  "augment", "--data DIR --sheet FILE",
  "Draws a contact sheet of what the settings of fovea train do to photos: a row for each photo, first as it is, then in the forms in which training shows it,\n"
  "with boxes and masks drawn in. The same seed draws the same sheet. DIR is laid out as for fovea train.",
  "  fovea augment --data flowers/ --sheet forms.png                         what training does to flowers unless told otherwise\n"
  "  fovea augment --data photos/ --task detect --mosaic 1 --sheet forms.png\n"
  "  fovea augment --data flowers/ --rotate 180 --hue 0.1 --photos 10 --forms 5 --sheet forms.png\n",
};

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
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "The sheet is too large. Draw fewer or smaller photos (--photos, --forms, --size).");
      return FALSE;
    }
  gdk_pixbuf_copy_area (picture, 0, 0, form->size, form->size, sheet->sheet, GAP + (int) form->form * step, GAP + (int) form->photo * step);
  return TRUE;
}

static int
draw (TrainOptions *given, FoveaTrainSettings *settings, const char *file, guint n_photos, Sheet *sheet)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = NULL;

  if (given->tags && !g_file_get_contents (given->tags, &text, NULL, &error))
    return command_fail (FALSE, error);
  settings->tags = text;
  if (!fovea_train_show_forms (given->data, settings, n_photos, sheet->n_forms, image_read_file, NULL, add_form, sheet, NULL, &error)
      || !output_file_write_png (file, sheet->sheet, &error))
    return command_fail (FALSE, error);
  g_print ("%s\n", file);
  return COMMAND_OK;
}

int
verb_augment (int argc, char **argv)
{
  TrainOptions             given;
  FoveaTrainSettings       settings;
  Sheet                    sheet = { NULL };
  g_autofree char         *file = NULL;
  int                      n_photos = 6, n_forms = 7, status;
  const char              *wrong;
  const GOptionEntry       own[] = {
    { "sheet", 0, 0, G_OPTION_ARG_FILENAME, &file, "The picture to write, PNG", "FILE" },
    { "photos", 0, 0, G_OPTION_ARG_INT, &n_photos, "How many photos (6)", "N" },
    { "forms", 0, 0, G_OPTION_ARG_INT, &n_forms, "How many forms of each (7)", "N" },
    { NULL },
  };
  g_autofree GOptionEntry *entries = train_options_join (own, &given);

  train_options_init (&given);
  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  wrong = !given.data || !file || argc > 1                                    ? "Give --data and --sheet."
          : n_photos < 1 || n_photos > 1000 || n_forms < 0 || n_forms > 1000 ? "Give 1 to 1000 photos, and 0 to 1000 forms of each."
                                                                              : train_options_read (&given, &settings);
  sheet.n_forms = (guint) n_forms;
  status = wrong ? command_usage (&help, FALSE, "%s", wrong) : draw (&given, &settings, file, (guint) n_photos, &sheet);
  g_clear_object (&sheet.sheet);
  train_options_clear (&given);
  return status;
}
