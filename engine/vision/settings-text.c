/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings-text.c: settings as words that people type: in options of the command, arguments of a procedure, fields of a form. What they mean, and which are
 * wrong, sidecar.c knows; here they are only put into its form.
 */

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "vision/families.h"
#include "vision/settings.h"
#include "vision/sidecar.h"

/* Where a setting goes in a sidecar, and how its text is taken apart. */
typedef enum { WORD, NUMBER, NUMBERS, SIZE, NAMES } Form;

static const struct
{
  const char *key;
  Form        form;
  const char *group;  /* of "fovea"; NULL: beside it */
  const char *member; /* the sidecar's name */
  const char *found;  /* how `sources` calls it */
  const char *explanation;
} rows[] = {
  { "task", WORD, NULL, "task", "task", N_("What the network is for: naming photos (classify), boxes around things (detect), or masks (segment).") },
  { "family", WORD, "output", "family", "family", N_("The kind of network. It says how the raw output is read, and what is usual for the other settings.") },
  { "size", SIZE, "input", "size", "size", N_("Width and height of what the network sees, in pixels. Photos are scaled to it.") },
  { "resize", WORD, "input", "resize", "resize",
    N_("How a photo is brought to that size: stretched; its shorter side fitted and the middle cut out; or made to fit whole, with bars on both sides (letterbox) or "
    "at the right and bottom only (letterbox-corner). The wrong one costs accuracy, and moves boxes.") },
  { "filter", WORD, "input", "filter", "filter", N_("How pixels are averaged when a photo is scaled. It matters little.") },
  { "crop-scale", NUMBER, "input", "crop_scale", "crop scale", N_("With shortest-crop: so many times larger than the size the photo is made before its middle is cut out. 256/224 is usual.") },
  { "colour", WORD, "input", "colour", "colour", N_("The order of the channels. Networks from Caffe, Darknet's heirs and OpenCV often want bgr; with the wrong one red and blue are exchanged.") },
  { "layout", WORD, "input", "layout", "layout", N_("Whether the channels come before the rows (nchw) or after the columns (nhwc). Seen from the model's input.") },
  { "range", NUMBER, "input", "range", "range, mean and std", N_("The value of white, before the mean is taken away and the deviation divides: 1 or 255.") },
  { "mean", NUMBERS, "input", "mean", "range, mean and std", N_("What is taken away from red, green and blue; one number for all, or three.") },
  { "std", NUMBERS, "input", "std", "range, mean and std", N_("What red, green and blue are divided by after that; one number for all, or three.") },
  { "normalize", WORD, "input", "normalize", "normalize", N_("Whether each photo is first brought to a mean of 0 and a deviation of 1 (photo), spread between two of its percentiles, or made so bright that its greatest value is white (greatest).") },
  { "percentiles", NUMBERS, "input", "percentiles", "normalize", N_("With percentiles: the lower becomes 0, the higher 1.") },
  { "pad", NUMBER, "input", "pad", "pad", N_("With a letterbox: the gray of the bars, 0 to 255.") },
  { "activation", WORD, "output", "activation", "activation", N_("What turns the network's numbers into scores from 0 to 1. auto: none where they are a distribution already, else softmax.") },
  { "threshold", NUMBER, "output", "threshold", "threshold", N_("Boxes and masks with lower scores are left out, where a filter isn't told otherwise. 0 to 1.") },
  { "overlap", NUMBER, "output", "overlap", "overlap", N_("Of two boxes of one class that share more than this of their area, the worse is left out. 0 to 1.") },
  { "labels", NAMES, NULL, "names", "labels", N_("The names of the classes, in order: a line or a comma between them.") },
};

static gssize
find_row (const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].key, key) == 0)
      return (gssize) i;
  return -1;
}

const char *const *
fovea_settings_list_keys (void)
{
  static const char *const keys[] = {
    "task", "family", "size", "resize", "filter", "crop-scale", "colour", "layout", "range", "mean", "std", "normalize", "percentiles", "pad", "activation",
    "threshold", "overlap", "labels", NULL,
  };

  return keys;
}

