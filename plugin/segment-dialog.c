/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment-dialog.c: the window of Filters ▸ Fovea ▸ Segment…. It looks (look.h) as soon as it opens, and again when model, region or tiles change; what shapes the mask
 * and which masks are ticked is answered from what was found, at once; but hair is looked for in a worker, on a mask of its own that takes the shown one's place.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>
#include <string.h>

#include "dialog.h"
#include "look.h"
#include "mask-view.h"
#include "segment.h"

#define TABLE_WIDTH 300

enum { COLUMN_TICKED, COLUMN_NAME, COLUMN_AREA, COLUMN_MASK, N_COLUMNS };

/* What the worker that looks for hair makes, and of what. */
typedef struct
{
  gsize     *which; /* (n): of the masks */
  gsize      n;
  double     hair;
  FoveaMask *mask;  /* NULL: it isn't done */
} HairWork;

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *dialog, *view;
  GtkListStore        *rows;
  Look                *look;
  Segmentation         segmentation;
  FoveaMask           *mask;    /* of the ticked; NULL: none are */
  double               hair;    /* that it has */
  guint8              *ticked;  /* one of each mask */
  guint                pending; /* the source that will update the mask, 0: none */
  guint                areas;   /* the source that shows the areas of the table's rows, 0: none */
  int                  next_area; /* the row that is its next */
  PromptKind           kind;    /* of the look that is under way, likewise: */
  PromptText           prompt;
  int                  tiles;
  GError              *wrong;   /* with the prompt; NULL: nothing */
  gboolean             parts_changed; /* the masks are to be taken apart anew */
  HairWork             work;
} SegmentDialog;

/* ---- areas ------------------------------------------------------------------------------------------------------ */

/* Of one row of the table after the other, with the settings, when nothing else waits. The mask that is shown isn't made again. Hair is only looked for in that one. */
static gboolean
show_next_area (gpointer data)
{
  SegmentDialog        *dialog = data;
  Segmentation         *found = &dialog->segmentation;
  FoveaMaskOptions      options;
  g_autoptr (FoveaMask) mask = NULL;
  g_autofree char      *area = NULL;
  GtkTreeIter           iter;
  gint                  which;
  gsize                 i;
  gboolean              shown;

  if (!gtk_tree_model_iter_nth_child (GTK_TREE_MODEL (dialog->rows), &iter, NULL, dialog->next_area++))
    {
      dialog->areas = 0;
      return G_SOURCE_REMOVE;
    }
  gtk_tree_model_get (GTK_TREE_MODEL (dialog->rows), &iter, COLUMN_MASK, &which, -1);
  i = (gsize) which;
  segment_read_options (dialog->config, &options);
  shown = dialog->mask && found->n == 1 && found->which[0] == i && !options.invert;
  options.hair = 0;
  options.invert = FALSE;
  mask = shown ? NULL : fovea_mask_new (found->masks, &i, 1, &options, NULL);
  area = g_strdup_printf ("%.1f %%", shown ? 100 * fovea_mask_get_area (dialog->mask) : mask ? 100 * fovea_mask_get_area (mask) : 0.0);
  gtk_list_store_set (dialog->rows, &iter, COLUMN_AREA, area, -1);
  return G_SOURCE_CONTINUE;
}

static void
show_areas (SegmentDialog *dialog)
{
  dialog->next_area = 0;
  if (!dialog->areas)
    dialog->areas = g_idle_add_full (G_PRIORITY_LOW, show_next_area, dialog, NULL);
}

/* ---- the mask that is shown ------------------------------------------------------------------------------------- */

static void
show_facts (SegmentDialog *dialog)
{
  const FoveaSettings *settings = fovea_segmenter_get_settings (dialog->segmentation.segmenter);
  FoveaPhoto           photo = look_get_photo (dialog->look);
  g_autoptr (GString)  text = g_string_new (NULL);

  g_string_append_printf (text, _("The mask covers %.1f %% of %d×%d pixels."), dialog->mask ? 100 * fovea_mask_get_area (dialog->mask) : 0.0, photo.width,
                          photo.height);
  g_string_append_c (text, ' ');
  g_string_append_printf (text, _("The network sees %d×%d."), settings->width, settings->height);
  if (fovea_segmenter_is_rough (dialog->segmentation.segmenter))
    g_string_append_printf (text, " %s", _("This model names photos: its masks are rough."));
  look_show_facts (dialog->look, text->str);
  show_areas (dialog);
}

