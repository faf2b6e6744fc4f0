/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea.c: the plug-in as GIMP sees it: the list of its procedures, each of which is made in a file of its own.
 */

#include <libgimp/gimp.h>

#include "about.h"
#include "batch.h"
#include "classify.h"
#include "export-labels.h"
#include "import-labels.h"
#include "import-model.h"
#include "label.h"
#include "locate.h"
#include "model-manager.h"
#include "segment.h"
#include "train.h"

#define FOVEA_TYPE_PLUG_IN (fovea_plug_in_get_type ())
G_DECLARE_FINAL_TYPE (FoveaPlugIn, fovea_plug_in, FOVEA, PLUG_IN, GimpPlugIn)

struct _FoveaPlugIn
{
  GimpPlugIn parent_instance;
};

G_DEFINE_FINAL_TYPE (FoveaPlugIn, fovea_plug_in, GIMP_TYPE_PLUG_IN)
/* babl's tables of colours: to see whether they pay takes it 350 MiB and a quarter of a second. It reads this when it is made ready, which GIMP 3.2 does before it
 * knows our class. */
__attribute__ ((constructor)) static void
leave_tables_out (void)
{
  g_setenv ("BABL_LUT", "0", FALSE);
}

GIMP_MAIN (FOVEA_TYPE_PLUG_IN)

static const struct
{
  const char     *name;
  GimpProcedure *(*create) (GimpPlugIn *plug_in);
} procedures[] = {
  { CLASSIFY_PROCEDURE, classify_create_procedure },
  { LOCATE_PROCEDURE, locate_create_procedure },
  { SEGMENT_PROCEDURE, segment_create_procedure },
  { CUT_OUT_PROCEDURE, cut_out_create_procedure },
  { LABEL_PROCEDURE, label_create_procedure },
  { EXPORT_LABELS_PROCEDURE, export_labels_create_procedure },
  { IMPORT_LABELS_PROCEDURE, import_labels_create_procedure },
  { IMPORT_MODEL_PROCEDURE, import_model_create_procedure },
  { TRAIN_PROCEDURE, train_create_procedure },
  { BATCH_PROCEDURE, batch_create_procedure },
  { MODELS_PROCEDURE, model_manager_create_procedure },
  { ABOUT_PROCEDURE, about_create_procedure },
};

static GList *
fovea_plug_in_query_procedures (GimpPlugIn *plug_in)
{
  g_autofree char  *folder = g_path_get_dirname (gimp_get_progname ());
  GList            *names = NULL;
  g_autoptr (GFile) help = g_file_new_build_filename (folder, "help", NULL);

  gimp_plug_in_set_help_domain (plug_in, "urn:fovea:help", help);
  for (gsize i = 0; i < G_N_ELEMENTS (procedures); i++)
    names = g_list_append (names, g_strdup (procedures[i].name));
  return names;
}

static GimpProcedure *
fovea_plug_in_create_procedure (GimpPlugIn *plug_in, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (procedures); i++)
    if (g_strcmp0 (name, procedures[i].name) == 0)
      return procedures[i].create (plug_in);
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
