/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-labels.c: the procedure plug-in-fovea-import-labels: labels that other programs, or plug-in-fovea-export-labels, have written become label layers and
 * paths of the open images. One undo step for each image.
 */

#include "import-labels.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "arguments.h"
#include "dialog.h"
#include "export-labels.h"
#include "image.h"
#include "label-layers.h"
#include "label-origin.h"
#include "label-paths.h"
#include "pixels.h"
#include "procedure.h"

#define MASK_UNKNOWN 255
#define N_VALUES     256
#define OPAQUE       255

static const char *const places[] = { "image", "open-images", NULL };

typedef struct
{
  LabelFormat  format;
  const char  *folder;
  gboolean     is_one;   /* image: labels of a single photo are its own, whatever they are called */
  FoveaLabels *labels;   /* boxes; NULL: other formats */
  guint        count, n_images;
} Import;

/* ---- which photo ------------------------------------------------------------------------------------------------------ */

/* Without folders and suffix. Free with g_free. */
static char *
get_stem (const char *file)
{
  char *stem = g_path_get_basename (file), *point = strrchr (stem, '.');

  if (point && point > stem)
    *point = '\0';
  return stem;
}

static const FoveaLabelPhoto *
find_photo (const Import *import, GimpImage *image)
{
  g_autofree char *name = pixels_get_file_name (image), *stem = get_stem (name);
  const GPtrArray *photos = import->labels->photos;

  for (int exactly = 1; exactly >= 0; exactly--)
    for (guint i = 0; i < photos->len; i++)
      {
        const FoveaLabelPhoto *photo = photos->pdata[i];
        g_autofree char       *base = exactly ? g_path_get_basename (photo->file) : get_stem (photo->file);

        if (strcmp (base, exactly ? name : stem) == 0)
          return photo;
      }
  return import->is_one && photos->len == 1 ? photos->pdata[0] : NULL;
}

/* ---- boxes -------------------------------------------------------------------------------------------------------------- */

/* The boxes of paths that are there. Of FoveaLabelBox, free with g_array_unref. */
static GArray *
list_boxes (const LabelLayers *labels)
{
  g_autoptr (GArray) paths = label_paths_list (labels);
  GArray            *boxes = g_array_new (FALSE, TRUE, sizeof (FoveaLabelBox));

  g_array_set_clear_func (boxes, (GDestroyNotify) fovea_label_box_clear);
  g_array_set_size (boxes, paths->len);
  for (guint i = 0; i < paths->len; i++)
    {
      FoveaLabelBox *box = &g_array_index (boxes, FoveaLabelBox, i);

      box->label = g_strdup (labels->classes[g_array_index (paths, LabelPath, i).class].name);
      label_paths_describe (&g_array_index (paths, LabelPath, i), labels->image, box);
    }
  return boxes;
}

static gboolean
has_box (const GArray *boxes, const FoveaLabelBox *box)
{
  for (guint i = 0; i < boxes->len; i++)
    {
      const FoveaLabelBox *other = &g_array_index (boxes, FoveaLabelBox, i);

      if (strcmp (other->label, box->label) == 0 && other->x == box->x && other->y == box->y && other->width == box->width && other->height == box->height)
        return TRUE;
    }
  return FALSE;
}

/* The box, whose texts are borrowed and not those of the photo's size, in an image that is so many times as large. */
static void
scale_box (FoveaLabelBox *box, GimpImage *image, double across, double down)
{
  g_autoptr (GPtrArray) polygons = box->segmentation ? fovea_segmentation_get_polygons (box->segmentation) : NULL;

  box->x *= across;
  box->y *= down;
  box->width *= across;
  box->height *= down;
  box->area *= across * down;
  for (guint i = 0; polygons && i < polygons->len; i++)
    for (guint k = 0; k < ((GArray *) polygons->pdata[i])->len; k++)
      g_array_index ((GArray *) polygons->pdata[i], double, k) *= k % 2 ? down : across;
  box->more = fovea_label_more_moved (box->more);
  box->segmentation = polygons ? fovea_segmentation_redraw (box->segmentation, polygons, gimp_image_get_width (image), gimp_image_get_height (image)) : NULL;
}

/* Where the image has another size than the labels' photo, it has been scaled. */
static gboolean
add_boxes (Import *import, const LabelLayers *labels, const FoveaLabelPhoto *photo, GError **error)
{
  g_autoptr (GArray) before = list_boxes (labels);
  double             across = (double) gimp_image_get_width (labels->image) / photo->width, down = (double) gimp_image_get_height (labels->image) / photo->height;
  gint               position = 0;

  for (guint i = 0; i < photo->boxes->len; i++)
    {
      FoveaLabelBox    box = g_array_index (photo->boxes, FoveaLabelBox, i);
      g_autofree char *scaled = NULL, *more = NULL;

      if (across != 1 || down != 1)
        {
          scale_box (&box, labels->image, across, down);
          scaled = box.segmentation;
          more = box.more;
        }
      if (has_box (before, &box))
        continue;
      if (!label_paths_add (labels->image, &box, position++, error))
        return FALSE;
      import->count++;
    }
  return TRUE;
}

