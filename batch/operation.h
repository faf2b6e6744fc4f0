/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operation.h: what is done with each photo of a batch: it is named, its objects are located, or masks of it are made. One operation serves several workers, each
 * with a network of its own.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <json-glib/json-glib.h>

#include "fovea.h"

typedef enum { OPERATION_CLASSIFY, OPERATION_LOCATE, OPERATION_SEGMENT } OperationKind;

typedef struct
{
  OperationKind    kind;
  gsize            top;       /* classify: this many names at most … */
  double           least;     /* … with at least this score */
  FoveaSelection   selection; /* locate; its classes are those below */
  int              tiles;     /* see fovea_locator_run and fovea_segmenter_run */
  gboolean         pyramid;
  FoveaMaskOptions mask;      /* segment */
  const char      *prompt;    /* segment: see prompt_text_read; NULL: what the network finds */
  char           **classes;   /* locate, segment: only these; NULL: all */
} OperationSettings;

/* As long as nothing else is said, in the command and in GIMP. */
void        operation_settings_init   (OperationSettings *settings, OperationKind kind);

/* What the operation leaves out: names and objects less sure, or where a mask's border lies. OPERATION_USUAL: as operation_settings_init has it. A message about
 * “threshold” for a number that can't be, or NULL. */
#define OPERATION_USUAL -1.0
const char *operation_set_threshold   (OperationSettings *settings, double threshold);

/* "a, b": {"a", "b"}; NULL where there is none, which stands for all. Free with g_strfreev. */
char      **operation_split_classes   (const char *names);

#define OPERATION_LEAST_AREA 0.0005 /* of a photo: smaller masks count as empty */

typedef struct _Operation Operation;

/* What was found in one photo. */
typedef struct
{
  int           width, height;
  FoveaClasses *classes; /* classify */
  FoveaObjects *objects; /* locate */
  FoveaMasks   *masks;   /* segment … */
  gsize         n;       /* … those that are wanted: */
  FoveaMask   **mask;    /* n */
  gsize        *which;   /* n: places in `masks` */
  gboolean      rough;
  char        **mask_files, **cutout_files; /* n: where they were written; NULL: they weren't */
  char         *picture;                    /* the same of a copy with frames or colours */
} Finding;

void       finding_free (Finding *finding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Finding, finding_free)

/* The path of a model: a file, an installed name, or “default”, the model that the user has chosen for the task. Free with g_free. */
char      *operation_find_model (const char *model, OperationKind kind, GError **error);

/* For n_photos with n_threads (0: one per processor): where there are many photos, as many workers as threads, each with one; where there are few, or the model is
 * so large that so many copies of it have no room, fewer workers with more threads each. The settings are copied. NULL with an error: of loading and compiling, and
 * FOVEA_ERROR_ARGUMENT for classes that the model hasn't. */
Operation *operation_new  (const char *model, const OperationSettings *settings, gsize n_photos, guint n_threads, GError **error);
void       operation_free (Operation *operation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_free)

guint                    operation_get_n_workers (const Operation *operation);
guint                    operation_get_n_threads (const Operation *operation); /* of each worker */
const OperationSettings *operation_get_settings  (const Operation *operation);
FoveaModel              *operation_get_model     (const Operation *operation);
gboolean                 operation_is_rough      (const Operation *operation); /* boxes or masks come from a classifier */

/* The names of all that it can find, NULL-terminated; NULL: they aren't known. */
const char *const       *operation_get_labels    (const Operation *operation);

/* By one thread at a time for each worker. */
Finding   *operation_look (Operation *operation, guint worker, GdkPixbuf *photo, GCancellable *cancellable, GError **error);

/* Adds to the object that is open: classes; or width, height and objects; or width, height and masks. */
void       finding_add_members (const Finding *finding, const OperationSettings *settings, JsonBuilder *json);
