"""Reading a rendered Dockerfile back: which instruction made which layer."""

from __future__ import annotations

_MAKE_A_LAYER = ("RUN", "COPY", "ADD")


def layer_steps(dockerfile: str) -> tuple[str, ...]:
    """The instructions of the last stage that make a layer, in order, each on one line."""
    steps: list[str] = []
    for instruction in _instructions(dockerfile):
        word = instruction.split(" ", 1)[0].upper()
        if word == "FROM":
            steps.clear()
        elif word in _MAKE_A_LAYER:
            steps.append(instruction)
    return tuple(steps)


def _instructions(dockerfile: str) -> list[str]:
    found: list[str] = []
    begun = ""
    for line in dockerfile.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):  # also between the lines of one instruction
            continue
        begun = f"{begun} {text.removesuffix(chr(92)).strip()}".strip()
        if not text.endswith("\\"):
            found.append(" ".join(begun.split()))
            begun = ""
    return found
