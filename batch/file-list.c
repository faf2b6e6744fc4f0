/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file-list.c: see file-list.h. Only names are read here, never a photo.
 */

#include "file-list.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea.h"

#define MOST_SHARDS 1000000

struct _FileList
{
  GPtrArray  *files;
  GPtrArray  *patterns;  /* GPatternSpec of a base name … */
  GPtrArray  *deep;      /* … and of a path below the folder */
  GHashTable *folders;   /* "device:inode" of those that have been looked into */
  GPtrArray  *given;     /* paths of folders that were given */
  char       *leave_out; /* "device:inode", or NULL */
  gboolean    flat, plain;
  gboolean    has_files; /* that were given by their own paths */
};

static void
free_file (gpointer data)
{
  ListedFile *file = data;

  if (!file)
    return;
  g_free (file->path);
  g_free (file->below);
  g_free (file->name);
  g_free (file->copy);
  g_free (file->problem);
  g_free (file);
}

/* Which folder it is, whatever its path; NULL where there is none. */
static char *
identify (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) status.st_dev, (guint64) status.st_ino) : NULL;
}

static void
add_usual_patterns (FileList *list)
{
  GSList *formats = gdk_pixbuf_get_formats ();

  for (GSList *format = formats; format; format = format->next)
    {
      g_auto (GStrv) endings = gdk_pixbuf_format_get_extensions (format->data);

      for (guint i = 0; endings[i]; i++)
        {
          g_autofree char *pattern = g_strconcat ("*.", endings[i], NULL);

          g_ptr_array_add (list->patterns, g_pattern_spec_new (pattern));
        }
    }
  g_slist_free (formats);
}

FileList *
file_list_new (const char *pattern, gboolean flat, const char *leave_out)
{
  FileList      *list = g_new0 (FileList, 1);
  g_auto (GStrv) parts = g_strsplit (pattern ? pattern : "", ",", -1);

  list->files = g_ptr_array_new_with_free_func (free_file);
  list->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  list->deep = g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  list->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  list->given = g_ptr_array_new_with_free_func (g_free);
  list->flat = flat;
  list->plain = TRUE;
  list->leave_out = leave_out ? identify (leave_out) : NULL;
  for (guint i = 0; parts[i]; i++)
    {
      g_autofree char *folded = g_utf8_strdown (g_strstrip (parts[i]), -1);

      if (*folded)
        g_ptr_array_add (strchr (folded, '/') ? list->deep : list->patterns, g_pattern_spec_new (folded));
    }
  if (list->patterns->len + list->deep->len == 0)
    add_usual_patterns (list);
  return list;
}

void
file_list_free (FileList *list)
{
  if (!list)
    return;
  g_ptr_array_unref (list->files);
  g_ptr_array_unref (list->patterns);
  g_ptr_array_unref (list->deep);
  g_ptr_array_unref (list->given);
  g_hash_table_unref (list->folders);
  g_free (list->leave_out);
  g_free (list);
}

/* ---- folders -------------------------------------------------------------------------------------------------------------------------------- */

static ListedFile *
add_file (FileList *list, const char *path, const char *below)
{
  ListedFile *file = g_new0 (ListedFile, 1);

  file->path = g_strdup (path);
  file->below = g_strdup (below);
  file->copy = g_strdup (below);
  g_ptr_array_add (list->files, file);
  return file;
}

