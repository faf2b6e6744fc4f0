/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.h: which installed models are tried where the user names none, and where the user's own ones go.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

/* Says what the licence of a model forbids, where nobody has heard it yet; who repeats a filter has. On the main thread. */
void   models_warn   (const FoveaModel *model, GimpRunMode run_mode);

/* The installed models: first the one that the user has chosen for the task, then Fovea's own for it, then the others. NULL-terminated; free with g_strfreev. */
char **models_to_try (FoveaTask task);

/* The file of a model of the user's own, in the folder where it is found by its name; the folder is made. name "": the first free one of “My model”,
 * “My model 2” … A model of the user's of that name will be replaced; the name of one that came along is refused, and what can't be a file's name. Free with
 * g_free. */
char  *models_make_path (const char *name, GError **error);
