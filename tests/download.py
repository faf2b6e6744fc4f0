#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads from a web server on loopback that does what servers do: slow, broken off, wrong, moved, gone, not to be trusted; and onto full disks. Arguments:
download-tool."""

import hashlib
import http.server
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOOL = pathlib.Path(sys.argv[1]).resolve()
DATA = bytes((i * i * 31 + i // 7) % 251 for i in range(400_000))
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """/WORD: what the word says. `requests` notes the path and the Range header of each."""

    requests = []

    def log_message(self, *unused):
        pass

    def do_GET(self):
        word, wanted = self.path.strip('/'), self.headers.get('Range')
        self.requests.append((word, wanted))
        first = int(wanted.removeprefix('bytes=').split('-')[0]) if wanted else 0
        if word == 'absent':
            return self.send_error(404)
        if word == 'moved':
            self.send_response(302)
            self.send_header('Location', '/whole')
            self.end_headers()
            return None
        if word == 'busy' and len([1 for asked, _ in self.requests if asked == 'busy']) < 3:
            return self.send_error(503)
        if word == 'deaf':  # knows no ranges
            first = 0
        data = DATA[:-1] + b'\0' if word == 'wrong' else DATA + b'more' if word == 'long' else DATA[:-5000] if word in ('short', 'vague') else DATA
        if first >= len(data):
            return self.send_error(416)
        return self.answer(data, first, word)

    def answer(self, data, first, word):
        self.send_response(206 if first else 200)
        if first:
            self.send_header('Content-Range', f'bytes {first}-{len(data) - 1}/{len(data)}')
        if word != 'vague':  # doesn't say how much it is
            self.send_header('Content-Length', str(len(data) - first))
        self.end_headers()
        if word in ('broken', 'deaf'):  # a part each time; the deaf one sends all when asked the second time
            n = len(data) if word == 'deaf' and len(self.requests) > 1 else 150_000
            self.wfile.write(data[first:first + n])
        elif word == 'stingy':  # a few bytes, then nothing ever again
            self.wfile.write(data[first:1000] if first < 1000 else b'')
        elif word == 'slow':
            for at in range(first, len(data), 20_000):
                self.wfile.write(data[at:at + 20_000])
                self.wfile.flush()
                time.sleep(0.02)
        else:
            self.wfile.write(data[first:])
        self.close_connection = True


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *unused):
        """Clients that hang up are what is tested here."""


class Download(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Quiet(('127.0.0.1', 0), Server)
        cls.address = f'http://127.0.0.1:{cls.server.server_port}'
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        Server.requests.clear()

    def tearDown(self):
        self.temporary.cleanup()

    def fetch(self, word, *more, size=len(DATA), sha256=SHA256, address=None, folder=None):
        self.path = (folder or self.folder) / 'model.onnx'
        return subprocess.run([TOOL, address or f'{self.address}/{word}', str(size), sha256, self.path, *map(str, more)], capture_output=True, text=True, timeout=60)

    def left(self, folder=None):
        return sorted(path.name for path in (folder or self.folder).iterdir())

    def assert_fetched(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(self.left(), ['model.onnx'])
        self.assertEqual(self.path.read_bytes(), DATA)

    def assert_refused(self, done, *words, left=()):
        self.assertEqual(done.returncode, 1, done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.left(), list(left))

    def test_whole_moved_slow(self):
        for word in ('whole', 'moved', 'slow'):
            self.assert_fetched(self.fetch(word))
            self.path.unlink()

    def test_progress(self):
        numbers = [int(line) for line in self.fetch('slow').stdout.split()]
        self.assertGreater(len(numbers), 4)
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(numbers[-1], len(DATA))

    def test_broken_off_goes_on_by_itself(self):
        self.assert_fetched(self.fetch('broken'))
        self.assertEqual([wanted for _, wanted in Server.requests], [None, 'bytes=150000-', 'bytes=300000-'])

    def test_broken_for_good_goes_on_later(self):
        self.assert_refused(self.fetch('stingy'), 'try again', left=['model.onnx.part'])
        self.assertEqual((self.folder / 'model.onnx.part').read_bytes(), DATA[:1000])
        Server.requests.clear()
        self.assert_fetched(self.fetch('whole'))
        self.assertEqual(Server.requests, [('whole', 'bytes=1000-')])

    def test_without_ranges_it_begins_anew(self):
        self.assert_fetched(self.fetch('deaf'))
        self.assertEqual(len(Server.requests), 2)

    def test_a_foreign_part(self):
        (self.folder / 'model.onnx.part').write_bytes(b'x' * 5000)  # goes on, and is found out
        self.assert_refused(self.fetch('whole'), 'SHA-256')
        (self.folder / 'model.onnx.part').write_bytes(b'x' * (len(DATA) + 1))
        self.assert_fetched(self.fetch('whole'))

    def test_busy_server(self):
        self.assert_fetched(self.fetch('busy'))

    def test_wrong_file(self):
        self.assert_refused(self.fetch('wrong'), 'SHA-256', SHA256, 'thrown away')
        self.assert_refused(self.fetch('long'), 'larger', 'thrown away')
        self.assert_refused(self.fetch('whole', size=len(DATA) - 5000), 'larger')
        for word in ('short', 'vague'):
            self.assert_refused(self.fetch(word), 'smaller', 'thrown away')

    def test_absent(self):
        self.assert_refused(self.fetch('absent'), '404')
        self.assertEqual(len(Server.requests), 1)

    def test_cancelled(self):
        done = self.fetch('slow', 100_000)
        self.assert_refused(done, 'ancel')

    def test_nobody_there(self):
        self.assert_refused(self.fetch('', address='http://127.0.0.1:9/whole'), "can't be reached", 'online')
        self.assert_refused(self.fetch('', address='http://nowhere.invalid/whole'), "can't be reached", 'online')

    def test_killed_goes_on_later(self):
        self.path = self.folder / 'model.onnx'
        with subprocess.Popen([TOOL, f'{self.address}/slow', str(len(DATA)), SHA256, self.path], stdout=subprocess.PIPE) as running:
            running.stdout.readline()
            running.kill()
        self.assertEqual(self.left(), ['model.onnx.part'])
        self.assert_fetched(self.fetch('whole'))
        self.assertRegex(Server.requests[-1][1], r'bytes=\d+-')

    def test_old(self):
        """What nobody has gone on with for a week goes; what is new stays, and what lies elsewhere."""
        week = 7 * 24 * 3600
        secret = self.folder.parent / f'{self.folder.name}-secret'
        secret.write_text('secret')
        self.addCleanup(secret.unlink)
        for name, age in {'new.onnx.part': 0, 'days.onnx.part': week - 3600, 'old.onnx.part': week + 3600, 'old.onnx': 9 * week}.items():
            (self.folder / name).write_bytes(b'part')
            os.utime(self.folder / name, (time.time() - age,) * 2)
        (self.folder / 'link').symlink_to(secret)
        (self.folder / 'inside').mkdir()
        for path in (self.folder / 'link', self.folder / 'inside', secret):
            os.utime(path, (0, 0), follow_symlinks=False)
        self.assertEqual(subprocess.run([TOOL, self.folder], check=False).returncode, 0)
        self.assertEqual((self.left(), secret.read_text()), (['days.onnx.part', 'inside', 'new.onnx.part'], 'secret'))
        self.assertEqual(subprocess.run([TOOL, self.folder / 'nowhere'], check=False).returncode, 0)

    def test_no_room(self):
        self.assert_refused(self.fetch('whole', 0, 200_000), 'make room')

    def test_not_enough_room(self):
        self.assert_refused(self.fetch('whole', size=10 ** 16), 'make room')
        self.assertEqual(Server.requests, [])

    @unittest.skipUnless(shutil.which('openssl'), 'there is no openssl')
    def test_untrusted(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost', '-days', '2'],
                       cwd=self.folder, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'cert.pem', self.folder / 'key.pem')
        server = Quiet(('127.0.0.1', 0), Server)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            self.assert_refused(self.fetch('', address=f'https://127.0.0.1:{server.server_port}/whole'), 'prove', left=['cert.pem', 'key.pem'])
        finally:
            server.shutdown()
            server.server_close()
        self.assertEqual(Server.requests, [])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
