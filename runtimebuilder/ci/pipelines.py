"""Jobs as the text that a CI system reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from runtimebuilder.ci.matrix import Format, Job

_NOTHING = "nothing to build"


def matrix_text(jobs: Sequence[Job], kind: Format) -> str:
    """GitHub's `strategy.matrix` (also `json`), a child pipeline of GitLab's, or steps for `buildkite-agent`.

    Without jobs GitHub's has an empty list, for the workflow's `if`; the others' say that there is nothing to build.
    """
    if kind is Format.GITLAB:
        return _yaml(_gitlab(jobs))
    if kind is Format.BUILDKITE:
        return _yaml(_buildkite(jobs))
    return json.dumps({"include": [_entry(job) for job in jobs]}, ensure_ascii=False) + "\n"


def _entry(job: Job) -> dict[str, str]:
    return {
        "runtime": " ".join(job.runtimes),
        "platform": job.platform,
        "runner": job.runner,
        "base": job.base,
        "reason": job.reason,
        # For names of caches and artefacts, which take no slash.
        "slug": f"{job.runtimes[0]}-{job.platform.replace('/', '-').replace(',', '-')}",
    }


def _gitlab(jobs: Sequence[Job]) -> dict[str, Any]:
    if not jobs:
        return {"nothing": {"script": [f"echo {_NOTHING}"]}}
    rows = [
        {"RUNTIME": entry["runtime"], "PLATFORM": job.platform, "RUNNER": job.runner, "SLUG": entry["slug"]}
        for job in jobs
        for entry in [_entry(job)]
    ]
    return {
        "include": [{"local": ".gitlab/runtimebuilder.yml"}],
        "build": {"extends": ".runtimebuilder-build", "tags": ["$RUNNER"], "parallel": {"matrix": rows}},
    }


def _buildkite(jobs: Sequence[Job]) -> dict[str, Any]:
    if not jobs:
        return {"steps": [{"label": _NOTHING, "command": f"echo {_NOTHING}"}]}
    return {
        "steps": [
            {
                "label": job.name,
                "command": "sh .buildkite/build.sh",
                "agents": {"queue": job.runner},
                "env": {
                    "RUNTIME": " ".join(job.runtimes),
                    "PLATFORM": job.platform,
                    "SLUG": _entry(job)["slug"],
                },
            }
            for job in jobs
        ]
    }


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def github_output(jobs: Sequence[Job]) -> str:
    """The lines for the file that `GITHUB_OUTPUT` names: `matrix`, `count`, and `any` for an `if`."""
    matrix = matrix_text(jobs, Format.GITHUB).strip()
    return f"matrix={matrix}\ncount={len(jobs)}\nany={'true' if jobs else 'false'}\n"
