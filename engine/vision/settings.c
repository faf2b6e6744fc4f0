/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: FoveaSettings: how a photo becomes a network's input and what its output means, gathered from the places where that may be written.
 *
 * The first place that has a setting wins: what the caller gives, the sidecar MODEL.json, metadata_props, MODEL.labels.txt, a Hugging Face or bioimage.io
 * description beside the model, labels.txt where the number fits. What the model's own shapes say (layout, channels, a fixed size) wins over all, since nothing
 * else could run. What is left is as usual for the network's family, which names and shapes tell (families.c), and then as commonest: that is said to be
 * unknown.
 */

#include "vision/settings.h"

#include <glib/gi18n.h>
#include <string.h>

#include "run/session.h"
#include "vision/beside.h"
#include "vision/families.h"
#include "vision/labels.h"
#include "vision/literal.h"
#include "vision/sidecar.h"

#define DEFAULT_SIZE      224
#define DEFAULT_THRESHOLD 0.25
#define DEFAULT_OVERLAP   0.45
#define PROBE_SIZE        640 /* for shapes that depend on the size of the input, where nothing says one */

static const double imagenet_mean[3] = { 0.485, 0.456, 0.406 }, imagenet_std[3] = { 0.229, 0.224, 0.225 };

typedef struct
{
  const FoveaModel *model;
  FoveaSettings    *settings;
  guint             found;
  const Family     *family; /* NULL: none that is known */
  GString          *sources;
} Search;

static void
note (Search *search, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (Search *search, const char *format, ...)
{
  va_list arguments;

  if (search->sources->len)
    g_string_append_c (search->sources, '\n');
  va_start (arguments, format);
  g_string_append_vprintf (search->sources, format, arguments);
  va_end (arguments);
}

/* "size, labels: where" for what was found since `before`. Words that are marked with N_ are translated by who shows them, and so are those with a name or numbers in
 * them (plugin/import-page.c, translate_source): change both. */
static void
note_found (Search *search, guint before, const char *where)
{
  guint found = search->found & ~before;

  if (found)
    {
      g_autofree char *names = sidecar_name_settings (found);

      note (search, "%s: %s", names, where);
    }
}

/* ---- files beside the model ------------------------------------------------------------------------------------------------------------- */

static gboolean
read_given (Search *search, GHashTable *given, GError **error)
{
  g_autoptr (JsonObject) object = given ? settings_text_to_json (given, error) : NULL;
  g_autoptr (GError)     local = NULL;
  guint                  before = search->found;

  if (!given)
    return TRUE;
  if (!object)
    return FALSE;
  if (!sidecar_apply (search->settings, &search->found, object, &local))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The setting can't be used: %s."), local->message);
      return FALSE;
    }
  note_found (search, before, "given");
  return TRUE;
}

static gboolean
read_sidecar (Search *search, GError **error)
{
  g_autofree char *path = beside_path (search->model, ".json"), *text = NULL, *name = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  guint before = search->found;
  gsize length;

  if (!beside_read (search->model, path, &text, &length, &local))
    {
      if (!local)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  node = literal_parse (text, length, &local);
  if (node && !JSON_NODE_HOLDS_OBJECT (node))
    g_set_error_literal (&local, FOVEA_ERROR, FOVEA_ERROR_FILE, _("it isn't an object"));
  if (local || !sidecar_apply (search->settings, &search->found, json_node_get_object (node), &local))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The model's settings in “%s” can't be used: %s. Correct or remove that file."), path,
                   local->message);
      return FALSE;
    }
  name = g_filename_display_basename (path);
  note_found (search, before, name);
  return TRUE;
}

static gboolean
read_label_file (Search *search, GError **error)
{
  g_autofree char *path = beside_path (search->model, ".labels.txt"), *text = NULL, *name = NULL;
  g_autoptr (GError) local = NULL;
  gsize length, n;
  char **labels;

  if (search->found & SETTING_LABELS)
    return TRUE;
  if (!beside_read (search->model, path, &text, &length, &local))
    {
      if (!local)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  labels = labels_from_text (text, length, &n, &local);
  if (!labels)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The labels in “%s” can't be used: %s. Correct or remove that file."), path, local->message);
      return FALSE;
    }
  settings_take_labels (search->settings, labels, n);
  search->found |= SETTING_LABELS;
  name = g_filename_display_basename (path);
  note (search, "labels: %s", name);
  return TRUE;
}

