/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.h: which model a filter takes where the user hasn't said.
 */
#pragma once

#include <glib.h>

/* The installed models, with the one called `builtin` first. NULL-terminated; free with g_strfreev. */
char **models_to_try (const char *builtin);
