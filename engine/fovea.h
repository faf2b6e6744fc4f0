/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea.h: the public face of the Fovea engine. It loads ONNX models, compiles them for given input shapes and runs them on the processor; on
 * top of that it prepares photos for networks and reads their answers. GLib types and GError throughout; no global state.
 *
 * The straight line from a file to an answer:
 *
 *   g_autoptr (FoveaModel) model = fovea_model_load ("squeezenet.onnx", &error);
 *   g_autoptr (FoveaSession) session = fovea_session_new (model, NULL, &error);
 *   FoveaTensor *in = fovea_session_get_input (session, 0);        … fill in->data …
 *   fovea_session_run (session, cancellable, NULL, NULL, &error);
 *   FoveaTensor *out = fovea_session_get_output (session, 0);      … read out->data …
 *
 * and from a photo to names:
 *
 *   g_autoptr (FoveaClassifier) classifier = fovea_classifier_new (model, NULL, 0, &error);
 *   g_autoptr (FoveaInput) input = fovea_input_new (fovea_classifier_get_settings (classifier), width, height, &error);
 *   for each band of rows: fovea_input_push (input, rgb, stride, n_rows);
 *   g_autoptr (FoveaClasses) classes = fovea_classifier_run (classifier, input, cancellable, &error);
 *
 * and to objects with boxes:
 *
 *   g_autoptr (FoveaLocator) locator = fovea_locator_new (model, NULL, 0, &error);
 *   FoveaPhoto photo = { width, height, read_pixels, my_photo };
 *   g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, &photo, 1, FALSE, cancellable, NULL, NULL, &error);
 *   g_autoptr (FoveaObjects) objects = fovea_candidates_select (candidates, NULL, &error);
 *
 * Threads: a model may be used from any number of threads at once; a session, a classifier or an input by one at a time. Different sessions
 * of one model may run at the same time.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* ---- errors ----------------------------------------------------------------------------------------------------------------------------- */

#define FOVEA_ERROR (fovea_error_quark ())
GQuark fovea_error_quark (void);

/* Cancelling is reported as G_IO_ERROR_CANCELLED of G_IO_ERROR. Every message says what is wrong and what to do about it. */
typedef enum
{
  FOVEA_ERROR_FILE,        /* a file can't be read or written */
  FOVEA_ERROR_MODEL,       /* the model file is damaged or contradicts itself */
  FOVEA_ERROR_UNSUPPORTED, /* the model is sound, but needs what this engine hasn't got */
  FOVEA_ERROR_SHAPE,       /* shapes or types don't fit together, or aren't known well enough */
  FOVEA_ERROR_MEMORY,      /* not enough memory, or more than the limit allows */
  FOVEA_ERROR_ARGUMENT,    /* the caller asked for something that can't be */
} FoveaError;

/* ---- tensors ---------------------------------------------------------------------------------------------------------------------------- */

typedef enum
{
  FOVEA_TYPE_NONE,
  FOVEA_TYPE_FLOAT32,
  FOVEA_TYPE_FLOAT64,
  FOVEA_TYPE_FLOAT16,
  FOVEA_TYPE_INT8,
  FOVEA_TYPE_INT16,
  FOVEA_TYPE_INT32,
  FOVEA_TYPE_INT64,
  FOVEA_TYPE_UINT8,
  FOVEA_TYPE_UINT16,
  FOVEA_TYPE_UINT32,
  FOVEA_TYPE_UINT64,
  FOVEA_TYPE_BOOL, /* one byte, 0 or 1 */
  FOVEA_N_TYPES
} FoveaType;

const char *fovea_type_name (FoveaType type); /* "float32", "int64", … */
gsize       fovea_type_size (FoveaType type); /* bytes of an element */

#define FOVEA_MAX_DIMS 8

typedef struct
{
  guint  n_dims;               /* 0: a scalar */
  gint64 dims[FOVEA_MAX_DIMS]; /* -1: not known */
} FoveaShape;

/* Dense, row-major. Reference counted; the fields are read-only, the data may be written where the call that gave the tensor says so. */
typedef struct
{
  FoveaType  type;
  FoveaShape shape;
  gsize      size; /* bytes */
  gpointer   data;

  /*< private >*/
  gatomicrefcount ref_count;
  GDestroyNotify  free_owner;
  gpointer        owner;
} FoveaTensor;

/* Zeroed. NULL with an error where the shape isn't known, is too large, or memory is short. */
FoveaTensor *fovea_tensor_new          (FoveaType type, const FoveaShape *shape, GError **error);

/* Wraps data that stay valid until free_owner (owner) is called (free_owner may be NULL). `size` must be exactly that of type and shape. */
FoveaTensor *fovea_tensor_new_for_data (FoveaType type, const FoveaShape *shape, gpointer data, gsize size, gpointer owner,
                                        GDestroyNotify free_owner, GError **error);
/* Reads a file with one tensor (a serialized TensorProto, as ONNX's test data are). *name gets its name, to be freed with g_free; name may be NULL.
 * Errors: FOVEA_ERROR_FILE, _MODEL, _UNSUPPORTED, _MEMORY. */
FoveaTensor *fovea_tensor_load_pb      (const char *path, char **name, GError **error);

/* NumPy's files with one array, little-endian and in C order. Saving writes beside and renames. Errors: FOVEA_ERROR_FILE, _MEMORY, G_FILE_ERROR. */
FoveaTensor *fovea_tensor_load_npy     (const char *path, GError **error);
gboolean     fovea_tensor_save_npy     (const FoveaTensor *tensor, const char *path, GError **error);
FoveaTensor *fovea_tensor_ref          (FoveaTensor *tensor);
void         fovea_tensor_unref        (FoveaTensor *tensor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaTensor, fovea_tensor_unref)

/* ---- models ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct _FoveaModel FoveaModel;

/* One input or output of a model. Borrowed from the model. */
typedef struct
{
  const char *name;
  FoveaType   type;
  gboolean    has_rank;                  /* FALSE: shape says nothing */
  FoveaShape  shape;                     /* -1 where a dimension is symbolic or unknown */
  const char *dim_names[FOVEA_MAX_DIMS]; /* "batch", or NULL */
} FoveaPort;

/* Maps and reads an ONNX file (opset 7 to 22, weights used where they lie in the file). The file must not be changed while the model lives.
 * Errors: FOVEA_ERROR_FILE, _MODEL, _UNSUPPORTED, _MEMORY. */
FoveaModel      *fovea_model_load       (const char *path, GError **error);

/* The same from memory; `name` is for messages. External data are refused. */
FoveaModel      *fovea_model_load_bytes (GBytes *bytes, const char *name, GError **error);

/* Writes the model as ONNX, beside the target first, then renamed. External data move inside. */
gboolean         fovea_model_save       (FoveaModel *model, const char *path, GError **error);

