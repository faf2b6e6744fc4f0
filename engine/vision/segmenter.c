/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segmenter.c: FoveaSegmenter: a network that gives masks, its settings and a session. The photo's rows go to the network's input and to a smaller copy, the
 * guide, along which mask.c refines borders. Of networks that tell objects apart each class has a mask of all of its objects,
 * and each object one. Classifiers stand in: their best class's activation map is a rough mask.
 */

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "run/session.h"
#include "vision/classifier.h"
#include "vision/decode-instances.h"
#include "vision/input.h"
#include "vision/mask-tiles.h"
#include "vision/masks.h"
#include "vision/photo-tiles.h"
#include "vision/sam.h"

#define BAND_BYTES (4 << 20) /* of the photo that are read at a time */
#define MOST_GUIDE 2         /* times GUIDE_SIDE */

struct _FoveaSegmenter
{
  FoveaModel      *model;
  FoveaSettings   *settings;
  FoveaClassifier *classifier; /* NULL: a network of masks, and the rest is set; likewise: */
  Sam             *sam;        /* NULL: a network that finds things by itself */
  FoveaSession    *session;
  const char     **names;   /* of the outputs */
  FoveaTensor    **outputs;
  guint            n_outputs;
  guint            n_threads;
};

/* ---- making ----------------------------------------------------------------------------------------------------------------------------- */

static gboolean
refuse (const FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  const char *name = fovea_model_get_name (model);

  if (settings->task == FOVEA_TASK_DETECT)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model “%s” makes boxes, not masks: use Locate."), name);
  else
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                 _("The outputs of the model “%s” aren't masks that Fovea knows. If they are, name its family in its settings (“%s.json”)."), name, name);
  return FALSE;
}

static gboolean
make_rough (FoveaSegmenter *segmenter, guint n_threads, GError **error)
{
  segmenter->classifier = fovea_classifier_new (segmenter->model, segmenter->settings, n_threads, error);
  if (segmenter->classifier && !segmenter->classifier->map)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("The model “%s” names photos, and it can't be seen from it where a thing is, as it doesn't end in global pooling. Choose a model for masks."),
                   fovea_model_get_name (segmenter->model));
      return FALSE;
    }
  return segmenter->classifier != NULL;
}

