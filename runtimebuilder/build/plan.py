"""What has to be built, as data: made first, carried out afterwards."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtimebuilder.engine.bases import ResolvedBase
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import LABEL
from runtimebuilder.spec.lock import Pins
from runtimebuilder.spec.model import RuntimeSpec

KEY_LABEL = f"{LABEL}.content-key"
SUBSTITUTED_LABEL = f"{LABEL}.base-substituted-for"
# What the key is made of, so that a later plan can say what has changed. Not part of the key.
PARTS_LABEL = f"{LABEL}.content-parts"


class Reason(enum.StrEnum):
    """Why a step is in the plan."""

    UNCHANGED = "unchanged"  # an image with this content key is there: nothing to do
    NEW = "new"  # no image of that name
    CHANGED = "changed"  # spec, template or base moved since
    FORCED = "forced"  # --no-cache or --pull


@dataclass(frozen=True)
class Step:
    """One image of the plan."""

    runtime: RuntimeSpec
    base: ResolvedBase
    context: BuildContext
    key: str  # architecture decision 8: a hash of everything that goes into the build
    tags: tuple[str, ...]  # the first is the image's name in messages
    labels: tuple[tuple[str, str], ...]
    platform: str | None
    reason: Reason
    existing: str | None  # id of the image that the first tag names now
    why: tuple[str, ...] = ()  # what has changed, of: spec, template or file, base
    epoch: int | None = (
        None  # seconds: the image is to be the same from every builder, and says it was made then
    )
    architecture: str | None = None  # of the platform, when it is another one than the engine's own


def content_key(context: BuildContext, base: ResolvedBase, platform: str, epoch: int | None = None) -> str:
    """SHA-256, hexadecimal, of the rendered context, the base (and what it stands for), the platform and the epoch."""
    parts = ["1", context.digest, base.identity, base.substituted_for or "", platform]
    if epoch is not None:
        parts.append(str(epoch))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def parts_of(
    runtime: RuntimeSpec, context: BuildContext, base: ResolvedBase, pins: Pins | None = None
) -> Mapping[str, str]:
    """What the content key is made of, each as text to compare: the spec, the context, the base, the pins."""
    spec = runtime.on(base.base.name).model_dump_json(exclude={"source"})
    return {
        "base": base.identity,
        "context": context.digest[:16],
        "pins": hashlib.sha256(pins.platform.model_dump_json().encode()).hexdigest()[:16] if pins else "none",
        "spec": hashlib.sha256(spec.encode()).hexdigest()[:16],
    }


def differences(before: str | None, now: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between an image's label and `now`, in words; () when the image does not say."""
    then = dict(part.split("=", 1) for part in (before or "").split(";") if "=" in part)
    if not then:
        return ()
    why = []
    if then.get("spec") != now["spec"]:
        why.append("spec changed")
    elif then.get("pins", "none") != now["pins"]:
        why.append("pinned packages changed")
    elif then.get("context") != now["context"]:
        why.append("template or file changed")
    if then.get("base") != now["base"]:
        why.append("base moved")
    return tuple(why)


def default_tags(runtime: RuntimeSpec, base_name: str, architecture: str | None = None) -> tuple[str, ...]:
    """NAME:BASE, and NAME:latest only on the base that the spec asks for: another base never takes that name.

    For another `architecture` than the engine's own NAME:BASE-ARCHITECTURE, alone: a name holds one platform's image.
    """
    tag = f"{runtime.name}:{base_name}"
    if architecture is not None:
        return (f"{tag}-{architecture}",)
    return (tag, f"{runtime.name}:latest") if base_name == runtime.base else (tag,)


def make_plan(
    engine: Engine,
    runtimes: Sequence[RuntimeSpec],
    *,
    base_for: Callable[[RuntimeSpec], ResolvedBase],
    render: Callable[[RuntimeSpec, ResolvedBase], BuildContext],
    platform: str | None = None,
    architecture: str | None = None,
    extra_tags: Sequence[str] = (),
    forced: bool = False,
    pinned: Mapping[str, Pins | None] | None = None,
    against: str | None = None,
    epoch_of: Callable[[RuntimeSpec], int | None] = lambda _: None,
) -> tuple[Step, ...]:
    """One step for each runtime, in the order given. Renders everything first: a bad template fails before a build."""
    steps = []
    for runtime in runtimes:
        base = base_for(runtime)
        context = render(runtime, base)
        epoch = epoch_of(runtime)
        # Said or not: the engine's own platform is the same one.
        key = content_key(context, base, platform or engine.ping().platform, epoch)
        tags = (*default_tags(runtime, base.base.name, architecture), *extra_tags)
        here = engine.image(against or tags[0])
        if here is None and against is not None:
            raise EnvironmentProblemError(f"the engine has no image {against}", hint=f"docker pull {against}")
        reason = Reason.NEW if here is None else Reason.CHANGED
        if here is not None and here.labels.get(KEY_LABEL) == key:
            reason = Reason.UNCHANGED
        parts = parts_of(runtime, context, base, (pinned or {}).get(runtime.name))
        labels = {
            KEY_LABEL: key,
            PARTS_LABEL: ";".join(f"{name}={value}" for name, value in sorted(parts.items())),
        }
        if base.digest:
            labels["org.opencontainers.image.base.digest"] = base.digest
        if base.substituted_for:
            labels[SUBSTITUTED_LABEL] = base.substituted_for
        steps.append(
            Step(
                runtime=runtime,
                base=base,
                context=context,
                key=key,
                tags=tags,
                labels=tuple(sorted(labels.items())),
                platform=platform,
                reason=Reason.FORCED if forced else reason,
                existing=here.id if here else None,
                why=differences(here.labels.get(PARTS_LABEL), parts)
                if here and reason is Reason.CHANGED
                else (),
                epoch=epoch,
                architecture=architecture,
            )
        )
    return tuple(steps)
