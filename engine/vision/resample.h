/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resample.h: antialiased resizing of 8-bit RGB, to the byte what Pillow's Image.resize () gives.
 */
#pragma once

#include "fovea.h"

/* How one side is resized: output pixel i is a weighted sum of the input pixels first[i] … first[i] + n[i] - 1. */
typedef struct
{
  int     n_out;
  int     max_taps;
  int     begin, end; /* the input pixels that are needed at all */
  int    *first;      /* (n_out), never falls */
  int    *n;          /* (n_out), at least 1 */
  gint32 *weights;    /* (n_out, max_taps), 1.0 is 1 << RESAMPLE_PRECISION */
} ResampleAxis;

#define RESAMPLE_PRECISION 22

/* The weights with which a side of n_in pixels becomes n_scaled, for the pixels crop … crop + n_out - 1 of those. NULL with FOVEA_ERROR_MEMORY. */
ResampleAxis *resample_axis_new  (FoveaFilter filter, int n_in, gint64 n_scaled, gint64 crop, int n_out, GError **error);
void          resample_axis_free (ResampleAxis *axis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ResampleAxis, resample_axis_free)

/* One row: pixels begin … end - 1 of the input become n_out pixels. */
void          resample_row       (const ResampleAxis *axis, const guint8 *in /* (end - begin, 3) */, guint8 *out /* (n_out, 3) */);

/* The columns: rows are added one after the other to 32-bit sums of all output rows. */
typedef struct
{
  const ResampleAxis *axis;
  gsize               width;    /* samples of a row */
  int                 row;      /* the next input row */
  int                 finished; /* output rows that need no more */
  gint32             *sums;     /* (n_out, width) */
} ResampleColumns;

/* `axis` is borrowed. FALSE with FOVEA_ERROR_MEMORY. */
gboolean      resample_columns_init  (ResampleColumns *columns, const ResampleAxis *axis, gsize width, GError **error);
void          resample_columns_clear (ResampleColumns *columns);

/* TRUE if the next row has any weight. */
gboolean      resample_columns_needs (const ResampleColumns *columns);

/* Takes the next row of the input; `row` may be NULL where it isn't needed. */
void          resample_columns_push  (ResampleColumns *columns, const guint8 *row /* (width) */);
void          resample_columns_get   (const ResampleColumns *columns, int i, guint8 *out /* (width) */);
