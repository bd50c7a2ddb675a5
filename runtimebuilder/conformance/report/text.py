"""Text that came from the image under test, made fit to be shown: bounded, and without what does not print."""

from __future__ import annotations

SHOWN_CHARACTERS = 20_000
"""Of one transcript or log on a page that people open."""

KEPT_CHARACTERS = 200_000
"""Of one transcript or log in a file that programs read."""


def bounded(text: str, limit: int) -> str:
    """The text, or its beginning and its end with a line between them that says how much was left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out} characters left out …\n{text[-half:]}"


def printable(text: str) -> str:
    """Lines as they are; other characters that do not print as escapes: no terminal and no parser obeys them."""
    if text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )
