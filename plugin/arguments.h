/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * arguments.h: a procedure's arguments that are one of a few words. (GIMP's own choice arguments silently run the default where the word is wrong.)
 */
#pragma once

#include <libgimp/gimp.h>

/* *place gets the argument's place in the NULL-terminated words. FALSE with FOVEA_ERROR_ARGUMENT that lists them. */
gboolean argument_read_word (GimpProcedureConfig *config, const char *property, const char *const *words, guint *place, GError **error);
