/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sam.c: see sam.h.
 *
 *   photo ── encoder ──> features, kept ──┐
 *   points, box ──────────────────────────┴── decoder ──> masks and how good each is ──> the best one
 *
 * Points are in pixels of the encoder's input, a box is its two corners with labels of their own, and a place without a meaning stands where there is no box, as the
 * networks were trained. Inputs of the decoder are told by their names; those that have the name or the shape of an output of the encoder get that.
 */

#include "vision/sam.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "vision/beside.h"
#include "vision/families.h"
#include "vision/input.h"

#define FAMILY_ENCODER "sam-encoder"
#define FAMILY_DECODER "sam-decoder"
#define ENCODE_SHARE   0.9 /* of the time */

enum { LABEL_OUTSIDE = 0, LABEL_INSIDE = 1, LABEL_FIRST_CORNER = 2, LABEL_LAST_CORNER = 3, LABEL_NONE = -1 };

typedef struct
{
  float x, y; /* pixels of the encoder's input */
  int   label;
} Place;

struct _Sam
{
  FoveaModel    *encoder, *decoder;
  FoveaSettings *settings;
  FoveaSession  *encoding, *decoding;
  guint          n_threads;
  guint          n_places;   /* that the decoder's session is for, likewise: */
  double         size[2];    /* height, width of the photo in the encoder's input */
  char          *seen;       /* the checksum of what was encoded; NULL: nothing */
};

gboolean
sam_knows (const char *family)
{
  return g_strcmp0 (family, FAMILY_ENCODER) == 0 || g_strcmp0 (family, FAMILY_DECODER) == 0;
}

/* ---- the other file ------------------------------------------------------------------------------------------------------ */

