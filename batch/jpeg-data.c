/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jpeg-data.c: see jpeg-data.h. Where the data ends libjpeg puts an end marker, and tells by a warning that a code was wanted behind it. A progressive file may also
 * lack whole scans, without a warning; so may one whose colours have a scan each. Zeros are codes like others, and a scan may well end in some:
 *
 *   data 0 0 0              all are wanted: they are data
 *   data │ 0 0 0 0 0 0 0    none is wanted: they fill the file
 *   da 0 0 0 0 │ 0 0 0 0    some are: they took the place of what is missing
 */

#include "jpeg-data.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define FEW 16 /* bytes: libjpeg reads some ahead */

typedef struct {
  struct jpeg_error_mgr manager; /* first: libjpeg knows this one */
  jmp_buf               out;
  gboolean              lacks_data;
  gsize                 n_unused; /* bytes behind the data of the last scan */
} Errors;

static void
stop (j_common_ptr jpeg)
{
  longjmp (((Errors *) jpeg->err)->out, 1);
}

static void
note_warning (j_common_ptr jpeg, int level)
{
  Errors *errors = (Errors *) jpeg->err;

  if (level < 0 && jpeg->err->msg_code == JWRN_HIT_MARKER)
    errors->lacks_data = TRUE;
  else if (level < 0 && jpeg->err->msg_code == JWRN_EXTRANEOUS_DATA)
    errors->n_unused = (gsize) jpeg->err->msg_parm.i[0];
}

/* Bits that a scan refined to the last stand at 0 in coef_bits. */
static gboolean
has_all_scans (const struct jpeg_decompress_struct *jpeg)
{
  for (int c = 0; c < jpeg->num_components; c++)
    {
      if (!jpeg->comp_info[c].quant_table) /* kept when its first scan begins */
        return FALSE;
      for (int k = 0; jpeg->coef_bits && k < DCTSIZE2; k++)
        if (jpeg->coef_bits[c][k] != 0)
          return FALSE;
    }
  return TRUE;
}

static gboolean
decode (struct jpeg_decompress_struct *jpeg, const guint8 *data, gsize n)
{
  JSAMPARRAY row;

  jpeg_mem_src (jpeg, (guint8 *) data, n);
  jpeg_read_header (jpeg, TRUE);
  jpeg->scale_denom = 8; /* all codes are read, an eighth of the pixels is made */
  jpeg_start_decompress (jpeg);
  row = jpeg->mem->alloc_sarray ((j_common_ptr) jpeg, JPOOL_IMAGE, jpeg->output_width * (JDIMENSION) jpeg->output_components, 1);
  while (jpeg->output_scanline < jpeg->output_height)
    jpeg_read_scanlines (jpeg, row, 1);
  if (!has_all_scans (jpeg) || jpeg->arith_code) /* arithmetic coding may leave its end out, so that a cut can't be told */
    return FALSE;
  jpeg_finish_decompress (jpeg); /* what follows is passed over */
  return TRUE;
}

static gsize
count_zeros_at_end (const guint8 *data, gsize n)
{
  gsize length = n;

  while (length > 0 && data[length - 1] == 0)
    length--;
  return n - length;
}

gboolean
jpeg_data_is_complete (const char *path)
{
  g_autoptr (GMappedFile)       file = g_mapped_file_new (path, FALSE, NULL);
  const guint8                 *data = file ? (const guint8 *) g_mapped_file_get_contents (file) : NULL;
  gsize                         n = file ? g_mapped_file_get_length (file) : 0, n_zeros;
  struct jpeg_decompress_struct jpeg;
  Errors                        errors = { .lacks_data = FALSE };
  volatile gboolean             complete = FALSE;

  if (!data)
    return FALSE;
  jpeg.err = jpeg_std_error (&errors.manager);
  errors.manager.error_exit = stop;
  errors.manager.emit_message = note_warning;
  jpeg_create_decompress (&jpeg);
  if (setjmp (errors.out) == 0)
    complete = decode (&jpeg, data, n);
  jpeg_destroy_decompress (&jpeg);
  n_zeros = count_zeros_at_end (data, n);
  return complete && !errors.lacks_data && (errors.n_unused <= FEW || errors.n_unused + FEW >= n_zeros);
}
