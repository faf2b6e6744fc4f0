/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset-manifest.c: manifest.jsonl, and tag lists, which gather labels of several sources into tags.
 */

#include <json-glib/json-glib.h>
#include <string.h>

#include "train/dataset-private.h"

#define N_BOX_NUMBERS 4      /* of a box beside its class */
#define SMALLEST_SUBJECT 0.05 /* share of the photo */

static const char *
member (JsonObject *row, const char *name)
{
  JsonNode *node = json_object_get_member (row, name);

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : "";
}

static void
read_boxes (DraftSample *sample, JsonObject *row, const char *key, gboolean ignored)
{
  JsonNode  *node = json_object_get_member (row, key);
  JsonArray *boxes = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; boxes && i < json_array_get_length (boxes); i++)
    {
      JsonNode  *element = json_array_get_element (boxes, i);
      JsonArray *numbers = JSON_NODE_HOLDS_ARRAY (element) ? json_node_get_array (element) : NULL;
      DraftBox   box = { .ignored = ignored };

      if (!numbers || json_array_get_length (numbers) < 1 + N_BOX_NUMBERS || !json_node_get_string (json_array_get_element (numbers, 0)))
        continue;
      box.label = g_strdup (json_array_get_string_element (numbers, 0));
      box.x = (float) json_array_get_double_element (numbers, 1);
      box.y = (float) json_array_get_double_element (numbers, 2);
      box.width = (float) json_array_get_double_element (numbers, 3);
      box.height = (float) json_array_get_double_element (numbers, 4);
      g_array_append_val (sample->boxes, box);
    }
}

/* How much of the photo the mask shows, where that is said. */
static double
find_subject_share (JsonObject *row)
{
  JsonNode *node = json_object_get_member (row, "fg");

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE ? json_node_get_double (node) : 1.0;
}

/* "a;b", or a list for names with any sign in them. Free with g_strfreev. */
static char **
read_labels (JsonObject *row)
{
  JsonNode                *node = json_object_get_member (row, "labels");
  g_autoptr (GStrvBuilder) labels = g_strv_builder_new ();

  if (!node || !JSON_NODE_HOLDS_ARRAY (node))
    return g_strsplit (member (row, "labels"), ";", -1);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    {
      JsonNode   *element = json_array_get_element (json_node_get_array (node), i);
      const char *label = JSON_NODE_HOLDS_VALUE (element) ? json_node_get_string (element) : NULL;

      if (label && *label)
        g_strv_builder_add (labels, label);
    }
  return g_strv_builder_end (labels);
}

/* Free with g_free. */
static char *
find_file (const char *folder, const char *name)
{
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
}

static void
read_row (Draft *draft, const char *folder, JsonObject *row)
{
  const char  *split = member (row, "split"), *mask = member (row, "mask");
  char       **labels = read_labels (row);
  gint         which = strcmp (split, "val") == 0 ? SPLIT_VAL : strcmp (split, "train") == 0 ? SPLIT_TRAIN : -1;
  DraftSample *sample = draft_add (draft, find_file (folder, member (row, "file")), g_strdup (member (row, "src")), labels, which);

  if (*mask && find_subject_share (row) >= SMALLEST_SUBJECT)
    sample->mask = find_file (folder, mask);
  read_boxes (sample, row, "boxes", FALSE);
  read_boxes (sample, row, "crowd", TRUE);
}

gboolean
dataset_read_manifest (Draft *draft, const char *path, GError **error)
{
  g_autofree char *text = NULL, *folder = g_path_get_dirname (path);
  g_auto (GStrv)   lines = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (!g_file_get_contents (path, &text, NULL, error))
    return FALSE;
  if (draft->task == FOVEA_TASK_SEGMENT)
    draft->classes = g_strsplit ("subject", "\n", -1);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_autoptr (GError) local = NULL;

      if (!*g_strstrip (lines[i]))
        continue;
      if (!json_parser_load_from_data (parser, lines[i], -1, &local) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))
          || !*member (json_node_get_object (json_parser_get_root (parser)), "file"))
        draft_warn (draft, "Line %u of “%s” is left out: %s", i + 1, path, local ? local->message : "it names no file.");
      else
        read_row (draft, folder, json_node_get_object (json_parser_get_root (parser)));
    }
  return TRUE;
}

/* ---- tag lists ----------------------------------------------------------------------------------------------------------------------- */

static void
add_known (GHashTable *known, const char *source, const char *tag)
{
  GHashTable *tags = g_hash_table_lookup (known, source);

  if (!tags)
    {
      tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_hash_table_insert (known, g_strdup (source), tags);
    }
  g_hash_table_add (tags, g_strdup (tag));
}