static void
forget_mask (SegmentDialog *dialog)
{
  mask_view_set_mask (dialog->view, NULL);
  g_clear_pointer (&dialog->mask, fovea_mask_free);
}

/* The settings, with the hair that the mask has. The hair that they want is returned: what it has where it doesn't matter. */
static double
read_options (SegmentDialog *dialog, FoveaMaskOptions *options)
{
  double hair;

  segment_read_options (dialog->config, options);
  hair = options->refine ? options->hair : dialog->hair;
  options->hair = dialog->hair;
  return hair;
}

/* The union of the ticked masks, with the settings but without hair. */
static void
make_mask (SegmentDialog *dialog)
{
  Segmentation      *found = &dialog->segmentation;
  FoveaMaskOptions   options;
  g_autoptr (GError) error = NULL;

  forget_mask (dialog);
  found->n = 0;
  for (gsize i = 0; i < fovea_masks_count (found->masks); i++)
    if (dialog->ticked[i])
      found->which[found->n++] = i;
  dialog->hair = 0;
  read_options (dialog, &options);
  if (found->n)
    dialog->mask = fovea_mask_new (found->masks, found->which, found->n, &options, &error);
  look_show_message (dialog->look, error ? error->message : found->n ? NULL : _("No mask is ticked, or the network finds nothing that it knows."));
  mask_view_set_mask (dialog->view, dialog->mask);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, dialog->mask != NULL);
  show_facts (dialog);
}

static gboolean
update_mask (gpointer data)
{
  SegmentDialog     *dialog = data;
  FoveaMaskOptions   options;
  g_autoptr (GError) error = NULL;

  dialog->pending = 0;
  if (!dialog->mask)
    return G_SOURCE_REMOVE;
  if (read_options (dialog, &options) != (look_is_following (dialog->look) ? dialog->work.hair : dialog->hair))
    look_follow (dialog->look);
  if (!fovea_mask_set_options (dialog->mask, &options, &error))
    look_show_message (dialog->look, error->message);
  mask_view_set_mask (dialog->view, dialog->mask);
  show_facts (dialog);
  return G_SOURCE_REMOVE;
}

/* However often a slider says that it has moved, the mask is made once before the next drawing. */
static void
option_changed (GimpProcedureConfig *config, GParamSpec *property, SegmentDialog *dialog)
{
  if (!dialog->pending)
    dialog->pending = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update_mask, dialog, NULL);
}

/* Ticks follow the setting “classes”, whose words they are. */
static void
fill_table (SegmentDialog *dialog)
{
  Segmentation    *found = &dialog->segmentation;
  gsize            n = fovea_masks_count (found->masks);
  g_autofree char *classes = NULL;
  g_auto (GStrv)   names = NULL;
  gboolean         any = FALSE;

  g_object_get (dialog->config, "classes", &classes, NULL);
  names = g_strsplit (classes ? classes : "", ",", -1);
  for (guint k = 0; names[k]; k++)
    g_strstrip (names[k]);
  dialog->ticked = g_new0 (guint8, n + 1);
  for (gsize i = 0; i < n; i++)
    any |= dialog->ticked[i] = g_strv_contains ((const char *const *) names, fovea_masks_get_label (found->masks, i));
  for (gsize i = 0; i < n; i++)
    {
      dialog->ticked[i] |= !any;
      gtk_list_store_insert_with_values (dialog->rows, NULL, -1, COLUMN_TICKED, dialog->ticked[i] != 0, COLUMN_NAME, fovea_masks_get_label (found->masks, i),
                                         COLUMN_MASK, (gint) i, -1);
    }
}

/* ---- a look ------------------------------------------------------------------------------------------------------- */

static gboolean
load (const char *model, gpointer data, GError **error)
{
  SegmentDialog *dialog = data;

  g_clear_pointer (&dialog->segmentation.segmenter, fovea_segmenter_free);
  g_clear_pointer (&dialog->segmentation.model, fovea_model_unref);
  return segment_load (model, &dialog->segmentation, error);
}