static gboolean
make_session (FoveaSegmenter *segmenter, guint n_threads, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort                *port = fovea_model_get_input (segmenter->model, 0);
  FoveaShape                      shape;

  if (fovea_model_get_n_inputs (segmenter->model) != 1)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model “%s” has %u inputs; choose one that takes a photo and nothing else."),
                   fovea_model_get_name (segmenter->model), fovea_model_get_n_inputs (segmenter->model));
      return FALSE;
    }
  if (!fovea_settings_get_input_shape (segmenter->settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_shape (options, port->name, &shape);
  segmenter->session = fovea_session_new (segmenter->model, options, error);
  if (!segmenter->session)
    return FALSE;
  segmenter->n_outputs = fovea_model_get_n_outputs (segmenter->model);
  segmenter->names = g_new0 (const char *, segmenter->n_outputs + 1);
  segmenter->outputs = g_new0 (FoveaTensor *, segmenter->n_outputs + 1);
  for (guint i = 0; i < segmenter->n_outputs; i++)
    {
      segmenter->names[i] = fovea_model_get_output (segmenter->model, i)->name;
      segmenter->outputs[i] = fovea_session_get_output (segmenter->session, i);
    }
  return TRUE;
}

FoveaSegmenter *
fovea_segmenter_new (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error)
{
  g_autoptr (FoveaSegmenter) segmenter = g_new0 (FoveaSegmenter, 1);
  gboolean                   done;

  segmenter->n_threads = n_threads;
  segmenter->model = fovea_model_ref (model);
  segmenter->settings = settings ? fovea_settings_copy (settings) : fovea_settings_read (model, error);
  if (!segmenter->settings)
    return NULL;
  if (sam_knows (segmenter->settings->family))
    done = (segmenter->sam = sam_new (model, segmenter->settings, n_threads, error)) != NULL;
  else if (decode_masks_knows (segmenter->settings->family) || decode_instances_knows (segmenter->settings->family))
    done = make_session (segmenter, n_threads, error);
  else if (segmenter->settings->task == FOVEA_TASK_CLASSIFY)
    done = make_rough (segmenter, n_threads, error);
  else
    done = refuse (model, segmenter->settings, error);
  return done ? g_steal_pointer (&segmenter) : NULL;
}

void
fovea_segmenter_free (FoveaSegmenter *segmenter)
{
  if (!segmenter)
    return;
  g_clear_pointer (&segmenter->classifier, fovea_classifier_free);
  g_clear_pointer (&segmenter->sam, sam_free);
  g_clear_pointer (&segmenter->session, fovea_session_free);
  g_clear_pointer (&segmenter->model, fovea_model_unref);
  fovea_settings_free (segmenter->settings);
  g_free (segmenter->names);
  g_free (segmenter->outputs);
  g_free (segmenter);
}

const FoveaSettings *
fovea_segmenter_get_settings (const FoveaSegmenter *segmenter)
{
  if (segmenter->sam)
    return sam_get_settings (segmenter->sam);
  return segmenter->classifier ? fovea_classifier_get_settings (segmenter->classifier) : segmenter->settings;
}

guint
segmenter_get_threads (const FoveaSegmenter *segmenter)
{
  return segmenter->n_threads;
}

gboolean
fovea_segmenter_is_rough (const FoveaSegmenter *segmenter)
{
  return segmenter->classifier != NULL;
}

/* Masks of objects, not of classes. */
static gboolean
gives_objects (const FoveaSegmenter *segmenter)
{
  return segmenter->session && decode_instances_knows (segmenter->settings->family);
}

/* ---- looking ------------------------------------------------------------------------------------------------------------------------------ */

FoveaInput *
masks_make_guide (const FoveaPhoto *photo, int side, GError **error)
{
  double        scale = MIN (1.0, side / (double) MAX (photo->width, photo->height));
  FoveaSettings settings = { .width = MAX (1, (int) (photo->width * scale + 0.5)), .height = MAX (1, (int) (photo->height * scale + 0.5)),
                             .resize = FOVEA_RESIZE_STRETCH, .filter = FOVEA_FILTER_BILINEAR, .crop_scale = 1.0, .channels = 3, .range = 1.0,
                             .std = { 1.0, 1.0, 1.0 } };

  return fovea_input_new (&settings, photo->width, photo->height, error);
}

/* Rows of a photo, and who takes which of them. */
typedef struct
{
  const guint8 *rows[2];
  FoveaInput   *takers[2];
  int           n[2];
  gsize         stride;
} Push;

static void
push (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Push *pushed = data;

  for (gsize i = first; i < last; i++)
    if (pushed->n[i] > 0)
      fovea_input_push (pushed->takers[i], pushed->rows[i], pushed->stride, pushed->n[i]);
}

gboolean
masks_push_rows (const FoveaPhoto *photo, FoveaInput *input, FoveaInput *guide, FoveaSession *session, GCancellable *cancellable, GError **error)
{
  int     x = 0, y = 0, width = 0, height = 0, rows = (int) CLAMP ((gsize) BAND_BYTES / ((gsize) photo->width * 3), 1, (gsize) photo->height);
  gsize   stride = (gsize) photo->width * 3;
  guint8 *band = memory_alloc_n (rows, stride, "the photo's rows", error);
  gboolean done = band != NULL;

  if (input)
    fovea_input_get_region (input, &x, &y, &width, &height);
  for (int row = 0; row < photo->height && done; row += rows)
    {
      int  n = MIN (rows, photo->height - row), first = MAX (row, y), last = MIN (row + n, y + height);
      Push pushed = { { band, band + (gsize) (MAX (first, row) - row) * stride + (gsize) x * 3 }, { guide, input }, { n, last - first }, stride };

      done = !g_cancellable_set_error_if_cancelled (cancellable, error) && photo->read (photo->user_data, 0, row, photo->width, n, band, stride, error);
      if (done && session)
        session_parallel (session, G_N_ELEMENTS (pushed.takers), push, &pushed);
      else if (done)
        push (&pushed, 0, G_N_ELEMENTS (pushed.takers), 0);
    }
  memory_free (band);
  return done;
}

/* The activation map of the best class, as a mask of the input's size. */
static MaskStack *
look_roughly (FoveaClassifier *classifier, FoveaInput *input, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaClasses) classes = fovea_classifier_run (classifier, input, cancellable, error);
  const FoveaTensor       *features;
  MaskStack               *stack;
  float                    greatest = 0.0f;

  if (!classes)
    return NULL;
  features = fovea_session_get_output (classifier->session, classifier->map_output);
  stack = g_new0 (MaskStack, 1);
  stack->n = 1;
  stack->width = (int) features->shape.dims[3];
  stack->height = (int) features->shape.dims[2];
  stack->classes = g_new0 (gsize, 1);
  stack->classes[0] = classes->classes[0].index;
  stack->shares = memory_alloc_n (stack->width, (gsize) stack->height * sizeof (float), "the mask", error);
  if (!stack->shares)
    {
      mask_stack_free (stack);
      return NULL;
    }
  activation_map_compute (classifier->map, features, stack->classes[0], stack->shares);
  for (int i = 0; i < stack->width * stack->height; i++)
    greatest = MAX (greatest, stack->shares[i]);
  for (int i = 0; i < stack->width * stack->height; i++)
    stack->shares[i] = greatest > 0.0f ? CLAMP (stack->shares[i] / greatest, 0.0f, 1.0f) : 0.0f;
  return stack;
}

