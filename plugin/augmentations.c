/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augmentations.c: see augmentations.h.
 */

#include "augmentations.h"

#include <glib/gi18n.h>

#define PLACE(member) G_STRUCT_OFFSET (FoveaAugmentation, member)

/* How photos lie first, then their colours, then what hides or mixes them. */
const Augmentation augmentations[] = {
  { "augment-crop", N_("C_ropped"), N_("Least share of the photo's area that is shown"), PLACE (crop), FALSE, 1, 0.05, 0.5, FOVEA_TASK_UNKNOWN },
  { "augment-stretch", N_("_Stretched"), N_("How far a crop's sides change their ratio"), PLACE (stretch), FALSE, 0, 1, 0.3, FOVEA_TASK_UNKNOWN },
  { "augment-scale", N_("Scale_d"), N_("Larger or smaller by up to this share"), PLACE (scale), FALSE, 0, 1, 0.3, FOVEA_TASK_UNKNOWN },
  { "augment-translate", N_("_Moved"), N_("By up to this share of the photo's size"), PLACE (translate), FALSE, 0, 0.5, 0.1, FOVEA_TASK_UNKNOWN },
  { "augment-rotate", N_("_Turned"), N_("Degrees to both sides"), PLACE (rotate), FALSE, 0, 180, 12, FOVEA_TASK_UNKNOWN },
  { "augment-perspective", N_("_Perspective"), N_("As if seen askew"), PLACE (perspective), FALSE, 0, 0.5, 0.2, FOVEA_TASK_UNKNOWN },
  { "augment-flip", N_("M_irrored"), N_("Left and right, half of the photos"), PLACE (flip_horizontal), TRUE, 0, 1, 1, FOVEA_TASK_UNKNOWN },
  { "augment-flip-vertical", N_("_Upside down"), N_("Half of the photos: for what has no top, as seen from above or through a microscope"), PLACE (flip_vertical), TRUE, 0, 1, 1,
    FOVEA_TASK_UNKNOWN },
  { "augment-colour", N_("_Light and colour"), N_("Brightness, contrast and saturation change by up to this share"), PLACE (colour), FALSE, 0, 1, 0.3, FOVEA_TASK_UNKNOWN },
  { "augment-hue", N_("_Hue"), N_("Turns of the colour circle"), PLACE (hue), FALSE, 0, 0.5, 0.05, FOVEA_TASK_UNKNOWN },
  { "augment-grayscale", N_("_Without colour"), N_("This share of the photos"), PLACE (grayscale), FALSE, 0, 1, 0.1, FOVEA_TASK_UNKNOWN },
  { "augment-blur", N_("_Blurred"), N_("This share of the photos"), PLACE (blur), FALSE, 0, 1, 0.2, FOVEA_TASK_UNKNOWN },
  { "augment-noise", N_("_Noisy"), N_("The strongest noise, as a share of white"), PLACE (noise), FALSE, 0, 0.5, 0.05, FOVEA_TASK_UNKNOWN },
  { "augment-cutout", N_("Partly co_vered"), N_("This share of the photos gets a gray square"), PLACE (cutout), FALSE, 0, 1, 0.3, FOVEA_TASK_UNKNOWN },
  { "augment-jpeg", N_("_JPEG"), N_("This share of the photos is as if stored as JPEG, from poor to good"), PLACE (jpeg), FALSE, 0, 1, 0.3, FOVEA_TASK_UNKNOWN },
  { "augment-mosaic", N_("Sid_e by side"), N_("This share of the photos is shown beside three others"), PLACE (mosaic), FALSE, 0, 1, 0.4, FOVEA_TASK_DETECT },
  { "augment-mixup", N_("Mi_xed"), N_("In this share of the steps photos are laid over one another"), PLACE (mixup), FALSE, 0, 1, 0.2, FOVEA_TASK_CLASSIFY },
  { "augment-cutmix", N_("Patched to_gether"), N_("In this share of the steps photos exchange rectangles; not where only the last layer learns"), PLACE (cutmix), FALSE, 0, 1, 0.2,
    FOVEA_TASK_CLASSIFY },
  { NULL },
};

G_STATIC_ASSERT (G_N_ELEMENTS (augmentations) == AUGMENTATIONS_MOST + 1);

double
augmentations_get (const FoveaAugmentation *settings, const Augmentation *one)
{
  return one->is_switch ? G_STRUCT_MEMBER (gboolean, settings, one->place) : G_STRUCT_MEMBER (double, settings, one->place);
}

void
augmentations_set (FoveaAugmentation *settings, const Augmentation *one, double strength)
{
  if (one->is_switch)
    G_STRUCT_MEMBER (gboolean, settings, one->place) = strength > 0;
  else
    G_STRUCT_MEMBER (double, settings, one->place) = CLAMP (strength, MIN (one->none, one->most), MAX (one->none, one->most));
}

double
augmentations_get_usual (const Augmentation *one, FoveaTask task)
{
  FoveaTrainSettings settings;

  fovea_train_settings_init (&settings, task);
  return augmentations_get (&settings.augmentation, one);
}
