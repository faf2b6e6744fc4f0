/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hugging-face.c: the two files of a Hugging Face folder: config.json (classes, what the network is for) and preprocessor_config.json (how photos are made
 * ready), as transformers, transformers.js, Optimum and timm write them; turned into a sidecar's words.
 */

#include "vision/beside.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "vision/json-look.h"
#include "vision/literal.h"

/* ---- the photo -------------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  double height, width; /* NAN: not told */
  double shortest, longest;
} Size;

/* A number, or {height, width}, {shortest_edge}, {longest_edge}. */
static Size
read_size (JsonObject *object, const char *key)
{
  JsonObject *sides = look_object (object, key);
  Size        size = { look_number (sides, "height"), look_number (sides, "width"), look_number (sides, "shortest_edge"), look_number (sides, "longest_edge") };

  if (!sides)
    size.height = size.width = look_number (object, key);
  return size;
}

static void
set_size (JsonObject *input, double height, double width)
{
  JsonArray *array = json_array_new ();

  json_array_add_int_element (array, (gint64) CLAMP (height, 0, 1e6));
  json_array_add_int_element (array, (gint64) CLAMP (width, 0, 1e6));
  json_object_set_array_member (input, "size", array);
}

/* What is scaled to `edge` along its shorter side, and cut to size. */
static void
set_crop (JsonObject *input, double edge, double height, double width)
{
  set_size (input, height, width);
  json_object_set_string_member (input, "resize", "shortest-crop");
  json_object_set_double_member (input, "crop_scale", MAX (edge / MIN (height, width), 1));
}

static void
add_resize (JsonObject *input, JsonObject *processor)
{
  Size     size = read_size (processor, "size"), crop = read_size (processor, "crop_size");
  double   share = look_number (processor, "crop_pct");
  gboolean crops = look_boolean (processor, "do_center_crop", FALSE) && crop.height >= 1 && crop.width >= 1;

  if (!look_boolean (processor, "do_resize", TRUE))
    return;
  if (crops)
    set_crop (input, size.shortest >= 1 ? size.shortest : size.height >= 1 ? MIN (size.height, size.width) : MIN (crop.height, crop.width), crop.height, crop.width);
  else if (share > 0 && share <= 1 && (size.shortest >= 1 || size.height >= 1)) /* ConvNeXt's rule: from 384 pixels on, nothing is cut off */
    {
      double edge = size.shortest >= 1 ? size.shortest : size.height;

      set_crop (input, edge < 384 ? edge / share : edge, edge, edge);
      if (edge >= 384)
        json_object_set_string_member (input, "resize", "stretch");
    }
  else if (size.height >= 1 && size.width >= 1)
    {
      set_size (input, size.height, size.width);
      json_object_set_string_member (input, "resize", "stretch");
    }
  else if (size.shortest >= 1 || size.longest >= 1)
    {
      double edge = size.shortest >= 1 ? size.shortest : size.longest;

      set_size (input, edge, edge);
      json_object_set_string_member (input, "resize", "letterbox-corner");
      json_object_set_int_member (input, "pad", 0);
    }
}

static void
copy_member (JsonObject *from, const char *name, JsonObject *to, const char *new_name)
{
  JsonNode *node = json_object_get_member (from, name);

  if (node && !JSON_NODE_HOLDS_NULL (node))
    json_object_set_member (to, new_name, json_node_copy (node));
}

/* The numbers are Pillow's. */
static void
add_filter (JsonObject *input, JsonObject *processor)
{
  static const char *const filters[] = { "nearest", "lanczos", "bilinear", "bicubic" };
  double number = look_number (processor, "resample");

  if (number >= 0 && number < G_N_ELEMENTS (filters))
    json_object_set_string_member (input, "filter", filters[(int) number]);
}

static void
add_values (JsonObject *input, JsonObject *processor)
{
  gboolean normalizes = look_boolean (processor, "do_normalize", json_object_has_member (processor, "image_mean"));
  double   factor = look_number (processor, "rescale_factor");

  json_object_set_double_member (input, "range", !look_boolean (processor, "do_rescale", TRUE) ? 255 : factor > 0 ? 255 * factor : 1);
  if (normalizes)
    {
      copy_member (processor, "image_mean", input, "mean");
      copy_member (processor, "image_std", input, "std");
    }
  if (json_object_has_member (processor, "do_flip_channel_order"))
    json_object_set_string_member (input, "colour", look_boolean (processor, "do_flip_channel_order", FALSE) ? "bgr" : "rgb");
}

/* timm's own way to say it, in config.json. */
static void
add_timm (JsonObject *input, JsonObject *config)
{
  JsonArray  *array = look_array (config, "input_size");
  double      share = look_number (config, "crop_pct");
  const char *filter = look_string (config, "interpolation");

  if (array && json_array_get_length (array) == 3)
    {
      double height = look_element (array, 1), width = look_element (array, 2);

      if (height >= 1 && width >= 1)
        set_crop (input, floor (MIN (height, width) / (share > 0 && share <= 1 ? share : 0.875)), height, width);
      if (g_strcmp0 (look_string (config, "crop_mode"), "squash") == 0)
        json_object_set_string_member (input, "resize", "stretch");
    }
  if (filter && (g_str_equal (filter, "bilinear") || g_str_equal (filter, "bicubic")))
    json_object_set_string_member (input, "filter", filter);
  copy_member (config, "mean", input, "mean");
  copy_member (config, "std", input, "std");
}

