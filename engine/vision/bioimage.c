/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bioimage.c: a model's description in the way of bioimage.io (rdf.yaml, bioimageio.yaml; versions 0.4 and 0.5): axes, what is done to pixels before and to
 * answers after, the halo, classes, licence; turned into a sidecar's words. The models see values as the file has them, so white is 255.
 *
 * The steps before the network are folded into one: value * gain + offset, or a normalization by each photo's own values.
 */

#include "vision/beside.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "vision/json-look.h"
#include "vision/yaml-text.h"

typedef struct
{
  double      gain[3], offset[3];
  const char *normalize; /* "photo" or "percentiles"; NULL: none */
  double      percentiles[2];
  GString    *left_out;
} Steps;

static void
leave_out (Steps *steps, const char *what)
{
  g_string_append_printf (steps->left_out, "%s%s", steps->left_out->len ? ", " : "", what);
}

JsonObject *
bioimage_open (const FoveaModel *model, char **folder, char **name, GError **error)
{
  static const char *const names[] = { "bioimageio.yaml", "rdf.yaml", "model.yaml", "rdf.yml" };
  g_auto (GStrv) folders = beside_list_folders (model);

  for (guint i = 0; folders[0] && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char     *path = g_build_filename (folders[0], names[i], NULL), *text = NULL;
      g_autoptr (GError)   local = NULL;
      g_autoptr (JsonNode) node = NULL;
      gsize                length;

      if (!beside_read (model, path, &text, &length, &local))
        {
          if (!local)
            continue;
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
      node = yaml_text_parse (text, length, &local);
      if (!node || !JSON_NODE_HOLDS_OBJECT (node))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "%s: %s", names[i], local ? local->message : _("it isn't a description of a model"));
          return NULL;
        }
      if (!look_array (json_node_get_object (node), "inputs"))
        continue;
      *folder = g_strdup (folders[0]);
      *name = g_strdup (names[i]);
      return json_object_ref (json_node_get_object (node));
    }
  return NULL;
}

/* ---- axes ------------------------------------------------------------------------------------------------------------------------------- */

/* The axis' letter in the older way: b c y x, i t z. */
static char
axis_letter (JsonObject *axis)
{
  const char *type = look_string (axis, "type"), *id = look_string (axis, "id");

  if (g_strcmp0 (type, "batch") == 0)
    return 'b';
  if (g_strcmp0 (type, "channel") == 0)
    return 'c';
  return id ? *id : '?';
}

/* A whole number, or the smallest of {min, step} from 256 pixels on. */
static double
read_length (JsonObject *sizes, double fixed)
{
  double least = look_number (sizes, "min"), step = look_number (sizes, "step");

  if (!sizes || !(least >= 1))
    return fixed;
  return step >= 1 && least < 256 ? least + step * ceil ((256 - least) / step) : least;
}

static void
add_axes (JsonObject *input, JsonObject *description)
{
  const char *letters = look_string (description, "axes");
  JsonArray  *axes = look_array (description, "axes"), *shape = look_array (description, "shape");
  JsonObject *open = look_object (description, "shape");
  guint       n = letters ? (guint) strlen (letters) : axes ? json_array_get_length (axes) : 0;
  double      height = NAN, width = NAN;
  int         channel = -1, row = -1;

  for (guint i = 0; i < MIN (n, 8); i++)
    {
      JsonObject *axis = look_element_object (axes, i);
      char        letter = letters ? letters[i] : axis_letter (axis);
      double      length = letters ? look_element (shape, i) : look_number (axis, "size");

      if (open)
        {
          double least = look_element (look_array (open, "min"), i), step = look_element (look_array (open, "step"), i);

          length = step >= 1 && least < 256 ? least + step * ceil ((256 - least) / step) : least;
        }
      else if (axis)
        length = read_length (look_object (axis, "size"), length);
      channel = letter == 'c' ? (int) i : channel;
      row = letter == 'y' ? (int) i : row;
      height = letter == 'y' ? length : height;
      width = letter == 'x' ? length : width;
    }
  if (channel >= 0 && row >= 0)
    json_object_set_string_member (input, "layout", channel < row ? "nchw" : "nhwc");
  if (height >= 1 && height <= 8192 && width >= 1 && width <= 8192)
    {
      JsonArray *size = json_array_new ();

      json_array_add_int_element (size, (gint64) height);
      json_array_add_int_element (size, (gint64) width);
      json_object_set_array_member (input, "size", size);
    }
  json_object_set_string_member (input, "resize", "stretch");
}