char **
fovea_settings_list_words (const char *key)
{
  return strcmp (key, "family") == 0 ? family_list () : g_strdupv ((char **) sidecar_words (key));
}

const char *
fovea_settings_explain (const char *key)
{
  gssize row = find_row (key);

  return row < 0 ? NULL : rows[row].explanation;
}

/* ---- to words --------------------------------------------------------------------------------------------------------------------------- */

static char *
print_number (double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (text, sizeof text, "%.9g", number));
}

static char *
print_numbers (const double *numbers, guint n)
{
  g_autoptr (GString) string = g_string_new (NULL);
  gboolean            same = TRUE;

  for (guint i = 1; i < n; i++)
    same &= numbers[i] == numbers[0];
  for (guint i = 0; i < (same ? 1 : n); i++)
    {
      g_autofree char *number = print_number (numbers[i]);

      g_string_append_printf (string, "%s%s", i ? ", " : "", number);
    }
  return g_string_free (g_steal_pointer (&string), FALSE);
}

char *
fovea_settings_get_text (const FoveaSettings *settings, const char *key)
{
  const struct { const char *key; int word; } words[] = {
    { "task", (int) settings->task - 1 }, { "resize", settings->resize }, { "filter", settings->filter },       { "activation", settings->activation },
    { "colour", settings->bgr ? 1 : 0 },  { "layout", settings->nhwc },   { "normalize", settings->normalize },
  };
  const struct { const char *key; double number; } numbers[] = {
    { "crop-scale", settings->crop_scale }, { "range", settings->range },     { "pad", settings->pad },
    { "threshold", settings->threshold },   { "overlap", settings->overlap },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i].key, key) == 0)
      return g_strdup (words[i].word < 0 ? "" : sidecar_words (key)[words[i].word]);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (strcmp (numbers[i].key, key) == 0)
      return print_number (numbers[i].number);
  if (strcmp (key, "family") == 0)
    return g_strdup (settings->family ? settings->family : "");
  if (strcmp (key, "size") == 0)
    return g_strdup_printf ("%dx%d", settings->width, settings->height);
  if (strcmp (key, "mean") == 0)
    return print_numbers (settings->mean, (guint) settings->channels);
  if (strcmp (key, "std") == 0)
    return print_numbers (settings->std, (guint) settings->channels);
  if (strcmp (key, "percentiles") == 0)
    return print_numbers (settings->percentiles, 2);
  return settings->labels ? g_strjoinv ("\n", settings->labels) : g_strdup ("");
}

/* Is `name` one of those that the line begins with? *where gets what follows. */
static gboolean
line_tells (const char *line, const char *name, const char **where)
{
  const char *colon = strstr (line, ": "), *at = line;
  gsize       length = strlen (name);

  for (; colon && (at = strstr (at, name)) && at < colon; at += length)
    if ((at == line || at[-1] == ' ') && (at[length] == ',' || at[length] == ':'))
      {
        *where = colon + 2;
        return TRUE;
      }
  return FALSE;
}

char *
fovea_settings_get_source (const FoveaSettings *settings, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (settings->sources ? settings->sources : "", "\n", -1);
  gssize         row = find_row (key);
  const char    *found = NULL;

  for (guint i = 0; row >= 0 && lines[i]; i++)
    line_tells (lines[i], rows[row].found, &found);
  return g_strdup (found);
}

char **
fovea_settings_list_unknown (const FoveaSettings *settings)
{
  static const struct { guint setting; const char *key; } settings_asked[] = {
    { SETTING_TASK, "task" }, { SETTING_FAMILY, "family" }, { SETTING_COLOUR, "colour" }, { SETTING_VALUES, "range" }, { SETTING_VALUES, "mean" },
    { SETTING_VALUES, "std" }, { SETTING_LABELS, "labels" },
  };
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (settings_asked); i++)
    if (settings->unknown & settings_asked[i].setting)
      g_strv_builder_add (keys, settings_asked[i].key);
  return g_strv_builder_end (keys);
}

