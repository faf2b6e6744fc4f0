/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * other-format.h: what a file is that isn't an ONNX model, for people who took it for one.
 */
#pragma once

#include "model/mapping.h"

/* For a file that couldn't be read: where it is of a kind that is known, the error is replaced by one that says what it is and what to do. */
void other_format_tell (const Mapping *file, GError **error);
