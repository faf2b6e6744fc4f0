/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * summary.c: see summary.h. Names of files and labels are words of strangers: all text is escaped.
 */

#include "summary.h"

#define MOST_PICTURES 48
#define PICTURE_SIZE  160
#define MOST_LABELS   50

static const char *const items[] = { [OPERATION_CLASSIFY] = "classes", [OPERATION_LOCATE] = "objects", [OPERATION_SEGMENT] = "masks" };

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Fovea: batch</title>\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
                           "<style>body{font:16px sans-serif;margin:2em;color-scheme:light dark}td{padding:0 1em 0 0}"
                           "figure{display:inline-block;width:170px;margin:6px;vertical-align:top;overflow-wrap:anywhere;font-size:13px}"
                           "img{display:block;background:#999}</style></head><body>\n<h1>Batch</h1>\n";

static void
add_text (GString *html, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  g_string_append (html, escaped);
}

static JsonArray *
get_items (const Summary *summary, guint i)
{
  return json_object_get_array_member (json_node_get_object (summary->answers->pdata[i]), items[summary->kind]);
}

/* ---- counts -------------------------------------------------------------------------------------------------------------------------------- */

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

/* In how many photos each label is; of names the first one counts. */
static void
add_counts (const Summary *summary, GString *html)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray)     counts = g_array_new (FALSE, FALSE, sizeof (LabelCount));

  for (guint i = 0; i < summary->answers->len; i++)
    {
      JsonArray             *found = get_items (summary, i);
      g_autoptr (GHashTable) here = g_hash_table_new (g_str_hash, g_str_equal);
      guint                  n = json_array_get_length (found);

      for (guint k = 0; k < (summary->kind == OPERATION_CLASSIFY ? MIN (n, 1) : n); k++)
        {
          LabelCount count = { json_object_get_string_member (json_array_get_object_element (found, k), "label"), 0 };
          gpointer   place;

          if (!g_hash_table_add (here, (gpointer) count.label))
            continue;
          if (!g_hash_table_lookup_extended (places, count.label, NULL, &place))
            {
              place = GUINT_TO_POINTER (counts->len);
              g_hash_table_insert (places, (gpointer) count.label, place);
              g_array_append_val (counts, count);
            }
          g_array_index (counts, LabelCount, GPOINTER_TO_UINT (place)).n++;
        }
    }
  g_array_sort (counts, compare_counts);
  g_string_append (html, "<h2>Found</h2>\n<table>\n");
  for (guint i = 0; i < MIN (counts->len, MOST_LABELS); i++)
    {
      g_string_append (html, "<tr><td>");
      add_text (html, g_array_index (counts, LabelCount, i).label);
      g_string_append_printf (html, "</td><td>%" G_GSIZE_FORMAT "</td></tr>\n", g_array_index (counts, LabelCount, i).n);
    }
  g_string_append (html, "</table>\n");
}

/* ---- the sheet ----------------------------------------------------------------------------------------------------------------------------- */

/* What shows the answer best: a cut-out, a mask, the photo itself. */
static char *
find_picture (const Summary *summary, guint i)
{
  JsonObject *answer = json_node_get_object (summary->answers->pdata[i]);
  JsonArray  *found = get_items (summary, i);
  const char *path = NULL;

  if (summary->kind == OPERATION_SEGMENT && json_array_get_length (found) > 0)
    {
      JsonObject *first = json_array_get_object_element (found, 0);

      path = json_object_get_string_member_with_default (first, "cutout", json_object_get_string_member_with_default (first, "file", NULL));
    }
  return path ? g_strdup (path) : g_build_filename (summary->folder, json_object_get_string_member (answer, "file"), NULL);
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
add_sheet (const Summary *summary, GString *html)
{
  guint n = summary->answers->len, shown = MIN (n, MOST_PICTURES);

  g_string_append_printf (html, "<h2>%u of %u photos</h2>\n", shown, n);
  for (guint k = 0; k < shown; k++)
    {
      guint            i = (guint) ((guint64) k * n / shown);
      JsonArray       *found = get_items (summary, i);
      g_autofree char *path = find_picture (summary, i);

      g_string_append (html, "<figure>");
      add_picture (path, html);
      g_string_append (html, "<figcaption>");
      add_text (html, json_object_get_string_member (json_node_get_object (summary->answers->pdata[i]), "file"));
      g_string_append (html, "<br>");
      for (guint m = 0; m < MIN (json_array_get_length (found), 3); m++)
        {
          g_string_append (html, m ? ", " : "");
          add_text (html, json_object_get_string_member (json_array_get_object_element (found, m), "label"));
        }
      g_string_append (html, "</figcaption></figure>\n");
    }
}

GString *
summary_make (const Summary *summary)
{
  GString *html = g_string_new (head);

  g_string_append (html, "<p>");
  add_text (html, summary->folder);
  g_string_append (html, " · ");
  add_text (html, summary->model);
  g_string_append_printf (html, "</p>\n<p>%u photos done (%" G_GSIZE_FORMAT " of them in an earlier run), %u failed.</p>\n", summary->answers->len, summary->n_skipped,
                          summary->failures->len);
  add_counts (summary, html);
  add_sheet (summary, html);
  if (summary->failures->len > 0)
    g_string_append (html, "<h2>Failed</h2>\n<ul>\n");
  for (guint i = 0; i < summary->failures->len; i++)
    {
      g_string_append (html, "<li>");
      add_text (html, json_object_get_string_member (json_node_get_object (summary->failures->pdata[i]), "error"));
      g_string_append (html, "</li>\n");
    }
  g_string_append (html, summary->failures->len > 0 ? "</ul>\n</body></html>\n" : "</body></html>\n");
  return html;
}
