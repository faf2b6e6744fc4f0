/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gimpui.h: GIMP's and GTK's headers, compiled once for all files of the plug-in, which still name what they use.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>
