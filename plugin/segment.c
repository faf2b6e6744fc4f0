/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.c: the procedures plug-in-fovea-segment, with everything that masks can become, and plug-in-fovea-cut-out, which gives the layer a mask of its subject
 * without asking: for a keyboard shortcut. What becomes of the masks in the image is mask-output.c's.
 */

#include "segment.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <libgimp/gimpui.h>

#include "arguments.h"
#include "mask-output.h"
#include "models.h"
#include "operation.h"
#include "procedure.h"


static const char *const regions[] = { "layer", "image", "selection", NULL };

static void
clear_model (Segmentation *segmentation)
{
  g_clear_pointer (&segmentation->segmenter, fovea_segmenter_free);
  g_clear_pointer (&segmentation->model, fovea_model_unref);
}

static void
segmentation_clear (Segmentation *segmentation)
{
  segmentation->masks = NULL;
  g_clear_pointer (&segmentation->parts, fovea_masks_free);
  g_clear_pointer (&segmentation->found, fovea_masks_free);
  g_clear_pointer (&segmentation->reader, pixel_reader_free);
  g_clear_pointer (&segmentation->which, g_free);
  g_clear_pointer (&segmentation->areas, g_free);
  clear_model (segmentation);
}

/* ---- the model ------------------------------------------------------------------------------------------------- */

static gboolean
load_model (const char *name, Segmentation *segmentation, GError **error)
{
  g_autofree char *path = fovea_find_model (name, error);

  segmentation->model = path ? fovea_model_load (path, error) : NULL;
  segmentation->segmenter = segmentation->model ? fovea_segmenter_new (segmentation->model, NULL, 0, error) : NULL;
  if (!segmentation->segmenter)
    clear_model (segmentation);
  return segmentation->segmenter != NULL;
}

gboolean
segment_load (const char *name, Segmentation *segmentation, GError **error)
{
  g_auto (GStrv) candidates = NULL;

  if (name && *name)
    return load_model (name, segmentation, error);
  candidates = models_to_try (FOVEA_TASK_SEGMENT);
  for (int rough = 0; rough < 2; rough++)
    for (guint i = 0; candidates[i]; i++)
      {
        if (!load_model (candidates[i], segmentation, NULL))
          continue;
        if (rough || !fovea_segmenter_is_rough (segmentation->segmenter))
          return TRUE;
        clear_model (segmentation);
      }
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE,
               _("No model that makes masks is installed. Choose an .onnx file, or put one into the folder fovea/models of your data folder."));
  return FALSE;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void
show_progress (double fraction, gpointer unused)
{
  gimp_progress_update (fraction);
}

/* `classes`: names with commas between; empty: all. */
static gboolean
choose_masks (Segmentation *segmentation, const char *classes, GError **error)
{
  g_auto (GStrv) names = operation_split_classes (classes);
  gsize          n = fovea_masks_count (segmentation->masks);

  if (names && !fovea_settings_check_classes (fovea_segmenter_get_settings (segmentation->segmenter), (const char *const *) names, error))
    return FALSE;
  segmentation->which = g_new0 (gsize, n + 1);
  segmentation->areas = g_new0 (double, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      gboolean wanted = !names;

      for (guint k = 0; names && names[k] && !wanted; k++)
        {
          g_autofree char *a = g_utf8_casefold (names[k], -1), *b = g_utf8_casefold (fovea_masks_get_label (segmentation->masks, i), -1);

          wanted = g_strcmp0 (a, b) == 0;
        }
      if (wanted)
        segmentation->which[segmentation->n++] = i;
    }
  return TRUE;
}

gboolean
segment_choose_parts (GimpProcedureConfig *config, Segmentation *segmentation, GError **error)
{
  gboolean per_object;
  double   threshold;

  g_object_get (config, "per-object", &per_object, "threshold", &threshold, NULL);
  g_clear_pointer (&segmentation->parts, fovea_masks_free);
  segmentation->parts = per_object ? fovea_masks_split (segmentation->found, threshold, error) : NULL;
  segmentation->masks = per_object ? segmentation->parts : segmentation->found;
  return segmentation->masks != NULL;
}