/* ---- what is done to pixels ------------------------------------------------------------------------------------------------------------- */

/* The number for channel c: one for all, or a list. */
static double
channel_number (JsonObject *kwargs, const char *key, int c, double otherwise)
{
  double one = look_number (kwargs, key), each = look_element (look_array (kwargs, key), (guint) c);

  if (isnan (each))
    each = look_element (look_array (kwargs, key), 0);
  return !isnan (one) ? one : !isnan (each) ? each : otherwise;
}

static void
scale_linear (Steps *steps, JsonObject *kwargs)
{
  for (int c = 0; c < 3; c++)
    {
      double gain = channel_number (kwargs, "gain", c, 1), offset = channel_number (kwargs, "offset", c, 0);

      steps->gain[c] *= gain;
      steps->offset[c] = steps->offset[c] * gain + offset;
    }
}

static void
normalize_fixed (Steps *steps, JsonObject *kwargs)
{
  for (int c = 0; c < 3; c++)
    {
      double mean = channel_number (kwargs, "mean", c, 0), std = channel_number (kwargs, "std", c, 1);

      std = std > 1e-6 ? std : 1;
      steps->gain[c] /= std;
      steps->offset[c] = (steps->offset[c] - mean) / std;
    }
}

/* What a linear step did before is undone by a normalization anyway. */
static void
normalize_photo (Steps *steps, const char *how)
{
  for (int c = 0; c < 3; c++)
    {
      steps->gain[c] = 1;
      steps->offset[c] = 0;
    }
  steps->normalize = how;
}

static void
add_step (Steps *steps, JsonObject *step)
{
  const char *name = look_string (step, "name") ? look_string (step, "name") : look_string (step, "id");
  JsonObject *kwargs = look_object (step, "kwargs");

  if (!name || g_str_equal (name, "ensure_dtype"))
    return;
  if (steps->normalize)
    leave_out (steps, name);
  else if (g_str_equal (name, "scale_linear"))
    scale_linear (steps, kwargs);
  else if (g_str_equal (name, "fixed_zero_mean_unit_variance") ||
           (g_str_equal (name, "zero_mean_unit_variance") && g_strcmp0 (look_string (kwargs, "mode"), "fixed") == 0))
    normalize_fixed (steps, kwargs);
  else if (g_str_equal (name, "zero_mean_unit_variance"))
    normalize_photo (steps, "photo");
  else if (g_str_equal (name, "scale_range"))
    {
      double low = look_number (kwargs, "min_percentile"), high = look_number (kwargs, "max_percentile");

      normalize_photo (steps, "percentiles");
      steps->percentiles[0] = low >= 0 && low < 100 ? low : 0;
      steps->percentiles[1] = high > steps->percentiles[0] && high <= 100 ? high : 100;
    }
  else
    leave_out (steps, name);
}

static void
add_numbers (JsonObject *object, const char *key, const double *numbers, guint n)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < n; i++)
    json_array_add_double_element (array, numbers[i]);
  json_object_set_array_member (object, key, array);
}

