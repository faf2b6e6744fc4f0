/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * outline.c: outlines of drawn masks, holes among them, and masks taken apart.
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/masks.h"

#define SIDE 160 /* of the mask; the photo is SCALE times as large */

static FoveaSettings settings = { .task = FOVEA_TASK_SEGMENT };

static gboolean
read_gray (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize stride, GError **error)
{
  for (int row = 0; row < height; row++)
    memset (rgb + (gsize) row * stride, 128, (gsize) width * 3);
  return TRUE;
}

/* Shares fall from 1 to 0 over two pixels around each disc's border. */
static void
add_disc (MaskStack *stack, double x, double y, double radius, gboolean hole)
{
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++)
      {
        float  inside = (float) CLAMP ((radius - hypot (column + 0.5 - x, row + 0.5 - y)) / 2 + 0.5, 0, 1);
        float *share = stack->shares + row * SIDE + column;

        *share = hole ? MIN (*share, 1 - inside) : MAX (*share, inside);
      }
}

static FoveaMasks *
make_masks (MaskStack **stack_out, int photo_side)
{
  static const guint8 guide[3] = { 128, 128, 128 };
  MaskStack          *stack = g_new0 (MaskStack, 1);

  stack->n = 1;
  stack->width = stack->height = SIDE;
  stack->classes = g_new0 (gsize, 1);
  stack->shares = memory_alloc_n (SIDE * SIDE, sizeof (float), "the mask", NULL);
  *stack_out = stack;
  return masks_new (photo_side, photo_side, stack, &settings, guide, 1, 1, 1);
}

/* photo_side: one that is traced finely, one pixel by pixel, one coarsely. */
static void
check_ring (int photo_side, double tolerance)
{
  double                   scale = (double) photo_side / SIDE, outer = 55.3 * scale, inner = 20.6 * scale;
  MaskStack               *stack;
  g_autoptr (FoveaMasks)   masks = make_masks (&stack, photo_side);
  FoveaPhoto               photo = { photo_side, photo_side, read_gray, NULL };
  FoveaMaskOptions         options = { .threshold = 0.5, .softness = 1 };
  g_autoptr (FoveaMask)    mask = NULL;
  g_autoptr (FoveaOutline) outline = NULL;

  add_disc (stack, 80.2, 79.6, 55.3, FALSE);
  add_disc (stack, 80.2, 79.6, 20.6, TRUE);
  mask = fovea_mask_new (masks, NULL, 0, &options, NULL);
  outline = fovea_mask_trace (mask, &photo, 4, NULL);
  g_assert_cmpuint (outline->n, ==, 2);
  g_assert_cmpint (outline->curves[0].hole + outline->curves[1].hole, ==, 1);
  g_assert_cmpfloat_with_epsilon (outline->area / (G_PI * (outer * outer - inner * inner)), 1, 0.01);
  for (gsize c = 0; c < 2; c++)
    {
      const FoveaCurve *curve = &outline->curves[c];

      g_assert_cmpuint (curve->n, <, 80);
      for (gsize i = 0; i < curve->n; i++)
        {
          const double *end = curve->points[3 * i + 2];
          double        distance = hypot (end[0] - 80.2 * scale, end[1] - 79.6 * scale) - (curve->hole ? inner : outer);

          g_assert_cmpfloat (fabs (distance), <, tolerance);
        }
    }
}

static void
test_ring (void)
{
  check_ring (SIDE, 0.3);
  check_ring (3000, 1.0);
  check_ring (12000, 2.0);
}

static void
test_nothing (void)
{
  MaskStack               *stack;
  g_autoptr (FoveaMasks)   masks = make_masks (&stack, 50);
  FoveaPhoto               photo = { 50, 50, read_gray, NULL };
  FoveaMaskOptions         options = { .threshold = 0.5, .softness = 1 };
  g_autoptr (FoveaMask)    mask = fovea_mask_new (masks, NULL, 0, &options, NULL);
  g_autoptr (FoveaOutline) outline = fovea_mask_trace (mask, &photo, 0, NULL);

  g_assert_cmpuint (outline->n, ==, 0);
  g_assert_cmpfloat (outline->area, ==, 0);
  options.invert = TRUE;
  g_assert_true (fovea_mask_set_options (mask, &options, NULL));
  g_clear_pointer (&outline, fovea_outline_free);
  outline = fovea_mask_trace (mask, &photo, 0, NULL);
  g_assert_cmpuint (outline->n, ==, 1);
  g_assert_cmpfloat_with_epsilon (outline->area, 2500, 5);
}

/* Two discs and a speck: the larger first, the soft border with its disc, the speck left out. */
static void
test_parts (void)
{
  MaskStack             *stack;
  g_autoptr (FoveaMasks) masks = make_masks (&stack, SIDE), parts = NULL;
  int                    owned = 0;

  add_disc (stack, 40, 40, 15, FALSE);
  add_disc (stack, 110, 100, 30, FALSE);
  stack->shares[150 * SIDE + 10] = 1.0f;
  parts = fovea_masks_split (masks, 0.5, NULL);
  g_assert_cmpuint (fovea_masks_count (parts), ==, 2);
  for (int k = 0; k < 2; k++)
    {
      FoveaMaskOptions      options = { .threshold = 0.5, .softness = 1 };
      gsize                 i = (gsize) k;
      g_autoptr (FoveaMask) mask = fovea_mask_new (parts, &i, 1, &options, NULL);
      float                 shares[SIDE * SIDE];
      FoveaPhoto            photo = { SIDE, SIDE, read_gray, NULL };
      double                radius = k ? 15 : 30, sum = 0.0;

      g_assert_cmpstr (fovea_masks_get_label (parts, i), ==, fovea_masks_get_label (masks, 0));
      g_assert_true (fovea_mask_read (mask, &photo, 0, 0, SIDE, SIDE, shares, NULL));
      for (int at = 0; at < SIDE * SIDE; at++)
        {
          sum += shares[at];
          owned += shares[at] > 0.0f && shares[at] == stack->shares[at];
        }
      g_assert_cmpfloat_with_epsilon (sum / (G_PI * radius * radius), 1, 0.01);
      g_assert_cmpfloat (k ? shares[40 * SIDE + 40] : shares[100 * SIDE + 110], ==, 1);
    }
  for (int at = 0; at < SIDE * SIDE; at++)
    owned -= stack->shares[at] >= 0.02f;
  g_assert_cmpint (owned, ==, -1); /* the speck */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outline/ring", test_ring);
  g_test_add_func ("/outline/nothing", test_nothing);
  g_test_add_func ("/outline/parts", test_parts);
  return g_test_run ();
}
