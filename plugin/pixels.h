/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixels.h: pixels of an image, a layer or the selection for a network, in bands, so that an image of any size needs little memory. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

typedef struct _PixelReader PixelReader;

/* region: "layer" (what the drawables show together, within the smallest rectangle that holds them; NULL-terminated, may be NULL), "layer-unmasked" (the
 * same, but of a single layer what its mask hides, too), "own" (the pixels of the first drawable alone, whoever made it), "image" (all that is visible) or "selection" (all that is visible within the selection's bounds). Layers that Fovea made are left out. NULL with an error in words for the
 * user. */
PixelReader *pixel_reader_new  (GimpImage *image, GimpDrawable **drawables, const char *region, GError **error);
void         pixel_reader_free (PixelReader *reader);

/* Width and height of the region, pixels. */
void         pixel_reader_get_size (const PixelReader *reader, int *width, int *height);

/* Reads for `input`, which must have been made for that size. */
void         pixel_reader_start (PixelReader *reader, FoveaInput *input);

/* The next band. FALSE when there is none left; then *error is set if the region held nothing but transparency, or as pixel_reader_check() has it. */
gboolean     pixel_reader_step  (PixelReader *reader, double *progress, GError **error);

/* The part of the image that the network sees, in the image's pixels. */
GeglRectangle pixel_reader_get_seen (const PixelReader *reader);

/* The region itself, in the image's pixels. */
GeglRectangle pixel_reader_get_region (const PixelReader *reader);

/* A FoveaReadPixels for a PixelReader: any part of the region, (0, 0) being its top left. On the main thread. */
gboolean     pixel_reader_read (gpointer reader, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error);

/* FALSE with an error if the image has been closed meanwhile, or the layer deleted whose own pixels are read: nothing more can be. */
gboolean     pixel_reader_check (const PixelReader *reader, GError **error);

/* FALSE with an error if all that has been read was transparent. */
gboolean     pixel_reader_check_opaque (const PixelReader *reader, GError **error);

/* What is read: a buffer, and where its (0, 0) lies in the image. Borrowed. */
GeglBuffer  *pixel_reader_get_buffer (const PixelReader *reader, gint *offset_x, gint *offset_y);

/* Of a band that is read at once: of some megabytes, and whole tiles of GIMP's, which are fetched once then. */
int          pixels_count_band_rows  (int width);

/* The images that are open, without copies that readers have made; NULL-terminated, free with g_free. */
GimpImage  **pixels_list_images (void);

/* FALSE with an error if the user has closed the image meanwhile. */
gboolean     pixels_check_image (GimpImage *image, GError **error);

/* FALSE with an error if the user has deleted the layer meanwhile. */
gboolean     pixels_check_layer (GimpDrawable *layer, GError **error);

/* The name of the file that the image was opened from, without folders; where there is none, what GIMP calls the image. Free with g_free. */
char        *pixels_get_file_name (GimpImage *image);

/* Marks a layer as made by Fovea. */
void         pixels_mark_layer  (GimpItem *layer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PixelReader, pixel_reader_free)
