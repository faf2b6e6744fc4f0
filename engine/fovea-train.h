/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fovea-train.h: from labelled photos, or strokes, to models. A part of fovea.h, which is what others include.
 */
#pragma once

#include "fovea-vision.h"

G_BEGIN_DECLS

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
  double   paste;           /* masks of one class: share of the photos whose subject is laid on another background, where there are some; boxes: share on which an object of another photo
                              is laid that has a mask */
  double   jpeg;            /* share of the photos that are as if stored as JPEG, at a quality of 10 to 90 */
  double   cutmix;          /* share of the batches in which rectangles of photos are exchanged (Yun et al. 2019, arXiv:1905.04899) */
} FoveaAugmentation;

typedef enum { FOVEA_TRAIN_ALL, FOVEA_TRAIN_LAST_BLOCKS, FOVEA_TRAIN_HEAD } FoveaTrainable;

/* What moves the weights: gradients with Nesterov momentum (Sutskever et al. 2013), or those over their usual size, with weight decay beside them (Loshchilov &
 * Hutter 2019, arXiv:1711.05101), which wants far lower learning rates. */
typedef enum { FOVEA_OPTIMIZER_SGD, FOVEA_OPTIMIZER_ADAMW } FoveaOptimizer;

/* The learning rate over a training. After the warm-up: half a cosine down to nearly nothing (Loshchilov & Hutter 2017, arXiv:1608.03983); a tenth after 60 %, and
 * again after 85 %; always the same. One cycle: up for 30 %, then down to far less than it began with, without a warm-up of its own (Smith 2018,
 * arXiv:1803.09820). */
typedef enum { FOVEA_SCHEDULE_COSINE, FOVEA_SCHEDULE_STEP, FOVEA_SCHEDULE_ONE_CYCLE, FOVEA_SCHEDULE_CONSTANT } FoveaSchedule;

/* What is learned. Usual: cross-entropy; masks of one class: with Dice; boxes: GIoU, and cross-entropy of their scores. Focal: what is nearly right already counts
 * less; tags, and masks of one class. Lovász: of masks, a bound of the overlap itself, with cross-entropy. CIoU: of boxes, also where their centres lie, and their
 * sides' ratio. Smooth L1: of boxes, their sides' distances one by one. L1: of masks of one class, how far each pixel's share is off, with cross-entropy: for
 * mattes, whose edges are soft. Papers: loss.h, loss-boxes.h. */
typedef enum { FOVEA_LOSS_USUAL, FOVEA_LOSS_FOCAL, FOVEA_LOSS_LOVASZ, FOVEA_LOSS_CIOU, FOVEA_LOSS_SMOOTH_L1, FOVEA_LOSS_L1 } FoveaLoss;

typedef struct
{
  FoveaTask         task;
  int               size;            /* of the photos that the network sees, pixels; 0: the base model's */
  guint             epochs;          /* times that each photo is looked at; or */
  guint             least_steps;     /* with few photos: more epochs, so that there are so many steps; 0: as many as there are */
  double            minutes;         /* 0: as many as `epochs` take */
  guint             batch;
  FoveaOptimizer    optimizer;
  double            learning_rate;   /* at its highest */
  gboolean          find_rate;       /* … is found by trying, instead; not at all while training goes on from a checkpoint */
  double            weight_decay;
  FoveaSchedule     schedule;
  double            warm_up;         /* share of the training in which the rate rises */
  double            base_rate;       /* share of the rate at which layers learn that are as the base has them, above 0, at most 1 */
  double            keep_base;       /* share of the base's weights that is kept in the result, 0 to 1; the training itself doesn't know of it */
  FoveaLoss         loss;
  double            smoothing;       /* of labels, 0 to 0.5 */
  double            average;         /* share that the moving average of the weights keeps at each step; 0: none */
  double            validation_share; /* where the data have no split of their own */
  double            monitor_share;   /* of the training photos: kept out to see when to stop; 0: none, and no early stop */
  guint             patience;        /* epochs without a better score on those, until it ends; 0: never early. The result is what was best */
  gboolean          balance;         /* photos of rare classes are shown more often */
  gboolean          balance_by_weight; /* … or weigh as much more in the loss instead; classify only */
  const char       *last_layer;      /* classify: the layer of the base that is exchanged, with all that follows it; NULL: the last one with weights */
  FoveaTrainable    trainable;
  gboolean          frozen_norms;    /* batch normalizations keep the base's statistics, scale and shift: for small batches and for little data */
  guint64           seed;
  guint             n_threads;       /* 0: one per processor */
  guint64           cache;           /* bytes of decoded photos that are kept in memory */
  const char       *tags;            /* text of a tag list, or NULL: see the manual */
  const char       *backgrounds;     /* folder of photos that subjects are pasted on; NULL: none */
  FoveaModel       *teacher;         /* classify: a classifier whose features are learned beside the labels (distillation); NULL: none */
  double            distill;         /* … or whose answers, instead: their share of the loss against the labels, 0 to 1; 0: its features */
  double            temperature;     /* that makes those softer, 1: as they are; more: it also says which wrong answers are nearly right */
  gboolean          half_weights;    /* the result's weights are float16: half the file */
  const char       *checkpoint;      /* path; training goes on from it where it exists. NULL: none is written. With patience the best network lies beside it: FILE.best */
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
  char            **confused;    /* the n rows of the confusion: the classes; segment and detect: and "", what is none of them; NULL: several classes a photo */
  gsize            *confusion;   /* (n it is, n said): photos; segment: pixels, as the network sees them; detect: boxes that are sure, and objects; NULL likewise */
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

/* Bytes that training all of a network takes at an input of that shape, whose first dimension is the batch: what is computed, the weights and what the optimizer keeps
 * of them. 0 with an error where it can't be trained, or not in this machine's memory. */
guint64          fovea_model_measure_training (FoveaModel *model, const FoveaShape *shape, GError **error);

/* Names and one-line descriptions of those that come along, alternating; NULL-terminated. Free with g_strfreev. */
char           **fovea_list_architectures   (void);

/* What the labels in a folder of photos are for, by its layout; UNKNOWN: there are none. */
FoveaTask        fovea_guess_task  (const char *data);

/* What is labelled in a folder of photos. */
typedef struct
{
  FoveaTask task;
  guint     n_photos;
  char    **classes;  /* NULL-terminated */
  gsize    *counts;   /* of each class: its photos; detect: its boxes; masks: photos that show it, among the n_seen that have been read */
  guint     n_seen;
  gpointer  samples;  /* the engine's */
} FoveaLabelled;

/* task UNKNOWN: by the layout. Reads lists and names, no photo. is_part: others come to it, so that one class will do. NULL with an error, as fovea_trainer_new would
 * have it, where there is nothing to learn from. */
FoveaLabelled   *fovea_labelled_new  (const char *data, FoveaTask task, gboolean is_part, GError **error);
void             fovea_labelled_free (FoveaLabelled *labelled);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FoveaLabelled, fovea_labelled_free)

