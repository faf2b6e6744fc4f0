/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watch-tool.c: a plug-in for label_batch.py: how many of a number of single pixels, painted one after the other on a label layer, label-watch.c overlooks.
 */

#include <libgimp/gimp.h>

#include "label-watch.h"

#define PROCEDURE "fovea-test-watch"

typedef struct
{
  GimpPlugIn parent;
} Tool;

typedef struct
{
  GimpPlugInClass parent;
} ToolClass;

GType tool_get_type (void);
G_DEFINE_TYPE (Tool, tool, GIMP_TYPE_PLUG_IN)

static void
paint (GimpDrawable *layer, int x, int y)
{
  static const guint8 red[4] = { 255, 0, 0, 255 };
  GeglBuffer         *buffer = gimp_drawable_get_buffer (layer);

  gegl_buffer_set (buffer, GEGL_RECTANGLE (x, y, 1, 1), 0, babl_format ("R'G'B'A u8"), red, GEGL_AUTO_ROWSTRIDE);
  g_object_unref (buffer);
  gimp_drawable_update (layer, x, y, 1, 1);
}

/* Places come from the corners and edges first. */
static int
choose (GRand *random, int n, int side)
{
  return n % 3 == 0 ? 0 : n % 3 == 1 ? side - 1 - n / 3 % 8 % side : g_rand_int_range (random, 0, side);
}

static int
count_overlooked (GimpImage *image, GRand *random, int n)
{
  static const char *const classes[] = { "dots", NULL };
  LabelLayers             *labels = label_layers_make (image, FOVEA_TASK_SEGMENT, classes, NULL);
  LabelWatch              *watch = label_watch_new ();
  GimpDrawable            *layer = labels->classes[0].layers->pdata[0];
  GeglRectangle            area;
  int                      overlooked = !label_watch_look (watch, labels, &area); /* the first look sees everything */

  for (int i = 0; i < n; i++)
    {
      int x = choose (random, i, gimp_drawable_get_width (layer)), y = choose (random, i / 3 + i, gimp_drawable_get_height (layer));

      gimp_drawable_edit_clear (layer);
      label_watch_look (watch, labels, &area);
      overlooked += label_watch_look (watch, labels, &area); /* nothing has happened */
      paint (layer, x, y);
      overlooked += !label_watch_look (watch, labels, &area) || x < area.x || y < area.y || x >= area.x + area.width || y >= area.y + area.height;
    }
  label_watch_free (watch);
  label_layers_free (labels);
  return overlooked;
}

static GimpValueArray *
run (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer unused)
{
  GimpValueArray   *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  int               width, height, n;
  GimpImage        *image;

  gegl_init (NULL, NULL);
  g_object_get (config, "width", &width, "height", &height, "n", &n, NULL);
  image = gimp_image_new (width, height, GIMP_RGB);
  GIMP_VALUES_SET_INT (values, 1, count_overlooked (image, random, n));
  gimp_image_delete (image);
  return values;
}

static GList *
query (GimpPlugIn *plug_in)
{
  return g_list_append (NULL, g_strdup (PROCEDURE));
}

static GimpProcedure *
create (GimpPlugIn *plug_in, const gchar *name)
{
  GimpProcedure *procedure = gimp_procedure_new (plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);

  gimp_procedure_add_int_argument (procedure, "width", "Width", "Width", 1, 20000, 100, G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "height", "Height", "Height", 1, 20000, 100, G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "n", "Dots", "Dots", 1, 10000, 100, G_PARAM_READWRITE);
  gimp_procedure_add_int_return_value (procedure, "overlooked", "Overlooked", "Overlooked", 0, G_MAXINT, 0, G_PARAM_READWRITE);
  return procedure;
}

static void
tool_class_init (ToolClass *class)
{
  GIMP_PLUG_IN_CLASS (class)->query_procedures = query;
  GIMP_PLUG_IN_CLASS (class)->create_procedure = create;
}

static void
tool_init (Tool *tool)
{
}

GIMP_MAIN (tool_get_type ())
