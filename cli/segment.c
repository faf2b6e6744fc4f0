/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.c: `fovea segment`: masks of what is in photos.
 */

#include <string.h>

#include "command.h"
#include "draw.h"
#include "image.h"
#include "verbs.h"

#define LEAST_AREA 0.0005 /* of a photo: smaller masks are empty */

static const CommandHelp help = {
  "segment",
  "MODEL IMAGE…",
  "Finds which pixels of photos belong to what: a soft mask for each class.\n"
  "\n"
  "MODEL is a network of masks (saliency, matting, semantic; fovea info says which it\n"
  "is taken for), one that fovea train made, or a classifier that ends in global\n"
  "pooling: then the best name gets a rough mask. The masks' borders follow the\n"
  "photo's edges (--no-refine: they don't). --mask-dir writes masks as gray PNG of the\n"
  "photo's size, --cutout-dir what is in them on a transparent ground, --draw copies\n"
  "with the masks in colour.",
  "  fovea segment cutout portrait.jpg --cutout-dir out     the subject, cut out\n"
  "  fovea segment cutout *.jpg --mask-dir masks            masks of many photos\n"
  "  fovea segment street.onnx road.jpg --draw out          all classes, in colour\n"
  "  fovea segment cutout --json - < portrait.jpg           for programs\n",
};

typedef struct
{
  FoveaSegmenter  *segmenter;
  FoveaMaskOptions options;
  char           **classes; /* NULL: all */
  const char      *mask_dir, *cutout_dir, *draw_dir;
  GHashTable      *taken;
  JsonBuilder     *json;    /* NULL: plain text */
} Segment;

/* ---- pictures ----------------------------------------------------------------------------------------------------------------------------- */

static GdkPixbuf *
make_mask_picture (FoveaMask *mask, const FoveaPhoto *photo, GError **error)
{
  GdkPixbuf         *picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, photo->width, photo->height);
  g_autofree float  *row = g_new (float, photo->width);

  for (int y = 0; picture && y < photo->height; y++)
    {
      guint8 *to = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture);

      if (!fovea_mask_read (mask, photo, 0, y, photo->width, 1, row, error))
        g_clear_object (&picture);
      for (int x = 0; picture && x < photo->width; x++)
        memset (to + 3 * x, (int) (row[x] * 255.0f + 0.5f), 3);
    }
  return picture;
}

static GdkPixbuf *
make_cutout_picture (FoveaMask *mask, const FoveaPhoto *photo, GError **error)
{
  GdkPixbuf         *picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, TRUE, 8, photo->width, photo->height);
  g_autofree float  *row = g_new (float, (gsize) photo->width * 4);

  for (int y = 0; picture && y < photo->height; y++)
    {
      guint8 *to = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture);

      if (!fovea_mask_read_cutout (mask, photo, 0, y, photo->width, 1, row, error))
        g_clear_object (&picture);
      for (int i = 0; picture && i < 4 * photo->width; i++)
        to[i] = (guint8) (row[i] * 255.0f + 0.5f);
    }
  return picture;
}

/* The class's colour over the picture, half of it where the mask is full. */
static gboolean
tint (GdkPixbuf *picture, FoveaMask *mask, gsize class, const FoveaPhoto *photo, GError **error)
{
  int               n = gdk_pixbuf_get_n_channels (picture);
  g_autofree float *row = g_new (float, photo->width);
  guint8            colour[3];

  fovea_get_class_colour (class, colour);
  for (int y = 0; y < photo->height; y++)
    {
      guint8 *to = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture);

      if (!fovea_mask_read (mask, photo, 0, y, photo->width, 1, row, error))
        return FALSE;
      for (int x = 0; x < photo->width; x++)
        for (int c = 0; c < 3; c++)
          to[n * x + c] = (guint8) (to[n * x + c] + 0.55f * row[x] * (colour[c] - to[n * x + c]) + 0.5f);
    }
  return TRUE;
}

/* ---- one photo ------------------------------------------------------------------------------------------------------------------------------ */

static void
add_mask_json (JsonBuilder *json, const char *label, double area, const char *file, const char *cutout, gboolean rough)
{
  json_builder_begin_object (json);
  command_add_string (json, "label", label);
  json_builder_set_member_name (json, "area");
  json_builder_add_double_value (json, area);
  if (file)
    command_add_string (json, "file", file);
  if (cutout)
    command_add_string (json, "cutout", cutout);
  if (rough)
    {
      json_builder_set_member_name (json, "rough");
      json_builder_add_boolean_value (json, TRUE);
    }
  json_builder_end_object (json);
}

