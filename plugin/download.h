/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * download.h: a file from the web that is known beforehand, to the byte.
 */
#pragma once

#include <gio/gio.h>

/* Called from the thread that downloads. */
typedef void (*DownloadProgress) (guint64 bytes, gpointer user_data);

typedef struct
{
  const char *address;
  guint64     size;   /* bytes */
  const char *sha256; /* small letters */
} DownloadSource;

/* Fetches the file to `path`, whose folder is there. It lies at PATH.part until its size and its SHA-256 are right, then gets its name. A connection that breaks
 * off is taken up again where it broke, a few times; after that, and after the process was killed, PATH.part stays for the next call to go on with, so `path` should
 * be in a folder of caches (see download_remove_old). A wrong file, a full disk and a cancelled download leave nothing. Blocks: for a worker. FALSE with a message that says what is wrong and what to do. */
gboolean download_file (const DownloadSource *source, const char *path, GCancellable *cancellable, DownloadProgress progress, gpointer user_data, GError **error);

/* Of the folder's files, removes those that no download has added to for a week. Links are removed, not followed; folders inside stay. */
void     download_remove_old (const char *folder);
