/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * csv.h: answers as rows of a table (RFC 4180) that spreadsheets open without taking a label or a file name for a formula.
 */
#pragma once

#include "operation.h"

/* The names of the columns, and the rows of an answer without an error: one a name, object or mask. Appended to `text`. */
void csv_add_head (OperationKind kind, GString *text);
void csv_add_rows (OperationKind kind, JsonObject *answer, GString *text);
