/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-facts.c: what a list of models tells of one, and its card. Everything comes from the model's own files, which may come from anywhere: texts are cleaned
 * before they leave here.
 */

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "fovea.h"
#include "vision/beside.h"
#include "vision/json-look.h"
#include "vision/literal.h"

#define MAX_CARD_CHARACTERS 20000

/* ---- the card --------------------------------------------------------------------------------------------------------------------------- */

/* Valid, without controls but ends of lines, not endless. */
static char *
clean_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  for (char *c = valid; *c; c++)
    if (g_ascii_iscntrl (*c) && *c != '\n')
      *c = ' ';
  return g_utf8_substring (valid, 0, MIN (g_utf8_strlen (valid, -1), MAX_CARD_CHARACTERS));
}

/* The same in one line. */
static char *
clean_line (const char *text)
{
  return g_strdelimit (clean_text (text), "\n", ' ');
}

static char *
read_markdown (const FoveaModel *model)
{
  const char      *file = fovea_model_get_path (model);
  g_autofree char *folder = file ? g_path_get_dirname (file) : NULL, *path = folder ? g_build_filename (folder, "card.md", NULL) : NULL, *text = NULL;
  gboolean         is_in_folder = file && g_str_has_suffix (file, G_DIR_SEPARATOR_S "model.onnx"); /* elsewhere it may be another model's */

  return is_in_folder && beside_read (model, path, &text, NULL, NULL) ? clean_text (text) : NULL;
}

/* The card of a sidecar, else that of the metadata. NULL: there is none. A new reference. */
static JsonObject *
read_object (const FoveaModel *model)
{
  g_autofree char *path = beside_path (model, ".json"), *text = NULL;
  const char      *own = fovea_model_get_metadata (model, "fovea");
  JsonObject      *card = NULL;
  gsize            length;

  if (beside_read (model, path, &text, &length, NULL))
    {
      g_autoptr (JsonNode) node = literal_parse (text, length, NULL);

      card = node && JSON_NODE_HOLDS_OBJECT (node) ? look_object (look_object (json_node_get_object (node), "fovea"), "card") : NULL;
      card = card ? json_object_ref (card) : NULL;
    }
  if (!card && own)
    {
      g_autoptr (JsonNode) node = literal_parse (own, strlen (own), NULL);

      card = node && JSON_NODE_HOLDS_OBJECT (node) ? look_object (json_node_get_object (node), "card") : NULL;
      card = card ? json_object_ref (card) : NULL;
    }
  return card;
}

static void
print_object (JsonObject *object, const char *indent, GString *text)
{
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *name = names; name; name = name->next)
    {
      JsonNode *node = json_object_get_member (object, name->data);

      if (JSON_NODE_HOLDS_OBJECT (node) && !*indent)
        {
          g_string_append_printf (text, "%s:\n", (const char *) name->data);
          print_object (json_node_get_object (node), "    ", text);
        }
      else
        {
          const GType      type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
          g_autofree char *value = type == G_TYPE_STRING ? g_strdup (json_node_get_string (node)) :
                                   type == G_TYPE_DOUBLE ? g_strdup_printf ("%.4g", json_node_get_double (node)) : json_to_string (node, FALSE);

          g_string_append_printf (text, "%s%s: %s\n", indent, (const char *) name->data, value);
        }
    }
}

char *
fovea_model_read_card (const FoveaModel *model)
{
  char                  *markdown = read_markdown (model);
  g_autoptr (JsonObject) card = markdown ? NULL : read_object (model);
  g_autoptr (GString)    text = g_string_new (NULL);

  if (markdown)
    return markdown;
  if (card)
    print_object (card, "", text);
  return clean_text (text->str);
}

/* ---- facts ------------------------------------------------------------------------------------------------------------------------------ */

