/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * download.c: see download.h. Nothing that a server says is believed: not the length, not the type; more than the known size is never written.
 */

#include "download.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#define PART_BYTES      (1 << 16)
#define TIMEOUT_SECONDS 30  /* without a byte */
#define MOST_TRIES      4   /* in a row that bring nothing */
#define KEPT_SECONDS    (7 * 24 * 60 * 60)
#define PAUSE_MS        400 /* before the second try; twice as long before each after it */

typedef struct
{
  const DownloadSource *source;
  const char           *part;
  SoupSession          *session;
  GCancellable         *cancellable;
  DownloadProgress      progress;
  gpointer              user_data;
  guint64               done;     /* bytes in the partial file */
  gboolean              is_final; /* trying again won't help */
  gboolean              has_begun_anew; /* since the server had no more */
} Download;

/* ---- errors --------------------------------------------------------------------------------------------------- */

/* What a library says of the network, in the user's terms. */
static void
explain_network (GError **error)
{
  g_autoptr (GError) cause = g_steal_pointer (error);

  if (cause->domain == G_RESOLVER_ERROR || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND) ||
      g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE) || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE) ||
      g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 _("The address can't be reached (%s). Is this machine online? Everything else in Fovea works without; try again when it is."), cause->message);
  else if (cause->domain == G_TLS_ERROR)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 _("The server can't prove that it is the right one (%s). Nothing was taken from it. Is this machine's clock right, or a proxy between?"), cause->message);
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    *error = g_steal_pointer (&cause);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The connection broke off (%s). What has come is kept: try again, and it goes on from there."), cause->message);
}

static void
explain_disk (const Download *download, const char *why, GError **error)
{
  g_autofree char *wanted = g_format_size (download->source->size);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, _("The file can't be written to %s: %s. It needs %s; make room and try again."), download->part, why, wanted);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static gboolean
check_room (Download *download, GError **error)
{
  g_autofree char      *folder = g_path_get_dirname (download->part);
  g_autoptr (GFile)     file = g_file_new_for_path (folder);
  g_autoptr (GFileInfo) info = g_file_query_filesystem_info (file, G_FILE_ATTRIBUTE_FILESYSTEM_FREE, NULL, NULL);
  guint64               available = info ? g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE) : G_MAXUINT64;

  if (!info || !g_file_info_has_attribute (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE) || available >= download->source->size - download->done)
    return TRUE;
  explain_disk (download, g_strerror (ENOSPC), error);
  download->is_final = TRUE;
  return FALSE;
}

/* The partial file, ready to be added to. */
static GOutputStream *
open_part (Download *download, gboolean anew, GError **error)
{
  g_autoptr (GFile)  file = g_file_new_for_path (download->part);
  GFileOutputStream *out;

  if (anew && g_remove (download->part) == 0)
    download->done = 0;
  out = g_file_append_to (file, G_FILE_CREATE_PRIVATE, download->cancellable, error);
  download->is_final |= !out;
  return out ? G_OUTPUT_STREAM (out) : NULL;
}

static gboolean
check_hash (const Download *download, GError **error)
{
  g_autoptr (GFile)            file = g_file_new_for_path (download->part);
  g_autoptr (GFileInputStream) in = g_file_read (file, download->cancellable, error);
  g_autoptr (GChecksum)        checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8           *bytes = g_malloc (PART_BYTES);
  gssize                       n = in ? 1 : -1;

  while (n > 0)
    if ((n = g_input_stream_read (G_INPUT_STREAM (in), bytes, PART_BYTES, download->cancellable, error)) > 0)
      g_checksum_update (checksum, bytes, n);
  if (n == 0 && strcmp (g_checksum_get_string (checksum), download->source->sha256) == 0)
    return TRUE;
  if (n == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _("What came from %s isn't the file that is known: its SHA-256 is %s, and should be %s. It was thrown away; the file may have been exchanged."),
                 download->source->address, g_checksum_get_string (checksum), download->source->sha256);
  return FALSE;
}

/* ---- one try -------------------------------------------------------------------------------------------------- */

static gboolean
copy_bytes (Download *download, GInputStream *in, GOutputStream *out, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (PART_BYTES);
  g_autoptr (GError) cause = NULL;
  gssize             n;

  while ((n = g_input_stream_read (in, bytes, PART_BYTES, download->cancellable, error)) > 0)
    {
      if (download->done + (guint64) n > download->source->size)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _("What comes from %s is larger than the file that is known. It was thrown away; the file may have been exchanged."), download->source->address);
          download->is_final = TRUE;
          return FALSE;
        }
      if (!g_output_stream_write_all (out, bytes, (gsize) n, NULL, NULL, &cause))
        {
          explain_disk (download, cause->message, error);
          download->is_final = TRUE;
          return FALSE;
        }
      download->done += (guint64) n;
      if (download->progress)
        download->progress (download->done, download->user_data);
    }
  if (n < 0)
    explain_network (error);
  return n == 0;
}

static gint64
refuse_smaller (Download *download, GError **error)
{
  download->is_final = TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _("What comes from %s is smaller than the file that is known. It was thrown away; the file may have been exchanged."), download->source->address);
  return -1;
}