static void
loaded (gpointer data)
{
}

static void
forget_work (HairWork *work)
{
  g_clear_pointer (&work->which, g_free);
  g_clear_pointer (&work->mask, fovea_mask_free);
}

static void
forget_table (SegmentDialog *dialog)
{
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, FALSE);
  forget_mask (dialog);
  g_clear_handle_id (&dialog->areas, g_source_remove);
  gtk_list_store_clear (dialog->rows);
  g_clear_pointer (&dialog->ticked, g_free);
  g_clear_pointer (&dialog->segmentation.which, g_free);
  forget_work (&dialog->work);
}

static void
forget (gpointer data)
{
  SegmentDialog *dialog = data;

  forget_table (dialog);
  dialog->segmentation.masks = NULL;
  g_clear_pointer (&dialog->segmentation.parts, fovea_masks_free);
  g_clear_pointer (&dialog->segmentation.found, fovea_masks_free);
}

static void
show_photo (GdkPixbuf *photo, GdkPixbuf *small, gpointer data)
{
  SegmentDialog *dialog = data;

  photo_view_set_photo (dialog->view, photo, small);
}

static void
begin (gpointer data)
{
  SegmentDialog *dialog = data;
  GeglRectangle  region = pixel_reader_get_region (look_get_reader (dialog->look));

  prompt_text_clear (&dialog->prompt);
  g_clear_error (&dialog->wrong);
  g_object_get (dialog->config, "tiles", &dialog->tiles, NULL);
  segment_read_prompt (dialog->config, dialog->image, &region, &dialog->kind, &dialog->prompt, &dialog->wrong);
  mask_view_set_points (dialog->view, dialog->prompt.prompt.points, dialog->prompt.prompt.n_points);
  look_show_progress (dialog->look, TRUE);
}

static gboolean
run (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  SegmentDialog *dialog = data;

  FoveaSegmenter *segmenter = dialog->segmentation.segmenter;

  if (dialog->wrong)
    {
      g_propagate_error (error, g_steal_pointer (&dialog->wrong));
      return FALSE;
    }
  dialog->segmentation.found = dialog->kind == PROMPT_NONE
                                 ? fovea_segmenter_run (segmenter, photo, dialog->tiles, cancellable, progress, progress_data, error)
                                 : fovea_segmenter_run_prompt (segmenter, photo, &dialog->prompt.prompt, cancellable, progress, progress_data, error);
  return dialog->segmentation.found != NULL;
}

/* The table of what was found, all or the parts of it, and the mask of what is ticked. */
static void
show_masks (SegmentDialog *dialog)
{
  Segmentation      *found = &dialog->segmentation;
  g_autoptr (GError) error = NULL;

  forget_table (dialog);
  if (!segment_choose_parts (dialog->config, found, &error))
    {
      look_show_message (dialog->look, error->message);
      return;
    }
  found->which = g_new0 (gsize, fovea_masks_count (found->masks) + 1);
  fill_table (dialog);
  make_mask (dialog);
}

static void
ended (gboolean done, gpointer data)
{
  SegmentDialog *dialog = data;

  if (!done)
    return;
  dialog->parts_changed = FALSE;
  show_masks (dialog);
  look_follow (dialog->look);
}

/* ---- hair ----------------------------------------------------------------------------------------------------------- */

static const char *
prepare (gpointer data)
{
  SegmentDialog   *dialog = data;
  Segmentation    *found = &dialog->segmentation;
  HairWork        *work = &dialog->work;
  FoveaMaskOptions options;

  if (dialog->parts_changed)
    show_masks (dialog);
  dialog->parts_changed = FALSE;
  if (!dialog->mask || (work->hair = read_options (dialog, &options)) == dialog->hair)
    return NULL;
  forget_work (work);
  work->which = g_memdup2 (found->which, found->n * sizeof *found->which);
  work->n = found->n;
  return work->hair > 0 ? _("Looking for hair and fur") : _("Without hair and fur");
}

static gboolean
follow (GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  SegmentDialog         *dialog = data;
  HairWork              *work = &dialog->work;
  const FoveaMaskOptions plain = { .threshold = 0.5, .softness = 1, .refine = work->hair <= 0 };

  work->mask = fovea_mask_new (dialog->segmentation.masks, work->which, work->n, &plain, error);
  return work->mask && fovea_mask_find_hair (work->mask, work->hair, cancellable, progress, progress_data, error);
}

