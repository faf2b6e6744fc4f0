/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-photos.c: see train-photos.h. The list is a manifest.jsonl, which the engine reads.
 */

#include "train-photos.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "label-examples.h"
#include "label-paths.h"
#include "photo-copy.h"
#include "pixels.h"

#define MOST_SIDE 1280 /* pixels of a copy's longer side: networks see a quarter of that */
#define TINY      320  /* that part of a photo's side is what no network sees */
#define SAME      0.8  /* overlap of two boxes that show one object */
#define FEW       5    /* examples of a class */
#define MOST_REASONS 3 /* why there is nothing to learn from */

/* A photo that is to be copied: a layer of a class, or an image. */
typedef struct
{
  const LabelLayers *labels;
  guint              class;
  GimpLayer         *layer; /* NULL: the image */
} Item;

struct _TrainPhotos
{
  FoveaTask  task;
  char      *folder;
  GArray    *items;    /* of Item */
  guint      next, n;  /* n: photos that have been copied */
  GArray    *classes;  /* of PhotoClass */
  GPtrArray *rows;     /* of char*, of the list */
  GPtrArray  *warnings;
  GChecksum  *checksum;
  GHashTable *seen;     /* whole images: pixels' checksum → class */
};

/* ---- its life ---------------------------------------------------------------------------------------------------- */

static void
class_clear (gpointer data)
{
  g_free (((PhotoClass *) data)->name);
}

static PhotoClass *
find_class (TrainPhotos *photos, const char *name)
{
  PhotoClass added = { g_strdup (name), 0 };

  for (guint i = 0; i < photos->classes->len; i++)
    if (g_strcmp0 (g_array_index (photos->classes, PhotoClass, i).name, name) == 0)
      {
        g_free (added.name);
        return &g_array_index (photos->classes, PhotoClass, i);
      }
  g_array_append_val (photos->classes, added);
  return &g_array_index (photos->classes, PhotoClass, photos->classes->len - 1);
}

static void
list_items (TrainPhotos *photos, const LabelLayers *labels)
{
  Item item = { labels, 0, NULL };

  if (photos->task == FOVEA_TASK_DETECT)
    g_array_append_val (photos->items, item);
  for (item.class = 0; item.class < labels->n; item.class++)
    {
      const LabelClass *class = &labels->classes[item.class];

      if (photos->task == FOVEA_TASK_CLASSIFY || !class->background)
        find_class (photos, class->name);
      for (guint k = 0; k < class->layers->len && photos->task == FOVEA_TASK_CLASSIFY; k++)
        {
          item.layer = class->layers->pdata[k];
          g_array_append_val (photos->items, item);
        }
    }
}

TrainPhotos *
train_photos_new (const TrainSources *sources, FoveaTask task, const char *folder)
{
  TrainPhotos *photos = g_new0 (TrainPhotos, 1);

  photos->task = task;
  photos->folder = g_strdup (folder);
  photos->items = g_array_new (FALSE, FALSE, sizeof (Item));
  photos->classes = g_array_new (FALSE, FALSE, sizeof (PhotoClass));
  g_array_set_clear_func (photos->classes, class_clear);
  photos->rows = g_ptr_array_new_with_free_func (g_free);
  photos->warnings = g_ptr_array_new_with_free_func (g_free);
  photos->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  photos->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < sources->labels->len; i++)
    list_items (photos, sources->labels->pdata[i]);
  return photos;
}

void
train_photos_free (TrainPhotos *photos)
{
  if (!photos)
    return;
  g_free (photos->folder);
  g_array_unref (photos->items);
  g_array_unref (photos->classes);
  g_ptr_array_unref (photos->rows);
  g_ptr_array_unref (photos->warnings);
  g_checksum_free (photos->checksum);
  g_hash_table_unref (photos->seen);
  g_free (photos);
}

void
train_photos_thin (TrainPhotos *photos, guint n)
{
  g_autoptr (GArray) all = photos->items;
  guint              n_left = MIN (n, all->len);

  photos->items = g_array_new (FALSE, FALSE, sizeof (Item));
  for (guint i = 0; i < n_left; i++)
    g_array_append_val (photos->items, g_array_index (all, Item, i * all->len / n_left));
}

