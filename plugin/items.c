/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * items.c: see items.h.
 */

#include "items.h"

GimpItem **
items_in_group (GimpItem *group)
{
  GimpItem **children = gimp_item_get_children (group);

  return children ? children : g_new0 (GimpItem *, 1);
}

GimpItem **
items_in_image (GimpImage *image)
{
  GimpLayer **layers = gimp_image_get_layers (image);

  return layers ? (GimpItem **) layers : g_new0 (GimpItem *, 1);
}

guint
items_count (GimpItem *group)
{
  g_autofree GimpItem **children = items_in_group (group);

  return g_strv_length ((char **) children);
}

char *
items_get_name (GimpItem *item)
{
  char *name = gimp_item_get_name (item);

  return name ? name : g_strdup ("");
}
