/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * families.c: networks are recognized by their inputs and outputs: each family in the forms that its exporters write, and the reference models.
 */

#include <string.h>

#include "vision/families.h"

#define FLOAT FOVEA_TYPE_FLOAT32
#define INT   FOVEA_TYPE_INT64

typedef struct
{
  const char *family; /* NULL: none may fit */
  FoveaPort   in[2];
  FoveaPort   out[12];
  gsize       n_labels;
} Case;

#define PHOTO(side) { "images", FLOAT, TRUE, { 4, { 1, 3, side, side } }, { NULL } }
#define PORT(name, type, ...) { name, type, TRUE, { sizeof ((int[]) { __VA_ARGS__ }) / sizeof (int), { __VA_ARGS__ } }, { NULL } }

static const Case cases[] = {
  { "classifier", { PHOTO (224) }, { PORT ("y", FLOAT, 1, 1000) }, 0 },
  { "classifier", { PHOTO (224) }, { PORT ("y", FLOAT, 1, 1000, 1, 1) }, 0 },
  { "yolov5", { PHOTO (640) }, { PORT ("output", FLOAT, 1, 25200, 85) }, 0 },
  { "yolov5", { PHOTO (416) }, { PORT ("output", FLOAT, 1, 10647, 85) }, 0 },
  { "yolov5", { PHOTO (1280) }, { PORT ("output", FLOAT, 1, 102000, 85) }, 0 }, /* P6: four grids */
  { "yolov5", { PHOTO (640) }, { PORT ("output", FLOAT, -1, -1, 85) }, 0 },
  { "yolox", { PHOTO (640) }, { PORT ("output", FLOAT, 1, 8400, 85) }, 0 },
  { "yolox", { PHOTO (416) }, { PORT ("output", FLOAT, 1, 3549, 6) }, 0 },
  { "nanodet", { PHOTO (416) }, { PORT ("data", FLOAT, 1, 3598, 112) }, 0 },
  { "nanodet", { PHOTO (320) }, { PORT ("a", FLOAT, 1, 1600, 80), PORT ("b", FLOAT, 1, 400, 80), PORT ("c", FLOAT, 1, 100, 80),
                                  PORT ("d", FLOAT, 1, 1600, 32), PORT ("e", FLOAT, 1, 400, 32), PORT ("f", FLOAT, 1, 100, 32) }, 0 },
  { "yolov8", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 84, 8400) }, 0 },
  { "yolov8", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 5, 8400) }, 0 },
  { "yolov8", { PHOTO (640) }, { PORT ("output0", FLOAT, -1, 84, -1) }, 0 },
  { "yolov8", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 56, 8400) }, 52 },
  { "yolov8-pose", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 56, 8400) }, 0 },
  { "yolov8-seg", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 116, 8400), PORT ("output1", FLOAT, 1, 32, 160, 160) }, 0 },
  { "yolov5-seg", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 25200, 117), PORT ("output1", FLOAT, 1, 32, 160, 160) }, 0 },
  { "yolo-end2end", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 300, 6) }, 0 },
  { "yolo-end2end-seg", { PHOTO (640) }, { PORT ("output0", FLOAT, 1, 300, 38), PORT ("output1", FLOAT, 1, 32, 160, 160) }, 0 },
  { "yolov5-grids", { PHOTO (640) }, { PORT ("a", FLOAT, 1, 3, 80, 80, 85), PORT ("b", FLOAT, 1, 3, 40, 40, 85), PORT ("c", FLOAT, 1, 3, 20, 20, 85) }, 0 },
  { "yolov4", { PORT ("input_1:0", FLOAT, 1, 416, 416, 3) },
    { PORT ("a", FLOAT, 1, 52, 52, 3, 85), PORT ("b", FLOAT, 1, 26, 26, 3, 85), PORT ("c", FLOAT, 1, 13, 13, 3, 85) }, 0 },
  { "yolov3-grids", { PHOTO (416) }, { PORT ("a", FLOAT, 1, 255, 13, 13), PORT ("b", FLOAT, 1, 255, 26, 26), PORT ("c", FLOAT, 1, 255, 52, 52) }, 0 },
  { "yolov3-grids", { PHOTO (416) }, { PORT ("a", FLOAT, 1, 255, 13, 13), PORT ("b", FLOAT, 1, 255, 26, 26) }, 0 },
  { "yolov3", { PORT ("input_1", FLOAT, -1, 3, -1, -1), PORT ("image_shape", FLOAT, -1, 2) },
    { PORT ("boxes", FLOAT, 1, -1, 4), PORT ("scores", FLOAT, 1, 80, -1), PORT ("indices", INT, -1, 3) }, 0 },
  { "yolov2", { PHOTO (416) }, { PORT ("grid", FLOAT, -1, 125, 13, 13) }, 0 },
  { "ssd-tf", { PORT ("image_tensor:0", FOVEA_TYPE_UINT8, -1, -1, -1, 3) },
    { PORT ("a", FLOAT, -1), PORT ("b", FLOAT, -1, -1, 4), PORT ("c", FLOAT, -1, -1), PORT ("d", FLOAT, -1, -1) }, 0 },
  { "ssd-tf", { PORT ("x", FLOAT, 1, 300, 300, 3) }, { PORT ("detection_boxes", FLOAT, 1, 100, 4), PORT ("n", FLOAT, 1) }, 0 },
  { "rt-detr", { PHOTO (640), PORT ("orig_target_sizes", INT, 1, 2) },
    { PORT ("labels", INT, 1, 300), PORT ("boxes", FLOAT, 1, 300, 4), PORT ("scores", FLOAT, 1, 300) }, 0 },
  { "detr", { PHOTO (640) }, { PORT ("logits", FLOAT, 1, 100, 92), PORT ("pred_boxes", FLOAT, 1, 100, 4) }, 0 },
  { "detr", { PHOTO (640) }, { PORT ("pred_boxes", FLOAT, 1, 300, 4), PORT ("logits", FLOAT, 1, 300, 80) }, 0 },
  { "ultraface", { PORT ("input", FLOAT, 1, 3, 240, 320) }, { PORT ("scores", FLOAT, 1, 4420, 2), PORT ("boxes", FLOAT, 1, 4420, 4) }, 0 },
  { "ultraface", { PORT ("input", FLOAT, 1, 3, 480, 640) }, { PORT ("scores", FLOAT, 1, 17640, 2), PORT ("boxes", FLOAT, 1, 17640, 4) }, 0 },
  { "ssd", { PHOTO (300) }, { PORT ("scores", FLOAT, 1, 8732, 21), PORT ("boxes", FLOAT, 1, 8732, 4) }, 0 },
  { "faster-rcnn", { PORT ("image", FLOAT, 3, -1, -1) }, { PORT ("6379", FLOAT, -1, 4), PORT ("6381", INT, -1), PORT ("6383", FLOAT, -1) }, 0 },
  { "mask-rcnn", { PORT ("image", FLOAT, 3, -1, -1) },
    { PORT ("6568", FLOAT, -1, 4), PORT ("6570", INT, -1), PORT ("6572", FLOAT, -1), PORT ("6887", FLOAT, -1, -1, -1, -1) }, 0 },
  { "torchvision", { PORT ("x", FLOAT, 3, 320, 320) }, { PORT ("boxes", FLOAT, -1, 4), PORT ("scores", FLOAT, -1), PORT ("labels", INT, -1) }, 0 },
  { "ssd-resnet", { PHOTO (1200) }, { PORT ("bboxes", FLOAT, 1, -1, 4), PORT ("labels", INT, 1, -1), PORT ("scores", FLOAT, 1, -1) }, 0 },
  { "yunet", { PHOTO (320) }, { PORT ("cls_8", FLOAT, 1, 1600, 1), PORT ("obj_8", FLOAT, 1, 1600, 1), PORT ("bbox_8", FLOAT, 1, 1600, 4) }, 0 },
  { "retinanet", { PORT ("input", FLOAT, 1, 3, 480, 640) },
    { PORT ("a", FLOAT, 1, 720, 60, 80), PORT ("b", FLOAT, 1, 720, 30, 40), PORT ("c", FLOAT, 1, 720, 15, 20), PORT ("d", FLOAT, 1, 720, 8, 10),
      PORT ("e", FLOAT, 1, 720, 4, 5), PORT ("f", FLOAT, 1, 36, 60, 80), PORT ("g", FLOAT, 1, 36, 30, 40), PORT ("h", FLOAT, 1, 36, 15, 20),
      PORT ("i", FLOAT, 1, 36, 8, 10), PORT ("j", FLOAT, 1, 36, 4, 5) }, 0 },
  { "detection-output", { PHOTO (300) }, { PORT ("detection_out", FLOAT, 1, 1, 200, 7) }, 0 },

  { "u2net", { PHOTO (320) }, { PORT ("a", FLOAT, 1, 1, 320, 320), PORT ("b", FLOAT, 1, 1, 320, 320), PORT ("c", FLOAT, 1, 1, 320, 320),
                                PORT ("d", FLOAT, 1, 1, 320, 320) }, 0 },
  { "isnet", { PHOTO (1024) }, { PORT ("output", FLOAT, 1, 1, 1024, 1024) }, 0 },
  { "birefnet", { PORT ("input_image", FLOAT, 1, 3, 1024, 1024) }, { PORT ("output_image", FLOAT, 1, 1, 1024, 1024) }, 0 },
  { "birefnet", { PHOTO (1024) }, { PORT ("p4", FLOAT, 1, 1, 128, 128), PORT ("p3", FLOAT, 1, 1, 256, 256), PORT ("p1", FLOAT, 1, 1, 1024, 1024) }, 0 },
  { "modnet", { PORT ("input", FLOAT, 1, 3, -1, -1) }, { PORT ("output", FLOAT, 1, 1, -1, -1) }, 0 },
  { "selfie", { PORT ("input_1:0", FLOAT, 1, 256, 256, 3) }, { PORT ("activation_10", FLOAT, 1, 256, 256, 1) }, 0 },
  { "human-seg", { PHOTO (192) }, { PORT ("y", FLOAT, 1, 2, 192, 192) }, 0 },
  { "cloth", { PHOTO (768) }, { PORT ("y", FLOAT, 1, 4, 768, 768) }, 0 },
  { "semantic", { PHOTO (512) }, { PORT ("logits", FLOAT, 1, 150, 128, 128) }, 0 },
  { "semantic", { PHOTO (520) }, { PORT ("out", FLOAT, 1, 21, 520, 520), PORT ("aux", FLOAT, 1, 21, 520, 520) }, 0 },
  { "semantic-indices", { PHOTO (512) }, { PORT ("y", INT, 1, 512, 512) }, 0 },
  { "saliency", { PHOTO (384) }, { PORT ("y", FLOAT, 1, 1, 384, 384) }, 0 },
  { "sam-encoder", { PHOTO (1024) }, { PORT ("image_embeddings", FLOAT, 1, 256, 64, 64) }, 0 },
  { "sam-decoder", { PORT ("image_embeddings", FLOAT, 1, 256, 64, 64), PORT ("point_coords", FLOAT, 1, -1, 2) }, { PORT ("masks", FLOAT, -1, -1, -1, -1) }, 0 },

  { NULL, { PHOTO (224) }, { PORT ("y", FLOAT, 5, 4, 3, 2, 1, 1) }, 0 },
  { NULL, { PHOTO (224) }, { { "y", FLOAT, FALSE, { 0, { 0 } }, { NULL } } }, 0 },
  { NULL, { PHOTO (640) }, { PORT ("y", FLOAT, 1, 8401, 85) }, 0 },
};

