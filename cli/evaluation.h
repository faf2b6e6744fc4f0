/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluation.h: what evaluate and train print of an evaluation.
 */
#pragma once

#include "command.h"

/* On standard output: a line each class, if asked, and one with the metrics. */
void evaluation_print    (const FoveaEvaluation *evaluation, gboolean classes);

/* Members of the object that is open: images, the metrics, per_class. */
void evaluation_add_json (JsonBuilder *json, const FoveaEvaluation *evaluation);
