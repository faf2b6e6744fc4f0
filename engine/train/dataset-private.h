/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset-private.h: what the readers of the layouts share. A reader calls draft_add for each photo, with labels by name; dataset.c makes classes of them.
 */
#pragma once

#include "train/dataset.h"

typedef struct
{
  char  *label;
  float  x, y, width, height;
  gboolean ignored; /* a region that says nothing */
} DraftBox;

typedef struct
{
  char   *file, *mask, *source; /* source "": none */
  char  **labels;               /* of the whole photo; may be empty, not NULL */
  GArray *boxes;                /* of DraftBox; NULL: none */
  gint    split;                /* a Split, or -1: not said */
} DraftSample;

typedef struct
{
  FoveaTask  task;
  GPtrArray *samples;  /* of DraftSample* */
  GPtrArray *warnings;
  char     **classes;  /* where the layout has an order of its own; NULL: sorted by name */
} Draft;

/* Frees what a box in `boxes` holds: the arrays' clear function. */
void         draft_box_clear (gpointer box);

/* Takes everything over. */
DraftSample *draft_add  (Draft *draft, char *file, char *source, char **labels, gint split);
void         draft_warn (Draft *draft, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* TRUE for names that end like those of photos. */
gboolean     is_photo_name (const char *name);

/* Sorted names in a folder, without hidden ones; NULL with an error. Free with g_strfreev. */
char       **list_folder (const char *path, GError **error);

gboolean     dataset_read_manifest (Draft *draft, const char *path, GError **error);
gboolean     dataset_read_folders  (Draft *draft, const char *path, GError **error);
/* TRUE where label files of other programs are found. */
gboolean     dataset_has_boxes     (const char *path);
gboolean     dataset_read_boxes    (Draft *draft, const char *path, GError **error);
gboolean     dataset_read_masks    (Draft *draft, const char *path, GError **error);

/* Replaces the samples' labels by tags; *known gets, for each source, the tags it knows (char* -> GHashTable* of tag names). */
gboolean     dataset_apply_tags    (Draft *draft, const char *text, GHashTable *known, GError **error);
