/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * procedure.h: what all of Fovea's procedures have in common when GIMP asks for them.
 */
#pragma once

#include <libgimp/gimp.h>

/* label: in the menu Filters ▸ Fovea, beside that icon, which may be NULL; NULL: in no menu. `help`: of the procedure browser. An image procedure takes every kind of image, also
 * with several layers or none chosen. */
void procedure_describe (GimpProcedure *procedure, const char *label, const char *icon, const char *blurb, const char *help);

/* First in every run: what reading and writing of layers needs of GEGL. Its operations aren't loaded, as Fovea uses none: they would take a tenth of a second. */
void procedure_begin    (void);