/* Where the answer begins in the file, or -1 with an error. */
static gint64
check_answer (Download *download, SoupMessage *message, GError **error)
{
  SoupStatus          status = soup_message_get_status (message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  goffset             size = (goffset) download->source->size, start, end, total;

  if (status == SOUP_STATUS_OK && soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH && soup_message_headers_get_content_length (headers) < size)
    return refuse_smaller (download, error);
  if (status == SOUP_STATUS_OK)
    return 0;
  if (status == SOUP_STATUS_PARTIAL_CONTENT && soup_message_headers_get_content_range (headers, &start, &end, &total) && start == (goffset) download->done)
    return total >= 0 && total < size ? refuse_smaller (download, error) : start;
  if (status == SOUP_STATUS_PARTIAL_CONTENT || status == SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE) /* what we have isn't part of what it has */
    {
      g_remove (download->part);
      download->done = 0;
      if (download->has_begun_anew) /* twice it came as far as that and no further */
        return refuse_smaller (download, error);
      download->has_begun_anew = TRUE;
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The server doesn't go on where it stopped. Try again: it begins anew."));
      return -1;
    }
  download->is_final = status < 500; /* what is broken on their side may be mended in a moment */
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The server answers “%u %s” for %s. The file may have moved; look for it there, and import it by hand."), status,
               soup_status_get_phrase (status), download->source->address);
  return -1;
}

static gboolean
try_once (Download *download, GError **error)
{
  g_autoptr (SoupMessage)   message = soup_message_new (SOUP_METHOD_GET, download->source->address);
  g_autoptr (GInputStream)  in = NULL;
  g_autoptr (GOutputStream) out = NULL;
  gint64                    start;

  if (!message)
    {
      download->is_final = TRUE;
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _("“%s” isn't an address."), download->source->address);
      return FALSE;
    }
  soup_message_disable_feature (message, SOUP_TYPE_CONTENT_DECODER); /* bytes are counted as they are in the file */
  if (download->done > 0)
    soup_message_headers_set_range (soup_message_get_request_headers (message), (goffset) download->done, -1);
  in = soup_session_send (download->session, message, download->cancellable, error);
  if (!in)
    {
      download->is_final = error && (*error)->domain == G_TLS_ERROR;
      explain_network (error);
      return FALSE;
    }
  start = check_answer (download, message, error);
  if (start < 0 || !(out = open_part (download, start == 0, error)) || !copy_bytes (download, in, out, error) ||
      !g_output_stream_close (out, download->cancellable, error))
    return FALSE;
  if (download->done == download->source->size)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("The connection broke off. What has come is kept: try again, and it goes on from there."));
  return FALSE;
}

/* ---- all tries ------------------------------------------------------------------------------------------------ */

/* FALSE: cancelled meanwhile. */
static gboolean
wait_a_while (guint milliseconds, GCancellable *cancellable)
{
  GPollFD wake;

  if (!g_cancellable_make_pollfd (cancellable, &wake))
    {
      g_usleep (1000 * milliseconds);
      return TRUE;
    }
  g_poll (&wake, 1, (gint) milliseconds);
  g_cancellable_release_fd (cancellable);
  return !g_cancellable_is_cancelled (cancellable);
}

static gboolean
fetch_part (Download *download, GError **error)
{
  guint n_vain = 0;

  while (download->done < download->source->size)
    {
      g_autoptr (GError) cause = NULL;
      guint64            before = download->done;

      if (try_once (download, &cause))
        break;
      n_vain = download->done > before ? 1 : n_vain + 1;
      if (download->is_final || n_vain >= MOST_TRIES || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&cause));
          return FALSE;
        }
      if (!wait_a_while (PAUSE_MS << (n_vain - 1), download->cancellable))
        return !g_cancellable_set_error_if_cancelled (download->cancellable, error);
    }
  return TRUE;
}

gboolean
download_file (const DownloadSource *source, const char *path, GCancellable *cancellable, DownloadProgress progress, gpointer user_data, GError **error)
{
  g_autofree char         *part = g_strconcat (path, ".part", NULL);
  g_autoptr (SoupSession)  session = soup_session_new_with_options ("timeout", TIMEOUT_SECONDS, "user-agent", "Fovea ", NULL);
  g_autoptr (GCancellable) never = cancellable ? NULL : g_cancellable_new ();
  Download                 download = { source, part, session, cancellable ? cancellable : never, progress, user_data, 0, FALSE, FALSE };
  GStatBuf                 status;
  g_autoptr (GError)       cause = NULL;

  if (g_stat (part, &status) == 0 && (guint64) status.st_size <= source->size)
    download.done = (guint64) status.st_size;
  else
    g_remove (part);
  if (check_room (&download, &cause) && fetch_part (&download, &cause))
    {
      download.is_final = TRUE;
      if (check_hash (&download, &cause) && g_rename (part, path) == 0)
        return TRUE;
      if (!cause)
        explain_disk (&download, g_strerror (errno), &cause);
    }
  if (download.is_final || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_remove (part);
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

void
download_remove_old (const char *folder)
{
  GDir       *files = g_dir_open (folder, 0, NULL);
  gint64      oldest = g_get_real_time () / G_USEC_PER_SEC - KEPT_SECONDS;
  const char *name;

  while (files && (name = g_dir_read_name (files)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf         status;

      if (g_lstat (path, &status) == 0 && !S_ISDIR (status.st_mode) && status.st_mtime < oldest)
        g_unlink (path);
    }
  g_clear_pointer (&files, g_dir_close);
}