static Signature
make_signature (const Case *test)
{
  Signature signature = { .n_labels = test->n_labels, .inputs = test->in, .outputs = test->out };
  gboolean  last = test->in[0].shape.dims[test->in[0].shape.n_dims - 1] == 3;
  guint     n_dims = test->in[0].shape.n_dims;

  while (signature.n_inputs < G_N_ELEMENTS (test->in) && test->in[signature.n_inputs].name)
    signature.n_inputs++;
  while (signature.n_outputs < G_N_ELEMENTS (test->out) && test->out[signature.n_outputs].name)
    signature.n_outputs++;
  signature.height = (int) test->in[0].shape.dims[n_dims - (last ? 3 : 2)];
  signature.width = (int) test->in[0].shape.dims[n_dims - (last ? 2 : 1)];
  return signature;
}

static void
test_forms (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Signature     signature = make_signature (&cases[i]);
      const Family *family = family_guess (&signature);

      g_test_message ("%" G_GSIZE_FORMAT ": %s", i, cases[i].family);
      g_assert_cmpstr (family ? family->name : NULL, ==, cases[i].family);
      if (family)
        {
          g_assert_true (family_find (family->name) != NULL);
          g_assert_cmpuint (strlen (family->reason), >, 5);
        }
    }
}

/* What the settings say of the task leaves families of other tasks out. */
static void
test_task (void)
{
  Signature signature = make_signature (&cases[2]);

  signature.task = FOVEA_TASK_CLASSIFY;
  g_assert_null (family_guess (&signature));
  signature.task = FOVEA_TASK_DETECT;
  g_assert_nonnull (family_guess (&signature));
  signature.n_outputs = 0;
  g_assert_null (family_guess (&signature));
}

