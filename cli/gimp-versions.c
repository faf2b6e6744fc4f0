/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gimp-versions.c: see gimp-versions.h. GIMP writes a few kilobytes, of which these lines count:
 *
 *   GNU Image Manipulation Program version 3.0.4
 *   using GEGL version 0.4.62 (compiled against version 0.4.62)
 *
 * It is asked while the engine is tested; one that hangs is ended.
 */

#include "gimp-versions.h"

#include <gio/gio.h>
#include <string.h>

#define SECONDS 5 /* it takes a tenth of one */

struct _GimpVersions
{
  GSubprocess  *gimp; /* NULL: there is none */
  GCancellable *cancellable;
  GMainContext *context;
  char         *told;
  gboolean      is_done;
  char         *gimp_version, *gegl, *babl, *gtk;
};

static void
answered (GObject *gimp, GAsyncResult *result, gpointer data)
{
  GimpVersions *versions = data;

  if (!g_subprocess_communicate_utf8_finish (G_SUBPROCESS (gimp), result, &versions->told, NULL, NULL))
    versions->told = NULL;
  versions->is_done = TRUE;
}

/* Children of its own, as of a script, may live on and keep the pipe: nobody listens any more. */
static gboolean
time_is_up (gpointer data)
{
  GimpVersions *versions = data;

  g_subprocess_force_exit (versions->gimp);
  g_cancellable_cancel (versions->cancellable);
  return G_SOURCE_REMOVE;
}

/* The console alone has no GTK to tell of. */
static char *
find_gimp (void)
{
  static const char *const names[] = { "gimp", "gimp-3.2", "gimp-3.0", "gimp-3", "gimp-console", "gimp-console-3.2", "gimp-console-3.0", "gimp-console-3" };
  char *path = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names) && !path; i++)
    path = g_find_program_in_path (names[i]);
  return path;
}

GimpVersions *
gimp_versions_ask (void)
{
  GimpVersions    *versions = g_new0 (GimpVersions, 1);
  g_autofree char *path = find_gimp ();
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);

  versions->context = g_main_context_new ();
  versions->cancellable = g_cancellable_new ();
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE); /* its words are looked for */
  g_main_context_push_thread_default (versions->context);
  versions->gimp = path ? g_subprocess_launcher_spawn (launcher, NULL, path, "--version", "--verbose", NULL) : NULL;
  if (versions->gimp)
    g_subprocess_communicate_utf8_async (versions->gimp, NULL, versions->cancellable, answered, versions);
  g_main_context_pop_thread_default (versions->context);
  return versions;
}

/* What follows the words, up to the next space; NULL: they aren't there. */
static char *
find_version (const char *text, const char *words)
{
  const char *found = text ? strstr (text, words) : NULL;

  return found ? g_strndup (found + strlen (words), strcspn (found + strlen (words), " \r\n")) : NULL;
}

static void
wait_for_answer (GimpVersions *versions)
{
  g_autoptr (GSource) clock = g_timeout_source_new_seconds (SECONDS);

  g_source_set_callback (clock, time_is_up, versions, NULL);
  g_source_attach (clock, versions->context);
  while (!versions->is_done)
    g_main_context_iteration (versions->context, TRUE);
  g_source_destroy (clock);
}

FoveaPrograms
gimp_versions_get (GimpVersions *versions)
{
  if (versions->gimp && !versions->is_done)
    {
      wait_for_answer (versions);
      versions->gimp_version = find_version (versions->told, "GNU Image Manipulation Program version ");
      versions->gegl = find_version (versions->told, "using GEGL version ");
      versions->babl = find_version (versions->told, "using babl version ");
      versions->gtk = find_version (versions->told, "using GTK+ version ");
    }
  return (FoveaPrograms) { versions->gimp_version, versions->gegl, versions->babl, versions->gtk };
}

void
gimp_versions_free (GimpVersions *versions)
{
  if (!versions)
    return;
  if (versions->gimp && !versions->is_done)
    {
      time_is_up (versions);
      wait_for_answer (versions);
    }
  g_clear_object (&versions->gimp);
  g_object_unref (versions->cancellable);
  g_main_context_unref (versions->context);
  g_free (versions->told);
  g_free (versions->gimp_version);
  g_free (versions->gegl);
  g_free (versions->babl);
  g_free (versions->gtk);
  g_free (versions);
}
