/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-session.h: running a model: sessions, what their steps take, and the layers before they are compiled. A part of fovea.h, which is what others include.
 */
#pragma once

#include "fovea-model.h"

G_BEGIN_DECLS

/* ---- sessions --------------------------------------------------------------------------------------------------------------------------- */

typedef struct _FoveaSession        FoveaSession;
typedef struct _FoveaSessionOptions FoveaSessionOptions;

FoveaSessionOptions *fovea_session_options_new  (void);
void                 fovea_session_options_free (FoveaSessionOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaSessionOptions, fovea_session_options_free)

/* 0 (the default): one per processor. */
void fovea_session_options_set_threads      (FoveaSessionOptions *options, guint n_threads);

/* Plain reference operators only, no passes: slow, the meaning. */
void fovea_session_options_set_reference    (FoveaSessionOptions *options, gboolean reference);

/* Most bytes that the session may take for tensors, scratch and packed weights together; what needs more is refused before it is taken. 0 (the
 * default): the machine's memory. */
void fovea_session_options_set_memory_limit (FoveaSessionOptions *options, guint64 bytes);

/* The shape of an input. Inputs without one take the model's own, symbolic dimensions 1. */
void fovea_session_options_set_shape        (FoveaSessionOptions *options, const char *input, const FoveaShape *shape);

/* The value of an input, for inputs that shapes depend on (the target of a Reshape …). Gives its shape too. An input that was needed that way
 * must be given the same value when running. Holds a reference. */
void fovea_session_options_bind             (FoveaSessionOptions *options, const char *input, FoveaTensor *value);

/* Compiles the model for its shapes. All that can fail fails here. `options` may be NULL. */
FoveaSession *fovea_session_new (FoveaModel *model, const FoveaSessionOptions *options, GError **error);
void          fovea_session_free (FoveaSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaSession, fovea_session_free)

/* Input and output i of the model: borrowed, valid as long as the session; data of inputs are written by the caller before each run (they may be
 * overwritten by it), data of outputs are those of the last run. The shape of an output whose size depends on the data is set by the run. */
FoveaTensor *fovea_session_get_input  (FoveaSession *session, guint i);
FoveaTensor *fovea_session_get_output (FoveaSession *session, guint i);

/* Called between steps, from the thread that runs; fraction 0 to 1 of the steps. */
typedef void (*FoveaProgress) (double fraction, gpointer user_data);

/* Runs the network. Allocates nothing. FALSE only when cancelled (within 0.2 s) or when a bound input changed its value. */
gboolean      fovea_session_run (FoveaSession *session, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);

guint         fovea_session_get_threads     (const FoveaSession *session);
guint         fovea_session_get_n_steps     (const FoveaSession *session);
guint64       fovea_session_get_arena_bytes (const FoveaSession *session);

/* The plan as people read it: steps, shapes, kernels, the arena's life of each tensor. Free with g_free. */
char         *fovea_session_print_plan (const FoveaSession *session);

/* Name of the kernel table in use: "reference", "sse2", "avx2", "avx512", "neon". Forced by the environment variable FOVEA_ISA. */
const char   *fovea_get_isa (void);

/* Of Fovea itself: "0.1.0". */
const char   *fovea_get_version (void);

/* ---- what steps take, for `fovea bench` ---------------------------------------------------------------------------------------------------- */

typedef struct
{
  const char *name, *operator_type, *kernel; /* of the layer; the session's */
  FoveaShape  in, out;                       /* first input and output */
  double      flop;                          /* of its convolution or matrix product, a multiply-add counted as two; 0: neither */
  double      bytes;                         /* of all that it must read and write at least once */
} FoveaStep;

/* Step i of those that a run goes through. */
void          fovea_session_get_step   (const FoveaSession *session, guint i, FoveaStep *step);

/* From now on each run notes what its steps took, milliseconds: fovea_session_get_n_steps of them, valid as long as the session. */
const double *fovea_session_time_steps (FoveaSession *session);

/* What the machine can do at most with that many threads (0: one per processor): float32 arithmetic, reads from memory, in 10^9 a second. Takes about a
 * second. */
typedef struct
{
  double gflops, gbytes;
} FoveaLimits;

gboolean      fovea_measure_limits     (guint n_threads, FoveaLimits *limits, GError **error);

/* ---- layers, for `fovea info` -------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  char      *name;
  char      *operator_type;
  gboolean   has_window;      /* convolution or pooling: the next four mean something */
  int        kernel[2], stride[2], padding[4], dilation[2]; /* height, width; padding top, left, bottom, right */
  FoveaShape in, out;         /* of the first input that isn't a constant, and of the first output */
  guint64    parameters;      /* of this layer's own constants */
  guint64    macs;            /* multiply-adds */
  int        receptive_field; /* pixels of the model's input, along one side; 0 when the whole or unknown */
} FoveaLayer;

/* The model's layers in order for the shapes of `options` (may be NULL), before any pass; *n gets their number. Free with fovea_layers_free. */
FoveaLayer *fovea_model_list_layers (FoveaModel *model, const FoveaSessionOptions *options, gsize *n, GError **error);
void        fovea_layers_free       (FoveaLayer *layers, gsize n);

/* What layers of an operator do, a sentence for people who learn; NULL: nothing is known of it. English, to be translated by who shows it. Static. */
const char *fovea_layer_explain     (const char *operator_type);

/* The operators that the engine runs, sorted; NULL-terminated. Free with g_strfreev. */
char      **fovea_list_operators    (void);

G_END_DECLS
