/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * formats.c: see formats.h.
 */

#include "formats.h"

#include <glib/gi18n.h>

#define CLASSIFY (1 << OPERATION_CLASSIFY)
#define LOCATE   (1 << OPERATION_LOCATE)
#define SEGMENT  (1 << OPERATION_SEGMENT)

const Format formats_known[] = {
  { "csv", FORMAT_CSV, CLASSIFY | LOCATE | SEGMENT },
  { "json", FORMAT_JSON, CLASSIFY | LOCATE | SEGMENT },
  { "coco", FORMAT_COCO, LOCATE },
  { "yolo", FORMAT_YOLO, LOCATE },
  { "voc", FORMAT_VOC, LOCATE },
  { "xmp", FORMAT_XMP, CLASSIFY | LOCATE | SEGMENT },
  { "keywords", FORMAT_KEYWORDS, CLASSIFY | LOCATE | SEGMENT },
  { "masks", FORMAT_MASKS, SEGMENT },
  { "cut-outs", FORMAT_CUTOUTS, SEGMENT },
  { "pictures", FORMAT_PICTURES, LOCATE | SEGMENT },
  { "xcf", FORMAT_XCF, LOCATE | SEGMENT },
  { NULL, 0, 0 },
};

static char *
list_names (OperationKind kind, gboolean in_gimp)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (const Format *format = formats_known; format->name; format++)
    if (format->kinds & 1u << kind && (in_gimp || format->flag != FORMAT_XCF))
      g_string_append_printf (names, "%s%s", names->len ? ", " : "", format->name);
  return g_strdup (names->str);
}

gboolean
formats_parse (const char *text, OperationKind kind, gboolean in_gimp, guint *wanted, GError **error)
{
  g_auto (GStrv)   words = g_strsplit (text ? text : "", ",", -1);
  g_autofree char *names = list_names (kind, in_gimp);

  *wanted = 0;
  for (guint i = 0; words[i]; i++)
    {
      const Format *format = formats_known;

      if (!*g_strstrip (words[i]))
        continue;
      while (format->name && g_ascii_strcasecmp (format->name, words[i]) != 0)
        format++;
      if (!format->name || !(format->kinds & 1u << kind) || (format->flag == FORMAT_XCF && !in_gimp))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, format->name ? _("“%s” isn't a format of this operation. Right ones are: %s.")
                                                                              : _("“%s” isn't a format. Right ones are, with commas between: %s."), words[i], names);
          return FALSE;
        }
      *wanted |= format->flag;
    }
  return TRUE;
}

char *
formats_tell (guint wanted)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (const Format *format = formats_known; format->name; format++)
    if (wanted & format->flag)
      g_string_append_printf (names, "%s%s", names->len ? " " : "", format->name);
  return g_strdup (names->str);
}