/* "photo.jpg" of several masks: "photo.sky.jpg", for the name of what is written. */
static char *
name_picture (const char *file, const char *label, gboolean several)
{
  g_autofree char *base = g_path_get_basename (strcmp (file, "-") == 0 ? "stdin.png" : file), *clean = g_strdup (label);
  char            *dot = strrchr (base, '.');

  g_strdelimit (clean, "/\\:*?\"<>|", '_');
  if (!several)
    return g_strdup (base);
  if (dot && dot > base)
    *dot = '\0';
  return g_strdup_printf ("%s.%s.png", base, clean);
}

static gboolean
write_mask (const Segment *segment, const char *file, const FoveaPhoto *photo, const FoveaMasks *masks, gsize i, GdkPixbuf *drawn, GError **error)
{
  g_autoptr (FoveaMask) mask = fovea_mask_new (masks, &i, 1, &segment->options, error);
  const char           *label = fovea_masks_get_label (masks, i);
  g_autofree char      *name = name_picture (file, label, fovea_masks_count (masks) > 1), *path = NULL, *cutout_path = NULL;
  double                area = mask ? fovea_mask_get_area (mask) : 0.0;
  gboolean              rough = fovea_segmenter_is_rough (segment->segmenter);

  if (!mask)
    return FALSE;
  if (segment->mask_dir)
    {
      g_autoptr (GdkPixbuf) picture = make_mask_picture (mask, photo, error);

      if (!picture || !draw_save (picture, segment->mask_dir, name, segment->taken, &path, error))
        return FALSE;
    }
  if (segment->cutout_dir)
    {
      g_autoptr (GdkPixbuf) picture = make_cutout_picture (mask, photo, error);

      if (!picture || !draw_save (picture, segment->cutout_dir, name, segment->taken, &cutout_path, error))
        return FALSE;
    }
  if (drawn && !tint (drawn, mask, fovea_masks_get_class (masks, i), photo, error))
    return FALSE;
  if (segment->json)
    add_mask_json (segment->json, label, area, path, cutout_path, rough);
  else if (area >= LEAST_AREA)
    g_print ("  %5.1f %%  %s%s\n", area * 100.0, label, rough ? " (about)" : "");
  return TRUE;
}

static gboolean
is_wanted (const Segment *segment, const char *label)
{
  for (guint k = 0; segment->classes && segment->classes[k]; k++)
    if (g_ascii_strcasecmp (segment->classes[k], label) == 0)
      return TRUE;
  return !segment->classes;
}

static gboolean
segment_photo (const Segment *segment, const char *file, GdkPixbuf *pixels, GError **error)
{
  FoveaPhoto             photo = { gdk_pixbuf_get_width (pixels), gdk_pixbuf_get_height (pixels), image_read, pixels };
  g_autoptr (FoveaMasks) masks = fovea_segmenter_run (segment->segmenter, &photo, NULL, NULL, NULL, error);
  g_autoptr (GdkPixbuf)  drawn = segment->draw_dir ? gdk_pixbuf_copy (pixels) : NULL;
  g_autofree char       *path = NULL;

  if (!masks)
    return FALSE;
  for (gsize i = 0; i < fovea_masks_count (masks); i++)
    if (is_wanted (segment, fovea_masks_get_label (masks, i)) && !write_mask (segment, file, &photo, masks, i, drawn, error))
      return FALSE;
  return !drawn || draw_save (drawn, segment->draw_dir, file, segment->taken, &path, error);
}

static gboolean
segment_file (const Segment *segment, const char *file)
{
  g_autoptr (GError)    error = NULL;
  g_autoptr (GdkPixbuf) pixels = image_load (file, &error);

  if (segment->json)
    {
      json_builder_begin_object (segment->json);
      command_add_string (segment->json, "file", file);
      json_builder_set_member_name (segment->json, "masks");
      json_builder_begin_array (segment->json);
    }
  else if (pixels)
    {
      g_autofree char *name = g_filename_display_name (file);

      command_clear_progress ();
      g_print ("%s (%d×%d)\n", name, gdk_pixbuf_get_width (pixels), gdk_pixbuf_get_height (pixels));
    }
  if (pixels)
    segment_photo (segment, file, pixels, &error);
  if (segment->json)
    {
      json_builder_end_array (segment->json);
      if (error)
        command_add_string (segment->json, "error", error->message);
      json_builder_end_object (segment->json);
    }
  if (error)
    command_warn ("%s", error->message);
  return !error;
}

/* ---- the verb --------------------------------------------------------------------------------------------------------------------------------- */

