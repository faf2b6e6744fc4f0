/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sidecar.c: settings written as JSON. The whole form, every key optional:
 *
 *   { "task": "classify",
 *     "names": { "0": "cat", "1": "dog" },              or a list
 *     "imgsz": [480, 640],                              height, width; or one number
 *     "fovea": {
 *       "version": 1,
 *       "input":  { "size": 224, "resize": "shortest-crop", "crop_scale": 1.143, "filter": "bilinear", "pad": 114, "colour": "rgb",
 *                   "layout": "nchw", "range": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
 *                   "normalize": "fixed", "percentiles": [1, 99.8] },
 *       "output": { "family": "classifier", "activation": "softmax", "threshold": 0.25, "overlap": 0.45, "anchors": [[10, 13], [16, 30]],
 *                   "partner": "decoder.onnx" },
 *       "card":   { "title": "…", "licence": "…" } } }
 *
 * "range" is the value of white before "mean" is taken away and "std" divides; mean and std are listed red, green, blue, whatever "colour" says.
 * "normalize": see FoveaNormalize.
 * Keys that aren't known are left alone: they may be a later version's.
 */

#include "vision/sidecar.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "vision/labels.h"

#define MAX_ANCHORS 1000
#define FAMILY_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* Positions are the values of the enumerations in fovea.h. */
static const char *const task_words[] = { "", "classify", "detect", "segment", NULL };
static const char *const resize_words[] = { "stretch", "shortest-crop", "letterbox", "letterbox-corner", NULL };
static const char *const filter_words[] = { "nearest", "bilinear", "bicubic", "lanczos", NULL };
static const char *const activation_words[] = { "none", "softmax", "sigmoid", "auto", NULL };
static const char *const colour_words[] = { "rgb", "bgr", NULL };
static const char *const layout_words[] = { "nchw", "nhwc", NULL };

static const char *const normalize_words[] = { "fixed", "photo", "percentiles", "greatest", NULL };

static const struct
{
  const char        *key;
  const char *const *words;
} lists[] = {
  { "task", task_words + 1 }, { "resize", resize_words }, { "filter", filter_words },         { "activation", activation_words },
  { "colour", colour_words }, { "layout", layout_words }, { "normalize", normalize_words },
};

const char *const *
sidecar_words (const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (strcmp (lists[i].key, key) == 0)
      return lists[i].words;
  return NULL;
}

static const char *const setting_names[] = {
  "task", "family", "labels", "size", "resize", "filter", "crop scale", "colour", "layout", "range, mean and std", "pad", "activation",
  "threshold", "overlap", "anchors", "normalize",
};

char *
sidecar_name_settings (guint set)
{
  g_autoptr (GString) string = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (setting_names); i++)
    if (set >> i & 1)
      g_string_append_printf (string, "%s%s", string->len ? ", " : "", setting_names[i]);
  return g_string_free (g_steal_pointer (&string), FALSE);
}

/* ---- one key of each kind --------------------------------------------------------------------------------------------------------------- */

/* FALSE and no error: the key isn't there. */
static gboolean
wrong (GError **error, const char *key, const char *expected)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” must be %s"), key, expected);
  return FALSE;
}

