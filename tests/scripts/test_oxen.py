"""A run kept in a real Oxen repository, and prompts read from one; what fails is told and never raised."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grpo.config import TrackSection
from grpo.errors import BadInput
from grpo.rollout import oxen_source
from grpo.rollout.oxen_source import is_remote_oxen, oxen_environment, oxen_remote
from grpo_rust.compose.prompts import read_held_out, read_training_source
from grpo_rust.following import oxen_commit, trackers
from grpo_rust.following.feeding import Feeder
from grpo_rust.following.oxen import OxenKeeper, oxen_place
from grpo_rust.following.oxen_commit import copy_run, last_step
from grpo_rust.following.sent import Sent
from grpo_rust.following.trackers import TrackedRun
from grpo_rust.prompt_counts import count_held_out, count_training
from grpo_rust.recipe import DEFAULT_RECIPE, load_recipe
from grpo_rust.session import describe_followers, refuse_followers

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "assets" / "tasks" / "eval.jsonl"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that has logged nothing yet, of a user whom Oxen does not know."""
    monkeypatch.setenv("OXEN_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "first"
    (folder / "rewards").mkdir(parents=True)
    (folder / "config.toml").write_text('[run]\nname = "first"\n')
    return folder


def log_step(run, step):
    """Log a step as the trainer does, the next one half written."""
    for name in ("metrics.jsonl", "completions.jsonl", "rewards/cargo_build.jsonl"):
        path = run / name
        whole = path.read_bytes().rpartition(b"\n")[0] + b"\n" if step > 1 else b""
        line = {"step": step, "id": f"s{step}-p0-c0", "reward/mean": step / 2}
        path.write_bytes(whole + json.dumps(line).encode() + b'\n{"step": ' + str(step + 1).encode())


def steps_of(path):
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def in_oxen(program, *arguments):
    """What a program with the package prints; in a process of its own, as Oxen prints too."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=oxen_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


HISTORY = """
import json, pathlib, sys
from oxen import Repo
repo, found = Repo(sys.argv[1]), []
for commit in reversed(repo.log()):
    rows = []
    for file in sys.argv[2:]:
        repo.restore(file, source=commit.id)
        rows.append(pathlib.Path(sys.argv[1], file).read_text())
    found.append([commit.message, commit.author, *rows])
print(json.dumps(found))
"""
COMMIT = """
import sys
from oxen import Repo
from oxen.user import config_user
config_user("me", "me@localhost")
repo = Repo(sys.argv[1])
repo.init(); repo.add(sys.argv[2]); repo.commit("rows"); print(0)
"""


def waited(keeper):
    """Wait for the commit that is being made, as time passes in a training."""
    until = time.monotonic() + 120
    while keeper._running is not None and time.monotonic() < until:
        keeper._running.wait(1)
        keeper._hear(keeper._limit_s)


def test_the_history_holds_the_rows_of_every_commit(run):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    said = []
    keeper = OxenKeeper(run, repository="local", every=2, say=said.append)
    for step in range(1, 6):
        log_step(run, step)
        keeper.step(step)
        waited(keeper)
    (run / "summary.json").write_text("{}")
    keeper.close()
    assert said == []
    files = ["metrics.jsonl", "completions.jsonl", "rewards/cargo_build.jsonl", "report.html"]
    history = in_oxen(HISTORY, run.parent / "first.oxen", *(f"first/{name}" for name in files))
    assert [commit[:2] for commit in history] == [[f"step {n} of first", "grpo-rust"] for n in (2, 4, 5)]
    for commit, last in zip(history, (2, 4, 5), strict=True):
        for log in commit[2:5]:
            assert log.endswith("}\n"), "whole lines"
            assert [json.loads(line)["step"] for line in log.splitlines()] == list(range(1, last + 1))
        assert f"{last} steps" in commit[5]
    kept = run.parent / "first.oxen" / "first"
    assert (kept / "summary.json").is_file() and (kept / "config.toml").read_text() == '[run]\nname = "first"\n'
    assert not (run.parent / "settings" / "user_config.toml").exists(), "the user's own settings stay as they are"


def test_runs_share_a_repository_while_they_train_also_two_of_one_name(run, tmp_path):
    """Three processes commit at once, twice; each run finds its own rows, and no commit fails."""
    pytest.importorskip("oxen", reason="oxenai is not installed")
    runs = [run, tmp_path / "runs" / "second", tmp_path / "elsewhere" / "first"]
    for number, one in enumerate(runs):
        (one / "rewards").mkdir(parents=True, exist_ok=True)
        (one / "environment.json").write_text(json.dumps({"started": number}))
    said = []
    keepers = [OxenKeeper(one, repository=str(tmp_path / "all.oxen"), every=1, say=said.append) for one in runs]
    for step in (1, 2):
        for one, keeper in zip(runs, keepers, strict=True):
            log_step(one, step)
            keeper.step(step)
        for keeper in keepers:
            waited(keeper)
    assert said == []
    history = in_oxen(HISTORY, tmp_path / "all.oxen")
    assert [len(history), *sorted(set(message for message, *_ in history))] == [
        6,
        *(f"step {step} of {name}" for step in (1, 2) for name in ("first", "first-2", "second")),
    ]
    kept = [tmp_path / "all.oxen" / name for name in ("second", "first", "first-2")]
    assert [steps_of(folder / "metrics.jsonl") for folder in kept] == [[1, 2]] * 3
    started = [json.loads((folder / "environment.json").read_text())["started"] for folder in kept]
    assert started[0] == 1 and sorted(started) == [0, 1, 2], "of two with one name the faster one has it"


def test_a_push_to_an_address_that_refuses_is_told_once_and_tried_again(run):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/me/runs"
    said, tried = [], []
    keeper = OxenKeeper(run, repository=address, every=1, say=said.append)
    for step in (1, 2):
        log_step(run, step)
        keeper.step(step)
        tried.append(keeper._running is not None)
        waited(keeper)
    [message] = said
    assert tried == [True, True] and message.count("\n") == 0
    assert (
        "step 1 is committed in" in message
        and "not pushed: Network error" in message
        and "tried again after every step" in message
    )
    history = in_oxen(HISTORY, run.parent / "first.oxen", "first/metrics.jsonl")
    assert [commit[0] for commit in history] == ["step 1 of first", "step 2 of first"]


def test_a_server_that_never_answers_holds_nothing_up(run):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    said = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/me/runs"
        keeper = OxenKeeper(run, repository=address, every=1, say=said.append, limit_s=1000, close_s=12)
        log_step(run, 1)
        began = time.monotonic()
        keeper.step(1)
        keeper.step(2)
        assert time.monotonic() - began < 5
        keeper.step(3)
        began = time.monotonic()
        keeper._wait()
        assert 6 < time.monotonic() - began < 60
    assert len(said) == 1 and "no answer within 12 s" in said[0]


def test_a_repository_that_works_again_has_all_that_came_meanwhile(run, tmp_path):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    said = []
    place = tmp_path / "kept.oxen"
    place.write_text("in the way")
    keeper = OxenKeeper(run, repository=str(place), every=1, say=said.append)
    for step in (1, 2, 3):
        if step == 3:
            place.unlink()
        log_step(run, step)
        keeper.step(step)
        waited(keeper)
    assert len(said) == 2 and "does not keep the run" in said[0] and said[1].endswith("again, up to step 3")
    assert steps_of(place / "first" / "metrics.jsonl") == [1, 2, 3]


def test_without_the_package_the_extra_is_named(run, monkeypatch):
    said = []
    (run.parent / "oxen").mkdir()
    (run.parent / "oxen" / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(str(run.parent))
    keeper = OxenKeeper(run, repository="local", every=1, say=said.append)
    log_step(run, 1)
    keeper.step(1)
    keeper.close()
    assert len(said) == 1 and "broken" in said[0]
    monkeypatch.setattr(oxen_source, "find_spec", lambda name: None)
    (run / ".oxen").mkdir()
    (run / "rows.jsonl").write_text('{"prompt": "a"}\n')
    with pytest.raises(BadInput, match=r"need the package oxenai: pip install -e '.\[oxen\]'"):
        read_training_source(recipe(), f"oxen:{run}/rows.jsonl")


def test_a_last_commit_that_fails_is_made_by_hand_later(run, monkeypatch):
    (run.parent / "oxen").mkdir()
    package = run.parent / "oxen" / "__init__.py"
    package.write_text("raise ImportError('away')")
    monkeypatch.syspath_prepend(str(run.parent))
    log_step(run, 1)
    said, about = [], TrackedRun(run, "first", "p", online=False, oxen="local", oxen_every=50)
    Feeder("oxen", about, said.append).feed(last=True)
    [message] = said
    assert "does not keep" in message and "away" in message and "python -m grpo_rust.following" in message
    package.write_text("raise SystemExit(0)")  # as a commit that works ends
    Feeder("oxen", about, said.append).feed(last=True)
    assert len(said) == 1 and not Sent.load(run, "oxen", "local").is_open
    package.write_text("raise ImportError('away')")
    Feeder("oxen", about, said.append).feed(last=True)
    assert len(said) == 1, "it has everything: nothing is tried"


def test_the_repository_of_a_run_that_is_the_current_folder_lies_beside_it(run, monkeypatch):
    monkeypatch.chdir(run)
    assert oxen_place(Path(), "local").folder == run.with_name("first.oxen")


def test_nothing_of_oxen_is_loaded_by_what_follows_a_run():
    program = (
        "import sys, json, grpo_rust.following.oxen, grpo_rust.following.oxen_commit, grpo.rollout.rows\n"
        "print(json.dumps(sorted({'oxen', 'polars', 'torch'} & set(sys.modules))))"
    )
    assert in_oxen(program) == []


def test_logs_are_kept_in_parts_of_whole_lines_that_stay_as_they_are(run, tmp_path, monkeypatch):
    monkeypatch.setattr(oxen_commit, "PART", 20)
    log, kept = run / "completions.jsonl", tmp_path / "kept"
    rows = [b'{"step": %d}\n' % step for step in range(5)]  # 12 bytes each: two lines fill a part

    def names():
        return sorted(path.name for path in kept.glob("completions*"))

    log.write_bytes(b"".join(rows)[:-3])
    copy_run(run, kept)
    assert names() == ["completions.0002.jsonl", "completions.jsonl"]
    assert (kept / "completions.jsonl").read_bytes() == rows[0] + rows[1]
    assert (kept / "completions.0002.jsonl").read_bytes() == rows[2] + rows[3]
    (run / "metrics.jsonl").write_bytes(b"".join(rows))
    copy_run(run, kept)
    assert last_step(kept) == 4 and last_step(tmp_path) == 0
    first = os.stat(kept / "completions.jsonl").st_mtime_ns
    log.write_bytes(b"".join(rows))
    copy_run(run, kept)
    assert (kept / "completions.0003.jsonl").read_bytes() == rows[4]
    assert os.stat(kept / "completions.jsonl").st_mtime_ns == first
    log.write_bytes(rows[0] + b'{"step": 9}\n')
    copy_run(run, kept)
    assert names() == ["completions.jsonl"] and steps_of(kept / "completions.jsonl") == [0, 9]


@pytest.mark.parametrize(
    ("repository", "folder", "url"),
    [
        ("local", "runs/first.oxen", None),
        ("me/runs", "runs/first.oxen", "https://hub.oxen.ai/me/runs"),
        ("localhost:3000/me/runs", "runs/first.oxen", "https://localhost:3000/me/runs"),
        ("http://10.0.0.1:3000/me/runs", "runs/first.oxen", "http://10.0.0.1:3000/me/runs"),
        ("./me/runs", "me/runs", None),
        ("me/runs.oxen", "me/runs.oxen", None),
        ("./a/b/c", "a/b/c", None),
        ("/data/kept", "/data/kept", None),
        ("here/there", "here/there", None),
    ],
)
def test_a_repository_is_a_path_or_a_name(tmp_path, monkeypatch, repository, folder, url):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "there").mkdir(parents=True)
    found = oxen_place(Path("runs/first"), repository)
    assert (str(found.folder), found.remote and found.remote.url) == (folder, url)
    words = f"remote repository {url}, and {tmp_path / folder} until" if url else f"the folder {tmp_path / folder}"
    assert words in "\n".join(describe_followers(TrackSection(oxen=repository), Path("runs/first")))


@pytest.mark.parametrize("repository", ["kept", "a/b/c", "me/runs/", "a b/c", "me//runs"])
def test_a_name_that_is_neither_here_nor_of_a_remote_repository_is_refused(tmp_path, monkeypatch, repository):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trackers, "find_spec", lambda name: True)
    with pytest.raises(BadInput, match="is no folder that exists and no namespace/name") as refused:
        refuse_followers(TrackSection(oxen=repository))
    assert f"as ./{repository}" in str(refused.value)
    (tmp_path / repository).mkdir(parents=True)
    refuse_followers(TrackSection(oxen=repository))


def test_a_repository_without_a_name_is_refused(run):
    with pytest.raises(BadInput, match="no Oxen repository is named"):
        OxenKeeper(run, repository=" ", every=1, say=print)


@pytest.mark.parametrize("address", ["https://me:secret@host/me/runs", "https://host/me/runs/more", "ftp://host/a/b"])
def test_an_address_that_is_none_is_refused_before_training_and_not_repeated(monkeypatch, address):
    monkeypatch.setattr(trackers, "find_spec", lambda name: True)
    with pytest.raises(BadInput, match="https://host/namespace/name, without user, password") as refused:
        refuse_followers(TrackSection(oxen=address))
    assert "secret" not in str(refused.value)


def recipe(*settings):
    sources = (f"data.train={TASKS}", f"data.eval={TASKS}", "eval.prompts=7", "run.dir=x")
    return load_recipe(DEFAULT_RECIPE, [f"model.path={ROOT / 'assets/tiny-rust'}", *sources, *settings])


def refusal(source):
    with pytest.raises(BadInput) as caught:
        read_training_source(recipe(), f"{source}")
    with pytest.raises(BadInput) as planned:
        count_training(recipe(f"data.train={source}"))
    assert str(planned.value) == str(caught.value)
    return str(caught.value)


def test_prompts_from_a_repository_are_those_of_the_file(run, tmp_path):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    repository = tmp_path / "tasks"
    (repository / "rust").mkdir(parents=True)
    (repository / "rust" / "rows.jsonl").write_bytes(TASKS.read_bytes())
    in_oxen(COMMIT, repository, repository / "rust")
    source = "oxen:tasks/rust/rows.jsonl"
    asked = recipe(f"data.train={source}", f"data.eval={source}")
    assert read_training_source(asked, asked.data.train) == read_training_source(recipe(), recipe().data.train)
    assert read_held_out(asked) == read_held_out(recipe())
    assert count_training(asked) == count_training(recipe()) and count_held_out(asked).count == 7
    assert "has no file rust/none.jsonl" in refusal("oxen:tasks/rust/none.jsonl")
    (repository / "rust" / "new.jsonl").write_text('{"prompt": "a"}\n')
    assert "new.jsonl: the file is in no commit: commit it" in refusal("oxen:tasks/rust/new.jsonl")
    with open(repository / "rust" / "rows.jsonl", "a") as file:
        file.write('{"prompt": "more"}\n')
    assert "rows.jsonl: the file has changes that are in no commit" in refusal(source)


def test_a_file_of_a_repository_that_holds_no_prompts_is_named_as_it_was_given(run, tmp_path):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    repository = tmp_path / "tasks"
    repository.mkdir()
    (repository / "rows.jsonl").write_text("no json\n")
    in_oxen(COMMIT, repository, repository / "rows.jsonl")
    assert "cannot read prompts from oxen:tasks/rows.jsonl: line 1" in refusal("oxen:tasks/rows.jsonl")


def test_a_remote_file_that_cannot_be_had_is_refused_in_words(run):
    pytest.importorskip("oxen", reason="oxenai is not installed")
    source = "oxen:http://127.0.0.1:9/ox/Rust/rows.jsonl"
    with pytest.raises(BadInput, match=r"cannot get rows.jsonl from http://127.0.0.1:9/ox/Rust \(.*Network error"):
        read_training_source(recipe(), f"{source}")


def test_a_plan_downloads_nothing(run):
    assert count_training(recipe("data.train=oxen:ox/Rust/rows.jsonl")).count is None
    assert count_training(recipe("data.train=oxen:ox/Rust/cargo_test_passed_train.parquet")).count == 15_000
    (run / ".oxen").mkdir()
    assert is_remote_oxen("oxen:ox/Rust/a.jsonl") and not is_remote_oxen(f"oxen:{run}/a.jsonl")
    with pytest.raises(BadInput, match="has no file cargo_test_passed_train.parquet"):
        count_training(recipe(f"data.train=oxen:{run}/cargo_test_passed_train.parquet"))


@pytest.mark.parametrize(
    "source", ["oxen:", "oxen:rows.jsonl", "oxen:me/runs", "oxen:/no/such/rows.jsonl", f"oxen:{'x' * 300}/"]
)
def test_a_source_that_names_no_file_is_refused_in_words(run, source):
    message = refusal(source)
    assert "names no file in an Oxen repository" in message and "oxen:namespace/name/FILE" in message


def test_names_of_remote_repositories():
    found = oxen_remote("http://127.0.0.1:3000/me/runs/a/b.jsonl")
    assert found == ("http", "127.0.0.1:3000", "me/runs", "a/b.jsonl") and found.url == "http://127.0.0.1:3000/me/runs"
    assert oxen_remote("hub.example.org/me/runs").host == "hub.example.org"
    assert [oxen_remote(text) for text in ("", "runs", "../a/b", "/a/b", "ftp://a/b/c")] == [None] * 5
