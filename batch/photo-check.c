/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-check.c: see photo-check.h. A JPEG file is a row of segments, of which some have their length in two bytes; a scan has none and goes on to the next marker:
 *
 *   FF D8 │ FF E1 length … │ FF C0 length … │ FF DA length … scan … FF 00 … FF D0 … │ FF D9
 *
 * Within a scan FF is followed by 0 (it belongs to the data) or by D0 to D7 (it begins anew); within a segment anything may stand, also a small JPEG file of its own.
 */

#include "photo-check.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fovea.h"
#include "jpeg-data.h"

#define MOST_PIXELS      (1 << 30)
#define BYTES_A_PIXEL    4
#define SHARE_OF_MEMORY  8 /* an eighth: turning upright takes it twice, a mask as much again */

#define MARKER_FIRST     0xd8
#define MARKER_LAST      0xd9
#define MARKER_SCAN      0xda

#define GIF_EXTENSION    '!'
#define GIF_PICTURE      ','
#define GIF_HAS_COLOURS  0x80

/* ---- size ----------------------------------------------------------------------------------------------------------------------------------- */

/* Each block begins with its length; one of 0 is the last. */
static void
skip_gif_blocks (FILE *file)
{
  int length;

  while ((length = getc_unlocked (file)) > 0 && fseek (file, length, SEEK_CUR) == 0)
    ;
}

/* The larger of a size so far and one of the file's. */
static void
take_gif_size (const guint8 *bytes, int *width, int *height)
{
  int w = bytes[0] + 256 * bytes[1], h = bytes[2] + 256 * bytes[3];

  if ((gint64) w * h > (gint64) *width * *height)
    {
      *width = w;
      *height = h;
    }
}

static void
skip_gif_colours (FILE *file, guint8 flags)
{
  if (flags & GIF_HAS_COLOURS)
    (void) fseek (file, 3 << ((flags & 7) + 1), SEEK_CUR);
}

/* The size of a GIF file's canvas or of its largest picture, whichever is larger; FALSE: it isn't one. GdkPixbuf tells that of the canvas only, and glycin, which reads
 * for it where GIMP is 3.2, makes room for either before anything is told. */
static gboolean
find_gif_size (const char *path, int *width, int *height)
{
  FILE    *file = fopen (path, "rbe");
  guint8   head[13], picture[9];
  gboolean is_gif = file && fread (head, sizeof head, 1, file) == 1 && memcmp (head, "GIF8", 4) == 0;
  int      kind;

  if (is_gif)
    {
      take_gif_size (head + 6, width, height);
      skip_gif_colours (file, head[10]);
      while ((kind = getc_unlocked (file)) == GIF_EXTENSION || kind == GIF_PICTURE)
        {
          if (kind == GIF_PICTURE && fread (picture, sizeof picture, 1, file) == 1)
            {
              take_gif_size (picture + 4, width, height);
              skip_gif_colours (file, picture[8]);
            }
          (void) getc_unlocked (file); /* which extension, or how wide a picture's codes are */
          skip_gif_blocks (file);
        }
    }
  if (file)
    fclose (file);
  return is_gif;
}

static guint64
most_pixels (void)
{
  double memory = (double) sysconf (_SC_PHYS_PAGES) * (double) sysconf (_SC_PAGE_SIZE);

  return memory > 0 ? (guint64) MIN (memory / SHARE_OF_MEMORY / BYTES_A_PIXEL, MOST_PIXELS) : MOST_PIXELS;
}

gboolean
photo_check_size (const char *path, guint64 *n_pixels, GError **error)
{
  guint64 most = most_pixels ();
  int     width = 0, height = 0;

  if (!find_gif_size (path, &width, &height) && !gdk_pixbuf_get_file_info (path, &width, &height))
    width = height = 0;
  *n_pixels = (guint64) MAX (width, 0) * (guint64) MAX (height, 0);
  if (*n_pixels <= most)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("it is said to have %d × %d pixels, and at most %u million have room here. Save it smaller, if it is a photo."), width,
               height, (guint) (most / 1000000));
  return FALSE;
}

/* ---- the end of a JPEG file ------------------------------------------------------------------------------------------------------------------ */

/* The next marker after a scan, or EOF. */
static int
skip_scan (FILE *file)
{
  int byte = getc_unlocked (file);

  while (byte != EOF)
    if (byte != 0xff)
      byte = getc_unlocked (file);
    else if ((byte = getc_unlocked (file)) != 0xff && byte != EOF && byte != 0 && !(byte >= 0xd0 && byte <= 0xd7))
      return byte;
  return EOF;
}

/* The same after a segment that has its length. Files of careless programs have other bytes between segments: they are passed over, as the decoder does. */
static int
skip_segment (FILE *file)
{
  int high = getc_unlocked (file), low = getc_unlocked (file);

  if (low == EOF || fseek (file, MAX (high * 256 + low - 2, 0), SEEK_CUR) != 0)
    return EOF;
  return skip_scan (file);
}

/* Most files end with the marker, and needn't be read. */
static gboolean
ends_with_marker (FILE *file)
{
  return fseek (file, -2, SEEK_END) == 0 && getc_unlocked (file) == 0xff && getc_unlocked (file) == MARKER_LAST;
}

static gboolean
has_end (FILE *file)
{
  int marker;

  if (getc_unlocked (file) != 0xff || getc_unlocked (file) != MARKER_FIRST || ends_with_marker (file) || fseek (file, 2, SEEK_SET) != 0)
    return TRUE; /* or it isn't JPEG */
  marker = skip_scan (file);
  while (marker != EOF && marker != MARKER_LAST)
    marker = skip_segment (file);
  return marker == MARKER_LAST;
}

gboolean
photo_check_end (const char *path, GError **error)
{
  FILE    *file = fopen (path, "rbe");
  gboolean whole = !file || has_end (file) || jpeg_data_is_complete (path); /* who decodes it will say that it can't be opened */

  if (file)
    fclose (file);
  if (!whole)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("it is a JPEG file that is cut off: a part of its pixels is missing. Copy or fetch it once more."));
  return whole;
}
