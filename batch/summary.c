/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * summary.c: see summary.h. Names of files and labels are words of strangers: all text is escaped.
 */

#include "summary.h"

#include <glib/gi18n.h>

#define MOST_PICTURES 48
#define PICTURE_SIZE  160
#define MOST_LABELS   50
static const char *const items[] = { [OPERATION_CLASSIFY] = "classes", [OPERATION_LOCATE] = "objects", [OPERATION_SEGMENT] = "masks" };

static const char head[] = "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>Fovea</title>\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
                           "<style>body{font:16px sans-serif;margin:2em;color-scheme:light dark}td{padding:0 1em 0 0}"
                           "figure{display:inline-block;width:170px;margin:6px;vertical-align:top;overflow-wrap:anywhere;font-size:13px}"
                           "img{display:block;background:#999}</style></head><body>\n";

static void
add_text (GString *html, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  g_string_append (html, escaped);
}

/* element: "h2", "p" */
static void
add_element (GString *html, const char *element, const char *text)
{
  g_string_append_printf (html, "<%s>", element);
  add_text (html, text);
  g_string_append_printf (html, "</%s>\n", element);
}

struct _Summary
{
  SummarySettings settings;
  GHashTable     *counts; /* a label: in how many photos it is */
  GString        *sheet;
  gsize           n, n_pictures;
};

Summary *
summary_new (const SummarySettings *settings)
{
  Summary *summary = g_new0 (Summary, 1);

  summary->settings = *settings;
  summary->settings.model = g_strdup (settings->model);
  summary->settings.photos = g_strdup (settings->photos);
  summary->settings.results = g_strdup (settings->results);
  summary->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  summary->sheet = g_string_new (NULL);
  return summary;
}

void
summary_free (Summary *summary)
{
  if (!summary)
    return;
  g_free ((char *) summary->settings.model);
  g_free ((char *) summary->settings.photos);
  g_free ((char *) summary->settings.results);
  g_hash_table_unref (summary->counts);
  g_string_free (summary->sheet, TRUE);
  g_free (summary);
}

/* ---- counts -------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
is_empty (JsonObject *item)
{
  return json_object_get_double_member_with_default (item, "area", 1) < OPERATION_LEAST_AREA;
}

/* Each label once a photo; of names only the best. */
static void
count_labels (Summary *summary, JsonArray *found)
{
  g_autoptr (GHashTable) here = g_hash_table_new (g_str_hash, g_str_equal);
  guint                  n = json_array_get_length (found);

  for (guint i = 0; i < (summary->settings.kind == OPERATION_CLASSIFY ? MIN (n, 1) : n); i++)
    {
      JsonObject *item = json_array_get_object_element (found, i);
      const char *label = json_object_get_string_member (item, "label");
      gsize       before = GPOINTER_TO_SIZE (g_hash_table_lookup (summary->counts, label));

      if (!is_empty (item) && g_hash_table_add (here, (gpointer) label))
        g_hash_table_insert (summary->counts, g_strdup (label), GSIZE_TO_POINTER (before + 1));
    }
}

typedef struct
{
  const char *label;
  gsize       n;
} LabelCount;

static int
compare_counts (gconstpointer a, gconstpointer b)
{
  const LabelCount *first = a, *second = b;

  return first->n != second->n ? (first->n < second->n) - (first->n > second->n) : g_strcmp0 (first->label, second->label);
}

static void
add_counts (const Summary *summary, GString *html)
{
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (LabelCount));
  GHashTableIter     every;
  gpointer           label, n;

  g_hash_table_iter_init (&every, summary->counts);
  while (g_hash_table_iter_next (&every, &label, &n))
    g_array_append_val (counts, ((LabelCount) { label, GPOINTER_TO_SIZE (n) }));
  g_array_sort (counts, compare_counts);
  add_element (html, "h2", _("Found"));
  g_string_append (html, "<table>\n");
  for (guint i = 0; i < MIN (counts->len, MOST_LABELS); i++)
    {
      g_string_append (html, "<tr><td>");
      add_text (html, g_array_index (counts, LabelCount, i).label);
      g_string_append_printf (html, "</td><td>%" G_GSIZE_FORMAT "</td></tr>\n", g_array_index (counts, LabelCount, i).n);
    }
  g_string_append (html, "</table>\n");
  if (counts->len > MOST_LABELS)
    {
      g_autofree char *more = g_strdup_printf (_("and %u more"), counts->len - MOST_LABELS);

      add_element (html, "p", more);
    }
}