/* What a family takes for granted can be read, and its labels are there: settings of the commonest form come out as the table says. */
static void
test_labels (void)
{
  gsize              n;
  const char *const *labels = family_labels ("coco", &n);

  g_assert_cmpuint (n, ==, 80);
  g_assert_cmpstr (labels[79], ==, "toothbrush");
  labels = family_labels ("coco-91", &n);
  g_assert_cmpuint (n, ==, 91);
  g_assert_cmpstr (labels[1], ==, "person");
  g_assert_cmpstr (labels[90], ==, "toothbrush");
  g_assert_null (family_labels ("fish", &n));
}

static void
test_reference_models (void)
{
  static const struct
  {
    const char *model, *family;
    FoveaTask   task;
    gboolean    bgr;
    FoveaResize resize;
    double      range;
    gsize       n_labels;
  } models[] = {
    { "mnist", "classifier", FOVEA_TASK_CLASSIFY, FALSE, FOVEA_RESIZE_SHORTEST_CROP, 255, 0 },
    { "squeezenet11_fp32", "classifier", FOVEA_TASK_CLASSIFY, FALSE, FOVEA_RESIZE_SHORTEST_CROP, 1, 1000 },
    { "yolox_nano", "yolox", FOVEA_TASK_DETECT, TRUE, FOVEA_RESIZE_LETTERBOX_CORNER, 255, 80 },
    { "version-RFB-320", "ultraface", FOVEA_TASK_DETECT, FALSE, FOVEA_RESIZE_STRETCH, 255, 1 },
    { "version-RFB-320_simplified", "ultraface", FOVEA_TASK_DETECT, FALSE, FOVEA_RESIZE_STRETCH, 255, 1 },
    { "yunet_n_320_320", "yunet", FOVEA_TASK_DETECT, TRUE, FOVEA_RESIZE_LETTERBOX_CORNER, 255, 1 },
    { "selfie_segmentation", "selfie", FOVEA_TASK_SEGMENT, FALSE, FOVEA_RESIZE_STRETCH, 1, 1 },
  };
  const char *reference = g_getenv ("FOVEA_REFERENCE_DIR");

  if (!reference)
    {
      g_test_skip ("FOVEA_REFERENCE_DIR isn't set");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/models/%s.onnx", reference, models[i].model);
      g_autoptr (FoveaModel) model = fovea_model_load (path, NULL);
      g_autoptr (FoveaSettings) settings = NULL;

      g_assert_nonnull (model);
      settings = fovea_settings_read (model, NULL);
      g_assert_nonnull (settings);
      g_assert_cmpstr (settings->family, ==, models[i].family);
      g_assert_cmpint (settings->task, ==, models[i].task);
      g_assert_cmpint (settings->bgr, ==, models[i].bgr);
      g_assert_cmpint (settings->resize, ==, models[i].resize);
      g_assert_cmpfloat (settings->range, ==, models[i].range);
      g_assert_cmpuint (settings->n_labels, ==, models[i].n_labels);
      g_assert_nonnull (strstr (settings->sources, "family: "));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/families/forms", test_forms);
  g_test_add_func ("/families/task", test_task);
  g_test_add_func ("/families/labels", test_labels);
  g_test_add_func ("/families/reference-models", test_reference_models);
  return g_test_run ();
}