static gboolean
matches (const FileList *list, const char *below)
{
  g_autofree char *valid = g_utf8_make_valid (below, -1), *folded = g_utf8_strdown (valid, -1);
  const char      *slash = strrchr (folded, '/'), *base = slash ? slash + 1 : folded;

  for (guint i = 0; i < list->patterns->len; i++)
    if (g_pattern_spec_match_string (list->patterns->pdata[i], base))
      return TRUE;
  for (guint i = 0; i < list->deep->len; i++)
    if (g_pattern_spec_match_string (list->deep->pdata[i], folded))
      return TRUE;
  return FALSE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names in a folder that aren't hidden, sorted. NULL with errno. */
static GPtrArray *
read_folder (const char *path)
{
  GDir       *folder = g_dir_open (path, 0, NULL);
  GPtrArray  *names;
  const char *name;

  if (!folder)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (folder)))
    if (*name != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_dir_close (folder);
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* What would be read without end, or wait for somebody who never comes. One that is named by its own path is meant. */
static char *
find_problem (const char *path)
{
  g_autofree char *shown = NULL;
  GStatBuf         status;

  if (g_stat (path, &status) != 0 || S_ISREG (status.st_mode)) /* a link that leads nowhere says so when it is opened */
    return NULL;
  shown = g_filename_display_name (path);
  return g_strdup_printf (_("“%s” is no file, but a pipe, a socket or a device. Take it out of the folder."), shown);
}

/* below: the folder's path below the one that was given, "" for that itself. */
static void
add_folder (FileList *list, const char *path, const char *below)
{
  g_autofree char      *identity = identify (path);
  g_autoptr (GPtrArray) names = NULL;

  if (!identity || (*below && g_strcmp0 (identity, list->leave_out) == 0) || !g_hash_table_add (list->folders, g_steal_pointer (&identity)))
    return;
  names = read_folder (path);
  if (!names)
    {
      g_autofree char *shown = g_filename_display_name (path);

      add_file (list, path, below)->problem = g_strdup_printf (_("The folder “%s” can't be read: %s. Change who may read it, or leave it out."), shown, g_strerror (errno));
    }
  for (guint i = 0; names && i < names->len; i++)
    {
      g_autofree char *inside = g_build_filename (path, names->pdata[i], NULL);
      g_autofree char *inside_below = *below ? g_build_filename (below, names->pdata[i], NULL) : g_strdup (names->pdata[i]);

      if (g_file_test (inside, G_FILE_TEST_IS_DIR))
        {
          if (!list->flat)
            add_folder (list, inside, inside_below);
        }
      else if (matches (list, inside_below))
        add_file (list, inside, inside_below)->problem = find_problem (inside);
    }
}

void
file_list_add (FileList *list, const char *path)
{
  g_autofree char *base = strcmp (path, "-") == 0 ? g_strdup ("stdin.png") : g_path_get_basename (path);

  if (strcmp (path, "-") != 0 && g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      list->plain = FALSE;
      g_ptr_array_add (list->given, g_strdup (path));
      add_folder (list, path, "");
    }
  else
    {
      list->has_files = TRUE;
      add_file (list, path, base);
    }
}

/* ---- lists ---------------------------------------------------------------------------------------------------------------------------------- */

static GString *
read_stream (FILE *stream)
{
  GString *text = g_string_new (NULL);
  char     chunk[4096];
  size_t   n;

  while ((n = fread (chunk, 1, sizeof chunk, stream)) > 0)
    g_string_append_len (text, chunk, (gssize) n);
  return text;
}

gboolean
file_list_read (FileList *list, const char *file, GError **error)
{
  gboolean from_standard_input = strcmp (file, "-") == 0;
  FILE    *stream = from_standard_input ? stdin : g_fopen (file, "rb");
  GString *text = stream ? read_stream (stream) : NULL;
  gboolean ok = stream && !ferror (stream);
  char     end = text && memchr (text->str, '\0', text->len) ? '\0' : '\n';

  list->plain = FALSE;
  if (!ok)
    {
      g_autofree char *shown = from_standard_input ? g_strdup ("standard input") : g_filename_display_name (file);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "The list “%s” can't be read: %s. Give a text file with a path on each line.", shown, g_strerror (errno));
    }
  for (gsize at = 0; ok && at < text->len;)
    {
      const char      *stop = memchr (text->str + at, end, text->len - at);
      gsize            length = stop ? (gsize) (stop - text->str) - at : text->len - at;
      gboolean         carriage_return = end == '\n' && length > 0 && text->str[at + length - 1] == '\r';
      g_autofree char *path = g_strndup (text->str + at, length - carriage_return);

      if (*path)
        file_list_add (list, path);
      at += length + 1;
    }
  if (stream && !from_standard_input)
    fclose (stream);
  if (text)
    g_string_free (text, TRUE);
  return ok;
}

/* ---- names and shares ----------------------------------------------------------------------------------------------------------------------- */

gboolean
file_list_parse_shard (const char *text, gsize *shard, gsize *n_shards, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", -1);
  guint64        i, n;

  if (g_strv_length (parts) != 2 || !g_ascii_string_to_unsigned (parts[1], 10, 1, MOST_SHARDS, &n, NULL)
      || !g_ascii_string_to_unsigned (parts[0], 10, 1, n, &i, NULL))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "“%s” isn't a share of the photos: write I/N, as 2/8 for the second of eight.", text);
      return FALSE;
    }
  *shard = i;
  *n_shards = n;
  return TRUE;
}

static char *
fold_name (const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);

  return g_utf8_casefold (valid, -1);
}