gboolean
segment_read_prompt (GimpProcedureConfig *config, GimpImage *image, const GeglRectangle *region, PromptKind *kind, PromptText *prompt, GError **error)
{
  g_autofree char *points = NULL;
  guint            word;

  if (!argument_read_word (config, "prompt", prompt_kinds, &word, error))
    return FALSE;
  *kind = (PromptKind) word;
  g_object_get (config, "points", &points, NULL);
  return prompt_read (*kind, image, points, region, prompt, error);
}

/* `found` is set. config NULL: no prompt. */
static gboolean
look (GimpRunMode run_mode, const char *model, const char *region, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Segmentation *segmentation, GError **error)
{
  g_auto (PromptText) prompt = { { 0 } };
  GeglRectangle   place;
  PromptKind      kind = PROMPT_NONE;
  int             tiles = 1;

  gimp_progress_init (_("Looking"));
  if (!segment_load (model, segmentation, error))
    return FALSE;
  models_warn (segmentation->model, run_mode);
  /* The whole layer, also where an earlier mask hides it. */
  segmentation->reader = pixel_reader_new (image, drawables, g_strcmp0 (region, "layer") == 0 ? "layer-unmasked" : region, error);
  if (!segmentation->reader)
    return FALSE;
  segmentation->photo = (FoveaPhoto) { 0, 0, pixel_reader_read, segmentation->reader };
  pixel_reader_get_size (segmentation->reader, &segmentation->photo.width, &segmentation->photo.height);
  place = pixel_reader_get_region (segmentation->reader);
  if (config && !segment_read_prompt (config, image, &place, &kind, &prompt, error))
    return FALSE;
  if (config)
    g_object_get (config, "tiles", &tiles, NULL);
  segmentation->found = kind == PROMPT_NONE
                          ? fovea_segmenter_run (segmentation->segmenter, &segmentation->photo, tiles, NULL, show_progress, NULL, error)
                          : fovea_segmenter_run_prompt (segmentation->segmenter, &segmentation->photo, &prompt.prompt, NULL, show_progress, NULL, error);
  segmentation->masks = segmentation->found;
  return segmentation->found && pixel_reader_check_opaque (segmentation->reader, error);
}

static gboolean
apply (const MaskOutput *output, GimpImage *image, GimpDrawable **drawables, Segmentation *segmentation, GError **error)
{
  MaskSource source = { image, drawables, segmentation->reader, &segmentation->photo, segmentation->masks, segmentation->which, segmentation->n };

  return mask_output_apply (output, &source, segmentation->areas, error);
}

/* ---- the answer --------------------------------------------------------------------------------------------------- */

static char *
make_json (const Segmentation *segmentation)
{
  g_autoptr (JsonBuilder)   json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode)      root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "model");
  json_builder_add_string_value (json, fovea_model_get_name (segmentation->model));
  if (fovea_segmenter_is_rough (segmentation->segmenter))
    {
      json_builder_set_member_name (json, "rough");
      json_builder_add_boolean_value (json, TRUE);
    }
  json_builder_set_member_name (json, "masks");
  json_builder_begin_array (json);
  for (gsize k = 0; k < segmentation->n; k++)
    {
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "label");
      json_builder_add_string_value (json, fovea_masks_get_label (segmentation->masks, segmentation->which[k]));
      json_builder_set_member_name (json, "area");
      json_builder_add_double_value (json, segmentation->areas[k]);
      json_builder_set_member_name (json, "pixels");
      json_builder_add_double_value (json, segmentation->areas[k] * segmentation->photo.width * segmentation->photo.height);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  return json_generator_to_data (generator, NULL);
}