/* "**map 0.8019** on 1718 photos": the first bold words with a number at their end. */
static char *
find_accuracy (const char *markdown)
{
  g_autoptr (GRegex)     regex = g_regex_new ("\\*\\*([a-z0-9]+ [0-9]+\\.[0-9]+)\\*\\*", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return markdown && g_regex_match (regex, markdown, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

/* The first of the card's metrics, which is what the task is judged by. */
static char *
print_accuracy (JsonObject *card)
{
  JsonObject       *metrics = look_object (card, "metrics");
  g_autoptr (GList) names = metrics ? json_object_get_members (metrics) : NULL;
  double            value = names ? look_number (metrics, names->data) : NAN;
  char              number[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char  *text = isfinite (value) ? g_strdup_printf ("%.40s %s", (const char *) names->data, g_ascii_formatd (number, sizeof number, "%.4f", value)) : NULL;

  return text ? clean_line (text) : NULL;
}

static char *
find_date (JsonObject *card, const char *path)
{
  const char           *text = look_string (card, "imported") ? look_string (card, "imported") : look_string (card, "date");
  g_autoptr (GDateTime) time = NULL;
  GStatBuf              status;

  if (text && strlen (text) <= 20)
    return clean_line (text);
  if (g_stat (path, &status) != 0)
    return NULL;
  time = g_date_time_new_from_unix_local (status.st_mtime);
  return time ? g_date_time_format (time, "%Y-%m-%d") : NULL;
}

static gboolean
lies_in (const char *path, const char *folder)
{
  g_autofree char *within = g_strconcat (folder, G_DIR_SEPARATOR_S, NULL);

  return g_str_has_prefix (path, within);
}

/* Lies where the user's own models do. */
static gboolean
is_own (const char *path)
{
  g_autofree char *folder = fovea_get_user_model_folder ();

  return lies_in (path, folder);
}

/* In a folder of installed models that isn't the user's. */
static gboolean
is_installed (const char *path)
{
  g_auto (GStrv) folders = fovea_list_model_folders ();
  gboolean       found = FALSE;

  for (guint i = 0; folders[i] && !found; i++)
    found = lies_in (path, folders[i]);
  return found && !is_own (path);
}

static FoveaOrigin
find_origin (const FoveaModel *model, JsonObject *card, const char *markdown)
{
  const char      *file = fovea_model_get_path (model);
  g_autofree char *path = file ? g_canonicalize_filename (file, NULL) : NULL;

  if (path && is_installed (path) && (markdown || lies_in (path, FOVEA_MODELS_DIR)))
    return FOVEA_ORIGIN_BUILT_IN;
  if (look_string (card, "imported"))
    return FOVEA_ORIGIN_IMPORTED;
  return look_object (card, "training") ? FOVEA_ORIGIN_TRAINED : FOVEA_ORIGIN_OTHER;
}

static void
fill_from_model (FoveaModelFacts *facts, const FoveaModel *model)
{
  g_autofree char          *markdown = read_markdown (model);
  g_autoptr (JsonObject)    card = read_object (model);
  g_autoptr (GError)        error = NULL;
  g_autoptr (FoveaSettings) settings = fovea_settings_read (model, &error);
  g_auto (GStrv)            missing = fovea_model_list_missing (model);
  g_autofree char          *list = g_strjoinv (", ", missing);

  facts->origin = find_origin (model, card, markdown);
  facts->licence = fovea_model_get_licence (model);
  facts->accuracy = find_accuracy (markdown);
  if (!facts->accuracy)
    facts->accuracy = print_accuracy (card);
  facts->date = find_date (card, facts->path);
  if (settings)
    {
      facts->task = settings->task;
      facts->family = g_strdup (settings->family);
      facts->n_labels = settings->n_labels;
    }
  if (error)
    facts->fault = g_strdup (error->message);
  else if (*missing)
    facts->fault = g_strdup_printf (_("It needs operators that this engine hasn't got: %s. Export it without them, or use another."), list);
}

FoveaModelFacts *
fovea_model_facts_new (const char *name)
{
  FoveaModelFacts       *facts = g_new0 (FoveaModelFacts, 1);
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = NULL;
  GStatBuf               status;

  facts->name = g_strdup (name);
  facts->origin = FOVEA_ORIGIN_OTHER;
  facts->path = fovea_find_model (name, &error);
  if (facts->path)
    {
      facts->is_own = is_own (facts->path);
      facts->is_link = g_file_test (facts->path, G_FILE_TEST_IS_SYMLINK);
      facts->size = g_stat (facts->path, &status) == 0 ? (guint64) status.st_size : 0;
      model = fovea_model_load (facts->path, &error);
    }
  if (model)
    fill_from_model (facts, model);
  else
    facts->fault = g_strdup (error->message);
  return facts;
}

void
fovea_model_facts_free (FoveaModelFacts *facts)
{
  if (!facts)
    return;
  g_free (facts->name);
  g_free (facts->path);
  g_free (facts->family);
  g_free (facts->licence);
  g_free (facts->accuracy);
  g_free (facts->date);
  g_free (facts->fault);
  g_free (facts);
}

/* ---- before it is used ------------------------------------------------------------------------------------------------------------------ */

char *
fovea_model_warn (const FoveaModel *model)
{
  g_autofree char       *markdown = read_markdown (model), *licence = NULL;
  g_autoptr (JsonObject) card = read_object (model);

  if (find_origin (model, card, markdown) != FOVEA_ORIGIN_OTHER)
    return NULL;
  licence = fovea_model_get_licence (model);
  return fovea_licence_warn (licence);
}
