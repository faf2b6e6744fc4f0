/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * licence.c: what a model may be used for, as far as it says: the text from its files, and what a person should hear before using it, in the language of the
 * program around (one that sets none hears English).
 */

#include <glib/gi18n.h>
#include <string.h>

#include "vision/beside.h"
#include "vision/json-look.h"
#include "vision/literal.h"

/* What was trained from a model that has a licence is bound by it. */
static char *
licence_of_card (JsonObject *card)
{
  const char *own = look_string (card, "licence"), *text = own && *own ? own : look_string (card, "base_licence");

  return text && *text ? g_strdup (text) : NULL;
}

/* Of a sidecar's object. */
static char *
licence_of (JsonObject *object)
{
  return licence_of_card (look_object (look_object (object, "fovea"), "card"));
}

static char *
licence_of_text (const char *text, gsize length, gboolean is_inner)
{
  g_autoptr (JsonNode) node = literal_parse (text, length, NULL);
  JsonObject          *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  return is_inner ? licence_of_card (look_object (object, "card")) : licence_of (object);
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

  if (beside_read (model, path, &text, &length, NULL))
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

/* ---- what it forbids ------------------------------------------------------------------------------------------------------------------------ */

/* Of each group the first row that fits speaks. "-WORD-" is a whole word: small letters and digits count, all else is a hyphen. */
typedef enum { GROUP_SAME, GROUP_USE, GROUP_CHANGES, N_GROUPS } LicenceGroup;

static const struct
{
  LicenceGroup group;
  const char  *word, *sentence;
} conditions[] = {
  { GROUP_SAME, "agpl", N_("Who passes it on, or lets others use it over a network, must give all of the program's source under the AGPL.") },
  { GROUP_SAME, "affero", N_("Who passes it on, or lets others use it over a network, must give all of the program's source under the AGPL.") },
  { GROUP_SAME, "sspl", N_("Who offers it as a service must give the source of all that serves it.") },
  { GROUP_SAME, "server-side-public", N_("Who offers it as a service must give the source of all that serves it.") },
  { GROUP_SAME, "gpl", N_("Who passes it on must do so under the same licence, with the source.") },
  { GROUP_SAME, "general-public-licen", N_("Who passes it on must do so under the same licence, with the source.") },
  { GROUP_SAME, "eupl", N_("Who passes it on must do so under the same licence, with the source.") },
  { GROUP_SAME, "-sa-", N_("Who passes on changed versions must do so under the same licence.") },
  { GROUP_SAME, "sharealike", N_("Who passes on changed versions must do so under the same licence.") },
  { GROUP_SAME, "share-alike", N_("Who passes on changed versions must do so under the same licence.") },
  { GROUP_USE, "-nc-", N_("It forbids commercial use.") },
  { GROUP_USE, "noncommercial", N_("It forbids commercial use.") },
  { GROUP_USE, "non-commercial", N_("It forbids commercial use.") },
  { GROUP_USE, "no-commercial", N_("It forbids commercial use.") },
  { GROUP_USE, "not-for-commercial", N_("It forbids commercial use.") },
  { GROUP_USE, "research", N_("It allows research only.") },
  { GROUP_USE, "academic", N_("It allows research only.") },
  { GROUP_USE, "rail-", N_("It forbids some uses: read it before.") },
  { GROUP_USE, "llama", N_("It forbids some uses: read it before.") },
  { GROUP_USE, "gemma", N_("It forbids some uses: read it before.") },
  { GROUP_USE, "community-licen", N_("It forbids some uses: read it before.") },
  { GROUP_USE, "proprietary", N_("Nobody may use it without its makers' leave.") },
  { GROUP_USE, "all-rights-reserved", N_("Nobody may use it without its makers' leave.") },
  { GROUP_CHANGES, "-nd-", N_("It forbids passing on changed versions.") },
  { GROUP_CHANGES, "noderiv", N_("It forbids passing on changed versions.") },
  { GROUP_CHANGES, "no-deriv", N_("It forbids passing on changed versions.") },
};

/* Those that ask for no more than to be named. */
static const char *const free_words[] = { "apache", "-mit-", "bsd", "-isc-", "-cc0-", "cc-by", "creative-commons", "public-domain", "unlicense", "zlib", "-mpl-", "mozilla", "boost",
                                          "cdla-permissive", "wtfpl", "ncsa" };

static const char *const no_words[] = { "--", "-other-", "-unknown-", "-none-", "-null-", "-n-a-", "-tbd-", "-unspecified-" };

/* "CC BY-NC 4.0" as "-cc-by-nc-4-0-". */
static char *
hyphenate (const char *licence)
{
  g_autoptr (GString) words = g_string_new ("-");

  for (const char *c = licence; *c; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (words, g_ascii_tolower (*c));
    else if (words->str[words->len - 1] != '-')
      g_string_append_c (words, '-');
  if (words->str[words->len - 1] != '-' || words->len == 1)
    g_string_append_c (words, '-');
  return g_string_free (g_steal_pointer (&words), FALSE);
}

static gboolean
is_free (const char *words)
{
  gboolean found = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (free_words) && !found; i++)
    found = strstr (words, free_words[i]) != NULL;
  return found;
}

char *
fovea_licence_warn (const char *licence)
{
  g_autofree char    *words = hyphenate (licence ? licence : "");
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean            told[N_GROUPS] = { FALSE };

  for (gsize i = 0; i < G_N_ELEMENTS (no_words); i++)
    if (strcmp (words, no_words[i]) == 0)
      return g_strdup (_("The model says nothing of its licence: what it may be used for isn't known. Ask where it comes from before you publish what you make with it."));
  for (gsize i = 0; i < G_N_ELEMENTS (conditions); i++)
    if (!told[conditions[i].group] && strstr (words, conditions[i].word))
      {
        told[conditions[i].group] = TRUE;
        g_string_append_printf (text, " %s", _(conditions[i].sentence));
      }
  if (text->len == 0 && is_free (words))
    return NULL;
  if (text->len == 0)
    g_string_append_printf (text, " %s", _("Fovea doesn't know it: read it before you publish what you make with it."));
  return g_strdup_printf (_("The model's licence is “%s”.%s"), licence, text->str);
}
