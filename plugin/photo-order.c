/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-order.c: see photo-order.h.
 */

#include "photo-order.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define LEAST_STEPS 240 /* of a training on few photos */
#define MASK_SIZE   320 /* pixels: the cut-out model's; its architecture needs a multiple of 32, which other bases needn't have */
#define LEAST_SIZE  192 /* pixels: frozen layers see more in a larger photo than in the tagger's own 128. Chosen on one draw of photos: measure before you lean on it */

static const char *const task_names[] = { "classify", "classify", "detect", "segment" }; /* in the order of FoveaTask */

PhotoOrder *
photo_order_new (FoveaTask task)
{
  PhotoOrder *order = g_new0 (PhotoOrder, 1);

  order->task = task;
  for (guint i = 0; i < AUGMENTATIONS_MOST; i++)
    order->augmentations[i] = AUGMENTATIONS_USUAL;
  return order;
}

void
photo_order_free (PhotoOrder *order)
{
  if (!order)
    return;
  g_free (order->name);
  g_free (order->base);
  g_free (order->source);
  g_free (order->data);
  g_free (order->digest);
  g_free (order->trainable);
  g_free (order);
}

void
photo_order_take_name (PhotoOrder *order, const char *file)
{
  g_free (order->name);
  order->name = g_path_get_basename (file);
  order->name[strlen (order->name) - strlen (".onnx")] = '\0';
}

const char *
photo_order_name_task (FoveaTask task)
{
  return task_names[task];
}

/* ---- as text -------------------------------------------------------------------------------------------------------- */

static const struct
{
  const char *name;
  gsize       place;
} strings[] = {
  { "name", G_STRUCT_OFFSET (PhotoOrder, name) },     { "base", G_STRUCT_OFFSET (PhotoOrder, base) },           { "data", G_STRUCT_OFFSET (PhotoOrder, data) },
  { "digest", G_STRUCT_OFFSET (PhotoOrder, digest) }, { "trainable", G_STRUCT_OFFSET (PhotoOrder, trainable) }, { "source", G_STRUCT_OFFSET (PhotoOrder, source) },
}, integers[] = {
  { "epochs", G_STRUCT_OFFSET (PhotoOrder, epochs) }, { "batch", G_STRUCT_OFFSET (PhotoOrder, batch) }, { "seed", G_STRUCT_OFFSET (PhotoOrder, seed) },
  { "find-rate", G_STRUCT_OFFSET (PhotoOrder, find_rate) }, { "unbalanced", G_STRUCT_OFFSET (PhotoOrder, is_unbalanced) },
}, numbers[] = {
  { "learning-rate", G_STRUCT_OFFSET (PhotoOrder, learning_rate) }, { "validation-share", G_STRUCT_OFFSET (PhotoOrder, validation_share) },
  { "minutes", G_STRUCT_OFFSET (PhotoOrder, minutes) },
};

char *
photo_order_write (const PhotoOrder *order)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode)   root = NULL;

  json_object_set_string_member (object, "task", photo_order_name_task (order->task));
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
    {
      const char *text = G_STRUCT_MEMBER (char *, order, strings[i].place);

      if (text)
        json_object_set_string_member (object, strings[i].name, text);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (integers); i++)
    json_object_set_int_member (object, integers[i].name, G_STRUCT_MEMBER (int, order, integers[i].place));
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    json_object_set_double_member (object, numbers[i].name, G_STRUCT_MEMBER (double, order, numbers[i].place));
  for (const Augmentation *one = augmentations; one->argument; one++)
    if (order->augmentations[one - augmentations] >= 0)
      json_object_set_double_member (object, one->argument, order->augmentations[one - augmentations]);
  root = json_node_init_object (json_node_alloc (), object);
  return json_to_string (root, FALSE);
}