static gboolean
is_number (JsonNode *node)
{
  GType type = node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static gboolean
is_string (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

/* One of `words`: *value gets its place. */
static gboolean
read_word (JsonObject *object, const char *key, const char *const *words, int *value, guint setting, guint *found, GError **error)
{
  JsonNode   *node = json_object_get_member (object, key);
  const char *word = is_string (node) ? json_node_get_string (node) : NULL;
  g_autofree char *all = NULL;

  if (!node || *found & setting)
    return TRUE;
  for (int i = 0; words[i] && word && *word; i++)
    if (strcmp (words[i], word) == 0)
      {
        *value = i;
        *found |= setting;
        return TRUE;
      }
  all = g_strjoinv (", ", (char **) (**words ? words : words + 1));
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” must be one of %s"), key, all);
  return FALSE;
}

static gboolean
read_number (JsonObject *object, const char *key, double min, double max, double *value, guint setting, guint *found, GError **error)
{
  JsonNode *node = json_object_get_member (object, key);
  double    number = is_number (node) ? json_node_get_double (node) : NAN;

  if (!node || *found & setting)
    return TRUE;
  if (!(number >= min && number <= max))
    {
      g_autofree char *range = g_strdup_printf (_("a number from %g to %g"), min, max);

      return wrong (error, key, range);
    }
  *value = number;
  *found |= setting;
  return TRUE;
}

/* One number for all channels, or one each. */
static gboolean
read_channels (JsonObject *object, const char *key, gboolean positive, double values[3], gboolean *there, GError **error)
{
  JsonNode  *node = json_object_get_member (object, key);
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint      n = array ? json_array_get_length (array) : 1;

  if (!node)
    return TRUE;
  for (guint i = 0; i < 3; i++)
    {
      JsonNode *item = !array ? node : n == 1 ? json_array_get_element (array, 0) : n == 3 ? json_array_get_element (array, i) : NULL;
      double    number = is_number (item) ? json_node_get_double (item) : NAN;

      if (!(fabs (number) <= 1e6) || (positive && !(number >= 1e-6)))
        return wrong (error, key, positive ? _("a number above 0, or three, for red, green and blue") : _("a number, or three, for red, green and blue"));
      values[i] = number;
    }
  *there = TRUE;
  return TRUE;
}

/* One number, or height and width. */
static gboolean
read_size (JsonObject *object, const char *key, FoveaSettings *settings, guint *found, GError **error)
{
  JsonNode  *node = json_object_get_member (object, key);
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint      n = array ? json_array_get_length (array) : 1;
  int        size[2];

  if (!node || *found & SETTING_SIZE)
    return TRUE;
  for (guint i = 0; i < 2; i++)
    {
      JsonNode *item = !array ? node : n == 1 ? json_array_get_element (array, 0) : n == 2 ? json_array_get_element (array, i) : NULL;
      double    number = is_number (item) ? json_node_get_double (item) : NAN;

      if (!(number >= 1 && number <= 8192 && number == floor (number)))
        return wrong (error, key, _("a whole number from 1 to 8192, or two, for height and width"));
      size[i] = (int) number;
    }
  settings->height = size[0];
  settings->width = size[1];
  *found |= SETTING_SIZE;
  return TRUE;
}

/* The object under `key`; NULL without an error where there is none. */
static gboolean
read_object (JsonObject *object, const char *key, JsonObject **value, GError **error)
{
  JsonNode *node = json_object_get_member (object, key);

  *value = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  return !node || *value || wrong (error, key, _("an object: { … }"));
}

/* ---- the parts -------------------------------------------------------------------------------------------------------------------------- */

/* Range, mean and std mean something together only: if one of them is there, the others are 1, 0 and 1 where they are left out. */
static gboolean
apply_values (FoveaSettings *settings, guint *found, JsonObject *input, GError **error)
{
  double   range = 1, mean[3] = { 0, 0, 0 }, std[3] = { 1, 1, 1 };
  guint    range_found = 0;
  gboolean there = FALSE;

  if (!read_number (input, "range", 1e-6, 1e6, &range, SETTING_VALUES, &range_found, error) ||
      !read_channels (input, "mean", FALSE, mean, &there, error) || !read_channels (input, "std", TRUE, std, &there, error))
    return FALSE;
  if ((!there && !range_found) || *found & SETTING_VALUES)
    return TRUE;
  settings->range = range;
  memcpy (settings->mean, mean, sizeof mean);
  memcpy (settings->std, std, sizeof std);
  *found |= SETTING_VALUES;
  return TRUE;
}

/* Two numbers from 0 to 100, the lower first; only together with the word. */
static gboolean
apply_percentiles (FoveaSettings *settings, JsonObject *input, GError **error)
{
  JsonNode  *node = json_object_get_member (input, "percentiles");
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  double     values[2] = { NAN, NAN };

  if (!node)
    return TRUE;
  for (guint i = 0; i < 2 && array && json_array_get_length (array) == 2; i++)
    values[i] = is_number (json_array_get_element (array, i)) ? json_node_get_double (json_array_get_element (array, i)) : NAN;
  if (!(values[0] >= 0 && values[1] > values[0] && values[1] <= 100))
    return wrong (error, "percentiles", _("two numbers from 0 to 100, the lower first"));
  memcpy (settings->percentiles, values, sizeof values);
  return TRUE;
}

static gboolean
apply_normalize (FoveaSettings *settings, guint *found, JsonObject *input, GError **error)
{
  int normalize = settings->normalize;

  if (*found & SETTING_NORMALIZE)
    return TRUE;
  if (!read_word (input, "normalize", normalize_words, &normalize, SETTING_NORMALIZE, found, error) || !apply_percentiles (settings, input, error))
    return FALSE;
  settings->normalize = normalize;
  return TRUE;
}

static gboolean
apply_input (FoveaSettings *settings, guint *found, JsonObject *input, GError **error)
{
  int    resize = settings->resize, filter = settings->filter, bgr = settings->bgr, nhwc = settings->nhwc;
  double pad = settings->pad;

  if (!read_size (input, "size", settings, found, error) ||
      !read_word (input, "resize", resize_words, &resize, SETTING_RESIZE, found, error) ||
      !read_word (input, "filter", filter_words, &filter, SETTING_FILTER, found, error) ||
      !read_number (input, "crop_scale", 1, 100, &settings->crop_scale, SETTING_CROP_SCALE, found, error) ||
      !read_word (input, "colour", colour_words, &bgr, SETTING_COLOUR, found, error) ||
      !read_word (input, "layout", layout_words, &nhwc, SETTING_LAYOUT, found, error) ||
      !read_number (input, "pad", 0, 255, &pad, SETTING_PAD, found, error))
    return FALSE;
  settings->resize = resize;
  settings->filter = filter;
  settings->bgr = bgr;
  settings->nhwc = nhwc;
  settings->pad = (int) pad;
  return apply_normalize (settings, found, input, error) && apply_values (settings, found, input, error);
}

/* Pairs of width and height, or the same numbers in one row as Darknet writes them. */
static gboolean
read_anchors (FoveaSettings *settings, guint *found, JsonObject *output, GError **error)
{
  JsonNode  *node = json_object_get_member (output, "anchors");
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint      n = array ? json_array_get_length (array) : 0;
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));

  if (!node || *found & SETTING_ANCHORS)
    return TRUE;
  for (guint i = 0; i < MIN (n, 2 * MAX_ANCHORS); i++)
    {
      JsonNode  *item = json_array_get_element (array, i);
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (item) ? json_node_get_array (item) : NULL;

      for (guint k = 0; k < (pair ? json_array_get_length (pair) : 1); k++)
        {
          JsonNode *number = pair ? json_array_get_element (pair, k) : item;
          double    value = is_number (number) ? json_node_get_double (number) : NAN;

          if (!(value > 0 && value <= 1e5) || k > 1)
            return wrong (error, "anchors", _("pairs of width and height, in pixels of the input"));
          g_array_append_val (values, value);
        }
    }
  if (values->len == 0 || values->len % 2 || n > 2 * MAX_ANCHORS)
    return wrong (error, "anchors", _("pairs of width and height, in pixels of the input"));
  g_free (settings->anchors);
  settings->n_anchors = values->len / 2;
  settings->anchors = (double *) g_array_free (g_steal_pointer (&values), FALSE);
  *found |= SETTING_ANCHORS;
  return TRUE;
}