/* Photo i of n_photos, borrowed; *mask (may be NULL) gets its mask: 0 what is none of the classes, 1 … classes, 255 not known; NULL: it has none. */
const char      *fovea_labelled_get_photo (const FoveaLabelled *labelled, guint i, const char **mask);

/* The same as a row of a manifest.jsonl, wherever that lies. Free with g_free. */
char            *fovea_labelled_make_row  (const FoveaLabelled *labelled, guint i);

/* Reads masks for about so long, and counts what they show. One that can't be read shows nothing. FALSE: none is left. Any thread, one at a time. */
gboolean         fovea_labelled_see       (FoveaLabelled *labelled, FoveaReadFile read, gpointer read_data, double seconds);

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
  guint   judged_steps;  /* a run of at least so many steps is judged meanwhile, by another head that learns without a part of the strokes: twice the time; 0: none is */
  guint64 memory;        /* bytes of maps that are kept; photos beyond that are looked at anew when it's their turn */
} FoveaPixelSettings;

void fovea_pixel_settings_init (FoveaPixelSettings *settings);

/* Learns classes of pixels from strokes, in tenths of a second: what a network sees around each pixel at several scales is computed once per photo and kept,
 * and two small layers learn on that. The photo lies stretched over a square of grid x grid cells, which labels and answers are given for. */
typedef struct _FoveaPixelTrainer FoveaPixelTrainer;

/* base: a convolutional network, best the cut-out model; or what fovea_pixel_trainer_make_model has made, from where it goes on: classes of the same name keep
 * what they know; NULL: an untrained network. classes: NULL-terminated, at least two. longest: pixels of the longer side of the largest photo that will come. settings NULL: as they are at
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
 * stays; _ARGUMENT where fewer than two classes are painted: the message names those that aren't. checkpoint, for runs that take long: a path; the same run of a
 * trainer with the same settings, photos and labels goes on from it where it exists, and it is written now and then, FILE.judged beside it; NULL: none. */
gboolean           fovea_pixel_trainer_run         (FoveaPixelTrainer *trainer, const char *checkpoint, GCancellable *cancellable, FoveaProgress progress,
                                                    gpointer user_data, GError **error);

/* Whether something has been learned, in a run that was cancelled, too: the next run is not the first. */
gboolean           fovea_pixel_trainer_has_run     (const FoveaPixelTrainer *trainer);

/* The run's loss, a mean over its last steps; negative: no step yet. Also from progress. */
double             fovea_pixel_trainer_get_loss    (const FoveaPixelTrainer *trainer);

/* Where the run is judged meanwhile, what the other head made of the strokes that were kept from it when it was asked last: the accuracy of FoveaPixelScore;
 * NAN: too few are painted, or it wasn't asked yet; negative: the run isn't judged. Also from progress. */
double             fovea_pixel_trainer_get_score   (const FoveaPixelTrainer *trainer);

/* What it says of a photo now: a mask for every class, in their order, that sum to 1; painted cells are what they were painted as. Also from
 * progress. The masks outlive the trainer. */
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
 * Each class needs two strokes. Where one photo is painted, fovea_pixel_trainer_look goes by it from then on, and says more of narrow things. */
FoveaPixelScore   *fovea_pixel_trainer_judge       (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error);

/* The network from the photo to the classes, with labels, settings and card inside; from a run's progress, what it has learned by then. score may be NULL. */
FoveaModel        *fovea_pixel_trainer_make_model  (FoveaPixelTrainer *trainer, const FoveaPixelScore *score, GError **error);

G_END_DECLS