static void
add_values (JsonObject *input, Steps *steps, JsonObject *description)
{
  JsonArray *list = look_array (description, "preprocessing");
  double     mean[3], std[3];

  for (guint i = 0; list && i < MIN (json_array_get_length (list), 32); i++)
    add_step (steps, look_element_object (list, i));
  for (int c = 0; c < 3; c++)
    {
      double gain = fabs (steps->gain[c]) > 1e-9 ? steps->gain[c] : 1;

      std[c] = 1 / gain;
      mean[c] = -steps->offset[c] / gain;
    }
  json_object_set_int_member (input, "range", 255);
  add_numbers (input, "mean", mean, 3);
  add_numbers (input, "std", std, 3);
  if (!steps->normalize)
    return;
  json_object_set_string_member (input, "normalize", steps->normalize);
  if (g_str_equal (steps->normalize, "percentiles"))
    add_numbers (input, "percentiles", steps->percentiles, 2);
}

/* ---- what is done to answers ------------------------------------------------------------------------------------------------------------ */

static void
add_answer (JsonObject *object, JsonObject *output, Steps *steps, JsonObject *description)
{
  JsonArray *list = look_array (description, "postprocessing"), *axes = look_array (description, "axes");
  guint      n = list ? json_array_get_length (list) : 0;

  json_object_set_string_member (output, "activation", "none");
  for (guint i = 0; i < MIN (n, 32); i++)
    {
      JsonObject *step = look_element_object (list, i);
      const char *name = look_string (step, "name") ? look_string (step, "name") : look_string (step, "id");

      if (g_strcmp0 (name, "sigmoid") == 0 || g_strcmp0 (name, "softmax") == 0)
        json_object_set_string_member (output, "activation", name);
      else if (g_strcmp0 (name, "binarize") == 0)
        {
          double threshold = look_number (look_object (step, "kwargs"), "threshold");

          if (threshold >= 0 && threshold <= 1)
            json_object_set_double_member (output, "threshold", threshold);
        }
      else if (name && !g_str_equal (name, "ensure_dtype"))
        leave_out (steps, name);
    }
  for (guint i = 0; axes && i < json_array_get_length (axes); i++)
    {
      JsonArray *names = look_array (look_element_object (axes, i), "channel_names");

      if (names && axis_letter (look_element_object (axes, i)) == 'c' && json_array_get_length (names) > 1)
        json_object_set_array_member (object, "names", json_array_ref (names));
      if (look_number (look_element_object (axes, i), "halo") > 0 && axis_letter (look_element_object (axes, i)) == 'y')
        leave_out (steps, "halo (the photo is looked at in one piece)");
    }
  if (look_array (description, "halo"))
    leave_out (steps, "halo (the photo is looked at in one piece)");
}

static void
copy_text (JsonObject *from, const char *key, JsonObject *to, const char *new_key)
{
  const char *text = look_string (from, key);

  if (text)
    json_object_set_string_member (to, new_key, text);
}

JsonObject *
bioimage_read (const FoveaModel *model, char **where, GError **error)
{
  g_autofree char       *folder = NULL, *name = NULL;
  g_autoptr (JsonObject) description = bioimage_open (model, &folder, &name, error);
  g_autoptr (GString)    left_out = g_string_new (NULL);
  JsonObject            *object, *fovea, *input, *output, *card;
  Steps                  steps = { { 1, 1, 1 }, { 0, 0, 0 }, NULL, { 0, 100 }, left_out };

  if (!description)
    return NULL;
  object = json_object_new ();
  fovea = json_object_new ();
  input = json_object_new ();
  output = json_object_new ();
  card = json_object_new ();
  add_axes (input, look_element_object (look_array (description, "inputs"), 0));
  add_values (input, &steps, look_element_object (look_array (description, "inputs"), 0));
  add_answer (object, output, &steps, look_element_object (look_array (description, "outputs"), 0));
  copy_text (description, "name", card, "title");
  copy_text (description, "description", card, "description");
  copy_text (description, "license", card, "licence");
  copy_text (description, "timestamp", card, "date");
  json_object_set_object_member (fovea, "input", input);
  json_object_set_object_member (fovea, "output", output);
  json_object_set_object_member (fovea, "card", card);
  json_object_set_object_member (object, "fovea", fovea);
  *where = left_out->len ? g_strdup_printf ("%s (left out: %s)", name, left_out->str) : g_strdup (name);
  return object;
}