FoveaModel      *fovea_model_ref        (FoveaModel *model);
void             fovea_model_unref      (FoveaModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaModel, fovea_model_unref)

const char      *fovea_model_get_path     (const FoveaModel *model); /* NULL when it was loaded from memory */
const char      *fovea_model_get_name     (const FoveaModel *model); /* the file's name without folder and ".onnx" */
guint            fovea_model_get_n_inputs (const FoveaModel *model); /* initializers that are also inputs don't count */
guint            fovea_model_get_n_outputs (const FoveaModel *model);
const FoveaPort *fovea_model_get_input    (const FoveaModel *model, guint i);
const FoveaPort *fovea_model_get_output   (const FoveaModel *model, guint i);
const char      *fovea_model_get_metadata (const FoveaModel *model, const char *key); /* metadata_props, or NULL */

/* ---- settings: how a photo becomes the network's input, and what its output means ---------------------------------------------------------- */

typedef enum { FOVEA_TASK_UNKNOWN, FOVEA_TASK_CLASSIFY, FOVEA_TASK_DETECT, FOVEA_TASK_SEGMENT } FoveaTask;
/* Letterboxed photos keep their sides' ratio and are padded: on both sides, or (corner) at the right and bottom only. */
typedef enum { FOVEA_RESIZE_STRETCH, FOVEA_RESIZE_SHORTEST_CROP, FOVEA_RESIZE_LETTERBOX, FOVEA_RESIZE_LETTERBOX_CORNER } FoveaResize;
typedef enum { FOVEA_FILTER_NEAREST, FOVEA_FILTER_BILINEAR, FOVEA_FILTER_BICUBIC, FOVEA_FILTER_LANCZOS } FoveaFilter;
/* By mean and std alone; or before them by each photo's own values, channel by channel: its mean becomes 0 and its standard deviation 1; the lower of two
 * percentiles becomes 0 and the higher 1. */
typedef enum { FOVEA_NORMALIZE_FIXED, FOVEA_NORMALIZE_PHOTO, FOVEA_NORMALIZE_PERCENTILES } FoveaNormalize;
typedef enum { FOVEA_ACTIVATION_NONE, FOVEA_ACTIVATION_SOFTMAX, FOVEA_ACTIVATION_SIGMOID, FOVEA_ACTIVATION_AUTO } FoveaActivation;

typedef struct
{
  FoveaTask       task;
  char           *family;       /* "classifier", "yolox", …; NULL when unknown */
  int             width, height; /* of the network's input, pixels */
  FoveaResize     resize;
  FoveaFilter     filter;
  double          crop_scale;   /* shortest-crop: the shorter side is scaled to crop_scale * size before the centre is cut; 256 / 224 by default */
  gboolean        bgr;          /* channel order of the input */
  gboolean        nhwc;         /* layout of the input */
  int             channels;     /* 3, or 1 for gray */
  double          range;        /* the value of white before mean and std: 1 or 255 */
  double          mean[3];      /* in units of range, R G B (or gray) */
  double          std[3];
  FoveaNormalize  normalize;
  double          percentiles[2]; /* 0 to 100 */
  int             pad;          /* letterbox: 0 to 255 */
  FoveaActivation activation;   /* what turns the output into scores; AUTO: none if it is a distribution already, else softmax */
  double          threshold;    /* boxes and masks with lower scores are left out, where the user doesn't say otherwise; 0 to 1 */
  double          overlap;      /* of two boxes of a class that overlap more (intersection over union), the worse is left out; 0 to 1 */
  double         *anchors;      /* widths and heights of n_anchors boxes, pixels, for grids that have them; NULL: the family's own */
  gsize           n_anchors;
  char          **labels;       /* n_labels names, NULL-terminated; NULL when there are none */
  gsize           n_labels;
  char           *partner;      /* of a network in two files the name of the other one, in the same folder; NULL: it is found by its name */
  char           *sources;      /* for people: which setting came from where, a line each */

  /*< private >*/
  guint           unknown;      /* what nothing told: see fovea_settings_list_unknown */
} FoveaSettings;

/* Reads the settings in this order, first come: the sidecar MODEL.json, metadata_props, MODEL.labels.txt (names only), Hugging Face's config.json and
 * preprocessor_config.json or bioimage.io's rdf.yaml beside the model, labels.txt where the number of names fits, then what is usual for the family of networks
 * that names and shapes of inputs and outputs tell. Never fails for what is merely absent; a damaged sidecar is FOVEA_ERROR_FILE. Free with
 * fovea_settings_free. */
FoveaSettings *fovea_settings_read (const FoveaModel *model, GError **error);

/* The same with settings in words that come before all others: key → text (see fovea_settings_list_keys); NULL: none. FOVEA_ERROR_ARGUMENT for a word that
 * can't be, with those that can. */
FoveaSettings *fovea_settings_read_with (const FoveaModel *model, GHashTable *given, GError **error);
FoveaSettings *fovea_settings_copy (const FoveaSettings *settings);
void           fovea_settings_free (FoveaSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaSettings, fovea_settings_free)

/* The settings that can be told in words, for command lines and forms: "task", "family", "size" (WIDTHxHEIGHT), "resize", "filter", "crop-scale", "colour",
 * "layout", "range", "mean", "std", "normalize", "percentiles", "pad", "activation", "threshold", "overlap", "labels" (a line or a comma between them). Static. */
const char *const *fovea_settings_list_keys  (void);

/* The words that the setting may have; NULL: numbers, or any text. Free with g_strfreev. */
char             **fovea_settings_list_words (const char *key);

/* What a person should know about a setting, a sentence or two; English, to be translated by who shows it. Static. */
const char        *fovea_settings_explain    (const char *key);

/* The setting in words, and where it came from (NULL: it is as commonest): English, to be translated by who shows it. Free with g_free. */
char              *fovea_settings_get_text   (const FoveaSettings *settings, const char *key);
char              *fovea_settings_get_source (const FoveaSettings *settings, const char *key);

/* The settings that nothing told, that can't be seen, and that answers depend on: they are assumed until somebody says them. Free with g_strfreev. */
char             **fovea_settings_list_unknown (const FoveaSettings *settings);

/* The label of class `index`, or "class 207". Free with g_free. */
char          *fovea_settings_get_label (const FoveaSettings *settings, gsize index);

/* Every name of the NULL-terminated list must be one of the labels (small and capital letters alike), or the made-up one of a class without a label.
 * FALSE with FOVEA_ERROR_ARGUMENT that names the one that isn't. classes NULL: nothing to check. */
gboolean       fovea_settings_check_classes (const FoveaSettings *settings, const char *const *classes, GError **error);

