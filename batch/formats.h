/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * formats.h: what can be made of a batch's answers, as words.
 */
#pragma once

#include "operation.h"

enum
{
  FORMAT_CSV = 1 << 0,
  FORMAT_JSON = 1 << 1,
  FORMAT_COCO = 1 << 2,
  FORMAT_YOLO = 1 << 3,
  FORMAT_VOC = 1 << 4,
  FORMAT_XMP = 1 << 5,      /* a sidecar for each photo */
  FORMAT_KEYWORDS = 1 << 6, /* a copy of each photo with its names inside */
  FORMAT_MASKS = 1 << 7,
  FORMAT_CUTOUTS = 1 << 8,
  FORMAT_PICTURES = 1 << 9, /* copies with frames or colours */
  FORMAT_XCF = 1 << 10      /* in GIMP only */
};

/* Those for which something is written as soon as a photo is done. */
#define FORMATS_OF_PHOTOS (FORMAT_XMP | FORMAT_KEYWORDS | FORMAT_MASKS | FORMAT_CUTOUTS | FORMAT_PICTURES | FORMAT_XCF)

typedef struct
{
  const char *name;
  guint       flag;
  guint       kinds; /* bits 1 << OperationKind: the operations that have it */
} Format;

/* Ends with a name that is NULL. */
extern const Format formats_known[];

/* "csv, json": FORMAT_CSV | FORMAT_JSON. FALSE with FOVEA_ERROR_ARGUMENT for words that aren't formats, and for formats that the operation doesn't have. */
gboolean formats_parse (const char *text, OperationKind kind, gboolean in_gimp, guint *wanted, GError **error);

/* "csv json", without those that aren't in `wanted`. Free with g_free. */
char    *formats_tell  (guint wanted);
