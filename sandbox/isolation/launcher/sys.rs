//! The C library's functions that the launcher calls, and what their failures are called.

use std::ffi::{c_char, c_int, c_long, c_ulong};
use std::io;

extern "C" {
    pub fn prctl(option: c_int, ...) -> c_int;
    pub fn syscall(number: c_long, ...) -> c_long;
    pub fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    pub fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
    pub fn setgroups(count: usize, groups: *const u32) -> c_int;
    pub fn setresgid(real: u32, effective: u32, saved: u32) -> c_int;
    pub fn setresuid(real: u32, effective: u32, saved: u32) -> c_int;
    pub fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub fn close(descriptor: c_int) -> c_int;
    pub fn fcntl(descriptor: c_int, command: c_int, ...) -> c_int;
    pub fn signal(number: c_int, handler: usize) -> usize;
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Limit {
    pub soft: c_ulong,
    pub hard: c_ulong,
}

/// An error that says what failed.
pub fn check(result: c_long, what: &str) -> Result<c_long, String> {
    if result < 0 {
        return Err(format!("{what}: {}", io::Error::last_os_error()));
    }
    Ok(result)
}