/* What a “source:label” means: the tags that such photos show. */
static void
add_meaning (GHashTable *meanings, const char *label, const char *tag)
{
  GPtrArray *tags = g_hash_table_lookup (meanings, label);

  if (!tags)
    {
      tags = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (meanings, g_strdup (label), tags);
    }
  g_ptr_array_add (tags, g_strdup (tag));
}

static gboolean
read_tag_line (char *line, GHashTable *meanings, GHashTable *known, GHashTable *left_out, GError **error)
{
  char          *sign = strchr (line, '='), *tag = line;
  gboolean       absent = FALSE;
  g_auto (GStrv) words = NULL;

  if (line[0] == '-')
    {
      g_hash_table_add (left_out, g_strdup (line + 1));
      return TRUE;
    }
  if (!sign)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The tag list has a line that is no “tag = source:label …”: “%s”.", line);
      return FALSE;
    }
  *sign = '\0';
  g_strstrip (tag);
  words = g_strsplit_set (sign + 1, " \t", -1);
  for (guint i = 0; words[i]; i++)
    {
      char *colon = strchr (words[i], ':');

      if (strcmp (words[i], "|") == 0)
        absent = TRUE;
      else if (*words[i] && absent)
        add_known (known, words[i], tag);
      else if (colon)
        {
          g_autofree char *source = g_strndup (words[i], (gsize) (colon - words[i]));

          add_known (known, source, tag);
          add_meaning (meanings, words[i], tag);
        }
      else if (*words[i])
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "In the tag list “%s” of the tag “%s” is no “source:label”.", words[i], tag);
          return FALSE;
        }
    }
  return TRUE;
}

/* The tags of one photo; NULL: it is left out. */
static char **
find_tags (const DraftSample *sample, GHashTable *meanings, GHashTable *left_out)
{
  g_autoptr (GStrvBuilder) tags = g_strv_builder_new ();
  guint                    n = g_strv_length (sample->labels);

  for (guint l = 0; l <= n; l++)
    {
      g_autofree char *label = g_strconcat (sample->source, ":", l < n ? sample->labels[l] : "", NULL);
      GPtrArray       *meant;

      g_strdelimit (label, " ", '_');
      if (g_hash_table_contains (left_out, label))
        return NULL;
      meant = g_hash_table_lookup (meanings, label);
      for (guint i = 0; meant && i < meant->len; i++)
        g_strv_builder_add (tags, g_ptr_array_index (meant, i));
    }
  return g_strv_builder_end (tags);
}

/* The tags of one photo's boxes take the places of its labels: a box that means nothing goes, one that means two becomes two. */
static void
replace_box_labels (DraftSample *sample, GHashTable *meanings)
{
  GArray *all = sample->boxes;

  sample->boxes = g_array_new (FALSE, TRUE, sizeof (DraftBox));
  g_array_set_clear_func (sample->boxes, draft_box_clear);
  for (guint b = 0; b < all->len; b++)
    {
      const DraftBox  *box = &g_array_index (all, DraftBox, b);
      g_autofree char *label = g_strconcat (sample->source, ":", box->label, NULL);
      GPtrArray       *meant;

      g_strdelimit (label, " ", '_');
      meant = g_hash_table_lookup (meanings, label);
      for (guint i = 0; meant && i < meant->len; i++)
        {
          DraftBox tagged = *box;

          tagged.label = g_strdup (g_ptr_array_index (meant, i));
          g_array_append_val (sample->boxes, tagged);
        }
    }
  g_array_unref (all);
}

gboolean
dataset_apply_tags (Draft *draft, const char *text, GHashTable *known, GError **error)
{
  g_auto (GStrv)         lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) meanings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GHashTable) left_out = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; lines[i]; i++)
    {
      *strchrnul (lines[i], '#') = '\0';
      if (*g_strstrip (lines[i]) && !read_tag_line (lines[i], meanings, known, left_out, error))
        return FALSE;
    }
  for (guint i = draft->samples->len; i-- > 0;)
    {
      DraftSample *sample = g_ptr_array_index (draft->samples, i);
      char       **tags = find_tags (sample, meanings, left_out);

      if (!tags)
        {
          g_ptr_array_remove_index (draft->samples, i);
          continue;
        }
      g_strfreev (sample->labels);
      sample->labels = tags;
      replace_box_labels (sample, meanings);
    }
  return TRUE;
}
