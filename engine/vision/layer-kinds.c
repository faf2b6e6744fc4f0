/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer-kinds.c: what each kind of layer does, in a sentence for people who learn.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "fovea.h"

/* Operators of one kind are side by side; the list is short, and asked rarely. */
static const struct
{
  const char *operators; /* blanks around each */
  const char *sentence;
} kinds[] = {
  { " Conv QLinearConv ConvInteger ", N_("Slides small filters over the image: each filter answers where it finds its pattern, edges first, then textures, then parts of things.") },
  { " ConvTranspose ", N_("A convolution backwards: spreads each value over a patch, which makes the image larger.") },
  { " MaxPool GlobalMaxPool ", N_("Keeps the strongest answer of each patch: what was found matters more than exactly where.") },
  { " AveragePool GlobalAveragePool ", N_("Takes the mean of each patch, or of the whole image: many places become one value.") },
  { " LpPool GlobalLpPool ", N_("Takes the length (such as the root of the sum of squares) of each patch: strong answers count, and none is forgotten.") },
  { " Relu ", N_("Replaces what is below zero by zero: only what was found goes on. Without such a bend, many layers would be no more than one.") },
  { " LeakyRelu PRelu Elu Celu Selu ThresholdedRelu ", N_("Like Relu, but keeps a little of what is below zero, so that a filter can't fall silent for good.") },
  { " HardSwish Swish Mish Gelu Softplus Softsign Shrink ", N_("A smooth bend in place of Relu's sharp one: weak answers fade out instead of being cut off.") },
  { " Sigmoid HardSigmoid ", N_("Squeezes any number into the range from 0 to 1: a share, or how sure the network is.") },
  { " Tanh ", N_("Squeezes any number into the range from −1 to 1.") },
  { " Clip ", N_("Cuts off what lies outside of a range.") },
  { " Softmax LogSoftmax Hardmax ", N_("Turns scores into shares that add up to 1: the classes compete.") },
  { " BatchNormalization ", N_("Brings each channel to the same scale, with means and deviations that training has measured.") },
  { " InstanceNormalization GroupNormalization LayerNormalization RMSNormalization MeanVarianceNormalization LpNormalization ",
    N_("Brings values to the same scale, measured on this very photo.") },
  { " LRN ", N_("Lets neighbouring channels dampen each other: the strongest stands out. Old networks have it.") },
  { " Gemm MatMul QLinearMatMul MatMulInteger Einsum ", N_("Every output is a weighted sum of all inputs: evidence is put together, here or by what the values themselves say.") },
  { " Add Sum ", N_("Adds, number by number. A sum with an earlier layer is a short cut: the layers between only learn what to change.") },
  { " Mul ", N_("Multiplies, number by number. By shares from 0 to 1, it lets some channels or places through and holds others back.") },
  { " Sub Div Pow Sqrt Neg Abs Exp Log Reciprocal Erf Mod Sign Round Floor Ceil Min Max Mean ", N_("Simple arithmetic, number by number.") },
  { " Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh ",
    N_("A function of angles, number by number: waves that tell a network where in the image something lies, or an angle that it measures.") },
  { " BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor ", N_("Works on the single bits of whole numbers: counts and packed data, not what is seen.") },
  { " CumSum ", N_("Adds up along a row: each number becomes the sum of all that come before it. It counts places.") },
  { " ScatterElements Scatter ScatterND ", N_("Writes numbers into the places of a larger list that other numbers name.") },
  { " Trilu ", N_("Keeps one corner of a square of numbers, above or below its diagonal, and sets the other to zero.") },
  { " Det ", N_("The determinant: one number for a square of numbers, how much it stretches what it is applied to.") },
  { " Unique Compress ReverseSequence ", N_("Sorts a list out: drops what is there twice or isn't wanted, or turns it round.") },
  { " Concat ", N_("Puts channels or lists one after the other: later layers see both.") },
  { " Split Slice Gather GatherElements GatherND ", N_("Takes a part out.") },
  { " Reshape Flatten Squeeze Unsqueeze Identity ", N_("The same numbers under another shape; nothing is computed.") },
  { " Transpose DepthToSpace SpaceToDepth ", N_("The same numbers in another order: channels become pixels, or the other way round.") },
  { " Pad CenterCropPad ", N_("Adds a border, so that the next window fits.") },
  { " Resize Upsample GridSample ", N_("Makes the image larger or smaller, or bends it.") },
  { " ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceProd ReduceLogSum ReduceLogSumExp ReduceSumSquare ",
    N_("Many numbers become one: their mean, sum, greatest …") },
  { " ArgMax ArgMin TopK ", N_("Says which of the values is the greatest: the decision.") },
  { " NonMaxSuppression RoiAlign ", N_("Part of finding objects: of boxes that overlap only the best stays, or a box's part of the image is cut out.") },
  { " QuantizeLinear DequantizeLinear DynamicQuantizeLinear ", N_("Rounds to small whole numbers, or back: less memory for a little accuracy.") },
  { " Dropout ", N_("In training, silences some values at random, so that none is relied on alone. When a photo is looked at it does nothing.") },
  { " Constant ConstantOfShape Shape Size Range Cast CastLike Expand Tile Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not IsInf IsNaN NonZero OneHot EyeLike ",
    N_("Keeps the accounts: sizes, types, counts and masks that other layers need.") },
};

const char *
fovea_layer_explain (const char *operator_type)
{
  g_autofree char *word = g_strconcat (" ", operator_type, " ", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strstr (kinds[i].operators, word))
      return kinds[i].sentence;
  return NULL;
}