/* `name` with the last `word` in it replaced, if such a file is there. */
static char *
find_replaced (const char *folder, const char *name, const char *word, const char *other)
{
  const char      *at = g_strrstr (name, word);
  g_autofree char *changed = at ? g_strdup_printf ("%.*s%s%s", (int) (at - name), name, other, at + strlen (word)) : NULL;
  g_autofree char *path = changed ? g_build_filename (folder, changed, NULL) : NULL;

  return path && g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

char *
sam_find_partner (const FoveaModel *model, const FoveaSettings *settings, GError **error)
{
  static const char *const words[][2] = { { "encoder", "decoder" }, { "Encoder", "Decoder" }, { "ENCODER", "DECODER" }, { "vision_encoder", "prompt_encoder_mask_decoder" } };
  const char              *file = fovea_model_get_path (model);
  gboolean                 is_encoder = g_strcmp0 (settings->family, FAMILY_ENCODER) == 0;
  g_autofree char         *folder = file ? g_path_get_dirname (file) : NULL, *name = file ? g_path_get_basename (file) : NULL;
  g_autofree char         *beside = beside_path (model, ".partner"), *named = NULL, *path = NULL;

  if (folder && settings->partner)
    {
      named = g_build_filename (folder, settings->partner, NULL);
      if (g_file_test (named, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&named);
    }
  if (beside && g_file_test (beside, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&beside);
  for (gsize i = 0; folder && !path && i < G_N_ELEMENTS (words); i++)
    path = find_replaced (folder, name, words[i][is_encoder ? 0 : 1], words[i][is_encoder ? 1 : 0]);
  if (!path)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
                 _("“%s” is one half of a pair, the %s; the %s isn't beside it. Put it there under the same name with “%s” in it, or name it as “partner” in “%s.json”."),
                 fovea_model_get_name (model), is_encoder ? "encoder" : "decoder", is_encoder ? "decoder" : "encoder", is_encoder ? "decoder" : "encoder",
                 fovea_model_get_name (model));
  return g_steal_pointer (&path);
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static gboolean
start_encoder (Sam *sam, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort                *port = fovea_model_get_input (sam->encoder, 0);
  FoveaShape                      shape;

  if (fovea_model_get_n_inputs (sam->encoder) != 1)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The encoder “%s” has %u inputs; choose one that takes a photo and nothing else."),
                   fovea_model_get_name (sam->encoder), fovea_model_get_n_inputs (sam->encoder));
      return FALSE;
    }
  if (!fovea_settings_get_input_shape (sam->settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_threads (options, sam->n_threads);
  fovea_session_options_set_shape (options, port->name, &shape);
  sam->encoding = fovea_session_new (sam->encoder, options, error);
  return sam->encoding != NULL;
}

Sam *
sam_new (FoveaModel *model, const FoveaSettings *settings, guint n_threads, GError **error)
{
  gboolean                  is_encoder = g_strcmp0 (settings->family, FAMILY_ENCODER) == 0;
  g_autofree char          *path = sam_find_partner (model, settings, error);
  g_autoptr (FoveaModel)    partner = path ? fovea_model_load (path, error) : NULL;
  g_autoptr (FoveaSettings) other = partner ? fovea_settings_read (partner, error) : NULL;
  Sam                      *sam;

  if (!other)
    return NULL;
  if (g_strcmp0 (other->family, is_encoder ? FAMILY_DECODER : FAMILY_ENCODER) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("“%s” isn't the %s that “%s” needs. Name the right file as “partner” in “%s.json”."), path,
                   is_encoder ? "decoder" : "encoder", fovea_model_get_name (model), fovea_model_get_name (model));
      return NULL;
    }
  sam = g_new0 (Sam, 1);
  sam->encoder = fovea_model_ref (is_encoder ? model : partner);
  sam->decoder = fovea_model_ref (is_encoder ? partner : model);
  sam->settings = is_encoder ? fovea_settings_copy (settings) : g_steal_pointer (&other);
  sam->n_threads = n_threads;
  if (!start_encoder (sam, error))
    g_clear_pointer (&sam, sam_free);
  return sam;
}

void
sam_free (Sam *sam)
{
  if (!sam)
    return;
  g_clear_pointer (&sam->encoding, fovea_session_free);
  g_clear_pointer (&sam->decoding, fovea_session_free);
  g_clear_pointer (&sam->encoder, fovea_model_unref);
  g_clear_pointer (&sam->decoder, fovea_model_unref);
  fovea_settings_free (sam->settings);
  g_free (sam->seen);
  g_free (sam);
}

const FoveaSettings *
sam_get_settings (const Sam *sam)
{
  return sam->settings;
}

/* ---- the photo ---------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  FoveaProgress progress;
  gpointer      user_data;
} Report;

static void
report_encoding (double fraction, gpointer user_data)
{
  const Report *report = user_data;

  if (report->progress)
    report->progress (ENCODE_SHARE * fraction, report->user_data);
}

/* What isn't photo is 0 after the mean was taken away, which no colour of 8 bits is exactly. */
static void
clear_padding (const Sam *sam, FoveaTensor *tensor, int width, int height)
{
  const FoveaSettings *settings = sam->settings;
  gsize                size = fovea_type_size (tensor->type), pixel = settings->nhwc ? (gsize) settings->channels : 1;
  gsize                planes = settings->nhwc ? 1 : (gsize) settings->channels, row = (gsize) settings->width * pixel * size;

  if (settings->resize != FOVEA_RESIZE_LETTERBOX_CORNER || !type_is_float (tensor->type))
    return;
  for (gsize plane = 0; plane < planes; plane++)
    for (int y = 0; y < settings->height; y++)
      {
        guint8 *line = (guint8 *) tensor->data + (plane * settings->height + y) * row;
        gsize   from = y < height ? (gsize) width * pixel * size : 0;

        memset (line + from, 0, row - from);
      }
}

/* The features of the photo that `input` has. */
static gboolean
encode (Sam *sam, FoveaInput *input, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  int              width, height;
  const guint8    *pixels = fovea_input_get_pixels (input, &width, &height);
  g_autofree char *seen = g_compute_checksum_for_data (G_CHECKSUM_SHA256, pixels, (gsize) width * (gsize) height * 3);
  FoveaTensor     *tensor = fovea_session_get_input (sam->encoding, 0);
  Report           report = { progress, user_data };

  if (g_strcmp0 (seen, sam->seen) == 0)
    return TRUE;
  g_clear_pointer (&sam->seen, g_free);
  fovea_input_write (input, tensor);
  clear_padding (sam, tensor, (int) sam->size[1], (int) sam->size[0]);
  if (!fovea_session_run (sam->encoding, cancellable, report_encoding, &report, error))
    return FALSE;
  sam->seen = g_steal_pointer (&seen);
  return TRUE;
}

/* ---- places -------------------------------------------------------------------------------------------------------------------- */

static void
add_place (GArray *places, const FoveaInput *input, double x, double y, int label)
{
  double scale[2], offset[2];
  Place  place;

  input_get_mapping (input, scale, offset);
  place = (Place) { (float) (x / scale[0] + offset[0] - 0.5), (float) (y / scale[1] + offset[1] - 0.5), label }; /* a pixel's middle is a whole number here */
  g_array_append_val (places, place);
}

/* FALSE: nothing is marked. */
static gboolean
find_places (const FoveaPhoto *photo, const FoveaPrompt *prompt, const FoveaInput *input, GArray *places, GError **error)
{
  static const Place none = { 0.0f, 0.0f, LABEL_NONE };
  double             cover[4];

  if (!prompt_find_cover (prompt, photo, cover, error))
    return FALSE;
  for (gsize i = 0; i < prompt->n_points; i++)
    add_place (places, input, prompt->points[i].x, prompt->points[i].y, prompt->points[i].inside ? LABEL_INSIDE : LABEL_OUTSIDE);
  if (prompt->region)
    {
      add_place (places, input, cover[0], cover[1], LABEL_FIRST_CORNER);
      add_place (places, input, cover[2], cover[3], LABEL_LAST_CORNER);
    }
  else
    g_array_append_val (places, none);
  return TRUE;
}

/* ---- the mask -------------------------------------------------------------------------------------------------------------------- */

/* Numbers of any type into an input. */
static void
fill (FoveaTensor *tensor, gsize first, double value)
{
  if (tensor->type == FOVEA_TYPE_INT64)
    ((gint64 *) tensor->data)[first] = (gint64) value;
  else if (tensor->type == FOVEA_TYPE_INT32)
    ((gint32 *) tensor->data)[first] = (gint32) value;
  else if (tensor->type == FOVEA_TYPE_FLOAT32)
    ((float *) tensor->data)[first] = (float) value;
}

/* The output of the encoder that the decoder's input takes; NULL: none. */
static const FoveaTensor *
find_feature (const Sam *sam, const FoveaPort *port)
{
  guint n = fovea_model_get_n_outputs (sam->encoder);

  for (guint i = 0; i < n; i++)
    if (strcmp (fovea_model_get_output (sam->encoder, i)->name, port->name) == 0)
      return fovea_session_get_output (sam->encoding, i);
  for (guint i = 0; i < n; i++)
    {
      const FoveaTensor *out = fovea_session_get_output (sam->encoding, i);
      gboolean           fits = port->has_rank && port->shape.n_dims == out->shape.n_dims && port->shape.n_dims == 4;

      for (guint d = 0; d < out->shape.n_dims && fits; d++)
        fits = port->shape.dims[d] < 0 || port->shape.dims[d] == out->shape.dims[d];
      if (fits && g_str_has_prefix (port->name, "image_embed"))
        return out;
    }
  return NULL;
}

static FoveaShape
shape_of (const Sam *sam, const FoveaPort *port, guint n_places)
{
  const FoveaTensor *feature = find_feature (sam, port), *first = fovea_session_get_output (sam->encoding, 0);
  FoveaShape         shape = port->has_rank ? port->shape : (FoveaShape) { 1, { 1 } };

  if (feature)
    return feature->shape;
  for (guint i = 0; i < shape.n_dims; i++)
    if (shape.dims[i] < 0)
      shape.dims[i] = strncmp (port->name, "point_", 6) == 0 ? (i == 1 ? n_places : i == 2 ? 2 : 1) : i < 2 || first->shape.n_dims != 4 ? 1 : 4 * first->shape.dims[i];
  return shape;
}

/* What shapes depend on: it must be known before. */
static gboolean
bind_size (const Sam *sam, FoveaSessionOptions *options, const FoveaPort *port, GError **error)
{
  FoveaShape              shape = { 1, { 2 } };
  g_autoptr (FoveaTensor) value = fovea_tensor_new (port->type, &shape, error);

  if (!value)
    return FALSE;
  fill (value, 0, sam->size[0]);
  fill (value, 1, sam->size[1]);
  fovea_session_options_bind (options, port->name, value);
  return TRUE;
}

/* A session for so many places and a photo of that size, unless there is one. */
static gboolean
start_decoder (Sam *sam, guint n_places, gboolean resized, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();

  if (sam->decoding && sam->n_places == n_places && !resized)
    return TRUE;
  g_clear_pointer (&sam->decoding, fovea_session_free);
  fovea_session_options_set_threads (options, sam->n_threads);
  for (guint i = 0; i < fovea_model_get_n_inputs (sam->decoder); i++)
    {
      const FoveaPort *port = fovea_model_get_input (sam->decoder, i);
      FoveaShape       shape = shape_of (sam, port, n_places);

      if (strcmp (port->name, "orig_im_size") == 0 ? !bind_size (sam, options, port, error) : (fovea_session_options_set_shape (options, port->name, &shape), FALSE))
        return FALSE;
    }
  sam->decoding = fovea_session_new (sam->decoder, options, error);
  sam->n_places = n_places;
  return sam->decoding != NULL;
}

static gboolean
fill_input (Sam *sam, guint i, const GArray *places, GError **error)
{
  const FoveaPort   *port = fovea_model_get_input (sam->decoder, i);
  const FoveaTensor *feature = find_feature (sam, port);
  FoveaTensor       *tensor = fovea_session_get_input (sam->decoding, i);
  gboolean           coordinates = strcmp (port->name, "point_coords") == 0;

  if (coordinates || strcmp (port->name, "point_labels") == 0)
    for (guint k = 0; k < places->len; k++)
      {
        const Place *place = &g_array_index (places, Place, k);

        fill (tensor, coordinates ? 2 * k : k, coordinates ? place->x : place->label);
        if (coordinates)
          fill (tensor, 2 * k + 1, place->y);
      }
  else if (strcmp (port->name, "orig_im_size") == 0)
    {
      fill (tensor, 0, sam->size[0]);
      fill (tensor, 1, sam->size[1]);
    }
  else if (feature && feature->type == tensor->type && feature->size == tensor->size)
    memcpy (tensor->data, feature->data, feature->size);
  else if (strcmp (port->name, "mask_input") == 0 || strcmp (port->name, "has_mask_input") == 0)
    memset (tensor->data, 0, tensor->size);
  else
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("What the decoder “%s” wants as its input “%s” isn't known. Choose a pair of the usual form."),
                   fovea_model_get_name (sam->decoder), port->name);
      return FALSE;
    }
  return TRUE;
}

