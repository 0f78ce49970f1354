"""The lists of powers: every item is reported whatever name it goes by, and the lists are complete.

Complete for the modules that they cover: each stable item of these modules, as the toolchain's own documentation has
them, stands in a list or in `HARMLESS` with a reason.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.find_rust import find_toolchain
from sandbox.grading import powers
from sandbox.grading.messages import read_messages
from sandbox.isolation.policy import Isolation
from sandbox.project import Project

LISTS = tomllib.loads((Path(powers.__file__).parent / powers.LISTS).read_text())
FUNCTIONS, TYPES, MACROS = (
    [entry["path"] for entry in LISTS[f"disallowed-{kind}"]] for kind in ("methods", "types", "macros")
)
CALLED = {  # methods that only a call can name simply
    "std::thread::JoinHandle::thread": "fn f() { let _ = std::thread::spawn(|| ()).thread(); }",
    "std::thread::ScopedJoinHandle::thread": "fn g() { std::thread::scope(|s| { let _ = s.spawn(|| ()).thread(); }) }",
    "std::any::Any::type_id": "fn h() { use std::any::Any as _; let _ = 1_u8.type_id(); }",
}
FUNCTIONS = [path for path in FUNCTIONS if path not in CALLED]
ALLOW = "#![allow(warnings, clippy::all, clippy::disallowed_methods, clippy::disallowed_types)]\n"
ALLOW += "#![allow(clippy::disallowed_macros, unsafe_code)]\n#![cfg_attr(all(), allow(clippy::restriction))]\n"
TWO = ("copy", "hard_link", "rename", "soft_link", "symlink", "write", "set_var")
NONE = set("""
    abort exit id args args_os current_dir current_exe home_dir temp_dir vars vars_os pipe stderr stdin stdout set_hook
    take_hook parent_id capture force_capture current caller
    resume_unwind
    """.split())
ARGUMENTS = {"asm": '""', "global_asm": '""', "env": '"HOME"', "option_env": '"HOME"'}
ARGUMENTS |= {"module_path": ""}


# Clippy reports no `asm!`, which needs `unsafe` and is reported by that (`UNSAFE`), and no `include!`, whose code is
# read like all other code.
SEEN = [path for path in MACROS if path not in ("core::arch::asm", "std::include")]

# How a function, a type and a macro can be used: N is a number, PATH the item, PARENT and LAST its two parts, ARGS the
# function's type arguments, and USE what stands in a function.

FUNCTION_WAYS = {
    "as a value": "fn fN() { let _ = PATHARGS; }",
    "from the root": "fn fN() { let _ = ::PATHARGS; }",
    "in a function pointer's place": "fn fN() { drop((1, PATHARGS)); }",
    "by another name of its parent": "use PARENT as pN; fn fN() { let _ = pN::LASTARGS; }",
    "by a re-export": "mod mN { pub mod x { pub use PARENT as other; } pub use x::*; }"
    " fn fN() { let _ = mN::other::LASTARGS; }",
    "by raw identifiers": "fn fN() { let _ = RAWARGS; }",
    "in a macro's argument": "fn fN() { let _ = pass!(PATHARGS); }",
    "put together by a macro": "fn fN() { let _ = join!(PARENT, LAST ARGS); }",
    "in a macro of the standard library": "fn fN() { let _ = vec![PATHARGS]; }",
    "in a closure in a constant": "const cN: fn() = || { let _ = PATHARGS; };",
    "in a derived implementation": "struct sN; #[automatically_derived] impl sN { fn f() { let _ = PATHARGS; } }",
    "in a test that never runs": "#[test] #[ignore] fn fN() { if false { let _ = PATHARGS; } }",
}
TYPE_WAYS = {
    "as a type": "fn fN() { let _: Option<PATH> = None; }",
    "from the root": "fn fN() { let _: Option<::PATH> = None; }",
    "by an import": "use PATH as tN;",
    "by another name of its parent": "use PARENT as pN; fn fN() { let _: Option<pN::LAST> = None; }",
    "by a re-export": "mod mN { pub mod x { pub use PARENT as other; } pub use x::*; } fn fN(_: &mN::other::LAST) {}",
    "by raw identifiers": "fn fN() { let _: Option<RAW> = None; }",
    "in a macro": "fn fN() { let _: Option<pass!(PATH)> = None; }",
    "in a bound": "fn fN(_: impl Fn(&PATH)) {}",
    "as a field": "struct sN<'a>(Option<PATHLIFE>, &'a u8);",
    "as an associated type": "impl<'a> Has<N> for &'a u8 { type T = PATHLIFE; }",
}
MACRO_WAYS = {
    "by its path": "USE(PATH)",
    "from the root": "USE(::PATH)",
    "by another name": "use PATH as aN; USE(aN)",
    "by another name of its parent": "use PARENT as pN; USE(pN::LAST)",
    "by raw identifiers": "USE(RAW)",
}
ITEM = {"global_asm": "HOW!(ARGUMENTS);", "asm": "fn fN() { unsafe { HOW!(ARGUMENTS) } }"}
PRELUDE = """macro_rules! pass { ($($t:tt)*) => { $($t)* } }
macro_rules! join { ($($p:ident)::+, $($t:tt)*) => { $($p)::+::$($t)* } }
trait Has<const N: usize> { type T; }
fn main() {}
"""


def forms(way: str, path: str, number: int) -> str:
    """One use of an item, on one line."""
    parent, _, last = path.rpartition("::")
    many = 0 if last in NONE or "path::Path::" in path or "Thread::" in path else 2 if last in TWO else 1
    kind = "std::fs::File" if last == "fchown" else "&str"
    lifetime = "<'a>" if last in ("StderrLock", "StdinLock", "StdoutLock", "BorrowedFd") else ""
    if "USE(" in way:
        before, _, how = way.partition("USE(")
        item = ITEM.get(last, "fn fN() { let _ = HOW!(ARGUMENTS); }")
        way = before + item.replace("HOW", how.removesuffix(")")).replace("ARGUMENTS", ARGUMENTS.get(last, '"x.in"'))
    raw = "::".join(f"r#{part}" for part in path.split("::"))
    replaced = {"PATH": path, "PARENT": parent, "LAST": last, "RAW": raw, "ARGS": f"::<{', '.join([kind] * many)}>"}
    replaced["ARGS"] = replaced["ARGS"] if many else ""
    replaced |= {"LIFE": lifetime}
    text = re.sub("PATH|PARENT|LAST|RAW|ARGS|LIFE", lambda word: replaced[word[0]], way)
    return re.sub(r"(?<=[a-z])N\b|\bN\b", str(number), text).replace("Has<const 0", "Has<const N")


@pytest.fixture
def reported(isolation: Isolation, workdir: Path) -> Callable[[str], dict[int, set[str]]]:
    """What clippy reports of a program by the flags and lists of the sandbox: texts by line."""

    def found(source: str) -> dict[int, set[str]]:
        project = Project(workdir / "project", source)
        project.create()
        powers.write_lists(project)
        (project.root / "src/main.rs").write_text(source)
        (project.root / "src/x.in").write_text('"x"')
        command = [isolation.toolchain.bin / "clippy-driver", "rustc", *powers.EXAMINE, *powers.FORCE]
        environment = {**os.environ, "CLIPPY_CONF_DIR": str(powers.lists_directory(project))}
        done = subprocess.run(
            [*command, "--out-dir", workdir], cwd=project.root, env=environment, capture_output=True, check=False
        )
        messages = list(read_messages(done.stderr.splitlines()))
        assert [m.text for m in messages if m.level == "error"] == []
        lines: dict[int, set[str]] = {}
        for message in powers.split(messages)[1]:
            lines.setdefault(message.line or 0, set()).add(message.text)
        return lines

    return found


@pytest.mark.parametrize(
    ("items", "way"),
    [
        *(pytest.param(FUNCTIONS, way, id=f"a function {name}") for name, way in FUNCTION_WAYS.items()),
        *(pytest.param(TYPES, way, id=f"a type {name}") for name, way in TYPE_WAYS.items()),
        *(pytest.param(SEEN, way, id=f"a macro {name}") for name, way in MACRO_WAYS.items()),
    ],
)
def test_every_item_of_the_lists_is_reported(
    items: list[str], way: str, reported: Callable[[str], dict[int, set[str]]]
) -> None:
    uses = [forms(way, path, number) for number, path in enumerate(items)]
    found = reported(ALLOW + PRELUDE + "\n".join(uses) + "\n")
    first = (ALLOW + PRELUDE).count("\n") + 1
    joined = found.get(first - PRELUDE[PRELUDE.index("macro_rules! join") :].count("\n"), set())
    reports = {path: joined | found.get(first + number, set()) for number, path in enumerate(items)}
    assert [path for path, texts in reports.items() if not any(f"`{path}`" in text for text in texts)] == []


@pytest.mark.parametrize("path", CALLED)
def test_a_method_is_reported_where_it_is_called(path: str, reported: Callable[[str], dict[int, set[str]]]) -> None:
    texts = reported(ALLOW + CALLED[path] + "\nfn main() {}\n")[ALLOW.count("\n") + 1]
    assert any(f"`{path}`" in text for text in texts)


def test_the_address_of_a_function_is_reported(reported: Callable[[str], dict[int, set[str]]]) -> None:
    found = reported(ALLOW + "fn f() -> usize { f as usize }\nfn main() {}\n")
    assert any("casting function" in text for text in found[ALLOW.count("\n") + 1])


# What the modules hold besides: each stable item that is in no list, with the reason why it gives no power.

COVERED = (
    "fs process env io net os/fd os/unix/fs os/unix/net os/unix/process os/unix/thread os/unix/ffi os/linux/fs"
    " os/linux/net os/linux/process backtrace panic path arch"
).split()
NOT_LOOKED_AT = {"mod", "constant"}
HARMLESS = {
    "only an item of the lists gives one, or takes it for an effect": """
        std::fs::FileTimes std::fs::FileType std::fs::Metadata std::fs::Permissions std::fs::TryLockError
        std::process::CommandArgs std::process::CommandEnvs std::process::Output std::env::Args std::env::ArgsOs
        std::env::Vars std::env::VarsOs std::net::Incoming std::net::Shutdown std::os::unix::net::Incoming
        std::backtrace::BacktraceStatus std::panic::PanicHookInfo
        """,
    "methods of types of the lists, and of what those give": """
        std::os::unix::fs::DirBuilderExt std::os::unix::fs::DirEntryExt std::os::unix::fs::FileExt
        std::os::unix::fs::FileTypeExt std::os::unix::fs::MetadataExt std::os::unix::fs::OpenOptionsExt
        std::os::unix::fs::PermissionsExt std::os::unix::process::CommandExt std::os::unix::process::ExitStatusExt
        std::os::linux::fs::MetadataExt std::os::linux::net::TcpStreamExt std::os::fd::AsFd std::os::fd::AsRawFd
        std::os::fd::FromRawFd std::os::fd::IntoRawFd std::io::IsTerminal
        """,
    "a plain value": """
        std::process::ExitCode std::process::ExitStatus std::os::fd::RawFd std::io::ErrorKind std::io::SeekFrom
        std::net::Ipv4Addr std::net::Ipv6Addr std::net::IpAddr std::net::SocketAddr std::net::SocketAddrV4
        std::net::SocketAddrV6 std::os::unix::net::SocketAddr std::os::linux::net::SocketAddrExt
        std::os::unix::ffi::OsStrExt std::os::unix::ffi::OsStringExt std::panic::Location std::io::Result
        std::panic::PanicInfo std::os::unix::thread::RawPthread
        """,
    "an error": """
        std::env::VarError std::env::JoinPathsError std::io::Error std::io::IntoInnerError std::net::AddrParseError
        std::path::StripPrefixError std::path::NormalizeError
        """,
    "a computation on paths": """
        std::env::SplitPaths std::env::join_paths std::env::split_paths std::path::Path std::path::PathBuf
        std::path::Ancestors std::path::Components std::path::Display std::path::Iter std::path::PrefixComponent
        std::path::Component std::path::Prefix std::path::is_separator
        """,
    "works on readers and writers that the program has": """
        std::io::BufReader std::io::BufWriter std::io::Bytes std::io::Chain std::io::Cursor std::io::Empty
        std::io::IoSlice std::io::IoSliceMut std::io::LineWriter std::io::Lines std::io::Repeat std::io::Sink
        std::io::Split std::io::Take std::io::WriterPanicked std::io::BufRead std::io::Read std::io::Seek std::io::Write
        std::io::copy std::io::empty std::io::read_to_string std::io::repeat std::io::sink
        """,
    "a panic that libtest sees like any other": """
        std::panic::catch_unwind std::panic::panic_any std::panic::AssertUnwindSafe
        std::panic::RefUnwindSafe std::panic::UnwindSafe
        """,
    "a name that is looked for in the text": "std::process::Termination",
    "asks for addresses, which isolation refuses, and gives addresses": "std::net::ToSocketAddrs",
    "a number of a thread": "std::os::unix::thread::JoinHandleExt",
    "a word that is looked for in the text": "core::arch::naked_asm std::arch::naked_asm",
    "asks the processor": """
        std::arch::is_x86_feature_detected std::arch::is_aarch64_feature_detected
        std::arch::is_loongarch_feature_detected std::arch::is_riscv_feature_detected
        std::arch::is_s390x_feature_detected
        """,
}  # fmt: skip
PURE_METHODS = set("""
    ancestors as_mut_os_str as_os_str components display ends_with extension file_name file_prefix file_stem has_root
    into_path_buf is_absolute is_relative iter join new parent starts_with strip_prefix to_path_buf to_str
    to_string_lossy with_added_extension with_extension with_file_name
    """.split())
ENTRY = re.compile(r'<dt><a class="(\w+)" href="[^"]+" title="\w+ ([^"]+)">(.*?)</dt>', re.DOTALL)
METHOD = re.compile(r'<section id="method\.(\w+)".*?</section>(.{0,400})', re.DOTALL)


@pytest.fixture
def documentation() -> Path:
    """The toolchain's documentation of the standard library."""
    found = find_toolchain().bin.parent / "share/doc/rust/html/std"
    if not (found / "fs/index.html").exists():
        pytest.skip("the toolchain's component rust-docs is not installed")
    return found


