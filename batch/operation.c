/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operation.c: see operation.h.
 */

#include "operation.h"

#include <math.h>
#include <unistd.h>

#include "image.h"
#include "prompt-text.h"

#define MANY           2 /* photos a thread: from here on each thread has a photo of its own */
#define COPIES_A_MODEL 3 /* of the file's bytes that a worker takes: packed weights, half weights made whole */

/* A worker's own network; one of the three. */
typedef struct
{
  FoveaClassifier *classifier;
  FoveaLocator    *locator;
  FoveaSegmenter  *segmenter;
} Eye;

struct _Operation
{
  OperationSettings settings;
  FoveaModel       *model;
  guint             n_workers, n_threads; /* threads of each worker */
  Eye              *eyes;                 /* n_workers */
};

void
finding_free (Finding *finding)
{
  if (!finding)
    return;
  g_clear_pointer (&finding->classes, fovea_classes_free);
  g_clear_pointer (&finding->objects, fovea_objects_free);
  for (gsize i = 0; i < finding->n; i++)
    fovea_mask_free (finding->mask[i]);
  g_clear_pointer (&finding->masks, fovea_masks_free);
  for (gsize i = 0; i < finding->n; i++)
    {
      g_free (finding->mask_files[i]);
      g_free (finding->cutout_files[i]);
    }
  g_free (finding->mask_files);
  g_free (finding->cutout_files);
  g_free (finding->picture);
  g_free (finding->mask);
  g_free (finding->which);
  g_free (finding);
}

/* ---- settings ------------------------------------------------------------------------------------------------------------------------------- */

void
operation_settings_init (OperationSettings *settings, OperationKind kind)
{
  *settings = (OperationSettings) { .kind = kind, .top = 5, .tiles = 1, .selection = { .threshold = -1, .overlap = -1, .most = 300 },
                                    .mask = { .threshold = 0.5, .softness = 1.0, .refine = TRUE } };
}

const char *
operation_set_threshold (OperationSettings *settings, double threshold)
{
  if (threshold == OPERATION_USUAL)
    return NULL;
  if (!(threshold >= 0 && threshold <= 1))
    return "threshold must be from 0 to 1.";
  if (settings->kind == OPERATION_CLASSIFY)
    settings->least = threshold;
  else if (settings->kind == OPERATION_LOCATE)
    settings->selection.threshold = threshold;
  else if (threshold == 0 || threshold == 1)
    return "threshold must be above 0 and below 1.";
  else
    settings->mask.threshold = threshold;
  return NULL;
}

char **
operation_split_classes (const char *names)
{
  g_auto (GStrv)           parts = g_strsplit (names ? names : "", ",", -1), kept = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; parts[i]; i++)
    if (*g_strstrip (parts[i]))
      g_strv_builder_add (builder, parts[i]);
  kept = g_strv_builder_end (builder);
  return *kept ? g_steal_pointer (&kept) : NULL;
}

/* ---- networks ------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
open_eye (Operation *operation, Eye *eye, GError **error)
{
  switch (operation->settings.kind)
    {
    case OPERATION_CLASSIFY:
      if (!eye->classifier)
        eye->classifier = fovea_classifier_new (operation->model, NULL, operation->n_threads, error);
      return eye->classifier != NULL;
    case OPERATION_LOCATE:
      if (!eye->locator)
        eye->locator = fovea_locator_new (operation->model, NULL, operation->n_threads, error);
      return eye->locator != NULL;
    default:
      if (!eye->segmenter)
        eye->segmenter = fovea_segmenter_new (operation->model, NULL, operation->n_threads, error);
      return eye->segmenter != NULL;
    }
}

static const FoveaSettings *
get_model_settings (const Eye *eye)
{
  return eye->locator ? fovea_locator_get_settings (eye->locator) : eye->segmenter ? fovea_segmenter_get_settings (eye->segmenter) : NULL;
}

static gboolean
check_classes (Operation *operation, GError **error)
{
  const FoveaSettings *settings = get_model_settings (&operation->eyes[0]);

  return !settings || fovea_settings_check_classes (settings, (const char *const *) operation->settings.classes, error);
}

/* Workers whose networks fit into half of the machine's memory. */
static guint
count_affordable (const char *path)
{
  g_autoptr (GFile)     file = g_file_new_for_path (path);
  g_autoptr (GFileInfo) info = g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL, NULL);
  double                bytes = info ? (double) g_file_info_get_size (info) : 0, memory = (double) sysconf (_SC_PHYS_PAGES) * (double) sysconf (_SC_PAGE_SIZE);

  return bytes > 0 && memory > 0 ? (guint) CLAMP (memory / 2 / (COPIES_A_MODEL * bytes), 1, 4096) : 1;
}