/* The mask with hair takes the place of the one that is shown. */
static void
followed (gboolean done, gpointer data)
{
  SegmentDialog *dialog = data;

  if (done && dialog->mask)
    {
      forget_mask (dialog);
      dialog->mask = g_steal_pointer (&dialog->work.mask);
      dialog->hair = dialog->work.hair;
      option_changed (dialog->config, NULL, dialog);
    }
  forget_work (&dialog->work);
}

/* ---- the user's hand ------------------------------------------------------------------------------------------------ */

static void
model_changed (GimpProcedureConfig *config, GParamSpec *property, SegmentDialog *dialog)
{
  g_autofree char *model = NULL;

  g_object_get (config, "model", &model, NULL);
  if (!dialog_is_choosing (model) && !look_has_model (dialog->look))
    look_start (dialog->look);
}

static void
look_changed (GimpProcedureConfig *config, GParamSpec *property, SegmentDialog *dialog)
{
  look_start (dialog->look);
}

static void
prompt_changed (GimpProcedureConfig *config, GParamSpec *property, SegmentDialog *dialog)
{
  g_autofree char *prompt = NULL;

  g_object_get (config, "prompt", &prompt, NULL);
  if (!g_str_equal (property->name, "points") || g_strcmp0 (prompt, "points") == 0)
    look_start (dialog->look);
}

/* A click says where the thing is, and that places say it. */
static void
photo_clicked (double x, double y, gboolean outside, gpointer data)
{
  SegmentDialog   *dialog = data;
  PixelReader     *reader = look_get_reader (dialog->look);
  GeglRectangle    region;
  g_autofree char *prompt = NULL, *points = NULL, *more = NULL;

  if (!reader)
    return;
  region = pixel_reader_get_region (reader);
  g_object_get (dialog->config, "prompt", &prompt, "points", &points, NULL);
  more = g_strdup_printf ("%s%s%s%d,%d", g_strcmp0 (prompt, "points") == 0 && points ? points : "", points && *points ? " " : "", outside ? "!" : "",
                          region.x + (int) x, region.y + (int) y);
  g_object_set (dialog->config, "points", more, "prompt", "points", NULL);
}

static void
points_forgotten (GtkButton *button, SegmentDialog *dialog)
{
  mask_view_set_points (dialog->view, NULL, 0);
  g_object_set (dialog->config, "points", "", "prompt", "none", NULL);
}

static void
parts_changed (GimpProcedureConfig *config, GParamSpec *property, SegmentDialog *dialog)
{
  if (!dialog->segmentation.found || look_is_busy (dialog->look))
    return;
  dialog->parts_changed = TRUE;
  look_follow (dialog->look);
}

static void
row_ticked (GtkCellRendererToggle *cell, char *path, SegmentDialog *dialog)
{
  GtkTreeIter iter;
  gint        i;

  if (!dialog->ticked || !gtk_tree_model_get_iter_from_string (GTK_TREE_MODEL (dialog->rows), &iter, path))
    return;
  gtk_tree_model_get (GTK_TREE_MODEL (dialog->rows), &iter, COLUMN_MASK, &i, -1);
  dialog->ticked[i] = !dialog->ticked[i];
  gtk_list_store_set (dialog->rows, &iter, COLUMN_TICKED, dialog->ticked[i] != 0, -1);
  make_mask (dialog);
  look_follow (dialog->look);
}

static void
kind_toggled (GtkToggleButton *button, SegmentDialog *dialog)
{
  if (gtk_toggle_button_get_active (button))
    mask_view_set_kind (dialog->view, (MaskViewKind) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "kind")));
}

/* ---- the window ------------------------------------------------------------------------------------------------------- */

