"""The command `runtimebuilder`: puts the commands together, prints errors, chooses the exit code."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import runtimebuilder
from runtimebuilder.cli import console
from runtimebuilder.cli.build_command import build
from runtimebuilder.cli.doctor_command import doctor
from runtimebuilder.cli.invoke_command import invoke
from runtimebuilder.cli.list_command import list_command
from runtimebuilder.cli.plan_command import diff_command, plan
from runtimebuilder.cli.project_command import init, new
from runtimebuilder.cli.render_command import render
from runtimebuilder.cli.report_command import report
from runtimebuilder.cli.serve_command import serve
from runtimebuilder.cli.show_command import show
from runtimebuilder.cli.validate_command import schema, validate
from runtimebuilder.cli.verify_command import verify
from runtimebuilder.errors import ExitCode, UserError

EPILOG = (
    "Exit codes: 0 fine; 1 the subject failed (build, verify, invoke); 2 wrong usage or an invalid spec; "
    "3 nothing was selected; 4 the environment (no engine, registry unreachable, no room); 130 interrupted."
)

app = typer.Typer(
    name="runtimebuilder",
    help="Container images for AWS Lambda custom runtimes: build them from YAML, prove that they obey the Runtime API.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# The short lines are for the overview, which cuts what is longer than a line.
app.command("list", short_help="List the runtimes that can be built.")(list_command)
app.command("show", short_help="A runtime in full, and where each value is from.")(show)
app.command("init", short_help="Begin a project of your own.")(init)
app.command("new", short_help="Write the spec of one more runtime.")(new)
app.command("validate", short_help="Check specs; show all mistakes at once.")(validate)
app.command("schema", short_help="Print the JSON Schema of specs.")(schema)
app.command("render", short_help="Print a Dockerfile, or write its context.")(render)
app.command("plan", short_help="What would be built, and why.")(plan)
app.command("diff", short_help="What is different in the rendered files.")(diff_command)
app.command("build", short_help="Build runtimes that have changed.")(build)
app.command("verify", short_help="Prove that an image obeys the Runtime API.")(verify)
app.command("report", short_help="Show results again; compare images side by side.")(report)
app.command("invoke", short_help="Send an event or a web request to an image.")(invoke)
app.command("serve", short_help="Serve an image as a web site on this machine.")(serve)
app.command("doctor", short_help="What this machine has, lacks, and needs.")(doctor)


@app.command(short_help="Print the version.")
def version(
    short: Annotated[bool, typer.Option("--short", help="The number alone.")] = False,
) -> None:
    """Print the version of the tool and of what it runs on."""
    text = runtimebuilder.__version__
    if not short:
        text = f"runtimebuilder {text} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"
    console.out().print(Text(text), soft_wrap=True)


def run() -> None:
    """The console script. The only place that turns errors into exit codes."""
    sys.exit(_run())


def _run() -> int:
    _open_closed_streams()
    try:
        code = app(standalone_mode=False)
        if code == ExitCode.INTERRUPTED:  # Typer makes a code of Ctrl-C itself
            console.say("interrupted")
    except UserError as error:
        console.show_error(error)
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        console.say("interrupted")
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
        console.show_error(UserError(f"{where}{error.strerror}"))
        return int(ExitCode.ENVIRONMENT)
    if os.environ.get("RUNTIMEBUILDER_TRACEBACK"):
        traceback.print_exception(error)
    console.show_error(
        UserError(
            f"this is a defect of runtimebuilder: {type(error).__name__}: {error}",
            hint="set RUNTIMEBUILDER_TRACEBACK=1, run it again, and report what it prints",
        )
    )
    return int(ExitCode.FAILED)


if __name__ == "__main__":
    run()
