/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * download-tool.c: what download.py drives: fetches one file, or takes away what is old.
 *
 *   download-tool ADDRESS SIZE SHA256 PATH [CANCEL_AFTER_BYTES [LARGEST_FILE]]
 *   download-tool FOLDER
 */

#include <signal.h>
#include <sys/resource.h>

#include "download.h"

typedef struct
{
  guint64       after; /* 0: never */
  GCancellable *cancellable;
} Watch;

static void
note_progress (guint64 bytes, gpointer data)
{
  Watch *watch = data;

  g_print ("%" G_GUINT64_FORMAT "\n", bytes);
  if (watch->after && bytes >= watch->after)
    g_cancellable_cancel (watch->cancellable);
}

int
main (int argc, char **argv)
{
  const DownloadSource     source = { argv[1], argc > 3 ? g_ascii_strtoull (argv[2], NULL, 10) : 0, argc > 3 ? argv[3] : NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Watch                    watch = { argc > 5 ? g_ascii_strtoull (argv[5], NULL, 10) : 0, cancellable };
  g_autoptr (GError)       error = NULL;

  if (argc == 2)
    {
      download_remove_old (argv[1]);
      return 0;
    }
  if (argc > 6)
    {
      const struct rlimit limit = { (rlim_t) g_ascii_strtoull (argv[6], NULL, 10), RLIM_INFINITY };

      signal (SIGXFSZ, SIG_IGN);
      setrlimit (RLIMIT_FSIZE, &limit);
    }
  if (download_file (&source, argv[4], watch.cancellable, note_progress, &watch, &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
