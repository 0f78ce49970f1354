//! The system-call filter: a list of what is allowed, for one architecture; the rest fails with EPERM, and
//! what came after Linux 6.5 with ENOSYS.
//!
//! No sockets, no new processes for a running test, no ptrace, io_uring, namespaces, mounts, keys, shared memory,
//! metadata or locks of files, and no facts about other processes. `clone3` fails with ENOSYS, since its flags are out of a filter's sight: the C library then takes
//! `clone`. A process of another architecture is killed.

use crate::landlock::no_new_privileges;
use crate::sys::{check, prctl};
use crate::syscalls::{Call, COMPILE, RUN};
use std::ffi::{c_int, c_long};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

const PR_SET_SECCOMP: c_int = 22;
const MODE_FILTER: usize = 2;
const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const FAIL_EPERM: u32 = 0x0005_0000 | 1;
const FAIL_ENOSYS: u32 = 0x0005_0000 | 38;

const NUMBER: u32 = 0; // offsets into what the kernel shows a filter
const ARCH: u32 = 4;
const fn low_half(argument: u32) -> u32 {
    16 + 8 * argument
}

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const X32: u32 = 0x4000_0000; // x86-64 calls with 32-bit pointers
const LATER: u32 = 451; // calls of Linux 6.5 and newer: a C library that tries one goes on as on an older kernel

const CLONE_FILES: u32 = 0x400; // one table of descriptors for all threads, so that the disk limit sees what they hold
const CLONE_THREAD: u32 = 0x0001_0000;
const UNSHARE: u32 = 2; // close_range: with a table of its own
const NAMESPACES: u32 = 0x7e02_0080; // every CLONE_NEW* flag
const NAMING: [u32; 4] = [15, 16, 3, 0x5356_4d41]; // prctl: PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA
const LAUNCHING: [u32; 4] = [1, PR_SET_SECCOMP as u32, 38, 39]; // PR_SET_PDEATHSIG, no new privileges: set, get
const SEQUENCED_PAIR: u32 = 0x8_0005; // SOCK_SEQPACKET | SOCK_CLOEXEC, which Rust's Command makes; always connected
const SIGNALLING: [u32; 3] = [8, 10, 15]; // fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX
const LARGER_PIPE: u32 = 1031; // fcntl: F_SETPIPE_SZ; a pipe's memory is outside the memory limit
const DESCRIBING: [u32; 7] = [0, 1, 2, 3, 4, 1030, 1032]; // fcntl: F_DUPFD, F_GETFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
const OF_PROCESSES: u32 = 0x8000_0000; // in a clock's number: the CPU clock of any process or thread

const CLONE: Call = ("clone", 56, 220);
const CLONE3: Call = ("clone3", 435, 435);
const CLOCKS: [Call; 3] = [("clock_gettime", 228, 113), ("clock_getres", 229, 114), ("clock_nanosleep", 230, 115)];
const CLOSE_RANGE: Call = ("close_range", 436, 436);
const FCNTL: Call = ("fcntl", 72, 25);
const KILL: Call = ("kill", 62, 129);
const PRCTL: Call = ("prctl", 157, 167);
const PRLIMIT: Call = ("prlimit64", 302, 261);
const SOCKETPAIR: Call = ("socketpair", 53, 199);
const TGKILL: Call = ("tgkill", 234, 131);
const SCHED_GETAFFINITY: Call = ("sched_getaffinity", 204, 123);
const ABOUT_PROCESSES: [Call; 4] =
    [("getpgid", 121, 155), ("getsid", 124, 156), ("sched_getparam", 143, 121), ("sched_getscheduler", 145, 120)];

#[repr(C)]
#[derive(Clone, Copy)]
struct Step {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

#[repr(C)]
struct Program {
    length: u16,
    steps: *const Step,
}

/// Whether the guest compiles, or runs what was compiled.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Policy {
    Compile,
    #[default]
    Run,
    /// No filter: limits only.
    Open,
}

impl Policy {
    /// The policy of a name.
    pub fn named(name: &str) -> Option<Policy> {
        match name {
            "compile" => Some(Policy::Compile),
            "run" => Some(Policy::Run),
            "open" => Some(Policy::Open),
            _ => None,
        }
    }
}

/// Put the filter in force for this process and everything it starts.
pub fn enforce(policy: Policy) -> Result<(), String> {
    no_new_privileges()?;
    if policy == Policy::Open {
        return Ok(());
    }
    let steps = build(policy);
    let program = Program { length: steps.len() as u16, steps: steps.as_ptr() };
    let installed = unsafe { prctl(PR_SET_SECCOMP, MODE_FILTER, &program) };
    check(c_long::from(installed), "PR_SET_SECCOMP").map(|_| ())
}

