/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.h: what is heard of a model before its first use, which installed models are tried where the user names none, and where the user's own ones go.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

/* Says what the licence of a model forbids, where nobody has heard it yet; who repeats a filter has. On the main thread. */
void   models_warn   (const FoveaModel *model, GimpRunMode run_mode);

/* What a window asks before anything looks with that model, of which its licence forbids something, or isn't known. NULL: nothing, or the user has accepted it. Free
 * with g_free. */
char  *models_find_question (const char *name);

/* The user has heard it and uses the model nevertheless: it isn't asked about again, as long as it is the same file. */
void   models_accept (const char *name);

/* The name itself; of "" the model that the user has chosen for the task, NULL for none. Free with g_free. */
char  *models_find_chosen (const char *name, FoveaTask task);

/* What is tried for the task after the one that the user has chosen: Fovea's own, most often. "" for none. Free with g_free. */
char  *models_find_other (FoveaTask task);

/* The installed models: first the one that the user has chosen for the task, then Fovea's own for it, then the others. NULL-terminated; free with g_strfreev. */
char **models_to_try (FoveaTask task);

/* The file of a model of the user's own, in the folder where it is found by its name; the folder is made. name "": the first free one of “My model”,
 * “My model 2” … A model of the user's of that name will be replaced; the name of one that came along is refused, and what can't be a file's name. Free with
 * g_free. */
char  *models_make_path (const char *name, GError **error);
