"""Layers in canonical form: what one engine writes and what another writes of the same change come out the same."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

import pytest

from runtimebuilder.engine.layer_state import LayerState

EPOCH = 1_000
Entry = tuple[str, bytes, dict[str, object]]


def file(path: str, data: bytes = b"", **more: object) -> Entry:
    return path, data, {"mode": 0o644, "mtime": 5_000, **more}


def folder(path: str, **more: object) -> Entry:
    return path, b"", {"type": tarfile.DIRTYPE, "mode": 0o755, "mtime": 5_000, **more}


def link(path: str, to: str) -> Entry:
    return path, b"", {"type": tarfile.LNKTYPE, "linkname": to, "mode": 0o644, "mtime": 5_000}


def layer(entries: Iterable[Entry]) -> tarfile.TarFile:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data, more in entries:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            for key, value in more.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(data))
    return opened(target.getvalue())


def opened(data: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(data))


BASE = (
    folder("./etc", mtime=0),
    file("./etc/passwd", b"root"),
    folder("./old"),
    folder("./old/deep"),
    file("./old/deep/a", b"a"),
    file("./old/deep/b", b"b"),
    file("./lock", b"", mode=0o640),
)


def rewritten(*entries: Entry, base: Iterable[Entry] = BASE) -> bytes:
    state = LayerState()
    state.add(layer(base))
    target = io.BytesIO()
    state.rewrite(layer(entries), target, EPOCH)
    return target.getvalue()


def names(data: bytes) -> list[str]:
    return opened(data).getnames()


def test_order_owners_names_and_later_times_do_not_count() -> None:
    one = rewritten(file("b", b"2", uname="root", gname="root"), file("a", b"1", mtime=6_000))
    other = rewritten(file("./a", b"1", mtime=7_000), file("b", b"2", mode=0o100644))
    assert one == other
    entries = opened(one).getmembers()
    assert [(entry.name, entry.mtime, entry.mode, entry.uname) for entry in entries] == [
        ("a", EPOCH, 0o644, ""),
        ("b", EPOCH, 0o644, ""),
    ]


def test_a_time_before_the_epoch_stays() -> None:
    (entry,) = opened(rewritten(file("a", mtime=77))).getmembers()
    assert entry.mtime == 77


def test_what_is_as_below_is_left_out() -> None:
    same = (folder("etc"), file("etc/passwd", b"root"), file("lock", b"", mode=0o640))
    assert rewritten(*same, file("etc/new")) == rewritten(file("etc/new"))


@pytest.mark.parametrize(
    "changed",
    [
        file("etc/passwd", b"ROOT"),
        file("etc/passwd", b"root", mode=0o600),
        file("etc/passwd", b"root", uid=993),
        file("etc/passwd", b"root", pax_headers={"SCHILY.xattr.security.capability": "x"}),
        folder("etc", mode=0o700),
        (("lock", b"", {"type": tarfile.SYMTYPE, "linkname": "etc"})),
    ],
)
def test_what_differs_from_below_in_anything_is_kept(changed: Entry) -> None:
    assert names(rewritten(changed)) == [changed[0]]


def test_a_folder_that_hides_all_below_it_and_one_that_names_each_are_the_same() -> None:
    opaque = rewritten(
        folder("old"), file("old/.wh..wh..opq"), folder("old/deep"), file("old/deep/b", b"new")
    )
    named = rewritten(folder("old"), folder("old/deep"), file("old/deep/.wh.a"), file("old/deep/b", b"new"))
    replaced = rewritten(file(".wh.old"), folder("old"), folder("old/deep"), file("old/deep/b", b"new"))
    assert opaque == named == replaced
    assert names(opaque) == ["old/deep/.wh.a", "old/deep/b"]


def test_what_hides_nothing_is_left_out() -> None:
    fresh = (folder("fresh"), file("fresh/.wh..wh..opq"), file("fresh/x"), file("etc/.wh.nothing"))
    assert rewritten(*fresh) == rewritten(folder("fresh"), file("fresh/x"))


def test_a_removed_folder_is_hidden_as_a_whole() -> None:
    assert names(rewritten(file(".wh.old", mode=0o600))) == [".wh.old"]
    assert rewritten(file(".wh.old", mode=0o600)) == rewritten(file(".wh.old", mode=0, mtime=0))


def test_of_linked_files_the_first_is_the_file_whichever_the_engine_took() -> None:
    one = rewritten(file("z", b"data"), link("a", "z"), link("m", "z"))
    other = rewritten(file("a", b"data"), link("m", "a"), link("z", "a"))
    assert one == other
    archive = opened(one)
    assert [(entry.name, entry.linkname) for entry in archive] == [("a", ""), ("m", "a"), ("z", "a")]
    content = archive.extractfile("z")
    assert content is not None
    assert content.read() == b"data"


def test_a_layer_is_what_the_next_one_lies_on() -> None:
    state = LayerState()
    state.add(layer(BASE))
    state.rewrite(layer([file(".wh.old"), file("etc/x", b"1")]), io.BytesIO(), EPOCH)
    target = io.BytesIO()
    state.rewrite(layer([folder("old"), file("etc/x", b"1"), file("old/.wh.deep")]), target, EPOCH)
    assert names(target.getvalue()) == ["old"]


def test_a_file_in_place_of_a_folder_takes_all_below_with_it() -> None:
    state = LayerState()
    state.add(layer(BASE))
    state.rewrite(layer([file("old", b"now a file")]), io.BytesIO(), EPOCH)
    target = io.BytesIO()
    state.rewrite(layer([folder("old"), folder("old/deep"), file("old/deep/a", b"a")]), target, EPOCH)
    assert names(target.getvalue()) == ["old", "old/deep", "old/deep/a"]
