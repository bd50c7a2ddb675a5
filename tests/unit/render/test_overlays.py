"""A project's own templates: in the place of a built-in one, or made of one by its blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runtimes").mkdir()
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    file = project / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def rendered(name: str) -> BuildContext:
    catalog = Catalog.load()
    runtime = catalog.runtimes[name]
    return render_image(runtime, shipped_bases()[runtime.base])


def test_a_template_of_ones_own_changes_blocks_of_a_built_in_one(project: Path) -> None:
    before = rendered("php-82")
    write(
        project,
        "runtimes/shop.yaml",
        "schema: 1\nname: shop\nextends: php-82\ntemplate: acme\nsummary: shop\n",
    )
    write(
        project,
        "templates/acme/Dockerfile.j2",
        '{% extends "php/Dockerfile.j2" %}\n{% block contents %}\nRUN echo acme\n{{ super() }}{% endblock %}\n'
        "{% block end %}\n\nUSER nobody\n{{ super() }}{% endblock %}\n",
    )
    write(project, "templates/acme/rootfs/etc/acme.j2", "for {{ runtime.name }}\n")
    write(project, "templates/acme/rootfs/opt/bin/php", "another\n")
    after = rendered("shop")
    lines, others = after.dockerfile.splitlines(), before.dockerfile.splitlines()
    added = [line for line in lines if line not in others and "shop" not in line]
    assert added == ["RUN echo acme", "USER nobody"]
    assert lines.index("RUN echo acme") > lines.index("COPY rootfs/ /")
    files = {file.path: file.data for file in after.files}
    assert files["rootfs/etc/acme"] == b"for shop\n"
    assert files["rootfs/opt/bin/php"] == b"another\n"
    assert {file.path for file in before.files} | {"rootfs/etc/acme"} == set(files), "the family's files stay"


def test_a_built_in_template_can_be_extended_from_its_own_place(project: Path) -> None:
    write(
        project,
        "templates/php/Dockerfile.j2",
        '{% extends "builtin/php/Dockerfile.j2" %}\n'
        "{% block packages %}\n{{ super() }}\nRUN echo here\n{% endblock %}\n",
    )
    text = rendered("php-82-fpm").dockerfile
    assert "RUN echo here" in text.splitlines()
    assert "COPY rootfs/ /" in text.splitlines()


def test_a_mistake_in_ones_own_template_has_its_place(project: Path) -> None:
    write(
        project,
        "templates/php/Dockerfile.j2",
        '{% extends "builtin/php/Dockerfile.j2" %}\n{% block end %}\n{{ nobody }}\n{% endblock %}\n',
    )
    with pytest.raises(SpecError, match=r"templates/php/Dockerfile\.j2:3: 'nobody' is undefined"):
        rendered("php-82")


def test_rendered_files_are_compared(project: Path) -> None:
    context = rendered("php-82")
    context.write(project / "out")
    assert context.differences(project / "out") == ()
    (project / "out" / "Dockerfile").write_text("FROM scratch\n")
    (project / "out" / "more").write_text("")
    (project / "out" / "rootfs/var/runtime/bootstrap").chmod(0o644)
    (project / "out" / "rootfs/opt/bin/php").unlink()
    assert context.differences(project / "out") == (
        f"{project / 'out'}/Dockerfile differs",
        f"{project / 'out'}/more should not be there",
        f"{project / 'out'}/rootfs/opt/bin/php is missing",
        f"{project / 'out'}/rootfs/var/runtime/bootstrap differs",
    )
    assert len(context.differences(project / "nowhere")) == len(context.files)
