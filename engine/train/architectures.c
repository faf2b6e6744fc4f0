/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * architectures.c: the networks that `fovea new` and `fovea train --arch` know by name. architecture.h has the language. The first line of each is
 * what people read.
 */

#include "train/architecture.h"

/* One picture of a network at stride 4, 8, 16, 32, fast on this engine: channels in sixteens, ReLU (which costs nothing), no squeeze. 190 million
 * multiply-adds at 224 pixels. */
#define BACKBONE \
  "conv 16 3 2\n" \
  "conv 32 3 2\n" \
  "name stride4\n" \
  "inverted 48 2 4\n" \
  "inverted 48 1 4\n" \
  "inverted 48 1 4\n" \
  "name stride8\n" \
  "inverted 96 2 4\n" \
  "inverted 96 1 4\n" \
  "inverted 96 1 4\n" \
  "inverted 96 1 4\n" \
  "name stride16\n" \
  "inverted 192 2 4\n" \
  "inverted 192 1 4\n" \
  "inverted 192 1 4\n" \
  "conv 512 1\n" \
  "name stride32\n"

const Architecture architectures[] = {
  { "tagger", "# names of what is in a photo: the built-in tagger's network\n" BACKBONE "global\ndropout 0.2\nlinear classes\n" },
  { "cutout", "# a soft mask of the subject: U-shaped on the tagger's network\n" BACKBONE
              "conv 96 1\nup\njoin stride16\nconv 96 1\ndepthwise\nconv 96 1\n"
              "up\njoin stride8\nconv 64 1\ndepthwise\nconv 64 1\n"
              "up\njoin stride4\nconv 48 1\ndepthwise\nconv 32 1\n"
              "up\nconv 16\nproject classes\nup\n" },
  { "objects", "# boxes and names of objects: two ways through a pyramid of the tagger's network\n" BACKBONE
               "conv 96 1\nname top32\nup\njoin stride16\nconv 96 1\ndepthwise\nconv 96 1\nname top16\nup\njoin stride8\nconv 96 1\ndepthwise\nconv 96 1\n"
               "name way8\ndepthwise\nconv 96 1\ndepthwise\nconv 96 1\ndetect cells8\n"
               "from way8\ndepthwise 3 2\nconv 96 1\nadd top16\ndepthwise\nconv 96 1\nname way16\n"
               "depthwise\nconv 96 1\ndepthwise\nconv 96 1\ndetect cells16\n"
               "from way16\ndepthwise 3 2\nconv 96 1\nadd top32\ndepthwise\nconv 96 1\ndepthwise\nconv 96 1\ndepthwise\nconv 96 1\ndetect cells32\n" },
  { "tiny", "# a small classifier that learns a few kinds from nothing within minutes\n"
            "conv 16 3 2\nconv 32 3 2\ninverted 48 2 3\ninverted 48 1 3\ninverted 96 2 3\ninverted 96 1 3\nconv 192 1\nglobal\ndropout 0.2\nlinear classes\n" },
  { "mobilenet", "# like MobileNetV2 (Sandler et al. 2018)\n"
                 "activation relu6\nconv 32 3 2\ninverted 16 1 1\n"
                 "inverted 24 2 6\ninverted 24 1 6\n"
                 "inverted 32 2 6\ninverted 32 1 6\ninverted 32 1 6\n"
                 "inverted 64 2 6\ninverted 64 1 6\ninverted 64 1 6\ninverted 64 1 6\n"
                 "inverted 96 1 6\ninverted 96 1 6\ninverted 96 1 6\n"
                 "inverted 160 2 6\ninverted 160 1 6\ninverted 160 1 6\ninverted 320 1 6\n"
                 "conv 1280 1\nglobal\ndropout 0.2\nlinear classes\n" },
  { "resnet18", "# like ResNet-18 (He et al. 2016)\n"
                "conv 64 7 2\nmax 3 2\n"
                "basic 64\nbasic 64\nbasic 128 2\nbasic 128\nbasic 256 2\nbasic 256\nbasic 512 2\nbasic 512\n"
                "global\nlinear classes\n" },
  { "unet", "# like U-Net (Ronneberger et al. 2015), with 32 channels at full size\n"
            "conv 32\nconv 32\nname full\nmax\nconv 64\nconv 64\nname half\nmax\nconv 128\nconv 128\nname quarter\nmax\nconv 256\nconv 256\nname eighth\nmax\n"
            "conv 512\nconv 512\nup\njoin eighth\nconv 256\nconv 256\nup\njoin quarter\nconv 128\nconv 128\nup\njoin half\nconv 64\nconv 64\n"
            "up\njoin full\nconv 32\nconv 32\nproject classes\n" },
  { NULL, NULL },
};
