/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locator.c: FoveaLocator: a detector, its settings and a session, ready to find objects in photos of any size. A part of the photo after the other becomes
 * the network's input; its boxes move to the photo's pixels and join the candidates. Classifiers stand in for detectors: of their best classes the
 * activation maps (activation-map.h) give a rough box each.
 */

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "vision/candidates.h"
#include "vision/classifier.h"
#include "vision/decode-classes.h"
#include "vision/families.h"
#include "vision/input.h"
#include "vision/photo-tiles.h"
#include "vision/size-input.h"

#define LEAST_SCORE    0.01f     /* no slider goes lower */
#define BAND_BYTES     (4 << 20) /* of the photo that are read at a time */
#define N_ROUGH        5         /* classes of a classifier that get a box */
#define ROUGH_SHARE    0.35      /* of the map's height; lower boxes take in more of what is around the object */

struct _FoveaLocator
{
  FoveaModel      *model;
  FoveaSettings   *settings;
  FoveaClassifier *classifier; /* NULL: a detector, and the rest is set */
  FoveaSession    *session;
  FoveaTensor     *size_input; /* the value of the second input, where the network wants the photo's size; NULL: it doesn't */
  const char     **names;      /* (n_outputs) */
  FoveaTensor    **outputs;
  guint            n_outputs;
};

/* ---- making ----------------------------------------------------------------------------------------------------------------------------- */

static gboolean
refuse (const FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  const char *name = fovea_model_get_name (model);

  if (settings->task == FOVEA_TASK_SEGMENT && settings->family)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model “%s” makes masks, not boxes: use Segment."), name);
  else if (settings->family)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                 _("The model “%s” is of the family “%s”, which has no boxes. Choose a detector, or correct “family” in its settings."), name, settings->family);
  else
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                 _("The outputs of the model “%s” aren't those of a detector that Fovea knows. If it is one, name its family in its settings (“%s.json”)."), name, name);
  return FALSE;
}

static gboolean
make_rough (FoveaLocator *locator, guint n_threads, GError **error)
{
  locator->classifier = fovea_classifier_new (locator->model, locator->settings, n_threads, error);
  if (locator->classifier && !locator->classifier->map)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("The model “%s” names photos, and it can't be seen from it where a thing is, as it doesn't end in global pooling. Choose a detector."),
                   fovea_model_get_name (locator->model));
      return FALSE;
    }
  return locator->classifier != NULL;
}

