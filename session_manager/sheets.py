"""Tables as CSV for spreadsheets, both ways.

Pure. A cell that a spreadsheet would take for a formula goes out with an apostrophe before it and comes back without
it (OWASP, CSV injection). UTF-8 with a byte order mark, because Excel reads Japanese wrong without one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from session_manager.errors import NotPossible

MAX_ROWS = 10_000
MAX_CELL = 1_000
MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(columns)
    out.writerows([_out(cell) for cell in row] for row in rows)
    return MARK + text.getvalue()


def read_sheet(text: str, columns: Sequence[str], required: Sequence[str]) -> list[dict[str, str]]:
    """One dict per row with every one of `columns` (empty when left out). Raises NotPossible, naming the row."""
    reader = csv.reader(io.StringIO(text.removeprefix(MARK), newline=""), strict=True)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NotPossible(f"Line {reader.line_num} of the file is not CSV ({error}).") from error
    if not rows:
        raise NotPossible("The file is empty. Its first line names the columns.")
    head, body = [cell.strip() for cell in rows[0]], rows[1:]
    if len(set(head)) != len(head) or not set(head) <= set(columns) or not set(required) <= set(head):
        raise NotPossible(f"The first line must name columns out of: {', '.join(columns)}.")
    if len(body) > MAX_ROWS:
        raise NotPossible(f"The file has more than {MAX_ROWS} rows. Send it in parts.")
    return [_row(number, head, row, columns, required) for number, row in enumerate(body, start=2)]


def _row(
    number: int, head: Sequence[str], row: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> dict[str, str]:
    if len(row) > len(head):
        raise NotPossible(f"Row {number} has more cells than the first line has columns.")
    cells = dict.fromkeys(columns, "") | {name: _in(cell) for name, cell in zip(head, row, strict=False)}
    if any(len(cell) > MAX_CELL for cell in cells.values()):
        raise NotPossible(f"Row {number} has a cell of more than {MAX_CELL} characters.")
    missing = [name for name in required if not cells[name]]
    if missing:
        raise NotPossible(f"Row {number} has no {missing[0]}.")
    return cells


def _out(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def _in(cell: str) -> str:
    """Spaces around go first, so that one before a formula hides nothing."""
    return cell.strip().removeprefix("'")