/* What others write beside their models. What can't be used is left out, and it is said: it may belong to something else. */
static void
read_foreign (Search *search)
{
  static JsonObject *(*const readers[]) (const FoveaModel *model, char **where, GError **error) = { hugging_face_read, bioimage_read };

  for (gsize i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      g_autofree char       *where = NULL;
      g_autoptr (GError)     error = NULL;
      g_autoptr (JsonObject) object = readers[i] (search->model, &where, &error);
      guint                  before = search->found;

      if (object)
        sidecar_apply (search->settings, &search->found, object, &error);
      if (object)
        note_found (search, before, where);
      if (error)
        note (search, "left out from a file beside the model: %s", error->message);
    }
}

/* ---- metadata_props --------------------------------------------------------------------------------------------------------------------- */

/* Settings of our own, in the sidecar's words. */
static void
apply_text (Search *search, const char *text)
{
  g_autoptr (JsonNode) node = literal_parse (text, strlen (text), NULL);

  sidecar_apply (search->settings, &search->found, json_node_get_object (node), NULL);
}

/* What Ultralytics' exports take for granted: 0 to 1, classifiers without a margin, all others letterboxed. */
static void
apply_ultralytics (Search *search)
{
  static const char classifier[] = "{'fovea': {'input': {'range': 1, 'resize': 'shortest-crop', 'crop_scale': 1}}}";
  static const char other[] = "{'fovea': {'input': {'range': 1, 'resize': 'letterbox', 'pad': 114}}}";
  const char *author = fovea_model_get_metadata (search->model, "author"), *task = fovea_model_get_metadata (search->model, "task");

  if (g_strcmp0 (author, "Ultralytics") == 0)
    apply_text (search, g_strcmp0 (task, "classify") == 0 ? classifier : other);
}

