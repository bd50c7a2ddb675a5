"""Make the stand-in's root file system.

Runs inside the workshop: `python3 -m workshop.make` in the folder above. Reads packages.toml, rootfs/ and
rpmfiles/ beside the package `workshop`, and the Debian packages apt has fetched; leaves the result at
stand-in.tar beside them.
"""

import sys
from pathlib import Path

from .debs import Debs, WorkshopError, run
from .plan import Plan
from .root import REPOSITORY, write_root
from .rpms import make_base_database, make_repository

ARCHIVES = Path("/var/cache/apt/archives")


def make(folder: Path) -> None:
    """Make `folder`/stand-in.tar."""
    plan = Plan.load(folder / "packages.toml")
    debs = Debs(ARCHIVES, plan.ignored_debs)
    scratch = folder / "scratch"
    repository = Path("/") / REPOSITORY
    make_repository(plan, debs, own_files=folder / "rpmfiles", scratch=scratch, repository=repository)
    make_base_database(plan.base, scratch=scratch, database=scratch / "rpmdb")
    # The libraries in the RPMs lie in /usr/lib64, where Amazon Linux's loader looks without being told.
    Path("/usr/lib64").mkdir(exist_ok=True)
    Path("/etc/ld.so.conf.d/00-lib64.conf").write_text("/usr/lib64\n", encoding="utf-8")
    run("ldconfig")
    write_root(
        plan.base, overlay=folder / "rootfs", database=scratch / "rpmdb", target=folder / "stand-in.tar"
    )


if __name__ == "__main__":
    try:
        make(Path.cwd())
    except WorkshopError as error:
        sys.exit(f"stand-in for provided:al2023: {error}")