/* `name`, or where it is taken, small and capital letters alike, “name-2”, “name-3” …; `ending` stays at the end. taken: to the last number that such a name got. */
static char *
choose_name (GHashTable *taken, const char *name, const char *ending)
{
  char *chosen = g_strconcat (name, ending, NULL), *first = fold_name (chosen);
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (taken, first));
  char *key = g_strdup (first);

  while (g_hash_table_contains (taken, key))
    {
      g_free (chosen);
      g_free (key);
      chosen = g_strdup_printf ("%s-%u%s", name, ++number, ending);
      key = fold_name (chosen);
    }
  g_hash_table_replace (taken, key, GUINT_TO_POINTER (1));
  g_hash_table_replace (taken, first, GUINT_TO_POINTER (MAX (number, 1)));
  return chosen;
}

static void
give_names (FileList *list)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) copies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < list->files->len; i++)
    {
      ListedFile      *file = list->files->pdata[i];
      g_autofree char *below = g_steal_pointer (&file->copy), *ending = NULL;
      char            *slash = strrchr (below, '/'), *dot = strrchr (below, '.');

      if (dot && dot > (slash ? slash + 1 : below))
        {
          ending = g_strdup (dot);
          *dot = '\0';
        }
      file->name = choose_name (names, below, "");
      file->copy = choose_name (copies, below, ending ? ending : "");
    }
}

void
file_list_close (FileList *list, gsize shard, gsize n_shards)
{
  guint kept = 0;

  give_names (list);
  for (guint i = 0; i < list->files->len; i++)
    if (i % n_shards == shard - 1)
      {
        gpointer mine = list->files->pdata[i];

        list->files->pdata[i] = list->files->pdata[kept];
        list->files->pdata[kept++] = mine;
      }
  g_ptr_array_set_size (list->files, (gint) kept);
}

void
file_list_keep (FileList *list, FileListWanted wanted, gpointer data)
{
  g_autoptr (GPtrArray) all = g_steal_pointer (&list->files);

  list->files = g_ptr_array_new_with_free_func (free_file);
  for (guint i = 0; i < all->len; i++)
    if (wanted (all->pdata[i], data))
      g_ptr_array_add (list->files, g_steal_pointer (&all->pdata[i]));
}

gsize
file_list_count (const FileList *list)
{
  return list->files->len;
}

const ListedFile *
file_list_get (const FileList *list, gsize i)
{
  return list->files->pdata[i];
}

gboolean
file_list_is_plain (const FileList *list)
{
  return list->plain;
}

const char *
file_list_get_folder (const FileList *list)
{
  return list->given->len == 1 && !list->has_files ? list->given->pdata[0] : NULL;
}

/* ---- where results may go ------------------------------------------------------------------------------------------------------------------- */

/* Without links, also where its end isn't there yet. */
static char *
resolve (const char *path)
{
  g_autofree char *whole = g_canonicalize_filename (path, NULL), *parent = NULL, *base = NULL, *above = NULL;
  char            *real = realpath (whole, NULL), *copy = g_strdup (real);

  free (real);
  if (copy || strcmp (whole, "/") == 0)
    return copy ? copy : g_strdup (whole);
  parent = g_path_get_dirname (whole);
  base = g_path_get_basename (whole);
  above = resolve (parent);
  return g_build_filename (above, base, NULL);
}

static gboolean
is_inside (const char *path, const char *folder)
{
  gsize length = strlen (folder);

  return strncmp (path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0' || strcmp (folder, "/") == 0);
}

static gboolean
refuse_output (const char *folder, const char *photos, GError **error)
{
  g_autofree char *shown = g_filename_display_name (folder), *shown_photos = g_filename_display_name (photos);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
               _("The results can't be written to “%s”: that is the folder of the photos “%s”, in it or around it. Choose a folder beside it."), shown, shown_photos);
  return FALSE;
}

gboolean
file_list_check_output (const FileList *list, const char *folder, GError **error)
{
  g_autofree char       *output = resolve (folder);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < list->given->len; i++)
    {
      g_autofree char *photos = resolve (list->given->pdata[i]);

      if (is_inside (photos, output) || (!list->flat && is_inside (output, photos)))
        return refuse_output (output, photos, error);
    }
  for (guint i = 0; i < list->files->len; i++)
    {
      const ListedFile *file = list->files->pdata[i];
      char             *parent = g_path_get_dirname (file->path);
      g_autofree char  *photos = NULL;

      if (!g_hash_table_add (seen, parent) || strcmp (file->path, "-") == 0)
        continue;
      photos = resolve (parent);
      if (is_inside (photos, output))
        return refuse_output (output, photos, error);
    }
  return TRUE;
}