/* Masks (1, n, height, width), and how good each is (1, n). */
static void
find_outputs (const Sam *sam, const FoveaTensor **masks, const FoveaTensor **quality)
{
  *masks = *quality = NULL;
  for (guint i = 0; i < fovea_model_get_n_outputs (sam->decoder); i++)
    {
      const FoveaTensor *out = fovea_session_get_output (sam->decoding, i);

      if (out->shape.n_dims == 4 && (!*masks || strcmp (fovea_model_get_output (sam->decoder, i)->name, "masks") == 0))
        *masks = out;
      else if (out->shape.n_dims == 2 && !*quality)
        *quality = out;
    }
}

/* Of four the first is meant for prompts that leave no doubt, and the others for a single point, which may mean a part or the whole. */
static gsize
choose_mask (const FoveaTensor *masks, const FoveaTensor *quality, guint n_points)
{
  gsize n = (gsize) masks->shape.dims[1], best = n == 4 && n_points == 1;
  float greatest = -INFINITY;

  if (n == 4 && n_points != 1)
    return 0;
  for (gsize i = best; quality && i < MIN (n, (gsize) quality->shape.dims[1]); i++)
    {
      float value;

      tensor_read_float (quality, i, 1, &value);
      if (value > greatest)
        {
          greatest = value;
          best = i;
        }
    }
  return best;
}

