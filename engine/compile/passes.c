/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * passes.c: the order of the passes, and the switches.
 */

#include "compile/passes.h"

#include <string.h>

typedef gboolean (*Pass) (Graph *graph, GError **error);

static const struct
{
  const char *name;
  Pass        run;
  gboolean    reference; /* runs for the reference too */
} passes[] = {
  { "fold-constants", fold_constants, TRUE },
  { "remove-noops", remove_noops, FALSE },
  { "join-gates", join_gates, FALSE },
  { "fold-shuffles", fold_shuffles, FALSE },
  { "fold-batch-norm", fold_batch_norm, FALSE },
  { "fuse-padding", fuse_padding, FALSE },
  { "fuse-activation", fuse_activation, FALSE },
  { "remove-dead", remove_dead, TRUE },
  { "block-layout", block_layout, FALSE },
  { "fuse-rows", fuse_rows, FALSE },
  { "fuse-norm", fuse_norm, FALSE },
};

static gboolean
is_switched_off (char **switches, const char *name)
{
  for (; switches && *switches; switches++)
    if (**switches == '-' && (strcmp (*switches + 1, name) == 0 || strcmp (*switches + 1, "all") == 0))
      return TRUE;
  return FALSE;
}

gboolean
pass_is_on (const char *name)
{
  const char    *text = g_getenv ("FOVEA_PASSES");
  g_auto (GStrv) switches = text ? g_strsplit (text, ",", -1) : NULL;

  return !is_switched_off (switches, name);
}

gboolean
run_passes (Graph *graph, gboolean reference, GCancellable *cancellable, GError **error)
{
  const char    *text = g_getenv ("FOVEA_PASSES");
  g_auto (GStrv) switches = text ? g_strsplit (text, ",", -1) : NULL;
  gboolean       ok = TRUE;

  if (cancellable)
    g_cancellable_push_current (cancellable);
  for (gsize i = 0; ok && i < G_N_ELEMENTS (passes); i++)
    if ((!reference || passes[i].reference) && !is_switched_off (switches, passes[i].name))
      ok = passes[i].run (graph, error);
  if (cancellable)
    g_cancellable_pop_current (cancellable);
  return ok;
}
