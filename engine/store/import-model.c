/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-model.c: a model file becomes one of the user's models: NAME.onnx, a copy or a link, and NAME.json, its settings, in the models folder of the user's
 * data folder. All that can fail is done in a folder of its own there; then both files are renamed, the model last. The user's file is only read. Nothing is
 * written outside of the models folder, whatever names a file brings.
 */

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "model/model.h"
#include "ops/operator.h"
#include "store/own-models.h"
#include "vision/json-look.h"
#include "vision/sam.h"
#include "vision/sidecar.h"

char *
fovea_get_user_model_folder (void)
{
  return g_build_filename (g_get_user_data_dir (), "fovea", "models", NULL);
}

/* ---- what can't run --------------------------------------------------------------------------------------------------------------------- */

static void
add_missing (const Graph *graph, GHashTable *names)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      if (!operator_find (node->domain, node->type))
        g_hash_table_add (names, g_strconcat (node->domain, *node->domain ? "." : "", node->type, NULL));
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
fovea_model_list_missing (const FoveaModel *model)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray             *list = g_ptr_array_new ();
  GHashTableIter         iter;
  gpointer               name;

  add_missing (model_get_graph (model), names);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (list, name_for_display (name));
  g_ptr_array_sort (list, compare_names);
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

static gboolean
check_operators (const FoveaModel *model, GError **error)
{
  g_auto (GStrv)   missing = fovea_model_list_missing (model);
  g_autofree char *list = g_strjoinv (", ", missing);

  if (!*missing)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
               _("Model “%s” needs operators that this engine hasn't got: %s. Nothing was imported; export the model without them, or use another."),
               fovea_model_get_name (model), list);
  return FALSE;
}

/* Of a network in two files both must be right. */
static gboolean
check_pair (FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  g_autofree char       *path = sam_find_partner (model, settings, error);
  g_autoptr (FoveaModel) partner = path ? fovea_model_load (path, error) : NULL;
  Sam                   *sam = partner && check_operators (partner, error) ? sam_new (model, settings, 1, error) : NULL;
  gboolean               fits = sam != NULL;

  sam_free (sam);
  return fits;
}

/* It must compile for a photo: what is imported answers. */
static gboolean
check_runs (FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession)        session = NULL;
  const FoveaPort                *in = fovea_model_get_input (model, 0);
  FoveaShape                      shape;

  if (!check_operators (model, error))
    return FALSE;
  if (settings->task == FOVEA_TASK_UNKNOWN)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   _("What model “%s” is for can't be told from its inputs and outputs. Say it: the task is classify, detect or segment."),
                   fovea_model_get_name (model));
      return FALSE;
    }
  if (sam_knows (settings->family))
    return check_pair (model, settings, error);
  fovea_session_options_set_threads (options, 1);
  if (in && fovea_settings_get_input_shape (settings, in, &shape, NULL))
    fovea_session_options_set_shape (options, in->name, &shape);
  session = fovea_session_new (model, options, error);
  return session != NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------------ */