static gboolean
import_boxes (Import *import, GimpImage *image, GError **error)
{
  const FoveaLabelPhoto  *photo = find_photo (import, image);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv)           classes = NULL;
  g_autoptr (LabelLayers)  labels = NULL;

  if (!photo)
    return TRUE;
  import->n_images++;
  for (guint i = 0; i < import->labels->classes->len; i++)
    g_strv_builder_add (names, import->labels->classes->pdata[i]);
  classes = g_strv_builder_end (names);
  labels = label_layers_make (image, FOVEA_TASK_DETECT, (const char *const *) classes, error);
  if (labels)
    label_origin_keep (image, import->labels, photo);
  return labels && add_boxes (import, labels, photo, error);
}

/* ---- masks ---------------------------------------------------------------------------------------------------------------- */

static char **
read_mask_classes (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "classes.txt", NULL), *text = NULL;
  const char *const usual[] = { "subject", NULL };

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return g_strdupv ((char **) usual);
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  if (g_str_has_suffix (text, "\n"))
    text[strlen (text) - 1] = '\0';
  return *text ? g_strsplit (text, "\n", -1) : g_new0 (char *, 1);
}

/* The mask of the image: that of its name, or the file that was given. Free with g_free; NULL: there is none. */
static char *
find_mask (const Import *import, GimpImage *image)
{
  g_autofree char *name = pixels_get_file_name (image), *stem = get_stem (name), *file = g_strconcat (stem, ".png", NULL);
  char            *path = g_file_test (import->folder, G_FILE_TEST_IS_DIR) ? g_build_filename (import->folder, "masks", file, NULL) : g_strdup (import->folder);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_clear_pointer (&path, g_free);
  return path;
}

/* Makes what the mask says is `value` painted on the layer, which covers the canvas. */
static void
paint (GimpLayer *layer, const guint8 rgb[3], const guint8 *mask, int width, int height, guint8 value)
{
  GeglBuffer        *buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (layer));
  const Babl        *format = babl_format ("R'G'B'A u8");
  g_autofree guint8 *row = g_new (guint8, 4 * (gsize) width);

  for (int y = 0; y < height; y++)
    {
      const GeglRectangle *line = GEGL_RECTANGLE (0, y, width, 1);

      if (!memchr (mask + (gsize) y * (gsize) width, value, (gsize) width))
        continue;
      gegl_buffer_get (buffer, line, 1.0, format, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
      for (int x = 0; x < width; x++)
        if (mask[(gsize) y * (gsize) width + (gsize) x] == value)
          {
            memcpy (row + 4 * x, rgb, 3);
            row[4 * x + 3] = OPAQUE;
          }
      gegl_buffer_set (buffer, line, 0, format, row, GEGL_AUTO_ROWSTRIDE);
    }
  g_object_unref (buffer);
  gimp_drawable_update (GIMP_DRAWABLE (layer), 0, 0, width, height);
}

/* The class's first layer where it lies over the whole canvas, or a new one. */
static GimpLayer *
find_layer (const LabelLayers *labels, guint index, GError **error)
{
  for (guint k = 0; k < labels->classes[index].layers->len; k++)
    {
      GimpLayer *layer = labels->classes[index].layers->pdata[k];
      gint       x, y;

      gimp_drawable_get_offsets (GIMP_DRAWABLE (layer), &x, &y);
      if (x == 0 && y == 0 && gimp_drawable_get_width (GIMP_DRAWABLE (layer)) == gimp_image_get_width (labels->image)
          && gimp_drawable_get_height (GIMP_DRAWABLE (layer)) == gimp_image_get_height (labels->image) && !gimp_layer_get_mask (layer))
        return layer;
    }
  return label_layers_add_layer (labels, index, error);
}

/* classes: the names of 1, 2 … */
static gboolean
paint_classes (const LabelLayers *labels, char **classes, const guint8 *mask, int width, int height, GError **error)
{
  guint n = g_strv_length (classes);

  for (guint value = 0; value <= n; value++)
    {
      GimpLayer *layer;
      gint       index = -1;

      if (!memchr (mask, (int) value, (gsize) width * (gsize) height))
        continue;
      if (value > 0)
        index = label_layers_index (labels, classes[value - 1]);
      for (guint i = 0; i < labels->n && value == 0; i++)
        index = labels->classes[i].background ? (gint) i : index;
      layer = index >= 0 ? find_layer (labels, (guint) index, error) : NULL;
      if (!layer)
        return FALSE;
      paint (layer, labels->classes[index].rgb, mask, width, height, (guint8) value);
    }
  return TRUE;
}