/* The other file of a network in two, in the same folder. */
static gboolean
read_partner (FoveaSettings *settings, JsonObject *output, GError **error)
{
  JsonNode   *node = json_object_get_member (output, "partner");
  const char *name = is_string (node) ? json_node_get_string (node) : NULL;

  if (!node || settings->partner)
    return TRUE;
  if (!name || !*name || *name == '.' || strchr (name, '/') || strchr (name, '\\'))
    return wrong (error, "partner", _("the name of a file beside the model"));
  settings->partner = g_strdup (name);
  return TRUE;
}

static gboolean
apply_output (FoveaSettings *settings, guint *found, JsonObject *output, GError **error)
{
  JsonNode *family = json_object_get_member (output, "family");
  int       activation = settings->activation;

  if (!read_word (output, "activation", activation_words, &activation, SETTING_ACTIVATION, found, error) ||
      !read_number (output, "threshold", 0, 1, &settings->threshold, SETTING_THRESHOLD, found, error) ||
      !read_number (output, "overlap", 0, 1, &settings->overlap, SETTING_OVERLAP, found, error) ||
      !read_anchors (settings, found, output, error) || !read_partner (settings, output, error))
    return FALSE;
  settings->activation = activation;
  if (!family || *found & SETTING_FAMILY)
    return TRUE;
  if (!is_string (family) || json_node_get_string (family)[strspn (json_node_get_string (family), FAMILY_LETTERS)])
    return wrong (error, "family", _("a word of small letters, digits and hyphens"));
  g_free (settings->family);
  settings->family = g_strdup (json_node_get_string (family));
  *found |= SETTING_FAMILY;
  return TRUE;
}

