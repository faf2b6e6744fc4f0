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
  const char   *photos;    /* where they came from, for people */
  const char   *results;   /* the folder that pictures named in answers lie below */
  gsize         n_answers; /* that will be added */
} SummarySettings;

typedef struct _Summary Summary;

Summary *summary_new         (const SummarySettings *settings); /* its texts are copied */
void     summary_free        (Summary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Summary, summary_free)

/* In the photos' order. `photo`: its path; it is decoded only if it is on the sheet. */
void     summary_add         (Summary *summary, const char *photo, JsonObject *answer);

/* As HTML. n_skipped: answers of earlier runs; problems: of photos, lines for people. */
GString *summary_finish      (Summary *summary, gsize n_skipped, const GPtrArray *failures, const GPtrArray *left_out);
