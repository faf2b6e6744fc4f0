#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual in docs/: its links lead somewhere, every procedure's Help button has a page, the page names each of the procedure's arguments, and
there are examples in Script-Fu and in Python-Fu for each, which manual_batch.py runs.

    help_pages.py SOURCE_ROOT
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

LINK = re.compile(r'(?:href|src)="([^"#]+)(?:#[^"]*)?"')


def check_links(docs):
    for page in sorted(docs.glob('*.html')):
        for link in LINK.findall(page.read_text(encoding='utf-8')):
            if not re.match(r'[a-z]+:', link) and not (docs / link).exists():
                yield f'docs/{page.name} leads to {link}, which is not there'


def check_procedures(plugin, docs):
    pages = {item.get('id'): item.get('ref') for item in xml.etree.ElementTree.parse(docs / 'gimp-help.xml').getroot()}
    for header in sorted(plugin.glob('*.h')):
        for name in re.findall(r'#define \w+_PROCEDURE\s+"([^"]+)"', header.read_text(encoding='utf-8')):
            if not (docs / pages.get(name, 'none')).is_file():
                yield f'{name} has no page in docs/gimp-help.xml'


def check_arguments(plugin, docs):
    """Each argument's name stands on some page, as scripts write it."""
    manual = ''.join(page.read_text(encoding='utf-8') for page in docs.glob('*.html'))
    for source in sorted(plugin.glob('*.c')):
        for name in re.findall(r'gimp_procedure_add_\w+_argument \(procedure, "([^"]+)"', source.read_text(encoding='utf-8')):
            if not re.search(rf'<code>(#:)?{re.escape(name)}</code>|#:{re.escape(name)}\b', manual):
                yield f'{source.name}: the manual does not name the argument {name}'


def check_examples(plugin, docs):
    """Models has only a window."""
    examples = ''.join(text for page in docs.glob('*.html') for text in re.findall(r'<pre id="(?:scheme|python)-[^"]+">(.*?)</pre>', page.read_text(encoding='utf-8'), re.DOTALL))
    for header in sorted(plugin.glob('*.h')):
        for name in re.findall(r'#define \w+_PROCEDURE\s+"plug-in-fovea-([^"]+)"', header.read_text(encoding='utf-8')):
            for call in (f'(plug-in-fovea-{name} #:', f'fovea("{name}"'):
                if name != 'models' and call not in examples:
                    yield f'{header.name}: no page of the manual has an example with {call}'


def main():
    root = pathlib.Path(sys.argv[1])
    docs, plugin = root / 'docs', root / 'plugin'
    wrong = [*check_links(docs), *check_procedures(plugin, docs), *check_arguments(plugin, docs), *check_examples(plugin, docs)]
    print('\n'.join(wrong) or 'ok')
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
