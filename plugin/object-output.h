/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * object-output.h: found objects as things of the image: frames, paths, a selection, crops, guides, or hidden parts.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"
#include "pixels.h"

#define OBJECT_OUTPUT_PARASITE "fovea-object" /* on what shows an object: label, score and box as JSON */

typedef enum { OUTPUT_OVERLAY, OUTPUT_PATHS, OUTPUT_SELECTION, OUTPUT_CROPS, OUTPUT_GUIDES, OUTPUT_HIDE, OUTPUT_NONE } ObjectOutputKind;
typedef enum { HIDE_BLUR, HIDE_PIXELATE, HIDE_FILL } HideStyle;

/* The words of the procedure, in the order of the values above; NULL-terminated. */
extern const char *const object_output_kinds[], *const object_output_hide_styles[], *const object_output_operations[];

typedef struct
{
  ObjectOutputKind kind;
  GimpChannelOps   operation;  /* of the selection */
  double           margin;     /* crops, hidden parts and the selection are larger by this share of a box's sides, on each side */
  HideStyle        hide_style;
} ObjectOutput;

/* Is it possible for that image, and is it still open? FALSE with an error in words for the user. */
gboolean object_output_check (const ObjectOutput *output, GimpImage *image, GError **error);

/* Writes the objects (boxes in the image's pixels, best first) to the image, as one undo step. `reader` says what was looked at. FALSE with an error, also
 * where that is no more (pixel_reader_check). */
gboolean object_output_apply (const ObjectOutput *output, GimpImage *image, const FoveaObjects *objects, const PixelReader *reader, GError **error);

/* One object's box as a path, with the parasite; or, where they aren't NULL, the polygons (of GArray of double: x, y …) around the object. NULL where GIMP can't. */
GimpPath *object_output_add_path (GimpImage *image, const char *name, const FoveaObject *object, const GPtrArray *polygons, gint position);