/* The mask of the encoder's whole input, or of the photo where the decoder knows its size. */
static MaskStack *
decode (Sam *sam, const GArray *places, guint n_points, GCancellable *cancellable, GError **error)
{
  const FoveaTensor    *masks, *quality;
  g_autoptr (MaskStack) stack = g_new0 (MaskStack, 1);
  gsize                 n;

  for (guint i = 0; i < fovea_model_get_n_inputs (sam->decoder); i++)
    if (!fill_input (sam, i, places, error))
      return NULL;
  if (!fovea_session_run (sam->decoding, cancellable, NULL, NULL, error))
    return NULL;
  find_outputs (sam, &masks, &quality);
  if (!masks || masks->shape.dims[0] != 1 || masks->shape.dims[1] < 1 || masks->shape.dims[2] > G_MAXINT || masks->shape.dims[3] > G_MAXINT)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("No output of the decoder “%s” is masks of one photo. Choose a pair of the usual form."),
                   fovea_model_get_name (sam->decoder));
      return NULL;
    }
  stack->n = 1;
  stack->classes = g_new0 (gsize, 1);
  stack->height = (int) masks->shape.dims[2];
  stack->width = (int) masks->shape.dims[3];
  n = (gsize) stack->width * (gsize) stack->height;
  stack->shares = memory_alloc_n (n, sizeof (float), "the mask", error);
  if (!stack->shares)
    return NULL;
  tensor_read_float (masks, choose_mask (masks, quality, n_points) * n, n, stack->shares);
  for (gsize i = 0; i < n; i++)
    stack->shares[i] = 1.0f / (1.0f + expf (-stack->shares[i]));
  return g_steal_pointer (&stack);
}

