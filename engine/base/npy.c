/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * npy.c: a magic word, the header's length, the header (a Python dictionary as text), the elements. See numpy.lib.format in NumPy's manual.
 */

#include "base/npy.h"

#include <string.h>

#define MAGIC "\x93NUMPY"

static const struct
{
  FoveaType   type;
  const char *descr;
} types[] = {
  { FOVEA_TYPE_FLOAT32, "<f4" }, { FOVEA_TYPE_FLOAT64, "<f8" }, { FOVEA_TYPE_FLOAT16, "<f2" }, { FOVEA_TYPE_INT8, "|i1" },  { FOVEA_TYPE_INT16, "<i2" },
  { FOVEA_TYPE_INT32, "<i4" },   { FOVEA_TYPE_INT64, "<i8" },   { FOVEA_TYPE_UINT8, "|u1" },   { FOVEA_TYPE_UINT16, "<u2" }, { FOVEA_TYPE_UINT32, "<u4" },
  { FOVEA_TYPE_UINT64, "<u8" },  { FOVEA_TYPE_BOOL, "|b1" },
};

/* The text after 'key': in the header, or NULL. */
static const char *
find_value (const char *header, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s'", key);
  const char      *at = strstr (header, quoted);

  at = at ? strchr (at + strlen (quoted), ':') : NULL;
  if (!at)
    return NULL;
  for (at++; *at == ' ';)
    at++;
  return at;
}

static gboolean
parse_shape (const char *text, FoveaShape *shape)
{
  shape->n_dims = 0;
  if (*text++ != '(')
    return FALSE;
  for (;;)
    {
      char *end;

      text += strspn (text, " ,");
      if (*text == ')')
        return TRUE;
      if (shape->n_dims == FOVEA_MAX_DIMS || !g_ascii_isdigit (*text))
        return FALSE;
      shape->dims[shape->n_dims++] = g_ascii_strtoll (text, &end, 10);
      text = end;
    }
}

static gboolean
parse_header (const char *header, FoveaType *type, FoveaShape *shape)
{
  const char *descr = find_value (header, "descr"), *order = find_value (header, "fortran_order"), *dims = find_value (header, "shape");

  if (!descr || *descr != '\'' || strlen (descr) < 5 || !order || !dims || !parse_shape (dims, shape))
    return FALSE;
  if (!g_str_has_prefix (order, "False") && shape->n_dims > 1)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (strncmp (descr + 2, types[i].descr + 1, 2) == 0 && descr[3 + 1] == '\'' && (descr[1] == '<' || descr[1] == '|' || descr[1] == '='))
      {
        *type = types[i].type;
        return TRUE;
      }
  return FALSE;
}

FoveaTensor *
npy_parse (const char *contents, gsize length, const char *name, GError **error)
{
  g_autofree char *header = NULL;
  gsize            start = 0, size = 0;
  FoveaType        type;
  FoveaShape       shape;
  FoveaTensor     *tensor;

  if (length >= 10 && memcmp (contents, MAGIC, 6) == 0)
    {
      const guint8 *bytes = (const guint8 *) contents;

      start = bytes[6] == 1 ? 10 : 12;
      size = bytes[8] | bytes[9] << 8;
      if (bytes[6] > 1 && length >= 12)
        size |= (gsize) bytes[10] << 16 | (gsize) bytes[11] << 24;
      if (start + size <= length)
        header = g_strndup (contents + start, size);
    }
  if (!header || !parse_header (header, &type, &shape))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "“%s” isn't an array that Fovea reads. Save it with numpy.save, in C order, as numbers.", name);
      return NULL;
    }
  tensor = fovea_tensor_new (type, &shape, error);
  if (tensor && tensor->size != length - start - size)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "“%s” is cut short, or longer than it says. Save it again.", name);
      g_clear_pointer (&tensor, fovea_tensor_unref);
    }
  if (tensor && tensor->size > 0)
    memcpy (tensor->data, contents + start + size, tensor->size);
  return tensor;
}

FoveaTensor *
fovea_tensor_load_npy (const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  gsize            length;

  return g_file_get_contents (path, &contents, &length, error) ? npy_parse (contents, length, path, error) : NULL;
}

gboolean
fovea_tensor_save_npy (const FoveaTensor *tensor, const char *path, GError **error)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (GString) file = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == tensor->type)
      g_string_append_printf (header, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[i].descr);
  for (guint i = 0; i < tensor->shape.n_dims; i++)
    g_string_append_printf (header, "%" G_GINT64_FORMAT ",%s", tensor->shape.dims[i], i + 1 < tensor->shape.n_dims ? " " : "");
  g_string_append (header, "), }");
  while ((10 + header->len + 1) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');

  g_string_append_len (file, MAGIC "\x01\x00", 8);
  g_string_append_c (file, (char) (header->len & 0xff));
  g_string_append_c (file, (char) (header->len >> 8));
  g_string_append_len (file, header->str, (gssize) header->len);
  g_string_append_len (file, tensor->data, (gssize) tensor->size);
  return g_file_set_contents (path, file->str, (gssize) file->len, error);
}
