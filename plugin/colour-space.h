/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour-space.h: pixels of another RGB space (Adobe RGB, ProPhoto …) become 8-bit sRGB by tables: for whole photos in a third of the time that babl takes, and
 * without the search for its way, which takes up to a second before. No GIMP: any thread, several at once.
 */
#pragma once

#include <babl/babl.h>
#include <glib.h>

typedef struct _ColourSpace ColourSpace;

/* Of a buffer's format. NULL: babl is as good, as for sRGB itself, or needed: gray, linear or floating-point numbers. Free with colour_space_free. */
ColourSpace *colour_space_new        (const Babl *format);
void         colour_space_free       (ColourSpace *space);

/* How pixels are to be read that come in to colour_space_convert: in their own space and precision, with alpha or without. */
const Babl  *colour_space_get_format (const ColourSpace *space, gboolean has_alpha);

/* `n` pixels of that format, perhaps with alpha, to 8 bits of sRGB with as many channels. Each number is babl's, or the next. */
void         colour_space_convert    (const ColourSpace *space, gconstpointer from, gsize n, gboolean has_alpha, guint8 *to);
