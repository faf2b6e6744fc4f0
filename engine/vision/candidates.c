/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * candidates.c: FoveaCandidates: the raw boxes of a photo, and the choice among them by score, class and overlap. No network runs here, so sliders may call
 * it at every move.
 */

#include "vision/candidates.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vision/nms.h"

#define USUAL_MOST 300

struct _FoveaCandidates
{
  FoveaSettings *settings;
  int            width, height; /* of the photo */
  gboolean       rough;
  GArray        *boxes;         /* of Box, pixels of the photo, best first */
};

FoveaCandidates *
candidates_new (const FoveaSettings *settings, int photo_width, int photo_height, gboolean rough, GArray *boxes)
{
  FoveaCandidates *candidates = g_new0 (FoveaCandidates, 1);

  candidates->settings = fovea_settings_copy (settings);
  candidates->width = photo_width;
  candidates->height = photo_height;
  candidates->rough = rough;
  candidates->boxes = boxes;
  return candidates;
}

void
fovea_candidates_free (FoveaCandidates *candidates)
{
  if (!candidates)
    return;
  fovea_settings_free (candidates->settings);
  g_array_unref (candidates->boxes);
  g_free (candidates);
}

gsize
fovea_candidates_count (const FoveaCandidates *candidates)
{
  return candidates->boxes->len;
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------------- */

static gboolean
same_word (const char *a, const char *b)
{
  g_autofree char *first = g_utf8_casefold (a, -1), *second = g_utf8_casefold (b, -1);

  return strcmp (first, second) == 0;
}

/* "person, bicycle, car … and 77 more" */
static char *
list_labels (const FoveaSettings *settings)
{
  GString *string = g_string_new (NULL);
  gsize    n = MIN (settings->n_labels, 10);

  for (gsize i = 0; i < n; i++)
    g_string_append_printf (string, "%s%s", i ? ", " : "", settings->labels[i]);
  if (settings->n_labels > n)
    g_string_append_printf (string, " and %" G_GSIZE_FORMAT " more", settings->n_labels - n);
  return g_string_free (string, FALSE);
}

gboolean
fovea_settings_check_classes (const FoveaSettings *settings, const char *const *classes, GError **error)
{
  for (gsize c = 0; classes && classes[c]; c++)
    {
      gboolean         known = g_str_has_prefix (classes[c], "class ");
      g_autofree char *list = NULL;

      for (gsize i = 0; i < settings->n_labels && !known; i++)
        known = same_word (settings->labels[i], classes[c]);
      if (known)
        continue;
      list = list_labels (settings);
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The model knows no class “%s”. It knows %s."), classes[c], settings->n_labels ? list : _("none by name"));
      return FALSE;
    }
  return TRUE;
}

static gboolean
is_wanted (const FoveaSettings *settings, const char *const *classes, gint32 label, GHashTable *known)
{
  gpointer         answer;
  gboolean         wanted = FALSE;
  g_autofree char *name = NULL;

  if (!classes || !*classes)
    return TRUE;
  if (g_hash_table_lookup_extended (known, GINT_TO_POINTER (label), NULL, &answer))
    return GPOINTER_TO_INT (answer);
  name = fovea_settings_get_label (settings, label);
  for (gsize c = 0; classes[c] && !wanted; c++)
    wanted = same_word (classes[c], name);
  g_hash_table_insert (known, GINT_TO_POINTER (label), GINT_TO_POINTER (wanted));
  return wanted;
}

/* ---- choosing --------------------------------------------------------------------------------------------------------------------------- */

/* The boxes of wanted classes that have a part inside the photo. */
static gsize
filter (const FoveaCandidates *candidates, const char *const *classes, double threshold, Box *out)
{
  const Box *boxes = (const Box *) candidates->boxes->data;
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  gsize n = 0;

  for (guint i = 0; i < candidates->boxes->len && boxes[i].score >= threshold; i++)
    {
      Box box = boxes[i];

      box.left = CLAMP (box.left, 0, candidates->width);
      box.right = CLAMP (box.right, 0, candidates->width);
      box.top = CLAMP (box.top, 0, candidates->height);
      box.bottom = CLAMP (box.bottom, 0, candidates->height);
      if (box.right > box.left && box.bottom > box.top && is_wanted (candidates->settings, classes, box.label, known))
        out[n++] = box;
    }
  return n;
}

FoveaObjects *
fovea_candidates_select (const FoveaCandidates *candidates, const FoveaSelection *selection, GError **error)
{
  const FoveaSelection usual = { -1, -1, FOVEA_SUPPRESS_CLASS, 0, NULL }, *wish = selection ? selection : &usual;
  double               threshold = wish->threshold >= 0 ? wish->threshold : candidates->settings->threshold;
  double               overlap = wish->overlap >= 0 ? wish->overlap : candidates->settings->overlap;
  g_autofree Box      *boxes = g_new (Box, candidates->boxes->len + 1), *kept = g_new (Box, candidates->boxes->len + 1);
  FoveaObjects        *objects;
  gsize                n;

  if (!fovea_settings_check_classes (candidates->settings, wish->classes, error))
    return NULL;
  n = filter (candidates, wish->classes, threshold, boxes);
  n = nms_suppress (boxes, n, wish->suppression, overlap, threshold, wish->most ? wish->most : USUAL_MOST, kept);
  objects = g_new0 (FoveaObjects, 1);
  objects->n = n;
  objects->objects = g_new0 (FoveaObject, n + 1);
  for (gsize i = 0; i < n; i++)
    objects->objects[i] = (FoveaObject) { .index = kept[i].label,
                                          .label = fovea_settings_get_label (candidates->settings, kept[i].label),
                                          .score = kept[i].score,
                                          .x = kept[i].left,
                                          .y = kept[i].top,
                                          .width = (double) kept[i].right - kept[i].left,
                                          .height = (double) kept[i].bottom - kept[i].top,
                                          .rough = candidates->rough };
  return objects;
}

void
fovea_objects_free (FoveaObjects *objects)
{
  if (!objects)
    return;
  for (gsize i = 0; i < objects->n; i++)
    g_free (objects->objects[i].label);
  g_free (objects->objects);
  g_free (objects);
}

void
fovea_get_class_colour (gsize index, guint8 rgb[3])
{
  static const guint8 colours[][3] = {
    { 0xe6, 0x9f, 0x00 }, { 0x56, 0xb4, 0xe9 }, { 0x00, 0x9e, 0x73 }, { 0xf0, 0xe4, 0x42 }, { 0x00, 0x72, 0xb2 }, { 0xd5, 0x5e, 0x00 }, { 0xcc, 0x79, 0xa7 },
  };

  memcpy (rgb, colours[index % G_N_ELEMENTS (colours)], 3);
}
