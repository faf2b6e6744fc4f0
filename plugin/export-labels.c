/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * export-labels.c: the procedure plug-in-fovea-export-labels: labels of images as files that other programs read, and their photos beside them. The formats of
 * boxes are the engine's.
 */

#include "export-labels.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "arguments.h"
#include "dialog.h"
#include "items.h"
#include "label-examples.h"
#include "label-origin.h"
#include "label-paths.h"
#include "output-file.h"
#include "photo-copy.h"
#include "procedure.h"
#include "train-sources.h"

#define MASK_UNKNOWN 255

const char *const label_format_words[] = { "coco", "yolo", "voc", "masks", "folders", NULL };

static const char *const places[] = { "image", "open-images", "folder", NULL };

typedef struct
{
  LabelFormat  format;
  const char  *folder;
  gboolean     photos;  /* are written, too */
  FoveaLabels *labels;
  GPtrArray   *classes; /* of char*, of masks: 1, 2 … */
  GHashTable  *names;   /* of photos, that are taken */
  guint        count;
} Export;

/* ---- photos ---------------------------------------------------------------------------------------------------------- */

/* The image's file without suffix; *suffix gets that of a photo. Free both with g_free. */
static char *
get_stem (GimpImage *image, char **suffix)
{
  g_autofree char *name = pixels_get_file_name (image);
  char            *point = strrchr (name, '.');

  *suffix = g_strdup (point && point > name && !g_str_has_prefix (point, ".xcf") && strlen (point) <= strlen (".jpeg") ? point : ".png");
  if (point && point > name)
    *point = '\0';
  for (char *at = name; *at; at++)
    if (strchr ("/\\\n\r", *at) || (at == name && *at == '.'))
      *at = '_';
  return *name ? g_steal_pointer (&name) : g_strdup (_("Image"));
}

/* A name that no other photo of this export has. Free with g_free. */
static char *
take_name (Export *export, const char *stem, const char *suffix)
{
  for (int i = 1;; i++)
    {
      g_autofree char *unique = i == 1 ? g_strdup (stem) : g_strdup_printf ("%s %d", stem, i);

      if (g_hash_table_add (export->names, g_strdup (unique)))
        return g_strconcat (unique, suffix, NULL);
    }
}

/* The image, or a layer alone, as a file. */
static gboolean
write_photo (GimpImage *image, GimpLayer *layer, const char *path, GError **error)
{
  GimpDrawable           *drawables[] = { GIMP_DRAWABLE (layer), NULL };
  g_autoptr (PixelReader) reader = pixel_reader_new (image, drawables, layer ? "own" : "image", error);
  g_autoptr (GdkPixbuf)   photo = reader ? photo_copy_read (reader, 0, error) : NULL;

  return photo && output_file_write_png (path, photo, error);
}

/* Where a photo is asked for it is a PNG file; otherwise its own file is named. Free with g_free; NULL with an error. */
static char *
add_photo (Export *export, GimpImage *image, GError **error)
{
  g_autofree char *suffix = NULL, *stem = get_stem (image, &suffix), *name = take_name (export, stem, export->photos ? ".png" : suffix);
  g_autofree char *path = g_build_filename (export->folder, "images", name, NULL);

  return !export->photos || write_photo (image, NULL, path, error) ? g_steal_pointer (&name) : NULL;
}

/* ---- boxes ------------------------------------------------------------------------------------------------------------ */

static void
add_boxes (Export *export, FoveaLabelPhoto *photo, const LabelLayers *labels, const LabelCounts *counts)
{
  g_autoptr (GArray) paths = label_paths_list (labels);

  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < counts->classes[i].objects->len && !labels->classes[i].background; k++)
      {
        const LabelBlob *blob = &g_array_index (counts->classes[i].objects, LabelBlob, k);

        if (blob->pixels > 0)
          fovea_labels_add_box (export->labels, photo, labels->classes[i].name, -1, blob->x, blob->y, blob->width, blob->height);
      }
  for (guint i = 0; i < paths->len; i++)
    {
      const LabelPath *path = &g_array_index (paths, LabelPath, i);

      if (!labels->classes[path->class].background)
        label_paths_describe (path, labels->image, fovea_labels_add_box (export->labels, photo, labels->classes[path->class].name, path->score, 0, 0, 0, 0));
    }
  export->count += photo->boxes->len;
}

