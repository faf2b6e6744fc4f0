#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the networks that bench/ compares engines on, as ONNX files, from torchvision and from the few lines here.

    networks.py DIR [NAME|MODEL.onnx...]    writes DIR/NAME.onnx, .pt (traced) and .input (raw float32) for the names given, or for all
    networks.py --train DIR                 writes what train.py trains: DIR/NAME_SIZE.onnx, .pt (weights) and .input (a batch)

A MODEL.onnx, one of those that Fovea brings, is linked there by its folder's name, with an input; PyTorch doesn't run it.

Weights are random but fixed by a seed; batch norms get lively statistics (a scale and shift of their own for each channel, and running
statistics measured on noise of the spectrum that photos have), so that no engine may skip work and numbers stay in range.
"""

import json
import pathlib
import sys

import torch
import torchvision
from torch import nn

SEED = 20261123


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, SiLU: the brick of the YOLO-like detector."""

    def __init__(self, n_in, n_out, kernel=1, stride=1):
        super().__init__(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out), nn.SiLU())


class Bottleneck(nn.Module):
    def __init__(self, n, residual):
        super().__init__()
        self.first, self.second, self.residual = ConvBlock(n, n, 3), ConvBlock(n, n, 3), residual

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.residual else y


class SplitStage(nn.Module):
    """Cross-stage partial block: half passes by, half goes through a chain of bottlenecks, everything is concatenated."""

    def __init__(self, n_in, n_out, depth, residual=True):
        super().__init__()
        self.half = n_out // 2
        self.enter = ConvBlock(n_in, n_out)
        self.chain = nn.ModuleList(Bottleneck(self.half, residual) for _ in range(depth))
        self.leave = ConvBlock(self.half * (2 + depth), n_out)

    def forward(self, x):
        parts = list(self.enter(x).split(self.half, 1))
        for block in self.chain:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class PyramidPooling(nn.Module):
    """Three 5 x 5 max poolings in a row, concatenated."""

    def __init__(self, n):
        super().__init__()
        self.enter, self.leave, self.pool = ConvBlock(n, n // 2), ConvBlock(n * 2, n), nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class DetectorHead(nn.Module):
    def __init__(self, n_in, n_classes=80):
        super().__init__()
        n_box, n_class = 64, 128
        self.boxes = nn.Sequential(ConvBlock(n_in, n_box, 3), ConvBlock(n_box, n_box, 3), nn.Conv2d(n_box, 64, 1))
        self.classes = nn.Sequential(ConvBlock(n_in, n_class, 3), ConvBlock(n_class, n_class, 3), nn.Conv2d(n_class, n_classes, 1))

    def forward(self, x):
        return torch.cat((self.boxes(x), self.classes(x).sigmoid()), 1).flatten(2)


class YoloSmall(nn.Module):
    """A detector of the shape and cost of the small YOLOs of 2023: 32 to 512 channels, top-down and bottom-up paths, three heads."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(ConvBlock(3, 32, 3, 2), ConvBlock(32, 64, 3, 2), SplitStage(64, 64, 1))
        self.stage8 = nn.Sequential(ConvBlock(64, 128, 3, 2), SplitStage(128, 128, 2))
        self.stage16 = nn.Sequential(ConvBlock(128, 256, 3, 2), SplitStage(256, 256, 2))
        self.stage32 = nn.Sequential(ConvBlock(256, 512, 3, 2), SplitStage(512, 512, 1), PyramidPooling(512))
        self.up = nn.Upsample(scale_factor=2)
        self.down16, self.down8 = SplitStage(768, 256, 1, False), SplitStage(384, 128, 1, False)
        self.reduce8, self.up16 = ConvBlock(128, 128, 3, 2), SplitStage(384, 256, 1, False)
        self.reduce16, self.up32 = ConvBlock(256, 256, 3, 2), SplitStage(768, 512, 1, False)
        self.heads = nn.ModuleList(DetectorHead(n) for n in (128, 256, 512))

    def forward(self, x):
        c8 = self.stage8(self.stem(x))
        c16 = self.stage16(c8)
        c32 = self.stage32(c16)
        p16 = self.down16(torch.cat((self.up(c32), c16), 1))
        p8 = self.down8(torch.cat((self.up(p16), c8), 1))
        p16 = self.up16(torch.cat((self.reduce8(p8), p16), 1))
        p32 = self.up32(torch.cat((self.reduce16(p16), c32), 1))
        return torch.cat([head(p) for head, p in zip(self.heads, (p8, p16, p32))], 2)


class UNet(nn.Module):
    """Ronneberger et al. 2015 with padding and batch norm: four halvings from `base` channels, transposed convolutions back up."""

    def __init__(self, base=32, n_classes=2):
        super().__init__()
        widths = [base << i for i in range(5)]
        self.down = nn.ModuleList(self.pair(n_in, n) for n_in, n in zip([3] + widths, widths))
        self.widen = nn.ModuleList(nn.ConvTranspose2d(n * 2, n, 2, 2) for n in reversed(widths[:-1]))
        self.up = nn.ModuleList(self.pair(n * 2, n) for n in reversed(widths[:-1]))
        self.leave = nn.Conv2d(base, n_classes, 1)

    @staticmethod
    def pair(n_in, n):
        layers = []
        for channels in (n_in, n):
            layers += [nn.Conv2d(channels, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n), nn.ReLU()]
        return nn.Sequential(*layers)

    def forward(self, x):
        kept = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else nn.functional.max_pool2d(x, 2))
            kept.append(x)
        for widen, block, side in zip(self.widen, self.up, reversed(kept[:-1])):
            x = block(torch.cat((side, widen(x)), 1))
        return self.leave(x)


class FcnResnet18(nn.Module):
    """A fully convolutional head on ResNet-18 at stride 32, brought back by bilinear upsampling."""

    def __init__(self):
        super().__init__()
        backbone = torchvision.models.resnet18()
        self.backbone = nn.Sequential(*list(backbone.children())[:-2])
        self.head = torchvision.models.segmentation.fcn.FCNHead(512, 21)

    def forward(self, x):
        return nn.functional.interpolate(self.head(self.backbone(x)), size=x.shape[-2:], mode='bilinear', align_corners=False)


class FirstOutput(nn.Module):
    """torchvision's segmentation models return a dictionary: the map named "out" of it."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)['out']


class SsdLite(nn.Module):
    """SSDLite's backbone and head, without anchors and post-processing."""

    def __init__(self):
        super().__init__()
        whole = torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
        self.backbone, self.head = whole.backbone, whole.head

    def forward(self, x):
        found = self.head(list(self.backbone(x).values()))
        return found['bbox_regression'], found['cls_logits']


def classifier(name):
    return lambda: getattr(torchvision.models, name)(weights=None)


def segmenter(name):
    return lambda: FirstOutput(getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, num_classes=21))


