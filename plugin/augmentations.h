/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augmentations.h: the ways in which training changes photos, as arguments and as rows of a window. No GIMP.
 */
#pragma once

#include "fovea.h"

#define AUGMENTATIONS_USUAL (-1.0) /* a strength: as is usual for the task */
#define AUGMENTATIONS_MOST  18     /* rows of the table */

typedef struct
{
  const char *argument, *label, *tooltip; /* the last two to be translated; label NULL: the table's end */
  gsize       place;     /* in FoveaAugmentation */
  gboolean    is_switch; /* a gboolean there, not a double: strength 0 or 1 */
  double      none, most, begin; /* strengths: photos stay as they are; the strongest; what one that isn't usual begins with */
  FoveaTask   task;      /* the only one that it is for; FOVEA_TASK_UNKNOWN: all */
} Augmentation;

extern const Augmentation augmentations[];

double augmentations_get (const FoveaAugmentation *settings, const Augmentation *one);
void   augmentations_set (FoveaAugmentation *settings, const Augmentation *one, double strength);

/* The strength that is usual for a task. */
double augmentations_get_usual (const Augmentation *one, FoveaTask task);
