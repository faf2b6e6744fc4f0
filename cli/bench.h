/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench.h: what the parts of `fovea bench` share: the whole network (bench.c), its steps (bench-layers.c), from a photo on (bench-photo.c).
 */
#pragma once

#include <json-glib/json-glib.h>

#include "fovea.h"

typedef struct
{
  int      threads, repeat, batch;
  gboolean per_layer;
  double   least, median, most;              /* milliseconds of a run */
  double   load, first;                      /* milliseconds: to the session, of the first run */
  double   operations;                       /* floating-point operations of a run; a multiply-add counts as two */
  guint64  arena;
  double   peak;                             /* bytes */
} Measurement;

double bench_now_ms     (void);
double bench_median     (double *times, gsize n);
void   bench_add_number (JsonBuilder *json, const char *name, double value);

/* What the steps of a session take: new before its runs, note after each of the `repeat` that count, finish at the end. */
typedef struct _Layers Layers;

Layers  *layers_new        (FoveaSession *session, gsize repeat);
void     layers_free       (Layers *layers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Layers, layers_free)
void     layers_note_run   (Layers *layers);
gboolean layers_finish     (Layers *layers, const FoveaSession *session, GError **error);
void     layers_print      (const Layers *layers);
void     layers_add_json   (const Layers *layers, JsonBuilder *json);
gboolean layers_write_html (const Layers *layers, const char *file, const char *model, const Measurement *result, GError **error);

/* From the photo to the answer of the model at `path`: measures and prints. */
gboolean bench_photo (const char *path, const char *photo, guint n_threads, int repeat, gboolean as_json, GError **error);