guint
train_photos_count (const TrainPhotos *photos)
{
  return photos->n;
}

const GArray *
train_photos_get_classes (const TrainPhotos *photos)
{
  return photos->classes;
}

const char *
train_photos_get_digest (const TrainPhotos *photos)
{
  return g_checksum_get_string (photos->checksum);
}

GPtrArray *
train_photos_get_warnings (const TrainPhotos *photos)
{
  return photos->warnings;
}

/* ---- a photo ------------------------------------------------------------------------------------------------------ */

static void
warn (TrainPhotos *photos, const LabelLayers *labels, const char *text)
{
  g_autofree char *name = gimp_image_is_valid (labels->image) ? gimp_image_get_name (labels->image) : g_strdup (_("An image"));

  g_ptr_array_add (photos->warnings, g_strdup_printf ("%s: %s", name, text));
}

/* One photo in two classes contradicts itself. */
static void
note_pixels (TrainPhotos *photos, const Item *item, const GdkPixbuf *photo)
{
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, gdk_pixbuf_read_pixels (photo), gdk_pixbuf_get_byte_length (photo));
  const char      *class = item->layer ? item->labels->classes[item->class].name : "", *other = g_hash_table_lookup (photos->seen, sum);

  g_checksum_update (photos->checksum, (const guchar *) sum, -1);
  if (item->layer && other && g_strcmp0 (other, class) != 0)
    {
      g_autofree char *text = g_strdup_printf (_("the same photo is an example of “%s” and of “%s”: take it out of one of them."), other, class);

      warn (photos, item->labels, text);
    }
  g_hash_table_insert (photos->seen, g_steal_pointer (&sum), g_strdup (class));
}

/* Free with g_free; NULL with an error. */
static char *
copy_photo (TrainPhotos *photos, const Item *item, GError **error)
{
  GimpDrawable           *drawables[] = { GIMP_DRAWABLE (item->layer), NULL };
  g_autoptr (PixelReader) reader = pixel_reader_new (item->labels->image, drawables, item->layer ? "own" : "image", error);
  g_autoptr (GdkPixbuf)   photo = reader ? photo_copy_read (reader, MOST_SIDE, error) : NULL;
  g_autofree char        *name = g_strdup_printf ("%05u.png", photos->n), *path = g_build_filename (photos->folder, name, NULL);

  if (!photo)
    return NULL;
  if (!gdk_pixbuf_save (photo, path, "png", error, "compression", "1", NULL))
    {
      g_prefix_error (error, _("The photos can't be copied to %s: make room there. "), photos->folder);
      return NULL;
    }
  note_pixels (photos, item, photo);
  return g_steal_pointer (&name);
}

/* ---- the list ------------------------------------------------------------------------------------------------------ */

static void
add_box (JsonBuilder *json, const char *name, const LabelBlob *blob, int width, int height)
{
  const double numbers[4] = { (double) blob->x / width, (double) blob->y / height, (double) blob->width / width, (double) blob->height / height };

  json_builder_begin_array (json);
  json_builder_add_string_value (json, name);
  for (int i = 0; i < 4; i++)
    json_builder_add_double_value (json, numbers[i]);
  json_builder_end_array (json);
}

/* An object that no network could see. */
static gboolean
is_tiny (const LabelBlob *blob, int width, int height)
{
  return (gint64) blob->width * TINY < width || (gint64) blob->height * TINY < height;
}

static void
warn_of_tiny (TrainPhotos *photos, const LabelLayers *labels, guint index, const LabelBlob *blob)
{
  g_autofree char *text = g_strdup_printf (_("an object of “%s” at %d, %d is too small to be seen; it is left out."), labels->classes[index].name, blob->x, blob->y);

  warn (photos, labels, text);
}

static double
find_overlap (const LabelBlob *a, const LabelBlob *b)
{
  double width = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x), height = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  double both = MAX (width, 0) * MAX (height, 0);

  return both / ((double) a->width * a->height + (double) b->width * b->height - both);
}