NETWORKS = {
    'squeezenet1_1': (classifier('squeezenet1_1'), 224),
    'mobilenet_v2': (classifier('mobilenet_v2'), 224),
    'mobilenet_v3_small': (classifier('mobilenet_v3_small'), 224),
    'mobilenet_v3_large': (classifier('mobilenet_v3_large'), 224),
    'shufflenet_v2_x1_0': (classifier('shufflenet_v2_x1_0'), 224),
    'mnasnet1_0': (classifier('mnasnet1_0'), 224),
    'efficientnet_b0': (classifier('efficientnet_b0'), 224),
    'resnet18': (classifier('resnet18'), 224),
    'resnet50': (classifier('resnet50'), 224),
    'vgg16': (classifier('vgg16'), 224),
    'ssdlite320_mbv3l': (SsdLite, 320),
    'yolo_s_640': (YoloSmall, 640),
    'lraspp_mbv3l_320': (segmenter('lraspp_mobilenet_v3_large'), 320),
    'deeplabv3_mbv3l_320': (segmenter('deeplabv3_mobilenet_v3_large'), 320),
    'deeplabv3_mbv3l_513': (segmenter('deeplabv3_mobilenet_v3_large'), 513),
    'fcn_resnet18_320': (FcnResnet18, 320),
    'unet32_256': (UNet, 256),
    'unet32_512': (UNet, 512),
}


