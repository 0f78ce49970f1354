"""A recipe that cannot be used is refused with what was given, what is allowed and exit code 2."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo.schema import ConfigError
from grpo_rust.arguments import parse_arguments
from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import load_recipe
from rewards.rubric import RewardError, Rubric

TrainHere = Callable[..., subprocess.CompletedProcess[str]]
LONGEST = 1000  # characters of a message on one mistake

FILES: dict[str, tuple[bytes, str]] = {
    "the file is not TOML": (b"this is not toml", "cannot be read as TOML"),
    "the file is UTF-16": ("[train]\nlr = 1e-5\n".encode("utf-16"), "TOML in UTF-8"),
    "the file is Latin-1": (b'[run]\nname = "caf\xe9"\n', "TOML in UTF-8"),
    "the file is a program": (b"\x7fELF\x02\x01\x01\x00\xd0\xd0", "TOML in UTF-8"),
    "the file holds a NUL": (b'[run]\nname = "a\x00b"\n', "Illegal character"),
    "a name holds an escaped NUL": (b'[run]\nname = "a\\u0000b"\n', "must be printable text"),
    "a name holds half of a surrogate pair": (b'[run]\nname = "\\ud800"\n', "not a Unicode scalar"),
    "a name holds an escape sequence of the terminal": (b'[run]\nname = "\\u001b[31m"\n', "must be printable text"),
    "a name leads out of its directory": (b'[run]\nname = "../../x"\n', "make a directory's name"),
    "a path holds a line end": (b'[model]\npath = "a\\nb"\n', "must be printable text"),
    "a key is there twice": (b"[train]\nlr = 1e-5\nlr = 1e-6\n", "Cannot overwrite a value"),
    "a section is there twice": (b"[train]\nlr = 1e-5\n[train]\nthreads = 1\n", "Cannot declare"),
    "a section is not known": (b"[trian]\nlr = 1e-5\n", "the nearest valid one is train.lr"),
    "a key is not known": (b"[train]\nmax_step = 3\n", "the nearest valid one is train.max_steps"),
    "a key stands outside of all sections": (b"lr = 1e-5\n", "the nearest valid one is train.lr"),
    "a section is a list of tables": (b"[[train]]\nlr = 1e-5\n", "unknown key"),
    "a part is paid apart by a loss of whole completions": (
        b'[rewards]\ncredit = "apart"\n[loss]\nname = "gspo"\n',
        'use "gspo_token"',
    ),
    "testers that no reward asks": (b"[rollout]\ntesters = 4\n", "give cross_agreement a weight"),
    "suites are paid that nobody runs": (
        b"[rewards.cross]\npartners = -1\n[rewards.weights]\ncross_tests = 1.0\n",
        "none of the group's is run",
    ),
    "every code is given suites of others, and all are to pass": (
        b"[rewards.cross]\npartners = 2\n[rewards.weights]\ncross_all = 1.0\n",
        "cross_all asks for all suites that judge a group",
    ),
    "parts are paid apart by rewards of the whole": (
        b'[rewards]\ncredit = "apart"\n[rewards.weights]\ncargo_build = 1.0\ncargo_test = 1.0\n',
        "no reward with a weight judges only code or only tests",
    ),
    "a crossing has a setting that is none": (b"[rewards.cross]\npartner = 3\n", "partner is no setting of a crossing"),
    "a key nests five thousand levels": (b".".join([b"a"] * 5000) + b" = 1\n", "unknown key"),
    "a value nests five thousand levels": (b"[train]\nlr = " + b"[" * 5000 + b"\n", "cannot be read as TOML"),
    "a number is a text": (b'[train]\nlr = "1e-5"\n', "train.lr = '1e-5': must be a number from 1e-09 to 1"),
    "a whole number has a fraction": (b"[train]\nmax_steps = 2.5\n", "must be a whole number of at least 0"),
    "a number is a list": (b"[train]\nmax_steps = [1, 2]\n", "must be a whole number of at least 0"),
    "a number is a truth value": (b"[train]\nmax_steps = true\n", "must be a whole number of at least 0"),
    "a number is a date": (b"[train]\nmax_steps = 2026-01-01\n", "must be a whole number of at least 0"),
    "a number is a table": (b"[train.lr]\nx = 1\n", "must be a number from 1e-09 to 1"),
    "a truth value is a number": (b"[run]\nresume = 1\n", "must be true or false"),
    "a number is NaN": (b"[train]\nlr = nan\n", "must be a number from 1e-09 to 1"),
    "a number is infinite": (b"[train]\nlr = inf\n", "must be a number from 1e-09 to 1"),
    "a number is out of range": (b"[train]\nlr = -1.0\n", "must be a number from 1e-09 to 1"),
    "a whole number has more than 64 bits": (b"[train]\nmax_steps = " + b"9" * 40 + b"\n", "that fits in 64 bits"),
    "a number has five thousand digits": (b"[train]\nmax_steps = " + b"9" * 5000 + b"\n", "cannot be read as TOML"),
    "a number is too large for a float": (b"[train]\nlr = " + b"9" * 400 + b"\n", "must be a number from 1e-09 to 1"),
    "a choice is none of the choices": (b'[sampling]\nengine = "tgi"\n', "must be one of hf, paged, vllm"),
    "the weights are a number": (b"[rewards]\nweights = 3\n", "must be a table of names"),
    "a weight is a text": (b'[rewards.weights]\ncargo_build = "much"\n', "cargo_build is 'much'"),
    "a weight is NaN": (b"[rewards.weights]\ncargo_build = nan\n", "cargo_build is nan"),
    "a weight is of a reward that is not known": (
        b"[rewards.weights]\ncargo_biuld = 1\n",
        "the nearest is cargo_build",
    ),
    "every weight is zero": (b"[rewards.weights]\ncargo_build = 0\n", "give one reward a weight"),
    "two settings exclude each other": (
        b'[sampling]\nsleep = true\nengine = "vllm"\n[rollout]\noverlap = 1\n',
        "use rollout.overlap = 0",
    ),
}

WORDS: dict[str, tuple[list[str], str]] = {
    "an override has no value": (["train.lr"], "a setting needs a value: section.key=value"),
    "an override has an empty value": (["train.lr="], "train.lr = '': must be a number"),
    "an override has no name": (["=3"], "an override looks like section.key=value"),
    "an override is an equals sign": (["="], "an override looks like section.key=value"),
    "an override names a section alone": (["train=3"], "unknown key"),
    "an override names no section": ([".lr=3"], "the nearest valid one is train.lr"),
    "an override goes below a number": (["train.lr.x=3"], "the nearest valid one is train.lr"),
    "an override has two equals signs": (["train.lr==3"], "train.lr = '=3': must be a number"),
    "an override holds two values": (["train.lr=1 2"], "train.lr = '1 2': must be a number"),
    "an override nests five thousand levels": (["train.lr=" + "[" * 5000], "must be a number"),
    "an override holds a NUL": (["run.dir=a\0b"], "must be printable text"),
    "an override holds bytes that are no UTF-8": (["run.dir=\udcff"], "must be printable text"),
    "an override quotes a name and does not end it": (['rewards.weights."x=1'], "no such reward"),
    "an override says yes": (["run.resume=yes"], "must be true or false"),
    "the recipe is missing": (["nowhere.toml"], "No such file or directory"),
    "the recipe is a directory": (["scripts.toml/.."], "is no recipe file"),
    "two recipes are given": (["a.toml", "b.toml"], "got 2 recipes"),
    "the recipe's name holds a NUL": (["a\0b.toml"], "embedded null byte"),
    "the recipe's name is five thousand letters long": (["a" * 5000 + ".toml"], "File name too long"),
}

FUNCTIONS: dict[str, tuple[bytes, str]] = {
    "does not parse": (b"def f(:\n", "SyntaxError"),
    "raises when it is imported": (b"raise RuntimeError('boom')\n", "RuntimeError: boom"),
    "ends the program when it is imported": (b"import sys; sys.exit(0)\n", "SystemExit"),
    "recurses for ever when it is imported": (b"def g(): g()\ng()\n", "RecursionError"),
    "imports what is not there": (b"import nonexistent_module\n", "No module named 'nonexistent_module'"),
    "lacks the function": (b"x = 1\n", "has no attribute 'f'"),
    "has a number by that name": (b"f = 3\n", "is a int and not a function"),
    "holds a NUL": (b"def f(): pass\0\n", "null bytes"),
    "is Latin-1": (b'f = "\xe9"\n', "SyntaxError"),
}


def refused(words: list[str]) -> str:
    """What a script says of a command line, with the exit code that it must have."""

    @command("train")
    def script(argv: object = None) -> int:
        Rubric(parse_arguments(words).recipe.rewards.weights)
        return ExitCode.DONE

    assert script() == ExitCode.BAD_INPUT
    return ""


@pytest.mark.parametrize("name", FILES)
def test_a_recipe_is_refused_when(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = FILES[name]
    (tmp_path / "mine.toml").write_bytes(content)
    refused([str(tmp_path / "mine.toml")])
    message = capsys.readouterr().err
    assert said in message and "mine.toml" in message
    assert len(message) < LONGEST and "Traceback" not in message and "\x1b" not in message
    assert [file.name for file in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("name", WORDS)
def test_a_command_line_is_refused_when(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words, said = WORDS[name]
    refused(words)
    message = capsys.readouterr().err
    assert said in message and "Traceback" not in message
    assert len(message) < LONGEST + len("".join(words)) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_users_reward_is_refused_when_its_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = FUNCTIONS[name]
    (tmp_path / "mine.py").write_bytes(content)
    refused([f'rewards.weights."{tmp_path}/mine.py:f"=1', "run.dir=nowhere"])
    message = capsys.readouterr().err
    assert said in message and "mine.py" in message and len(message) < LONGEST and "Traceback" not in message


@pytest.mark.parametrize(
    "name", ["nowhere.py:f", ":f", "mod:", "..x:f", "rewards:nothing", "os:path", "a b:f", "x.py:"]
)
def test_a_name_that_leads_to_no_reward_is_refused(name: str) -> None:
    with pytest.raises(RewardError, match="reward function: "):
        Rubric({name: 1.0})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_recipe_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").touch(mode=0)
    with pytest.raises(ConfigError, match="Permission denied"):
        load_recipe(tmp_path / "mine.toml")


def test_a_directory_with_the_name_of_a_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load_recipe(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("content", "lr"), [(b"", None), (b"# nothing\n", None), (b"\xef\xbb\xbf[train]\nlr = 1e-5\n", 1e-5)]
)
def test_an_empty_recipe_is_the_defaults_and_a_byte_order_mark_is_passed_over(
    content: bytes, lr: float | None, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_bytes(content)
    assert load_recipe(tmp_path / "mine.toml").train.lr == (lr or load_recipe(None).train.lr)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_override_is_taken_or_refused_in_words(name: str, value: str) -> None:
    try:
        load_recipe(None, [f"{name}={value}"])
    except ConfigError as error:
        assert str(error).startswith("1 problem in the settings:") and len(str(error)) < LONGEST


@given(
    st.sampled_from(["train.lr", "train.max_steps", "run.name", "run.resume", "rewards.weights"]), st.text(max_size=60)
)
def test_any_value_of_a_setting_is_taken_or_refused_by_its_name(key: str, value: str) -> None:
    try:
        load_recipe(None, [f"{key}={value}"])
    except ConfigError as error:
        assert key.partition(".")[0] in str(error)


@pytest.mark.parametrize(
    "words",
    [
        ["run.dir=/dev/null/run"],
        ["run.dir=" + "a" * 300],
        ["rewards.weights.cargo_tests=1"],
        ["data.train="],
        ["data.train=assets"],
        ["model.path="],
        ["model.path=assets/tasks"],
        ["lora.rank=4", "lora.targets="],
        ["lora.rank=4", "lora.targets=no_layer"],
    ],
    ids=" ".join,
)
def test_training_is_refused_before_anything_is_written(
    words: list[str], tmp_path: Path, train_here: TrainHere
) -> None:
    run = [] if words[0].startswith("run.dir") else [f"run.dir={tmp_path / 'run'}"]
    done = train_here("train.max_steps=1", "eval.prompts=0", "train.threads=1", *words, *run)
    assert done.returncode in (ExitCode.BAD_INPUT, ExitCode.HOST_FAILED), done.stderr
    assert done.stderr.startswith("train: ") and "Traceback" not in done.stderr
    assert words[-1].partition("=")[0] in done.stderr or words[-1].partition("=")[2] in done.stderr
    assert not list(tmp_path.iterdir())