/* ---- from words ------------------------------------------------------------------------------------------------------------------------- */

/* What isn't a number stays a word: the sidecar's reader says what must stand there. */
static JsonNode *
make_number (const char *text)
{
  char  *end;
  double number = g_ascii_strtod (text, &end);

  if (end > text && !*end && isfinite (number))
    return json_node_init_double (json_node_alloc (), number);
  return json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
make_numbers (const char *text, const char *separators)
{
  g_auto (GStrv)        parts = g_strsplit_set (text, separators, 4096);
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; parts[i]; i++)
    if (*g_strstrip (parts[i]))
      json_array_add_element (array, make_number (parts[i]));
  return json_array_get_length (array) == 1 ? json_node_copy (json_array_get_element (array, 0)) : json_node_init_array (json_node_alloc (), array);
}

/* WIDTHxHEIGHT, which a sidecar has the other way round. */
static JsonNode *
make_size (const char *text)
{
  g_autofree char     *plain = g_strdelimit (g_strdup (text), "x", ' ');
  g_auto (GStrv)       parts = g_strsplit (plain, "×", -1);
  g_autofree char     *joined = g_strjoinv (" ", parts);
  g_autoptr (JsonNode) node = make_numbers (joined, " ");
  JsonArray           *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL, *turned;

  if (!array || json_array_get_length (array) != 2)
    return g_steal_pointer (&node);
  turned = json_array_new ();
  json_array_add_element (turned, json_node_copy (json_array_get_element (array, 1)));
  json_array_add_element (turned, json_node_copy (json_array_get_element (array, 0)));
  return json_node_init_array (json_node_alloc (), turned);
}

static JsonNode *
make_names (const char *text)
{
  g_auto (GStrv) names = g_strsplit (text, strchr (text, '\n') ? "\n" : ",", -1);
  JsonArray     *array = json_array_new ();
  JsonNode      *node = json_node_alloc ();
  guint          n = g_strv_length (names);

  while (n > 0 && !*g_strstrip (names[n - 1]))
    n--;
  for (guint i = 0; i < n; i++)
    json_array_add_string_element (array, g_strstrip (names[i]));
  json_node_init_array (node, array);
  json_array_unref (array);
  return node;
}

static JsonNode *
make_node (Form form, const char *text)
{
  switch (form)
    {
    case NUMBER:  return make_number (text);
    case NUMBERS: return make_numbers (text, ", ;");
    case SIZE:    return make_size (text);
    case NAMES:   return make_names (text);
    default:      return json_node_init_string (json_node_alloc (), text);
    }
}

static JsonObject *
get_group (JsonObject *object, const char *group)
{
  if (!json_object_has_member (object, group))
    json_object_set_object_member (object, group, json_object_new ());
  return json_object_get_object_member (object, group);
}

/* Only a family that is known can be given. */
static gboolean
check_family (const char *name, GError **error)
{
  g_auto (GStrv)   names = family_list ();
  g_autofree char *all = g_strjoinv (", ", names);

  if (family_find (name))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” isn't a family of networks that Fovea knows. Those are: %s."), name, all);
  return FALSE;
}

JsonObject *
settings_text_to_json (GHashTable *given, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  GHashTableIter         iter;
  gpointer               key, text;

  g_hash_table_iter_init (&iter, given);
  while (g_hash_table_iter_next (&iter, &key, &text))
    {
      gssize           row = find_row (key);
      g_autofree char *valid = g_strstrip (g_utf8_make_valid (text, -1));

      if (row < 0)
        {
          g_autofree char *all = g_strjoinv (", ", (char **) fovea_settings_list_keys ());

          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” isn't a setting. Those are: %s."), (char *) key, all);
          return NULL;
        }
      if (strcmp (key, "family") == 0 && !check_family (valid, error))
        return NULL;
      json_object_set_member (rows[row].group ? get_group (get_group (object, "fovea"), rows[row].group) : object, rows[row].member,
                              make_node (rows[row].form, valid));
    }
  return g_steal_pointer (&object);
}