def photo_like(size, generator):
    """Noise whose amplitude falls with the frequency, as in photos; mean 0, deviation 1."""
    frequency = torch.fft.fftfreq(size).abs()
    radius = (frequency[:, None] ** 2 + frequency[None, :] ** 2).sqrt().clamp_min(1 / size)
    noise = torch.fft.ifft2(torch.fft.fft2(torch.randn(1, 3, size, size, generator=generator)) / radius).real
    return (noise - noise.mean()) / noise.std()


def enliven(network, size, generator):
    """Gives every batch norm a scale and shift per channel and the running statistics of what really flows through it."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.7, 1.3, generator=generator)
        nn.init.uniform_(norm.bias, -0.3, 0.3, generator=generator)
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        network(torch.cat([photo_like(size, generator) for _ in range(2)]))
    for norm in norms:
        norm.eval()


def write(name, folder):
    make, size = NETWORKS[name]
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    network = make().eval()
    enliven(network, min(size, 320), generator)
    sample = photo_like(size, generator)
    with torch.no_grad():
        torch.jit.save(torch.jit.trace(network, sample, check_trace=False), folder / f'{name}.pt')
        torch.onnx.export(network, sample, folder / f'{name}.onnx', input_names=['input'], opset_version=17, dynamo=False)
    sample.numpy().tofile(folder / f'{name}.input')


def make_trainable(name, size):
    """Without dropout, so that all engines train the same."""
    network = NETWORKS[name if name in NETWORKS else f'{name}_{size}'][0]()
    for module in list(network.modules()):
        for child, inner in module.named_children():
            if isinstance(inner, nn.Dropout):
                setattr(module, child, nn.Identity())
    return network


def write_training(name, size, batch, folder):
    """Batch norms stay layers of their own."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    network = make_trainable(name, size).eval()
    enliven(network, size, generator)
    images = torch.cat([photo_like(size, generator) for _ in range(batch)])
    torch.onnx.export(network, images, folder / f'{name}_{size}.onnx', input_names=['input'], opset_version=17, dynamo=False, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE)
    torch.save(network.state_dict(), folder / f'{name}_{size}.pt')
    images.numpy().tofile(folder / f'{name}_{size}.input')


def photo_size(model):
    """Width and height of the photos that a model wants: by its settings, else by its metadata, else by its input, whose dimensions may be free."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    size = json.loads(metadata.get('fovea', '{}')).get('input', {}).get('size') or json.loads(metadata.get('imgsz', 'null'))
    if not size:
        size = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim][:1:-1]
    return size if isinstance(size, list) else [size, size]


def take(path, folder):
    """A model that exists: its input is one square picture of three channels."""
    import onnx

    size, name = photo_size(onnx.load(path)), path.parent.name
    if len(set(size)) != 1 or size[0] < 1:
        print(f'networks.py: {path} is left out: its photos are {" x ".join(map(str, size))}, and only squares are compared', file=sys.stderr)
        return
    photo_like(size[0], torch.Generator().manual_seed(SEED)).numpy().tofile(folder / f'{name}.input')
    (folder / f'{name}.onnx').unlink(missing_ok=True)
    (folder / f'{name}.onnx').symlink_to(path.resolve())


def main():
    folder = pathlib.Path(sys.argv[-1] if sys.argv[1] == '--train' else sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[1] == '--train':
        import train

        for name, size, batch in train.RUNS:
            if not (folder / f'{name}_{size}.input').exists():
                print('writing', name, size, flush=True)
                write_training(name, size, batch, folder)
        return
    for name in sys.argv[2:] or NETWORKS:
        if name.endswith('.onnx'):
            take(pathlib.Path(name), folder)
        elif name not in NETWORKS:
            sys.exit(f'networks.py: there is no network {name}: {", ".join(NETWORKS)}')
        elif not (folder / f'{name}.input').exists():
            print('writing', name, flush=True)
            write(name, folder)


if __name__ == '__main__':
    main()
