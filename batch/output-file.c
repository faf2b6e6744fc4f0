/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output-file.c: see output-file.h.
 */

#include "output-file.h"

#include <cairo.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "fovea.h"

struct _OutputFile
{
  char *path;
  char *part;   /* its name until it is complete; NULL: it has none */
  FILE *stream;
};

static void
set_error (GError **error, const char *path, int reason)
{
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: %s. Choose another folder, or make room."), shown, g_strerror (reason));
}

/* A descriptor of a file without a name, where there is such a thing and it can be named later. */
static int
open_nameless (const char *folder)
{
#ifdef O_TMPFILE
  if (access ("/proc/self/fd", X_OK) == 0)
    return open (folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
#endif
  return -1;
}

/* ".photo.png.12ab.part" beside "photo.png". */
static char *
make_part_name (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path), *base = g_path_get_basename (path);

  return g_strdup_printf ("%s/.%.200s.%x%08x.part", folder, base, (guint) getpid (), g_random_int ());
}

OutputFile *
output_file_open (const char *path, GError **error)
{
  OutputFile      *file;
  g_autofree char *folder = g_path_get_dirname (path), *part = NULL;
  int              descriptor;

  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      set_error (error, path, errno);
      return NULL;
    }
  descriptor = open_nameless (folder);
  if (descriptor < 0)
    {
      part = make_part_name (path);
      descriptor = open (part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
  if (descriptor < 0)
    {
      set_error (error, path, errno);
      return NULL;
    }
  file = g_new0 (OutputFile, 1);
  file->path = g_strdup (path);
  file->part = g_steal_pointer (&part);
  file->stream = fdopen (descriptor, "wb");
  return file;
}

FILE *
output_file_stream (OutputFile *file)
{
  return file->stream;
}

void
output_file_drop (OutputFile *file)
{
  if (!file)
    return;
  if (file->stream)
    fclose (file->stream);
  if (file->part)
    g_unlink (file->part);
  g_free (file->path);
  g_free (file->part);
  g_free (file);
}

/* FALSE with errno. A name that is taken can't be linked to: then by way of a second one. */
static gboolean
give_name (OutputFile *file)
{
  if (!file->part)
    {
      g_autofree char *nameless = g_strdup_printf ("/proc/self/fd/%d", fileno (file->stream));

      if (linkat (AT_FDCWD, nameless, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0)
        return TRUE;
      if (errno != EEXIST)
        return FALSE;
      file->part = make_part_name (file->path);
      if (linkat (AT_FDCWD, nameless, AT_FDCWD, file->part, AT_SYMLINK_FOLLOW) != 0)
        return FALSE;
    }
  if (g_rename (file->part, file->path) != 0)
    return FALSE;
  g_clear_pointer (&file->part, g_free);
  return TRUE;
}

gboolean
output_file_close (OutputFile *file, GError **error)
{
  gboolean ok = !ferror (file->stream) && fflush (file->stream) == 0 && give_name (file);

  if (!ok)
    set_error (error, file->path, errno);
  output_file_drop (file);
  return ok;
}

gboolean
output_file_write (const char *path, gconstpointer data, gsize size, GError **error)
{
  OutputFile *file = output_file_open (path, error);

  if (!file)
    return FALSE;
  fwrite (data, 1, size, file->stream);
  return output_file_close (file, error);
}

gboolean
output_file_write_png (const char *path, GdkPixbuf *picture, GError **error)
{
  g_autofree char *data = NULL;
  gsize            size;

  return gdk_pixbuf_save_to_buffer (picture, &data, &size, "png", error, "compression", "3", NULL) && output_file_write (path, data, size, error);
}

static cairo_status_t
write_chunk (void *stream, const unsigned char *data, unsigned int size)
{
  return fwrite (data, 1, size, stream) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

gboolean
output_file_write_gray (const char *path, guint8 *gray, int width, int height, int stride, GError **error)
{
  OutputFile      *file = output_file_open (path, error);
  cairo_surface_t *surface;
  cairo_status_t   status;

  if (!file)
    return FALSE;
  surface = cairo_image_surface_create_for_data (gray, CAIRO_FORMAT_A8, width, height, stride);
  status = cairo_surface_write_to_png_stream (surface, write_chunk, file->stream); /* alpha alone is written as gray */
  cairo_surface_destroy (surface);
  if (status == CAIRO_STATUS_SUCCESS || status == CAIRO_STATUS_WRITE_ERROR) /* that says closing, with its reason */
    return output_file_close (file, error);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "“%s” can't be made: %s.", path, cairo_status_to_string (status));
  output_file_drop (file);
  return FALSE;
}
