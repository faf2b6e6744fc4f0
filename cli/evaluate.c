/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate.c: `fovea evaluate`: what a model is worth on labelled photos.
 */

#include "evaluation.h"

#include <math.h>

#include "evaluate-sheet.h"
#include "image.h"
#include "verbs.h"

static const CommandHelp help = {
  "evaluate", "MODEL DATA",
  "Runs a model on labelled photos and says how good its answers are: accuracy for one label a photo, mean average precision for several, and for boxes (ap50:\n"
  "at an overlap of a half; map: over overlaps from 0.5 to 0.95), intersection over union and mean absolute error for masks. DATA is laid out like training data: see fovea train.",
  "  fovea evaluate flowers.onnx photos/               the photos that training kept out\n"
  "  fovea evaluate cutout photos/ --sheet answers.png the answers to the best, middle and worst photos, drawn\n"
  "  fovea evaluate tagger photos/ --tags tags.txt --json\n"
  "                                                    a model of many tags, as JSON\n",
};

void
evaluation_print (const FoveaEvaluation *evaluation, gboolean classes)
{
  for (gsize c = 0; classes && c < evaluation->n_classes; c++)
    if (evaluation->classes[c].n > 0)
      g_print ("%-24s %6" G_GSIZE_FORMAT "  %6.3f\n", evaluation->classes[c].label, evaluation->classes[c].n, evaluation->classes[c].value);
  for (gsize i = 0; i < evaluation->n_metrics; i++)
    g_print ("%s%s %.4f", i ? ", " : "", evaluation->metrics[i].name, evaluation->metrics[i].value);
  g_print (" on %" G_GSIZE_FORMAT " photos\n", evaluation->n_images);
}

void
evaluation_add_json (JsonBuilder *json, const FoveaEvaluation *evaluation)
{
  json_builder_set_member_name (json, "images");
  json_builder_add_int_value (json, (gint64) evaluation->n_images);
  for (gsize i = 0; i < evaluation->n_metrics; i++)
    {
      json_builder_set_member_name (json, evaluation->metrics[i].name);
      json_builder_add_double_value (json, isfinite (evaluation->metrics[i].value) ? evaluation->metrics[i].value : 0.0);
    }
  json_builder_set_member_name (json, "per_class");
  json_builder_begin_array (json);
  for (gsize c = 0; c < evaluation->n_classes; c++)
    {
      json_builder_begin_object (json);
      command_add_string (json, "label", evaluation->classes[c].label);
      json_builder_set_member_name (json, "n");
      json_builder_add_int_value (json, (gint64) evaluation->classes[c].n);
      if (isfinite (evaluation->classes[c].value))
        {
          json_builder_set_member_name (json, evaluation->metrics[0].name);
          json_builder_add_double_value (json, evaluation->classes[c].value);
        }
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
show_progress (double fraction, gpointer user_data)
{
  command_progress ("evaluating, per cent", (gsize) (fraction * 100.0), 100);
}

/* What each task is called, and done by. */
static const struct
{
  const char   *word;
  OperationKind operation;
} tasks[] = {
  [FOVEA_TASK_UNKNOWN] = { "classify", OPERATION_CLASSIFY },
  [FOVEA_TASK_CLASSIFY] = { "classify", OPERATION_CLASSIFY },
  [FOVEA_TASK_DETECT] = { "detect", OPERATION_LOCATE },
  [FOVEA_TASK_SEGMENT] = { "segment", OPERATION_SEGMENT },
};

int
verb_evaluate (int argc, char **argv)
{
  g_autofree char *split = NULL, *tags = NULL, *sheet = NULL, *text = NULL;
  gboolean         json = FALSE;
  int              threads = 0, status;
  GOptionEntry     entries[] = {
    { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Which photos: val, or train (val)", "SPLIT" },
    { "tags", 0, 0, G_OPTION_ARG_FILENAME, &tags, "A tag list: see fovea train", "FILE" },
    { "sheet", 0, 0, G_OPTION_ARG_FILENAME, &sheet, "Draw the answers to the best, middle and worst photos into this file, PNG", "FILE" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &threads, "Compute with N threads (0: one per processor)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL },
    { NULL },
  };
  g_autoptr (GError)          error = NULL;
  g_autoptr (FoveaModel)      model = NULL;
  g_autoptr (FoveaSettings)   settings = NULL;
  g_autoptr (FoveaEvaluation) evaluation = NULL;

  if (!command_parse (&help, entries, &argc, &argv, &status))
    return status;
  if (argc != 3)
    return command_usage (&help, json, "Give a model and a folder with labelled photos.");
  if (split && strcmp (split, "val") != 0 && strcmp (split, "train") != 0)
    return command_usage (&help, json, "--split must be val or train.");
  if (threads < 0)
    return command_usage (&help, json, "--threads must be 0 or more.");
  model = command_load_model (argv[1], &error);
  settings = model ? fovea_settings_read (model, &error) : NULL;
  if (!settings || (tags && !g_file_get_contents (tags, &text, NULL, &error)))
    return command_fail (json, error);
  evaluation = fovea_evaluate (model, argv[2], split ? split : "val", text, (guint) threads, image_read_file, NULL, NULL, show_progress, NULL, &error);
  command_clear_progress ();
  if (!evaluation || (sheet && !evaluate_sheet_write (sheet, fovea_model_get_path (model), tasks[settings->task].operation, evaluation, (guint) threads, &error)))
    return command_fail (json, error);
  if (json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      json_builder_begin_object (builder);
      command_add_string (builder, "task", tasks[settings->task].word);
      command_add_string (builder, "split", split ? split : "val");
      evaluation_add_json (builder, evaluation);
      json_builder_end_object (builder);
      command_print_json (builder);
    }
  else
    evaluation_print (evaluation, TRUE);
  return COMMAND_OK;
}
