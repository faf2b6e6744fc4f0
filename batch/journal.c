/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * journal.c: see journal.h.
 */

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fovea.h"

#define LOCK_MICROSECONDS (3 * G_USEC_PER_SEC)  /* so long another process is waited for */
#define LOCK_EVERY        (G_USEC_PER_SEC / 20)

struct _Journal
{
  char       *file, *folder, *task;
  int         descriptor;
  GHashTable *lines; /* a photo's path: its last line of the task */
};

void
journal_photo_free (JournalPhoto *photo)
{
  g_free (photo->path);
  g_free (photo->shown);
  g_free (photo->name);
  g_free (photo);
}

static void
set_error (GError **error, const char *file, int reason)
{
  g_autofree char *shown = g_filename_display_name (file);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: %s. Choose another folder, or make room."), shown, g_strerror (reason));
}

/* ---- one process at a time ----------------------------------------------------------------------------------------------------------------- */

/* The kernel frees the lock of a process that ends, however it ends; and it tells who has it. (No descriptor of the file may be closed as long as the journal
 * is open: that would free the lock, too.) */
static gboolean
lock (const Journal *journal, GError **error)
{
  g_autofree char *shown = g_filename_display_name (journal->folder);
  gint64           until = g_get_monotonic_time () + LOCK_MICROSECONDS;
  struct flock     wanted = { .l_type = F_WRLCK, .l_whence = SEEK_SET }, held;

  while (fcntl (journal->descriptor, F_SETLK, &wanted) != 0)
    {
      if (errno != EACCES && errno != EAGAIN && errno != EINTR)
        {
          set_error (error, journal->file, errno);
          return FALSE;
        }
      held = wanted;
      if (g_get_monotonic_time () > until && fcntl (journal->descriptor, F_GETLK, &held) == 0 && held.l_type != F_UNLCK)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("Another batch, the process %ld, is writing into the folder “%s”. Wait for its end, or choose another folder."),
                       (long) held.l_pid, shown);
          return FALSE;
        }
      g_usleep (LOCK_EVERY);
    }
  return TRUE;
}

/* By the journal's own descriptor. NULL with errno. */
static GString *
read_all (const Journal *journal)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char                chunk[65536];
  ssize_t             n;

  while ((n = pread (journal->descriptor, chunk, sizeof chunk, (off_t) text->len)) != 0)
    if (n > 0)
      g_string_append_len (text, chunk, n);
    else if (errno != EINTR)
      return NULL;
  return g_steal_pointer (&text);
}

/* ---- lines --------------------------------------------------------------------------------------------------------------------------------- */

/* An object with all members of a line, or NULL. */
static JsonObject *
parse_line (const char *line, JsonNode **root)
{
  static const char *const texts[] = { "task", "path", "name" };
  static const char *const numbers[] = { "size", "modified" };
  JsonObject              *object;
  gboolean                 whole;

  *root = json_from_string (line, NULL);
  object = *root && JSON_NODE_HOLDS_OBJECT (*root) ? json_node_get_object (*root) : NULL;
  whole = object && json_object_has_member (object, "answer") && JSON_NODE_HOLDS_OBJECT (json_object_get_member (object, "answer"));
  for (guint i = 0; i < G_N_ELEMENTS (texts) && whole; i++)
    whole = json_object_has_member (object, texts[i]) && json_node_get_value_type (json_object_get_member (object, texts[i])) == G_TYPE_STRING;
  for (guint i = 0; i < G_N_ELEMENTS (numbers) && whole; i++)
    whole = json_object_has_member (object, numbers[i]) && json_node_get_value_type (json_object_get_member (object, numbers[i])) == G_TYPE_INT64;
  return whole ? object : NULL;
}

static void
read_lines (Journal *journal, const char *text)
{
  const char *stop;

  for (; (stop = strchr (text, '\n')); text = stop + 1)
    {
      g_autofree char     *line = g_strndup (text, (gsize) (stop - text));
      g_autoptr (JsonNode) root = NULL;
      JsonObject          *object = parse_line (line, &root);

      if (object && strcmp (json_object_get_string_member (object, "task"), journal->task) == 0)
        g_hash_table_replace (journal->lines, g_strdup (json_object_get_string_member (object, "path")), g_steal_pointer (&line));
    }
}

static gboolean
write_line (Journal *journal, const char *line, gsize length, GError **error)
{
  for (gssize written; length > 0; line += written, length -= (gsize) written)
    {
      written = write (journal->descriptor, line, length);
      if (written < 0 && errno == EINTR)
        written = 0;
      else if (written < 0)
        {
          set_error (error, journal->file, errno);
          return FALSE;
        }
    }
  return TRUE;
}

