/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * card-view.c: see card-view.h.
 */

#include "card-view.h"

#include <glib/gi18n.h>
#include <string.h>

GtkWidget *
card_view_new (void)
{
  GtkWidget     *view = gtk_text_view_new ();
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (view));

  gtk_text_buffer_create_tag (buffer, "heading", "weight", PANGO_WEIGHT_BOLD, "scale", 1.15, "pixels-above-lines", 4, NULL);
  gtk_text_buffer_create_tag (buffer, "strong", "weight", PANGO_WEIGHT_BOLD, NULL);
  gtk_text_buffer_create_tag (buffer, "item", "left-margin", 22, "indent", -12, NULL);
  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_cursor_visible (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_pixels_below_lines (GTK_TEXT_VIEW (view), 4);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 10);
  gtk_text_view_set_right_margin (GTK_TEXT_VIEW (view), 10);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 6);
  atk_object_set_name (gtk_widget_get_accessible (view), _("Card"));
  return view;
}

/* A paragraph, its **strong** parts without the asterisks, `code` without the quotes. */
static void
add_paragraph (GtkTextBuffer *buffer, const char *text, const char *tag)
{
  g_auto (GStrv) parts = g_strsplit (text, "**", -1);
  GtkTextIter    end;

  for (guint i = 0; parts[i]; i++)
    {
      g_auto (GStrv)   pieces = g_strsplit (parts[i], "`", -1);
      g_autofree char *plain = g_strjoinv ("", pieces);
      const char      *first = i % 2 ? "strong" : tag, *second = i % 2 ? tag : NULL;

      gtk_text_buffer_get_end_iter (buffer, &end);
      if (first)
        gtk_text_buffer_insert_with_tags_by_name (buffer, &end, plain, -1, first, second, NULL);
      else
        gtk_text_buffer_insert (buffer, &end, plain, -1);
    }
  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, "\n", -1);
}

/* Does the line go on with the paragraph before it? Lines of a table, of a list, headings and "key: value" begin anew. */
static gboolean
goes_on (const char *line, const GString *paragraph)
{
  const char *colon = strstr (line, ": ");

  if (paragraph->len == 0 || !*line || strchr ("#|-*", *line) || g_str_has_prefix (paragraph->str, "#"))
    return FALSE;
  return !(colon && !memchr (line, ' ', (gsize) (colon - line))) || g_ascii_isspace (*line);
}

static void
end_paragraph (GtkTextBuffer *buffer, GString *paragraph)
{
  const char *text = paragraph->str;

  if (*text == '#')
    add_paragraph (buffer, text + strspn (text, "# "), "heading");
  else if (g_str_has_prefix (text, "- "))
    {
      g_autofree char *item = g_strconcat ("• ", text + 2, NULL);

      add_paragraph (buffer, item, "item");
    }
  else if (*text)
    add_paragraph (buffer, text, NULL);
  g_string_truncate (paragraph, 0);
}

void
card_view_set_text (GtkWidget *view, const char *text)
{
  GtkTextBuffer      *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (view));
  g_auto (GStrv)      lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) paragraph = g_string_new (NULL);

  gtk_text_buffer_set_text (buffer, "", 0);
  for (char **line = lines; *line; line++)
    {
      if (goes_on (*line, paragraph))
        g_string_append_printf (paragraph, " %s", g_strstrip (*line));
      else
        {
          end_paragraph (buffer, paragraph);
          g_string_append (paragraph, *line);
        }
    }
  end_paragraph (buffer, paragraph);
}