char *
operation_find_model (const char *model, OperationKind kind, GError **error)
{
  static const FoveaTask tasks[] = { FOVEA_TASK_CLASSIFY, FOVEA_TASK_DETECT, FOVEA_TASK_SEGMENT };
  g_autofree char       *name = g_strcmp0 (model, "default") == 0 ? fovea_get_default_model (tasks[kind]) : g_strdup (model);

  if (name)
    return fovea_find_model (name, error);
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
                       "No default model is chosen for this task. Choose one with “fovea import --default”, or give the name of a model.");
  return NULL;
}

Operation *
operation_new (const char *model, const OperationSettings *settings, gsize n_photos, guint n_threads, GError **error)
{
  g_autoptr (Operation) operation = g_new0 (Operation, 1);
  g_autofree char      *path = operation_find_model (model, settings->kind, error);

  operation->settings = *settings;
  operation->settings.classes = g_strdupv (settings->classes);
  operation->settings.selection.classes = (const char *const *) operation->settings.classes;
  operation->model = path ? fovea_model_load (path, error) : NULL;
  if (!operation->model)
    return NULL;
  if (n_threads == 0)
    n_threads = g_get_num_processors ();
  operation->n_workers = n_photos >= (gsize) n_threads * MANY ? MIN (n_threads, count_affordable (path)) : 1;
  operation->n_threads = n_threads / operation->n_workers;
  operation->eyes = g_new0 (Eye, operation->n_workers);
  return open_eye (operation, &operation->eyes[0], error) && check_classes (operation, error) ? g_steal_pointer (&operation) : NULL;
}

void
operation_free (Operation *operation)
{
  if (!operation)
    return;
  for (guint i = 0; i < operation->n_workers; i++)
    {
      g_clear_pointer (&operation->eyes[i].classifier, fovea_classifier_free);
      g_clear_pointer (&operation->eyes[i].locator, fovea_locator_free);
      g_clear_pointer (&operation->eyes[i].segmenter, fovea_segmenter_free);
    }
  g_clear_pointer (&operation->model, fovea_model_unref);
  g_strfreev (operation->settings.classes);
  g_free (operation->eyes);
  g_free (operation);
}

guint
operation_get_n_workers (const Operation *operation)
{
  return operation->n_workers;
}

guint
operation_get_n_threads (const Operation *operation)
{
  return operation->n_threads;
}

const OperationSettings *
operation_get_settings (const Operation *operation)
{
  return &operation->settings;
}

FoveaModel *
operation_get_model (const Operation *operation)
{
  return operation->model;
}

gboolean
operation_is_rough (const Operation *operation)
{
  const Eye *eye = &operation->eyes[0];

  return (eye->locator && fovea_locator_is_rough (eye->locator)) || (eye->segmenter && fovea_segmenter_is_rough (eye->segmenter));
}

const char *const *
operation_get_labels (const Operation *operation)
{
  const FoveaSettings *settings = get_model_settings (&operation->eyes[0]);

  return settings ? (const char *const *) settings->labels : NULL;
}

/* ---- one photo ------------------------------------------------------------------------------------------------------------------------------ */

static gboolean
name_photo (FoveaClassifier *classifier, GdkPixbuf *pixels, Finding *finding, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (fovea_classifier_get_settings (classifier), finding->width, finding->height, error);

  if (!input)
    return FALSE;
  image_push (pixels, input);
  finding->classes = fovea_classifier_run (classifier, input, cancellable, error);
  return finding->classes != NULL;
}

static gboolean
locate_objects (const OperationSettings *settings, FoveaLocator *locator, const FoveaPhoto *photo, Finding *finding, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, photo, settings->tiles, settings->pyramid, cancellable, NULL, NULL, error);

  finding->objects = candidates ? fovea_candidates_select (candidates, &settings->selection, error) : NULL;
  finding->rough = fovea_locator_is_rough (locator);
  return finding->objects != NULL;
}

static gboolean
is_wanted (const OperationSettings *settings, const char *label)
{
  g_autofree char *folded = g_utf8_casefold (label, -1);

  for (guint i = 0; settings->classes && settings->classes[i]; i++)
    {
      g_autofree char *wanted = g_utf8_casefold (settings->classes[i], -1);

      if (g_str_equal (wanted, folded))
        return TRUE;
    }
  return !settings->classes;
}

/* Cancelled soon, also while it looks for hair. */
static FoveaMask *
make_mask (const OperationSettings *settings, const FoveaMasks *masks, gsize which, GCancellable *cancellable, GError **error)
{
  const FoveaMaskOptions plain = { .threshold = 0.5, .softness = 1.0 };
  gboolean               hair = settings->mask.refine && settings->mask.hair > 0.0;
  g_autoptr (FoveaMask)  mask = fovea_mask_new (masks, &which, 1, hair ? &plain : &settings->mask, error);

  if (!mask || (hair && (!fovea_mask_find_hair (mask, settings->mask.hair, cancellable, NULL, NULL, error) || !fovea_mask_set_options (mask, &settings->mask, error))))
    return NULL;
  return g_steal_pointer (&mask);
}

