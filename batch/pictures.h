/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pictures.h: what was found in a photo as pictures of its size: masks, cut-outs, copies with frames or colours.
 */
#pragma once

#include "operation.h"

/* Folders; NULL: none are written. A photo of the list is written under its own name in each; of several masks with their labels: "photo.sky.png". */
typedef struct
{
  const char *masks;   /* gray */
  const char *cutouts; /* what is in the masks, on a transparent ground */
  const char *drawn;   /* copies with frames and names, or the masks in colour */
} PictureFolders;

/* `finding` gets where they were written. `name`: ListedFile's. FALSE with FOVEA_ERROR_FILE or _MEMORY. */
gboolean pictures_write (const PictureFolders *folders, const char *name, GdkPixbuf *photo, Finding *finding, GError **error);

/* The masks in their classes' colours over `picture`, which shows the photo at any size. */
gboolean pictures_tint  (GdkPixbuf *picture, GdkPixbuf *photo, const Finding *finding, GError **error);