static GimpValueArray *
make_return (GimpProcedure *procedure, const Segmentation *segmentation)
{
  GimpValueArray *values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  g_auto (GStrv)  labels = g_new0 (char *, segmentation->n + 1);

  for (gsize k = 0; k < segmentation->n; k++)
    labels[k] = g_strdup (fovea_masks_get_label (segmentation->masks, segmentation->which[k]));
  GIMP_VALUES_SET_STRV (values, 1, labels);
  GIMP_VALUES_SET_DOUBLE_ARRAY (values, 2, segmentation->n ? segmentation->areas : NULL, segmentation->n); /* libgimp wants no data for none */
  GIMP_VALUES_TAKE_STRING (values, 3, make_json (segmentation));
  return values;
}

/* ---- segment -------------------------------------------------------------------------------------------------------- */

void
segment_read_options (GimpProcedureConfig *config, FoveaMaskOptions *options)
{
  g_object_get (config, "threshold", &options->threshold, "softness", &options->softness, "grow", &options->grow, "feather", &options->feather, "invert",
                &options->invert, "refine-edges", &options->refine, "hair", &options->hair, NULL);
}

static gboolean
read_output (GimpProcedureConfig *config, MaskOutput *output, GError **error)
{
  static const GimpChannelOps operations[] = { GIMP_CHANNEL_OP_REPLACE, GIMP_CHANNEL_OP_ADD, GIMP_CHANNEL_OP_SUBTRACT, GIMP_CHANNEL_OP_INTERSECT };
  guint                       region, kind, operation, background;

  if (!argument_read_word (config, "region", regions, &region, error) || !argument_read_word (config, "output", mask_output_kinds, &kind, error)
      || !argument_read_word (config, "operation", mask_output_operations, &operation, error)
      || !argument_read_word (config, "background", mask_output_backgrounds, &background, error))
    return FALSE;
  output->kind = (MaskOutputKind) kind;
  output->operation = operations[operation];
  output->background = (MaskBackground) background;
  segment_read_options (config, &output->options);
  g_object_get (config, "hide-original", &output->hide_original, NULL);
  return TRUE;
}

static GimpValueArray *
segment_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Segmentation     segmentation = { NULL };
  MaskOutput       output;
  GError          *error = NULL;
  GimpValueArray  *values;
  g_autofree char *model = NULL, *region = NULL, *classes = NULL;

  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE && !segment_dialog_run (procedure, config, image, drawables, &segmentation))
    {
      segmentation_clear (&segmentation);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL, NULL);
    }
  if (!read_output (config, &output, &error) || !mask_output_check (&output, image, drawables, &error))
    {
      segmentation_clear (&segmentation);
      return gimp_procedure_new_return_values (procedure, run_mode == GIMP_RUN_INTERACTIVE ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_CALLING_ERROR, error);
    }
  g_object_get (config, "model", &model, "region", &region, "classes", &classes, NULL);
  if ((segmentation.found
       || (look (run_mode, model, region, config, image, drawables, &segmentation, &error) && segment_choose_parts (config, &segmentation, &error)
           && choose_masks (&segmentation, classes, &error)))
      && apply (&output, image, drawables, &segmentation, &error))
    values = make_return (procedure, &segmentation);
  else
    values = gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  segmentation_clear (&segmentation);
  return values;
}