/* What Windows' own machine learning writes. */
static void
apply_windows (Search *search)
{
  static const struct
  {
    const char *key, *value, *settings;
  } words[] = {
    { "Image.BitmapPixelFormat", "Bgr8", "{'fovea': {'input': {'colour': 'bgr'}}}" },
    { "Image.BitmapPixelFormat", "Rgb8", "{'fovea': {'input': {'colour': 'rgb'}}}" },
    { "Image.NominalPixelRange", "NominalRange_0_255", "{'fovea': {'input': {'range': 255}}}" },
    { "Image.NominalPixelRange", "Normalized_0_1", "{'fovea': {'input': {'range': 1}}}" },
    { "Image.NominalPixelRange", "Normalized_1_1", "{'fovea': {'input': {'range': 1, 'mean': 0.5, 'std': 0.5}}}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_strcmp0 (fovea_model_get_metadata (search->model, words[i].key), words[i].value) == 0)
      apply_text (search, words[i].settings);
}

/* Each key for itself, so that what can't be read doesn't take the rest with it: models by others may mean something else by a word. */
static void
read_metadata (Search *search)
{
  static const char *const keys[] = { "fovea", "task", "imgsz", "names" };
  guint before = search->found;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const char *text = fovea_model_get_metadata (search->model, keys[i]);
      g_autoptr (JsonObject) object = json_object_new ();
      g_autoptr (GError) error = NULL;
      JsonNode *node = NULL;

      if (!text)
        continue;
      if (strcmp (keys[i], "task") == 0)
        json_object_set_string_member (object, keys[i], text);
      else if ((node = literal_parse (text, strlen (text), &error)))
        json_object_set_member (object, keys[i], node);
      if (error || !sidecar_apply (search->settings, &search->found, object, &error))
        note (search, "left out from the model's metadata: %s: %s", keys[i], error->message);
    }
  apply_ultralytics (search);
  apply_windows (search);
  note_found (search, before, N_("the model's metadata"));
}

/* ---- shapes ----------------------------------------------------------------------------------------------------------------------------- */

/* Where channels, height and width of a photo are among the dimensions; FALSE if it isn't the shape of photos. */
static gboolean
find_dims (const FoveaPort *port, gboolean nhwc_wished, guint *channels, guint *height, guint *width)
{
  guint    first = port->shape.n_dims == 4;
  gint64   at_first, at_last;
  gboolean nhwc;

  if (!port->has_rank || port->shape.n_dims < 3 || port->shape.n_dims > 4)
    return FALSE;
  at_first = port->shape.dims[first];
  at_last = port->shape.dims[first + 2];
  if (at_first == 3 || at_first == 1)
    nhwc = (at_last == 3 || at_last == 1) && nhwc_wished;
  else if (at_last == 3 || at_last == 1)
    nhwc = TRUE;
  else if (at_first < 0 || at_last < 0)
    nhwc = at_first < 0 && at_last < 0 ? nhwc_wished : at_last < 0;
  else
    return FALSE;
  *channels = nhwc ? first + 2 : first;
  *height = nhwc ? first : first + 1;
  *width = *height + 1;
  return TRUE;
}

static gboolean
input_is_photo (const FoveaPort *port)
{
  return port->type == FOVEA_TYPE_FLOAT32 || port->type == FOVEA_TYPE_FLOAT16 || port->type == FOVEA_TYPE_FLOAT64 || port->type == FOVEA_TYPE_UINT8;
}

static void
apply_size (Search *search, gint64 height, gint64 width)
{
  FoveaSettings *settings = search->settings;
  int            fixed_height = height > 0 && height <= 8192 ? (int) height : 0, fixed_width = width > 0 && width <= 8192 ? (int) width : 0;

  if (!(search->found & SETTING_SIZE))
    {
      int usual = search->family && search->family->size ? search->family->size : DEFAULT_SIZE;

      settings->height = fixed_height ? fixed_height : fixed_width ? fixed_width : usual;
      settings->width = fixed_width ? fixed_width : settings->height;
      note (search, "size: %s", fixed_height || fixed_width ? N_("the model's input") : N_("assumed, as the model takes any"));
      return;
    }
  if ((fixed_height && fixed_height != settings->height) || (fixed_width && fixed_width != settings->width))
    note (search, "size: the model's input, which can't be %d×%d", settings->width, settings->height);
  settings->height = fixed_height ? fixed_height : settings->height;
  settings->width = fixed_width ? fixed_width : settings->width;
}

static void
apply_input_shape (Search *search)
{
  FoveaSettings   *settings = search->settings;
  const FoveaPort *port = fovea_model_get_n_inputs (search->model) ? fovea_model_get_input (search->model, 0) : NULL;
  guint            channels, height, width;

  if (!port || !find_dims (port, settings->nhwc, &channels, &height, &width))
    {
      apply_size (search, 0, 0);
      return;
    }
  settings->nhwc = channels > height;
  settings->channels = port->shape.dims[channels] == 1 ? 1 : 3;
  apply_size (search, port->shape.dims[height], port->shape.dims[width]);
  if (search->found & SETTING_VALUES)
    return;
  if (port->type == FOVEA_TYPE_UINT8)
    settings->range = 255;
  else if (settings->channels == 3)
    {
      memcpy (settings->mean, imagenet_mean, sizeof imagenet_mean);
      memcpy (settings->std, imagenet_std, sizeof imagenet_std);
    }
  if (port->type == FOVEA_TYPE_UINT8)
    {
      note (search, "range, mean and std: %s", N_("bytes as they are"));
      return;
    }
  search->settings->unknown |= SETTING_VALUES | (settings->channels == 3 ? SETTING_COLOUR & ~search->found : 0);
  note (search, "%srange, mean and std: %s", settings->channels == 3 && !(search->found & SETTING_COLOUR) ? "colour, " : "",
        settings->channels == 1             ? N_("not known; 0 to 1 is assumed, say them if answers are poor")
        : search->found & SETTING_COLOUR    ? N_("not known; ImageNet's are assumed, say them if answers are poor")
                                            : N_("not known; RGB and ImageNet's are assumed, say them if answers are poor"));
}

/* ---- families --------------------------------------------------------------------------------------------------------------------------- */

/* The outputs' shapes for an input of that size, where the file leaves them open. Networks that don't compile keep what the file says. */
static void
infer_outputs (const Search *search, int width, int height, FoveaPort *outputs, guint n)
{
  g_autoptr (FoveaSessionOptions) options = NULL;
  g_autoptr (FoveaSettings) sized = NULL;
  g_autoptr (Graph) graph = NULL;
  const FoveaPort *in = fovea_model_get_input (search->model, 0);
  gboolean         open = FALSE;
  FoveaShape       shape;

  for (guint i = 0; i < n; i++)
    open |= !outputs[i].has_rank || !shape_is_known (&outputs[i].shape);
  if (!open)
    return;
  sized = fovea_settings_copy (search->settings);
  sized->width = width;
  sized->height = height;
  options = fovea_session_options_new ();
  if (fovea_settings_get_input_shape (sized, in, &shape, NULL))
    fovea_session_options_set_shape (options, in->name, &shape);
  graph = session_infer (search->model, options, NULL);
  for (guint i = 0; graph && i < n; i++)
    {
      const Value *value = g_ptr_array_index (graph->outputs, i);

      if (!value->has_rank || value->dynamic || (outputs[i].has_rank && outputs[i].shape.n_dims != value->shape.n_dims))
        continue;
      outputs[i].has_rank = TRUE;
      outputs[i].shape = value->shape;
    }
}

/* Whether some dimension of an output counts n classes, with what belongs to each box. */
static gboolean
outputs_count (const Signature *signature, const Family *family, gint64 n)
{
  gboolean counted = FALSE;

  for (guint i = 0; i < signature->n_outputs; i++)
    {
      const FoveaShape *shape = &signature->outputs[i].shape;

      for (guint d = 1; signature->outputs[i].has_rank && d < shape->n_dims; d++)
        {
          const gint64 sums[] = { n, n + 1, n + 4, n + 5, n + 32, n + 36, n + 37, 3 * (n + 5), 5 * (n + 5), 9 * n, n + 55 };

          for (guint k = 0; k < (family->task == FOVEA_TASK_CLASSIFY ? 1 : G_N_ELEMENTS (sums)); k++)
            counted |= shape->dims[d] == sums[k];
        }
    }
  return counted;
}

/* Whether the usual names are as many as the model has classes. Networks that give class numbers have no dimension that could count them. */
static gboolean
labels_fit (const Signature *signature, const Family *family, gint64 n)
{
  return outputs_count (signature, family, n) || n <= 2 || g_str_has_prefix (family->name, "yolo-end2end") ||
         strstr ("ssd-tf rt-detr mask-rcnn faster-rcnn ssd-resnet torchvision", family->name) != NULL;
}

/* A plain labels.txt beside the model may belong to another: it must have as many names as the model has classes. */
static void
apply_plain_labels (Search *search, const Signature *signature, const Family *family)
{
  static const char *const names[] = { "labels.txt", "classes.txt" };
  g_auto (GStrv) folders = beside_list_folders (search->model);

  for (gsize i = 0; folders[0] && i < G_N_ELEMENTS (names) && !(search->found & SETTING_LABELS); i++)
    {
      g_autofree char *path = g_build_filename (folders[0], names[i], NULL), *text = NULL;
      gsize            length, n;
      char           **labels = beside_read (search->model, path, &text, &length, NULL) ? labels_from_text (text, length, &n, NULL) : NULL;

      if (labels && n > 1 && outputs_count (signature, family, (gint64) n))
        {
          settings_take_labels (search->settings, g_steal_pointer (&labels), n);
          search->found |= SETTING_LABELS;
          note (search, "labels: %s", names[i]);
        }
      g_strfreev (labels);
    }
}

static void
apply_usual_labels (Search *search, const Signature *signature, const Family *family)
{
  gsize              n;
  const char *const *labels = family->labels ? family_labels (family->labels, &n) : NULL;

  if (!labels || search->found & SETTING_LABELS || !labels_fit (signature, family, (gint64) n))
    return;
  settings_take_labels (search->settings, g_strdupv ((char **) labels), n);
  search->found |= SETTING_LABELS;
}

/* Which family the model is of, and what is usual for that. */
static void
apply_family (Search *search)
{
  FoveaSettings        *settings = search->settings;
  guint                 n_inputs = fovea_model_get_n_inputs (search->model), n_outputs = fovea_model_get_n_outputs (search->model);
  g_autofree FoveaPort *inputs = g_new0 (FoveaPort, n_inputs + 1), *outputs = g_new0 (FoveaPort, n_outputs + 1);
  guint                 channels, height, width, before;
  Signature             signature = { search->model, settings->task, settings->n_labels, 0, 0, n_inputs, n_outputs, inputs, outputs };
  g_autofree char      *text = NULL, *where = NULL;

  for (guint i = 0; i < n_inputs; i++)
    inputs[i] = *fovea_model_get_input (search->model, i);
  for (guint i = 0; i < n_outputs; i++)
    outputs[i] = *fovea_model_get_output (search->model, i);
  if (n_inputs && find_dims (&inputs[0], settings->nhwc, &channels, &height, &width))
    {
      gboolean told = search->found & SETTING_SIZE;

      signature.height = inputs[0].shape.dims[height] > 0 ? (int) MIN (inputs[0].shape.dims[height], G_MAXINT) : told ? settings->height : PROBE_SIZE;
      signature.width = inputs[0].shape.dims[width] > 0 ? (int) MIN (inputs[0].shape.dims[width], G_MAXINT) : told ? settings->width : PROBE_SIZE;
      infer_outputs (search, signature.width, signature.height, outputs, n_outputs);
    }

  search->family = settings->family ? family_find (settings->family) : family_guess (&signature);
  if (!search->family)
    {
      note (search, "family: %s", settings->family ? N_("none of those that Fovea knows") : N_("not recognized; MODEL.json may name it"));
      return;
    }
  if (!settings->family)
    {
      settings->family = g_strdup (search->family->name);
      note (search, "family: %s, for it has %s", search->family->name, search->family->reason);
    }
  if (!(search->found & SETTING_TASK))
    {
      settings->task = search->family->task;
      search->found |= SETTING_TASK;
      note (search, "task: %s", N_("the family's"));
    }
  apply_plain_labels (search, &signature, search->family);
  before = search->found;
  if (search->family->settings)
    {
      text = g_strdup_printf ("{'fovea': %s}", search->family->settings);
      apply_text (search, text);
    }
  apply_usual_labels (search, &signature, search->family);
  where = g_strdup_printf ("usual for %s", search->family->name);
  note_found (search, before, where);
}

/* What the shape of the first output tells about the task, when the family isn't known: enough to say which verb is the right one. */
static FoveaTask
guess_task (const FoveaModel *model)
{
  const FoveaPort *port = fovea_model_get_n_outputs (model) ? fovea_model_get_output (model, 0) : NULL;
  const gint64    *dims = port ? port->shape.dims : NULL;

  if (port && port->has_rank && port->shape.n_dims == 3 && dims[1] > 0 && dims[2] > 0 && MIN (dims[1], dims[2]) >= 5 && MAX (dims[1], dims[2]) >= 100)
    return FOVEA_TASK_DETECT;
  return FOVEA_TASK_UNKNOWN;
}

gboolean
fovea_settings_get_input_shape (const FoveaSettings *settings, const FoveaPort *port, FoveaShape *shape, GError **error)
{
  guint channels, height, width;

  if (!input_is_photo (port) || !find_dims (port, settings->nhwc, &channels, &height, &width))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("The input “%s” of the model doesn't take photos: it isn't a tensor of bytes or floats with 1 or 3 channels, height and width. Choose a model for photos."), port->name);
      return FALSE;
    }
  *shape = port->shape;
  if (shape->n_dims == 4 && shape->dims[0] < 0)
    shape->dims[0] = 1;
  if (shape->n_dims == 4 && shape->dims[0] != 1)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("The model wants %lld photos at once. Export it for 1 photo, or with a free batch size."), (long long) shape->dims[0]);
      return FALSE;
    }
  shape->dims[channels] = settings->channels;
  shape->dims[height] = settings->height;
  shape->dims[width] = settings->width;
  return TRUE;
}