static gboolean
apply_names (FoveaSettings *settings, guint *found, JsonObject *object, GError **error)
{
  JsonNode *names = json_object_get_member (object, "names");
  char    **labels;
  gsize     n;
  g_autoptr (GError) local = NULL;

  if (!names || *found & SETTING_LABELS)
    return TRUE;
  labels = labels_from_json (names, &n, &local);
  if (!labels)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "“names”: %s", local->message);
      return FALSE;
    }
  settings->labels = labels;
  settings->n_labels = n;
  *found |= SETTING_LABELS;
  return TRUE;
}

gboolean
sidecar_apply (FoveaSettings *settings, guint *found, JsonObject *object, GError **error)
{
  JsonObject *fovea, *input = NULL, *output = NULL;
  int         task = settings->task;

  if (!read_object (object, "fovea", &fovea, error) || (fovea && !read_object (fovea, "input", &input, error)) ||
      (fovea && !read_object (fovea, "output", &output, error)))
    return FALSE;
  if ((input && !apply_input (settings, found, input, error)) || (output && !apply_output (settings, found, output, error)) ||
      !read_size (object, "imgsz", settings, found, error) || !apply_names (settings, found, object, error) ||
      !read_word (object, "task", task_words, &task, SETTING_TASK, found, error))
    return FALSE;
  settings->task = task;
  return TRUE;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------------------- */

static void
add_channels (JsonObject *object, const char *key, const double *values, int n)
{
  JsonArray *array = json_array_new ();

  for (int i = 0; i < n; i++)
    json_array_add_double_element (array, values[i]);
  json_object_set_array_member (object, key, array);
}

static char *
print_object (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return json_to_string (node, FALSE);
}

const char *
sidecar_task_word (FoveaTask task)
{
  return task_words[task];
}

static void
add_size (JsonObject *input, const FoveaSettings *settings)
{
  JsonArray *array;

  if (settings->width == settings->height)
    {
      json_object_set_int_member (input, "size", settings->width);
      return;
    }
  array = json_array_new ();
  json_array_add_int_element (array, settings->height);
  json_array_add_int_element (array, settings->width);
  json_object_set_array_member (input, "size", array);
}

static JsonObject *
make_input (const FoveaSettings *settings)
{
  JsonObject *input = json_object_new ();

  add_size (input, settings);
  json_object_set_string_member (input, "resize", resize_words[settings->resize]);
  json_object_set_string_member (input, "filter", filter_words[settings->filter]);
  if (settings->resize == FOVEA_RESIZE_SHORTEST_CROP)
    json_object_set_double_member (input, "crop_scale", settings->crop_scale);
  if (settings->resize == FOVEA_RESIZE_LETTERBOX || settings->resize == FOVEA_RESIZE_LETTERBOX_CORNER)
    json_object_set_int_member (input, "pad", settings->pad);
  if (!(settings->unknown & SETTING_COLOUR))
    json_object_set_string_member (input, "colour", colour_words[settings->bgr ? 1 : 0]);
  json_object_set_string_member (input, "layout", layout_words[settings->nhwc ? 1 : 0]);
  if (!(settings->unknown & SETTING_VALUES))
    {
      json_object_set_double_member (input, "range", settings->range);
      add_channels (input, "mean", settings->mean, settings->channels);
      add_channels (input, "std", settings->std, settings->channels);
    }
  if (settings->normalize != FOVEA_NORMALIZE_FIXED)
    json_object_set_string_member (input, "normalize", normalize_words[settings->normalize]);
  if (settings->normalize == FOVEA_NORMALIZE_PERCENTILES)
    add_channels (input, "percentiles", settings->percentiles, 2);
  return input;
}

static JsonObject *
make_output (const FoveaSettings *settings)
{
  JsonObject *output = json_object_new ();
  JsonArray  *anchors;

  if (settings->family)
    json_object_set_string_member (output, "family", settings->family);
  json_object_set_string_member (output, "activation", activation_words[settings->activation]);
  if (settings->threshold > 0.0)
    json_object_set_double_member (output, "threshold", settings->threshold);
  if (settings->task == FOVEA_TASK_DETECT)
    json_object_set_double_member (output, "overlap", settings->overlap);
  if (settings->partner)
    json_object_set_string_member (output, "partner", settings->partner);
  if (!settings->anchors)
    return output;
  anchors = json_array_new ();
  for (gsize i = 0; i < 2 * settings->n_anchors; i++)
    json_array_add_double_element (anchors, settings->anchors[i]);
  json_object_set_array_member (output, "anchors", anchors);
  return output;
}

static JsonObject *
make_fovea (const FoveaSettings *settings, JsonObject *card)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "version", 1);
  json_object_set_object_member (object, "input", make_input (settings));
  json_object_set_object_member (object, "output", make_output (settings));
  if (card)
    json_object_set_object_member (object, "card", card);
  return object;
}

