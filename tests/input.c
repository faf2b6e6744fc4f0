/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * input.c: photos as tensors: regions, crops and letterboxes, layouts, colours, types, and photos of absurd sizes. That the resizing itself is
 * Pillow's is resample.py's concern.
 */

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "vision/input.h"

static FoveaSettings
make_settings (FoveaResize resize, int width, int height)
{
  FoveaSettings settings = { .resize = resize, .width = width, .height = height, .crop_scale = 1, .channels = 3, .range = 1, .pad = 114 };

  settings.filter = FOVEA_FILTER_BILINEAR;
  for (int c = 0; c < 3; c++)
    settings.std[c] = 1;
  return settings;
}

/* A photo whose red is its column, green its row, blue 7. */
static guint8 *
make_photo (int width, int height)
{
  guint8 *rgb = g_malloc ((gsize) width * height * 3);

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        guint8 *pixel = rgb + ((gsize) y * width + x) * 3;

        pixel[0] = (guint8) x;
        pixel[1] = (guint8) y;
        pixel[2] = 7;
      }
  return rgb;
}

static FoveaInput *
make_input (const FoveaSettings *settings, int width, int height)
{
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *photo = make_photo (width, height);
  FoveaInput *input = fovea_input_new (settings, width, height, &error);
  int x, y, region_width, region_height;

  g_assert_no_error (error);
  fovea_input_get_region (input, &x, &y, &region_width, &region_height);
  fovea_input_push (input, photo + ((gsize) y * width + x) * 3, (gsize) width * 3, region_height);
  return input;
}

static FoveaTensor *
write_tensor (FoveaInput *input, FoveaType type, guint n_dims, gint64 a, gint64 b, gint64 c, gint64 d)
{
  FoveaShape   shape = { n_dims, { a, b, c, d } };
  FoveaTensor *tensor = fovea_tensor_new (type, &shape, NULL);

  g_assert_true (input_fits (input, tensor));
  fovea_input_write (input, tensor);
  return tensor;
}

/* The centre of a photo that needs no resizing: region and pixels are the middle, halves of a pixel go to the even side as in Python. */
static void
test_crop (void)
{
  const struct { int photo, size, first; } cases[] = { { 10, 4, 3 }, { 11, 4, 4 }, { 13, 4, 4 }, { 9, 4, 2 }, { 5, 5, 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FoveaSettings settings = make_settings (FOVEA_RESIZE_SHORTEST_CROP, cases[i].size, cases[i].size);
      int x, y, width, height;
      g_autoptr (FoveaInput) input = NULL;
      const guint8 *pixels;

      settings.crop_scale = (double) cases[i].photo / cases[i].size;
      input = make_input (&settings, cases[i].photo, cases[i].photo);
      fovea_input_get_region (input, &x, &y, &width, &height);
      g_assert_cmpint (x, ==, cases[i].first);
      g_assert_cmpint (y, ==, cases[i].first);
      g_assert_cmpint (width, ==, cases[i].size);
      g_assert_cmpint (height, ==, cases[i].size);
      pixels = fovea_input_get_pixels (input, &width, &height);
      g_assert_cmpint (width, ==, cases[i].size);
      g_assert_cmpint (pixels[0], ==, cases[i].first);
      g_assert_cmpint (pixels[3 * (cases[i].size * cases[i].size - 1) + 1], ==, cases[i].first + cases[i].size - 1);
    }
}

static void
test_letterbox (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_LETTERBOX, 8, 8);
  g_autoptr (FoveaInput) input = make_input (&settings, 8, 3);
  const guint8 *pixels = fovea_input_get_pixels (input, NULL, NULL);

  /* 5 rows of pad: 2 above, 3 below */
  g_assert_cmpint (pixels[8 * 3 * 2 - 1], ==, 114);
  g_assert_cmpint (pixels[8 * 3 * 2 + 3], ==, 1);
  g_assert_cmpint (pixels[8 * 3 * 2 + 2], ==, 7);
  g_assert_cmpint (pixels[8 * 3 * 5], ==, 114);
}

