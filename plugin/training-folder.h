/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-folder.h: where a training on whole photos keeps what it needs until it is done: copies of the photos, their labels, what was asked for and the
 * checkpoint, in fovea/training/NAME of the user's cache folder. Only one process has a folder at a time. What a crash leaves there, the next training goes on
 * with. Any thread; no GIMP.
 */
#pragma once

#include "fovea.h"

typedef struct _TrainingFolder TrainingFolder;

/* The folder for a model of that name, made where there is none. NULL with an error in words where it can't be made, or another process trains that model. */
TrainingFolder *training_folder_open (const char *name, GError **error);

/* Lets go of it; what lies there stays. */
void            training_folder_free (TrainingFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainingFolder, training_folder_free)

const char     *training_folder_get_path       (const TrainingFolder *folder);
const char     *training_folder_get_checkpoint (const TrainingFolder *folder);

/* Keeps the text that says what is trained and how. Where another was kept, the checkpoint is of another training and goes. */
gboolean        training_folder_begin  (TrainingFolder *folder, const char *order, GError **error);

/* That text; NULL: there is none. Free with g_free. */
char           *training_folder_get_order (const TrainingFolder *folder);

/* The training is done, or given up: everything in the folder goes. */
void            training_folder_remove (TrainingFolder *folder);

/* A folder of any kind with all in it; links are not followed. */
void            training_folder_remove_tree (const char *path);

/* The name of a model whose training was interrupted and could go on; NULL: there is none. Free with g_free. */
char           *training_folder_find_left (void);