static GtkWidget *
make_kinds (SegmentDialog *dialog)
{
  const char *const labels[] = { _("Mask"), _("Photo with mask"), _("Cut-out"), _("Outline") };
  GtkWidget        *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0), *button = NULL;

  gtk_style_context_add_class (gtk_widget_get_style_context (box), "linked");
  for (int kind = 0; kind < (int) G_N_ELEMENTS (labels); kind++)
    {
      button = gtk_radio_button_new_with_label_from_widget (button ? GTK_RADIO_BUTTON (button) : NULL, labels[kind]);
      gtk_toggle_button_set_mode (GTK_TOGGLE_BUTTON (button), FALSE);
      g_object_set_data (G_OBJECT (button), "kind", GINT_TO_POINTER (kind));
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), kind == MASK_VIEW_PHOTO);
      g_signal_connect (button, "toggled", G_CALLBACK (kind_toggled), dialog);
      gtk_box_pack_start (GTK_BOX (box), button, TRUE, TRUE, 0);
    }
  return box;
}

static GtkWidget *
make_table (SegmentDialog *dialog)
{
  GtkWidget         *scrolled = gtk_scrolled_window_new (NULL, NULL), *table;
  GtkCellRenderer   *tick = gtk_cell_renderer_toggle_new ();
  GtkTreeViewColumn *name;

  dialog->rows = gtk_list_store_new (N_COLUMNS, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_INT);
  table = gtk_tree_view_new_with_model (GTK_TREE_MODEL (dialog->rows));
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (table), -1, "", tick, "active", COLUMN_TICKED, NULL);
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (table), -1, _("Name"), gtk_cell_renderer_text_new (), "text", COLUMN_NAME, NULL);
  gtk_tree_view_insert_column_with_attributes (GTK_TREE_VIEW (table), -1, _("Area"), gtk_cell_renderer_text_new (), "text", COLUMN_AREA, NULL);
  name = gtk_tree_view_get_column (GTK_TREE_VIEW (table), 1);
  gtk_tree_view_column_set_expand (name, TRUE);
  g_signal_connect (tick, "toggled", G_CALLBACK (row_ticked), dialog);
  atk_object_set_name (gtk_widget_get_accessible (table), _("Masks"));
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_shadow_type (GTK_SCROLLED_WINDOW (scrolled), GTK_SHADOW_IN);
  gtk_widget_set_size_request (scrolled, TABLE_WIDTH, 110);
  gtk_container_add (GTK_CONTAINER (scrolled), table);
  return scrolled;
}

static GtkWidget *
make_slider (SegmentDialog *dialog, const char *property, double low, double high, double step)
{
  GtkWidget *slider = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, low, high, step);

  gtk_scale_set_value_pos (GTK_SCALE (slider), GTK_POS_RIGHT);
  g_object_bind_property (dialog->config, property, gtk_range_get_adjustment (GTK_RANGE (slider)), "value", G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  return slider;
}

/* What is meant, and the way back from clicks. */
static void
attach_prompt (SegmentDialog *dialog, GtkGrid *grid, int row)
{
  const char *const rows[] = { "none", _("What the network finds"), "selection", _("What lies in the selection"), "path", _("What the path goes around"),
                               "points", _("What you click on"), NULL };
  g_autoptr (GtkListStore) store = dialog_make_store (rows);
  GtkWidget *forget_points = gtk_button_new_from_icon_name ("edit-clear-all", GTK_ICON_SIZE_BUTTON);

  gtk_widget_set_tooltip_text (forget_points, _("Forget the clicks"));
  atk_object_set_name (gtk_widget_get_accessible (forget_points), _("Forget the clicks"));
  g_signal_connect (forget_points, "clicked", G_CALLBACK (points_forgotten), dialog);
  dialog_attach (grid, row, _("_What"), _("What is meant. Click into the photo on what you want, with Ctrl on what doesn't belong to it."),
                 gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "prompt", GTK_TREE_MODEL (store), 0, 1));
  gtk_grid_attach (grid, forget_points, 2, row, 1, 1);
}

/* Two switches side by side. */
static void
attach_switches (SegmentDialog *dialog, GtkGrid *grid, int row)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18);

  gtk_box_pack_start (GTK_BOX (box), gimp_prop_check_button_new (G_OBJECT (dialog->config), "invert", _("_Invert")), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), gimp_prop_check_button_new (G_OBJECT (dialog->config), "per-object", _("Each part b_y itself")), FALSE, FALSE, 0);
  gtk_grid_attach (grid, box, 0, row, 3, 1);
}

