/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * elementwise.h: what operators of one tensor share: tasks of ELEMENTWISE_CHUNK elements, in place, on plain or blocked data.
 */
#pragma once

#include "ops/operator.h"

#define ELEMENTWISE_CHUNK 16384

/* Elements of input 0 as they lie in memory: with the lanes past C where blocked. */
gsize    elementwise_count   (const Step *step);

/* Sets run up over these elements; the output may take the input's place where both have the same element size. */
void     elementwise_set_run (Step *step, const char *kernel, StepRun run);

/* For the blocked callback: one 4-D float32 image in, one out. */
gboolean elementwise_blocked (const Node *node, BlockedForm *form);

/* Zeroes the lanes past C that lie in elements [first, last) of a blocked tensor, after a function with f (0) != 0. */
void     elementwise_clear_tail (const TensorView *view, gsize first, gsize last);
