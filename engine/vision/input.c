/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * input.c: FoveaInput: from a photo's rows to a network's input.
 *
 *   photo rows ── region ──> resized rows, then columns (resample.c) ──> placed in pixels (height, width, 3) ──> normalized tensor
 *
 * Only the pixels that the network will see are computed, and only their part of the photo is asked for. Memory is that of the network's input,
 * whatever the photo's size. Where things lie follows torchvision (stretch, shortest side and centre crop) and Ultralytics (letterbox).
 */

#include "vision/input.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "vision/resample.h"

#define MAX_PHOTO_SIDE 10000000
#define MAX_INPUT_SIDE 8192

/* The photo is scaled to scaled_width x scaled_height; of that the part at (crop_x, crop_y), width x height, lands at (x, y) of the input. */
typedef struct
{
  gint64 scaled_width, scaled_height;
  gint64 crop_x, crop_y;
  int    x, y, width, height;
} Placement;

struct _FoveaInput
{
  FoveaSettings  *settings;
  int             photo_width, photo_height;
  Placement       place;
  ResampleAxis   *horizontal, *vertical;
  ResampleColumns columns;
  guint8         *gray;   /* one row of the region, for gray networks */
  guint8         *row;    /* (place.width, 3) */
  guint8         *pixels; /* (height, width, 3) */
  gboolean        finished;
};

/* ---- where the photo goes --------------------------------------------------------------------------------------------------------------- */

static void
place_stretched (const FoveaSettings *settings, int photo_width, int photo_height, Placement *place)
{
  *place = (Placement) { settings->width, settings->height, 0, 0, 0, 0, settings->width, settings->height };
}

/* torchvision's Resize (shortest side) and CenterCrop: the long side is cut off, not rounded, halves of the margin are rounded to even. */
static void
place_cropped (const FoveaSettings *settings, int photo_width, int photo_height, Placement *place)
{
  double width = rint (settings->crop_scale * settings->width), height = rint (settings->crop_scale * settings->height);

  if (photo_width * height <= photo_height * width)
    height = floor (width * photo_height / photo_width);
  else
    width = floor (height * photo_width / photo_height);
  place->scaled_width = (gint64) width;
  place->scaled_height = (gint64) height;
  place->crop_x = (gint64) rint ((width - settings->width) / 2);
  place->crop_y = (gint64) rint ((height - settings->height) / 2);
  place->x = place->y = 0;
  place->width = settings->width;
  place->height = settings->height;
}

/* The whole photo in the middle, padded; an odd margin has its smaller half at the top and left. */
static void
place_letterboxed (const FoveaSettings *settings, int photo_width, int photo_height, Placement *place)
{
  double scale = MIN ((double) settings->width / photo_width, (double) settings->height / photo_height);

  place->width = CLAMP ((int) rint (photo_width * scale), 1, settings->width);
  place->height = CLAMP ((int) rint (photo_height * scale), 1, settings->height);
  place->scaled_width = place->width;
  place->scaled_height = place->height;
  place->crop_x = place->crop_y = 0;
  place->x = (settings->width - place->width) / 2;
  place->y = (settings->height - place->height) / 2;
}

/* The same in the top left corner. */
static void
place_in_corner (const FoveaSettings *settings, int photo_width, int photo_height, Placement *place)
{
  place_letterboxed (settings, photo_width, photo_height, place);
  place->x = place->y = 0;
}

static void (*const placements[]) (const FoveaSettings *settings, int photo_width, int photo_height, Placement *place) = {
  [FOVEA_RESIZE_STRETCH]       = place_stretched,
  [FOVEA_RESIZE_SHORTEST_CROP] = place_cropped,
  [FOVEA_RESIZE_LETTERBOX]     = place_letterboxed,
  [FOVEA_RESIZE_LETTERBOX_CORNER] = place_in_corner,
};

/* ---- making ----------------------------------------------------------------------------------------------------------------------------- */

static gboolean
check_sizes (const FoveaSettings *settings, int photo_width, int photo_height, GError **error)
{
  if (photo_width < 1 || photo_height < 1 || photo_width > MAX_PHOTO_SIDE || photo_height > MAX_PHOTO_SIDE)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("A photo of %d×%d pixels can't be used; give one of 1 to %d pixels a side."),
                   photo_width, photo_height, MAX_PHOTO_SIDE);
      return FALSE;
    }
  if (settings->width < 1 || settings->height < 1 || settings->width > MAX_INPUT_SIDE || settings->height > MAX_INPUT_SIDE)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The settings want an input of %d×%d pixels; correct them to 1 to %d pixels a side."),
                   settings->width, settings->height, MAX_INPUT_SIDE);
      return FALSE;
    }
  if (!(settings->crop_scale >= 1 && settings->crop_scale <= 100))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The settings want a crop scale of %g; correct it to 1 to 100.", settings->crop_scale);
      return FALSE;
    }
  return TRUE;
}