/* ---- the sheet ----------------------------------------------------------------------------------------------------------------------------- */

/* What shows the answer best: a copy with frames or colours, a cut-out, a mask, the photo itself. */
static char *
find_picture (const Summary *summary, const char *photo, JsonObject *answer, JsonArray *found)
{
  const char *below = json_object_get_string_member_with_default (answer, "picture", NULL);

  if (!below && summary->settings.kind == OPERATION_SEGMENT && json_array_get_length (found) > 0)
    {
      JsonObject *first = json_array_get_object_element (found, 0);

      below = json_object_get_string_member_with_default (first, "cutout", json_object_get_string_member_with_default (first, "file", NULL));
    }
  return below ? g_build_filename (summary->settings.results, below, NULL) : g_strdup (photo);
}

static void
add_picture (const char *path, GString *html)
{
  g_autoptr (GdkPixbuf) small = gdk_pixbuf_new_from_file_at_size (path, PICTURE_SIZE, PICTURE_SIZE, NULL), upright = NULL;
  g_autofree char      *data = NULL, *text = NULL;
  gsize                 size;

  upright = small ? gdk_pixbuf_apply_embedded_orientation (small) : NULL;
  if (!upright || !gdk_pixbuf_save_to_buffer (upright, &data, &size, gdk_pixbuf_get_has_alpha (upright) ? "png" : "jpeg", NULL, NULL))
    return;
  text = g_base64_encode ((const guchar *) data, size);
  g_string_append_printf (html, "<img alt=\"\" src=\"data:image/%s;base64,%s\">", gdk_pixbuf_get_has_alpha (upright) ? "png" : "jpeg", text);
}

static void
add_figure (Summary *summary, const char *photo, JsonObject *answer, JsonArray *found)
{
  g_autofree char *path = find_picture (summary, photo, answer, found);
  guint            told = 0;

  g_string_append (summary->sheet, "<figure>");
  add_picture (path, summary->sheet);
  g_string_append (summary->sheet, "<figcaption>");
  add_text (summary->sheet, json_object_get_string_member (answer, "file"));
  g_string_append (summary->sheet, "<br>");
  for (guint i = 0; i < json_array_get_length (found) && told < 3; i++)
    {
      JsonObject *item = json_array_get_object_element (found, i);

      if (is_empty (item))
        continue;
      g_string_append (summary->sheet, told++ ? ", " : "");
      add_text (summary->sheet, json_object_get_string_member (item, "label"));
    }
  g_string_append (summary->sheet, "</figcaption></figure>\n");
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------------------ */

void
summary_add (Summary *summary, const char *photo, JsonObject *answer)
{
  JsonArray *found = json_object_get_array_member (answer, items[summary->settings.kind]);
  gsize      n = summary->settings.n_answers, shown = MIN (n, MOST_PICTURES);

  count_labels (summary, found);
  /* Those of the sheet lie evenly among all. */
  if (summary->n_pictures < shown && summary->n == summary->n_pictures * n / shown)
    {
      add_figure (summary, photo, answer, found);
      summary->n_pictures++;
    }
  summary->n++;
}

static void
add_lines (GString *html, const char *title, const GPtrArray *lines)
{
  if (lines->len == 0)
    return;
  add_element (html, "h2", title);
  g_string_append (html, "<ul>\n");
  for (guint i = 0; i < lines->len; i++)
    add_element (html, "li", lines->pdata[i]);
  g_string_append (html, "</ul>\n");
}

GString *
summary_finish (Summary *summary, gsize n_skipped, const GPtrArray *failures, const GPtrArray *left_out)
{
  GString         *html = g_string_new (NULL);
  g_autofree char *what = g_strdup_printf ("%s · %s", summary->settings.photos, summary->settings.model);
  g_autofree char *done = g_strdup_printf (_("%d photos are done, %d of them before; %u failed."), (int) summary->n, (int) n_skipped, failures->len);
  g_autofree char *shown = g_strdup_printf (_("%u of %u photos"), (guint) summary->n_pictures, (guint) summary->n);

  g_string_append_printf (html, head, C_("the language's code", "en"));
  add_element (html, "h1", _("Batch"));
  add_element (html, "p", what);
  add_element (html, "p", done);
  add_counts (summary, html);
  add_element (html, "h2", shown);
  g_string_append (html, summary->sheet->str);
  add_lines (html, _("Failed"), failures);
  add_lines (html, _("Left out"), left_out);
  g_string_append (html, "</body></html>\n");
  return html;
}
