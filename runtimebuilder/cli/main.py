"""The command `runtimebuilder`: puts the commands together, prints errors, chooses the exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import typer

from runtimebuilder.errors import ExitCode, UserError

HELP = "Container images for AWS Lambda custom runtimes: build them from YAML, prove that they obey the Runtime API."
EPILOG = (
    "Exit codes: 0 fine; 1 the subject failed (build, verify, push, invoke); 2 wrong usage or an invalid spec; "
    "3 nothing was selected; 4 the environment (no engine, registry unreachable, no room); 130 interrupted."
)

# Command -> its module, its function, and a short line for the overview, which cuts what is longer than a line. What a
# command imports (Docker, Jinja, pytest) takes a second: only the one that is called is loaded.
_COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "init": ("project_command", "init", "Begin a project of your own."),
    "new": ("project_command", "new", "Write the spec of one more runtime."),
    "list": ("list_command", "list_command", "List the runtimes that can be built."),
    "show": ("show_command", "show", "A runtime in full, and where each value is from."),
    "validate": ("validate_command", "validate", "Check specs; show all mistakes at once."),
    "schema": ("validate_command", "schema", "Print the JSON Schema of specs."),
    "render": ("render_command", "render", "Print a Dockerfile, or write its context."),
    "lock": ("lock_command", "lock", "Pin bases, packages and archives."),
    "outdated": ("lock_command", "outdated", "What is newer than what is pinned."),
    "plan": ("plan_command", "plan", "What would be built, and why."),
    "diff": ("plan_command", "diff_command", "What is different in the rendered files."),
    "build": ("build_command", "build", "Build runtimes that have changed."),
    "bake": ("bake_command", "bake", "The plan for `docker buildx bake`."),
    "ci": ("ci_command", "ci", "What a CI system asks: which jobs there are."),
    "inspect": ("inspect_command", "inspect", "What an image consists of."),
    "export-layer": ("export_command", "export_layer_command", "Write a runtime as a Lambda layer."),
    "sbom": ("sbom_command", "sbom_command", "The parts of an image, as SPDX or CycloneDX."),
    "provenance": ("provenance_command", "provenance_command", "How an image came to be, as in-toto."),
    "scan": ("scan_command", "scan", "Known vulnerabilities of an image, and a threshold."),
    "verify": ("verify_command", "verify", "Prove that an image obeys the Runtime API."),
    "report": ("report_command", "report", "Show results again; compare images side by side."),
    "invoke": ("invoke_command", "invoke", "Send an event or a web request to an image."),
    "serve": ("serve_command", "serve", "Serve an image as a web site on this machine."),
    "push": ("push_command", "push", "Push images to a registry."),
    "index": ("index_command", "index", "One name for several architectures, for FROM."),
    "promote": ("promote_command", "promote", "Copy an image to another registry by digest."),
    "attach": ("attach_command", "attach", "Attach an SBOM or provenance to an image."),
    "doctor": ("doctor_command", "doctor", "What this machine has, lacks, and needs."),
    "version": ("version_command", "version", "Print the version."),
}


def application(called: str | None) -> typer.Typer:
    """The command line with `called` loaded, and the other commands by their names and short lines alone."""
    app = typer.Typer(
        name="runtimebuilder",
        help=HELP,
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, (module, function, short) in _COMMANDS.items():
        run_it: Callable[..., None] = _not_loaded
        if name == called:
            run_it = getattr(importlib.import_module(f"runtimebuilder.cli.{module}"), function)
        if isinstance(run_it, typer.Typer):  # a group of commands
            app.add_typer(run_it, name=name, short_help=short)
            continue
        app.command(name, short_help=short)(run_it)
    return app


def _not_loaded() -> None:
    """What stands for a command that was not called."""
    raise AssertionError("a command that was not loaded was called")


def _called(arguments: Sequence[str]) -> str | None:
    """The command: the first word; options before it take no values."""
    return next((argument for argument in arguments if not argument.startswith("-")), None)


def run() -> None:
    """The console script. The only place that turns errors into exit codes."""
    sys.exit(_run())


def _run() -> int:
    _open_closed_streams()
    try:
        code = application(_called(sys.argv[1:]))(standalone_mode=False)
        if code == ExitCode.INTERRUPTED:  # Typer makes a code of Ctrl-C itself
            _say_interrupted()
    except UserError as error:
        _show(error)
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _say_interrupted()
        return int(ExitCode.INTERRUPTED)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): nothing more to say, and nothing left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001 -- the last line of defence: people get a sentence, not a traceback
        return _unexpected(error)
    return int(code or 0)


def _show(error: UserError) -> None:
    from runtimebuilder.cli import console  # noqa: PLC0415 -- Rich takes longer to load than the rest

    console.show_error(error)


def _say_interrupted() -> None:
    from runtimebuilder.cli import console  # noqa: PLC0415 -- as above

    console.say("interrupted")


def _open_closed_streams() -> None:
    """Python has no `sys.stdout` when the caller closed it (`>&-`): what would go there goes nowhere."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stays open to the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stays open to the end


def _unexpected(error: Exception) -> int:
    # Typer carries its own copy of Click, whose usage errors know how to show themselves.
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return int(ExitCode.USAGE)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        _show(UserError(f"{where}{error.strerror}"))
        return int(ExitCode.ENVIRONMENT)
    if os.environ.get("RUNTIMEBUILDER_TRACEBACK"):
        import traceback  # noqa: PLC0415 -- for this alone

        traceback.print_exception(error)
    _show(
        UserError(
            f"this is a defect of runtimebuilder: {type(error).__name__}: {error}",
            hint="set RUNTIMEBUILDER_TRACEBACK=1, run it again, and report what it prints",
        )
    )
    return int(ExitCode.FAILED)


if __name__ == "__main__":
    run()