/* The shape of a model's input with the settings' size and channels where the model leaves them open, and 1 photo. FALSE with
 * FOVEA_ERROR_UNSUPPORTED when the input isn't one for photos. */
gboolean       fovea_settings_get_input_shape (const FoveaSettings *settings, const FoveaPort *port, FoveaShape *shape, GError **error);

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

/* ---- photos ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct _FoveaInput FoveaInput;

/* Prepares a photo for a network: resizes (antialiased, as Pillow does), crops or pads, normalizes. The photo comes in bands of rows, top to
 * bottom, 8-bit R'G'B' in sRGB, so that one of any size needs little memory. */
FoveaInput *fovea_input_new  (const FoveaSettings *settings, int photo_width, int photo_height, GError **error);
void        fovea_input_free (FoveaInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaInput, fovea_input_free)

/* The part of the photo that the network will see and that must be pushed: columns x … x + width, rows y … y + height. */
void          fovea_input_get_region  (const FoveaInput *input, int *x, int *y, int *width, int *height);

/* The next n_rows rows of the region. */
void          fovea_input_push        (FoveaInput *input, const guint8 *rgb /* (n_rows, width, 3) */, gsize row_stride, int n_rows);

/* What the network sees, as 8-bit RGB of the network's input size; all rows must have been pushed. Borrowed. */
const guint8 *fovea_input_get_pixels  (FoveaInput *input, int *width, int *height);

/* Writes the normalized values to `tensor` (float32 or uint8, of the settings' size and layout). */
void          fovea_input_write       (FoveaInput *input, FoveaTensor *tensor);

/* ---- classify --------------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  gsize  index;
  char  *label;
  double score; /* 0 to 1 */
} FoveaClass;

typedef struct
{
  gsize       n;
  FoveaClass *classes; /* sorted, best first */
} FoveaClasses;

void fovea_classes_free (FoveaClasses *classes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaClasses, fovea_classes_free)

typedef struct _FoveaClassifier FoveaClassifier;

/* A model with its settings, ready to name photos. Refuses models that aren't classifiers, with a message that says why. Holds a reference to the
 * model. settings NULL: fovea_settings_read. */
FoveaClassifier     *fovea_classifier_new  (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error);
void                 fovea_classifier_free (FoveaClassifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaClassifier, fovea_classifier_free)

const FoveaSettings *fovea_classifier_get_settings (const FoveaClassifier *classifier);

/* All classes with their scores, best first. */
FoveaClasses        *fovea_classifier_run  (FoveaClassifier *classifier, FoveaInput *input, GCancellable *cancellable, GError **error);

/* Where the network looked for class `index`, 0 to 1 per pixel of the network's input: class activation where the network ends in global pooling
 * (Zhou et al. 2016), occlusion (Zeiler & Fergus 2014) otherwise; *method gets "class activation" or "occlusion". (height, width) float32. */
FoveaTensor         *fovea_classifier_attend (FoveaClassifier *classifier, FoveaInput *input, gsize index, const char **method,
                                              GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);

/* ---- locate ----------------------------------------------------------------------------------------------------------------------------- */

/* A photo of any size whose pixels are asked for in parts: 8-bit R'G'B' in sRGB, rows of `row_stride` bytes. Called from the thread that runs the
 * locator. FALSE with an error stops it. */
typedef gboolean (*FoveaReadPixels) (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error);

typedef struct
{
  int             width, height;
  FoveaReadPixels read;
  gpointer        user_data;
} FoveaPhoto;

typedef struct
{
  gsize    index;  /* of the class */
  char    *label;
  double   score;  /* 0 to 1 */
  double   x, y, width, height; /* pixels of the photo, inside it */
  gboolean rough;  /* from a classifier's attention: about where it is, not where it ends */
} FoveaObject;

typedef struct
{
  gsize        n;
  FoveaObject *objects; /* sorted, best first */
} FoveaObjects;

void fovea_objects_free (FoveaObjects *objects);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaObjects, fovea_objects_free)

/* What happens to a box that overlaps a better one by more than is allowed: it goes if that is of its class, if it is of any class, or its score falls. */
typedef enum { FOVEA_SUPPRESS_CLASS, FOVEA_SUPPRESS_ALL, FOVEA_SUPPRESS_SOFT } FoveaSuppression;

/* Which of a locator's candidates are wanted. All zero but the first two: what is usual. */
typedef struct
{
  double             threshold; /* lowest score, 0 to 1; negative: the settings' */
  double             overlap;   /* 0 to 1, see FoveaSettings; negative: the settings' */
  FoveaSuppression   suppression;
  gsize              most;      /* objects; 0: 300 */
  const char *const *classes;   /* names, NULL-terminated, small and capital letters alike; NULL or empty: all */
} FoveaSelection;

/* All that a network said about a photo: choosing among it costs milliseconds. */
typedef struct _FoveaCandidates FoveaCandidates;

void          fovea_candidates_free   (FoveaCandidates *candidates);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaCandidates, fovea_candidates_free)

/* The objects that the selection leaves. NULL with FOVEA_ERROR_ARGUMENT for classes that the model doesn't know. selection NULL: what is usual. */
FoveaObjects *fovea_candidates_select (const FoveaCandidates *candidates, const FoveaSelection *selection, GError **error);

/* The number of boxes before any choice. */
gsize         fovea_candidates_count  (const FoveaCandidates *candidates);

/* The colour in which class `index` is drawn: red, green, blue in sRGB. Seven colours that people who see few colours tell apart, too (Okabe & Ito 2008),
 * then again from the first. */
void          fovea_get_class_colour  (gsize index, guint8 rgb[3]);

typedef struct _FoveaLocator FoveaLocator;

/* A model with its settings, ready to find objects: a detector of any family in families.c, or a classifier that ends in global pooling, which gives
 * one rough box for each of its best classes. Refuses others with a message that says why. Holds a reference to the model. settings NULL:
 * fovea_settings_read. n_threads 0: one per processor. */
FoveaLocator        *fovea_locator_new  (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error);
void                 fovea_locator_free (FoveaLocator *locator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaLocator, fovea_locator_free)

const FoveaSettings *fovea_locator_get_settings (const FoveaLocator *locator);

/* TRUE: a classifier, whose boxes are rough. */
gboolean             fovea_locator_is_rough     (const FoveaLocator *locator);

/* Looks at the whole photo, and for small objects at parts of it too: `tiles` overlapping squares along its longer side (1: none; 0: as many as the
 * network needs to see the photo at half its size or larger, at most 8), with `pyramid` also at half, a quarter … as many. `progress` counts all of
 * them. Memory is that of the network and a few rows of the photo. */
FoveaCandidates     *fovea_locator_run  (FoveaLocator *locator, const FoveaPhoto *photo, int tiles, gboolean pyramid, GCancellable *cancellable,
                                         FoveaProgress progress, gpointer user_data, GError **error);