/* The file's own name, or its folder's where all files have the same, with what a name can't have taken out; with a number where it is taken. */
static char *
make_name (const char *file)
{
  static const char *const common[] = { "model", "model_fp16", "model_quantized", "weights", NULL };
  g_autofree char *base = g_path_get_basename (file), *absolute = g_canonicalize_filename (file, NULL), *folder = g_path_get_dirname (absolute);
  g_autofree char *within = g_path_get_basename (folder), *name = NULL, *chosen = NULL;

  if (g_str_has_suffix (base, ".onnx"))
    base[strlen (base) - strlen (".onnx")] = '\0';
  if (strcmp (within, "onnx") == 0)
    {
      g_autofree char *above = g_path_get_dirname (folder);

      g_free (within);
      within = g_path_get_basename (above);
    }
  name = g_utf8_make_valid (g_strv_contains (common, base) && *within != '.' && *within != '/' ? within : base, -1);
  for (char *c = name; *c; c++)
    if (g_ascii_iscntrl (*c) || *c == '/' || *c == '\\' || (c == name && (*c == '.' || *c == '-')))
      *c = '_';
  if (strlen (name) > 100)
    *g_utf8_find_prev_char (name, name + 100) = '\0';
  if (!fovea_check_model_name (name, NULL))
    {
      g_free (name);
      name = g_strdup ("model");
    }
  chosen = g_strdup (name);
  for (int i = 2; own_model_is_taken (chosen); i++)
    {
      g_free (chosen);
      chosen = g_strdup_printf ("%s-%d", name, i);
    }
  return g_steal_pointer (&chosen);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------------ */

/* Weights in files of their own come inside. */
static gboolean
copy_model (FoveaModel *model, const char *file, const char *path, gboolean as_link, GCancellable *cancellable, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (file, NULL);
  g_autoptr (GFile) from = g_file_new_for_path (absolute), to = g_file_new_for_path (path);
  g_autoptr (FoveaModel) copied = NULL;

  if (as_link ? !g_file_make_symbolic_link (to, absolute, cancellable, error)
              : !g_file_copy (from, to, G_FILE_COPY_NONE, cancellable, NULL, NULL, error))
    return FALSE;
  copied = fovea_model_load (path, NULL);
  if (copied)
    return TRUE;
  if (!as_link)
    return fovea_model_save (model, path, error);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” has weights in other files, so that a link to it alone doesn't run. Import a copy."), file);
  return FALSE;
}

static JsonObject *
make_card (const FoveaModel *model, const char *file, const FoveaSettings *settings)
{
  JsonObject            *card = json_object_new ();
  g_autofree char       *licence = fovea_model_get_licence (model), *base = g_path_get_basename (file), *shown = g_filename_display_name (base);
  g_autoptr (GDateTime)  now = g_date_time_new_now_local ();
  g_autofree char       *date = g_date_time_format (now, "%Y-%m-%d");

  if (licence)
    json_object_set_string_member (card, "licence", licence);
  json_object_set_string_member (card, "imported", date);
  json_object_set_string_member (card, "file", shown);
  json_object_set_string_member (card, "sources", settings->sources ? settings->sources : "");
  return card;
}

char *
fovea_model_find_partner (const FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  return sam_knows (settings->family) ? sam_find_partner (model, settings, error) : NULL;
}

/* The other file of a network in two goes along: NAME.partner. */
static gboolean
copy_partner (const FoveaModel *model, const FoveaSettings *settings, gboolean as_link, const char *path, GCancellable *cancellable, GError **error)
{
  g_autofree char       *file = NULL;
  g_autoptr (FoveaModel) partner = NULL;

  if (!sam_knows (settings->family))
    return TRUE;
  file = sam_find_partner (model, settings, error);
  partner = file ? fovea_model_load (file, error) : NULL;
  return partner && copy_model (partner, file, path, as_link, cancellable, error);
}

/* The files in `folder`, then where they belong. */
static gboolean
write_files (FoveaModel *model, const char *file, const char *name, const FoveaSettings *settings, gboolean as_link, const char *folder, const char *work,
             GCancellable *cancellable, GError **error)
{
  g_autofree char *onnx = g_build_filename (work, "model.onnx", NULL), *json = g_build_filename (work, "model.json", NULL);
  g_autofree char *onnx_name = g_strconcat (name, ".onnx", NULL), *json_name = g_strconcat (name, ".json", NULL);
  g_autofree char *last_onnx = g_build_filename (folder, onnx_name, NULL), *last_json = g_build_filename (folder, json_name, NULL);
  g_autofree char *partner = g_build_filename (work, "model.partner", NULL), *partner_name = g_strconcat (name, ".partner", NULL);
  g_autofree char *last_partner = g_build_filename (folder, partner_name, NULL), *text = NULL;
  g_autoptr (FoveaSettings) own = fovea_settings_copy (settings);
  gboolean         done;

  g_clear_pointer (&own->partner, g_free); /* it is found by the model's name from now on, which may change */
  text = sidecar_write (own, make_card (model, file, settings));
  done = copy_model (model, file, onnx, as_link, cancellable, error) && copy_partner (model, settings, as_link, partner, cancellable, error)
         && g_file_set_contents (json, text, -1, error);
  if (done && (g_rename (json, last_json) != 0 || (sam_knows (settings->family) && g_rename (partner, last_partner) != 0)))
    {
      g_remove (last_json);
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written. Is the disk full, or the folder not yours?"), last_json);
      done = FALSE;
    }
  else if (done && (own_model_is_taken (name) || g_rename (onnx, last_onnx) != 0))
    {
      g_remove (last_json);
      g_remove (last_partner);
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: something of that name came in between, or the folder isn't yours."), last_onnx);
      done = FALSE;
    }
  g_remove (onnx);
  g_remove (json);
  g_remove (partner);
  return done;
}

char *
fovea_import_model (FoveaModel *model, const char *name, const FoveaSettings *settings, gboolean as_link, GCancellable *cancellable, GError **error)
{
  const char      *file = fovea_model_get_path (model);
  g_autofree char *folder = fovea_get_user_model_folder (), *work = g_build_filename (folder, ".import-XXXXXX", NULL), *chosen = NULL;
  gboolean         done;

  g_return_val_if_fail (file != NULL, NULL);
  if (g_strcmp0 (settings->family, "sam-decoder") == 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” is the decoder of a pair. Import its encoder: the decoder comes along."), fovea_model_get_name (model));
      return NULL;
    }
  if ((name && *name && !fovea_check_model_name (name, error)) || !check_runs (model, settings, error))
    return NULL;
  chosen = name && *name ? g_strdup (name) : make_name (file);
  if (own_model_is_taken (chosen))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is a model “%s” already. Give another name, or delete that one first."), chosen);
      return NULL;
    }
  if (g_mkdir_with_parents (folder, 0700) != 0 || !g_mkdtemp (work))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The folder “%s” can't be written to. Is the disk full, or the folder not yours?"), folder);
      return NULL;
    }
  done = write_files (model, file, chosen, settings, as_link, folder, work, cancellable, error);
  g_rmdir (work);
  return done ? g_steal_pointer (&chosen) : NULL;
}