static MaskStack *
look (FoveaSegmenter *segmenter, FoveaInput *input, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  if (segmenter->classifier)
    return look_roughly (segmenter->classifier, input, cancellable, error);
  fovea_input_write (input, fovea_session_get_input (segmenter->session, 0));
  if (!fovea_session_run (segmenter->session, cancellable, progress, user_data, error))
    return NULL;
  if (gives_objects (segmenter))
    return decode_instances (segmenter->settings, segmenter->names, segmenter->outputs, segmenter->n_outputs, error);
  return decode_masks (segmenter->settings, segmenter->outputs, segmenter->n_outputs, error);
}

/* Stretched inputs lie over the photo already; places outside (cut off by a crop) repeat the border. */
MaskStack *
masks_place (MaskStack *stack, const FoveaSettings *settings, const FoveaInput *input, const FoveaPhoto *photo, GError **error)
{
  double     scale[2], offset[2], left, top, width, height;
  MaskStack *placed;

  if (settings->resize == FOVEA_RESIZE_STRETCH)
    return stack;
  input_get_mapping (input, scale, offset);
  left = offset[0] * stack->width / settings->width;
  top = offset[1] * stack->height / settings->height;
  width = photo->width / scale[0] * stack->width / settings->width;
  height = photo->height / scale[1] * stack->height / settings->height;
  placed = g_new0 (MaskStack, 1);
  placed->n = stack->n;
  placed->classes = g_memdup2 (stack->classes, stack->n * sizeof *stack->classes);
  placed->width = CLAMP ((int) ceil (width), 1, 4096);
  placed->height = CLAMP ((int) ceil (height), 1, 4096);
  placed->shares = memory_alloc_n (MAX (stack->n, 1), (gsize) placed->width * (gsize) placed->height * sizeof (float), "the masks", error);
  for (gsize k = 0; placed->shares && k < stack->n; k++)
    for (int y = 0; y < placed->height; y++)
      for (int x = 0; x < placed->width; x++)
        {
          double       px = CLAMP (left + (x + 0.5) * width / placed->width - 0.5, 0.0, stack->width - 1.0);
          double       py = CLAMP (top + (y + 0.5) * height / placed->height - 0.5, 0.0, stack->height - 1.0);
          int          x0 = (int) px, y0 = (int) py, x1 = MIN (x0 + 1, stack->width - 1), y1 = MIN (y0 + 1, stack->height - 1);
          float        fx = (float) (px - x0), fy = (float) (py - y0);
          const float *map = stack->shares + k * (gsize) stack->width * (gsize) stack->height;
          float        upper = map[(gsize) y0 * stack->width + x0] * (1 - fx) + map[(gsize) y0 * stack->width + x1] * fx;
          float        lower = map[(gsize) y1 * stack->width + x0] * (1 - fx) + map[(gsize) y1 * stack->width + x1] * fx;

          placed->shares[(k * placed->height + y) * placed->width + x] = upper * (1 - fy) + lower * fy;
        }
  mask_stack_free (stack);
  if (!placed->shares)
    g_clear_pointer (&placed, mask_stack_free);
  return placed;
}

/* At the whole photo. */
static MaskStack *
look_once (FoveaSegmenter *segmenter, const FoveaPhoto *photo, FoveaInput *guide, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  const FoveaSettings   *settings = fovea_segmenter_get_settings (segmenter);
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo->width, photo->height, error);
  MaskStack             *stack;

  if (!input || !masks_push_rows (photo, input, guide, segmenter->session, cancellable, error))
    return NULL;
  stack = look (segmenter, input, cancellable, progress, user_data, error);
  return stack ? masks_place (stack, settings, input, photo, error) : NULL;
}

