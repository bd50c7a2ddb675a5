"""The one Jinja environment: strict about names, silent about nothing, with filters that quote."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from runtimebuilder import shipped
from runtimebuilder.errors import SpecError
from runtimebuilder.render import quoting

TEMPLATE_HINT = "correct the template; `runtimebuilder render NAME` shows what it gives"


def default_directories() -> tuple[Path, ...]:
    """A project's own `templates/` (in the working directory), if it has one, before the shipped ones."""
    own = Path("templates").resolve()
    there = shipped.directory("templates")
    return (own, there) if own.is_dir() and own != there else (there,)


@dataclass(frozen=True)
class TemplateFile:
    """A file that goes into images: path below its folder, permission bits, content.

    Of its own bits only the executable one counts.
    """

    path: str
    mode: int
    data: bytes


class TemplateSet:
    """Templates found by name in folders, the first folder that has a name winning.

    Raises `SpecError` (exit 2) with file and line for an undefined name, a syntax error or a value that cannot be
    quoted. Rendering is pure: the same templates and values give the same text.
    """

    def __init__(self, directories: Sequence[Path] | None = None) -> None:
        self.directories = tuple(directories) if directories is not None else default_directories()
        shipped_ones = jinja2.FileSystemLoader(str(shipped.directory("templates")))
        self._jinja = jinja2.Environment(
            # `builtin/php/Dockerfile.j2` is the tool's own, also for a template that stands in its place.
            loader=jinja2.ChoiceLoader(
                [
                    jinja2.FileSystemLoader([str(folder) for folder in self.directories]),
                    jinja2.PrefixLoader({"builtin": shipped_ones}),
                ]
            ),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701 -- not HTML: the filters below quote for shell, Dockerfile and ini
            auto_reload=False,  # a set lives as long as one command
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._listed: dict[str, Mapping[str, Path]] = {}
        self._read: dict[str, tuple[TemplateFile, ...]] = {}
        self._first: dict[tuple[str, ...], str] = {}
        self._jinja.filters.update(
            sh=quoting.shell,
            dockerfile=quoting.dockerfile,
            ini=quoting.ini,
            path=quoting.path,
            comment=quoting.comment,
            image=quoting.image,
            json=quoting.json_text,
        )

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The text of template `name`, a path below one of the folders."""
        try:
            return self._jinja.get_template(name).render(dict(values))
        except jinja2.TemplateSyntaxError as error:
            where = f"{error.filename or error.name}:{error.lineno}"
            raise SpecError(f"{where}: {error.message}", hint=TEMPLATE_HINT) from error
        except jinja2.TemplateNotFound as error:
            searched = ", ".join(str(folder) for folder in self.directories)
            raise SpecError(f"there is no template {error.name!r}", hint=f"searched in {searched}") from error
        except (jinja2.UndefinedError, quoting.QuotingError, TypeError) as error:
            where = self._position(error) or name
            raise SpecError(f"{where}: {error}", hint=TEMPLATE_HINT) from error
        except Exception as error:  # a template is a program: it can raise anything
            where = self._position(error) or name
            raise SpecError(f"{where}: {type(error).__name__}: {error}", hint=TEMPLATE_HINT) from error

    def first_of(self, names: Sequence[str]) -> str:
        """The first of `names` that is a template; the last when none is."""
        wanted = tuple(names)
        if wanted not in self._first:
            there = (name for name in wanted if any((folder / name).is_file() for folder in self.directories))
            self._first[wanted] = next(there, wanted[-1])
        return self._first[wanted]

    def contents(self, folder: str) -> tuple[TemplateFile, ...]:
        """All files below `folder`, as `files` finds them, with their content: read once."""
        if folder not in self._read:
            self._read[folder] = tuple(
                TemplateFile(path, 0o755 if file.stat().st_mode & 0o100 else 0o644, file.read_bytes())
                for path, file in self.files(folder).items()
            )
        return self._read[folder]

    def _position(self, error: BaseException) -> str | None:
        """`file:line` of the innermost template frame: Jinja rewrites tracebacks to the template's own lines."""
        roots = tuple(str(folder) for folder in self.directories)
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(roots)
        ]
        return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None

    def files(self, folder: str) -> Mapping[str, Path]:
        """All files below `folder` of every search folder, by path relative to it, sorted; the first folder wins."""
        if folder not in self._listed:
            found: dict[str, Path] = {}
            for root in reversed(self.directories):
                top = root / folder
                if top.is_dir():
                    for file in sorted(top.rglob("*")):
                        if file.is_file():
                            found[file.relative_to(top).as_posix()] = file
            self._listed[folder] = dict(sorted(found.items()))
        return self._listed[folder]
