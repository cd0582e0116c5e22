"""A square code that a phone reads, as rows of dark and light; the page draws it. Pure, by the segno library."""

from __future__ import annotations

import segno


def modules(text: str) -> tuple[str, ...]:
    """Rows of `0` and `1`, without the quiet border of four that whoever draws it leaves (ISO/IEC 18004)."""
    made = segno.make(text, error="l", micro=False)
    return tuple("".join("1" if dark else "0" for dark in row) for row in made.matrix)
