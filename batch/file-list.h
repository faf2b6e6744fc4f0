/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file-list.h: the photos of a batch: files, what lies in folders, and lists of paths; and the names under which files made of them are written.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  char *path;    /* as it was given, or FOLDER/… */
  char *below;   /* where it lies in its folder; of a file that was given itself its own name */
  char *name;    /* where it lies in its folder, without the ending: "sub/photo"; no other photo of the list has it */
  char *copy;    /* the same with the ending: "sub/photo.jpg" */
  char *problem; /* why it isn't even tried: a folder that can't be read, a pipe; NULL: it is a file */
} ListedFile;

typedef struct _FileList FileList;

/* pattern: which files of folders are taken: "*.jpg,cat-*", small and capital letters alike; one with a slash is matched with the path below the folder. NULL:
 * whatever GdkPixbuf has a name ending for. flat: not what lies in folders of folders. leave_out (may be NULL): a folder that isn't looked into where one
 * that is given leads to it. */
FileList         *file_list_new   (const char *pattern, gboolean flat, const char *leave_out);
void              file_list_free  (FileList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FileList, file_list_free)

/* A file, which needn't be there, or all photos in a folder, sorted by name. Hidden files and folders are left out, and no folder is looked into twice. */
void              file_list_add   (FileList *list, const char *path);

/* The paths in a file, one a line, or with NUL after each (as find -print0 writes); "-": on standard input. FALSE with FOVEA_ERROR_FILE. */
gboolean          file_list_read  (FileList *list, const char *file, GError **error);

/* "2/8": the second of eight shares. FALSE with FOVEA_ERROR_ARGUMENT. */
gboolean          file_list_parse_shard (const char *text, gsize *shard, gsize *n_shards, GError **error);

/* To be called once, after all has been added. Gives the names, then leaves only the files shard - 1, shard - 1 + n_shards …: the shares of a list are disjoint,
 * as long as one another, and a photo's names are the same in each. 1, 1: all. */
void              file_list_close (FileList *list, gsize shard, gsize n_shards);

/* Leaves only the files, of those that there are after file_list_close, for which `wanted` says TRUE; their names stay. */
typedef gboolean (*FileListWanted) (const ListedFile *file, gpointer data);
void              file_list_keep  (FileList *list, FileListWanted wanted, gpointer data);

gsize             file_list_count (const FileList *list);
const ListedFile *file_list_get   (const FileList *list, gsize i);

/* TRUE: all were given by their own paths, none found in folders or lists. */
gboolean          file_list_is_plain (const FileList *list);

/* The folder that all photos were found in; NULL: there is more than one, or photos were given by their own paths. */
const char       *file_list_get_folder (const FileList *list);

/* That files written into a folder can't take the place of a photo of the list, nor be taken for one the next time. FALSE with FOVEA_ERROR_ARGUMENT. */
gboolean          file_list_check_output (const FileList *list, const char *folder, GError **error);
