"""The file of cases that are known to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.known_failing import read_known_failing
from runtimebuilder.errors import EnvironmentProblemError, SpecError, UserError


def file_of(folder: Path, text: str) -> Path:
    path = folder / "known.txt"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_known_failing(path, builtin_cases())
    return caught.value


def test_a_line_is_an_id_or_number_and_a_reason(tmp_path: Path) -> None:
    path = file_of(tmp_path, "# ours\n\nRT-060  # issue 7 # and 8\n  rt-062-content-type\nIM-01#x\n")
    found = read_known_failing(path, builtin_cases())
    assert found == {
        "RT-060-response-basic": "issue 7 # and 8",
        "RT-062-content-type": "",
        "IM-01-entrypoint": "x",
    }


def test_every_wrong_line_is_told(tmp_path: Path) -> None:
    path = file_of(tmp_path, "RT-060\nRT-06\nRT-06*  # glob\nRT-060-response-basic\n")
    problem = refusal(path)
    assert isinstance(problem, SpecError)
    assert problem.message.startswith(f"{path}:2: no case is named 'RT-06'; did you mean RT-")
    assert (problem.detail or "").splitlines() == [
        f"{path}:3: 'RT-06*' is a pattern: name each case, for each has to fail",
        f"{path}:4: RT-060 is on line 1 already",
    ]


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    gone = refusal(tmp_path / "none.txt")
    assert isinstance(gone, EnvironmentProblemError)
    assert "none.txt: No such file" in gone.message
    binary = tmp_path / "known.txt"
    binary.write_bytes(b"RT-060 # \xff\n")
    assert "not UTF-8" in refusal(binary).message