char *
sidecar_write_settings (const FoveaSettings *settings, JsonObject *card)
{
  g_autoptr (JsonObject) object = make_fovea (settings, card);

  return print_object (object);
}

char *
sidecar_write (const FoveaSettings *settings, JsonObject *card)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode)   node = NULL;
  JsonArray             *names = json_array_new ();

  if (settings->task != FOVEA_TASK_UNKNOWN)
    json_object_set_string_member (object, "task", task_words[settings->task]);
  json_object_set_object_member (object, "fovea", make_fovea (settings, card));
  for (gsize i = 0; i < settings->n_labels; i++)
    json_array_add_string_element (names, settings->labels[i]);
  if (settings->n_labels > 0)
    json_object_set_array_member (object, "names", names);
  else
    json_array_unref (names);
  node = json_node_init_object (json_node_alloc (), object);
  return json_to_string (node, TRUE);
}

char *
sidecar_write_names (const FoveaSettings *settings)
{
  g_autoptr (JsonObject) object = json_object_new ();

  for (gsize i = 0; i < settings->n_labels; i++)
    {
      g_autofree char *key = g_strdup_printf ("%" G_GSIZE_FORMAT, i);

      json_object_set_string_member (object, key, settings->labels[i]);
    }
  return print_object (object);
}