static void
test_layouts (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_STRETCH, 3, 2);
  g_autoptr (FoveaInput) rgb = make_input (&settings, 3, 2), bgr = NULL;
  g_autoptr (FoveaTensor) nchw = NULL, nhwc = NULL;
  float *values;

  settings.range = 255;
  settings.mean[2] = 7;
  settings.std[0] = 0.5;
  g_clear_pointer (&rgb, fovea_input_free);
  rgb = make_input (&settings, 3, 2);
  nchw = write_tensor (rgb, FOVEA_TYPE_FLOAT32, 4, 1, 3, 2, 3);
  values = nchw->data;
  g_assert_cmpfloat (values[2], ==, 4);         /* red of column 2, divided by 0.5 */
  g_assert_cmpfloat (values[6 + 3], ==, 1);     /* green of row 1 */
  g_assert_cmpfloat (values[2 * 6 + 5], ==, 0); /* blue less its mean */

  settings.bgr = settings.nhwc = TRUE;
  bgr = make_input (&settings, 3, 2);
  nhwc = write_tensor (bgr, FOVEA_TYPE_FLOAT32, 4, 1, 2, 3, 3);
  values = nhwc->data;
  g_assert_cmpfloat (values[3 * 5], ==, 0); /* blue first */
  g_assert_cmpfloat (values[3 * 5 + 1], ==, 1);
  g_assert_cmpfloat (values[3 * 5 + 2], ==, 4);
}

static void
test_types (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_STRETCH, 3, 2);
  g_autoptr (FoveaInput) input = NULL, bytes_input = NULL;
  g_autoptr (FoveaTensor) single = NULL, half = NULL, wide = NULL, bytes = NULL, wrong = NULL;
  FoveaShape shape = { 4, { 1, 3, 3, 3 } };

  settings.mean[0] = 0.485;
  settings.std[0] = 0.229;
  input = make_input (&settings, 3, 2);
  single = write_tensor (input, FOVEA_TYPE_FLOAT32, 4, 1, 3, 2, 3);
  half = write_tensor (input, FOVEA_TYPE_FLOAT16, 4, 1, 3, 2, 3);
  wide = write_tensor (input, FOVEA_TYPE_FLOAT64, 4, 1, 3, 2, 3);
  for (int i = 0; i < 18; i++)
    {
      g_assert_cmpuint (((guint16 *) half->data)[i], ==, half_from_float (((float *) single->data)[i]));
      g_assert_cmpfloat_with_epsilon (((double *) wide->data)[i], ((float *) single->data)[i], 1e-6);
    }
  g_assert_cmpfloat_with_epsilon (((double *) wide->data)[1], (1 / 255.0 - 0.485) / 0.229, 1e-12);

  settings = make_settings (FOVEA_RESIZE_STRETCH, 3, 2);
  settings.range = 255;
  bytes_input = make_input (&settings, 3, 2);
  bytes = write_tensor (bytes_input, FOVEA_TYPE_UINT8, 4, 1, 3, 2, 3);
  g_assert_cmpuint (((guint8 *) bytes->data)[2], ==, 2);
  g_assert_cmpuint (((guint8 *) bytes->data)[17], ==, 7);

  wrong = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, NULL);
  g_assert_false (input_fits (input, wrong));
}

/* The greatest value of all channels stands for white, then mean and deviation; a black photo stays black. */
static void
test_greatest (void)
{
  const guint8     pixels[] = { 0, 25, 50, 5, 10, 40 }, black[6] = { 0 };
  FoveaSettings    settings = make_settings (FOVEA_RESIZE_STRETCH, 2, 1);
  const FoveaShape shape = { 4, { 1, 3, 1, 2 } };
  FoveaTensor     *tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, NULL);
  const float     *values = tensor->data;

  settings.normalize = FOVEA_NORMALIZE_GREATEST;
  settings.mean[1] = 0.5;
  settings.std[2] = 0.25;
  input_write_pixels (&settings, pixels, pixels, 2, tensor);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpfloat_with_epsilon (values[i], pixels[3 * i] / 50.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (values[2 + i], pixels[3 * i + 1] / 50.0 - 0.5, 1e-6);
      g_assert_cmpfloat_with_epsilon (values[4 + i], pixels[3 * i + 2] / 50.0 / 0.25, 1e-6);
    }
  input_write_pixels (&settings, black, black, 2, tensor);
  g_assert_cmpfloat_with_epsilon (values[0], 0, 1e-6);
  g_assert_cmpfloat_with_epsilon (values[2], -0.5, 1e-6);
  fovea_tensor_unref (tensor);
}

