//! Root's powers, given up: a guest that stays root (where there are no other users) is root by name only.

use crate::sys::{check, prctl, syscall};
use std::ffi::{c_int, c_long};
use std::io;

const CAPSET: c_long = if cfg!(target_arch = "x86_64") { 126 } else { 91 };
const VERSION: u32 = 0x2008_0522;
const PR_CAPBSET_DROP: c_int = 24;
const NOT_PERMITTED: c_int = 1;
const NO_SUCH_CAPABILITY: c_int = 22;

#[repr(C)]
struct Header {
    version: u32,
    process: c_int,
}

/// Take every power out of what a command could regain by being executed; who has none to begin with has none to lose.
pub fn forgo_future() -> Result<(), String> {
    for power in 0usize..64 {
        if unsafe { prctl(PR_CAPBSET_DROP, power, 0usize, 0usize, 0usize) } < 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(NO_SUCH_CAPABILITY | NOT_PERMITTED) => return Ok(()),
                _ => return Err(format!("PR_CAPBSET_DROP: {error}")),
            }
        }
    }
    Ok(())
}

/// Give up the powers that this process has.
pub fn forgo_present() -> Result<(), String> {
    let header = Header { version: VERSION, process: 0 };
    let none = [0u32; 6]; // effective, permitted, inheritable; twice 32 bits
    check(unsafe { syscall(CAPSET, &header, none.as_ptr()) }, "capset").map(|_| ())
}