PhotoOrder *
photo_order_read (const char *text)
{
  g_autoptr (JsonNode) root = json_from_string (text, NULL);
  JsonObject          *object = root && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  PhotoOrder          *order;
  const char          *task;

  if (!object)
    return NULL;
  order = photo_order_new (FOVEA_TASK_UNKNOWN);
  task = json_object_get_string_member_with_default (object, "task", "");
  for (int i = FOVEA_TASK_CLASSIFY; i <= FOVEA_TASK_SEGMENT; i++)
    if (strcmp (task, task_names[i]) == 0)
      order->task = (FoveaTask) i;
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
    G_STRUCT_MEMBER (char *, order, strings[i].place) = g_strdup (json_object_get_string_member_with_default (object, strings[i].name, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (integers); i++)
    G_STRUCT_MEMBER (int, order, integers[i].place) = (int) json_object_get_int_member_with_default (object, integers[i].name, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    G_STRUCT_MEMBER (double, order, numbers[i].place) = json_object_get_double_member_with_default (object, numbers[i].name, 0);
  for (const Augmentation *one = augmentations; one->argument; one++)
    order->augmentations[one - augmentations] = json_object_get_double_member_with_default (object, one->argument, AUGMENTATIONS_USUAL);
  if (order->task == FOVEA_TASK_UNKNOWN || !order->name)
    g_clear_pointer (&order, photo_order_free);
  return order;
}

/* ---- what is chosen ------------------------------------------------------------------------------------------------- */

char *
photo_order_find_base (const PhotoOrder *order, GError **error)
{
  static const char *const usual[][2] = { [FOVEA_TASK_CLASSIFY] = { "tagger", "cutout" }, [FOVEA_TASK_DETECT] = { "objects", "tagger" },
                                          [FOVEA_TASK_SEGMENT] = { "cutout", "tagger" } };
  char                    *path;

  if (order->base && *order->base)
    return fovea_find_model (order->base, error);
  path = fovea_find_model (usual[order->task][0], NULL);
  return path ? path : fovea_find_model (usual[order->task][1], error);
}

static FoveaTask
find_task (FoveaModel *base)
{
  g_autoptr (FoveaSettings) settings = base ? fovea_settings_read (base, NULL) : NULL;

  return settings ? settings->task : FOVEA_TASK_UNKNOWN;
}

static FoveaTrainable
choose_trainable (const PhotoOrder *order, FoveaModel *base)
{
  const char *word = order->trainable ? order->trainable : "";

  if (!base || strcmp (word, "all") == 0)
    return FOVEA_TRAIN_ALL;
  if (strcmp (word, "last") == 0)
    return FOVEA_TRAIN_LAST_BLOCKS;
  return strcmp (word, "head") == 0 || order->task == FOVEA_TASK_CLASSIFY ? FOVEA_TRAIN_HEAD : FOVEA_TRAIN_ALL;
}

/* 0: the base's own. */
static int
choose_size (const PhotoOrder *order, FoveaModel *base, const char *architecture)
{
  g_autoptr (FoveaSettings) settings = base && order->task == FOVEA_TASK_CLASSIFY ? fovea_settings_read (base, NULL) : NULL;

  if (order->task == FOVEA_TASK_SEGMENT && architecture)
    return MASK_SIZE;
  return settings && settings->width < LEAST_SIZE && settings->width == settings->height ? LEAST_SIZE : 0;
}

void
photo_order_augment (const PhotoOrder *order, FoveaAugmentation *augmentation)
{
  for (const Augmentation *one = augmentations; one->argument; one++)
    if (order->augmentations[one - augmentations] >= 0)
      augmentations_set (augmentation, one, order->augmentations[one - augmentations]);
}

const char *
photo_order_choose (const PhotoOrder *order, FoveaModel *base, FoveaTrainSettings *settings)
{
  const char *architecture = NULL;

  fovea_train_settings_init (settings, order->task);
  settings->trainable = choose_trainable (order, base);
  if (order->task == FOVEA_TASK_CLASSIFY)
    architecture = base ? NULL : "tiny";
  else if (find_task (base) != order->task)
    architecture = order->task == FOVEA_TASK_DETECT ? "objects" : "cutout";
  settings->batch = order->batch > 0 ? (guint) order->batch : order->task == FOVEA_TASK_CLASSIFY ? 16 : 8;
  settings->epochs = order->epochs > 0 ? (guint) order->epochs : settings->epochs;
  settings->least_steps = order->epochs > 0 ? 0 : LEAST_STEPS;
  settings->minutes = order->minutes;
  settings->find_rate = order->find_rate;
  settings->balance = !order->is_unbalanced;
  photo_order_augment (order, &settings->augmentation);
  settings->learning_rate = order->learning_rate > 0                      ? order->learning_rate
                            : settings->trainable == FOVEA_TRAIN_HEAD     ? 0.3
                            : base && !architecture                       ? 0.01
                                                                          : settings->learning_rate;
  settings->validation_share = order->validation_share;
  settings->seed = (guint64) order->seed;
  settings->size = choose_size (order, base, architecture);
  return architecture;
}
