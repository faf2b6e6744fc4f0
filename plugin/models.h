/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.h: which model a filter takes where the user hasn't said.
 */
#pragma once

#include "fovea.h"

/* The installed models: first the one that the user has chosen for the task, then that called `builtin`, then the others. NULL-terminated; free with
 * g_strfreev. */
char **models_to_try (FoveaTask task, const char *builtin);
