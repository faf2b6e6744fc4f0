/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sample-test.c: the sample that a bioimage.io description brings: one array in, one out, as NumPy's files beside it. What our settings make of the test input must
 * give the test output, or the settings aren't what the model's makers mean.
 *
 *   test input ── values as the settings say ──> network ── activation ──> compared with the test output
 *
 * Only plain files of the description's own folder are read.
 */

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/npy.h"
#include "base/tensor.h"
#include "vision/beside.h"
#include "vision/json-look.h"

#define TOLERANCE 1e-3 /* as the makers' own tests have it */

/* ---- the arrays -------------------------------------------------------------------------------------------------------------------------- */

/* The file of the first input or output: in the newer descriptions it is the port's own, in the older ones there is a list. */
static const char *
find_source (JsonObject *description, const char *ports, const char *list)
{
  const char *source = look_string (look_object (look_element_object (look_array (description, ports), 0), "test_tensor"), "source");

  return source ? source : look_element_string (look_array (description, list), 0);
}

static FoveaTensor *
load_array (const FoveaModel *model, const char *folder, const char *source, GError **error)
{
  g_autofree char   *name = g_utf8_make_valid (source, -1), *path = g_build_filename (folder, source, NULL), *text = NULL;
  g_autoptr (GError) local = NULL;
  FoveaTensor       *tensor = NULL;
  gsize              length;

  if (!strpbrk (source, "/\\") && !g_file_test (path, G_FILE_TEST_IS_SYMLINK) && beside_read (model, path, &text, &length, &local))
    tensor = npy_parse (text, length, name, &local);
  if (!tensor)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("Its sample can't be tried: %s"), local ? local->message : _("its files aren't beside it."));
  return tensor;
}

/* ---- what the network sees ---------------------------------------------------------------------------------------------------------------- */

/* Where the values of a channel lie: the first, how far apart, how many. */
typedef struct
{
  gsize first, step, n;
} Channel;

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  float difference = *(const float *) a - *(const float *) b;

  return (difference > 0) - (difference < 0);
}

static double
find_percentile (const float *values, const Channel *channel, double percent)
{
  g_autofree float *sorted = g_new (float, channel->n);
  double            rank = percent / 100 * (double) (channel->n - 1);
  gsize             below = (gsize) floor (rank), above = (gsize) ceil (rank);

  for (gsize i = 0; i < channel->n; i++)
    sorted[i] = values[channel->first + i * channel->step];
  qsort (sorted, channel->n, sizeof *sorted, compare_numbers);
  return (double) sorted[below] + (rank - floor (rank)) * (double) (sorted[above] - sorted[below]);
}

/* As input.c prepares photos, whose bytes are numbers here: value * scale + shift. */
static void
measure_channel (const FoveaSettings *settings, int c, double white, const float *values, const Channel *channel, double *scale, double *shift)
{
  double low = 0, high = 0;

  if (settings->normalize == FOVEA_NORMALIZE_FIXED || settings->normalize == FOVEA_NORMALIZE_GREATEST)
    {
      *scale = settings->range / white / settings->std[c];
      *shift = -settings->mean[c] / settings->std[c];
      return;
    }
  if (settings->normalize == FOVEA_NORMALIZE_PERCENTILES)
    {
      low = find_percentile (values, channel, settings->percentiles[0]);
      high = find_percentile (values, channel, settings->percentiles[1]);
    }
  else
    {
      double squares = 0;

      for (gsize i = 0; i < channel->n; i++)
        low += (double) values[channel->first + i * channel->step] / (double) channel->n;
      for (gsize i = 0; i < channel->n; i++)
        squares += pow ((double) values[channel->first + i * channel->step] - low, 2);
      high = low + sqrt (squares / (double) channel->n);
    }
  *scale = 1 / (high - low + 1e-6);
  *shift = -low * *scale;
}

static double
find_white (const FoveaSettings *settings, const float *photo, gsize n)
{
  float greatest = 1;

  if (settings->normalize != FOVEA_NORMALIZE_GREATEST)
    return 255;
  for (gsize i = 0; i < n; i++)
    greatest = MAX (greatest, photo[i]);
  return (double) greatest;
}

/* (N, C, H, W) or (N, H, W, C), in place. */
static void
prepare_values (const FoveaSettings *settings, const FoveaShape *shape, float *values)
{
  gsize  n_channels = (gsize) settings->channels, photo = shape_count_range (shape, 1, shape->n_dims), n = photo / n_channels;
  double white = 255;

  for (gsize k = 0; k < (gsize) shape->dims[0] * n_channels; k++)
    {
      gsize   c = k % n_channels, begin = k / n_channels * photo;
      Channel channel = { begin + (settings->nhwc ? c : c * n), settings->nhwc ? n_channels : 1, n };
      double  scale, shift;

      if (c == 0)
        white = find_white (settings, values + begin, photo);
      measure_channel (settings, (int) c, white, values, &channel, &scale, &shift);
      for (gsize i = 0; i < n; i++)
        values[channel.first + i * channel.step] = (float) ((double) values[channel.first + i * channel.step] * scale + shift);
    }
}

/* ---- running ------------------------------------------------------------------------------------------------------------------------------ */

