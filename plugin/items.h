/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * items.h: what an image or a group holds, where the user works on while it is asked for: GIMP answers NULL for what vanished a moment ago.
 */
#pragma once

#include <libgimp/gimp.h>

/* The items in a group, the topmost first, and NULL after the last; where the group has vanished, none. Free the list with g_free(), not its items. */
GimpItem **items_in_group (GimpItem *group);

/* The layers of an image that are in no group; as above. */
GimpItem **items_in_image (GimpImage *image);

/* How many the group holds. */
guint      items_count    (GimpItem *group);

/* Never NULL: "" for an item that has vanished. Free it. */
char      *items_get_name (GimpItem *item);