def stable_items(documentation: Path, module: str) -> list[str]:
    """The paths of a module's stable items."""
    page = documentation / module / "index.html"
    if not page.exists():
        return []
    entries = ENTRY.findall(page.read_text(encoding="utf-8"))
    return [path for kind, path, rest in entries if kind not in NOT_LOOKED_AT and "Experimental" not in rest]


@pytest.mark.parametrize("module", COVERED)
def test_every_stable_item_of_a_module_is_listed_or_harmless(module: str, documentation: Path) -> None:
    known = {*FUNCTIONS, *CALLED, *TYPES, *MACROS, *(path for paths in HARMLESS.values() for path in paths.split())}
    known |= {path.replace("core::", "std::", 1) for path in MACROS}
    found = stable_items(documentation, module)
    assert found or module == "os/linux/process", "the page of the module is read"
    assert [path for path in found if path not in known] == []


def test_macros_of_the_standard_library_that_read_files_or_variables_are_listed(documentation: Path) -> None:
    found = stable_items(documentation, ".")
    assert "std::println" in found
    reading = [path for path in found if re.search(r"::(?:include|env|option_env|asm)", path)]
    assert {"std::include_str", "std::option_env"} <= set(reading) <= set(MACROS)


def test_every_method_of_a_path_is_listed_or_computes(documentation: Path) -> None:
    page = (documentation / "path/struct.Path.html").read_text(encoding="utf-8").partition('id="trait-implement')[0]
    methods = {name for name, after in METHOD.findall(page) if "nightly-only" not in after}
    assert {"exists", "join"} <= methods
    listed = {path.rpartition("::")[2] for path in FUNCTIONS if path.startswith("std::path::Path::")}
    assert listed <= methods and methods - listed - PURE_METHODS == set()


def test_no_item_is_both_listed_and_harmless_or_listed_twice() -> None:
    harmless = [path for paths in HARMLESS.values() for path in paths.split()]
    every = [*FUNCTIONS, *TYPES, *MACROS, *harmless]
    assert sorted(every) == sorted(set(every))
    assert all(entry["allow-invalid"] for entries in LISTS.values() for entry in entries)
