/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea.c: the plug-in as GIMP sees it: the list of its procedures, each of which is made in a file of its own.
 */

#include <libgimp/gimp.h>

#include "classify.h"
#include "locate.h"

#define FOVEA_TYPE_PLUG_IN (fovea_plug_in_get_type ())
G_DECLARE_FINAL_TYPE (FoveaPlugIn, fovea_plug_in, FOVEA, PLUG_IN, GimpPlugIn)

struct _FoveaPlugIn
{
  GimpPlugIn parent_instance;
};

G_DEFINE_FINAL_TYPE (FoveaPlugIn, fovea_plug_in, GIMP_TYPE_PLUG_IN)
GIMP_MAIN (FOVEA_TYPE_PLUG_IN)

static GList *
fovea_plug_in_query_procedures (GimpPlugIn *plug_in)
{
  g_autofree char  *folder = g_path_get_dirname (gimp_get_progname ());
  g_autoptr (GFile) help = g_file_new_build_filename (folder, "help", NULL);

  gimp_plug_in_set_help_domain (plug_in, "urn:fovea:help", help);
  return g_list_append (g_list_append (NULL, g_strdup (CLASSIFY_PROCEDURE)), g_strdup (LOCATE_PROCEDURE));
}

static GimpProcedure *
fovea_plug_in_create_procedure (GimpPlugIn *plug_in, const char *name)
{
  if (g_strcmp0 (name, CLASSIFY_PROCEDURE) == 0)
    return classify_create_procedure (plug_in);
  if (g_strcmp0 (name, LOCATE_PROCEDURE) == 0)
    return locate_create_procedure (plug_in);
  return NULL;
}

static void
fovea_plug_in_class_init (FoveaPlugInClass *klass)
{
  GimpPlugInClass *plug_in_class = GIMP_PLUG_IN_CLASS (klass);

  plug_in_class->query_procedures = fovea_plug_in_query_procedures;
  plug_in_class->create_procedure = fovea_plug_in_create_procedure;
}

static void
fovea_plug_in_init (FoveaPlugIn *plug_in)
{
}