static int
run (Segment *segment, gboolean json, int n_threads, int argc, char **argv)
{
  g_autoptr (GError)         error = NULL;
  g_autofree char           *path = fovea_find_model (argv[1], &error);
  g_autoptr (FoveaModel)     model = path ? fovea_model_load (path, &error) : NULL;
  g_autoptr (FoveaSegmenter) segmenter = model ? fovea_segmenter_new (model, NULL, (guint) n_threads, &error) : NULL;
  g_autoptr (GHashTable)     taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (JsonBuilder)    builder = NULL;
  int                        status = COMMAND_OK;

  if (!segmenter || !fovea_settings_check_classes (fovea_segmenter_get_settings (segmenter), (const char *const *) segment->classes, &error))
    return command_fail (json, error);
  segment->segmenter = segmenter;
  segment->taken = taken;
  if (json)
    {
      segment->json = builder = json_builder_new ();
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "images");
      json_builder_begin_array (builder);
    }
  for (int i = 2; i < argc; i++)
    {
      if (argc > 3)
        command_progress ("photo", (gsize) i - 2, (gsize) argc - 2);
      if (!segment_file (segment, argv[i]))
        status = COMMAND_FAILED;
    }
  command_clear_progress ();
  if (json)
    {
      json_builder_end_array (builder);
      json_builder_end_object (builder);
      command_print_json (builder);
    }
  return status;
}

static const char *
check_options (const FoveaMaskOptions *options, int n_threads)
{
  if (!(options->threshold > 0.0 && options->threshold < 1.0))
    return "--threshold must be above 0 and below 1.";
  if (!(options->softness >= 0.0 && options->softness <= 1.0))
    return "--softness must be from 0 to 1.";
  if (!(ABS (options->grow) <= 1000.0) || !(options->feather >= 0.0 && options->feather <= 1000.0))
    return "--grow must be from -1000 to 1000, --feather from 0 to 1000 pixels.";
  return n_threads < 0 ? "--threads must be 0 or more." : NULL;
}

int
verb_segment (int argc, char **argv)
{
  Segment         segment = { .options = { .threshold = 0.5, .softness = 1.0 } };
  g_autofree char *mask_dir = NULL, *cutout_dir = NULL, *draw_dir = NULL, *classes = NULL;
  g_auto (GStrv)  names = NULL;
  gboolean        json = FALSE, no_refine = FALSE;
  int             n_threads = 0, status;
  const char     *wrong;
  GOptionEntry    entries[] = {
    { "mask-dir", 0, 0, G_OPTION_ARG_FILENAME, &mask_dir, "Write masks into this folder, as gray PNG", "DIR" },
    { "cutout-dir", 0, 0, G_OPTION_ARG_FILENAME, &cutout_dir, "Write what is in the masks into this folder, as PNG with transparency", "DIR" },
    { "draw", 0, 0, G_OPTION_ARG_FILENAME, &draw_dir, "Write copies with the masks in colour into this folder, as PNG", "DIR" },
    { "classes", 0, 0, G_OPTION_ARG_STRING, &classes, "Only these names, commas between", "NAMES" },
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &segment.options.threshold, "The share that lies on the border (0.5)", "T" },
    { "softness", 0, 0, G_OPTION_ARG_DOUBLE, &segment.options.softness, "0: a hard border, 1: the network's own (1)", "S" },
    { "grow", 0, 0, G_OPTION_ARG_DOUBLE, &segment.options.grow, "Widen masks by so many pixels; negative: narrow (0)", "N" },
    { "feather", 0, 0, G_OPTION_ARG_DOUBLE, &segment.options.feather, "Blur the border by so many pixels (0)", "N" },
    { "invert", 0, 0, G_OPTION_ARG_NONE, &segment.options.invert, "What isn't in the mask", NULL },
    { "no-refine", 0, 0, G_OPTION_ARG_NONE, &no_refine, "Don't let borders follow the photo's edges", NULL },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "Compute with N threads (0: one per processor)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object: images[{file, masks[{label, area, file}]}]", NULL },
    { NULL },
  };

  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  wrong = argc < 3 ? "Give a model and at least one photo." : check_options (&segment.options, n_threads);
  if (wrong)
    return command_usage (&help, json, "%s", wrong);
  if (classes)
    {
      names = g_strsplit (classes, ",", -1);
      for (guint i = 0; names[i]; i++)
        g_strstrip (names[i]);
    }
  segment.options.refine = !no_refine;
  segment.classes = names;
  segment.mask_dir = mask_dir;
  segment.cutout_dir = cutout_dir;
  segment.draw_dir = draw_dir;
  return run (&segment, json, n_threads, argc, argv);
}
