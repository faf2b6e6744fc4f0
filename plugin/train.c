/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train.c: the procedure plug-in-fovea-train: a model from what is labelled. The work is train-run.c's, the window train-dialog.c.
 */

#include "train.h"

#include <glib/gi18n.h>

#include "procedure.h"
#include "train-run.h"

static void
show (TrainRun *run, double fraction, gpointer unused)
{
  if (fraction < 0)
    gimp_progress_pulse ();
  else
    gimp_progress_update (fraction);
}

static GimpValueArray *
train_call (GimpProcedure *procedure, GimpRunMode run_mode, GimpImage *image, GimpDrawable **drawables, GimpProcedureConfig *config, gpointer unused)
{
  TrainRun        run = { .config = config, .image = image, .show = show };
  GError         *error = NULL;
  GimpValueArray *values;

  procedure_begin ();
  if (run_mode == GIMP_RUN_INTERACTIVE)
    {
      train_dialog_run (config, image);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
    }
  gimp_progress_init (_("Training"));
  if (!train_run (&run, &error))
    {
      train_run_clear (&run);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_EXECUTION_ERROR, error);
    }
  values = gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
  GIMP_VALUES_TAKE_STRING (values, 1, g_steal_pointer (&run.file));
  GIMP_VALUES_TAKE_STRING (values, 2, g_steal_pointer (&run.json));
  train_run_clear (&run);
  return values;
}

static void
add_arguments (GimpProcedure *procedure)
{
  gimp_procedure_add_string_argument (procedure, "task", _("_Task"), _("What is learned: auto (what the labels are for), segment (painted pixels), classify (whole images) "
                                                                       "or detect (objects)"),
                                      "auto", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "base-model", _("_Base model"), _("What is learned on: name of an installed model, or path of an ONNX file. none: an untrained network. "
                                                                                   "Empty: the built-in model that serves the task best"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "name", _("_Name"), _("Of the new model. A model of yours of that name is replaced. Empty: “My model”, or the next free number of it"),
                                      "", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "source", _("_Learn from"), _("Whose labels: image, open-images, or folder"), "image", G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "folder", _("_Folder"), _("Folder of XCF files with labels; or of photos: a folder for each class, boxes of COCO, YOLO or VOC, or images/ and masks/"), "",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "epochs", _("_Epochs"), _("How often each photo is looked at; for painted pixels, tens of steps. 0: as is usual"), 0, 10000, 0,
                                   G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "minutes", _("_Minutes"), _("How long whole photos are learned, instead of epochs. 0: the epochs decide"), 0, 10000, 0, G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "trainable", _("What _learns"), _("Of whole images and objects: head (the last layer: seconds), last (the last third of the layers), "
                                                                                   "all, or auto"),
                                      "auto", G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "batch", _("_Batch"), _("Photos of a step. 0: as is usual"), 0, 1024, 0, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "learning-rate", _("Learning _rate"), _("At its highest. 0: as is usual"), 0, 10, 0, G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "find-rate", _("F_ind the rate"), _("Of whole photos: some dozens of steps tell what learning rate they can stand"), FALSE,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_boolean_argument (procedure, "balance", _("Balance _classes"), _("Photos of rare classes are shown more often"), TRUE, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (procedure, "validation-share", _("_Validation share"), _("Of the photos, kept out to judge by; of painted pixels, above 0: a third of the strokes. 0: no judgement"), 0, 0.9, 0.15,
                                      G_PARAM_READWRITE);
  gimp_procedure_add_string_argument (procedure, "output", _("Ma_ke"), _("What the window's Apply makes: layer-mask, selection, channels, layers or cut-out"), "selection",
                                      G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (procedure, "seed", _("_Seed"), _("The same seed gives the same model"), 0, G_MAXINT, 1, G_PARAM_READWRITE);
  for (const Augmentation *one = augmentations; one->argument; one++)
    {
      g_autofree char *text = g_strdup_printf (_("Whole photos while they are learned: %s (%g: not at all; -1: as is usual)"), _(one->tooltip), one->none);

      gimp_procedure_add_double_argument (procedure, one->argument, _(one->label), text, AUGMENTATIONS_USUAL, MAX (one->none, one->most), AUGMENTATIONS_USUAL, G_PARAM_READWRITE);
    }
}

GimpProcedure *
train_create_procedure (GimpPlugIn *plug_in)
{
  GimpProcedure *procedure = gimp_image_procedure_new (plug_in, TRAIN_PROCEDURE, GIMP_PDB_PROC_TYPE_PLUGIN, train_call, NULL, NULL);

  procedure_describe (procedure, _("_Train…"), "gimp-tool-paintbrush",
                      _("Train a model of your own on what you have labelled"),
                      _("What is labelled becomes a model that Classify, Locate or Segment find by its name: on this photo and on the next. It is trained on this machine. "
                        "Where a training of that name on the same photos was interrupted, it goes on."));
  add_arguments (procedure);
  gimp_procedure_add_string_return_value (procedure, "model", _("Model"), _("The model's file"), "", G_PARAM_READWRITE);
  gimp_procedure_add_string_return_value (procedure, "json", _("JSON"), _("Classes, scores and warnings as one JSON object"), "", G_PARAM_READWRITE);
  return procedure;
}
