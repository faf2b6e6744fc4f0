/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-settings.h: how a photo becomes a network's input, and what its output means. A part of fovea.h, which is what others include.
 */
#pragma once

#include "fovea-model.h"

G_BEGIN_DECLS

typedef enum { FOVEA_TASK_UNKNOWN, FOVEA_TASK_CLASSIFY, FOVEA_TASK_DETECT, FOVEA_TASK_SEGMENT } FoveaTask;
/* Letterboxed photos keep their sides' ratio and are padded: on both sides, or (corner) at the right and bottom only. */
typedef enum { FOVEA_RESIZE_STRETCH, FOVEA_RESIZE_SHORTEST_CROP, FOVEA_RESIZE_LETTERBOX, FOVEA_RESIZE_LETTERBOX_CORNER } FoveaResize;
typedef enum { FOVEA_FILTER_NEAREST, FOVEA_FILTER_BILINEAR, FOVEA_FILTER_BICUBIC, FOVEA_FILTER_LANCZOS } FoveaFilter;
/* By range, mean and std alone; or by each photo's own values in their place, channel by channel: its mean becomes 0 and its standard deviation 1; the lower of two
 * percentiles becomes 0 and the higher 1; or by range, mean and std where the photo's greatest value of all channels stands for white. */
typedef enum { FOVEA_NORMALIZE_FIXED, FOVEA_NORMALIZE_PHOTO, FOVEA_NORMALIZE_PERCENTILES, FOVEA_NORMALIZE_GREATEST } FoveaNormalize;
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

G_END_DECLS
