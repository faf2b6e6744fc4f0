/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photos.h: what classify, locate and segment share: the options that say which photos, and the way of many photos through a model to standard output.
 */
#pragma once

#include "command.h"
#include "job.h"

/* Filled by command_parse with the options of photos_join_options. */
typedef struct
{
  gboolean json, csv, flat, again;
  int      n_threads;
  char    *list, *pattern, *shard, *output, *formats;
} PhotosOptions;

/* For the verbs' help: how photos are named. */
#define PHOTOS_ARGUMENTS "MODEL PHOTO|FOLDER…"
#define PHOTOS_HELP \
  "Photos are JPEG, PNG, TIFF, WebP and whatever else GdkPixbuf reads, turned\n" \
  "upright; transparent parts count as white; “-” is a photo on standard input. Of\n" \
  "folders all photos are taken, those in folders inside too, sorted by name; --list\n" \
  "takes paths from a file. Where there are many photos each thread looks at one of\n" \
  "its own.\n" \
  "\n" \
  "--output-dir writes all results into a folder (--formats says which), with a page\n" \
  "that shows them; a run that was stopped at any moment goes on where it was, and\n" \
  "only what is new or has changed is done.\n" \
  "\n" \
  "Photos that can't be read are listed at the end, the others go on. The exit status\n" \
  "is 0 when all went well, 2 for wrong usage; 3 when all is done but photos that were\n" \
  "found in folders or lists couldn't be read; 1 otherwise, also when a photo that was\n" \
  "named couldn't be read."

/* The verb's own options and the shared ones in one table, to be freed with g_free. */
GOptionEntry *photos_join_options  (const GOptionEntry *own, PhotosOptions *options);
void          photos_clear_options (PhotosOptions *options);

/* Prints an answer without an error as text. */
typedef void (*PhotosPrint) (JsonObject *answer);

/* argv: the verb, the model, photos. settings: all but model and n_threads. Returns the exit status. */
int           photos_run (const CommandHelp *help, const PhotosOptions *options, JobSettings *settings, int argc, char **argv, PhotosPrint print);

/* “photo.jpg” of an answer, as people read it. */
char         *photos_get_name (JsonObject *answer);

/* What --tiles says, 0 for auto; NULL: 1. FALSE: nonsense. */
gboolean      photos_read_tiles (const char *text, int *tiles);
#define PHOTOS_WRONG_TILES "--tiles must be from 1 to 32, or auto."