/* ---- the journal --------------------------------------------------------------------------------------------------------------------------- */

Journal *
journal_open (const char *file, const char *task, gboolean again, GError **error)
{
  g_autoptr (Journal) journal = g_new0 (Journal, 1);
  g_autoptr (GString) text = NULL;

  journal->file = g_strdup (file);
  journal->folder = g_path_get_dirname (file);
  journal->task = g_strdup (task);
  journal->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  journal->descriptor = open (file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (journal->descriptor < 0)
    {
      set_error (error, file, errno);
      return NULL;
    }
  if (!lock (journal, error))
    return NULL;
  text = read_all (journal);
  if (!text)
    {
      set_error (error, file, errno);
      return NULL;
    }
  if (!again)
    read_lines (journal, text->str);
  /* What was cut in its middle ends here. */
  return text->len == 0 || text->str[text->len - 1] == '\n' || write_line (journal, "\n", 1, error) ? g_steal_pointer (&journal) : NULL;
}

void
journal_close (Journal *journal)
{
  if (!journal)
    return;
  if (journal->descriptor >= 0)
    close (journal->descriptor);
  g_hash_table_unref (journal->lines);
  g_free (journal->file);
  g_free (journal->folder);
  g_free (journal->task);
  g_free (journal);
}

/* `names`: members that are paths below the journal's folder; NULL-terminated. Names of files that aren't UTF-8 can't be told from what is written: they count. */
static gboolean
has_files (const Journal *journal, JsonObject *object, const char *const *names)
{
  for (; *names; names++)
    {
      const char      *below = json_object_get_string_member_with_default (object, *names, NULL);
      g_autofree char *path = below ? g_build_filename (journal->folder, below, NULL) : NULL;

      if (path && !strstr (below, "\xef\xbf\xbd") && !g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return FALSE;
    }
  return TRUE;
}

static gboolean
has_its_files (const Journal *journal, JsonObject *answer)
{
  static const char *const of_photos[] = { "picture", "sidecar", "copy", "layers", NULL }, *const of_masks[] = { "file", "cutout", NULL };
  JsonArray               *masks = json_object_has_member (answer, "masks") ? json_object_get_array_member (answer, "masks") : NULL;
  gboolean                 ok = has_files (journal, answer, of_photos);

  for (guint i = 0; ok && masks && i < json_array_get_length (masks); i++)
    ok = has_files (journal, json_array_get_object_element (masks, i), of_masks);
  return ok;
}

JsonNode *
journal_find (const Journal *journal, const JournalPhoto *photo)
{
  const char          *line = g_hash_table_lookup (journal->lines, photo->path);
  g_autoptr (JsonNode) root = NULL;
  JsonObject          *object = line ? parse_line (line, &root) : NULL;

  if (!object || strcmp (json_object_get_string_member (object, "name"), photo->name) != 0 || json_object_get_int_member (object, "size") != photo->size
      || json_object_get_int_member (object, "modified") != photo->modified || !has_its_files (journal, json_object_get_object_member (object, "answer")))
    return NULL;
  return json_object_dup_member (object, "answer");
}

/* What is written into a file that was deleted goes with it. */
static gboolean
is_there (const Journal *journal, GError **error)
{
  g_autofree char *shown = g_filename_display_name (journal->folder);
  struct stat      status;

  if (fstat (journal->descriptor, &status) != 0 || status.st_nlink > 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The results in “%s” were taken away while they were being written. Begin anew."), shown);
  return FALSE;
}

gboolean
journal_add (Journal *journal, const JournalPhoto *photo, JsonNode *answer, GError **error)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject          *object = json_object_new ();
  g_autofree char     *line = NULL, *ended = NULL;

  json_node_take_object (root, object);
  json_object_set_string_member (object, "task", journal->task);
  json_object_set_string_member (object, "path", photo->path);
  json_object_set_string_member (object, "name", photo->name);
  json_object_set_int_member (object, "size", photo->size);
  json_object_set_int_member (object, "modified", photo->modified);
  json_object_set_member (object, "answer", json_node_copy (answer));
  line = json_to_string (root, FALSE);
  ended = g_strconcat (line, "\n", NULL);
  if (!is_there (journal, error) || !write_line (journal, ended, strlen (ended), error))
    return FALSE;
  g_hash_table_replace (journal->lines, g_strdup (photo->path), g_steal_pointer (&line));
  return TRUE;
}