static gboolean
make_session (FoveaLocator *locator, guint n_threads, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort *port = fovea_model_get_input (locator->model, 0);
  FoveaShape       shape;

  if (fovea_model_get_n_inputs (locator->model) != 1 && !(locator->size_input = size_input_bind (locator->model, locator->settings, options, error)))
    return FALSE;
  if (!fovea_settings_get_input_shape (locator->settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_shape (options, port->name, &shape);
  locator->session = fovea_session_new (locator->model, options, error);
  if (!locator->session)
    return FALSE;
  locator->n_outputs = fovea_model_get_n_outputs (locator->model);
  locator->names = g_new0 (const char *, locator->n_outputs + 1);
  locator->outputs = g_new0 (FoveaTensor *, locator->n_outputs + 1);
  for (guint i = 0; i < locator->n_outputs; i++)
    {
      locator->names[i] = fovea_model_get_output (locator->model, i)->name;
      locator->outputs[i] = fovea_session_get_output (locator->session, i);
    }
  return TRUE;
}

FoveaLocator *
fovea_locator_new (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error)
{
  g_autoptr (FoveaLocator) locator = g_new0 (FoveaLocator, 1);
  gboolean done;

  locator->model = fovea_model_ref (model);
  locator->settings = settings ? fovea_settings_copy (settings) : fovea_settings_read (model, error);
  if (!locator->settings)
    return NULL;
  if (decode_boxes_find (locator->settings->family))
    done = make_session (locator, n_threads, error);
  else if (locator->settings->task == FOVEA_TASK_CLASSIFY)
    done = make_rough (locator, n_threads, error);
  else
    done = refuse (model, locator->settings, error);
  return done ? g_steal_pointer (&locator) : NULL;
}

void
fovea_locator_free (FoveaLocator *locator)
{
  if (!locator)
    return;
  g_clear_pointer (&locator->classifier, fovea_classifier_free);
  g_clear_pointer (&locator->session, fovea_session_free);
  g_clear_pointer (&locator->size_input, fovea_tensor_unref);
  g_clear_pointer (&locator->model, fovea_model_unref);
  fovea_settings_free (locator->settings);
  g_free (locator->names);
  g_free (locator->outputs);
  g_free (locator);
}

const FoveaSettings *
fovea_locator_get_settings (const FoveaLocator *locator)
{
  return locator->classifier ? fovea_classifier_get_settings (locator->classifier) : locator->settings;
}

gboolean
fovea_locator_is_rough (const FoveaLocator *locator)
{
  return locator->classifier != NULL;
}

/* ---- one part of the photo -------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  FoveaLocator     *locator;
  const FoveaPhoto *photo;
  GCancellable     *cancellable;
  FoveaProgress     progress;
  gpointer          user_data;
  guint             tile, n_tiles;
  GArray           *boxes; /* of Box, pixels of the photo */
} Search;

static void
report (double fraction, gpointer user_data)
{
  const Search *search = user_data;

  if (search->progress)
    search->progress ((search->tile + fraction) / search->n_tiles, search->user_data);
}

/* Reads what the input needs of the tile, band by band. */
static gboolean
push_pixels (const Search *search, const PhotoTile *tile, FoveaInput *input, GError **error)
{
  const FoveaPhoto *photo = search->photo;
  int               x, y, width, height, rows;
  gsize             stride;
  guint8           *band;
  gboolean          done;

  fovea_input_get_region (input, &x, &y, &width, &height);
  stride = (gsize) width * 3;
  rows = (int) CLAMP (BAND_BYTES / stride, 1, (gsize) height);
  band = memory_alloc_n (rows, stride, "the photo's rows", error);
  done = band != NULL;
  for (int row = 0; row < height && done; row += rows)
    {
      int n = MIN (rows, height - row);

      done = !g_cancellable_set_error_if_cancelled (search->cancellable, error) &&
             photo->read (photo->user_data, tile->x + x, tile->y + y + row, width, n, band, stride, error);
      if (done)
        fovea_input_push (input, band, stride, n);
    }
  memory_free (band);
  return done;
}

/* From the input's pixels to the photo's; what a tile's side cuts is left out. */
static void
add_boxes (Search *search, const PhotoTile *tile, const FoveaInput *input, const GArray *found)
{
  double scale[2], offset[2];

  input_get_mapping (input, scale, offset);
  for (guint i = 0; i < found->len; i++)
    {
      Box    box = g_array_index (found, Box, i);
      double left = (box.left - offset[0]) * scale[0] + tile->x, right = (box.right - offset[0]) * scale[0] + tile->x;
      double top = (box.top - offset[1]) * scale[1] + tile->y, bottom = (box.bottom - offset[1]) * scale[1] + tile->y;

      if (!tile->whole && photo_tiles_cuts (tile, search->photo->width, search->photo->height, left, top, right, bottom))
        continue;
      box.left = (float) left;
      box.right = (float) right;
      box.top = (float) top;
      box.bottom = (float) bottom;
      if (!tile->whole)
        box.row = -1;
      g_array_append_val (search->boxes, box);
    }
}

static GArray *
detect (Search *search, FoveaInput *input, GError **error)
{
  FoveaLocator        *locator = search->locator;
  const FoveaSettings *settings = locator->settings;
  FoveaTensor         *tensor = fovea_session_get_input (locator->session, 0);
  BoxOptions           options = box_options_of (settings, LEAST_SCORE);

  fovea_input_write (input, tensor);
  if (locator->size_input)
    size_input_write (locator->session, locator->size_input);
  if (!fovea_session_run (locator->session, search->cancellable, report, search, error))
    return NULL;
  return decode_boxes (settings->family, &options, locator->names, locator->outputs, locator->n_outputs, error);
}

/* A rough box for each of the best classes. */
static GArray *
look (Search *search, FoveaInput *input, GError **error)
{
  FoveaClassifier     *classifier = search->locator->classifier;
  const FoveaSettings *settings = classifier->settings;
  g_autoptr (FoveaClasses) classes = fovea_classifier_run (classifier, input, search->cancellable, error);
  const FoveaTensor *features;
  GArray            *boxes;
  g_autofree float  *map = NULL;
  int                width, height;

  if (!classes)
    return NULL;
  features = fovea_session_get_output (classifier->session, classifier->map_output);
  width = (int) features->shape.dims[3];
  height = (int) features->shape.dims[2];
  map = g_new (float, (gsize) width * height);
  boxes = g_array_new (FALSE, FALSE, sizeof (Box));
  for (gsize i = 0; i < MIN (classes->n, N_ROUGH); i++)
    {
      float side[4];
      Box   box = { .score = (float) classes->classes[i].score, .label = (gint32) classes->classes[i].index, .row = -1 };

      activation_map_compute (classifier->map, features, classes->classes[i].index, map);
      if (!activation_map_find_box (map, width, height, ROUGH_SHARE, settings->width, settings->height, side))
        continue;
      box.left = side[0];
      box.top = side[1];
      box.right = side[2];
      box.bottom = side[3];
      g_array_append_val (boxes, box);
    }
  return boxes;
}

static gboolean
search_tile (Search *search, const PhotoTile *tile, GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (fovea_locator_get_settings (search->locator), tile->width, tile->height, error);
  g_autoptr (GArray) found = NULL;

  if (!input || !push_pixels (search, tile, input, error))
    return FALSE;
  found = search->locator->classifier ? look (search, input, error) : detect (search, input, error);
  if (found)
    add_boxes (search, tile, input, found);
  return found != NULL;
}

/* ---- the whole photo -------------------------------------------------------------------------------------------------------------------- */

/* Best first; those of the same score as they came. */
static int
compare_boxes (gconstpointer a, gconstpointer b)
{
  const Box *first = a, *second = b;

  return (first->score < second->score) - (first->score > second->score);
}

FoveaCandidates *
fovea_locator_run (FoveaLocator *locator, const FoveaPhoto *photo, int tiles, gboolean pyramid, GCancellable *cancellable, FoveaProgress progress,
                   gpointer user_data, GError **error)
{
  const FoveaSettings *settings = fovea_locator_get_settings (locator);
  g_autoptr (GArray) list = NULL, boxes = g_array_new (FALSE, FALSE, sizeof (Box));
  Search search = { locator, photo, cancellable, progress, user_data, 0, 0, boxes };

  if (photo->width < 1 || photo->height < 1)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The photo has no pixels; give one that has."));
      return NULL;
    }
  list = photo_tiles_new (photo->width, photo->height, locator->classifier ? 1 : tiles, pyramid, MAX (settings->width, settings->height));
  search.n_tiles = list->len;
  for (; search.tile < list->len; search.tile++)
    if (!search_tile (&search, &g_array_index (list, PhotoTile, search.tile), error))
      return NULL;
  report (0, &search);
  g_array_sort (boxes, compare_boxes);
  if (boxes->len > BOXES_MAX)
    g_array_set_size (boxes, BOXES_MAX);
  return candidates_new (settings, photo->width, photo->height, locator->classifier != NULL, g_steal_pointer (&boxes));
}
