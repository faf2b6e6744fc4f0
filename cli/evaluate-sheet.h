/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate-sheet.h: a contact sheet of a model's answers: to the photos that it is best at, to those in the middle, and to the worst.
 */
#pragma once

#include "operation.h"

/* Writes `file` (PNG). `model`: a path. The evaluation's photos are sorted, best first. FALSE with FOVEA_ERROR_FILE or _MEMORY, or what a photo's look gave. */
gboolean evaluate_sheet_write (const char *file, const char *model, OperationKind kind, FoveaEvaluation *evaluation, guint n_threads, GError **error);
