#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-batch in real GIMP, without windows: tables, masks, what is skipped and what is done again, a broken photo, a run that is killed, refusals.

    batch_batch.py BUILD/plugin/fovea
"""

import csv
import hashlib
import json
import os
import pathlib
import re
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
ODD = '=a <b>&"c\'.png'


def call(source, results, more='', operation='classify', model='squeezenet11_fp32'):
    return f'''(plug-in-fovea-batch #:run-mode RUN-NONINTERACTIVE #:operation "{operation}" #:model "{model}" #:input-folder "{source}"
  #:output-folder "{results}" {more})'''


def run(gimp, *arguments, **more):
    script = f'(let ((values {call(*arguments, **more)})) (display (string-append "\\nANSWER " (number->string (car values)) "|" (cadr values) "\\n")))'
    status, output = gimp.batch(script)
    assert status == 0, output[-3000:]
    count, text = re.search(r'^ANSWER (\d+)\|(.*)$', output, re.MULTILINE).groups()
    answer = json.loads(text)
    assert int(count) == answer['count'], output
    return answer


def prints(folder):
    return {path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in sorted(folder.rglob('*')) if path.is_file()}


def check_whole(results):
    """Nothing half-written lies about, and tables and page say the same."""
    images = json.loads((results / 'fovea-batch.json').read_text())['images']
    with open(results / 'fovea-batch.csv', newline='', encoding='utf-8') as table:
        rows = list(csv.DictReader(table))
    named = sorted({row['file'].removeprefix("'") for row in rows})
    assert named == sorted(image['file'] for image in images if image.get('classes') or image.get('masks')), named
    for path in results.rglob('*.png'):
        Image.open(path).load()
    assert not list(results.rglob('.*.part'))
    return images


def check_tables(gimp, source, results):
    answer = run(gimp, source, results)
    images = check_whole(results)
    assert answer['count'] == 4 and answer['skipped'] == 0 and len(images) == 4, answer
    assert sorted(image['file'] for image in images) == sorted([ODD, 'b.jpg', 'sub/b.jpg', 'sub/d.jpg'])
    assert [failed['file'] for failed in answer['failed']] == ['broken.jpg'] and 'read as a photo' in answer['failed'][0]['error'], answer
    page = (results / 'fovea-batch.html').read_text()
    assert '<b>' not in page and '=a &lt;b&gt;&amp;&quot;c&apos;.png' in page and page.count('src="data:image/') == 4 and 'broken.jpg' in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    print('ok tables, a page that needs no other file, a broken photo')


def check_skipping(gimp, source, results):
    before = (results / 'fovea-batch.json').read_text()
    answer = run(gimp, source, results)
    assert answer['skipped'] == 4 and answer['count'] == 4 and len(answer['failed']) == 1, answer
    assert json.loads(before)['images'] == check_whole(results)
    os.utime(source / 'b.jpg', (1, 1))
    assert run(gimp, source, results)['skipped'] == 3
    assert run(gimp, source, results, '#:again #t')['skipped'] == 0
    assert run(gimp, source, results, '#:recursive #f #:pattern "B.*"')['count'] == 1
    with open(results / 'fovea-batch.journal', 'ab') as journal:
        journal.write(b'{"task":"0 half a li')
    assert run(gimp, source, results)['skipped'] == 4
    (source / 'sub' / 'new.jpg').write_bytes((source / 'b.jpg').read_bytes())
    assert run(gimp, source, results)['skipped'] == 4 and run(gimp, source, results)['skipped'] == 5
    (source / 'sub' / 'new.jpg').unlink()
    print('ok what is done is skipped, unless it changed or all is wanted again')


def check_masks(gimp, source, results):
    answer = run(gimp, source, results, '#:formats "csv, json,masks"', operation='cut-out', model=SEGMENTER)
    images = check_whole(results)
    assert answer['count'] == 4 and len(images) == 4
    for image in images:
        mask, cutout = (Image.open(image['masks'][0][kind]) for kind in ('file', 'cutout'))
        assert mask.size == cutout.size == (image['width'], image['height']) and cutout.mode == 'RGBA'
    pathlib.Path(images[0]['masks'][0]['cutout']).unlink()
    assert run(gimp, source, results, '#:formats "csv,json,masks"', operation='cut-out', model=SEGMENTER)['skipped'] == 3
    check_whole(results)
    print('ok masks and cut-outs; one that is missing is made again')


def lines_of(journal):
    return journal.read_bytes().count(b'\n') if journal.exists() else 0


def check_killing(gimp, source, results):
    """GIMP and the plug-in die in the middle; the next run keeps what was done."""
    journal, script = results / 'fovea-batch.journal', gimp.folder / 'killed.scm'
    script.write_text('(script-fu-use-v3)\n' + call(source, results, operation='cut-out', model=SEGMENTER))
    running = subprocess.Popen([find_program('gimp-console'), '-idf', '--quit', '--batch-interpreter=plug-in-script-fu-eval', '-b', f'(load "{script}")'],
                               env=gimp.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 120
    while lines_of(journal) < 5 and time.monotonic() < until and running.poll() is None:
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    time.sleep(0.3)
    done, n = lines_of(journal), len(list(source.iterdir()))
    assert 5 <= done < n and not (results / 'fovea-batch.json').exists(), done
    answer = run(gimp, source, results, operation='cut-out', model=SEGMENTER)
    assert answer['skipped'] == done and answer['count'] == n and len(check_whole(results)) == n, (done, answer)
    print(f'ok killed after {done} of {n} photos; nothing lost')


def check_refusals(gimp, source, folder):
    (folder / 'link').symlink_to(source)
    cases = [(call(source, source), 'folder beside it'), (call(source, source / 'results'), 'folder beside it'), (call(source, folder), 'folder beside it'),
             (call(source, folder / 'link' / 'new'), 'folder beside it'), (call(source, source, '#:recursive #f'), 'folder beside it'),
             (call(folder / 'nowhere', folder / 'r'), "isn't a folder"), (call(source, folder / 'r', '#:pattern "*.xyz"'), 'no photos'),
             (call(source, folder / 'r', '#:formats "csv,xls"'), 'xls'), (call(source, folder / 'r', '#:formats "masks"'), 'Only Segment'),
             (call(source, folder / 'r', model='nothing'), 'nothing')]
    for text, words in cases:
        status, output = gimp.batch(text)
        assert status != 0 and words in output.replace('\u2019', "'"), (text, output[-800:])
    assert not (source / 'results').exists() and not (source / 'new').exists()
    print(f'ok {len(cases)} refusals in words')


def main():
    originals = sorted((reference() / 'data' / 'large').glob('*.jpg'))
    if not originals:
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1], models=(SEGMENTER,)) as gimp:
        folder = pathlib.Path(temporary)
        source, many = folder / 'photos', folder / 'many'
        (source / 'sub').mkdir(parents=True)
        many.mkdir()
        photo = Image.open(originals[0]).convert('RGB').resize((320, 240))
        for name in (ODD, 'b.jpg', 'sub/b.jpg', 'sub/d.jpg'):
            photo.save(source / name)
        (source / 'broken.jpg').write_bytes((source / 'b.jpg').read_bytes()[:300])
        for i in range(60):
            photo.resize((960, 720)).save(many / f'{i:02}.jpg')
        before = prints(many)
        check_tables(gimp, source, folder / 'tables')
        check_skipping(gimp, source, folder / 'tables')
        still = prints(source)
        check_masks(gimp, source, folder / 'masks')
        check_killing(gimp, many, folder / 'killed')
        check_refusals(gimp, source, folder)
        assert prints(many) == before and prints(source) == still
        print('ok no original was touched')


if __name__ == '__main__':
    main()