static gboolean
make_masks (const OperationSettings *settings, FoveaSegmenter *segmenter, const FoveaPhoto *photo, Finding *finding, GCancellable *cancellable, GError **error)
{
  g_auto (PromptText) prompt = { { 0 } };
  gsize               n;

  if (settings->prompt)
    finding->masks = prompt_text_read (settings->prompt, photo->width, photo->height, &prompt, error)
                       ? fovea_segmenter_run_prompt (segmenter, photo, &prompt.prompt, cancellable, NULL, NULL, error)
                       : NULL;
  else
    finding->masks = fovea_segmenter_run (segmenter, photo, settings->tiles, cancellable, NULL, NULL, error);
  if (!finding->masks)
    return FALSE;
  finding->rough = fovea_segmenter_is_rough (segmenter);
  n = fovea_masks_count (finding->masks);
  finding->mask = g_new0 (FoveaMask *, n);
  finding->which = g_new0 (gsize, n);
  finding->mask_files = g_new0 (char *, n);
  finding->cutout_files = g_new0 (char *, n);
  for (gsize i = 0; i < n; i++)
    {
      if (!is_wanted (settings, fovea_masks_get_label (finding->masks, i)))
        continue;
      finding->mask[finding->n] = make_mask (settings, finding->masks, i, cancellable, error);
      if (!finding->mask[finding->n])
        return FALSE;
      finding->which[finding->n++] = i;
    }
  return TRUE;
}

Finding *
operation_look (Operation *operation, guint worker, GdkPixbuf *pixels, GCancellable *cancellable, GError **error)
{
  const OperationSettings *settings = &operation->settings;
  Eye                     *eye = &operation->eyes[worker];
  g_autoptr (Finding)      finding = g_new0 (Finding, 1);
  FoveaPhoto               photo = { gdk_pixbuf_get_width (pixels), gdk_pixbuf_get_height (pixels), image_read, pixels };
  gboolean                 ok = open_eye (operation, eye, error);

  finding->width = photo.width;
  finding->height = photo.height;
  if (ok && settings->kind == OPERATION_CLASSIFY)
    ok = name_photo (eye->classifier, pixels, finding, cancellable, error);
  else if (ok && settings->kind == OPERATION_LOCATE)
    ok = locate_objects (settings, eye->locator, &photo, finding, cancellable, error);
  else if (ok)
    ok = make_masks (settings, eye->segmenter, &photo, finding, cancellable, error);
  return ok ? g_steal_pointer (&finding) : NULL;
}

/* ---- in words ------------------------------------------------------------------------------------------------------------------------------- */

/* Bytes that aren't UTF-8 (file names) are replaced. */
static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, valid);
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_rough (JsonBuilder *json, gboolean rough)
{
  if (!rough)
    return;
  json_builder_set_member_name (json, "rough");
  json_builder_add_boolean_value (json, TRUE);
}

static void
add_classes (const FoveaClasses *classes, const OperationSettings *settings, JsonBuilder *json)
{
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (gsize i = 0; i < MIN (classes->n, settings->top) && classes->classes[i].score >= settings->least; i++)
    {
      json_builder_begin_object (json);
      add_text (json, "label", classes->classes[i].label);
      add_number (json, "score", classes->classes[i].score);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_object (const FoveaObject *object, JsonBuilder *json)
{
  const double box[4] = { object->x, object->y, object->width, object->height };

  json_builder_begin_object (json);
  add_text (json, "label", object->label);
  add_number (json, "score", object->score);
  json_builder_set_member_name (json, "box");
  json_builder_begin_array (json);
  for (int i = 0; i < 4; i++)
    json_builder_add_double_value (json, rint (box[i] * 100) / 100);
  json_builder_end_array (json);
  add_rough (json, object->rough);
  json_builder_end_object (json);
}

static void
add_mask (const Finding *finding, gsize i, JsonBuilder *json)
{
  json_builder_begin_object (json);
  add_text (json, "label", fovea_masks_get_label (finding->masks, finding->which[i]));
  add_number (json, "area", fovea_mask_get_area (finding->mask[i]));
  if (finding->mask_files[i])
    add_text (json, "file", finding->mask_files[i]);
  if (finding->cutout_files[i])
    add_text (json, "cutout", finding->cutout_files[i]);
  add_rough (json, finding->rough);
  json_builder_end_object (json);
}

void
finding_add_members (const Finding *finding, const OperationSettings *settings, JsonBuilder *json)
{
  if (finding->classes)
    {
      add_classes (finding->classes, settings, json);
      return;
    }
  json_builder_set_member_name (json, "width");
  json_builder_add_int_value (json, finding->width);
  json_builder_set_member_name (json, "height");
  json_builder_add_int_value (json, finding->height);
  json_builder_set_member_name (json, finding->objects ? "objects" : "masks");
  json_builder_begin_array (json);
  for (gsize i = 0; finding->objects && i < finding->objects->n; i++)
    add_object (&finding->objects->objects[i], json);
  for (gsize i = 0; i < finding->n; i++)
    add_mask (finding, i, json);
  json_builder_end_array (json);
  if (finding->picture)
    add_text (json, "picture", finding->picture);
}