static gboolean
has_input (const FoveaModel *model, const char *name)
{
  for (guint i = 0; i < fovea_model_get_n_inputs (model); i++)
    if (strcmp (fovea_model_get_input (model, i)->name, name) == 0)
      return TRUE;
  return FALSE;
}

MaskStack *
sam_run (Sam *sam, const FoveaPhoto *photo, const FoveaPrompt *prompt, FoveaInput *guide, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
         GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (sam->settings, photo->width, photo->height, error);
  g_autoptr (GArray)     places = g_array_new (FALSE, FALSE, sizeof (Place));
  MaskStack             *stack;
  double                 scale[2], offset[2], size[2];
  gboolean               resized;

  if (!input || !find_places (photo, prompt, input, places, error))
    return NULL;
  input_get_mapping (input, scale, offset);
  size[0] = rint (photo->height / scale[1]);
  size[1] = rint (photo->width / scale[0]);
  resized = size[0] != sam->size[0] || size[1] != sam->size[1];
  memcpy (sam->size, size, sizeof size);
  if (!masks_push_rows (photo, input, guide, sam->encoding, cancellable, error) || !encode (sam, input, cancellable, progress, user_data, error)
      || !start_decoder (sam, places->len, resized, error))
    return NULL;
  stack = decode (sam, places, prompt->region ? 0 : (guint) prompt->n_points, cancellable, error);
  if (stack && !has_input (sam->decoder, "orig_im_size"))
    stack = masks_place (stack, sam->settings, input, photo, error);
  if (stack && progress)
    progress (1.0, user_data);
  return stack;
}