FoveaInput *
fovea_input_new (const FoveaSettings *settings, int photo_width, int photo_height, GError **error)
{
  g_autoptr (FoveaInput) input = NULL;
  gsize n_bytes, region_width;

  if (!check_sizes (settings, photo_width, photo_height, error))
    return NULL;
  input = g_new0 (FoveaInput, 1);
  input->settings = fovea_settings_copy (settings);
  input->photo_width = photo_width;
  input->photo_height = photo_height;
  placements[settings->resize] (settings, photo_width, photo_height, &input->place);
  input->horizontal = resample_axis_new (settings->filter, photo_width, input->place.scaled_width, input->place.crop_x, input->place.width, error);
  if (!input->horizontal)
    return NULL;
  input->vertical = resample_axis_new (settings->filter, photo_height, input->place.scaled_height, input->place.crop_y, input->place.height, error);
  if (!input->vertical)
    return NULL;

  region_width = input->horizontal->end - input->horizontal->begin;
  n_bytes = (gsize) settings->width * settings->height * 3;
  input->row = memory_alloc_n (input->place.width, 3, "a photo's row", error);
  input->pixels = input->row ? memory_alloc (n_bytes, "the network's input", error) : NULL;
  if (!input->pixels)
    return NULL;
  memset (input->pixels, settings->pad, n_bytes);
  if (settings->channels == 1 && !(input->gray = memory_alloc_n (region_width, 3, "a photo's row", error)))
    return NULL;
  if (!resample_columns_init (&input->columns, input->vertical, (gsize) input->place.width * 3, error))
    return NULL;
  return g_steal_pointer (&input);
}

void
fovea_input_free (FoveaInput *input)
{
  if (!input)
    return;
  resample_columns_clear (&input->columns);
  resample_axis_free (input->horizontal);
  resample_axis_free (input->vertical);
  memory_free (input->gray);
  memory_free (input->row);
  memory_free (input->pixels);
  fovea_settings_free (input->settings);
  g_free (input);
}

void
input_get_mapping (const FoveaInput *input, double scale[2], double offset[2])
{
  const Placement *place = &input->place;

  scale[0] = (double) input->photo_width / (double) place->scaled_width;
  scale[1] = (double) input->photo_height / (double) place->scaled_height;
  offset[0] = (double) (place->x - place->crop_x);
  offset[1] = (double) (place->y - place->crop_y);
}

void
input_get_photo_size (const FoveaInput *input, int *width, int *height)
{
  *width = input->photo_width;
  *height = input->photo_height;
}

/* ---- pixels ----------------------------------------------------------------------------------------------------------------------------- */

void
fovea_input_get_region (const FoveaInput *input, int *x, int *y, int *width, int *height)
{
  *x = input->horizontal->begin;
  *y = input->vertical->begin;
  *width = input->horizontal->end - input->horizontal->begin;
  *height = input->vertical->end - input->vertical->begin;
}

/* ITU-R 601 luma in 16 fractional bits, as Pillow's convert ("L"). */
static const guint8 *
make_gray (FoveaInput *input, const guint8 *rgb)
{
  gsize width = input->horizontal->end - input->horizontal->begin;

  for (gsize x = 0; x < width; x++, rgb += 3)
    memset (input->gray + 3 * x, (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16, 3);
  return input->gray;
}

void
fovea_input_push (FoveaInput *input, const guint8 *rgb, gsize row_stride, int n_rows)
{
  for (int i = 0; i < n_rows && input->columns.row < input->vertical->end; i++, rgb += row_stride)
    {
      if (resample_columns_needs (&input->columns))
        resample_row (input->horizontal, input->gray ? make_gray (input, rgb) : rgb, input->row);
      resample_columns_push (&input->columns, input->row);
    }
}

const guint8 *
fovea_input_get_pixels (FoveaInput *input, int *width, int *height)
{
  const Placement *place = &input->place;
  gsize            stride = (gsize) input->settings->width * 3;

  for (int i = 0; i < place->height && !input->finished; i++)
    resample_columns_get (&input->columns, i, input->pixels + (place->y + i) * stride + (gsize) place->x * 3);
  input->finished = input->columns.row >= input->vertical->end;
  if (width)
    *width = input->settings->width;
  if (height)
    *height = input->settings->height;
  return input->pixels;
}

/* ---- values ----------------------------------------------------------------------------------------------------------------------------- */

/* What becomes of each of the 256 values of a channel. */
typedef struct
{
  union
  {
    double  as_double[256];
    float   as_float[256];
    guint16 as_half[256];
    guint8  as_byte[256];
  };
} ValueTable;

/* The byte below which `share` of all pixels lie, as NumPy's percentile interpolates it. */
static double
find_percentile (const gsize histogram[256], gsize n, double percent)
{
  double rank = percent / 100 * (double) (n - 1), found[2] = { 0, 0 };
  gsize  below = 0, wanted[2] = { (gsize) floor (rank), (gsize) ceil (rank) };

  for (int i = 0; i < 256; i++)
    {
      for (int k = 0; k < 2; k++)
        if (wanted[k] >= below && wanted[k] < below + histogram[i])
          found[k] = i;
      below += histogram[i];
    }
  return found[0] + (rank - floor (rank)) * (found[1] - found[0]);
}

/* What makes a channel's bytes what its own values say: byte * scale + shift. */
static void
measure_channel (const FoveaSettings *settings, const guint8 *pixels, gsize n, double *scale, double *shift)
{
  gsize  histogram[256] = { 0 };
  double low, high, sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++)
    histogram[pixels[i * 3]]++;
  for (int i = 0; i < 256; i++)
    sum += (double) histogram[i] * i;
  for (int i = 0; i < 256; i++)
    squares += (double) histogram[i] * (i - sum / (double) n) * (i - sum / (double) n);
  low = settings->normalize == FOVEA_NORMALIZE_PHOTO ? sum / (double) n : find_percentile (histogram, n, settings->percentiles[0]);
  high = settings->normalize == FOVEA_NORMALIZE_PHOTO ? low + sqrt (squares / (double) n) : find_percentile (histogram, n, settings->percentiles[1]);
  *scale = 1 / (high - low + 1e-6);
  *shift = -low * *scale;
}