static void
add_returns (GimpProcedure *procedure)
{
  gimp_procedure_add_string_array_return_value (procedure, "labels", _("Labels"), _("What the masks show"), G_PARAM_READWRITE);
  gimp_procedure_add_double_array_return_value (procedure, "areas", _("Areas"), _("The share of the region that each covers, 0 to 1"), G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Everything as one JSON object"), "", G_PARAM_READWRITE);
}

GimpProcedure *
segment_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, SEGMENT_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, segment_run, NULL, NULL);

  procedure_describe (procedure, _("_Segment…"), "gimp-tool-foreground-select",
                      _("Find which pixels belong to what, as masks, selections, channels, layers or a cut-out"),
                      _("A neural network makes a mask for each thing that it knows, on this machine. The masks' borders follow the edges of the photo."));
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"), _("Name of an installed model, or path of an ONNX file; empty: the first that makes masks"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "region", _("L_ook at"), _("Where to look: layer, image or selection"), "layer", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "prompt", _("_What"),
                                      _("What is meant: none (the network finds it), selection (what lies in the selection), path (inside a closed path, or along an open "
                                        "one) or points"),
                                      "none", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "points", _("_Points"),
                                      _("Places on the thing, “120,80” in the image's pixels with spaces between, “!120,80” where it isn't; empty: the image's sample points"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "tiles", _("_Tiles"),
                                   _("For details, look at overlapping parts: so many along the longer side; 1: at the whole; 0: as many as are useful"), 0, 32, 1,
                                   G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "output", _("Ma_ke"), _("What the masks become: layer-mask, selection, channels, layers, paths, cut-out or none"),
                                      "layer-mask", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "operation", _("O_peration"),
                                      _("How a layer mask or selection that is there changes: replace, add, subtract or intersect"), "replace", G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "per-object", _("Each part b_y itself"), _("A mask of each part that hangs together, instead of one of each class"),
                                       FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "classes", _("C_lasses"), _("Only masks of these names, commas between; empty: all"), "", G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "threshold", _("Threshol_d"), _("The share that lies on the border, 0 to 1"), 0.01, 0.99, 0.5, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "softness", _("So_ftness"), _("0: a hard border; 1: as soft as the network has it"), 0, 1, 1, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "grow", _("_Grow"), _("Widen the masks by so many pixels; negative: narrow them"), -1000, 1000, 0, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "feather", _("Feathe_r"), _("Blur the border by so many pixels"), 0, 1000, 0, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "invert", _("_Invert"), _("What isn't in the masks"), FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "refine-edges", _("Follow the photo's _edges"), _("The border of the masks follows the edges of the photo"), TRUE,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "hair", _("Hair and f_ur"), _("Look for hair and fur up to so many pixels from the border; 0: don't"), 0, 1000, 0, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "hide-original", _("Hide the origi_nal"), _("Of a cut-out: hide the layer that it comes from"), TRUE,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "background", _("_Background"),
                                      _("What lies behind a cut-out: none, colour (GIMP's background colour) or blur (the original, blurred)"), "none", G_PARAM_READWRITE);
  add_returns (procedure);
  return procedure;
}

/* ---- cut out -------------------------------------------------------------------------------------------------------- */

static GimpValueArray *
cut_out_run (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  Segmentation     segmentation = { NULL };
  MaskOutput       output = { .kind = MASK_LAYER_MASK, .operation = GIMP_CHANNEL_OP_REPLACE, .options = { .threshold = 0.5, .softness = 1.0 } };
  GError          *error = NULL;
  GimpValueArray  *values;
  g_autofree char *model = NULL;

  procedure_begin ();
  g_object_get (config, "model", &model, "refine-edges", &output.options.refine, NULL);
  if (!mask_output_check (&output, image, drawables, &error))
    return gimp_procedure_new_return_values (procedure, GIMP_PDB_CALLING_ERROR, error);
  if (look (run_mode, model, "layer", NULL, image, drawables, &segmentation, &error) && choose_masks (&segmentation, NULL, &error)
      && apply (&output, image, drawables, &segmentation, &error))
    values = make_return (procedure, &segmentation);
  else
    values = gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
  segmentation_clear (&segmentation);
  return values;
}

GimpProcedure *
cut_out_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, CUT_OUT_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, cut_out_run, NULL, NULL);

  gimp_procedure_set_sensitivity_mask (procedure, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
  procedure_describe (procedure, _("C_ut Out Subject"), "edit-cut",
                      _("Give the layer a mask of its subject"),
                      _("A neural network finds the subject of the photo; the layer gets a mask that shows only that. Undo takes it back."));
  gimp_procedure_add_string_argument (procedure, "model", _("_Model"), _("Name of an installed model, or path of an ONNX file; empty: the first that makes masks"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "refine-edges", _("Follow the photo's _edges"), _("The border of the masks follows the edges of the photo"), TRUE,
                                       G_PARAM_READWRITE);
  add_returns (procedure);
  return procedure;
}
