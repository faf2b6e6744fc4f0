/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-vision.h: from photos to answers: names, boxes, masks. A part of fovea.h, which is what others include.
 */
#pragma once

#include "fovea-session.h"
#include "fovea-settings.h"

G_BEGIN_DECLS

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

/* The class whose mask has the greatest share in each of the network's own pixels, the first of equals, and that share: (height, width) each, of the size that its
 * answer has. Of at most 256 classes. */
void        fovea_masks_find_best (const FoveaMasks *masks, guint8 *best, float *share);

/* The same masks taken apart, largest first: each is a thing by itself. Networks that give boxes with masks tell the things apart; of others it is the parts that hang
 * together, without specks. threshold, above 0 to 1: where a mask's inside begins. NULL with FOVEA_ERROR_MEMORY. */
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

/* A model with its settings, ready to make masks: saliency, matting and semantic networks and those of boxes with masks, of any family in families.c, what fovea_trainer made, or a
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

G_END_DECLS