static gboolean
check_mask (const guint8 *mask, int width, int height, GimpImage *image, const char *path, guint n_classes, GError **error)
{
  gsize n = (gsize) width * (gsize) height;

  if (width != gimp_image_get_width (image) || height != gimp_image_get_height (image))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The mask %s has %d × %d pixels, the image hasn't. Open the photo that it belongs to."), path, width, height);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    if (mask[i] > n_classes && mask[i] != MASK_UNKNOWN)
      {
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The mask %s has the value %d, but classes.txt names %d classes. Add the others' names to it."), path, (int) mask[i],
                     (int) n_classes);
        return FALSE;
      }
  return TRUE;
}

static gboolean
import_mask (Import *import, GimpImage *image, GError **error)
{
  g_autofree char         *path = find_mask (import, image), *folder = NULL;
  g_autofree guint8       *mask = NULL;
  g_auto (GStrv)           classes = NULL, names = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (LabelLayers)  labels = NULL;
  int                      width, height;

  if (!path)
    return TRUE;
  folder = g_file_test (import->folder, G_FILE_TEST_IS_DIR) ? g_strdup (import->folder) : g_path_get_dirname (path);
  classes = read_mask_classes (folder, error);
  mask = classes ? image_read_file (path, 1, &width, &height, NULL, error) : NULL;
  if (!mask || !check_mask (mask, width, height, image, path, g_strv_length (classes), error))
    return FALSE;
  if (memchr (mask, 0, (gsize) width * (gsize) height))
    g_strv_builder_add (builder, _("Background"));
  g_strv_builder_addv (builder, (const char **) classes);
  names = g_strv_builder_end (builder);
  labels = label_layers_make (image, FOVEA_TASK_SEGMENT, (const char *const *) names, error);
  import->n_images++;
  import->count++;
  return labels && paint_classes (labels, classes, mask, width, height, error);
}

/* ---- folders ------------------------------------------------------------------------------------------------------------------ */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted; folders or what isn't one. */
static GPtrArray *
list_folder (const char *path, gboolean folders, GError **error)
{
  g_autoptr (GDir)      dir = g_dir_open (path, 0, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (!dir)
    return NULL;
  for (const char *name; (name = g_dir_read_name (dir));)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      if (*name != '.' && g_file_test (inner, G_FILE_TEST_IS_DIR) == folders)
        g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

static gboolean
add_examples (Import *import, const LabelLayers *labels, const char *folder, const char *class, GError **error)
{
  g_autofree char      *path = g_build_filename (import->folder, folder, NULL);
  g_autoptr (GPtrArray) files = list_folder (path, FALSE, error);
  gint                  index = label_layers_index (labels, class);

  if (!files || index < 0)
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    {
      g_autoptr (GFile) file = g_file_new_build_filename (path, files->pdata[i], NULL);
      g_autofree char  *stem = get_stem (files->pdata[i]), *name = fovea_folder_to_label (stem);
      GimpLayer        *layer = gimp_file_load_layer (GIMP_RUN_NONINTERACTIVE, labels->image, file);

      if (!layer)
        continue;
      gimp_item_set_name (GIMP_ITEM (layer), name);
      gimp_image_insert_layer (labels->image, layer, GIMP_LAYER (labels->classes[index].items->pdata[0]), (gint) i);
      import->count++;
    }
  return TRUE;
}

static gboolean
import_folders (Import *import, GimpImage *image, GError **error)
{
  g_autoptr (GPtrArray)   folders = list_folder (import->folder, TRUE, error);
  g_autoptr (GPtrArray)   names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LabelLayers) labels = NULL;

  for (guint i = 0; folders && i < folders->len; i++)
    g_ptr_array_add (names, fovea_folder_to_label (folders->pdata[i]));
  if (!folders || folders->len == 0)
    {
      if (folders)
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("%s has no folders. Choose one with a folder of photos for each class."), import->folder);
      return FALSE;
    }
  g_ptr_array_add (names, NULL);
  labels = label_layers_make (image, FOVEA_TASK_CLASSIFY, (const char *const *) names->pdata, error);
  import->n_images++;
  for (guint i = 0; labels && i < folders->len; i++)
    if (!add_examples (import, labels, folders->pdata[i], names->pdata[i], error))
      return FALSE;
  return labels != NULL;
}

/* ---- the procedure ------------------------------------------------------------------------------------------------------------- */

