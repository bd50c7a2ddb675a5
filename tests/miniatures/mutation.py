"""The one thing that the miniature breaks: the variable MUTATION names it."""

import os
import re
from pathlib import Path

MUTATION = os.environ.get("MUTATION", "")


def broken(name: str) -> bool:
    """Whether this is the mistake to make."""
    return name == MUTATION


def known_mutations() -> set[str]:
    """The name of every mistake that the modules of this folder can make."""
    texts = [module.read_text(encoding="utf-8") for module in sorted(Path(__file__).parent.glob("*.py"))]
    named = {name for text in texts for name in re.findall(r'broken\("([a-z0-9-]+)"\)', text)}
    return named | {
        "client-context-unparsed",
        "cognito-identity-unparsed",
    }  # put together from a header's name
