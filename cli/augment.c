/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augment.c: `fovea augment`: a contact sheet of what training shows a network: each photo as it is, then in other forms, boxes and masks drawn in.
 */

#include "command.h"
#include "form-sheet.h"
#include "image.h"
#include "output-file.h"
#include "train-options.h"
#include "verbs.h"

static const CommandHelp help = {
  "augment", "--data DIR --sheet FILE",
  "Draws a contact sheet of what the settings of fovea train do to photos: a row for each photo, first as it is, then in the forms in which training shows it,\n"
  "with boxes and masks drawn in. The same seed draws the same sheet. DIR is laid out as for fovea train.",
  "  fovea augment --data flowers/ --sheet forms.png                         what training does to flowers unless told otherwise\n"
  "  fovea augment --data photos/ --task detect --mosaic 1 --sheet forms.png\n"
  "  fovea augment --data flowers/ --rotate 180 --hue 0.1 --photos 10 --forms 5 --sheet forms.png\n",
};

static int
draw (TrainOptions *given, FoveaTrainSettings *settings, const char *file, guint n_photos, guint n_forms)
{
  g_autoptr (GError)    error = NULL;
  g_autoptr (GdkPixbuf) sheet = NULL;
  g_autofree char      *text = NULL;

  if (given->tags && !g_file_get_contents (given->tags, &text, NULL, &error))
    return command_fail (FALSE, error);
  settings->tags = text;
  sheet = form_sheet_draw (given->data, settings, n_photos, n_forms, image_read_file, NULL, NULL, &error);
  if (!sheet || !output_file_write_png (file, sheet, &error))
    return command_fail (FALSE, error);
  g_print ("%s\n", file);
  return COMMAND_OK;
}

int
verb_augment (int argc, char **argv)
{
  TrainOptions             given;
  FoveaTrainSettings       settings;
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
  status = wrong ? command_usage (&help, FALSE, "%s", wrong) : draw (&given, &settings, file, (guint) n_photos, (guint) n_forms);
  train_options_clear (&given);
  return status;
}
