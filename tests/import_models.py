#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files become models that answer: those of others as they come, folders as Hugging Face and bioimage.io make them, and hostile ones.

    import_models.py FOVEA
"""

import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

import tiny_model

FOVEA = sys.argv[1] if len(sys.argv) > 1 else 'fovea'
PHOTO = pathlib.Path(__file__).resolve().parent.parent / 'samples/dog-with-frisbee.jpg'
FAMILIES = {'mnist': 'classifier', 'selfie_segmentation': 'selfie', 'squeezenet11_fp32': 'classifier', 'version-RFB-320': 'ultraface',
            'version-RFB-320_simplified': 'ultraface', 'yolox_nano': 'yolox', 'yunet_n_320_320': 'yunet'}
VERBS = {'classify': 'classify', 'detect': 'locate', 'segment': 'segment'}


class ImportModels(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.store = self.folder / 'data/fovea/models'
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith('FOVEA_')} | {
            'HOME': str(self.folder), 'XDG_DATA_HOME': str(self.folder / 'data'), 'XDG_CONFIG_HOME': str(self.folder / 'config'), 'LC_ALL': 'C.UTF-8'}

    def tearDown(self):
        leftovers = [path.name for path in self.store.glob('.*')] if self.store.exists() else []
        self.scratch.cleanup()
        self.assertEqual(leftovers, [])

    def fovea(self, *arguments, status=0):
        done = subprocess.run([FOVEA, *map(str, arguments)], env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def take(self, path, *options):
        return json.loads(self.fovea('import', path, '--json', *options)[0])

    def refuse(self, path, words, *options):
        before = sorted(self.folder.rglob('*'))
        self.assertIn(words, self.fovea('import', path, *options, status=1)[1])
        self.assertEqual([path for path in sorted(self.folder.rglob('*')) if path not in before and path.is_file()], [])

    def put(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def test_reference_models(self):
        """All of them, with the right family and without help; they answer right away; the files stay as they are."""
        reference = os.environ.get('FOVEA_REFERENCE_DIR')
        if not reference:
            self.skipTest('FOVEA_REFERENCE_DIR is not set')
        for name, family in FAMILIES.items():
            path = pathlib.Path(reference) / 'models' / f'{name}.onnx'
            before = path.read_bytes()
            found = self.take(path)
            self.assertEqual(found['settings']['family']['value'], family, name)
            self.assertEqual(path.read_bytes(), before)
            self.assertEqual((self.store / f'{name}.onnx').read_bytes(), before)
            verb = VERBS[found['settings']['task']['value']]
            answer = json.loads(self.fovea(verb, found['name'], PHOTO, '--json')[0])
            self.assertNotIn('error', answer['images'][0])
            if name == 'squeezenet11_fp32':  # what its file doesn't say is asked, not guessed
                self.assertEqual(found['unknown'], ['colour', 'range', 'mean', 'std'])
            elif name == 'mnist':
                self.assertEqual(found['unknown'], ['labels'])
            else:
                self.assertEqual(found['unknown'], [], name)
        sizes = json.loads((self.store / 'version-RFB-320.json').read_text())['fovea']['input']['size']
        self.assertEqual(sizes, [240, 320])

    def test_squeezenet_told(self):
        reference = os.environ.get('FOVEA_REFERENCE_DIR')
        if not reference:
            self.skipTest('FOVEA_REFERENCE_DIR is not set')
        found = self.take(pathlib.Path(reference) / 'models/squeezenet11_fp32.onnx', '--colour', 'bgr', '--range', '255', '--mean', '123,117,104', '--name', 'told')
        self.assertEqual(found['unknown'], [])
        self.assertEqual(found['settings']['mean'], {'value': '123, 117, 104', 'source': 'given'})
        self.assertEqual(found['settings']['std']['value'], '1')
        stored = json.loads((self.store / 'told.json').read_text())['fovea']['input']
        self.assertEqual((stored['colour'], stored['range'], stored['mean']), ('bgr', 255.0, [123.0, 117.0, 104.0]))

    def test_hugging_face(self):
        """Settings beside the model, and above a folder "onnx"; the folder's name; a licence that forbids."""
        nodes = tiny_model.model([tiny_model.node('Conv', ['x', 'w'], ['y'])], [tiny_model.port('x', [1, 3, 8, 8])], [tiny_model.port('y', [1, 3, 1, 1])],
                                 [tiny_model.tensor('w', [3, 3, 8, 8], [0.01] * 576)])
        path = self.put('beetles/onnx/model.onnx', nodes)
        self.put('beetles/config.json', json.dumps({'architectures': ['ViTForImageClassification'], 'id2label': {'0': 'stag', '1': 'dor', '2': 'rove'}}))
        self.put('beetles/preprocessor_config.json', json.dumps({
            'do_resize': True, 'size': {'shortest_edge': 10}, 'do_center_crop': True, 'crop_size': {'height': 8, 'width': 8}, 'resample': 3, 'do_rescale': True,
            'rescale_factor': 1 / 255, 'do_normalize': True, 'image_mean': [.5, .4, .3], 'image_std': [.2, .3, .4]}))
        self.put('beetles/README.md', '---\nlicense: cc-by-nc-4.0\n---\n# Beetles\n')
        found = self.take(path)
        values = {key: entry['value'] for key, entry in found['settings'].items()}
        self.assertEqual(found['name'], 'beetles')
        self.assertEqual(found['labels'], ['stag', 'dor', 'rove'])
        self.assertEqual((values['task'], values['resize'], values['crop-scale'], values['filter']), ('classify', 'shortest-crop', '1.25', 'bicubic'))
        self.assertEqual((values['mean'], values['std'], values['range']), ('0.5, 0.4, 0.3', '0.2, 0.3, 0.4', '1'))
        self.assertEqual(found['settings']['mean']['source'], 'config.json and preprocessor_config.json')
        self.assertIn('commercial', found['warning'])
        answer = json.loads(self.fovea('classify', 'beetles', PHOTO, '--json')[0])
        self.assertIn(answer['images'][0]['classes'][0]['label'], ('stag', 'dor', 'rove'))

    def bioimage(self, more='', step='zero_mean_unit_variance', kwargs='{mode: per_sample, axes: xy}'):
        out = tiny_model.model([tiny_model.node('Sigmoid', ['x'], ['y'])], [tiny_model.port('x', [1, 1, 16, 32])], [tiny_model.port('y', [1, 1, 16, 32])])
        self.put('cells/rdf.yaml', f'''format_version: 0.4.9
name: Cells <b>bold</b>
license: MIT
{more}
inputs:
  - name: x
    axes: bcyx
    shape: [1, 1, 16, 32]
    preprocessing:
      - name: {step}
        kwargs: {kwargs}
outputs:
  - name: y
    axes: bcyx
    halo: [0, 0, 4, 4]
    postprocessing: [{{name: binarize, kwargs: {{threshold: 0.3}}}}]
''')
        return self.put('cells/weights.onnx', out)

    def test_bioimage(self):
        found = self.take(self.bioimage())
        values = {key: entry['value'] for key, entry in found['settings'].items()}
        self.assertEqual(found['name'], 'cells')
        self.assertEqual((values['size'], values['task'], values['normalize'], values['activation']), ('32x16', 'segment', 'photo', 'none'))
        self.assertEqual(values['threshold'], '0.3')
        self.assertIn('halo', found['settings']['normalize']['source'])
        self.assertNotIn('warning', found)
        self.fovea('segment', 'cells', PHOTO, '--json')

    def test_bioimage_steps(self):
        found = self.take(self.bioimage(step='scale_linear', kwargs='{gain: 0.5, offset: -10}'), '--name', 'linear')
        self.assertEqual((found['settings']['range']['value'], found['settings']['mean']['value'], found['settings']['std']['value']), ('255', '20', '2'))
        found = self.take(self.bioimage(step='scale_range', kwargs='{min_percentile: 1, max_percentile: 99.8, mode: per_sample}'), '--name', 'range')
        self.assertEqual((found['settings']['normalize']['value'], found['settings']['percentiles']['value']), ('percentiles', '1, 99.8'))

    def test_hostile_yaml(self):
        """Anchors that unfold, and nesting: left out, said, and the model still comes in."""
        for bomb in ('a: &a [x, x]\nb: [*a, *a]', 'deep: ' + '[' * 5000 + ']' * 5000, 'a: "\x01"'):
            found = self.take(self.bioimage(bomb), '--task', 'segment')
            self.assertNotEqual(found['settings']['normalize']['value'], 'photo')

    def test_bioimage_sample(self):
        """The makers' own sample is tried with the settings that were read: with what they mean it comes out as it should."""
        def array(values, shape=(1, 1, 16, 32)):
            header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
            header += b' ' * (-(len(header) + 11) % 64) + b'\n'
            return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + struct.pack(f'<{len(values)}f', *values)

        given = [float(i * i % 251) for i in range(512)]
        mean = sum(given) / 512
        deviation = math.sqrt(sum((value - mean) ** 2 for value in given) / 512)
        scores = [1 / (1 + math.exp(-(value - mean) / (deviation + 1e-6))) for value in given]
        self.put('cells/in.npy', array(given))
        self.put('cells/out.npy', array([float(score > 0.3) for score in scores]))
        self.put('cells/scores.npy', array(scores))
        older = 'test_inputs: [in.npy]\ntest_outputs: [out.npy]'
        self.assertEqual(self.take(self.bioimage(older))['sample']['verdict'], 'right')
        wrong = self.fovea('import', self.bioimage(older), '--normalize', 'fixed', '--range', '1', '--name', 'wrong')[1]
        self.assertIn("aren't what they mean", wrong)
        path = self.bioimage()
        rdf = path.parent / 'rdf.yaml'
        newer = rdf.read_text().replace('    preprocessing', '    test_tensor: {source: in.npy}\n    preprocessing').replace('    halo', '    test_tensor: {source: scores.npy}\n    halo')
        rdf.write_text(newer.replace('    postprocessing: [{name: binarize, kwargs: {threshold: 0.3}}]\n', ''))
        sample = self.take(path)['sample']
        self.assertTrue(sample['verdict'] == 'right' and sample['difference'] < 1e-4, sample)
        self.put('secret.npy', array(given))
        (self.folder / 'cells/link.npy').symlink_to(self.folder / 'secret.npy')
        cut = b"{'fortran_order': False, 'shape': (1,), 'descr': '"  # the header ends where the kind of number should stand
        self.put('cells/cut.npy', b'\x93NUMPY\x01\x00' + struct.pack('<H', len(cut)) + cut)
        for source in ('cut.npy', '../secret.npy', str(self.folder / 'secret.npy'), 'link.npy', 'nowhere.npy', 'https://example.org/in.npy', 'rdf.yaml'):
            sample = self.take(self.bioimage(f'test_inputs: ["{source}"]\ntest_outputs: [out.npy]'))['sample']
            self.assertEqual(sample['verdict'], 'untried', source)
        self.put('cells/in.npy', array(given[:32], (1, 1, 1, 32)))
        self.assertIn(self.take(self.bioimage(older))['sample']['verdict'], ('wrong', 'untried'))

    def test_pair(self):
        """Of a network in two files either brings the other along, and they answer; half of one isn't imported."""
        encoder, decoder = tiny_model.pair()
        alone = self.put('alone.encoder.onnx', encoder)
        self.refuse(alone, 'decoder')
        self.put('alone.decoder.onnx', tiny_model.unknown_operator())
        self.refuse(alone, 'Frobnicate')
        self.put('alone.decoder.onnx', tiny_model.corner_colour())
        self.refuse(alone, "isn't the decoder")
        path, other = self.put('tiny.encoder.onnx', encoder), self.put('tiny.decoder.onnx', decoder)
        self.refuse(other, 'Import its encoder')
        for name, options in (('copied', ()), ('linked', ('--link',))):
            found = self.take(path, '--name', name, *options)
            self.assertEqual((found['settings']['family']['value'], found['partner']), ('sam-encoder', str(other)))
            self.assertEqual(sorted(file.name for file in self.store.glob(f'{name}.*')), [f'{name}.json', f'{name}.onnx', f'{name}.partner'])
            self.assertEqual((self.store / f'{name}.partner').is_symlink(), bool(options))
            answer = json.loads(self.fovea('segment', name, PHOTO, '--prompt', '240,160', '--no-refine', '--json')[0])['images'][0]
            self.assertAlmostEqual(answer['masks'][0]['area'], 25 * math.pi / (32 * 32 * answer['height'] / answer['width']), delta=0.03)
        other.unlink()
        self.fovea('segment', 'copied', PHOTO, '--prompt', '240,160', '--json')
        self.assertIn('pointed', self.fovea('segment', 'copied', PHOTO, '--json', status=1)[0])

    def test_ultralytics(self):
        """Its metadata, with Python's repr; AGPL is said."""
        out = tiny_model.model([tiny_model.node('Conv', ['x', 'w'], ['y'])], [tiny_model.port('x', [1, 3, 8, 8])], [tiny_model.port('y', [1, 2, 1, 1])],
                               [tiny_model.tensor('w', [2, 3, 8, 8], [0.01] * 384)],
                               {'author': 'Ultralytics', 'task': 'classify', 'imgsz': '[8, 8]', 'names': '{0: \'tench\', 1: "cat\'s tail"}',
                                'license': 'AGPL-3.0 License (https://ultralytics.com/license)'})
        found = self.take(self.put('yolo-cls.onnx', out))
        self.assertEqual((found['labels'], found['settings']['range']['value'], found['unknown']), (['tench', "cat's tail"], '1', []))
        self.assertIn('AGPL', found['warning'])

    def test_licence_before_use(self):
        """Of a file that nobody imported, wherever it lies, it is said once, and never among the answers; who has imported it has heard it."""
        for name, licence, words in (('silent', {}, 'says nothing of its licence'), ('strict', {'license': 'AGPL-3.0'}, 'under the AGPL'), ('free', {'license': 'MIT'}, None)):
            said = [] if words is None else [words]
            path = self.put(f'{name}.onnx', tiny_model.corner_colour(**licence))
            self.put(f'data/fovea/models/by-hand-{name}.onnx', path.read_bytes())
            for model in (path, f'by-hand-{name}'):
                for arguments in (('classify', model, PHOTO, PHOTO, '--json'), ('classify', model, PHOTO, '--output-dir', self.folder / f'results-{name}', '--json'),
                                  ('export', model, '--output', self.folder / 'plain.onnx')):
                    answer, told = self.fovea(*arguments)
                    self.assertEqual([line for line in told.splitlines() if 'licence' in line or 'AGPL' in line], [line for line in told.splitlines() if words and words in line])
                    self.assertEqual([words for line in told.splitlines() if words and words in line], said, (arguments, told))
                    self.assertEqual(set(json.loads(answer) if '--json' in arguments else ()) & {'error', 'warning'}, set())
            imported = self.take(path, '--name', 'imported-' + name)
            self.assertEqual('warning' in imported, bool(said))
            self.assertEqual(self.fovea('classify', imported['name'], PHOTO)[1], '')
        for place, said in (('data/fovea/models', 1), ('elsewhere', 1), ('built-in', 0)):  # a card alone doesn't make it one of Fovea's own
            path = self.put(f'{place}/ours/model.onnx', tiny_model.corner_colour())
            self.put(f'{place}/ours/card.md', '# Ours')
            self.environment['FOVEA_MODELS_PATH'] = str(self.folder / 'built-in')
            self.assertEqual(self.fovea('classify', path, PHOTO)[1].count('licence'), said, place)

    def test_licence_of_the_base(self):
        """What was trained from a model is bound by its licence; its own words come first."""
        for more, licence in (({}, 'AGPL-3.0'), ({'licence': 'MIT'}, 'MIT')):
            card = {'training': {}, 'base': 'strict', 'base_licence': 'AGPL-3.0'} | more
            path = self.put('trained.onnx', tiny_model.corner_colour(fovea=json.dumps({'input': {'resize': 'stretch', 'range': 1}, 'card': card})))
            found = self.take(path)
            self.assertEqual((found['licence'], 'AGPL' in found.get('warning', '')), (licence, licence == 'AGPL-3.0'))

    def test_labels_file(self):
        """labels.txt counts where the number fits, and not otherwise."""
        net = tiny_model.corner_colour().replace(b"['red', 'green', 'blue']", b"?" * 24)
        for text, expected in (('a\nb\nc\n', ['a', 'b', 'c']), ('a\nb\n', [])):
            self.put('labels.txt', text)
            self.assertEqual(self.take(self.put('net.onnx', net))['labels'], expected)

    def test_refused(self):
        self.refuse(self.put('odd.onnx', tiny_model.unknown_operator()), 'Frobnicate', '--task', 'classify')
        self.refuse(self.put('cut.onnx', tiny_model.corner_colour()[:300]), 'cut.onnx')
        self.refuse(self.folder / 'absent.onnx', 'absent.onnx')
        packed = self.folder / 'packed.onnx'
        with zipfile.ZipFile(packed, 'w') as archive:  # nothing of it is unpacked
            archive.writestr('../../outside.onnx', tiny_model.corner_colour())
            archive.writestr('zeros', bytes(10 ** 8), zipfile.ZIP_DEFLATED)
        self.refuse(packed, 'ZIP archive')
        self.assertIn('packed.onnx”: it is a ZIP archive', json.loads(self.fovea('classify', packed, PHOTO, '--json', status=1)[0])['error'])
        good = self.put('good.onnx', tiny_model.corner_colour())
        for option, value, words in (('--colour', 'red', 'rgb, bgr'), ('--size', '99999', '8192'), ('--mean', 'nan', 'number'), ('--range', '-1', 'range'),
                                     ('--family', 'no-such', 'yolox'), ('--task', 'pose', 'classify, detect, segment')):
            self.refuse(good, words, option, value)
        for name in ('../out', 'a/b', '.hidden', '-x', 'a\nb', 'x' * 200, 'default', 'a.onnx'):
            self.refuse(good, 'name of a model', f'--name={name}')
        self.take(good)
        self.assertIn('already', self.fovea('import', good, '--name', 'good', status=1)[1])
        self.assertEqual(self.take(good)['name'], 'good-2')

    def test_every_setting_is_an_option(self):
        """What the form can set, the command can."""
        good = self.put('good.onnx', tiny_model.corner_colour())
        told = self.fovea('import', '--help')[0]
        for key in [*self.take(good)['settings'], 'labels']:
            self.assertIn(f'--{key}=', told)
        found = self.take(good, '--normalize', 'percentiles', '--percentiles', '2, 99', '--name', 'spread')
        self.assertEqual(found['settings']['percentiles'], {'value': '2, 99', 'source': 'given'})

    def test_link(self):
        good = self.put('linked.onnx', tiny_model.corner_colour())
        self.take(good, '--link', '--default')
        self.assertEqual((self.store / 'linked.onnx').readlink(), good)
        self.assertIn('red', self.fovea('classify', 'default', PHOTO)[0])
        self.assertIn('default', self.fovea('locate', 'default', PHOTO, status=1)[1])

    def test_outside_is_not_read(self):
        """Weights that are said to lie elsewhere are refused, and nothing comes in."""
        secret = self.put('secret', 'x' * 12)
        for location in ('../secret', str(secret), 'link'):
            external = tiny_model.field(1, 1) + tiny_model.field(1, 3) + tiny_model.field(2, 1) + tiny_model.field(8, 'w')
            external += tiny_model.field(13, tiny_model.field(1, 'location') + tiny_model.field(2, location)) + tiny_model.field(14, 1)
            net = tiny_model.model([tiny_model.node('Add', ['x', 'w'], ['y'])], [tiny_model.port('x', [1, 3])], [tiny_model.port('y', [1, 3])], [external])
            path = self.put('inside/net.onnx', net)
            if not (self.folder / 'inside/link').is_symlink():
                (self.folder / 'inside/link').symlink_to(secret)
            self.refuse(path, 'folder', '--task', 'classify')

    def test_links_beside(self):
        """A link beside the model isn't followed to what may not belong to it; where the model is a link too, as in Hugging Face's cache, all of it is read."""
        self.put('secret', 'one\ntwo\nthree\n')
        net = tiny_model.corner_colour().replace(b"['red', 'green', 'blue']", b"?" * 24)
        path = self.put('inside/net.onnx', net)
        for name in ('net.labels.txt', 'net.json', 'config.json', 'preprocessor_config.json', 'rdf.yaml'):
            link = path.parent / name
            link.symlink_to(self.folder / 'secret')
            self.assertNotIn('"one"', self.fovea('import', path, '--name', 'x', '--json', status=1 if name.startswith('net') else 0)[0])
            link.unlink()
            for file in self.store.glob('x*') if self.store.exists() else ():
                file.unlink()
        (path.parent / 'labels.txt').symlink_to(self.folder / 'secret')
        self.assertEqual(self.take(path)['labels'], [])
        rows = [tiny_model.field(1, key) + tiny_model.field(2, value) for key, value in (('location', 'net.data'), ('length', '12'))]
        weights = tiny_model.field(1, 1) + tiny_model.field(1, 3) + tiny_model.field(2, 1) + tiny_model.field(8, 'w') + b''.join(tiny_model.field(13, row) for row in rows)
        net = tiny_model.model([tiny_model.node('Add', ['x', 'w'], ['y'])], [tiny_model.port('x', [1, 3])], [tiny_model.port('y', [1, 3])],
                               [weights + tiny_model.field(14, 1)])
        cache = {'blobs/1a': net, 'blobs/2b': struct.pack('<3f', 1, 2, 3), 'blobs/3c': json.dumps({'id2label': {'0': 'stag', '1': 'dor', '2': 'rove'}})}
        for name, content in cache.items():
            self.put(f'hub/{name}', content)
        snapshot = self.folder / 'hub/snapshots/abc'
        snapshot.mkdir(parents=True)
        for name, blob in (('net.onnx', '1a'), ('net.data', '2b'), ('config.json', '3c')):
            (snapshot / name).symlink_to(f'../../blobs/{blob}')
        self.put('whole/net.onnx', net)
        self.put('whole/net.data', cache['blobs/2b'])
        for path, name, options in ((snapshot / 'net.onnx', 'hub', ()), (self.folder / 'whole/net.onnx', 'linked', ('--link',))):
            found = self.take(path, '--task', 'classify', '--name', name, *options)
            self.assertEqual(found['labels'], ['stag', 'dor', 'rove'] if name == 'hub' else [])
            self.fovea('info', name)
        # The user's own link to the cache's, whose weights lie beside neither its end nor its beginning.
        mine = self.folder / 'mine.onnx'
        mine.symlink_to(snapshot / 'net.onnx')
        copied, linked = (self.take(mine, '--task', 'classify', '--name', name, *options)['name'] for name, options in (('copied', ()), ('by-link', ('--link',))))
        self.assertEqual((self.store / f'{linked}.onnx').readlink(), mine)
        for name in (copied, linked):
            self.fovea('info', name)
        (self.folder / 'hub/blobs/2b').unlink()
        self.fovea('info', copied)
        self.assertIn("net.data”, which can't be found beside it", self.fovea('info', linked, status=1)[1])
        (snapshot / 'net.data').unlink()
        (snapshot / 'net.data').symlink_to(self.folder / 'secret')
        self.assertIn('is a link that leaves', self.fovea('info', linked, status=1)[1])

    def test_hostile_labels(self):
        """Controls and line breaks go, markup stays text, lists have an end."""
        net = tiny_model.corner_colour().replace(b"['red', 'green', 'blue']", b"?" * 24)
        path = self.put('net.onnx', net)
        self.put('net.json', json.dumps({'names': ['<b>&x\u202e', '../../etc\r\n', 'a\x1b[31m' + 'y' * 5000]}))
        labels = self.take(path)['labels']
        self.assertEqual(labels[:2], ['<b>&x', '../../etc'])
        self.assertTrue(len(labels[2]) == 200 and '\x1b' not in labels[2])
        json.loads(self.fovea('classify', 'net', PHOTO, '--json')[0])
        for damaged in ({'names': ['x'] * 100001}, {'names': {'999999999': 'x'}}, {'fovea': {'input': {'size': 1e9}}}, {'fovea': {'input': {'std': 0}}}):
            self.put('net.json', json.dumps(damaged))
            self.refuse(path, 'net.json')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
