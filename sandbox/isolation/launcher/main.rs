//! Starts one command of a guest with as few rights as it can do its work with.
//!
//!     launcher [OPTION VALUE]... -- COMMAND [ARGUMENT]...
//!     launcher --probe
//!
//! Options: `--policy compile|run|open`; limits `--cpu-s --memory-mb --file-mb --processes`; `--user ID` to change to, as root;
//! and paths with what may be done below them: `--read --read-execute --execute --read-write --read-write-execute --use`.
//! `--landlock off` leaves Landlock out. The command itself can always be executed.
//!
//! `--probe` prints the version of Landlock and leaves. A failure prints one line and exits with 125: nothing is ever
//! started with less protection than was asked for. The line also goes to the descriptor that the variable
//! `LAUNCHER_REPORT` names. The command gets neither the descriptor nor the variable, so that it cannot report a failure;
//! `--report keep` leaves both to a command that is trusted, such as cargo, which starts this launcher again.

mod capabilities;
mod filter;
mod landlock;
mod limits;
mod report;
mod sys;
mod syscalls;

use filter::Policy;
use landlock::{Access, Rules};
use limits::Limits;
use report::Report;
use std::ffi::{c_int, c_long, OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use sys::check;

const CANNOT_START: u8 = 125;
const PR_SET_PDEATHSIG: c_int = 1;
const SIGNAL_KILL: usize = 9;
const SIGNAL_INTERRUPT: c_int = 2;

#[derive(Default)]
struct Plan {
    report_is_kept: bool,
    policy: Policy,
    limits: Limits,
    user: Option<u32>,
    landlock: bool,
    paths: Vec<(Access, PathBuf)>,
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "--probe") {
        println!("{}", landlock::version());
        return ExitCode::SUCCESS;
    }
    let report = Report::named_by_the_caller();
    let error = parse(arguments).and_then(|plan| start(plan, &report)).unwrap_err();
    eprintln!("launcher: {error}");
    report.write(&error);
    ExitCode::from(CANNOT_START)
}

/// Read the command line.
fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Plan, String> {
    let mut plan = Plan { landlock: true, ..Plan::default() };
    while let Some(option) = arguments.next() {
        if option == "--" {
            plan.command = arguments.collect();
            break;
        }
        let value = arguments.next().ok_or_else(|| format!("{option:?} needs a value"))?;
        plan.set(&option.to_string_lossy(), &value)?;
    }
    if plan.command.is_empty() {
        return Err("no command: give one after --".to_string());
    }
    Ok(plan)
}

impl Plan {
    /// Take one option.
    fn set(&mut self, option: &str, value: &OsStr) -> Result<(), String> {
        let text = value.to_string_lossy();
        let wrong = || format!("{option} {text:?}: no such option, or not a value for it");
        let number = || text.parse::<u64>().map_err(|_| wrong());
        let access = match option {
            "--read" => Access::Read,
            "--read-execute" => Access::ReadExecute,
            "--execute" => Access::Execute,
            "--read-write" => Access::ReadWrite,
            "--read-write-execute" => Access::ReadWriteExecute,
            "--use" => Access::Use,
            _ => {
                match option {
                    "--policy" => self.policy = Policy::named(&text).ok_or_else(wrong)?,
                    "--landlock" if text == "off" => self.landlock = false,
                    "--report" if text == "keep" => self.report_is_kept = true,
                    "--user" => self.user = Some(u32::try_from(number()?).map_err(|_| wrong())?),
                    "--cpu-s" => self.limits.cpu_s = Some(number()?),
                    "--memory-mb" => self.limits.memory_mb = Some(number()?),
                    "--file-mb" => self.limits.file_mb = Some(number()?),
                    "--processes" => self.limits.processes = Some(number()?),
                    _ => return Err(wrong()),
                }
                return Ok(());
            }
        };
        self.paths.push((access, PathBuf::from(value)));
        Ok(())
    }
}

/// Give up every right that the plan does not name, then become the command. Returns only what went wrong.
fn start(plan: Plan, report: &Report) -> Result<(), String> {
    report.close_all_others()?;
    if !plan.report_is_kept {
        report.keep_from_the_command()?;
    }
    unsafe { sys::signal(SIGNAL_INTERRUPT, 0) }; // whoever started this may ignore it, and that is inherited
    plan.limits.apply()?;
    let rules = if plan.landlock { Some(rules(&plan)?) } else { None };
    capabilities::forgo_future()?;
    if let Some(user) = plan.user {
        become_user(user)?;
    }
    capabilities::forgo_present()?;
    let death = unsafe { sys::prctl(PR_SET_PDEATHSIG, SIGNAL_KILL) }; // changing the user forgets it
    check(c_long::from(death), "PR_SET_PDEATHSIG")?;
    landlock::no_new_privileges()?;
    rules.map_or(Ok(()), Rules::enforce)?;
    filter::enforce(plan.policy)?;
    let error = Command::new(&plan.command[0]).args(&plan.command[1..]).exec();
    Err(format!("{:?}: {error}", plan.command[0]))
}

/// The plan's paths as Landlock rules.
fn rules(plan: &Plan) -> Result<Rules, String> {
    let version = landlock::version();
    if version == 0 {
        return Err("this kernel has no Landlock".to_string());
    }
    let rules = Rules::new(version)?;
    for (access, path) in &plan.paths {
        rules.allow(path, *access)?;
    }
    rules.allow(plan.command[0].as_ref(), Access::Execute)?;
    Ok(rules)
}

/// Become a user that owns nothing else and is in no group.
fn become_user(user: u32) -> Result<(), String> {
    check(c_long::from(unsafe { sys::setgroups(0, std::ptr::null()) }), "setgroups")?;
    check(c_long::from(unsafe { sys::setresgid(user, user, user) }), "setresgid")?;
    check(c_long::from(unsafe { sys::setresuid(user, user, user) }), "setresuid").map(|_| ())
}