/* ---- segment --------------------------------------------------------------------------------------------------------------------------- */

/* What a network said about the pixels of a photo: a soft mask for each class that it found, at the network's resolution. */
typedef struct _FoveaMasks FoveaMasks;

void        fovea_masks_free      (FoveaMasks *masks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaMasks, fovea_masks_free)

gsize       fovea_masks_count     (const FoveaMasks *masks);
const char *fovea_masks_get_label (const FoveaMasks *masks, gsize i); /* borrowed */
gsize       fovea_masks_get_class (const FoveaMasks *masks, gsize i);

/* The same masks taken apart where they don't hang together, largest part first: each is a thing by itself. threshold, above 0 to 1: where a mask's inside begins. Specks
 * are left out. NULL with FOVEA_ERROR_MEMORY. */
FoveaMasks *fovea_masks_split     (const FoveaMasks *masks, double threshold, GError **error);

/* How a mask is made of that. All zero but softness 1 and threshold 0.5: as the network has it. */
typedef struct
{
  double   threshold; /* 0 to 1: what has this share lies on the border */
  double   softness;  /* 0: a hard border; 1: the network's own */
  double   grow;      /* pixels of the photo; negative: shrinks */
  double   feather;   /* pixels of the photo */
  gboolean invert;
  gboolean refine;    /* the border follows the photo's edges */
  double   hair;      /* pixels of the photo: hair and fur are looked for up to so far from the border (takes a good part of a second); 0: they aren't; only with refine */
} FoveaMaskOptions;

/* A mask of any part of the photo at its full size. */
typedef struct _FoveaMask FoveaMask;

/* The union of the masks which[0 … n - 1] (n 0: all of them). Takes about as long as its options are many, whatever the photo's size. `masks` must outlive it.
 * NULL with FOVEA_ERROR_MEMORY. */
FoveaMask  *fovea_mask_new      (const FoveaMasks *masks, const gsize *which, gsize n, const FoveaMaskOptions *options, GError **error);

/* Other options for the same mask, in milliseconds, but where `hair` changes. FALSE with FOVEA_ERROR_MEMORY. */
gboolean    fovea_mask_set_options (FoveaMask *mask, const FoveaMaskOptions *options, GError **error);

/* Looks for hair, which set_options would do without being asked to stop: in any thread, for a mask that no other uses. Afterwards options with that `hair` take
 * milliseconds, and those of the mask have it. FALSE when cancelled: the mask is as before. cancellable, progress may be NULL. */
gboolean    fovea_mask_find_hair   (FoveaMask *mask, double hair, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);

void        fovea_mask_free     (FoveaMask *mask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaMask, fovea_mask_free)

/* Share of the photo, 0 to 1. */
double      fovea_mask_get_area (const FoveaMask *mask);

/* Columns x … x + width, rows y … y + height of the photo; `photo` is the one that was looked at. out: (height, width), 0 to 1. FALSE where the photo can't be
 * read. */
gboolean    fovea_mask_read     (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error);

/* The same with the colours of what is in the mask, without the background's at its border (blur fusion: Forte 2021, arXiv:2101.06405): (height, width, 4) as
 * R'G'B' A, 0 to 1, alpha not multiplied in. */
gboolean    fovea_mask_read_cutout (FoveaMask *mask, const FoveaPhoto *photo, int x, int y, int width, int height, float *out, GError **error);

/* The same of n points of a row, from (x, y) on in the photo's pixels (the first pixel's centre is 0.5, 0.5), `step` apart: what a window shows. rgb: (n, 3), the
 * photo's colours there. out: (n), or (n, 4). */
void        fovea_mask_sample        (const FoveaMask *mask, double x, double y, double step, const guint8 *rgb, int n, float *out);
gboolean    fovea_mask_sample_cutout (FoveaMask *mask, double x, double y, double step, const guint8 *rgb, int n, float *out, GError **error);

/* A closed curve of n cubic Bézier segments: of each two control points and its end, in the photo's pixels. The first segment begins where the last ends. */
typedef struct
{
  gsize    n;
  double (*points)[2]; /* (3 n) */
  gboolean hole;       /* it goes around what isn't in the mask */
} FoveaCurve;

/* Where a mask has a share of one half; curves go around others of which they are the border. */
typedef struct
{
  gsize       n;
  FoveaCurve *curves;
  double      area; /* pixels of the photo inside, without the holes */
} FoveaOutline;

/* `photo` is the one that was looked at; curves around less than `speck` pixels are left out. NULL with FOVEA_ERROR_MEMORY or the photo's error. */
FoveaOutline *fovea_mask_trace   (FoveaMask *mask, const FoveaPhoto *photo, double speck, GError **error);
void          fovea_outline_free (FoveaOutline *outline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaOutline, fovea_outline_free)

typedef struct _FoveaSegmenter FoveaSegmenter;

/* A model with its settings, ready to make masks: saliency, matting and semantic networks of any family in families.c, what fovea_trainer made, or a
 * classifier that ends in global pooling, whose best class gives a rough one. Refuses others with a message that says why. settings NULL: fovea_settings_read. */
FoveaSegmenter      *fovea_segmenter_new  (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error);
void                 fovea_segmenter_free (FoveaSegmenter *segmenter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaSegmenter, fovea_segmenter_free)

const FoveaSettings *fovea_segmenter_get_settings (const FoveaSegmenter *segmenter);

/* TRUE: a classifier, whose masks are rough. */
gboolean             fovea_segmenter_is_rough     (const FoveaSegmenter *segmenter);

/* Looks at the photo. `tiles`: so many overlapping parts along its longer side, each at the network's size, joined without seams (1: once, at the whole; 0: as many as let
 * the network see the photo at half its size or larger, if it looks at what is near each pixel only). Memory is that of the network, a smaller copy of the photo (1
 * megapixel, with tiles up to 16 and the maps of these), and a few rows of it. */
FoveaMasks          *fovea_segmenter_run  (FoveaSegmenter *segmenter, const FoveaPhoto *photo, int tiles, GCancellable *cancellable, FoveaProgress progress,
                                           gpointer user_data, GError **error);

/* What the user pointed at. */
typedef struct
{
  double   x, y;   /* pixels of the photo */
  gboolean inside; /* FALSE: not part of it */
} FoveaPromptPoint;

typedef struct
{
  const float            *region; /* (region_height, region_width), over the whole photo: the thing lies where it is 0.5 or more; NULL: it lies where the points say */
  int                     region_width, region_height;
  const FoveaPromptPoint *points;
  gsize                   n_points;
} FoveaPrompt;

