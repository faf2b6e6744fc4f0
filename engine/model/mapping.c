/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mapping.c: maps model files, and makes tensors of what lies in them. See mapping.h.
 *
 * protobuf puts weights at any byte. Copying all that aren't aligned would cost most of a model once more, since packing copies them anyway: so
 * only small ones (shapes, biases, indices: whatever is read here and there) are copied, the others are used where they lie, see Value.constant.
 */

#include "model/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static Mapping *
mapping_new (gconstpointer data, gsize size)
{
  Mapping *mapping = g_new0 (Mapping, 1);

  mapping->data = data;
  mapping->size = size;
  g_atomic_ref_count_init (&mapping->ref_count);
  return mapping;
}

static Mapping *
file_error (const char *path, const char *what, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("File “%s” %s"), name, what);
  return NULL;
}

/* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
Mapping *
mapping_new_for_file (const char *path, GError **error)
{
  int         fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  Mapping    *mapping = NULL;

  if (fd < 0 || fstat (fd, &info) != 0)
    {
      g_autofree char *what = g_strdup_printf (_("can't be opened: %s."), g_strerror (errno));

      file_error (path, what, error);
    }
  else if (!S_ISREG (info.st_mode))
    file_error (path, S_ISDIR (info.st_mode) ? _("is a folder; give the model file in it.") : _("is not a regular file; copy the model to one."), error);
  else if (info.st_size == 0)
    file_error (path, _("is empty; get it again."), error);
  else if ((guint64) info.st_size > G_MAXSSIZE)
    file_error (path, _("is too large for this machine."), error);
  else
    {
      gpointer map = mmap (NULL, (gsize) info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

      if (map == MAP_FAILED)
        {
          g_autofree char *what = g_strdup_printf ("can't be mapped into memory: %s.", g_strerror (errno));

          file_error (path, what, error);
        }
      else
        {
          mapping = mapping_new (map, (gsize) info.st_size);
          mapping->map = map;
        }
    }
  if (fd >= 0)
    close (fd);
  return mapping;
}

Mapping *
mapping_new_for_bytes (GBytes *bytes)
{
  gsize    size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  Mapping *mapping = mapping_new (data, size);

  mapping->bytes = g_bytes_ref (bytes);
  return mapping;
}

Mapping *
mapping_ref (Mapping *mapping)
{
  g_atomic_ref_count_inc (&mapping->ref_count);
  return mapping;
}

void
mapping_unref (Mapping *mapping)
{
  if (!mapping || !g_atomic_ref_count_dec (&mapping->ref_count))
    return;
  if (mapping->map)
    munmap (mapping->map, mapping->size);
  g_clear_pointer (&mapping->bytes, g_bytes_unref);
  g_free (mapping);
}

static void
release_owner (gpointer owner)
{
  mapping_unref (owner);
}

/* ONNX's bool is one byte; nothing but 0 and 1 may come in. */
static gboolean
bytes_are_bools (const guint8 *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (bytes[i] > 1)
      return FALSE;
  return TRUE;
}

FoveaTensor *
mapping_make_tensor (Mapping *mapping, FoveaType type, const FoveaShape *shape, gsize offset, gsize length, GError **error)
{
  const guint8 *data = mapping->data + offset;
  gboolean      must_copy = length <= MAPPING_SMALL && (guintptr) data % MAX (type_size (type), 1) != 0;
  FoveaTensor  *tensor;

  if (type == FOVEA_TYPE_BOOL && !bytes_are_bools (data, length))
    must_copy = TRUE;
  if (!must_copy)
    {
      /* Constants are only ever read. */
      tensor = fovea_tensor_new_for_data (type, shape, (gpointer) data, length, mapping, release_owner, error);
      if (tensor)
        mapping_ref (mapping);
      return tensor;
    }

  tensor = fovea_tensor_new (type, shape, error);
  if (tensor)
    {
      g_assert (tensor->size == length);
      if (length > 0)
        memcpy (tensor->data, data, length);
      for (gsize i = 0; type == FOVEA_TYPE_BOOL && i < length; i++)
        ((guint8 *) tensor->data)[i] = ((guint8 *) tensor->data)[i] != 0;
    }
  return tensor;
}

void
mapping_release_pages (const FoveaTensor *tensor)
{
  const Mapping *mapping = tensor->free_owner == release_owner ? tensor->owner : NULL;
  gsize          page = (gsize) sysconf (_SC_PAGESIZE);
  guintptr       first, last;

  if (!mapping || !mapping->map)
    return;
  first = ((guintptr) tensor->data + page - 1) / page * page;
  last = ((guintptr) tensor->data + tensor->size) / page * page;
  if (last > first)
    madvise ((gpointer) first, last - first, MADV_DONTNEED);
}