/// The filter's steps: architecture, calls that depend on arguments, then the list.
fn build(policy: Policy) -> Vec<Step> {
    let own = std::process::id();
    let mut steps = vec![load(ARCH), when(EQUAL, ARCHITECTURE, 1, 0), leave(KILL_PROCESS), load(NUMBER)];
    if cfg!(target_arch = "x86_64") {
        steps.extend([when(AT_LEAST, X32, 0, 1), leave(FAIL_EPERM)]);
    }
    on(&mut steps, CLONE3, &[leave(FAIL_ENOSYS)]);
    on(&mut steps, CLONE, &cloning(policy));
    on(&mut steps, CLOSE_RANGE, &without_bit(2, UNSHARE));
    match policy {
        Policy::Run => {
            on(&mut steps, FCNTL, &only_one_of(1, &DESCRIBING));
            on(&mut steps, SCHED_GETAFFINITY, &chosen(0, &[0, own], leave(FAIL_ENOSYS), leave(ALLOW)));
            for call in ABOUT_PROCESSES {
                on(&mut steps, call, &only_one_of(0, &[0, own]));
            }
            for call in CLOCKS {
                on(&mut steps, call, &without_bit(0, OF_PROCESSES));
            }
            on(&mut steps, PRCTL, &only_one_of(0, &NAMING));
            on(&mut steps, PRLIMIT, &reading_own_limits());
            for call in [KILL, TGKILL] {
                on(&mut steps, call, &[load(low_half(0)), when(EQUAL, own, 0, 1), leave(ALLOW), leave(FAIL_EPERM)]);
            }
        }
        _ => {
            on(&mut steps, FCNTL, &unless_one_of(1, &[&SIGNALLING[..], &[LARGER_PIPE]].concat()));
            on(&mut steps, PRCTL, &only_one_of(0, &[NAMING, LAUNCHING].concat()));
            on(&mut steps, PRLIMIT, &only_one_of(0, &[0])); // its own, for the tests that it starts
            on(&mut steps, SOCKETPAIR, &only_one_of(1, &[SEQUENCED_PAIR]));
        }
    }
    let listed = RUN.iter().chain(if policy == Policy::Compile { COMPILE } else { &[] });
    for call in listed {
        on(&mut steps, *call, &[leave(ALLOW)]);
    }
    steps.extend([when(AT_LEAST, LATER, 0, 1), leave(FAIL_ENOSYS), leave(FAIL_EPERM)]);
    steps
}

/// Allow `clone` for threads that share their descriptors, and for new processes unless tests run; no namespaces.
fn cloning(policy: Policy) -> [Step; 6] {
    let without_thread = if policy == Policy::Run { 2 } else { 1 };
    [
        load(low_half(0)),
        when(ANY_BIT, NAMESPACES, 3, 0),
        when(ANY_BIT, CLONE_THREAD, 0, without_thread),
        when(ANY_BIT, CLONE_FILES, 0, 1),
        leave(ALLOW),
        leave(FAIL_EPERM),
    ]
}

/// Allow a call unless an argument has a bit.
fn without_bit(argument: u32, bit: u32) -> [Step; 4] {
    [load(low_half(argument)), when(ANY_BIT, bit, 1, 0), leave(ALLOW), leave(FAIL_EPERM)]
}

/// Allow `prlimit64` for the caller itself, with no new limit.
fn reading_own_limits() -> [Step; 8] {
    [
        load(low_half(0)),
        when(EQUAL, 0, 0, 5),
        load(low_half(2)),
        when(EQUAL, 0, 0, 3),
        load(low_half(2) + 4),
        when(EQUAL, 0, 0, 1),
        leave(ALLOW),
        leave(FAIL_EPERM),
    ]
}

/// Add what happens at one call; does nothing where the architecture has no such call.
fn on(steps: &mut Vec<Step>, call: Call, then: &[Step]) {
    let number = if cfg!(target_arch = "x86_64") { call.1 } else { call.2 };
    if let Ok(number) = u32::try_from(number) {
        steps.push(when(EQUAL, number, 0, then.len() as u8));
        steps.extend_from_slice(then);
    }
}

/// Allow a call when an argument is one of a few values.
fn only_one_of(argument: u32, values: &[u32]) -> Vec<Step> {
    chosen(argument, values, leave(FAIL_EPERM), leave(ALLOW))
}

/// Allow a call except when an argument is one of a few values.
fn unless_one_of(argument: u32, values: &[u32]) -> Vec<Step> {
    chosen(argument, values, leave(ALLOW), leave(FAIL_EPERM))
}

fn chosen(argument: u32, values: &[u32], otherwise: Step, matched: Step) -> Vec<Step> {
    let mut steps = vec![load(low_half(argument))];
    for (place, value) in values.iter().enumerate() {
        steps.push(when(EQUAL, *value, (values.len() - place) as u8, 0));
    }
    steps.extend([otherwise, matched]);
    steps
}

fn load(offset: u32) -> Step {
    Step { code: LOAD, if_true: 0, if_false: 0, value: offset }
}

fn when(code: u16, value: u32, if_true: u8, if_false: u8) -> Step {
    Step { code, if_true, if_false, value }
}

fn leave(value: u32) -> Step {
    Step { code: RETURN, if_true: 0, if_false: 0, value }
}