/* One mask, of what was pointed at. Networks made for that (of the families sam-encoder and sam-decoder, in two files) are asked for it; their features of the photo are
 * kept, so that the next prompt takes little. Of others the network's guess of that part of the photo is corrected by colours and edges. FOVEA_ERROR_ARGUMENT where
 * nothing is marked. */
FoveaMasks          *fovea_segmenter_run_prompt (FoveaSegmenter *segmenter, const FoveaPhoto *photo, const FoveaPrompt *prompt, GCancellable *cancellable,
                                                 FoveaProgress progress, gpointer user_data, GError **error);

/* ---- training ---------------------------------------------------------------------------------------------------------------------------- */

/* Reads a photo, upright, as 8-bit samples: channels 3: (height, width, 3) sRGB; 1: (height, width), a mask's values as they are in the file. The result is freed
 * with g_free. Called from several threads. NULL with an error that names the file. */
typedef guint8 *(*FoveaReadFile) (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error);

#define FOVEA_PIXEL_UNKNOWN 255 /* in a mask's place: nobody has said what is there */

/* How training photos are changed; see the manual's page on augmentation. Zero (and crop 1): not at all. */
typedef struct
{
  double   crop;            /* least share of the photo's area that is cut out and shown, 0.05 to 1 */
  double   stretch;         /* a crop's sides may differ by up to 1 + stretch from the photo's */
  double   scale;           /* larger or smaller by up to 1 + scale */
  double   translate;       /* share of the photo's size */
  double   rotate;          /* degrees, to both sides */
  double   perspective;     /* 0 to 0.5 */
  gboolean flip_horizontal, flip_vertical; /* half of the photos */
  double   colour;          /* brightness, contrast and saturation by up to 1 ± colour */
  double   hue;             /* turns of the colour circle, 0 to 0.5 */
  double   grayscale;       /* share of the photos that lose their colour, likewise: */
  double   blur, cutout;
  double   noise;           /* largest deviation, share of white */
  double   mosaic;          /* detect: share of the photos that are shown beside three others, each at half the size */
  double   mixup;           /* share of the batches in which photos are mixed (Zhang et al. 2018, arXiv:1710.09412) */
  double   paste;           /* masks of one class: share of the photos whose subject is laid on another background, where there are some */
} FoveaAugmentation;

typedef enum { FOVEA_TRAIN_ALL, FOVEA_TRAIN_LAST_BLOCKS, FOVEA_TRAIN_HEAD } FoveaTrainable;

typedef struct
{
  FoveaTask         task;
  int               size;            /* of the photos that the network sees, pixels; 0: the base model's */
  guint             epochs;          /* times that each photo is looked at; or */
  guint             least_steps;     /* with few photos: more epochs, so that there are so many steps; 0: as many as there are */
  double            minutes;         /* 0: as many as `epochs` take */
  guint             batch;
  double            learning_rate;   /* at its highest */
  gboolean          find_rate;       /* … is found by trying, instead; not at all while training goes on from a checkpoint */
  double            weight_decay;
  double            warm_up;         /* share of the training in which the rate rises; then it falls as a cosine (Loshchilov & Hutter 2017) */
  double            smoothing;       /* of labels, 0 to 0.5 */
  double            average;         /* share that the moving average of the weights keeps at each step; 0: none */
  double            validation_share; /* where the data have no split of their own */
  double            monitor_share;   /* of the training photos: kept out to see when to stop; 0: none, and no early stop */
  guint             patience;        /* epochs without a better score on those, until it ends; 0: never early */
  gboolean          balance;         /* photos of rare classes are shown more often */
  FoveaTrainable    trainable;
  guint64           seed;
  guint             n_threads;       /* 0: one per processor */
  guint64           cache;           /* bytes of decoded photos that are kept in memory */
  const char       *tags;            /* text of a tag list, or NULL: see the manual */
  const char       *backgrounds;     /* folder of photos that subjects are pasted on; NULL: none */
  FoveaModel       *teacher;         /* classify: a classifier whose features are learned beside the labels (distillation); NULL: none */
  gboolean          half_weights;    /* the result's weights are float16: half the file */
  const char       *checkpoint;      /* path; training goes on from it where it exists. NULL: none is written */
  FoveaAugmentation augmentation;
} FoveaTrainSettings;

/* What serves most data of a task. */
void fovea_train_settings_init (FoveaTrainSettings *settings, FoveaTask task);

typedef struct
{
  const char *name;  /* "accuracy", "top5", "map", "ap50", "iou", "mae", "boundary_f" */
  double      value;
} FoveaMetric;

typedef struct
{
  const char *label;
  gsize       n;     /* photos that show it, or are of it; detect: its boxes */
  double      value; /* of the first metric */
} FoveaClassMetric;

typedef struct
{
  char  *file;
  double score; /* 0 to 1, the higher the better. One class a photo: the share of what it is; several: the average precision of its ranking; detect: F1 at an overlap
                   of a half; segment: intersection over union */
} FoveaPhotoScore;

typedef struct
{
  gsize             n_images;
  gsize             n_metrics, n_classes, n_photos;
  FoveaMetric       metrics[8];  /* the first is what the task is judged by */
  FoveaClassMetric *classes;     /* n_classes; of masks: the sources of the photos, where there are several */
  gsize            *confusion;   /* classify, one class a photo: (n_classes it is, n_classes said), photos; NULL otherwise */
  FoveaPhotoScore  *photos;      /* n_photos: those that could be judged, in the data's order */
  char            **labels;
} FoveaEvaluation;

void fovea_evaluation_free (FoveaEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaEvaluation, fovea_evaluation_free)

typedef struct
{
  guint  epoch, n_epochs;     /* from 0; n_epochs 0: the minutes decide */
  gsize  step, n_steps;       /* of this epoch */
  double fraction;            /* of the whole */
  double seconds_left;        /* negative: not known yet */
  double images_per_second;
  double loss;                /* mean of the last steps */
  double learning_rate;
  double prepared;            /* below 1: the frozen part's features are being computed, this share is done; the rest means nothing yet */
  gboolean finds_rate;        /* … or learning rates are tried */
  const FoveaEvaluation *score; /* not NULL: the epoch has ended, and this is what the network is worth now */
  double best;                /* the best score so far; NAN: none yet */
} FoveaTrainState;

/* Called from the thread that trains, after each step. */
typedef void (*FoveaTrainProgress) (const FoveaTrainState *state, gpointer user_data);

typedef struct _FoveaTrainer FoveaTrainer;

/* An untrained network from a description (architecture.h) or the name of one that comes along. channels 3 or 1. NULL with FOVEA_ERROR_ARGUMENT. */
FoveaModel      *fovea_model_new_untrained  (const char *architecture, guint channels, guint n_classes, guint64 seed, GError **error);

