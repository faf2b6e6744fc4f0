#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-classify called from Python-Fu in real GIMP: what it looks at, what it changes, and that it changes nothing where it fails.

    classify_python.py BUILD/plugin/fovea
"""

import html
import json
import re
import shutil
import subprocess
import sys

OWN = 'fovea-made'  # the parasite of layers that Fovea made


# ---- inside GIMP ------------------------------------------------------------------------------------------------------

class Inside:
    """The checks. `photo` is a path; each check loads it anew."""

    def __init__(self, photo):
        import gi
        gi.require_version('Gimp', '3.0')
        gi.require_version('Gegl', '0.4')
        from gi.repository import Gegl, Gimp, Gio
        Gegl.init(None)
        self.Gegl, self.Gimp, self.Gio, self.photo = Gegl, Gimp, Gio, photo

    def load(self):
        image = self.Gimp.file_load(self.Gimp.RunMode.NONINTERACTIVE, self.Gio.File.new_for_path(self.photo))
        image.clean_all()
        return image

    def run(self, image, layers=None, **arguments):
        """(status, message or labels, scores' JSON)."""
        procedure = self.Gimp.get_pdb().lookup_procedure('plug-in-fovea-classify')
        config = procedure.create_config()
        config.set_property('image', image)
        config.set_core_object_array('drawables', image.get_layers() if layers is None else layers)
        for name, value in arguments.items():
            config.set_property(name.replace('_', '-'), value)
        result = procedure.run(config)
        if result.index(0) != self.Gimp.PDBStatusType.SUCCESS:
            return result.index(0), self.Gimp.get_pdb().get_last_error(), None
        return result.index(0), result.index(1), json.loads(result.index(3))

    def ask(self, image, layers=None, **arguments):
        """The first name and its score; fails where there is none."""
        status, words, answer = self.run(image, layers, **arguments)
        assert status == self.Gimp.PDBStatusType.SUCCESS, words
        assert words == [entry['label'] for entry in answer['classes']], (words, answer)
        return answer['classes'][0]['label'], answer['classes'][0]['score']

    def refuse(self, words, image, layers=None, **arguments):
        status, message, _ = self.run(image, layers, **arguments)
        assert status != self.Gimp.PDBStatusType.SUCCESS, f'not refused: {arguments}, {message}'
        assert words in message, f'"{words}" is not in "{message}"'

    def fill(self, image, width, height, colour, x=0, y=0, parent=None):
        """A new layer of one colour at the top of its parent."""
        layer = self.Gimp.Layer.new(image, colour, width, height, self.Gimp.ImageType.RGBA_IMAGE, 100, self.Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, parent, 0)
        layer.set_offsets(x, y)
        self.Gimp.context_set_foreground(self.Gegl.Color.new(colour))
        layer.fill(self.Gimp.FillType.FOREGROUND)
        return layer

    def mark(self, layer):
        layer.attach_parasite(self.Gimp.Parasite.new(OWN, 1, b'1\0'))
        return layer

    def tags(self, image):
        """XMP dc:subject and IPTC keywords."""
        metadata = image.get_metadata()
        text = metadata.serialize() if metadata else ''
        return [[html.unescape(tag) for tag in re.findall(f'<tag name="{name}">(.*?)</tag>', text)] for name in ('Xmp.dc.subject', 'Iptc.Application2.Keywords')]

    def state(self, image):
        """All of an image that a run might change."""
        layers = []

        def walk(items):
            for item in items:
                layers.append((item.get_id(), item.get_name(), item.get_visible(), item.get_offsets()[1:], item.get_parasite_list(),
                               item.get_buffer().get_extent().width))
                if item.is_group():
                    walk(item.get_children())
        walk(image.get_layers())
        return (layers, image.is_dirty(), self.tags(image), image.get_parasite_list(), [item.get_id() for item in image.get_selected_layers()],
                len(self.Gimp.get_images()), image.get_width(), image.get_height())

    # -- calls

    def check_calls(self):
        image = self.load()
        defaults = self.run(image)[2]
        assert defaults['region'] == 'layer' and 1 <= len(defaults['classes']) <= 5 and defaults['classes'][-1]['score'] >= 0.01, defaults
        named = self.run(image, model='squeezenet11_fp32', region='image', top=2, threshold=0.0, write_tags=False, tag_mode='add', attention_layer=False)[2]
        assert named['region'] == 'image' and named['model'] == 'squeezenet11_fp32' and len(named['classes']) == 2, named
        assert named['classes'][0]['label'] == defaults['classes'][0]['label'], (named, defaults)
        self.refuse('layer, image, selection', image, region='everything')
        self.refuse('add, replace', image, tag_mode='both')
        self.refuse('squeezenet11_fp32', image, model='no-such-model')
        image.delete()

    # -- what is looked at

    def check_chosen(self):
        """Several chosen layers count together; the rest doesn't, nor does what Fovea made."""
        image = self.load()
        photo = image.get_layers()[0]
        name, score = self.ask(image)
        width, height = image.get_width(), image.get_height()
        cover = self.fill(image, width, height, 'black')
        assert self.ask(image, [cover])[0] != name
        assert self.ask(image, [photo]) == (name, score)
        assert self.ask(image, [cover, photo])[0] != name, 'the upper one of the chosen layers covers the lower one'
        cover.set_offsets(-width // 2, 0)
        half = self.ask(image, [cover, photo])
        assert half != (name, score) and half != self.ask(image, [cover]), 'both layers count'
        cover.set_offsets(0, 0)
        cover.set_opacity(0)
        assert self.ask(image, [cover, photo])[0] == name
        cover.set_opacity(100)

        own = self.mark(self.fill(image, width, height, 'red'))
        assert self.ask(image, [own, photo]) == (name, score), 'what Fovea made is left out'
        assert self.ask(image, [photo, own]) == (name, score)
        self.refuse('Fovea made', image, [own])

        group = self.Gimp.GroupLayer.new(image, 'group')
        image.insert_layer(group, None, 0)
        image.reorder_item(photo, group, 0)
        alone = self.ask(image, [group])
        assert alone == (name, score), (alone, name, score)
        inner = self.mark(self.fill(image, width + 50, height + 60, 'green', -20, -30, group))
        assert self.ask(image, [group]) == (name, score), 'what Fovea made is left out of a group'
        cover.set_visible(False)
        assert self.ask(image, [], region='image') == (name, score), 'the image, without a chosen layer'
        cover.set_visible(True)
        group.set_visible(False)
        assert self.ask(image, [photo]) == (name, score) and self.ask(image, [group]) == (name, score), 'hidden, and chosen'
        image.reorder_item(photo, None, 0)
        self.refuse('Fovea made', image, [group])
        image.reorder_item(inner, None, 0)
        self.refuse('No layer is chosen', image, [])

        mask = photo.create_mask(self.Gimp.AddMaskType.BLACK)
        photo.add_mask(mask)
        self.refuse('transparency', image, [photo])
        mask.fill(self.Gimp.FillType.WHITE)
        assert self.ask(image, [mask]) == (name, score), "a mask stands for its layer"
        image.delete()

    def check_colours(self):
        """A wide-gamut image is named as its sRGB twin."""
        image = self.load()
        name, score = self.ask(image)
        twin = image.duplicate()
        twin.convert_precision(self.Gimp.Precision.U16_NON_LINEAR)
        twin.convert_color_profile(self.Gimp.ColorProfile.new_rgb_adobe(), self.Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, False)
        for region in ('layer', 'image'):
            wide = self.ask(twin, region=region)
            assert wide[0] == name and abs(wide[1] - score) < 0.02, (region, wide, name, score)
        twin.set_color_profile(self.Gimp.ColorProfile.new_rgb_srgb())
        assert abs(self.ask(twin)[1] - score) > 1e-4, 'with another profile the same numbers mean other colours'
        twin.delete()
        image.delete()

    def check_image(self):
        """The image is what it shows, whatever changes the only layer that isn't Fovea's: where nothing is half transparent, what a flattened copy shows."""
        changes = {'as it is': lambda photo: None, 'half opaque': lambda photo: photo.set_opacity(30), 'moved': lambda photo: photo.set_offsets(-150, 60),
                   'smaller': lambda photo: photo.resize(200, 150, 0, 0), 'masked': lambda photo: photo.add_mask(photo.create_mask(self.Gimp.AddMaskType.COPY)),
                   'filtered': lambda photo: photo.append_filter(self.Gimp.DrawableFilter.new(photo, 'gegl:invert-gamma', 'negative'))}
        found = {}
        self.Gimp.context_set_background(self.Gegl.Color.new('white'))
        for name, change in changes.items():
            image = self.load()
            photo = image.get_layers()[0]
            photo.add_alpha()
            change(photo)
            self.mark(self.fill(image, image.get_width(), image.get_height(), 'red'))
            found[name] = self.ask(image, [], region='image', threshold=0.0)
            image.remove_layer(image.get_layers()[0])
            image.flatten()
            flat = self.ask(image, threshold=0.0)
            assert name in ('half opaque', 'masked') or flat[0] == found[name][0] and abs(flat[1] - found[name][1]) < 0.01, (name, found[name], flat)
            image.delete()
        assert len(set(found.values())) == len(changes), f'a change isn’t seen: {found}'

    def check_huge(self):
        image = self.Gimp.Image.new(20000, 20000, self.Gimp.ImageBaseType.RGB)
        layer = self.fill(image, 20000, 20000, 'red')
        for region in ('layer', 'image'):
            self.ask(image, [layer], region=region, threshold=0.0)
        image.delete()

    # -- what is changed

    def check_nothing_changed(self):
        image = self.load()
        self.ask(image, write_tags=True, top=1)
        image.clean_all()
        before = self.state(image)
        for name, arguments in {'region': {'region': 'nowhere'}, 'mode': {'tag_mode': 'perhaps'}, 'model': {'model': 'none'}, 'selection': {'region': 'selection'},
                                'no layer': {'layers': []}}.items():
            status, message, _ = self.run(image, arguments.pop('layers', None), write_tags=True, attention_layer=True, **arguments)
            assert status != self.Gimp.PDBStatusType.SUCCESS and message, name
            assert self.state(image) == before, f'{name}: {self.state(image)}, not {before}'
        empty = self.Gimp.Image.new(10, 10, self.Gimp.ImageBaseType.RGB)
        self.refuse('transparency', empty, [], region='image', write_tags=True)
        empty.delete()
        group = self.Gimp.GroupLayer.new(image, 'group')
        image.insert_layer(group, None, 0)
        self.mark(self.fill(image, 30, 30, 'red', 0, 0, group))
        image.clean_all()
        before = self.state(image)
        self.ask(image, region='image')
        self.ask(image, image.get_layers())
        assert self.state(image) == before, 'a run that changes nothing left something'
        status, labels, _ = self.run(image, threshold=1.0, write_tags=True, attention_layer=True)
        assert status == self.Gimp.PDBStatusType.SUCCESS and labels == [] and self.state(image) == before, 'no name, and still a change'
        image.delete()

    def check_tags(self):
        image = self.load()
        kept = ['holiday', 'Öland']
        assert self.tags(image) == [kept] * 2, self.tags(image)
        labels = self.run(image, top=2, threshold=0.0, write_tags=True)[1]
        assert len(labels) == 2 and self.tags(image) == [kept + labels] * 2, self.tags(image)
        self.run(image, top=2, threshold=0.0, write_tags=True, tag_mode='add')
        assert self.tags(image) == [kept + labels] * 2, f'each tag once: {self.tags(image)}'
        self.run(image, top=1, threshold=0.0, write_tags=True, tag_mode='replace')
        assert self.tags(image) == [labels[:1]] * 2, self.tags(image)
        image.delete()

    def check_attention(self):
        """The layer lies where the network looked: the centre square of what was chosen."""
        image = self.load()
        photo = image.get_layers()[0]
        width, height = image.get_width(), image.get_height()
        for offset in ((0, 0), (-33, 21), (width // 2, -height // 2)):
            photo.set_offsets(*offset)
            self.attend(image, [photo], (offset[0], offset[1], width, height))
        photo.set_offsets(0, 0)
        image.select_rectangle(self.Gimp.ChannelOps.REPLACE, 101, 57, 150, 90)
        self.attend(image, [photo], (101, 57, 150, 90), region='selection')
        self.Gimp.Selection.none(image)
        corner = self.fill(image, 40, 50, 'blue', width + 10, 20)
        self.attend(image, [corner, photo], (0, 0, width + 50, height))
        image.convert_grayscale()
        self.attend(image, [photo], (0, 0, width, height))
        image.delete()

    def attend(self, image, layers, extent, **arguments):
        before = image.get_layers()
        _, _, answer = self.run(image, layers, attention_layer=True, top=1, threshold=0.0, **arguments)
        heat = image.get_layers()[0]
        assert [layer.get_id() for layer in image.get_layers()[1:]] == [layer.get_id() for layer in before], 'one layer more, at the top'
        # shortest-crop to 224 of 256: a centred square, and what its edge is interpolated from
        side = min(extent[2:]) * 224 / 256
        expected = (extent[0] + (extent[2] - side) / 2, extent[1] + (extent[3] - side) / 2, side, side)
        got = (*heat.get_offsets()[1:], heat.get_width(), heat.get_height())
        assert all(abs(a - b) <= 2 + side / 224 for a, b in zip(got, expected)), f'{arguments}: at {got}, not {expected}'
        assert heat.get_mode() == self.Gimp.LayerMode.NORMAL and heat.get_opacity() == 70 and heat.has_alpha()
        assert answer['classes'][0]['label'] in heat.get_name() and answer['attention'] == 'class activation', (heat.get_name(), answer)
        assert OWN in heat.get_parasite_list()
        image.remove_layer(heat)


def inside(photo, log, checks):
    with open(log, 'w', encoding='utf-8') as file:
        for name in checks:
            getattr(Inside(photo), f'check_{name}')()
            print(f'ok {name}', file=file, flush=True)
        print('done', file=file, flush=True)


# ---- outside ----------------------------------------------------------------------------------------------------------

def run_inside(gimp, checks, environment=None):
    log = gimp.folder / 'checks.log'
    status, output = gimp.python(__file__, gimp.photo, log, *checks, environment=environment)
    said = log.read_text(encoding='utf-8') if log.exists() else ''
    assert status == 0 and 'done' in said and 'Plug-in crashed' not in output and not re.search(r'\(fovea:.*CRITICAL', output), f'{said}\n{output[-4000:]}'
    print(said.replace('done\n', ''), end='')


def check_memory(gimp):
    """A 20,000 × 20,000 image in a plug-in of bounded memory."""
    run_inside(gimp, ['huge'], gimp.measuring())
    peaks = gimp.peaks()
    assert len(peaks) == 2 and all(20 < peak < 500 for peak in peaks), f'{peaks} MiB'
    print(f'ok 20,000 × 20,000 pixels take the plug-in {peaks[0]:.0f} MiB as a layer, {peaks[1]:.0f} MiB as an image')


def main():
    from isolated_gimp import IsolatedGimp, reference

    with IsolatedGimp(sys.argv[1]) as gimp:
        gimp.photo = gimp.folder / 'photo.jpg'
        shutil.copyfile(reference() / 'data/large/coco-000000257896.jpg', gimp.photo)
        tags = [f'-{name}={tag}' for tag in ('holiday', 'Öland') for name in ('XMP-dc:Subject', 'IPTC:Keywords')]
        subprocess.run(['exiftool', '-q', '-overwrite_original', '-charset', 'utf8', '-codedcharacterset=utf8', *tags, gimp.photo], check=True)
        checks = sys.argv[2:] or ['calls', 'chosen', 'colours', 'image', 'nothing_changed', 'tags', 'attention']
        if checks != ['huge']:
            run_inside(gimp, checks)
        if not sys.argv[2:] or 'huge' in sys.argv[2:]:
            check_memory(gimp)
    return 0


if __name__ == 'inside_gimp':
    inside(sys.argv[1], sys.argv[2], sys.argv[3:])
elif __name__ == '__main__':
    sys.exit(main())
