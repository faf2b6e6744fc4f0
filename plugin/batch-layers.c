/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-layers.c: photos of a batch as GIMP's own files: what Locate and Segment would have put into an open image.
 */

#include "batch.h"

#include <glib/gi18n.h>

#include "mask-output.h"
#include "object-output.h"

static gboolean
fail (const char *photo, GError **error)
{
  g_autofree char *shown = g_filename_display_name (photo);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("GIMP can't make layers of “%s”: %s. Leave the format xcf out, or save the photo as JPEG or PNG."), shown,
               gimp_pdb_get_last_error (gimp_get_pdb ()));
  return FALSE;
}

/* GIMP must have turned the photo as the network saw it. */
static gboolean
check_size (GimpImage *image, const Finding *finding, const char *photo, GError **error)
{
  g_autofree char *shown = NULL;

  if (gimp_image_get_width (image) == finding->width && gimp_image_get_height (image) == finding->height)
    return TRUE;
  shown = g_filename_display_name (photo);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("GIMP opens “%s” with %d × %d pixels, not with %d × %d. Set “Metadata rotation policy” in GIMP's settings to “Rotate”, or leave the format xcf out."), shown,
               gimp_image_get_width (image), gimp_image_get_height (image), finding->width, finding->height);
  return FALSE;
}

static gboolean
add_masks (GimpImage *image, GimpDrawable **drawables, const Finding *finding, const BatchRequest *request, GError **error)
{
  MaskOutput          output = { .kind = g_str_equal (batch_operations[request->operation], "cut-out") ? MASK_LAYER_MASK : MASK_LAYERS,
                                 .operation = GIMP_CHANNEL_OP_REPLACE, .options = request->settings.operation.mask };
  g_autoptr (PixelReader) reader = pixel_reader_new (image, drawables, "layer-unmasked", error);
  FoveaPhoto          photo = { finding->width, finding->height, pixel_reader_read, reader };
  MaskSource          source = { image, drawables, reader, &photo, finding->masks, finding->which, finding->n };
  g_autofree double  *areas = g_new0 (double, finding->n + 1);

  return reader && mask_output_check (&output, image, drawables, error) && mask_output_apply (&output, &source, areas, error);
}

static gboolean
add_frames (GimpImage *image, GimpDrawable **drawables, const Finding *finding, GError **error)
{
  ObjectOutput            output = { .kind = OUTPUT_OVERLAY, .operation = GIMP_CHANNEL_OP_REPLACE };
  g_autoptr (PixelReader) reader = pixel_reader_new (image, drawables, "layer", error);

  return reader && object_output_check (&output, image, error) && object_output_apply (&output, image, finding->objects, reader, error);
}

gboolean
batch_layers_write (const char *photo, const char *file, const Finding *finding, gpointer request, GError **error)
{
  g_autoptr (GFile)      source = g_file_new_for_path (photo), target = g_file_new_for_path (file);
  GimpImage             *image = gimp_file_load (GIMP_RUN_NONINTERACTIVE, source);
  g_autofree GimpLayer **layers = NULL;
  GimpDrawable          *drawables[] = { NULL, NULL };
  gboolean               ok;

  if (!image)
    return fail (photo, error);
  gimp_image_policy_rotate (image, FALSE);
  if (gimp_image_get_base_type (image) == GIMP_INDEXED)
    gimp_image_convert_rgb (image);
  layers = gimp_image_get_layers (image);
  drawables[0] = GIMP_DRAWABLE (layers[0]);
  ok = check_size (image, finding, photo, error)
       && (finding->objects ? add_frames (image, drawables, finding, error) : add_masks (image, drawables, finding, request, error));
  if (ok && !gimp_file_save (GIMP_RUN_NONINTERACTIVE, image, target, NULL))
    ok = fail (photo, error);
  gimp_image_delete (image);
  return ok;
}