/* Names and one-line descriptions of those that come along, alternating; NULL-terminated. Free with g_strfreev. */
char           **fovea_list_architectures   (void);

/* What the labels in a folder of photos are for, by its layout; UNKNOWN: there are none. */
FoveaTask        fovea_guess_task  (const char *data);

/* Reads the list of samples in `data` and prepares training of `base`, whose last layer is exchanged where its classes are others than the data's.
 * base NULL: an untrained `architecture`; both: the architecture with what weights of the base fit by name and shape. Errors: those of loading data and of
 * compiling, _ARGUMENT for settings that can't be. */
FoveaTrainer    *fovea_trainer_new  (FoveaModel *base, const char *architecture, const char *data, const FoveaTrainSettings *settings, FoveaReadFile read,
                                     gpointer read_data, GError **error);
void             fovea_trainer_free (FoveaTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaTrainer, fovea_trainer_free)

/* What was left out and what may go wrong, for people; borrowed, NULL-terminated. */
const char *const *fovea_trainer_get_warnings (FoveaTrainer *trainer);

/* The photos that it learns from and is judged by. */
guint            fovea_trainer_count_photos (const FoveaTrainer *trainer);

/* One line on the data and the network. Free with g_free. */
char            *fovea_trainer_describe (FoveaTrainer *trainer);

/* Trains to the end, or goes on where the checkpoint stands. FALSE with G_IO_ERROR_CANCELLED within 0.2 s; the checkpoint stays. */
gboolean         fovea_trainer_run  (FoveaTrainer *trainer, GCancellable *cancellable, FoveaTrainProgress progress, gpointer user_data, GError **error);

/* From any thread, while fovea_trainer_run is at work: it waits between two steps, until it goes on, is stopped or cancelled; waiting isn't counted as time. */
void             fovea_trainer_pause (FoveaTrainer *trainer, gboolean pause);

/* From any thread: the run ends well after the step under way, and what the trainer gives from then on is the network after its best epoch, where any was judged. */
void             fovea_trainer_stop (FoveaTrainer *trainer);

/* The learning rate at its highest: that of the settings, or what was found. */
double           fovea_trainer_get_rate (const FoveaTrainer *trainer);

/* What the network is worth now on the photos of the data's validation split; NULL without an error where there are none. */
FoveaEvaluation *fovea_trainer_evaluate (FoveaTrainer *trainer, GCancellable *cancellable, GError **error);

/* The network as it is now, with labels, settings and card inside. A detector's boxes come out decoded: (batch, 4 + classes, boxes), as YOLOv8 gives them. `evaluation` (may be NULL) goes into the card. */
FoveaModel      *fovea_trainer_make_model (FoveaTrainer *trainer, const FoveaEvaluation *evaluation, GError **error);

/* A photo in a form in which training shows it; valid during the call. */
typedef struct
{
  guint               photo, n_photos, form; /* form 0: as it is */
  const char         *file;
  int                 size;    /* pixels of each side */
  const guint8       *rgb;     /* (size, size, 3) */
  const guint8       *mask;    /* segment: (size, size), 0 background, 1 … classes, FOVEA_PIXEL_UNKNOWN; NULL otherwise */
  const FoveaObjects *objects; /* detect: its boxes, regions to ignore as rough ones; NULL otherwise */
} FoveaTrainForm;

/* FALSE with an error ends the showing. */
typedef gboolean (*FoveaShowForm) (const FoveaTrainForm *form, gpointer user_data, GError **error);

/* Shows n_photos of the training photos, form after form: as they are, then in n_forms others, as the settings have them. Errors: those of loading data, and show's. */
gboolean         fovea_train_show_forms (const char *data, const FoveaTrainSettings *settings, guint n_photos, guint n_forms, FoveaReadFile read, gpointer read_data,
                                         FoveaShowForm show, gpointer user_data, GCancellable *cancellable, GError **error);

/* What a model is worth on the samples of a split ("train", "val"). The model's own settings are used. */
FoveaEvaluation *fovea_evaluate     (FoveaModel *model, const char *data, const char *split, const char *tags, guint n_threads, FoveaReadFile read,
                                     gpointer read_data, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);

/* ---- training on painted pixels ----------------------------------------------------------------------------------------------------------- */

typedef struct
{
  guint64 seed;
  guint   n_threads;     /* 0: one per processor */
  guint   first_steps;   /* of the optimizer when there is nothing yet */
  guint   more_steps;    /* after each change of the labels: training goes on warm */
  double  learning_rate; /* at its highest */
  guint64 memory;        /* bytes of maps that are kept; photos beyond that are looked at anew when it's their turn */
} FoveaPixelSettings;

void fovea_pixel_settings_init (FoveaPixelSettings *settings);

/* Learns classes of pixels from strokes, in tenths of a second: what a network sees around each pixel at several scales is computed once per photo and kept,
 * and two small layers learn on that. The photo lies stretched over a square of grid x grid cells, which labels and answers are given for. */
typedef struct _FoveaPixelTrainer FoveaPixelTrainer;

/* base: a convolutional network, best the cut-out model; or what fovea_pixel_trainer_make_model has made, from where it goes on: classes of the same name keep
 * what they know. classes: NULL-terminated, at least two. longest: pixels of the longer side of the largest photo that will come. settings NULL: as they are at
 * first. Errors: as for sessions; _UNSUPPORTED for networks without maps, _ARGUMENT for fewer than two or more than 200 classes. */
FoveaPixelTrainer *fovea_pixel_trainer_new  (FoveaModel *base, const char *const *classes, int longest, const FoveaPixelSettings *settings, GError **error);
void               fovea_pixel_trainer_free (FoveaPixelTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaPixelTrainer, fovea_pixel_trainer_free)

/* Other classes from now on; those of the same name keep what they know. All labels are forgotten: set them again. */
gboolean           fovea_pixel_trainer_set_classes (FoveaPixelTrainer *trainer, const char *const *classes, GError **error);

/* Width and height of the square that labels and answers are given for. */
int                fovea_pixel_trainer_get_grid    (const FoveaPixelTrainer *trainer);

/* Looks at a photo; returns its number, from 0, or -1 with an error. */
int                fovea_pixel_trainer_add_photo   (FoveaPixelTrainer *trainer, const FoveaPhoto *photo, GCancellable *cancellable, GError **error);

/* labels: (grid, grid), the class of each cell or FOVEA_PIXEL_UNKNOWN; copied. */
gboolean           fovea_pixel_trainer_set_labels  (FoveaPixelTrainer *trainer, int photo, const guint8 *labels, GError **error);

/* Painted cells of a class in all photos. */
gsize              fovea_pixel_trainer_count       (const FoveaPixelTrainer *trainer, guint index);

