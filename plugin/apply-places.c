/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply-places.c: see apply-places.h.
 */

#include "apply-places.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "apply-model.h"
#include "batch.h"
#include "pixels.h"

enum { PLACE_IMAGE, PLACE_OPEN_IMAGES, PLACE_FOLDER };

GtkWidget *
apply_places_new (void)
{
  const char *const rows[] = { _("This image"), _("All open images"), _("A folder of photos…") };
  GtkWidget        *places = gtk_combo_box_text_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (places), rows[i]);
  gtk_combo_box_set_active (GTK_COMBO_BOX (places), PLACE_IMAGE);
  return places;
}

gboolean
apply_places_is_one (GtkWidget *places)
{
  return gtk_combo_box_get_active (GTK_COMBO_BOX (places)) == PLACE_IMAGE;
}

/* One that can't be done doesn't keep the others from it. */
static char *
apply_to_open (GimpProcedureConfig *config, const char *model, FoveaTask task)
{
  g_autofree GimpImage **images = pixels_list_images ();
  g_autoptr (GString)    text = g_string_new (NULL), failed = g_string_new (NULL);
  g_autofree char       *done = NULL;
  guint                  n = 0;

  for (guint i = 0; images && images[i]; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char   *name = gimp_image_get_name (images[i]), *answer = apply_model (config, images[i], model, task, &error);

      if (!answer)
        g_string_append_printf (failed, "\n%s: %s", name, error ? error->message : "");
      else if (task == FOVEA_TASK_CLASSIFY)
        g_string_append_printf (text, "\n%s: %s", name, answer);
      n += answer != NULL;
    }
  g_string_prepend (text, failed->str);
  done = g_strdup_printf (ngettext ("Applied to %u image.", "Applied to %u images.", n), n);
  g_string_prepend (text, done);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The window of a folder, in this process: it says itself what comes of it. */
static void
apply_to_folder (const char *model, FoveaTask task)
{
  static const char *const operations[] = { "classify", "classify", "locate", "segment" }; /* in the order of FoveaTask */
  GimpProcedure       *procedure = gimp_pdb_lookup_procedure (gimp_get_pdb (), BATCH_PROCEDURE);
  GimpProcedureConfig *config = gimp_procedure_create_config (procedure);
  gsize                n;
  JsonNode            *told;

  g_object_set (config, "model", model, "operation", operations[task], NULL);
  told = batch_dialog_run (config, &n);
  g_clear_pointer (&told, json_node_unref);
  g_object_unref (config);
}

char *
apply_places_run (GtkWidget *places, GimpProcedureConfig *config, GimpImage *image, const char *model, FoveaTask task, GError **error)
{
  switch (gtk_combo_box_get_active (GTK_COMBO_BOX (places)))
    {
    case PLACE_OPEN_IMAGES:
      return apply_to_open (config, model, task);
    case PLACE_FOLDER:
      apply_to_folder (model, task);
      return g_strdup ("");
    default:
      return apply_model (config, image, model, task, error);
    }
}

char *
apply_places_export (GtkWindow *parent, const char *path, GError **error)
{
  g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (_("Export the Model"), parent, GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), NULL);
  g_autofree char                 *name = g_path_get_basename (path), *file = NULL;
  g_autoptr (FoveaModel)           model = NULL, plain = NULL;

  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (chooser), name);
  gtk_file_chooser_set_do_overwrite_confirmation (GTK_FILE_CHOOSER (chooser), TRUE);
  if (gtk_native_dialog_run (GTK_NATIVE_DIALOG (chooser)) == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (chooser));
  if (!file)
    return NULL;
  model = fovea_model_load (path, error);
  plain = model ? fovea_model_make_plain (model, error) : NULL;
  if (!plain || !fovea_model_save (plain, file, error))
    return NULL;
  return g_strdup_printf (_("Exported to %s. It takes samples of 0 to 255 and answers with shares of 1: no other settings are needed."), file);
}