static gboolean
export_boxes (Export *export, const LabelLayers *labels, GError **error)
{
  g_autoptr (LabelCounts) counts = label_examples_count (labels, error);
  g_autofree char        *name = counts ? add_photo (export, labels->image, error) : NULL;
  FoveaLabelPhoto        *photo;

  if (!name)
    return FALSE;
  for (guint i = 0; i < labels->n; i++)
    if (!labels->classes[i].background)
      fovea_labels_add_class (export->labels, labels->classes[i].name);
  photo = fovea_labels_add_photo (export->labels, name, gimp_image_get_width (labels->image), gimp_image_get_height (labels->image));
  label_origin_restore (labels, export->labels, photo);
  add_boxes (export, photo, labels, counts);
  return TRUE;
}

/* ---- masks ------------------------------------------------------------------------------------------------------------- */

/* The number that a class has in masks: 0 is what is none of the others. */
static guint8
find_value (Export *export, const LabelClass *class)
{
  guint place;

  if (class->background)
    return 0;
  if (!g_ptr_array_find_with_equal_func (export->classes, class->name, g_str_equal, &place))
    {
      place = export->classes->len;
      g_ptr_array_add (export->classes, g_strdup (class->name));
    }
  return (guint8) (place + 1);
}

static GdkPixbuf *
draw_mask (Export *export, const LabelLayers *labels, GError **error)
{
  int                width = gimp_image_get_width (labels->image), height = gimp_image_get_height (labels->image);
  g_autofree guint8 *raster = label_examples_draw (labels, width, height, error);
  GdkPixbuf         *mask = raster ? gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height) : NULL;
  guint8             values[256];

  if (!mask)
    return NULL;
  memset (values, MASK_UNKNOWN, sizeof values);
  for (guint i = 0; i < labels->n; i++)
    values[i + 1] = find_value (export, &labels->classes[i]);
  values[LABEL_NONE] = values[LABEL_CONTRADICTION] = MASK_UNKNOWN;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      memset (gdk_pixbuf_get_pixels (mask) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (mask) + 3 * x, values[raster[(gsize) y * (gsize) width + (gsize) x]], 3);
  return mask;
}

static gboolean
export_mask (Export *export, const LabelLayers *labels, GError **error)
{
  g_autofree char      *name = add_photo (export, labels->image, error), *file = NULL, *path = NULL;
  g_autoptr (GdkPixbuf) mask = name ? draw_mask (export, labels, error) : NULL;

  if (!mask)
    return FALSE;
  file = g_strdup_printf ("%.*s.png", (int) (strrchr (name, '.') - name), name);
  path = g_build_filename (export->folder, "masks", file, NULL);
  export->count++;
  return output_file_write_png (path, mask, error);
}

static gboolean
write_mask_classes (const Export *export, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char    *path = g_build_filename (export->folder, "classes.txt", NULL);

  for (guint i = 0; i < export->classes->len; i++)
    {
      const char *name = export->classes->pdata[i];

      if (strpbrk (name, "\n\r"))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The class “%s” has a line break in its name, which classes.txt can't keep. Rename it."), name);
          return FALSE;
        }
      g_string_append_printf (text, "%s\n", name);
    }
  return output_file_write (path, text->str, text->len, error);
}

/* ---- folders ------------------------------------------------------------------------------------------------------------ */

static gboolean
export_folders (Export *export, const LabelLayers *labels, GError **error)
{
  if (labels->task != FOVEA_TASK_CLASSIFY)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Folders are for classes of whole images. Export painted labels as coco, yolo, voc or masks."));
      return FALSE;
    }
  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < labels->classes[i].layers->len; k++)
      {
        GimpLayer       *layer = labels->classes[i].layers->pdata[k];
        g_autofree char *folder = fovea_label_to_folder (labels->classes[i].name), *own = items_get_name (GIMP_ITEM (layer)), *stem = fovea_label_to_folder (own);
        g_autofree char *key = g_build_filename (folder, stem, NULL), *name = take_name (export, key, ".png"), *path = g_build_filename (export->folder, name, NULL);

        if (!write_photo (labels->image, layer, path, error))
          return FALSE;
        export->count++;
      }
  return TRUE;
}

/* ---- the procedure ------------------------------------------------------------------------------------------------------- */

static gboolean
export_images (Export *export, const TrainSources *sources, GError **error)
{
  static const FoveaLabelFormat formats[] = { FOVEA_LABELS_COCO, FOVEA_LABELS_YOLO, FOVEA_LABELS_VOC };

  for (guint i = 0; i < sources->labels->len; i++)
    {
      const LabelLayers *labels = sources->labels->pdata[i];

      if (!(export->format == LABEL_FORMAT_FOLDERS ? export_folders (export, labels, error)
            : export->format == LABEL_FORMAT_MASKS ? export_mask (export, labels, error)
                                                   : export_boxes (export, labels, error)))
        return FALSE;
      gimp_progress_update ((double) (i + 1) / sources->labels->len);
    }
  if (export->format == LABEL_FORMAT_FOLDERS)
    return TRUE;
  return export->format == LABEL_FORMAT_MASKS ? write_mask_classes (export, error) : fovea_labels_write (export->labels, formats[export->format], export->folder, error);
}