/* Learns; from where the last run ended. progress (may be NULL) is told fractions. FALSE with G_IO_ERROR_CANCELLED within 0.2 s: what was learned until then
 * stays; _ARGUMENT where fewer than two classes are painted: the message names those that aren't. */
gboolean           fovea_pixel_trainer_run         (FoveaPixelTrainer *trainer, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);

/* What it says of a photo now: a mask for every class, in their order, that sum to 1; painted cells are what they were painted as. The masks outlive the
 * trainer. */
FoveaMasks        *fovea_pixel_trainer_look        (FoveaPixelTrainer *trainer, int photo, GCancellable *cancellable, GError **error);

/* How unsure it is of each cell, 0 to 1: (grid, grid) float32, for the masks of the last look. *x, *y (may be NULL) get the cell around which a stroke would
 * help most: unsure, and not near strokes. */
FoveaTensor       *fovea_pixel_trainer_doubt       (FoveaPixelTrainer *trainer, int photo, const FoveaMasks *masks, int *x, int *y, GError **error);

typedef struct
{
  gboolean enough;    /* FALSE: too few strokes to say; the rest is 0 */
  guint    n_classes;
  double   accuracy;  /* mean over the classes of the share of cells that are named rightly */
  double   mean_iou;
  double  *iou;       /* n_classes */
  gsize   *confusion; /* (n_classes painted, n_classes said), cells */
} FoveaPixelScore;

void               fovea_pixel_score_free          (FoveaPixelScore *score);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaPixelScore, fovea_pixel_score_free)

/* An honest score: heads learn anew without a third of the strokes (without a third of the photos, where at least three are painted) and are judged by these.
 * Each class needs two strokes. */
FoveaPixelScore   *fovea_pixel_trainer_judge       (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error);

/* The network from the photo to the classes, with labels, settings and card inside. score may be NULL. */
FoveaModel        *fovea_pixel_trainer_make_model  (FoveaPixelTrainer *trainer, const FoveaPixelScore *score, GError **error);

/* ---- label files: boxes of photos, as other programs keep them ---------------------------------------------------------------------------- */

#define FOVEA_LABELS_LARGEST 1000000 /* pixels, of a photo's side and a box's */

typedef enum
{
  FOVEA_LABELS_COCO, /* annotations.json; polygons are read as the boxes around them */
  FOVEA_LABELS_YOLO, /* classes.txt or data.yaml, and labels/NAME.txt for the photo images/NAME.… */
  FOVEA_LABELS_VOC,  /* Annotations/NAME.xml */
} FoveaLabelFormat;

typedef struct
{
  char  *label;
  double score;               /* negative: none */
  double x, y, width, height; /* pixels of the photo, (0, 0) its top left corner */
} FoveaLabelBox;

typedef struct
{
  char   *file;          /* relative to the folder of photos; “/” between folders */
  int     width, height; /* pixels */
  GArray *boxes;         /* of FoveaLabelBox */
} FoveaLabelPhoto;

typedef struct
{
  GPtrArray *classes; /* of char*, in the format's order; each box's label is among them */
  GPtrArray *photos;  /* of FoveaLabelPhoto* */
} FoveaLabels;

FoveaLabels     *fovea_labels_new        (void);
void             fovea_labels_free       (FoveaLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaLabels, fovea_labels_free)

gint             fovea_labels_find_class (const FoveaLabels *labels, const char *label); /* -1: none */
void             fovea_labels_add_class  (FoveaLabels *labels, const char *label);       /* nothing where it is there */
FoveaLabelPhoto *fovea_labels_add_photo  (FoveaLabels *labels, const char *file, int width, int height);
void             fovea_labels_add_box    (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *label, double score, double x, double y, double width,
                                          double height);

/* How large the photo of that path is, pixels. */
typedef gboolean (*FoveaReadSize) (const char *path, int *width, int *height, gpointer user_data, GError **error);

/* Reads labels from a file, or from a folder that is laid out as fovea_labels_write does it or as is usual. YOLO's files don't say how large photos are:
 * read_size is asked (other formats: may be NULL). NULL with FOVEA_ERROR_FILE, or with read_size's error. */
FoveaLabels     *fovea_labels_read       (const char *path, FoveaLabelFormat format, FoveaReadSize read_size, gpointer user_data, GError **error);

/* Writes labels into a folder, which is made where there is none. Each file is written beside its place, then renamed. Numbers have at most ten digits after the
 * point, and what is read and written again stays the same text. FALSE with FOVEA_ERROR_FILE, also for names that the format can't keep. */
gboolean         fovea_labels_write      (const FoveaLabels *labels, FoveaLabelFormat format, const char *folder, GError **error);

/* The name of a folder for photos of a class, whatever that is called; and back: a name that can't come from there stays as it is. Free with g_free. */
char            *fovea_label_to_folder   (const char *label);
char            *fovea_folder_to_label   (const char *name);

/* ---- where models lie ------------------------------------------------------------------------------------------------------------------- */

/* The folders that are searched for installed models, best first: FOVEA_MODELS_PATH (colon-separated), fovea/models in the user's data folder, the
 * system's data folders, and that of the models that come along. NULL-terminated, free with g_strfreev. */
char **fovea_list_model_folders (void);

/* Names of the installed models (NAME/model.onnx or NAME.onnx), each once, sorted. Free with g_strfreev. */
char **fovea_list_models (void);

/* The path of a model given by file or by installed name. Free with g_free. NULL with FOVEA_ERROR_FILE that says where it looked. */
char  *fovea_find_model (const char *file_or_name, GError **error);

/* Where the user's own models lie: fovea/models in the user's data folder. Free with g_free. */
char  *fovea_get_user_model_folder (void);

/* The model that the user wants for a task where nothing else is said: an installed name; NULL: there is none, or it is gone. Free with g_free. */
char    *fovea_get_default_model (FoveaTask task);

/* name NULL: none any more. FALSE with FOVEA_ERROR_FILE for a model that isn't there, or when the settings can't be written. */
gboolean fovea_set_default_model (FoveaTask task, const char *name, GError **error);

/* The operators of the model that this engine hasn't got, sorted; empty: it has them all. Free with g_strfreev. */
char   **fovea_model_list_missing (const FoveaModel *model);

/* Makes a model that was loaded from a file one of the user's: a copy (as_link: a link) and a sidecar with these settings, under `name` or (NULL) one made of the
 * file's. The file itself is only read. Refuses what wouldn't run, saying which operators are missing, and a name that is taken. Returns the name, to be freed with
 * g_free. */
char    *fovea_import_model       (FoveaModel *model, const char *name, const FoveaSettings *settings, gboolean as_link, GCancellable *cancellable,
                                   GError **error);

/* The other file of a network that comes in two, which importing brings along: its path. NULL without an error where the network is whole, with FOVEA_ERROR_FILE
 * where the other file isn't found. Free with g_free. */
