"""The same image from every builder and engine: what was built is rewritten in one canonical form.

Builders and engines differ in what no instruction says: the times of files, folders that a layer repeats, the order of
entries, the times and the words of the history, empty fields of the configuration. All of it is written here anew:

- files' times are clamped to the epoch, entries sorted, names of owners left out (their numbers count),
- a folder that is as the layers below have it is left out,
- a layer that changes nothing is left out,
- the history says the instruction of each layer, at the epoch,
- the base's layers stay as they are, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.engine.layer_state import LayerState
from runtimebuilder.engine.plain_layer import write_plain
from runtimebuilder.engine.saved import configuration, listed, member

_KEPT = ("architecture", "os", "os.version", "variant")
# Of a configuration what Docker and OCI know of an image; what an engine adds of its own says nothing.
_CONFIG = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)
_STEPS = ("RUN", "COPY", "ADD")  # the instructions of `Normalisation.steps`
_INSTRUCTIONS = (
    *_STEPS,
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
)
_IN_USE = 409


@dataclass(frozen=True)
class Normalisation:
    """How an image is to be written anew.

    `epoch`: seconds; `base_layers`: how many layers are the base's; `steps`: the instruction of each layer above.
    `is_base_made`: the base has no registry's digest to keep, so the times in its history are set too.
    """

    epoch: int
    base_layers: int
    steps: tuple[str, ...] = ()
    is_base_made: bool = False


@dataclass
class Normaliser:
    """Rewrites images of one engine.

    Layers that several images share are rewritten once: they are kept in `folder`, which whoever made it removes.
    """

    engine: Engine
    folder: Path
    _layers: dict[tuple[str, ...], tuple[str, bool]] = field(
        default_factory=dict
    )  # chain → (digest, is it in)

    def replace(self, image: str, how: Normalisation, *, with_parents: bool = False) -> str:
        """Normalise, and remove `image` as it was, unless somebody uses it. Raises as `normalise` does.

        `with_parents`: the classic builder's images of the steps before go too.
        """
        normal = self.normalise(image, how)
        if normal != image:
            try:
                self.engine.remove_image(image, with_parents=with_parents)
            except EngineError as error:
                if error.status != _IN_USE:
                    raise
        return normal

    def normalise(self, image: str, how: Normalisation) -> str:
        """The id of `image` as it is when written anew; its own when it is in that form already.

        Raises `EngineError` (exit 4) when the engine cannot give it out or take it back.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as created:
            saved = Path(created) / "saved.tar"
            with saved.open("wb") as target:
                self.engine.save(image, target)
            with tarfile.open(saved) as archive:
                config, (_, paths) = configuration(archive), listed(archive)
                layers = self._layers_of(archive, paths, config, how)
            text = json.dumps(
                canonical_config(config, layers, how), sort_keys=True, separators=(",", ":")
            ).encode()
            written = Path(created) / "normal.tar"
            _write(written, text, [(digest, self.folder / digest) for digest, is_in in layers if is_in])
            return self.engine.load(written)

    def _layers_of(
        self, archive: tarfile.TarFile, paths: Sequence[str], config: Mapping[str, Any], how: Normalisation
    ) -> list[tuple[str, bool]]:
        diff_ids = config["rootfs"]["diff_ids"]
        if len(paths) != len(diff_ids) or len(paths) < how.base_layers:
            raise EngineError("the engine's archive of an image has other layers than its configuration says")
        state = LayerState()
        found = []
        for number, path in enumerate(paths):
            chain = (str(how.epoch), *diff_ids[: number + 1])
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as source:
                write_plain(member(archive, path), source)
            place = Path(source.name)
            if number >= how.base_layers and chain not in self._layers:
                rewritten = place.with_suffix(".new")
                with tarfile.open(place) as before, rewritten.open("wb") as after:
                    state.rewrite(before, after, how.epoch)
                rewritten.replace(place)
            else:
                with tarfile.open(place) as layer:
                    state.add(layer)
            if chain not in self._layers:
                digest = _digest(place)
                if number < how.base_layers and f"sha256:{digest}" != diff_ids[number]:
                    raise EngineError(
                        "the engine's archive of an image has another layer of the base than it says: "
                        f"sha256:{digest} for {diff_ids[number]}"
                    )
                self._layers[chain] = (digest, number < how.base_layers or _has_entries(place))
                place.replace(self.folder / digest)
            else:
                place.unlink()
            found.append(self._layers[chain])
        return found


def _has_entries(place: Path) -> bool:
    with tarfile.open(place) as layer:
        return layer.next() is not None


def _digest(place: Path) -> str:
    with place.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def canonical_config(
    config: Mapping[str, Any], layers: Sequence[tuple[str, bool]], how: Normalisation
) -> dict[str, Any]:
    """The configuration as it is written.

    `layers`: the digest of each, and whether it is in the image or left out for it changes nothing.
    """
    created = datetime.fromtimestamp(how.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    base, steps = _history(config.get("history") or (), how)
    if how.is_base_made:
        base = [{**entry, "created": created} for entry in base]
    own = layers[how.base_layers :]
    said = steps if len(steps) == len(own) else tuple(f"layer {number + 1}" for number in range(len(own)))
    kept = {key: config[key] for key in _KEPT if config.get(key)}
    inside = config.get("config") or {}
    return {
        **kept,
        "created": created,
        "config": {key: inside[key] for key in _CONFIG if inside.get(key)},
        "history": [
            *base,
            *(
                {"created": created, "created_by": step}
                for step, (_, is_in) in zip(said, own, strict=True)
                if is_in
            ),
        ],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest, is_in in layers if is_in]},
    }


def _history(
    history: Sequence[Mapping[str, Any]], how: Normalisation
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The base's entries that made a layer, and the instruction of each layer above them.

    A builder may leave a layer out that changes nothing; its history then says so, with the instruction.
    """
    base: list[dict[str, Any]] = []
    steps: list[str] = []
    instructions = iter(how.steps)
    for entry in history:
        made_a_layer = not entry.get("empty_layer")
        if len(base) < how.base_layers:
            base += [dict(entry)] if made_a_layer else []
            continue
        word = _word(str(entry.get("created_by") or ""))
        step = next(instructions, "") if word in _STEPS else word
        if made_a_layer:
            steps.append(step)
    return base + [{} for _ in range(how.base_layers - len(base))], tuple(steps)


def _word(created_by: str) -> str:
    """Which instruction an entry of a history is of, in the words of either builder."""
    _, nop, said = created_by.partition("#(nop)")
    word = (said if nop else created_by).split(maxsplit=1)[:1]
    return word[0] if word and word[0] in _INSTRUCTIONS else "RUN"


def _write(target: Path, config: bytes, layers: Sequence[tuple[str, Path]]) -> None:
    """The archive that `docker load` reads: a manifest, the configuration, each layer once."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    listed = [{"Config": name, "RepoTags": None, "Layers": [f"{digest}/layer.tar" for digest, _ in layers]}]
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in ((name, config), ("manifest.json", json.dumps(listed).encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            with tempfile.SpooledTemporaryFile() as content:
                content.write(data)
                content.seek(0)
                archive.addfile(entry, content)
        for digest, place in dict(layers).items():
            entry = tarfile.TarInfo(f"{digest}/layer.tar")
            entry.size = place.stat().st_size
            with place.open("rb") as content:
                archive.addfile(entry, content)
