//! Resource limits: the soft limit signals, the hard one ends. Never asks for more than the caller has.

use crate::sys::{check, getrlimit, setrlimit, Limit};
use std::ffi::{c_int, c_long, c_ulong};

const CPU: c_int = 0;
const FILE_SIZE: c_int = 1;
const CORE: c_int = 4;
const PROCESSES: c_int = 6;
const OPEN_FILES: c_int = 7;
const ADDRESS_SPACE: c_int = 9;
const MAX_OPEN_FILES: u64 = 256;

/// What one process may use. `processes` counts the threads of everything that has the same user.
#[derive(Default)]
pub struct Limits {
    pub cpu_s: Option<u64>,
    pub memory_mb: Option<u64>,
    pub file_mb: Option<u64>,
    pub processes: Option<u64>,
}

impl Limits {
    pub fn apply(&self) -> Result<(), String> {
        set(CORE, 0, 0)?;
        set(OPEN_FILES, MAX_OPEN_FILES, MAX_OPEN_FILES)?;
        for (resource, value) in [
            (ADDRESS_SPACE, self.memory_mb.map(|mb| mb << 20)),
            (FILE_SIZE, self.file_mb.map(|mb| mb << 20)),
            (PROCESSES, self.processes),
        ] {
            if let Some(value) = value {
                set(resource, value, value)?;
            }
        }
        self.cpu_s.map_or(Ok(()), |s| set(CPU, s, s + 1))
    }
}

fn set(resource: c_int, soft: u64, hard: u64) -> Result<(), String> {
    let mut now = Limit::default();
    check(c_long::from(unsafe { getrlimit(resource, &mut now) }), "getrlimit")?;
    let wanted = Limit { soft: now.hard.min(soft as c_ulong), hard: now.hard.min(hard as c_ulong) };
    check(c_long::from(unsafe { setrlimit(resource, &wanted) }), "setrlimit").map(|_| ())
}