static GtkWidget *
make_grid (void)
{
  GtkWidget *grid = gtk_grid_new ();

  gtk_grid_set_row_spacing (GTK_GRID (grid), 3); /* more, and the window would be too high for a laptop */
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  return grid;
}

/* What is looked at, and how the mask is shaped. */
static GtkWidget *
make_settings (SegmentDialog *dialog)
{
  GtkWidget        *grid = make_grid ();
  GObject          *config = G_OBJECT (dialog->config);
  const char *const region_rows[] = { "layer", _("The layer"), "image", _("The whole image"), "selection", _("The selection"), NULL };
  g_autoptr (GtkListStore) regions = dialog_make_store (region_rows);

  dialog_attach (GTK_GRID (grid), 0, _("_Model"), _("The network that looks"), dialog_model_combo_new (dialog->config, FOVEA_TASK_SEGMENT, dialog->dialog));
  dialog_attach (GTK_GRID (grid), 1, _("L_ook at"), _("The part of the image that is looked at"),
                 gimp_prop_string_combo_box_new (config, "region", GTK_TREE_MODEL (regions), 0, 1));
  dialog_attach (GTK_GRID (grid), 2, _("_Tiles"), _("For details: parts along the longer side that are looked at one by one. 1: the whole; 0: as many as are useful"),
                 gimp_prop_spin_button_new (config, "tiles", 1, 4, 0));
  attach_prompt (dialog, GTK_GRID (grid), 3);
  dialog_attach (GTK_GRID (grid), 4, _("Threshol_d"), _("The share that lies on the border"), make_slider (dialog, "threshold", 0.01, 0.99, 0.01));
  dialog_attach (GTK_GRID (grid), 5, _("So_ftness"), _("0: a hard border; 1: as soft as the network has it"), make_slider (dialog, "softness", 0, 1, 0.01));
  dialog_attach (GTK_GRID (grid), 6, _("_Grow"), _("Widen the masks by so many pixels; negative: narrow them"), make_slider (dialog, "grow", -100, 100, 1));
  dialog_attach (GTK_GRID (grid), 7, _("Feathe_r"), _("Blur the border by so many pixels"), make_slider (dialog, "feather", 0, 100, 1));
  gtk_grid_attach (GTK_GRID (grid), gimp_prop_check_button_new (config, "refine-edges", _("Follow the photo's _edges")), 0, 8, 3, 1);
  dialog_attach (GTK_GRID (grid), 9, _("Hair and f_ur"), _("Look for hair and fur up to so many pixels from the border; 0: don't"), make_slider (dialog, "hair", 0, 200, 1));
  attach_switches (dialog, GTK_GRID (grid), 10);
  return grid;
}

/* What becomes of the masks: below the photo, where there is room. */
static GtkWidget *
make_output (SegmentDialog *dialog)
{
  GtkWidget        *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = make_grid (), *right = make_grid (), *operation, *background, *hide;
  GObject          *config = G_OBJECT (dialog->config);
  const char *const output_rows[] = { "layer-mask", _("A layer mask"), "selection", _("A selection"), "channels", _("Channels"), "layers", _("Coloured layers"),
                                      "paths", _("Paths"), "cut-out", _("A cut-out"), "none", _("Nothing"), NULL };
  const char *const operation_rows[] = { "replace", _("Replace it"), "add", _("Add to it"), "subtract", _("Subtract from it"), "intersect", _("Intersect with it"),
                                         NULL };
  const char *const background_rows[] = { "none", _("Nothing"), "colour", _("GIMP's background colour"), "blur", _("The original, blurred"), NULL };
  g_autoptr (GtkListStore) outputs = dialog_make_store (output_rows), operations = dialog_make_store (operation_rows);
  g_autoptr (GtkListStore) backgrounds = dialog_make_store (background_rows);

  operation = gimp_prop_string_combo_box_new (config, "operation", GTK_TREE_MODEL (operations), 0, 1);
  background = gimp_prop_string_combo_box_new (config, "background", GTK_TREE_MODEL (backgrounds), 0, 1);
  hide = gimp_prop_check_button_new (config, "hide-original", _("Hide the origi_nal"));
  dialog_attach (GTK_GRID (left), 0, _("Ma_ke"), _("What the masks become"), gimp_prop_string_combo_box_new (config, "output", GTK_TREE_MODEL (outputs), 0, 1));
  dialog_attach (GTK_GRID (left), 1, _("_Background"), _("What lies behind a cut-out"), background);
  dialog_attach (GTK_GRID (right), 0, _("O_peration"), _("How a layer mask or selection that is there changes"), operation);
  gtk_grid_attach (GTK_GRID (right), hide, 0, 1, 2, 1);
  dialog_bind_output (dialog->config, operation, "layer-mask selection");
  dialog_bind_output (dialog->config, background, "cut-out");
  dialog_bind_output (dialog->config, hide, "cut-out");
  gtk_box_pack_start (GTK_BOX (box), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), right, TRUE, TRUE, 0);
  return box;
}

