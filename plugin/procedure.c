/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * procedure.c: see procedure.h.
 */

#include "procedure.h"

#include <glib/gi18n.h>

void
procedure_describe (GimpProcedure *procedure, const char *label, const char *icon, const char *blurb, const char *help)
{
  g_autofree char *menu = g_strconcat ("<Image>/Filters/", _("_Fovea"), NULL);

  if (GIMP_IS_IMAGE_PROCEDURE (procedure))
    {
      gimp_procedure_set_image_types (procedure, "*");
      gimp_procedure_set_sensitivity_mask (procedure, GIMP_PROCEDURE_SENSITIVE_DRAWABLE | GIMP_PROCEDURE_SENSITIVE_DRAWABLES | GIMP_PROCEDURE_SENSITIVE_NO_DRAWABLES);
    }
  if (label)
    {
      gimp_procedure_set_menu_label (procedure, label);
      gimp_procedure_add_menu_path (procedure, menu);
      gimp_procedure_set_icon_name (procedure, icon);
    }
  gimp_procedure_set_documentation (procedure, blurb, help, gimp_procedure_get_name (procedure));
  gimp_procedure_set_attribution (procedure, "Fovea developers", "Fovea developers", "2026");
}

void
procedure_begin (void)
{
  g_autofree char *before = g_strdup (g_getenv ("GEGL_PATH")), *folder = g_path_get_dirname (gimp_get_progname ()), *none = g_build_filename (folder, "help", NULL);

  g_setenv ("GEGL_PATH", none, TRUE); /* where operations are looked for */
  gegl_init (NULL, NULL);
  if (before)
    g_setenv ("GEGL_PATH", before, TRUE);
  else
    g_unsetenv ("GEGL_PATH");
}