static gboolean
read_size (const char *path, int *width, int *height, gpointer image, GError **error)
{
  if (gdk_pixbuf_get_file_info (path, width, height))
    return TRUE;
  *width = gimp_image_get_width (image); /* the photo isn't there: it is the one that is open */
  *height = gimp_image_get_height (image);
  return TRUE;
}

static gboolean
import_image (Import *import, GimpImage *image, GError **error)
{
  gboolean done;

  gimp_image_undo_group_start (image);
  done = import->format == LABEL_FORMAT_FOLDERS ? import_folders (import, image, error)
         : import->format == LABEL_FORMAT_MASKS ? import_mask (import, image, error)
                                                : import_boxes (import, image, error);
  gimp_image_undo_group_end (image);
  return done;
}

static gboolean
import_labels (GimpProcedureConfig *config, GimpImage *image, Import *import, GError **error)
{
  static const FoveaLabelFormat formats[] = { FOVEA_LABELS_COCO, FOVEA_LABELS_YOLO, FOVEA_LABELS_VOC };
  GimpImage                    *one[] = { image, NULL };
  g_autofree GimpImage        **open = NULL;
  guint                         format, place;

  if (!argument_read_word (config, "format", label_format_words, &format, error) || !argument_read_word (config, "source", places, &place, error))
    return FALSE;
  import->format = (LabelFormat) format;
  import->is_one = place == 0;
  if (format <= LABEL_FORMAT_VOC && !(import->labels = fovea_labels_read (import->folder, formats[format], read_size, image, error)))
    return FALSE;
  open = pixels_list_images ();
  for (guint i = 0; import->is_one ? one[i] != NULL : open[i] != NULL; i++)
    if (!import_image (import, import->is_one ? one[i] : open[i], error))
      return FALSE;
  if (import->n_images > 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("%s has no labels of a photo with this image's name. Open the photo that they are of."), import->folder);
  return FALSE;
}

static gboolean
ask (GimpProcedureConfig *config)
{
  const char *const formats[] = { "coco", _("Boxes: COCO"), "yolo", _("Boxes: YOLO"), "voc", _("Boxes: Pascal VOC"), "masks", _("Painted pixels: masks"),
                                  "folders", _("Whole images: a folder for each class"), NULL };
  const char *const sources[] = { "image", _("This image"), "open-images", _("All open images"), NULL };
  const DialogRow   rows[] = {
    { DIALOG_CHOICE, "format", _("_Format"), _("What other programs have written"), formats },
    { DIALOG_FOLDER, "folder", _("F_rom"), _("Choose a Folder"), NULL },
    { DIALOG_CHOICE, "source", _("_To"), _("Which images get their labels, by the names of their files"), sources },
  };

  return dialog_ask (config, _("Import Labels"), IMPORT_LABELS_PROCEDURE, _("_Import"), rows, G_N_ELEMENTS (rows));
}

static char *
make_json (const Import *import)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "format");
  json_builder_add_string_value (json, label_format_words[import->format]);
  json_builder_set_member_name (json, "images");
  json_builder_add_int_value (json, import->n_images);
  json_builder_set_member_name (json, "count");
  json_builder_add_int_value (json, import->count);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

static GimpValueArray *
import_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Import           import = { 0 };
  g_autofree char *folder = NULL;
  GError          *error = NULL;
  GimpValueArray  *values;
  gboolean         done;

  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE && !ask (config))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
  g_object_get (config, "folder", &folder, NULL);
  import.folder = folder ? folder : "";
  done = import_labels (config, image, &import, &error);
  g_clear_pointer (&import.labels, fovea_labels_free);
  values = gimp_procedure_new_return_values (procedure, done ? GIMP_PDB_SUCCESS : GIMP_PDB_EXECUTION_ERROR, error);
  if (done)
    {
      GIMP_VALUES_SET_INT (values, 1, (gint) import.count);
      GIMP_VALUES_TAKE_STRING (values, 2, make_json (&import));
    }
  gimp_displays_flush ();
  return values;
}

GimpProcedure *
import_labels_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, IMPORT_LABELS_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, import_run, NULL, NULL);

  procedure_describe (procedure, _("_Import Labels…"), NULL,
                      _("Make labels of other programs label layers of the image"),
                      _("Boxes of COCO, YOLO or Pascal VOC become paths, masks become painted layers, and folders of photos become example layers, in a label group."));
  gimp_procedure_add_string_argument (procedure, "format", _("_Format"), _("coco, yolo or voc (boxes), masks (painted pixels), or folders (whole images)"), "coco", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "source", _("_To"), _("Which images get their labels: image, or open-images"), "image", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "folder", _("F_rom"), _("The folder or file that the labels are in"), "", G_PARAM_READWRITE);
  gimp_procedure_add_int_return_value (procedure, "count", _("Count"), _("Of boxes, masks or photos"), 0, G_MAXINT, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("The same as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
