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
  char  *path; /* below the folder of photos */
  char  *name; /* ListedFile's: its pictures have it */
  gint64 size, modified;
} JournalPhoto;

void journal_photo_free (JournalPhoto *photo);

typedef struct _Journal Journal;

/* The journal in a file, which is made where there is none; while it is open no other program can open it. `task`: lines of other tasks (another operation, model or
 * kind of picture) don't count. again: nor do those that are there. NULL with FOVEA_ERROR_FILE. */
Journal  *journal_open  (const char *file, const char *task, gboolean again, GError **error);
void      journal_close (Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Journal, journal_close)

/* A copy of the photo's answer; NULL where it has none, has changed since, or a file that is named in it ("file", "cutout") is missing. */
JsonNode *journal_find  (const Journal *journal, const JournalPhoto *photo);

/* FALSE with FOVEA_ERROR_FILE. */
gboolean  journal_add   (Journal *journal, const JournalPhoto *photo, JsonNode *answer, GError **error);
