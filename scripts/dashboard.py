"""Watch runs in a browser while they train: curves, completions, groups, mistakes, money, a prompt by hand.

Usage:
    python scripts/dashboard.py [RUN ...] [--port PORT] [--headless]

One to six run directories, finished or not; several stand side by side. Without one it is the newest below runs/. The
page follows them within seconds. It is a marimo app and needs the extra `dashboard`. It listens on this machine alone
(127.0.0.1), on a free port unless one is given; the address has a token that others on this machine do not know. Exit
codes: 0 done, 2 bad input, 3 no marimo, or the port is taken.

Example:
    python scripts/dashboard.py runs/tiny-20250101-120000
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from dashboard_app.hub import check_runs
from grpo.errors import HostFailed
from grpo_rust.cli import command
from grpo_rust.report.visible import visible

HOST = "127.0.0.1"
SCRIPTS = Path(__file__).resolve().parent
NOTEBOOK = SCRIPTS / "dashboard_app" / "dashboard_notebook.py"


@command("dashboard")
def main(argv: Sequence[str] | None = None) -> int:
    """Check what is asked for, print the address, and become marimo's server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="a folder that scripts/train.py wrote")
    parser.add_argument(
        "--port", type=port_number, default=0, help="where to listen on 127.0.0.1; 0 or none: a free one"
    )
    parser.add_argument("--headless", action="store_true", help="open no browser; the address is printed all the same")
    arguments = parser.parse_args(argv)
    runs = arguments.runs or newest_run(Path("runs"))
    check_runs(runs)
    if importlib.util.find_spec("marimo") is None:
        raise HostFailed("marimo is not installed: .venv/bin/python -m pip install '.[dashboard]' installs the extra")
    port, token = free_port(arguments.port), secrets.token_urlsafe(16)
    os.environ["PYTHONPATH"] = search_path()
    words = marimo_words(port, headless=arguments.headless, runs=runs)
    print(f"{', '.join(visible(str(run)) for run in runs)}: http://{HOST}:{port}?access_token={token}")
    print("Ctrl-C ends the dashboard; the runs go on.", flush=True)
    give_to_stdin(token)
    os.execv(sys.executable, [sys.executable, *words])


def newest_run(folder: Path) -> list[Path]:
    """The run below a folder that was begun last; none where there is none."""
    configs = sorted(folder.glob("*/config.toml"), key=lambda config: config.stat().st_mtime)
    return [config.parent for config in configs[-1:]]


def port_number(text: str) -> int:
    """A port, or 0. Raises: ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 1 to 65535, or 0 for a free one")
    return int(text)


def free_port(wanted: int) -> int:
    """The port that is wanted, or any that is free.

    Raises:
        HostFailed: Where another program has it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise HostFailed(f"cannot listen on {HOST}:{wanted}: {error.strerror}; give another --port") from error
        port: int = probe.getsockname()[1]
        return port


def marimo_words(port: int, *, headless: bool, runs: Sequence[Path]) -> list[str]:
    """What Python is called with: marimo, this machine alone, no questions; the token is read from its input."""
    serve = ["-m", "marimo", "--yes", "--quiet", "run", str(NOTEBOOK), "--host", HOST, "--port", str(port)]
    careful = ["--token", "--token-password-file", "-", "--no-sandbox", "--no-check"]
    return [*serve, *careful, *(["--headless"] if headless else []), "--", *(str(run.resolve()) for run in runs)]


def search_path() -> str:
    """Where the app finds this project, before all else."""
    return os.pathsep.join(filter(None, [str(SCRIPTS.parent), str(SCRIPTS), os.environ.get("PYTHONPATH", "")]))


def give_to_stdin(text: str) -> None:
    """Make text what the process reads from its input, so that no list of processes shows it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    os.dup2(reading, 0)


if __name__ == "__main__":
    sys.exit(main())
