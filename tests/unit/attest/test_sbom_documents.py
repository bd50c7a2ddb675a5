"""What is written of an inventory is valid by the libraries' own validators, and says what was found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from runtimebuilder.attest.cyclonedx import cyclonedx_json
from runtimebuilder.attest.inventory import Inventory, Part, take_inventory
from runtimebuilder.attest.spdx import spdx_json
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.engine.software import (
    HashedFile,
    InstalledPackage,
    Software,
    _of_dpkg,
    _of_rpm,
)
from runtimebuilder.spec.catalog import Catalog

_SHA = "ab" * 32
_FILE = HashedFile("/var/runtime/bootstrap", "cd" * 20, _SHA)
_MODULE = HashedFile("/usr/lib/php/20220829/redis.so", "ef" * 20, _SHA)
_COMPOSER = json.dumps(
    {
        "packages": [
            {
                "name": "monolog/monolog",
                "version": "3.5.0",
                "license": ["MIT"],
                "dist": {"url": "https://example.org/monolog.zip"},
            }
        ]
    }
)


def _facts(**labels: str) -> ImageFacts:
    return ImageFacts(
        id=f"sha256:{_SHA}",
        tags=(),
        repo_digests=(),
        labels=labels,
        architecture="amd64",
        os="linux",
        size=1,
        created="2024-05-06T07:08:09.123456789Z",
        env={},
        entrypoint=None,
        cmd=None,
        workdir="",
        user="",
        exposed=(),
        volumes=(),
        healthcheck=None,
        layers=1,
    )


def _inventory(epoch: int | None = None) -> Inventory:
    packages = (
        InstalledPackage(
            "libc6", "2.36-9+deb12u14", "amd64", licences=("GPL-2+", "LGPL-2.1+ with exception")
        ),
        InstalledPackage("zlib1g", "1:1.2.13", "amd64", licences=("Zlib",)),
    )
    software = Software("apt", ("debian", "12"), packages, (_FILE,), (_MODULE,), _COMPOSER)
    labels = {
        "dev.runtimebuilder.runtime": "shop",
        "org.opencontainers.image.base.name": "example.org/base:1",
        "org.opencontainers.image.base.digest": f"sha256:{_SHA}",
    }
    return take_inventory("shop:1", _facts(**labels), software, Catalog.load(), epoch)


def test_spdx_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "x.spdx.json"
    file.write_text(spdx_json(_inventory()))
    document = parse_file(str(file))
    assert validate_full_spdx_document(document) == []
    found = {one["name"]: one for one in json.loads(file.read_text())["packages"]}
    assert found["zlib1g"]["licenseDeclared"] == "Zlib"
    assert found["libc6"]["licenseDeclared"] == "NOASSERTION"
    assert "GPL-2+; LGPL-2.1+ with exception" in found["libc6"]["licenseComments"]
    assert found["example.org/base:1"]["checksums"][0]["checksumValue"] == _SHA


def test_cyclonedx_is_valid() -> None:
    text = cyclonedx_json(_inventory())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["timestamp"] == "2024-05-06T07:08:09+00:00"
    found = {one["name"]: one for one in document["components"]}
    assert found["monolog/monolog"]["purl"] == "pkg:composer/monolog/monolog@3.5.0"
    assert found["libc6"]["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12"
    assert found["redis.so"]["components"][0]["hashes"][1]["content"] == _SHA


@pytest.mark.parametrize("write", [spdx_json, cyclonedx_json])
def test_the_same_inventory_gives_the_same_bytes_and_another_one_another_serial(write) -> None:  # type: ignore[no-untyped-def]
    assert write(_inventory()) == write(_inventory())
    assert _inventory(5).serial != _inventory().serial
    assert "1970-01-01T00:00:05" in write(_inventory(5))


def test_a_part_that_was_compiled_of_an_unknown_spec_has_no_version_and_a_note_says_so() -> None:
    inventory = _inventory()
    assert Part("redis.so", files=(_MODULE,)) in inventory.parts
    assert "not built of the spec as it is here" in inventory.notes[0]


def test_rpm_packages_have_their_epoch_apart_and_keys_are_none() -> None:
    text = (
        "openssl-libs\t1\t3.0.8-1.amzn2023\tx86_64\tApache-2.0\topenssl.src.rpm\n"
        "gpg-pubkey\t\td832c631-6515c85e\t(none)\tpubkey\t(none)\n@@\n/usr/lib64/libssl.so.3\n"
    )
    packages, owned = _of_rpm(text)
    assert [(one.name, one.epoch, one.licences) for one in packages] == [
        ("openssl-libs", "1", ("Apache-2.0",))
    ]
    assert owned == {"/usr/lib64/libssl.so.3"}
    software = Software("dnf", ("amzn", "2023"), tuple(packages), (), (), None)
    (part,) = take_inventory("x", _facts(), software, Catalog.load()).parts
    assert part.purl == "pkg:rpm/amzn/openssl-libs@3.0.8-1.amzn2023?arch=x86_64&distro=amzn-2023&epoch=1"


def test_what_dpkg_has_removed_is_not_in_it() -> None:
    text = "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
    text += "Package: b\nStatus: deinstall ok config-files\nVersion: 1\n"
    assert [one.name for one in _of_dpkg(text, {})] == ["a"]