static gboolean
export_labels (GimpProcedureConfig *config, GimpImage *image, Export *export, GError **error)
{
  g_autofree char         *source = NULL, *from = NULL;
  g_autoptr (TrainSources) sources = NULL;
  guint                    format, place;

  if (!argument_read_word (config, "format", label_format_words, &format, error) || !argument_read_word (config, "source", places, &place, error))
    return FALSE;
  g_object_get (config, "source", &source, "from", &from, "photos", &export->photos, NULL);
  export->format = (LabelFormat) format;
  if (!export->folder || !*export->folder)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Say the folder that the labels are written to."));
      return FALSE;
    }
  gimp_progress_init (_("Exporting labels"));
  sources = train_sources_open (source, image, from, error);
  return sources && export_images (export, sources, error);
}

static gboolean
ask (GimpProcedureConfig *config)
{
  const char *const formats[] = { "coco", _("Boxes: COCO"), "yolo", _("Boxes: YOLO"), "voc", _("Boxes: Pascal VOC"), "masks", _("Painted pixels: masks"),
                                  "folders", _("Whole images: a folder for each class"), NULL };
  const char *const sources[] = { "image", _("This image"), "open-images", _("All open images"), NULL };
  const DialogRow   rows[] = {
    { DIALOG_CHOICE, "format", _("_Format"), _("What other programs read"), formats },
    { DIALOG_CHOICE, "source", _("F_rom"), _("Whose labels"), sources },
    { DIALOG_FOLDER, "folder", _("_To"), _("Choose a Folder"), NULL },
    { DIALOG_CHECK, "photos", _("_Photos, too"), NULL, NULL },
  };

  return dialog_ask (config, _("Export Labels"), EXPORT_LABELS_PROCEDURE, _("_Export"), rows, G_N_ELEMENTS (rows));
}

static char *
make_json (const Export *export)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "format");
  json_builder_add_string_value (json, label_format_words[export->format]);
  json_builder_set_member_name (json, "folder");
  json_builder_add_string_value (json, export->folder);
  json_builder_set_member_name (json, "count");
  json_builder_add_int_value (json, export->count);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

static GimpValueArray *
export_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Export           export = { .labels = fovea_labels_new (), .classes = g_ptr_array_new_with_free_func (g_free),
                              .names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  g_autofree char *folder = NULL;
  GError          *error = NULL;
  GimpValueArray  *values;
  gboolean         done;

  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE && !ask (config))
    values = gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
  else
    {
      g_object_get (config, "folder", &folder, NULL);
      export.folder = folder;
      done = export_labels (config, image, &export, &error);
      values = gimp_procedure_new_return_values (procedure, done ? GIMP_PDB_SUCCESS : GIMP_PDB_EXECUTION_ERROR, error);
      if (done)
        {
          GIMP_VALUES_SET_INT (values, 1, (gint) export.count);
          GIMP_VALUES_TAKE_STRING (values, 2, make_json (&export));
        }
    }
  fovea_labels_free (export.labels);
  g_ptr_array_unref (export.classes);
  g_hash_table_unref (export.names);
  return values;
}

GimpProcedure *
export_labels_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, EXPORT_LABELS_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, export_run, NULL, NULL);

  procedure_describe (procedure, _("_Export Labels…"), NULL,
                      _("Write labels as files that other programs read"),
                      _("Objects as boxes of COCO, YOLO or Pascal VOC, painted pixels as masks, whole images as folders of classes; with the photos beside them."));
  gimp_procedure_add_string_argument (procedure, "format", _("_Format"), _("coco, yolo or voc (boxes), masks (painted pixels), or folders (whole images)"), "coco", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "source", _("F_rom"), _("Whose labels: image, open-images, or folder"), "image", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "from", _("Folder of _images"), _("With source folder: where XCF files with labels lie"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "folder", _("_To"), _("The folder that labels are written to; it is made where there is none"), "", G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "photos", _("_Photos"), _("Write the photos, too, as PNG files; otherwise the images' own files are named"), TRUE, G_PARAM_READWRITE);
  gimp_procedure_add_int_return_value (procedure, "count", _("Count"), _("Of boxes, masks or photos"), 0, G_MAXINT, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("The same and the format as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