/* One object in two classes contradicts itself. */
static void
warn_of_contradictions (TrainPhotos *photos, const LabelLayers *labels, const LabelCounts *counts)
{
  for (guint i = 0; i < labels->n; i++)
    for (guint j = i + 1; j < labels->n; j++)
      for (guint k = 0; k < counts->classes[i].objects->len; k++)
        for (guint l = 0; l < counts->classes[j].objects->len; l++)
          {
            const LabelBlob *a = &g_array_index (counts->classes[i].objects, LabelBlob, k), *b = &g_array_index (counts->classes[j].objects, LabelBlob, l);
            g_autofree char *text = NULL;

            if (labels->classes[i].background || labels->classes[j].background || find_overlap (a, b) < SAME)
              continue;
            text = g_strdup_printf (_("the object at %d, %d is “%s” and “%s” at once: erase one of them."), a->x, a->y, labels->classes[i].name, labels->classes[j].name);
            warn (photos, labels, text);
          }
}

/* Their number. */
static guint
add_boxes (TrainPhotos *photos, JsonBuilder *json, const LabelLayers *labels, const LabelCounts *counts)
{
  int   width = gimp_image_get_width (labels->image), height = gimp_image_get_height (labels->image);
  guint n = 0;

  json_builder_set_member_name (json, "boxes");
  json_builder_begin_array (json);
  for (guint i = 0; i < labels->n; i++)
    for (guint k = 0; k < counts->classes[i].objects->len && !labels->classes[i].background; k++)
      {
        const LabelBlob *blob = &g_array_index (counts->classes[i].objects, LabelBlob, k);

        if (is_tiny (blob, width, height))
          {
            warn_of_tiny (photos, labels, i, blob);
            continue;
          }
        add_box (json, labels->classes[i].name, blob, width, height);
        find_class (photos, labels->classes[i].name)->n++;
        n++;
      }
  json_builder_end_array (json);
  return n;
}

/* Regions of many objects, which teach nothing. */
static void
add_crowds (JsonBuilder *json, const LabelLayers *labels)
{
  g_autoptr (GArray) paths = label_paths_list (labels);
  int                width = gimp_image_get_width (labels->image), height = gimp_image_get_height (labels->image);

  json_builder_set_member_name (json, "crowd");
  json_builder_begin_array (json);
  for (guint i = 0; i < paths->len; i++)
    {
      const LabelPath *path = &g_array_index (paths, LabelPath, i);
      const LabelBlob  blob = { (int) path->x, (int) path->y, (int) (path->width + 0.5), (int) (path->height + 0.5), 0 };

      if (path->is_crowd && !labels->classes[path->class].background)
        add_box (json, labels->classes[path->class].name, &blob, width, height);
    }
  json_builder_end_array (json);
}

static void
take_row (TrainPhotos *photos, char *row)
{
  g_checksum_update (photos->checksum, (const guchar *) row, -1);
  g_ptr_array_add (photos->rows, row);
  photos->n++;
}

static void
finish_row (TrainPhotos *photos, JsonBuilder *json, const char *file)
{
  g_autoptr (JsonNode) root = NULL;

  json_builder_set_member_name (json, "file");
  json_builder_add_string_value (json, file);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  take_row (photos, json_to_string (root, FALSE));
}

void
train_photos_add (TrainPhotos *photos, const FoveaLabelled *others)
{
  for (guint i = 0; i < others->n_photos; i++)
    take_row (photos, fovea_labelled_make_row (others, i));
  for (guint c = 0; others->classes[c]; c++)
    find_class (photos, others->classes[c])->n += (guint) others->counts[c];
}

static gboolean
add_image (TrainPhotos *photos, const Item *item, GError **error)
{
  g_autoptr (LabelCounts) counts = label_examples_count (item->labels, error);
  g_auto (GStrv)          advice = counts ? label_counts_advise (counts, item->labels) : NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char        *file = NULL;
  guint                   outside = 0;

  if (!counts)
    return FALSE;
  for (guint i = 0; i < counts->n; i++)
    outside += counts->classes[i].objects->len == 0 && counts->classes[i].outside > 0;
  json_builder_begin_object (json);
  if (add_boxes (photos, json, item->labels, counts) == 0)
    {
      for (guint i = 0; advice[i] && outside > 0; i++)
        warn (photos, item->labels, advice[i]);
      if (outside == 0)
        warn (photos, item->labels, _("no object is labelled; the image is left out."));
      return TRUE;
    }
  add_crowds (json, item->labels);
  warn_of_contradictions (photos, item->labels, counts);
  file = copy_photo (photos, item, error);
  if (file)
    finish_row (photos, json, file);
  return file != NULL;
}