/* The byte that stands for white. */
static int
find_white (const FoveaSettings *settings, const guint8 *photo, gsize n)
{
  int greatest = 1; /* a black photo stays black */

  if (settings->normalize != FOVEA_NORMALIZE_GREATEST)
    return 255;
  for (gsize i = 0; i < 3 * n; i++)
    greatest = MAX (greatest, photo[i]);
  return greatest;
}

static void
fill_table (const FoveaSettings *settings, int channel, int white, const guint8 *pixels, gsize n, FoveaType type, ValueTable *table)
{
  /* The others have no use for mean and std. */
  gboolean is_fixed = settings->normalize == FOVEA_NORMALIZE_FIXED || settings->normalize == FOVEA_NORMALIZE_GREATEST;
  double   scale = 0, shift = 0;

  if (!is_fixed)
    measure_channel (settings, pixels, n, &scale, &shift);
  for (int i = 0; i < 256; i++)
    {
      double value = is_fixed ? (i * settings->range / white - settings->mean[channel]) / settings->std[channel] : i * scale + shift;

      if (type == FOVEA_TYPE_FLOAT64)
        table->as_double[i] = value;
      else if (type == FOVEA_TYPE_FLOAT32)
        table->as_float[i] = (float) value;
      else if (type == FOVEA_TYPE_FLOAT16)
        table->as_half[i] = half_from_float ((float) value);
      else
        table->as_byte[i] = (guint8) CLAMP (rint (value), 0, 255);
    }
}

/* One channel of all pixels: every third byte of `pixels`, to every step-th element of `out`. */
static void
write_channel (const guint8 *pixels, gsize n, const ValueTable *table, FoveaType type, gpointer out, gsize step)
{
  if (type == FOVEA_TYPE_FLOAT64)
    for (gsize i = 0; i < n; i++)
      ((double *) out)[i * step] = table->as_double[pixels[i * 3]];
  else if (type == FOVEA_TYPE_FLOAT32)
    for (gsize i = 0; i < n; i++)
      ((float *) out)[i * step] = table->as_float[pixels[i * 3]];
  else if (type == FOVEA_TYPE_FLOAT16)
    for (gsize i = 0; i < n; i++)
      ((guint16 *) out)[i * step] = table->as_half[pixels[i * 3]];
  else
    for (gsize i = 0; i < n; i++)
      ((guint8 *) out)[i * step] = table->as_byte[pixels[i * 3]];
}

static gboolean
settings_fit (const FoveaSettings *settings, const FoveaTensor *tensor)
{
  gsize n = (gsize) settings->width * settings->height * settings->channels;

  return tensor->size == n * fovea_type_size (tensor->type) && (tensor->type == FOVEA_TYPE_FLOAT32 || tensor->type == FOVEA_TYPE_FLOAT16 ||
                                                                tensor->type == FOVEA_TYPE_FLOAT64 || tensor->type == FOVEA_TYPE_UINT8);
}

gboolean
input_fits (const FoveaInput *input, const FoveaTensor *tensor)
{
  return settings_fit (input->settings, tensor);
}

void
input_write_pixels (const FoveaSettings *settings, const guint8 *pixels, const guint8 *photo, gsize n_photo, FoveaTensor *tensor)
{
  gsize      n = (gsize) settings->width * settings->height, size = fovea_type_size (tensor->type);
  int        n_channels = settings->channels, white = find_white (settings, photo, n_photo);
  ValueTable table;

  g_return_if_fail (settings_fit (settings, tensor));
  for (int c = 0; c < n_channels; c++)
    {
      int   place = settings->bgr ? n_channels - 1 - c : c;
      gsize first = settings->nhwc ? (gsize) place : place * n;

      fill_table (settings, c, white, photo + c, n_photo, tensor->type, &table);
      write_channel (pixels + c, n, &table, tensor->type, (guint8 *) tensor->data + first * size, settings->nhwc ? n_channels : 1);
    }
}

void
fovea_input_write (FoveaInput *input, FoveaTensor *tensor)
{
  int           width, height;
  const guint8 *pixels = fovea_input_get_pixels (input, &width, &height);

  input_write_pixels (input->settings, pixels, pixels, (gsize) width * (gsize) height, tensor);
}
