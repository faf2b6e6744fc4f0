/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * licence.c: what a model may be used for, as far as it says: the text from its files, and what a person should hear before using it.
 */

#include <string.h>

#include "vision/beside.h"
#include "vision/json-look.h"
#include "vision/literal.h"

/* card.licence of a sidecar's object. */
static char *
licence_of (JsonObject *object)
{
  const char *text = look_string (look_object (look_object (object, "fovea"), "card"), "licence");

  return text && *text ? g_strdup (text) : NULL;
}

static char *
licence_of_text (const char *text, gsize length, gboolean is_inner)
{
  g_autoptr (JsonNode) node = literal_parse (text, length, NULL);
  JsonObject          *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char          *inner = is_inner ? look_string (look_object (object, "card"), "licence") : NULL;

  return is_inner ? g_strdup (inner) : licence_of (object);
}

/* One line without controls. */
static char *
clean (char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid (text, -1) : NULL;

  g_free (text);
  for (char *c = valid; c && *c; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return valid && *g_strstrip (valid) ? g_utf8_substring (valid, 0, MIN (g_utf8_strlen (valid, -1), 200)) : NULL;
}

char *
fovea_model_get_licence (const FoveaModel *model)
{
  static JsonObject *(*const readers[]) (const FoveaModel *asked, char **where, GError **error) = { hugging_face_read, bioimage_read };
  g_autofree char *path = beside_path (model, ".json"), *text = NULL;
  const char      *own = fovea_model_get_metadata (model, "fovea"), *other = fovea_model_get_metadata (model, "license");
  char            *licence = NULL;
  gsize            length;

  if (beside_read (path, &text, &length, NULL))
    licence = licence_of_text (text, length, FALSE);
  if (!licence && own)
    licence = licence_of_text (own, strlen (own), TRUE);
  if (!licence && other)
    licence = g_strdup (other);
  for (gsize i = 0; i < G_N_ELEMENTS (readers) && !licence; i++)
    {
      g_autofree char       *where = NULL;
      g_autoptr (JsonObject) object = readers[i] (model, &where, NULL);

      licence = object ? licence_of (object) : NULL;
    }
  return clean (licence);
}

char *
fovea_licence_warn (const char *licence)
{
  static const struct
  {
    const char *word, *sentence;
  } rows[] = {
    { "agpl", "Who passes it on, or lets others use it over a network, must give all of the program's source under the AGPL." },
    { "gpl", "Who passes it on must do so under the same licence, with the source." },
    { "-nc", "It forbids commercial use." },
    { "noncommercial", "It forbids commercial use." },
    { "non-commercial", "It forbids commercial use." },
    { "research", "It allows research only." },
    { "-nd", "It forbids passing on changed versions." },
    { "openrail", "It forbids some uses: read it before." },
  };
  g_autofree char *small = licence ? g_ascii_strdown (licence, -1) : NULL;

  if (!licence || g_str_equal (small, "other") || g_str_equal (small, "unknown"))
    return g_strdup ("The model says nothing of its licence: what it may be used for isn't known. Ask where it comes from before you publish what you make with it.");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strstr (small, rows[i].word))
      return g_strdup_printf ("The model's licence is “%s”. %s", licence, rows[i].sentence);
  return NULL;
}
