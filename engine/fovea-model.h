/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-model.h: models as files, and what everything else is made of: errors, tensors, ports. A part of fovea.h, which is what others include.
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

/* The same network for other programs: samples of 0 to 255 come in, shares of 1 come out, so that none of the settings is needed; it has them nevertheless. Training
 * doesn't go on with it. Errors: those of reading the settings, _UNSUPPORTED for what can't be said in layers. */
FoveaModel      *fovea_model_make_plain (FoveaModel *model, GError **error);

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

G_END_DECLS