static gboolean
add_layer (TrainPhotos *photos, const Item *item, GError **error)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (GError)      local = NULL;
  g_autofree char        *file = copy_photo (photos, item, &local);
  const LabelClass       *class = &item->labels->classes[item->class];

  if (!file && g_error_matches (local, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT)) /* an empty layer */
    {
      g_autofree char *text = g_strdup_printf (_("an example of “%s” is empty; it is left out."), class->name);

      warn (photos, item->labels, text);
      return TRUE;
    }
  if (!file)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "labels");
  json_builder_begin_array (json);
  json_builder_add_string_value (json, class->name);
  json_builder_end_array (json);
  finish_row (photos, json, file);
  find_class (photos, class->name)->n++;
  return TRUE;
}

gboolean
train_photos_step (TrainPhotos *photos, double *fraction, GError **error)
{
  const Item *item;

  if (photos->next >= photos->items->len)
    return FALSE;
  item = &g_array_index (photos->items, Item, photos->next++);
  *fraction = (double) photos->next / photos->items->len;
  if (!gimp_image_is_valid (item->labels->image) || (item->layer && !gimp_item_is_valid (GIMP_ITEM (item->layer))))
    {
      warn (photos, item->labels, _("it or an example in it has been closed or deleted meanwhile; it is left out."));
      return TRUE;
    }
  return item->layer ? add_layer (photos, item, error) : add_image (photos, item, error);
}

/* ---- what may be missing -------------------------------------------------------------------------------------------- */

static void
advise (TrainPhotos *photos)
{
  for (guint i = 0; i < photos->classes->len; i++)
    {
      const PhotoClass *class = &g_array_index (photos->classes, PhotoClass, i);

      if (class->n < FEW)
        g_ptr_array_add (photos->warnings, g_strdup_printf (ngettext ("“%s” has only %d example: ten or more are better.", "“%s” has only %d examples: ten or more are better.",
                                                                      class->n), class->name, (int) class->n));
    }
}

static gboolean
check (const TrainPhotos *photos, GError **error)
{
  g_autoptr (GString) empty = g_string_new (NULL);
  guint               n = 0;

  for (guint i = 0; i < photos->classes->len; i++)
    {
      const PhotoClass *class = &g_array_index (photos->classes, PhotoClass, i);

      if (class->n > 0)
        n++;
      else
        g_string_append_printf (empty, "%s“%s”", empty->len ? ", " : "", class->name);
    }
  if (n > 1 || (n == 1 && photos->task == FOVEA_TASK_DETECT))
    return TRUE;
  if (photos->task == FOVEA_TASK_DETECT)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("No object is labelled yet. Paint each object on the layer of its class, or draw a path around it and name it after the class."));
  else if (n == 0)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There are no examples yet. Put layers with photos of it into the group of each class."));
  else
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("One class only has examples. Add layers with photos of something else to the group of another class%s%s."),
                 empty->len ? ": " : "", empty->str);
  for (guint i = MIN (photos->warnings->len, MOST_REASONS); i-- > 0;)
    g_prefix_error (error, "%s\n", (const char *) photos->warnings->pdata[i]);
  return FALSE;
}

gboolean
train_photos_list (const TrainPhotos *photos, GError **error)
{
  g_autofree char    *path = g_build_filename (photos->folder, "manifest.jsonl", NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < photos->rows->len; i++)
    g_string_append_printf (text, "%s\n", (const char *) photos->rows->pdata[i]);
  return g_file_set_contents (path, text->str, -1, error);
}

gboolean
train_photos_finish (TrainPhotos *photos, GError **error)
{
  if (!check (photos, error))
    return FALSE;
  advise (photos);
  return train_photos_list (photos, error);
}
