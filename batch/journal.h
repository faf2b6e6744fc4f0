/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * journal.h: what has been done in a folder of results, one line of JSON a photo, so that a run that was cut at any moment goes on where it stopped. Lines are only
 * ever added; a last one that isn't whole doesn't count.
 */
#pragma once

#include <json-glib/json-glib.h>

/* What tells whether an answer is still that of a photo. */
typedef struct
{
  char  *path;           /* of no other photo of the batch; UTF-8 */
  char  *shown;          /* the photo's name in what is written: below its folder, or as it was given; UTF-8 */
  char  *name;           /* ListedFile's: its pictures have it */
  gint64 size, modified; /* bytes; microseconds */
} JournalPhoto;

void journal_photo_free (JournalPhoto *photo);

typedef struct _Journal Journal;

/* The journal in a file, which is made where there is none. While it is open no other program can open it; one that has it is waited for, for a few seconds, since
 * one that was killed may take a moment to end. `task`: lines of other tasks (another operation, model or kind of picture) don't count. again: nor do those that
 * are there. NULL with FOVEA_ERROR_FILE that says which process has it. */
Journal  *journal_open  (const char *file, const char *task, gboolean again, GError **error);
void      journal_close (Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Journal, journal_close)

/* A copy of the photo's answer; NULL where it has none, has changed since, or a file that is named in it is missing in the journal's folder. */
JsonNode *journal_find  (const Journal *journal, const JournalPhoto *photo);

/* FALSE with FOVEA_ERROR_FILE. */
gboolean  journal_add   (Journal *journal, const JournalPhoto *photo, JsonNode *answer, GError **error);