static gboolean
check_input (const FoveaModel *model, const FoveaSettings *settings, const FoveaTensor *sample, GError **error)
{
  const FoveaShape *shape = &sample->shape;

  if (fovea_model_get_n_inputs (model) == 1 && fovea_model_get_input (model, 0)->type == FOVEA_TYPE_FLOAT32 && shape->n_dims == 4 && shape_count (shape) > 0
      && shape->dims[settings->nhwc ? 3 : 1] == settings->channels)
    return TRUE;
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("Its sample can't be tried: it isn't one photo's numbers for one input."));
  return FALSE;
}

static FoveaSession *
run_network (FoveaModel *model, const FoveaSettings *settings, const FoveaTensor *sample, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession)        session = NULL;
  FoveaTensor                    *in;

  if (!check_input (model, settings, sample, error))
    return NULL;
  fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &sample->shape);
  session = fovea_session_new (model, options, error);
  if (!session)
    return NULL;
  in = fovea_session_get_input (session, 0);
  tensor_read_float (sample, 0, shape_count (&sample->shape), in->data);
  prepare_values (settings, &sample->shape, in->data);
  return fovea_session_run (session, cancellable, NULL, NULL, error) ? g_steal_pointer (&session) : NULL;
}

/* Over the channels; layouts of outputs are those of inputs. */
static void
apply_softmax (const FoveaShape *shape, gboolean nhwc, float *values)
{
  gsize n_channels = (gsize) shape->dims[nhwc ? shape->n_dims - 1 : 1], photo = shape_count_range (shape, 1, shape->n_dims), n = photo / n_channels;

  for (gsize i = 0; i < (gsize) shape->dims[0] * n; i++)
    {
      float *first = values + i / n * photo + (nhwc ? i % n * n_channels : i % n);
      gsize  step = nhwc ? 1 : n;
      double most = -INFINITY, sum = 0;

      for (gsize c = 0; c < n_channels; c++)
        most = MAX (most, (double) first[c * step]);
      for (gsize c = 0; c < n_channels; c++)
        sum += exp ((double) first[c * step] - most);
      for (gsize c = 0; c < n_channels; c++)
        first[c * step] = (float) (exp ((double) first[c * step] - most) / sum);
    }
}

static void
apply_activation (const FoveaSettings *settings, const FoveaShape *shape, float *values, gsize n)
{
  if (settings->activation == FOVEA_ACTIVATION_SIGMOID)
    for (gsize i = 0; i < n; i++)
      values[i] = 1 / (1 + expf (-values[i]));
  else if (settings->activation == FOVEA_ACTIVATION_SOFTMAX && shape->n_dims >= 2)
    apply_softmax (shape, settings->nhwc, values);
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------------------------- */

/* The largest difference as a share of the range that is expected. Where yes and no are expected, the makers have drawn a border: the share of answers that fall on
 * its other side. */
static double
compare (const FoveaSettings *settings, const float *expected, const float *got, gsize n)
{
  float    least = INFINITY, most = -INFINITY;
  gboolean is_decided = TRUE;
  double   difference = 0, n_wrong = 0;

  for (gsize i = 0; i < n; i++)
    {
      least = MIN (least, expected[i]);
      most = MAX (most, expected[i]);
      is_decided = is_decided && (expected[i] == 0 || expected[i] == 1);
      n_wrong += (expected[i] > 0.5f) != ((double) got[i] > settings->threshold);
      if (!(fabsf (expected[i] - got[i]) <= difference)) /* NaN is a difference */
        difference = isfinite (got[i]) ? fabs ((double) expected[i] - (double) got[i]) : INFINITY;
    }
  difference /= MAX ((double) most - (double) least, 1e-6);
  return is_decided ? MIN (difference, n_wrong / (double) n) : difference;
}

FoveaSample
fovea_model_try_sample (FoveaModel *model, const FoveaSettings *settings, double *difference, GCancellable *cancellable, GError **error)
{
  g_autofree char         *folder = NULL, *name = NULL;
  g_autoptr (JsonObject)   description = bioimage_open (model, &folder, &name, NULL);
  const char              *in = find_source (description, "inputs", "test_inputs"), *out = find_source (description, "outputs", "test_outputs");
  g_autoptr (FoveaTensor)  sample = in && out ? load_array (model, folder, in, error) : NULL;
  g_autoptr (FoveaTensor)  expected = sample ? load_array (model, folder, out, error) : NULL;
  g_autoptr (FoveaSession) session = expected ? run_network (model, settings, sample, cancellable, error) : NULL;
  const FoveaTensor       *answer;
  double                   found = INFINITY;

  if (!session)
    return FOVEA_SAMPLE_ABSENT;
  answer = fovea_session_get_output (session, 0);
  if (shape_equal (&answer->shape, &expected->shape))
    {
      gsize             n = shape_count (&answer->shape);
      g_autofree float *wanted = g_new (float, n), *got = g_new (float, n);

      tensor_read_float (expected, 0, n, wanted);
      tensor_read_float (answer, 0, n, got);
      apply_activation (settings, &answer->shape, got, n);
      found = compare (settings, wanted, got, n);
    }
  if (difference)
    *difference = found;
  return found <= TOLERANCE ? FOVEA_SAMPLE_RIGHT : FOVEA_SAMPLE_WRONG;
}
