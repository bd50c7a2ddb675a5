"""Making base images present: found in the engine, pulled (perhaps through a mirror), or made here.

Nothing is swapped silently: another base than the spec's is used only when somebody wrote `--base`, and with
`--base auto` the result says what it stands for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from runtimebuilder.engine import debian
from runtimebuilder.engine.docker import Engine, EngineError, asking
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.image import base_reference
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec

AUTO = "auto"
# How engines word "nobody answered", as opposed to "the registry said no".
_UNREACHABLE = re.compile(
    r"no such host|dial tcp|i/o timeout|Client\.Timeout|connection refused|connection reset|network is unreachable"
    r"|no route to host|TLS handshake timeout|proxyconnect|server misbehaving|context deadline exceeded|: EOF",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ResolvedBase:
    """A base that is in the engine now."""

    base: BaseSpec
    reference: str  # what stands behind FROM
    image_id: str
    digest: str | None  # of the registry's manifest, when the image came from one
    how: str  # "present", "pulled" or "made"
    substituted_for: str | None = None  # the spec's base, when `auto` had to take another
    diff_ids: tuple[str, ...] = ()  # of its layers

    @property
    def identity(self) -> str:
        """What the content key takes for the base: its digest; of one that is made here what is in it, for its id is
        another one each time that it is made, and in each kind of engine. Else its id.
        """
        if self.base.make is not None and self.diff_ids:
            return f"layers:{hashlib.sha256(' '.join(self.diff_ids).encode()).hexdigest()}"
        return self.digest or self.image_id


class UnreachableRegistryError(EnvironmentProblemError):
    """Nobody answered at the registry's address."""


def resolve_base(
    engine: Engine,
    runtime: RuntimeSpec,
    catalog: Catalog,
    *,
    wish: str | None,
    mirrors: tuple[Mirror, ...],
    say: Callable[[str], None],
    pull: bool = False,
) -> ResolvedBase:
    """The base for `runtime`: `wish` is a base's name, "auto", or None for the spec's own.

    Raises `SpecError` (2) for an unknown base, `EnvironmentProblemError` (4) when it cannot be had.
    """
    if wish is not None and wish != AUTO:
        return make_present(engine, catalog.base(wish), mirrors, say, pull=pull)
    base = catalog.base(runtime.base)
    try:
        return make_present(engine, base, mirrors, say, pull=pull)
    except UnreachableRegistryError as error:
        others = [other for other in catalog.bases_with_php(runtime.version) if other.make is not None]
        if wish != AUTO:
            hint = f"--base {others[0].name}, or --base auto" if others else "--mirror REGISTRY=HOST"
            raise UnreachableRegistryError(
                error.message, hint=f"check the network, use --mirror, or build on a base made here: {hint}"
            ) from error
        if not others:
            raise EnvironmentProblemError(
                f"{error.message}, and no base made here has PHP {runtime.version} for {runtime.name}",
                hint="a base made here has: " + ", ".join(_offers(catalog)),
            ) from error
        say(f"WARNING: {error.message}")
        say(f"WARNING: {runtime.name} is built on {others[0].name} instead of {base.name} (--base auto)")
        found = make_present(engine, others[0], mirrors, say, pull=pull)
        return ResolvedBase(found.base, found.reference, found.image_id, found.digest, found.how, base.name)


def _offers(catalog: Catalog) -> list[str]:
    return [
        f"PHP {version} ({base.name})"
        for base in catalog.bases.values()
        if base.make is not None and base.php is not None
        for version in base.php.versions
    ]


def make_present(
    engine: Engine,
    base: BaseSpec,
    mirrors: tuple[Mirror, ...],
    say: Callable[[str], None],
    *,
    pull: bool = False,
    digest: str | None = None,
) -> ResolvedBase:
    """Have `base` in the engine, the very image of `digest` when that is given.

    Raises `UnreachableRegistryError` or another `EnvironmentProblemError` (exit 4).
    """
    reference = base_reference(base, mirrors)
    if digest is not None:
        reference = f"{reference.partition('@')[0]}@{digest}"
    here = engine.image(reference)
    if base.make is not None:
        if here is None or pull or here.labels.get(debian.KEY_LABEL) != debian.base_key(base):
            image_id = debian.make_base(engine, base, base.make, reference, say)
            made = engine.image(image_id)
            return ResolvedBase(
                base, reference, image_id, None, "made", diff_ids=made.diff_ids if made else ()
            )
        return ResolvedBase(base, reference, here.id, None, "present", diff_ids=here.diff_ids)
    if here is None or pull:
        say(f"pulling {reference}")
        _pull(engine, reference)
        here = engine.image(reference)
        if here is None:
            raise EnvironmentProblemError(
                f"the engine pulled {reference} and does not have it", hint="try again"
            )
        how = "pulled"
    else:
        how = "present"
    digest = _digest(reference, here.repo_digests)
    return ResolvedBase(base, reference, here.id, digest, how, diff_ids=here.diff_ids)


def _pull(engine: Engine, reference: str) -> None:
    try:
        engine.pull(reference)
    except EnvironmentProblemError as error:
        registry = reference.partition("/")[0]
        if _UNREACHABLE.search(f"{error.message} {error.detail or ''}"):
            raise UnreachableRegistryError(
                f"the registry {registry} cannot be reached from the Docker engine",
                hint=error.hint,
                detail=error.detail,
            ) from error
        raise


def registry_problem(engine: Engine, reference: str) -> str | None:
    """Why `reference` cannot be had from its registry, in a few words; None when the registry offers it."""
    try:
        with asking(f"whether a registry has {reference}"):
            engine.api.inspect_distribution(reference)
    except EngineError as error:
        if _UNREACHABLE.search(error.detail or ""):
            return "its registry cannot be reached from the engine"
        return (error.detail or error.message).strip()
    return None


def _digest(reference: str, repo_digests: tuple[str, ...]) -> str | None:
    """The digest under which *this* repository knows the image: an image lists every repository it ever came from."""
    repository = re.sub(r":[^:/]+\Z", "", reference.partition("@")[0])
    return next(
        (entry.partition("@")[2] for entry in repo_digests if entry.partition("@")[0] == repository), None
    )
