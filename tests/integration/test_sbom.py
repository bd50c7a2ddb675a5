"""`sbom`: valid documents of what is really in an image, the same bytes each time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("form", ["spdx", "cyclonedx"])
def test_the_sbom_lists_each_package_that_dpkg_lists(
    cli: Cli, debian12_image: str, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "sbom.json"
    done = cli("sbom", debian12_image, "--format", form, "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert cli("sbom", debian12_image, "--format", form).stdout == file.read_text()
    document = json.loads(file.read_text())
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=dpkg-query", debian12_image]
    command += ["-W", "-f", "${Package} ${Version}\\n"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    if form == "spdx":
        found = {
            f"{one['name']} {one['versionInfo']}"
            for one in document["packages"]
            if any("pkg:deb/debian/" in ref["referenceLocator"] for ref in one.get("externalRefs", ()))
        }
    else:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read_text()) is None
        found = {
            f"{one['name']} {one['version']}"
            for one in document["components"]
            if one.get("purl", "").startswith("pkg:deb/debian/")
        }
    assert found == set(listed.stdout.splitlines())


def test_an_image_that_is_not_there_is_exit_4(cli: Cli) -> None:
    assert cli("sbom", f"runtimebuilder.test/nowhere-{os.getpid()}:1").returncode == 4
