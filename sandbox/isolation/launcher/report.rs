//! The descriptor on which the caller reads why a command could not be started.

use crate::sys::{check, fcntl, syscall};
use std::ffi::{c_int, c_long};
use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

const VARIABLE: &str = "LAUNCHER_REPORT";
const FIRST: c_int = 3; // the first descriptor after the standard ones
const CLOSE_RANGE: c_long = 436;
const F_SETFD: c_int = 2;
const FD_CLOEXEC: c_int = 1;

/// A descriptor of the caller's; None where it named none.
pub struct Report(Option<c_int>);

impl Report {
    pub fn named_by_the_caller() -> Report {
        let named = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
        Report(named.filter(|descriptor| *descriptor >= FIRST))
    }

    /// Close every descriptor but the standard ones and this one.
    pub fn close_all_others(&self) -> Result<(), String> {
        let last = c_long::from(u32::MAX);
        match self.0.map(c_long::from) {
            None => close_range(FIRST.into(), last),
            Some(own) => close_range(FIRST.into(), own - 1).and_then(|()| close_range(own + 1, last)),
        }
    }

    /// Let the command have neither the descriptor nor the variable. Called while this process has one thread.
    pub fn keep_from_the_command(&self) -> Result<(), String> {
        std::env::remove_var(VARIABLE);
        let closing = self.0.map_or(0, |descriptor| unsafe { fcntl(descriptor, F_SETFD, FD_CLOEXEC) });
        check(c_long::from(closing), "fcntl of LAUNCHER_REPORT").map(|_| ())
    }

    /// Tell the caller. One that has gone, or a wrong descriptor, hears nothing.
    pub fn write(&self, error: &str) {
        if let Some(descriptor) = self.0 {
            let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) });
            let _ = file.write_all(error.as_bytes());
        }
    }
}

fn close_range(first: c_long, last: c_long) -> Result<(), String> {
    if first > last {
        return Ok(());
    }
    check(unsafe { syscall(CLOSE_RANGE, first, last, 0 as c_long) }, "close_range").map(|_| ())
}
