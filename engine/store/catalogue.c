/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * catalogue.c: well-known public ONNX files that this engine runs. Sizes, sums and licences are those that the repositories state at the commits named; a file
 * that isn't exactly that is refused. A licence is that of the repository: a model's own page may say more.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "vision/families.h"

#define ONNX_MODELS "https://media.githubusercontent.com/media/onnx/models/b1eeaa1ac722dcc1cd1a8284bde34393dab61c3d/"
#define OPENCV_ZOO  "https://media.githubusercontent.com/media/opencv/opencv_zoo/966be4cb6eefc2a4f586ed0581bf4bbaa2533070/"

#define IMAGENET N_("1,000 kinds of things (ImageNet), by their English names.")
#define IMAGENET_INPUT "labels=@imagenet;resize=shortest-crop;colour=rgb;range=1;mean=0.485, 0.456, 0.406;std=0.229, 0.224, 0.225"
#define VOC \
  "aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, dining table, dog, horse, motorbike, person, potted plant, sheep, sofa, train, tv monitor"

/* By what they are for. */
static const FoveaCatalogueEntry entries[] = {
  { "yolox-s", N_("Boxes around 80 kinds of everyday things (COCO)."), FOVEA_TASK_DETECT, "Apache-2.0", 35858002,
    "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
    OPENCV_ZOO "models/object_detection_yolox/object_detection_yolox_2022nov.onnx", NULL },
  { "nanodet", N_("Boxes around 80 kinds of everyday things (COCO); small and quick."), FOVEA_TASK_DETECT, "Apache-2.0", 3800954,
    "4b82da9944b88577175ee23a459dce2e26e6e4be573def65b1055dc2d9720186",
    OPENCV_ZOO "models/object_detection_nanodet/object_detection_nanodet_2022nov.onnx", NULL },
  { "tiny-yolov2", N_("Boxes around 20 kinds of things (Pascal VOC); an old network, good to learn from."), FOVEA_TASK_DETECT, "Apache-2.0", 63480982,
    "583fb7fdc948435ceac9fa82efc7708701efe8382a859a3dd46526b155f5f2ae",
    ONNX_MODELS "validated/vision/object_detection_segmentation/tiny-yolov2/model/tinyyolov2-8.onnx", "labels=" VOC },
  { "yunet", N_("Boxes around faces, small ones too; a quarter of a megabyte."), FOVEA_TASK_DETECT, "MIT", 232589,
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    OPENCV_ZOO "models/face_detection_yunet/face_detection_yunet_2023mar.onnx", NULL },
  { "ultraface-320", N_("Boxes around faces, quickly."), FOVEA_TASK_DETECT, "Apache-2.0", 1270727,
    "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017",
    ONNX_MODELS "validated/vision/body_analysis/ultraface/models/version-RFB-320.onnx", NULL },
  { "ultraface-640", N_("Boxes around faces, smaller ones than ultraface-320 finds."), FOVEA_TASK_DETECT, "Apache-2.0", 1588012,
    "8f4c659275977e7a3bfbfa339a9c769ad793df50f9c0baa8c14b11baa1646430",
    ONNX_MODELS "validated/vision/body_analysis/ultraface/models/version-RFB-640.onnx", NULL },
  { "pp-humanseg", N_("A mask of the people in a photo."), FOVEA_TASK_SEGMENT, "Apache-2.0", 6163938,
    "552d8a984054e59b5d773d24b9b12022b22046ceb2bbc4c9aaeaceb36a9ddf24",
    OPENCV_ZOO "models/human_segmentation_pphumanseg/human_segmentation_pphumanseg_2023mar.onnx", NULL },
  { "fcn-resnet50", N_("A mask for each of 20 kinds of things (Pascal VOC) and the background; large and slow."), FOVEA_TASK_SEGMENT, "Apache-2.0", 141193555,
    "eb5017d1b80372eb0b58552655274698817ba2e774437e2c2d3c0a613d2e99bd",
    ONNX_MODELS "validated/vision/object_detection_segmentation/fcn/model/fcn-resnet50-12.onnx", "range=1;mean=0.485, 0.456, 0.406;std=0.229, 0.224, 0.225;labels=background, " VOC },
  { "squeezenet-1.1", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 4958202,
    "fbb553444cab298bcac72cf623694e277dfe11d78662108f91ff46b6acb2cc5f",
    ONNX_MODELS "Computer_Vision/squeezenet1_1_Opset17_torch_hub/squeezenet1_1_Opset17.onnx", IMAGENET_INPUT },
  { "mobilenet-v2", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 13964571,
    "c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5",
    ONNX_MODELS "validated/vision/classification/mobilenet/model/mobilenetv2-12.onnx", IMAGENET_INPUT },
  { "mobilenet-v3-large", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 21919274,
    "b0b785f44a068dee4ff35bd88b114d4fd17a8bd635816f8f0ee46fa8b196c29f",
    ONNX_MODELS "Computer_Vision/mobilenetv3_large_100_Opset17_timm/mobilenetv3_large_100_Opset17.onnx", IMAGENET_INPUT },
  { "shufflenet-v2", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 9218556,
    "ea69821b4dd374ae2f33f9710dd1229ac263d0ee5b5a46ca3521f6483e1ba035",
    ONNX_MODELS "validated/vision/classification/shufflenet/model/shufflenet-v2-12.onnx", IMAGENET_INPUT },
  { "densenet-121", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 32726877,
    "0294e7e88e5b3360de9b0fdc321baf9e6ef18b7f058c4536caae3b9f18ed9ed5",
    ONNX_MODELS "validated/vision/classification/densenet-121/model/densenet-12.onnx", IMAGENET_INPUT },
  { "resnet-18", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 46748516,
    "eef70310eb26bdbc70babb290ee3239599ea9aed406bade711e3d2693b9d20e8",
    ONNX_MODELS "Computer_Vision/resnet18_Opset17_torch_hub/resnet18_Opset17.onnx", IMAGENET_INPUT },
  { "resnet-50", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 102576593,
    "3f03fdef724b22947eed826f1eef1dc5c34151bb4c37d634f1db89dfa2dd1526",
    ONNX_MODELS "validated/vision/classification/resnet/model/resnet50-v1-12.onnx", IMAGENET_INPUT },
  { "efficientnet-lite4", IMAGENET, FOVEA_TASK_CLASSIFY, "Apache-2.0", 51946641,
    "d111689907c06eea7c82e4833ddef758da6453b9d4cf60b7e99ca05c7cbd9c12",
    ONNX_MODELS "validated/vision/classification/efficientnet-lite4/model/efficientnet-lite4-11.onnx", "labels=@imagenet;resize=shortest-crop;colour=rgb;range=255;mean=127;std=128" },
};

const FoveaCatalogueEntry *
fovea_list_catalogue (gsize *n)
{
  *n = G_N_ELEMENTS (entries);
  return entries;
}

/* “@WORD” stands for a list of names that more than one model has. */
static char *
expand (const char *words)
{
  gsize              n;
  const char *const *labels = *words == '@' ? family_labels (words + 1, &n) : NULL;
  g_autofree char   *lines = labels ? g_strjoinv ("\n", (char **) labels) : NULL;

  return lines ? g_strconcat (lines, "\n", NULL) : g_strdup (words);
}

GHashTable *
fovea_catalogue_entry_get_settings (const FoveaCatalogueEntry *entry)
{
  GHashTable    *settings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) rows = g_strsplit (entry->settings ? entry->settings : "", ";", -1);

  for (char **row = rows; *row; row++)
    {
      const char *words = strchr (*row, '=');

      if (words)
        g_hash_table_insert (settings, g_strndup (*row, words - *row), expand (words + 1));
    }
  return settings;
}
