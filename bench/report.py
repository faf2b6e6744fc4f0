# SPDX-License-Identifier: GPL-3.0-or-later
"""What bench.py, compare and table have in common: cells of measured times, and their ratios.

A JSON of bench.py is a list of rows: model threads engine median_ms min_ms max_error load_ms first_run_ms peak_rss_mb date machine isa.
"""

import json
import math
import pathlib
import statistics

US = 'fovea'

# The networks whose time goes into depthwise convolutions: the mean over them is given beside that over all.
DEPTHWISE = {'mobilenet_v2', 'mobilenet_v3_small', 'mobilenet_v3_large', 'shufflenet_v2_x1_0', 'mnasnet1_0', 'efficientnet_b0',
             'ssdlite320_mbv3l', 'lraspp_mbv3l_320'}


def read(path):
    return json.loads(pathlib.Path(path).read_text(encoding='utf-8'))


def geometric_mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def cells_of(rows):
    """(model, threads) -> engine -> row, of the rows that have a time, in the rows' order."""
    cells = {}
    for row in rows:
        cell = cells.setdefault((row['model'], row['threads']), {})
        if row['median_ms']:
            cell[row['engine']] = row
    return cells


def fastest_peer(cell):
    """The row of the fastest of the others; None where there is none."""
    return min((row for engine, row in cell.items() if engine != US), key=lambda row: row['median_ms'], default=None)


def lead(cell):
    """The fastest peer's time by ours; None where one of them is missing."""
    peer = fastest_peer(cell)
    return peer['median_ms'] / cell[US]['median_ms'] if peer and US in cell else None


def leads_of(cells):
    return {key: lead(cell) for key, cell in cells.items() if lead(cell)}


def text_table(rows):
    """Lines: all medians of each cell and how many times faster than the fastest peer we are; then the means."""
    cells, names = cells_of(rows), list(dict.fromkeys(row['engine'] for row in rows))
    widths = [max(len(name) + 2, 10) for name in names]
    lines = [f'{"network":22}{"threads":>8}' + ''.join(f'{name:>{width}}' for name, width in zip(names, widths)) + f'{"fastest peer / fovea":>23}']
    for (model, threads), cell in cells.items():
        times = (f'{cell[name]["median_ms"]:{width}.2f}' if name in cell else f'{"-":>{width}}' for name, width in zip(names, widths))
        ratio = lead(cell)
        lines.append(f'{model:22}{threads:>8}' + ''.join(times) + (f'{ratio:23.2f}' if ratio else ''))
    return lines + means(leads_of(cells))


def means(leads):
    """Lines: the geometric means over all cells, over the depthwise networks, over each number of threads."""
    groups = {'all cells': leads, 'depthwise networks': {key: ratio for key, ratio in leads.items() if key[0] in DEPTHWISE}}
    for threads in sorted({key[1] for key in leads}):
        groups[f'{threads} thread{"s" if threads > 1 else ""}'] = {key: ratio for key, ratio in leads.items() if key[1] == threads}
    return [f'geometric mean, {name} ({len(group)}): {geometric_mean(group.values()):.3f}, least {min(group.values()):.3f} ({min(group, key=group.get)[0]})'
            for name, group in groups.items() if group]