static void
test_gray (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_STRETCH, 3, 2);
  g_autoptr (FoveaInput) input = NULL;
  g_autoptr (FoveaTensor) tensor = NULL;

  settings.channels = 1;
  settings.range = 255;
  input = make_input (&settings, 3, 2);
  tensor = write_tensor (input, FOVEA_TYPE_FLOAT32, 4, 1, 1, 2, 3);
  g_assert_cmpfloat (((float *) tensor->data)[0], ==, 1); /* round (0.114 * 7) */
  g_assert_cmpfloat (((float *) tensor->data)[5], ==, 2); /* round (0.299 * 2 + 0.587 + 0.798) */
}

/* A large photo takes the memory of the output only: its rows are one here, given again and again. */
static void
test_large (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_SHORTEST_CROP, 64, 64);
  const int     photo_width = 20000, photo_height = 4000;
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaInput) input = fovea_input_new (&settings, photo_width, photo_height, &error);
  g_autofree guint8 *row = g_malloc ((gsize) photo_width * 3);
  const guint8 *pixels;
  int x, y, width, height;

  g_assert_no_error (error);
  memset (row, 200, (gsize) photo_width * 3);
  fovea_input_get_region (input, &x, &y, &width, &height);
  g_assert_cmpint (width, <, photo_height + 200); /* the middle square and what the filter reaches */
  for (int i = 0; i < height; i += 100)
    fovea_input_push (input, row, 0, 100); /* a stride of 0: the same row again */
  pixels = fovea_input_get_pixels (input, NULL, NULL);
  for (int i = 0; i < 64 * 64 * 3; i++)
    g_assert_cmpint (pixels[i], ==, 200);
}

/* A photo as thin as can be, and one pixel. */
static void
test_thin (void)
{
  const struct { int width, height; } cases[] = { { 1, 1 }, { 1, 5000 }, { 5000, 1 }, { 1, 1000000 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int resize = FOVEA_RESIZE_STRETCH; resize <= FOVEA_RESIZE_LETTERBOX; resize++)
      {
        FoveaSettings settings = make_settings (resize, 32, 32);
        g_autoptr (GError) error = NULL;
        g_autoptr (FoveaInput) input = fovea_input_new (&settings, cases[i].width, cases[i].height, &error);
        g_autofree guint8 *row = NULL;
        int x, y, width, height;

        g_assert_no_error (error);
        fovea_input_get_region (input, &x, &y, &width, &height);
        g_assert_cmpint (x + width, <=, cases[i].width);
        g_assert_cmpint (y + height, <=, cases[i].height);
        row = g_malloc ((gsize) width * 3);
        memset (row, 9, (gsize) width * 3);
        fovea_input_push (input, row, 0, height + 5); /* rows too many are left alone */
        g_assert_cmpint (fovea_input_get_pixels (input, NULL, NULL)[(15 * 32 + 15) * 3], ==, 9);
      }
}

static void
test_refused (void)
{
  FoveaSettings settings = make_settings (FOVEA_RESIZE_STRETCH, 32, 32);
  const struct { int photo_width, photo_height, width, height; double crop_scale; } cases[] = {
    { 0, 5, 32, 32, 1 }, { 5, -1, 32, 32, 1 }, { G_MAXINT, 5, 32, 32, 1 }, { 5, 5, 0, 32, 1 }, { 5, 5, 32, 1 << 20, 1 }, { 5, 5, 32, 32, 0.5 },
    { 5, 5, 32, 32, NAN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      settings.width = cases[i].width;
      settings.height = cases[i].height;
      settings.crop_scale = cases[i].crop_scale;
      g_assert_null (fovea_input_new (&settings, cases[i].photo_width, cases[i].photo_height, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/input/crop", test_crop);
  g_test_add_func ("/input/letterbox", test_letterbox);
  g_test_add_func ("/input/layouts", test_layouts);
  g_test_add_func ("/input/types", test_types);
  g_test_add_func ("/input/greatest", test_greatest);
  g_test_add_func ("/input/gray", test_gray);
  g_test_add_func ("/input/large", test_large);
  g_test_add_func ("/input/thin", test_thin);
  g_test_add_func ("/input/refused", test_refused);
  return g_test_run ();
}
