"""Feed the metrics of a run to trackers: all that it has logged and they do not have yet.

Usage:
    python -m grpo_rust.following RUN_DIR [track.key=value ...] [--follow]

The trackers are those of the run's config.toml, or of the settings that are given. A training that has trackers starts
this by itself, with `--follow`; by hand it sends a run that has ended, or what a tracker missed. Exit codes: 0 all
sent, 2 bad input, 3 a tracker did not take it.

Example:
    python -m grpo_rust.following runs/first track.to=tensorboard
"""

from __future__ import annotations

import argparse
import fcntl
import os
import resource
import select
import signal
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpo.config.track import TrackSection
from grpo.errors import BadInput
from grpo.run.directory import CONFIG
from grpo.schema import load
from grpo_rust.cli import ExitCode, command
from grpo_rust.following.feeding import Feeder, feed_until
from grpo_rust.following.sent import FOLDER
from grpo_rust.following.trackers import TrackedRun, refuse_missing

NICE = 10
MOST_S = 600.0  # for what is left when the run has ended; the trainer waits for less
LOCK = ".lock"  # in the folder of the trackers


@dataclass(frozen=True)
class _TrackSettings:
    """The settings that this command takes."""

    track: TrackSection = field(default_factory=TrackSection)


@command("following", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Follow a run; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m grpo_rust.following", description="Feed the metrics of a run to trackers."
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the folder that scripts/train.py writes")
    parser.add_argument("settings", nargs="*", metavar="track.key=value", help="instead of those of the run")
    parser.add_argument("--follow", action="store_true", help="go on until standard input ends")
    arguments = parser.parse_args(argv)
    run, names = tracked_run(arguments.run_dir, arguments.settings)
    refuse_missing(names, online=run.online)
    failures: list[str] = []
    say = messages(failures) if arguments.follow else _by_hand(failures)
    with one_at_a_time(run.path, waits=arguments.follow):
        ended = threading.Event()
        if arguments.follow:
            os.nice(NICE)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            threading.Thread(target=_watch, args=(ended, os.getppid()), name="input", daemon=True).start()
        else:
            ended.set()
        closed = feed_until(ended, [Feeder(name, run, say) for name in names], most_s=MOST_S)
        if not closed:
            say(f"not all trackers took everything within {MOST_S:.0f} s")
    print(f"processor time: {_processor_s():.1f} s", file=sys.stderr, flush=True)
    if not arguments.follow and not failures:
        print(f"{', '.join(names)}: nothing is missing")
    if not closed:
        os._exit(ExitCode.HOST_FAILED)  # a thread of theirs waits for a server
    return ExitCode.HOST_FAILED if failures and not arguments.follow else ExitCode.DONE


def tracked_run(path: Path, overrides: Sequence[str] = ()) -> tuple[TrackedRun, list[str]]:
    """A run as trackers see it, and their names. Raises: BadInput where there is no run, or nothing that follows it."""
    try:
        settings: dict[str, Any] = tomllib.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} holds no run ({CONFIG}: {error}): give the folder that scripts/train.py wrote"
        ) from error
    kept = [f"track.{key}={value}" for key, value in settings.get("track", {}).items()]
    track = load(_TrackSettings, None, [*kept, *overrides]).track
    if not track.followers():
        raise BadInput(f"nothing follows {path}: say what with track.to=tensorboard")
    run = TrackedRun(
        path=path,
        name=settings.get("run", {}).get("name") or path.resolve().name,
        project=track.project,
        online=track.mode == "online",
        settings=settings,
        oxen=track.oxen,
        oxen_every=track.oxen_every,
    )
    return run, track.followers()


def messages(said: list[str]) -> Callable[[str], None]:
    """Where a person is told something: the standard output of now, a line each.

    From here on what libraries print goes to standard error, which is a log. Nobody may be there to read.
    """
    own = os.dup(1)
    os.dup2(2, 1)

    def say(text: str) -> None:
        said.append(text)
        print(text, file=sys.stderr, flush=True)
        with suppress(OSError):
            os.write(own, f"{text}\n".encode())

    return say


def _by_hand(said: list[str]) -> Callable[[str], None]:
    def say(text: str) -> None:
        said.append(text)
        print(text, flush=True)

    return say


def _processor_s() -> float:
    """Processor time of this process and of its children that have ended, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _watch(ended: threading.Event, parent: int) -> None:
    """Set the event when standard input ends, or the parent does: a child of its own may have the pipe open."""
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], 1.0)
        if readable and not os.read(0, 4096):
            break
    ended.set()


@contextmanager
def one_at_a_time(run: Path, *, waits: bool) -> Iterator[None]:
    """Keep two followers of one run from sending the same steps.

    Args:
        run: The run's directory.
        waits: Whether to wait for another one, which a stopped run may have left, or to refuse.
    Raises:
        BadInput: While there is another one, where it is not waited for.
    """
    (run / FOLDER).mkdir(parents=True, exist_ok=True)
    with open(run / FOLDER / LOCK, "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise BadInput(f"{run} is being followed already, by its training") from None
        except OSError:  # a file system without locks
            pass
        yield


if __name__ == "__main__":
    sys.exit(main())
