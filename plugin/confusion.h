/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * confusion.h: a confusion matrix: of how many examples of each class that were kept out (photos, cells, pixels, objects) a model said which class. No GIMP, no GTK.
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct
{
  guint  n;
  char **names;  /* n */
  gsize *counts; /* (n it is, n said) */
} Confusion;

/* Copies both. */
Confusion *confusion_new   (char *const *names, guint n, const gsize *counts);
void       confusion_free  (Confusion *confusion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Confusion, confusion_free)

Confusion *confusion_copy  (const Confusion *confusion);

/* The examples of a class. */
gsize      confusion_count (const Confusion *confusion, guint index);

/* As the member “confusion” of an object: a row for what it is, a column for what was said. */
void       confusion_write (const Confusion *confusion, JsonBuilder *json);
