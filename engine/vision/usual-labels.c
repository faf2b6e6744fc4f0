/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usual-labels.c: names of classes that many models number the same way and few bring along: COCO's, in their two numberings. The first list has the 80
 * classes that have boxes, without gaps; the second is the data set's own numbering from 1 to 90, with gaps, and the background as 0.
 */

#include <string.h>

#include "vision/families.h"

static const char *const coco[] = {
  "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "stop sign",
  "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag",
  "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
  "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot",
  "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
  "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
  "toothbrush", NULL,
};

static const char *const coco_91[] = {
  "background", "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "",
  "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "", "backpack",
  "umbrella", "", "", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove",
  "skateboard", "surfboard", "tennis racket", "bottle", "", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
  "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "", "dining table", "", "", "toilet",
  "", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "", "book", "clock", "vase",
  "scissors", "teddy bear", "hair drier", "toothbrush", NULL,
};

static const char *const face[] = { "face", NULL }, *const person[] = { "person", NULL }, *const subject[] = { "subject", NULL };

static const struct
{
  const char        *word;
  const char *const *labels;
  gsize              n;
} lists[] = {
  { "coco", coco, G_N_ELEMENTS (coco) - 1 },
  { "coco-91", coco_91, G_N_ELEMENTS (coco_91) - 1 },
  { "face", face, 1 },
  { "person", person, 1 },
  { "subject", subject, 1 },
  { "imagenet", imagenet_labels, N_IMAGENET_LABELS },
};

const char *const *
family_labels (const char *word, gsize *n)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (strcmp (lists[i].word, word) == 0)
      {
        *n = lists[i].n;
        return lists[i].labels;
      }
  return NULL;
}