char    *fovea_model_find_partner (const FoveaModel *model, const FoveaSettings *settings, GError **error);

typedef enum { FOVEA_SAMPLE_ABSENT, FOVEA_SAMPLE_RIGHT, FOVEA_SAMPLE_WRONG } FoveaSample;

/* Runs the sample that a bioimage.io description beside the model brings along: its test input, prepared as these settings say, must give its test output.
 * *difference (NULL: not wanted) gets the largest difference as a share of the output's range; of yes and no, the share that is otherwise. ABSENT without an error
 * where there is no sample, with one where it can't be read or run. */
FoveaSample fovea_model_try_sample (FoveaModel *model, const FoveaSettings *settings, double *difference, GCancellable *cancellable, GError **error);

/* An output as it comes, before anything is decoded. */
typedef struct
{
  char      *name;
  FoveaType  type;
  FoveaShape shape;
  gsize      n, n_strange;      /* numbers; those of them that aren't finite */
  double     least, most, mean; /* of the others */
} FoveaRawOutput;

/* What the network itself makes of a photo: *n outputs. NULL with the errors of compiling and running. */
FoveaRawOutput *fovea_model_run_raw (FoveaModel *model, const FoveaSettings *settings, FoveaInput *input, gsize *n, GCancellable *cancellable, GError **error);
void     fovea_raw_outputs_free   (FoveaRawOutput *outputs, gsize n);

/* What the model's files say of its licence: a line; NULL: nothing. Free with g_free. */
char    *fovea_model_get_licence  (const FoveaModel *model);

/* What a person should hear before using a model of that licence (NULL: it says none): that it forbids something, or isn't known. NULL: nothing. Free with
 * g_free. */
char    *fovea_licence_warn       (const char *licence);

/* ---- models as their user keeps them ------------------------------------------------------------------------------------------------------- */

typedef enum
{
  FOVEA_ORIGIN_BUILT_IN, /* came along with Fovea */
  FOVEA_ORIGIN_TRAINED,  /* learned by Fovea, from the user's photos */
  FOVEA_ORIGIN_IMPORTED,
  FOVEA_ORIGIN_OTHER,    /* somebody put it into one of the folders */
} FoveaOrigin;

/* What a list of models tells of one. What isn't known is NULL, 0 or unknown. */
typedef struct
{
  char       *name, *path;
  FoveaOrigin origin;
  gboolean    is_own;   /* lies in the user's folder: may be renamed and deleted */
  gboolean    is_link;  /* the file itself lies elsewhere */
  FoveaTask   task;
  char       *family;
  gsize       n_labels;
  guint64     size;     /* bytes */
  char       *licence;
  char       *accuracy; /* "map 0.8019", from its card */
  char       *date;     /* "2026-11-25": when it was trained or imported */
  char       *fault;    /* why it can't be used, a sentence */
} FoveaModelFacts;

/* Of an installed model; never NULL. */
FoveaModelFacts *fovea_model_facts_new  (const char *name);
void             fovea_model_facts_free (FoveaModelFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaModelFacts, fovea_model_facts_free)

/* The model's card: card.md beside it, or what its metadata or sidecar tell, in lines. "" where there is none. Free with g_free. */
char    *fovea_model_read_card    (const FoveaModel *model);

/* Gives one of the user's own models another name, with what lies beside it; tasks whose default it is follow. FALSE with FOVEA_ERROR_ARGUMENT for names that
 * can't be or are taken and models that aren't the user's, FOVEA_ERROR_FILE. */
gboolean fovea_rename_model       (const char *name, const char *new_name, GError **error);

/* Takes one of the user's own models away, with what lies beside it, but keeps the files: the result, a hidden folder, brings it back or is thrown away. What a
 * link points to stays untouched. Free with g_free. */
char    *fovea_set_model_aside    (const char *name, GError **error);
gboolean fovea_bring_model_back   (const char *aside, GError **error);
void     fovea_throw_model_away   (const char *aside);

/* The same with what a program that was killed has left in the user's folder, a day ago or earlier. */
void     fovea_throw_leftovers_away (void);

/* A well-known public file that this engine runs. Nothing of it is on this machine until the user fetches it. */
typedef struct
{
  const char *name;     /* of the model, once it is there */
  const char *about;    /* a sentence; English, to be translated by who shows it */
  FoveaTask   task;
  const char *licence;
  guint64     size;     /* bytes */
  const char *sha256;
  const char *address;
  const char *settings; /* what isn't seen in the file, "KEY=WORDS;…" (see fovea_settings_list_keys); NULL: all is */
} FoveaCatalogueEntry;

/* Static; *n gets the number of entries. */
const FoveaCatalogueEntry *fovea_list_catalogue (gsize *n);

/* The entry's settings as fovea_settings_read_with takes them. */
GHashTable                *fovea_catalogue_entry_get_settings (const FoveaCatalogueEntry *entry);

/* ---- self-test -------------------------------------------------------------------------------------------------------------------------- */

/* Known tensors through some of a kernel table's functions, against the reference. */
typedef struct
{
  const char *isa;        /* "avx2" */
  const char *name;       /* "convolution 3x3" */
  const char *fault;      /* "differs from the reference"; NULL: it is right */
  double      difference; /* the greatest, as a share of the greater of 1 and what is expected */
} FoveaKernelCheck;

typedef struct
{
  char     *name, *path; /* path NULL: it went away meanwhile */
  char     *sha256;      /* NULL: it can't be read */
  guint64   size;        /* bytes */
  FoveaTask task;
  gboolean  was_run;     /* it answers the same from one thread and from all, and if it is small as the reference does; large networks are only loaded and compiled */
  char     *fault;       /* a sentence; NULL: it is right */
} FoveaModelCheck;

typedef struct
{
  gboolean          passed;
  char             *processor; /* NULL: the system doesn't say */
  char            **features;  /* of the processor, those that matter here */
  guint             n_threads;
  guint64           memory, memory_available; /* bytes; 0: unknown */
  const char       *isa;       /* the kernel table in use */
  gsize             n_kernels, n_models;
  FoveaKernelCheck *kernels;   /* every table that the processor has, each a block */
  FoveaModelCheck  *models;    /* the installed ones */
} FoveaSelfTest;

/* Looks whether the engine computes rightly on this machine, and whether the installed models are whole: a few seconds. NULL only when cancelled; what is
 * wrong is told in the result. */
FoveaSelfTest *fovea_self_test_new   (GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);
void           fovea_self_test_free  (FoveaSelfTest *test);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaSelfTest, fovea_self_test_free)

/* The report, lines of plain English, to be sent with a question. Free with g_free. */
char          *fovea_self_test_print (const FoveaSelfTest *test);

G_END_DECLS