/* ---- public ----------------------------------------------------------------------------------------------------------------------------- */

FoveaSettings *
fovea_settings_read (const FoveaModel *model, GError **error)
{
  return fovea_settings_read_with (model, NULL, error);
}

/* What nobody told, and can't be seen. */
static void
note_unknown (Search *search)
{
  FoveaSettings *settings = search->settings;

  if (!settings->family)
    settings->unknown |= SETTING_FAMILY;
  if (settings->task == FOVEA_TASK_UNKNOWN)
    settings->unknown |= SETTING_TASK;
  if (settings->n_labels == 0)
    {
      settings->unknown |= SETTING_LABELS;
      note (search, "labels: %s", N_("not known; classes have numbers"));
    }
}

FoveaSettings *
fovea_settings_read_with (const FoveaModel *model, GHashTable *given, GError **error)
{
  g_autoptr (FoveaSettings) settings = g_new0 (FoveaSettings, 1);
  g_autoptr (GString) sources = g_string_new (NULL);
  Search search = { model, settings, 0, NULL, sources };

  settings->resize = FOVEA_RESIZE_SHORTEST_CROP;
  settings->filter = FOVEA_FILTER_BILINEAR;
  settings->crop_scale = 256.0 / 224;
  settings->channels = 3;
  settings->range = 1;
  settings->pad = 114;
  settings->activation = FOVEA_ACTIVATION_AUTO;
  settings->threshold = DEFAULT_THRESHOLD;
  settings->overlap = DEFAULT_OVERLAP;
  for (int c = 0; c < 3; c++)
    settings->std[c] = 1;

  settings->percentiles[1] = 100;

  if (!read_given (&search, given, error) || !read_sidecar (&search, error))
    return NULL;
  read_metadata (&search);
  if (!read_label_file (&search, error))
    return NULL;
  read_foreign (&search);
  apply_family (&search);
  apply_input_shape (&search);
  if (!(search.found & SETTING_TASK))
    {
      settings->task = guess_task (model);
      note (&search, "task: %s", settings->task ? "guessed from the output's shape" : "unknown");
    }
  if (!(search.found & SETTING_RESIZE) && settings->task == FOVEA_TASK_DETECT)
    settings->resize = FOVEA_RESIZE_LETTERBOX;
  if (!(search.found & SETTING_RESIZE) && settings->task == FOVEA_TASK_SEGMENT)
    settings->resize = FOVEA_RESIZE_STRETCH;
  note_unknown (&search);
  settings->sources = g_string_free (g_steal_pointer (&sources), FALSE);
  return g_steal_pointer (&settings);
}

FoveaSettings *
fovea_settings_copy (const FoveaSettings *settings)
{
  FoveaSettings *copy = g_memdup2 (settings, sizeof *settings);

  copy->family = g_strdup (settings->family);
  copy->partner = g_strdup (settings->partner);
  copy->labels = g_strdupv (settings->labels);
  copy->sources = g_strdup (settings->sources);
  copy->anchors = g_memdup2 (settings->anchors, 2 * settings->n_anchors * sizeof *settings->anchors);
  return copy;
}

void
fovea_settings_free (FoveaSettings *settings)
{
  if (!settings)
    return;
  g_free (settings->family);
  g_free (settings->partner);
  g_strfreev (settings->labels);
  g_free (settings->sources);
  g_free (settings->anchors);
  g_free (settings);
}

void
settings_take_labels (FoveaSettings *settings, char **labels, gsize n_labels)
{
  g_strfreev (settings->labels);
  settings->labels = labels;
  settings->n_labels = n_labels;
}

char *
fovea_settings_get_label (const FoveaSettings *settings, gsize index)
{
  return index < settings->n_labels ? g_strdup (settings->labels[index]) : labels_make_up (index);
}
