/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-store.h: installed models: where they lie, what is told of them, whether they compute rightly here. A part of fovea.h, which is what others include.
 */
#pragma once

#include "fovea-vision.h"

G_BEGIN_DECLS

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

/* The same of a model that somebody put into a folder, or names by its path: who imported or trained one has heard it, and the built-in ones are Fovea's own.
 * NULL: nothing. Free with g_free. */
char    *fovea_model_warn         (const FoveaModel *model);

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

/* FALSE with FOVEA_ERROR_ARGUMENT for what can't be a model's name: nothing outside of the models folder is ever meant. */
gboolean fovea_check_model_name   (const char *name, GError **error);

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

/* Versions of the programs around Fovea, as whoever asks for the report knows them; NULL: there is none. */
typedef struct
{
  const char *gimp, *gegl, *babl, *gtk;
} FoveaPrograms;

/* The report, lines of plain English, to be sent with a question. Free with g_free. */
char          *fovea_self_test_print (const FoveaSelfTest *test, const FoveaPrograms *programs);

G_END_DECLS