static GtkWidget *
make_content (SegmentDialog *dialog)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *table = make_table (dialog);

  dialog->view = mask_view_new (photo_clicked, dialog);
  gtk_box_pack_start (GTK_BOX (left), make_kinds (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), look_get_status (dialog->look), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), make_output (dialog), FALSE, FALSE, 6);
  gtk_box_pack_start (GTK_BOX (right), table, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (right), make_settings (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), right, FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  return columns;
}

/* What the caller needs of the window: the reader, and the photo that it reads. */
static void
take_reader (SegmentDialog *dialog)
{
  Segmentation *found = &dialog->segmentation;

  found->reader = look_take_reader (dialog->look);
  found->photo = (FoveaPhoto) { 0, 0, pixel_reader_read, found->reader };
  pixel_reader_get_size (found->reader, &found->photo.width, &found->photo.height);
  found->areas = g_new0 (double, found->n + 1);
}

gboolean
segment_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Segmentation *segmentation)
{
  static const LookSteps   steps = { load, loaded, forget, show_photo, begin, run, ended, prepare, follow, followed };
  static const char *const options[] = { "notify::threshold", "notify::softness", "notify::grow", "notify::feather", "notify::invert", "notify::refine-edges", "notify::hair", NULL };
  SegmentDialog dialog = { .config = config, .image = image };
  gboolean      ok;

  gimp_ui_init ("fovea");
  dialog.look = look_new (config, image, drawables, "layer-unmasked", &steps, &dialog);
  dialog.dialog = gimp_procedure_dialog_new (procedure, config, _("Segment"));
  gimp_procedure_dialog_set_ok_label (GIMP_PROCEDURE_DIALOG (dialog.dialog), _("_Apply"));
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), make_content (&dialog), TRUE, TRUE, 0);
  g_signal_connect (config, "notify::model", G_CALLBACK (model_changed), &dialog);
  g_signal_connect (config, "notify::region", G_CALLBACK (look_changed), &dialog);
  g_signal_connect (config, "notify::tiles", G_CALLBACK (look_changed), &dialog);
  g_signal_connect (config, "notify::prompt", G_CALLBACK (prompt_changed), &dialog);
  g_signal_connect (config, "notify::points", G_CALLBACK (prompt_changed), &dialog);
  g_signal_connect (config, "notify::per-object", G_CALLBACK (parts_changed), &dialog);
  for (guint i = 0; options[i]; i++)
    g_signal_connect (config, options[i], G_CALLBACK (option_changed), &dialog);
  look_start (dialog.look);

  ok = gimp_procedure_dialog_run (GIMP_PROCEDURE_DIALOG (dialog.dialog));

  g_signal_handlers_disconnect_by_data (config, &dialog);
  ok = ok && dialog.mask && !look_is_busy (dialog.look);
  forget_mask (&dialog);
  show_photo (NULL, NULL, &dialog);
  if (ok)
    take_reader (&dialog);
  look_free (dialog.look);
  g_clear_handle_id (&dialog.pending, g_source_remove);
  g_clear_handle_id (&dialog.areas, g_source_remove);
  forget_mask (&dialog);
  gtk_widget_destroy (dialog.dialog);
  g_clear_object (&dialog.rows);
  g_free (dialog.ticked);
  prompt_text_clear (&dialog.prompt);
  g_clear_error (&dialog.wrong);
  *segmentation = dialog.segmentation;
  return ok;
}
