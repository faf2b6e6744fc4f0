#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-batch in real GIMP, without windows: tables and the page, what is skipped, masks, cut-outs, boxes, images with layers, a GIMP that is killed, refusals.
What the command can check as well (names, shares, what changed since) is in batch.py.

    batch_batch.py BUILD/plugin/fovea COMMAND
"""

import csv
import fcntl
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from isolated_gimp import IsolatedGimp, find_program, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

SEGMENTER = 'selfie_segmentation'
DETECTOR = 'yolox_nano'
CLASSIFIER = 'squeezenet11_fp32'
ODD = '=a <b>&"c\'.png'
N_MANY, N_KILLS = 32, 10
STRANGE = '<b>per&son</b> %s "../x"' # a label


def call(source, results, more='', operation='classify', model=CLASSIFIER):
    return f'''(plug-in-fovea-batch #:run-mode RUN-NONINTERACTIVE #:operation "{operation}" #:model "{model}" #:input-folder "{source}"
  #:output-folder "{results}" {more})'''


def run(gimp, *calls, fonts=False):
    """The answers of calls, made one after the other in one GIMP."""
    lines = [f'(let ((values {text})) (display (string-append "\\nANSWER " (number->string (car values)) "|" (cadr values) "\\n")))' for text in calls]
    status, output = gimp.batch('\n'.join(lines), fonts=fonts)
    assert status == 0, output[-3000:]
    answers = [json.loads(text) | {'returned': int(count)} for count, text in re.findall(r'^ANSWER (\d+)\|(.*)$', output, re.MULTILINE)]
    assert len(answers) == len(calls) and all(answer['returned'] == answer['count'] for answer in answers), output
    return answers


def prints(folder):
    return {path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in sorted(folder.rglob('*')) if path.is_file()}


def check_whole(results):
    """Nothing half-written lies about, and tables and page say the same."""
    images = json.loads((results / 'fovea-batch.json').read_text())['images']
    with open(results / 'fovea-batch.csv', newline='', encoding='utf-8') as table:
        rows = list(csv.DictReader(table))
    named = sorted({row['file'].removeprefix("'") for row in rows})
    assert named == sorted(image['file'] for image in images if any(image.get(kind) for kind in ('classes', 'objects', 'masks'))), named
    for path in results.rglob('*.png'):
        Image.open(path).load()
    assert not list(results.rglob('.*')), list(results.rglob('.*'))
    return images


def check_tables(gimp, source, results):
    answer, again, flat = run(gimp, call(source, results), call(source, results), call(source, results, '#:recursive #f #:pattern "B.*"'))
    images = check_whole(results)
    assert answer['count'] == 4 and answer['skipped'] == 0, answer
    assert [failed['file'] for failed in answer['failed']] == ['broken.jpg'] and 'read as a photo' in answer['failed'][0]['error'], answer
    assert again['skipped'] == 4 and again['count'] == 4 and len(again['failed']) == 1, again
    assert flat['skipped'] == flat['count'] == 1 and [image['file'] for image in images] == ['b.jpg'], (flat, images)
    answer, = run(gimp, call(source, results, '#:again #t'))
    images = check_whole(results)
    assert answer['skipped'] == 0 and sorted(image['file'] for image in images) == sorted([ODD, 'b.jpg', 'sub/b.jpg', 'sub/d.jpg']), (answer, images)
    page = (results / 'fovea-batch.html').read_text()
    assert '<b>' not in page and '=a &lt;b&gt;&amp;&quot;c&apos;.png' in page and page.count('src="data:image/') == 4 and 'broken.jpg' in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    print('ok tables, a page that needs no other file, a broken photo, what is done is skipped')


def check_layers(gimp, path, words, n):
    """The layers of an XCF and their names, as GIMP reads them."""
    script = f'''(define image (gimp-file-load RUN-NONINTERACTIVE "{path}"))
(define (tell items) (for-each (lambda (item) (display (string-append "\\nLAYER " (gimp-item-get-name item) (if (> (gimp-layer-get-mask item) 0) " MASK" "")))
  (if (gimp-item-is-group item) (tell (gimp-item-get-children item)))) (vector->list items)))
(tell (gimp-image-get-layers image)) (newline)'''
    status, output = gimp.batch(script)
    layers = re.findall(r'^LAYER (.*)$', output, re.MULTILINE)
    assert status == 0 and len(layers) >= n and any(words in layer for layer in layers), (layers, output[-2000:])
    return layers


def check_formats(gimp, source, results):
    """All that GIMP can make of a photo; keywords are read by ExifTool where there is one."""
    cut, boxes = results / 'cut', results / 'boxes'
    answers = run(gimp, call(source, cut, '#:formats "csv, json,masks,XCF,xmp,keywords"', operation='cut-out', model=SEGMENTER),
                  call(source, boxes, '#:formats "csv,json,coco,yolo,voc,pictures,xcf"', operation='locate', model=DETECTOR), fonts=True)
    images = check_whole(cut)
    assert answers[0]['count'] == 4 and len(images) == 4, answers
    for image in images:
        mask, cutout = (Image.open(cut / image['masks'][0][kind]) for kind in ('file', 'cutout'))
        assert mask.size == cutout.size == (image['width'], image['height']) and cutout.mode == 'RGBA'
        assert all((cut / image[kind]).is_file() for kind in ('sidecar', 'copy', 'layers')), image
    check_layers(gimp, cut / 'xcf/sub/d.xcf', 'MASK', 1)
    images = check_whole(boxes)
    found = next(image for image in images if image['objects'] and image['file'] != ODD)
    assert found['objects'][0]['label'] == STRANGE, found
    layers = check_layers(gimp, boxes / found['layers'], found['objects'][0]['label'], 2)
    coco = json.loads((boxes / 'coco/annotations.json').read_text())
    names = {category['id']: category['name'] for category in coco['categories']}
    assert sorted((names[row['category_id']], row['bbox']) for row in coco['annotations']) == sorted((item['label'], item['box']) for image in images for item in image['objects'])
    assert (boxes / 'yolo/labels/sub/d.txt').is_file() and (boxes / 'voc/Annotations/sub/d.xml').is_file()
    # One that is missing is made again.
    (cut / 'xcf/sub/d.xcf').unlink()
    again, = run(gimp, call(source, cut, '#:formats "csv,json,masks,xcf,xmp,keywords"', operation='cut-out', model=SEGMENTER))
    assert again['skipped'] == 3 and (cut / 'xcf/sub/d.xcf').is_file()
    if shutil.which('exiftool'):
        told = subprocess.run(['exiftool', '-s3', '-Subject', cut / 'keywords/sub/d.jpg'], capture_output=True, text=True, check=True).stdout
        assert images and told.strip(), told
    print(f'ok masks, cut-outs, sidecars, copies with keywords, boxes, images with layers ({", ".join(layers)})')


def check_choice(gimp, source, folder):
    """Threshold, top and classes mean what they mean in the command, and without them both tell the same."""
    cases = [('classify', CLASSIFIER, {'top': 2, 'threshold': 0.05}), ('classify', CLASSIFIER, {}), ('locate', DETECTOR, {'threshold': 0.7}), ('locate', DETECTOR, {}),
             ('locate', DETECTOR, {'classes': ' dog, CAT,', 'threshold': 0.1}), ('segment', SEGMENTER, {'threshold': 0.3}), ('segment', SEGMENTER, {})]
    calls, expected = [], []
    for i, (operation, model, options) in enumerate(cases):
        words = ' '.join(f'#:{key} {json.dumps(value)}' for key, value in options.items())
        calls.append(call(source, folder / f'gimp-{i}', words + ' #:formats "json"', operation, model))
        done = subprocess.run([sys.argv[2], operation, model, source, '-o', folder / f'command-{i}', '--formats', 'json', *(f'--{key}={value}' for key, value in options.items())],
                              env=gimp.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 3, done.stderr  # the broken photo
        expected.append(json.loads((folder / f'command-{i}/fovea-batch.json').read_text())['images'])
    run(gimp, *calls)
    told = [json.loads((folder / f'gimp-{i}/fovea-batch.json').read_text())['images'] for i in range(len(cases))]
    assert told == expected, next((case, a, b) for case, a, b in zip(cases, told, expected) if a != b)
    assert all(told[i] != told[k] for i, k in ((0, 1), (2, 3), (3, 4), (5, 6))) and {item['label'] for image in told[4] for item in image['objects']} <= {'dog', 'cat'}
    print(f'ok threshold, top and classes: {len(cases)} folders as the command has them')


def lines_of(journal):
    return journal.read_bytes().count(b'\n') if journal.exists() else 0


def held(journal):
    """So many seconds a journal stays locked."""
    started = time.monotonic()
    with open(journal, 'ab') as file:
        while time.monotonic() < started + 20:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.01)
    return time.monotonic() - started


def check_killing(gimp, source, results):
    """GIMP dies at ten moments, alone or with the plug-in; each time the next run keeps what was done, doesn't wait for the dead, and finds no file that isn't whole."""
    journal, script, n, dice = results / 'fovea-batch.journal', gimp.folder / 'killed.scm', len(list(source.iterdir())), random.Random(3)
    wanted = {'operation': 'segment', 'model': SEGMENTER, 'more': '#:formats "csv,json,masks,xcf"'}
    script.write_text('(script-fu-use-v3)\n' + call(source, results, **wanted))
    before, outlived = 0, []
    for i in range(N_KILLS):
        running = subprocess.Popen([find_program('gimp-console'), '-idf', '--quit', '--batch-interpreter=plug-in-script-fu-eval', '-b', f'(load "{script}")'],
                                   env=gimp.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 300
        while lines_of(journal) <= before and time.monotonic() < until and running.poll() is None:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.1))
        assert running.poll() is None, 'GIMP ended by itself'
        (os.kill, os.killpg)[i % 2](running.pid, signal.SIGKILL)
        running.wait()
        outlived.append(held(journal))
        before = lines_of(journal)
        check_files(results, ('masks', 'xcf'))
    assert before >= N_KILLS and not (results / 'fovea-batch.json').exists(), before
    answer, = run(gimp, call(source, results, **wanted))
    assert N_KILLS <= answer['skipped'] < n and answer['count'] == n and len(check_whole(results)) == n, (before, answer)
    assert len({json.loads(line)['path'] for line in journal.read_text().splitlines() if line.startswith('{"task') and line.endswith('}')}) == n
    files = sorted((results / 'xcf').rglob('*.xcf'))
    script = '\n'.join(f'(gimp-file-load RUN-NONINTERACTIVE "{file}")' for file in files)
    status, output = gimp.batch(script + '(display "\\nALL READ\\n")')
    assert len(files) == n and status == 0 and 'ALL READ' in output, output[-2000:]
    assert max(outlived) < 10, outlived
    print(f'ok killed {N_KILLS} times, {answer["skipped"]} of {n} photos were done by then; nothing lost; the plug-in outlived GIMP by {max(outlived):.1f} s at most')


def check_files(results, places):
    """What has its name is whole, also right after the end."""
    for path in (path for place in places for path in (results / place).rglob('*') if path.is_file()):
        assert not path.name.startswith('.'), path
        if path.suffix == '.png':
            Image.open(path).load()
        else:
            assert path.read_bytes().startswith(b'gimp xcf'), path


def check_refusals(gimp, source, folder):
    (folder / 'link').symlink_to(source)
    cases = [(call(source, source), 'folder beside it'), (call(source, source / 'results'), 'folder beside it'), (call(source, folder), 'folder beside it'),
             (call(source, folder / 'link' / 'new'), 'folder beside it'), (call(source, source, '#:recursive #f'), 'folder beside it'),
             (call(folder / 'nowhere', folder / 'r'), "isn't a folder"), (call(source, folder / 'r', '#:pattern "*.xyz"'), 'no photos'),
             (call(source, folder / 'r', '#:formats "csv,xls"'), 'xls'), (call(source, folder / 'r', '#:formats "masks"'), 'of this operation'),
             (call(source, folder / 'r', model='nothing'), 'nothing'), (call(source, folder / 'r', operation='paint'), 'classify, locate, segment, cut-out'),
             (call(source, '/proc/results'), "can't be written"), (call(source, folder / 'r', '#:classes "unicorn"', 'locate', DETECTOR), 'unicorn'),
             (call(source, folder / 'r', '#:classes "unicorn"', 'locate', ''), 'unicorn'), (call(source, folder / 'r', '#:threshold -0.5'), 'from 0 to 1'),
             (call(source, folder / 'r', '#:threshold 1', 'segment', SEGMENTER), 'below 1'), (call(source, folder / 'r', '#:top 0'), '')]
    for (text, words), message in zip(cases, gimp.refuse([text for text, _ in cases])):
        assert words in message, (text, message[-800:])
    assert not (source / 'results').exists() and not (source / 'new').exists()
    print(f'ok {len(cases)} refusals in words')


def main():
    originals = sorted((reference() / 'data' / 'large').glob('*.jpg'))
    if not originals:
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1], models=(SEGMENTER, DETECTOR)) as gimp:
        labels = gimp.folder / f'models/{DETECTOR}.labels.txt'
        text = labels.read_text().replace('person', STRANGE)
        labels.unlink()
        labels.write_text(text)
        folder = pathlib.Path(temporary)
        source, many = folder / 'photos', folder / 'many'
        (source / 'sub').mkdir(parents=True)
        many.mkdir()
        photo = Image.open(reference() / 'data/large/coco-000000257896.jpg').convert('RGB').resize((320, 240))
        for name in (ODD, 'b.jpg', 'sub/b.jpg', 'sub/d.jpg'):
            photo.save(source / name)
        whole = source / 'sub/d.jpg'
        whole.write_bytes(whole.read_bytes()[:-2])  # as many cameras do, without the marker at the end
        (source / 'broken.jpg').write_bytes((source / 'b.jpg').read_bytes()[:300])
        for i in range(N_MANY):
            photo.resize((640, 480)).save(many / f'{i:02}.jpg')
        before = prints(many) | prints(source)
        check_tables(gimp, source, folder / 'tables')
        check_choice(gimp, source, folder / 'choice')
        check_formats(gimp, source, folder / 'formats')
        check_killing(gimp, many, folder / 'killed')
        check_refusals(gimp, source, folder)
        assert prints(many) | prints(source) == before
        print('ok no original was touched')


if __name__ == '__main__':
    main()
