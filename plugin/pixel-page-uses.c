/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-page-uses.c: what is done with what strokes have taught: saved, applied to the image, to others, or exported.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>

#include "apply-model.h"
#include "apply-places.h"
#include "arguments.h"
#include "mask-output.h"
#include "pixel-page-private.h"

void
pixel_page_save_as (PixelPage *page, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *path = pixel_training_save (page->training, name, &error), *text = NULL;

  text = path ? g_strdup_printf (_("Saved as %s. Segment finds it by its name."), path) : NULL;
  page->is_unsaved &= path == NULL;
  look_show_message (page->look, text ? text : error->message);
  if (path)
    {
      g_free (page->saved);
      page->saved = g_steal_pointer (&path);
      pixel_page_forget_kept (page, TRUE);
    }
}

void
pixel_page_on_save (GtkButton *button, PixelPage *page)
{
  g_autofree char *name = NULL;

  g_object_get (page->config, "name", &name, NULL);
  pixel_page_save_as (page, name);
}

static gboolean
apply (PixelPage *page, GError **error)
{
  GimpDrawable      *drawables[] = { NULL, NULL };
  FoveaPhoto         photo = look_get_photo (page->look);
  MaskOutput         output = { .operation = GIMP_CHANNEL_OP_REPLACE, .options = { .threshold = 0.5, .softness = 1, .refine = TRUE } };
  gsize              n = fovea_masks_count (page->masks), n_wanted = 0;
  g_autofree gsize  *which = g_new0 (gsize, n + 1);
  g_autofree double *areas = g_new0 (double, n + 1);
  guint              kind;

  if (!pixels_check_image (page->image, error) || !argument_read_word (page->config, "output", mask_output_kinds, &kind, error))
    return FALSE;
  drawables[0] = GIMP_DRAWABLE (apply_model_find_layer (page->image)); /* the user has a label layer chosen */
  output.kind = (MaskOutputKind) kind;
  for (gsize i = 0; i < n; i++)
    if (!page->are_background[fovea_masks_get_class (page->masks, i)])
      which[n_wanted++] = i;
  if (!mask_output_check (&output, page->image, drawables, error))
    return FALSE;
  return mask_output_apply (&output, &(MaskSource) { page->image, drawables, look_get_reader (page->look), &photo, page->masks, which, n_wanted }, areas, error);
}

/* For what is done with a file: that of the model as it is now. */
static gboolean
save_if_changed (PixelPage *page)
{
  if (page->is_unsaved)
    pixel_page_on_save (NULL, page);
  return !page->is_unsaved && page->saved;
}

static gboolean
use (gpointer data)
{
  PixelPage         *page = data;
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = NULL;

  page->acting = 0;
  if (apply_places_is_one (page->places))
    text = apply (page, &error) ? g_strdup (_("Applied.")) : NULL;
  else if (save_if_changed (page))
    text = apply_places_run (page->places, page->config, page->image, page->saved, FOVEA_TASK_SEGMENT, &error);
  else
    return G_SOURCE_REMOVE;
  look_show_message (page->look, text ? text : error->message);
  gimp_progress_end ();
  gimp_displays_flush ();
  return G_SOURCE_REMOVE;
}

static gboolean
export (gpointer data)
{
  PixelPage         *page = data;
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = NULL;

  page->acting = 0;
  if (!save_if_changed (page))
    return G_SOURCE_REMOVE;
  text = apply_places_export (GTK_WINDOW (gtk_widget_get_toplevel (page->widget)), page->saved, &error);
  if (text || error)
    look_show_message (page->look, text ? text : error->message);
  return G_SOURCE_REMOVE;
}

/* Other windows open in these: not within the handler of a click, which would keep the accessibility bus waiting for its answer. */
void
pixel_page_on_apply (GtkButton *button, PixelPage *page)
{
  if (!page->acting)
    page->acting = g_idle_add (use, page);
}

void
pixel_page_on_export (GtkButton *button, PixelPage *page)
{
  if (!page->acting)
    page->acting = g_idle_add (export, page);
}
