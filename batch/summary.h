/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * summary.h: a page about a batch that needs no other file: how many photos there were, what was found how often, a small sheet of pictures, what failed.
 */
#pragma once

#include "operation.h"

typedef struct
{
  OperationKind kind;
  const char   *model;
  const char   *folder;   /* of the photos */
  gsize         n_skipped;
  GPtrArray    *answers;  /* JsonNode: objects; “file” is below the folder */
  GPtrArray    *failures; /* the same with “error” */
} Summary;

/* As HTML. Only those photos are decoded that are on the sheet. */
GString *summary_make (const Summary *summary);
