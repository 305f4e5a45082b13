"""A small page that carries its pictures with it."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bgaug_mm.files import write_bytes

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .45rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
.wide { overflow-x: auto; } img { max-width: 100%; height: auto; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .9rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
"""


class Section(NamedTuple):
    """A heading with what stands under it; each part may be left out."""

    title: str
    text: str = ''
    table: Sequence[Sequence[str]] = ()  # the first row is the head
    definitions: Mapping[str, str] = {}
    picture: str | os.PathLike[str] | None = None
    code: str = ''


def html_report(
    path: str | os.PathLike[str], title: str, text: str, sections: Sequence[Section]
) -> None:
    """Write a self-contained page: pictures are embedded, all text is escaped.

    Args:
        path: HTML file to write; its folder is made.
        title: Title and heading.
        text: Opening paragraph.
        sections: What follows, in order.

    Raises:
        FileNotFoundError: If a picture is missing.
    """
    write_page(path, title, page_body(title, [text], sections))


def page_body(title: str, paragraphs: Sequence[str], sections: Sequence[Section]) -> list[str]:
    """Heading, paragraphs and sections as HTML, all text escaped."""
    body = [f'<h1>{html.escape(title)}</h1>']
    body += [f'<p>{html.escape(text)}</p>' for text in paragraphs]
    return body + [part for section in sections for part in _parts(section)]


def definition_list(definitions: Mapping[str, str]) -> str:
    """Names and what they mean, as HTML, all text escaped."""
    items = ''.join(
        f'<dt>{html.escape(name)}</dt><dd>{html.escape(meaning)}</dd>'
        for name, meaning in definitions.items()
    )
    return f'<dl>{items}</dl>'


def write_page(
    path: str | os.PathLike[str], title: str, body: Sequence[str], *, style: str = ''
) -> None:
    """Write a page of body parts that are HTML already.

    Args:
        path: HTML file to write; its folder is made.
        title: Title in the head, plain text.
        body: Parts of the body, HTML.
        style: CSS behind the common style. Defaults to none.
    """
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{html.escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n'
        + '\n'.join(body)
        + '\n</body>\n</html>\n'
    )
    write_bytes(Path(path), page.encode())


def _parts(section: Section) -> list[str]:
    parts = [f'<h2>{html.escape(section.title)}</h2>']
    if section.text:
        parts.append(f'<p>{html.escape(section.text)}</p>')
    if section.table:
        head, *rows = section.table
        lines = [''.join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)]
        lines += [''.join(f'<td>{html.escape(cell)}</td>' for cell in row) for row in rows]
        table = '\n'.join(f'<tr>{line}</tr>' for line in lines)
        parts.append(f'<div class="wide"><table>\n{table}\n</table></div>')
    if section.definitions:
        parts.append(definition_list(section.definitions))
    if section.picture is not None:
        data = base64.b64encode(Path(section.picture).read_bytes()).decode()
        parts.append(f'<img alt="{html.escape(section.title)}" src="data:image/png;base64,{data}">')
    if section.code:
        parts.append(f'<pre>{html.escape(section.code)}</pre>')
    return parts