/* At one part of it after the other. */
static MaskStack *
look_in_tiles (const MaskTiles *tiles, const MaskNetwork *network, const FoveaPhoto *photo, FoveaInput *guide, GCancellable *cancellable, FoveaProgress progress,
               gpointer user_data, GError **error)
{
  FoveaSettings          settings = { .width = tiles->width, .height = tiles->height, .resize = FOVEA_RESIZE_STRETCH, .filter = network->settings->filter,
                                      .crop_scale = 1.0, .channels = network->settings->channels, .range = 1.0, .std = { 1.0, 1.0, 1.0 } };
  g_autoptr (FoveaInput) canvas = fovea_input_new (&settings, photo->width, photo->height, error);

  if (!canvas || !masks_push_rows (photo, canvas, guide, network->session, cancellable, error))
    return NULL;
  return mask_tiles_run (tiles, network, fovea_input_get_pixels (canvas, NULL, NULL), cancellable, progress, user_data, error);
}

FoveaMasks *
fovea_segmenter_run (FoveaSegmenter *segmenter, const FoveaPhoto *photo, int n_tiles, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
                     GError **error)
{
  const FoveaSettings   *settings = fovea_segmenter_get_settings (segmenter);
  const MaskNetwork      network = { segmenter->model, settings, segmenter->session, segmenter->outputs, segmenter->n_outputs };
  gboolean               in_tiles = n_tiles != 1 && !segmenter->classifier && !gives_objects (segmenter);
  g_autoptr (MaskTiles)  tiles = NULL;
  g_autoptr (FoveaInput) guide = NULL;
  g_autoptr (MaskStack)  objects = NULL;
  MaskStack             *stack;
  FoveaMasks            *masks;
  const guint8          *pixels;
  int                    guide_width, guide_height, side = GUIDE_SIDE;

  if (photo->width < 1 || photo->height < 1)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The photo has no pixels; give one that has."));
      return NULL;
    }
  if (segmenter->sam)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   _("The model “%s” shows what it is pointed at, and nothing by itself. Click on what you mean, select it, or draw a path around it."),
                   fovea_model_get_name (segmenter->model));
      return NULL;
    }
  if (in_tiles && !(tiles = mask_tiles_new (&network, photo->width, photo->height, MIN (n_tiles, PHOTO_TILES_MAX), error)))
    return NULL;
  in_tiles = tiles && tiles->places->len > 1;
  if (in_tiles)
    side = CLAMP (MAX (tiles->width, tiles->height), GUIDE_SIDE, MOST_GUIDE * GUIDE_SIDE);
  guide = masks_make_guide (photo, side, error);
  if (!guide)
    return NULL;
  stack = in_tiles ? look_in_tiles (tiles, &network, photo, guide, cancellable, progress, user_data, error)
                   : look_once (segmenter, photo, guide, cancellable, progress, user_data, error);
  if (stack && gives_objects (segmenter))
    {
      objects = stack;
      stack = instances_unite (objects, error);
    }
  if (!stack)
    return NULL;
  pixels = fovea_input_get_pixels (guide, &guide_width, &guide_height);
  masks = masks_new (photo->width, photo->height, stack, settings, pixels, guide_width, guide_height, segmenter->n_threads);
  masks->objects = g_steal_pointer (&objects);
  return masks;
}

FoveaMasks *
fovea_segmenter_run_prompt (FoveaSegmenter *segmenter, const FoveaPhoto *photo, const FoveaPrompt *prompt, GCancellable *cancellable, FoveaProgress progress,
                            gpointer user_data, GError **error)
{
  g_autoptr (FoveaInput) guide = NULL;
  MaskStack             *stack;
  const guint8          *pixels;
  int                    width, height;

  if (!segmenter->sam)
    return prompt_run (segmenter, photo, prompt, cancellable, progress, user_data, error);
  guide = masks_make_guide (photo, GUIDE_SIDE, error);
  stack = guide ? sam_run (segmenter->sam, photo, prompt, guide, cancellable, progress, user_data, error) : NULL;
  if (!stack)
    return NULL;
  pixels = fovea_input_get_pixels (guide, &width, &height);
  return masks_new (photo->width, photo->height, stack, sam_get_settings (segmenter->sam), pixels, width, height, segmenter->n_threads);
}
