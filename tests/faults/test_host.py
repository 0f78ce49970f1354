"""What a host does: full disks, a clock that jumps, no memory, another toolchain. The run says so and goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.find_rust import find_toolchain
from training import SMALL, Tally, Training, differences

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.faults]
GOES_ON = "all until the last checkpoint: repaired, the run ends with the bits of the undisturbed one"
Undisturbed = Callable[..., Path]
JUMPING_CLOCK = """
use std::{io::Write, sync::atomic::{AtomicI64, Ordering}};
#[repr(C)] pub struct Time { seconds: i64, nanoseconds: i64 }
extern "C" { fn syscall(number: i64, clock: i64, time: *mut Time) -> i64; }
#[cfg(target_arch = "x86_64")] const CLOCK_GETTIME: i64 = 228;
#[cfg(target_arch = "aarch64")] const CLOCK_GETTIME: i64 = 113;
static CALLS: AtomicI64 = AtomicI64::new(0);
/// The time of day jumps by a day, forth and back, at every second question of a process, which is noted; other clocks
/// are right.
#[no_mangle] pub unsafe extern "C" fn clock_gettime(clock: i32, time: *mut Time) -> i32 {
    let answer = syscall(CLOCK_GETTIME, clock as i64, time);
    if clock == 0 && answer == 0 {
        let calls = CALLS.fetch_add(1, Ordering::Relaxed);
        if calls / 2 % 2 == 1 { (*time).seconds -= 86_400; }
        if calls % 2 == 0 { note(); }
    }
    answer as i32
}
fn note() {
    let path = std::env::var("JUMPS_NOTED_IN").expect("a file");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| writeln!(file, "{}", std::process::id())).expect("a note");
}
"""


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], capture_output=True
    )
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def enlarge(disk: Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(disk)], check=True)


def fill(file: Path) -> None:
    """Write a file until nothing more fits onto its disk."""
    with open(file, "wb", buffering=0) as output, pytest.raises(OSError, match="No space left"):
        while output.write(b"x" * 4096):
            pass


def test_a_disk_that_is_full_at_a_checkpoint(undisturbed: Undisturbed, tmp_path: Path, tally: Tally) -> None:
    with small_disk(tmp_path / "disk", 110) as disk:  # two checkpoints of 39 MB, and logs
        training = Training(disk / "run", SMALL)
        code, output = training.run()
        assert code == 3 and "No space left" in output and "run.resume=true" in output, output
        assert "Traceback" not in output
        enlarge(disk, 400)
        training.finish()
        assert differences(undisturbed(), training.path) == []
    seen = "`cannot write .../step-000003: ... No space left`, exit code 3"
    tally("a full disk at a checkpoint", tries=1, seen=seen, kept=GOES_ON)


@pytest.mark.long
def test_a_disk_that_something_else_fills(undisturbed: Undisturbed, tmp_path: Path, tally: Tally) -> None:
    with small_disk(tmp_path / "disk", 400) as disk:
        training, filler = Training(disk / "run", SMALL), disk / "filler"
        assert "No space left" in training.run_harmed(lambda: fill(filler))
        filler.unlink()
        training.finish()
        assert differences(undisturbed(), training.path) == []
    seen = "`cannot write FILE: No space left`, exit code 3"
    tally("a disk that something else fills", tries=1, seen=seen, kept=GOES_ON)


@pytest.mark.long
def test_a_sandbox_without_room_never_trains(undisturbed: Undisturbed, tmp_path: Path, tally: Tally) -> None:
    with small_disk(tmp_path / "scratch", 400) as scratch:
        filler = scratch / "filler"
        training = Training(tmp_path / "run", SMALL, (("TMPDIR", str(scratch)),))
        assert "could not be graded" in training.run_harmed(lambda: fill(filler))
        filler.unlink()
        training.finish()
        assert differences(undisturbed(), training.path) == []
    seen = "`step 3: 4 of 4 completions could not be graded: ... No space left`, exit code 3"
    tally("no room for the sandbox", tries=1, seen=seen, kept=GOES_ON)


@pytest.mark.long
def test_a_clock_that_jumps_changes_nothing(undisturbed: Undisturbed, tmp_path: Path, tally: Tally) -> None:
    source, library = tmp_path / "clock.rs", tmp_path / "libclock.so"
    source.write_text(JUMPING_CLOCK)
    rustc = find_toolchain().bin / "rustc"
    subprocess.run([rustc, "--crate-type", "cdylib", "-o", library, source], check=True, capture_output=True)
    noted = tmp_path / "jumps"
    training = Training(tmp_path / "run", SMALL, (("LD_PRELOAD", str(library)), ("JUMPS_NOTED_IN", str(noted))))
    training.finish()
    assert max(Counter(noted.read_text().split()).values()) > 6, "in one process, the trainer, it went forth and back"
    assert differences(undisturbed(), training.path) == []
    tally("a clock that jumps by a day, forth and back", tries=1, seen="nothing", kept="all")


@pytest.mark.long
def test_a_toolchain_that_is_taken_away_never_trains(undisturbed: Undisturbed, tmp_path: Path, tally: Tally) -> None:
    own, shared = find_toolchain().bin.parent, Path(tempfile.mkdtemp(prefix="rust-"))
    try:
        shared.chmod(0o755)  # where every user may go, it is used in its place
        for part in ("bin", "lib", "libexec"):
            if (own / part).is_dir():
                copy = ["cp", "--archive", str(own / part), str(shared)]
                if subprocess.run([*copy, "--link"], capture_output=True).returncode:  # on another disk
                    subprocess.run(copy, check=True)
        path = f"{shared / 'bin'}:{os.environ['PATH']}"
        training = Training(tmp_path / "run", SMALL, (("PATH", path),))
        rustc, away = shared / "bin" / "rustc", shared / "bin" / "away"
        assert "the Rust toolchain is no longer the one" in training.run_harmed(lambda: rustc.rename(away))
        away.rename(rustc)
        training.finish()
        assert differences(undisturbed(), training.path) == []
    finally:
        shutil.rmtree(shared)
    seen = "`the Rust toolchain is no longer the one that this run grades with`, exit code 3"
    tally("rustc taken away or replaced", tries=1, seen=seen, kept=GOES_ON)


def test_memory_that_runs_out_says_what_to_lower(tmp_path: Path, tally: Tally) -> None:
    large = ("train.micro_batch_tokens=200000", "train.prompts_per_step=512", "sampling.group_size=4")
    training = Training(tmp_path / "run", (*SMALL, *large), (("MALLOC_ARENA_MAX", "1"),))
    code, output = training.run(prefix=("prlimit", "--as=6000000000"))
    assert code == 3 and "train.micro_batch_tokens" in output and "Traceback" not in output, output
    assert training.steps_done == 0, "the rehearsal finds it before the first step"
    seen = "the batch, and which setting to lower, before the first step; exit code 3"
    tally("too little memory for the longest batch", tries=1, seen=seen, kept="nothing was trained yet")