/* ---- the classes ------------------------------------------------------------------------------------------------------------------------ */

/* Does some output count `n` of something? */
static gboolean
model_counts (const FoveaModel *model, gint64 n)
{
  for (guint i = 0; i < fovea_model_get_n_outputs (model); i++)
    {
      const FoveaPort *out = fovea_model_get_output (model, i);

      for (guint d = 1; out->has_rank && d < out->shape.n_dims; d++)
        if (out->shape.dims[d] == n)
          return TRUE;
    }
  return FALSE;
}

/* With do_reduce_labels class 0 of the data was nothing, and the network's own begin with 1. */
static void
add_names (JsonObject *object, const FoveaModel *model, JsonObject *config, gboolean reduced)
{
  JsonObject *labels = look_object (config, "id2label");
  guint       n = labels ? json_object_get_size (labels) : 0;
  JsonArray  *names;

  if (n == 0 || n > 100000)
    return;
  if (!(reduced && n > 1 && model_counts (model, n - 1) && !model_counts (model, n)))
    {
      copy_member (config, "id2label", object, "names");
      return;
    }
  names = json_array_new ();
  for (guint i = 1; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      const char      *name = look_string (labels, key);

      json_array_add_string_element (names, name ? name : "");
    }
  json_object_set_array_member (object, "names", names);
}

static void
add_task (JsonObject *object, JsonObject *config)
{
  static const struct
  {
    const char *ending, *task;
  } endings[] = {
    { "ForImageClassification", "classify" }, { "ForImageClassificationWithTeacher", "classify" }, { "ForObjectDetection", "detect" },
    { "ForSemanticSegmentation", "segment" }, { "ForImageSegmentation", "segment" }, { "ForUniversalSegmentation", "segment" },
  };
  JsonArray  *array = look_array (config, "architectures");
  JsonNode   *first = array && json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;
  const char *name = first && JSON_NODE_HOLDS_VALUE (first) && json_node_get_value_type (first) == G_TYPE_STRING ? json_node_get_string (first) : "";

  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (name, endings[i].ending))
      json_object_set_string_member (object, "task", endings[i].task);
}

/* ---- the folder ------------------------------------------------------------------------------------------------------------------------- */

/* The object in folder/name; NULL where there is none, or with an error. */
static JsonObject *
open_file (const FoveaModel *model, const char *folder, const char *name, GError **error)
{
  g_autofree char      *path = g_build_filename (folder, name, NULL), *text = NULL;
  g_autoptr (GError)    local = NULL;
  g_autoptr (JsonNode)  node = NULL;
  gsize                 length;

  if (!beside_read (model, path, &text, &length, error))
    return NULL;
  node = literal_parse (text, length, &local);
  if (node && JSON_NODE_HOLDS_OBJECT (node))
    return json_object_ref (json_node_get_object (node));
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "%s: %s", name, local ? local->message : _("it isn't an object"));
  return NULL;
}

/* The licence between the two lines "---" that a README begins with. */
static void
add_licence (JsonObject *object, const FoveaModel *model, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "README.md", NULL), *text = NULL;
  gsize            length;
  g_auto (GStrv)   lines = NULL;

  if (!beside_read (model, path, &text, &length, NULL) || !g_str_has_prefix (text, "---\n"))
    return;
  lines = g_strsplit (text, "\n", 200);
  for (guint i = 1; lines[i] && strcmp (lines[i], "---") != 0; i++)
    if (g_str_has_prefix (lines[i], "license:"))
      json_object_set_string_member (object, "licence", g_strstrip (lines[i] + strlen ("license:")));
}

static JsonObject *
make_settings (const FoveaModel *model, const char *folder, JsonObject *config, JsonObject *processor)
{
  JsonObject *object = json_object_new (), *fovea = json_object_new (), *input = json_object_new (), *card = json_object_new ();
  JsonObject *timm = look_object (config, "pretrained_cfg");

  if (config)
    {
      add_task (object, config);
      add_names (object, model, config, look_boolean (processor, "do_reduce_labels", look_boolean (processor, "reduce_labels", FALSE)));
    }
  if (processor)
    {
      add_resize (input, processor);
      add_filter (input, processor);
      add_values (input, processor);
    }
  else if (timm)
    add_timm (input, timm);
  add_licence (card, model, folder);
  json_object_set_object_member (fovea, "input", input);
  json_object_set_object_member (fovea, "card", card);
  json_object_set_object_member (object, "fovea", fovea);
  return object;
}

JsonObject *
hugging_face_read (const FoveaModel *model, char **where, GError **error)
{
  g_auto (GStrv) folders = beside_list_folders (model);

  for (guint i = 0; folders[i]; i++)
    {
      g_autoptr (GError)     local = NULL;
      g_autoptr (JsonObject) config = open_file (model, folders[i], "config.json", &local), processor = NULL;

      if (!local)
        processor = open_file (model, folders[i], "preprocessor_config.json", &local);
      if (local)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
      if (config && !processor && !json_object_has_member (config, "id2label") && !json_object_has_member (config, "pretrained_cfg"))
        continue; /* some other config.json */
      if (!config && !processor)
        continue;
      *where = g_strdup (config && processor ? "config.json and preprocessor_config.json" : config ? "config.json" : "preprocessor_config.json");
      return make_settings (model, folders[i], config, processor);
    }
  return NULL;
}
