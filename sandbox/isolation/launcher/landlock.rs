//! Landlock: which files may be read, written and executed; no TCP; no signals and abstract sockets to the outside.
//!
//! What the kernel's version does not know is left to the system-call filter and to the user id of the guest.

use crate::sys::{check, close, open, prctl, syscall};
use std::ffi::{c_int, c_long, CString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const CREATE_RULESET: c_long = 444;
const ADD_RULE: c_long = 445;
const RESTRICT_SELF: c_long = 446;
const ASK_VERSION: c_long = 1;
const PATH_BENEATH: c_long = 1;
const O_PATH_CLOEXEC: c_int = 0o12000000;
const PR_SET_NO_NEW_PRIVS: c_int = 38;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13; // version 2
const TRUNCATE: u64 = 1 << 14; // version 3
const IOCTL_DEV: u64 = 1 << 15; // version 5
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
const TCP: u64 = 0b11; // version 4: bind and connect
const SCOPES: u64 = 0b11; // version 6: abstract sockets and signals

const READ: u64 = READ_FILE | READ_DIR;
const WRITE: u64 = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE;

/// What may be done below a path.
#[derive(Clone, Copy, PartialEq)]
pub enum Access {
    Read,
    ReadExecute,
    Execute,
    ReadWrite,
    ReadWriteExecute,
    /// Single files, devices above all: neither made nor removed.
    Use,
}

impl Access {
    fn rights(self) -> u64 {
        match self {
            Access::Read => READ,
            Access::ReadExecute => READ | EXECUTE,
            Access::Execute => READ_FILE | EXECUTE, // the kernel reads what it executes
            Access::ReadWrite => READ | WRITE,
            Access::ReadWriteExecute => READ | WRITE | EXECUTE,
            Access::Use => READ_FILE | WRITE_FILE,
        }
    }
}

#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scopes: u64,
}

#[repr(C, packed)]
struct Beneath {
    rights: u64,
    parent: c_int,
}

/// The version of Landlock that the kernel has, 0 for none.
pub fn version() -> u32 {
    let answer = unsafe { syscall(CREATE_RULESET, std::ptr::null::<u8>(), 0usize, ASK_VERSION) };
    u32::try_from(answer).unwrap_or(0)
}

/// A prepared set of rules. Made before the user changes, since it opens paths.
pub struct Rules {
    descriptor: c_int,
    handled: u64,
}

impl Rules {
    /// Rules under which nothing is allowed yet.
    pub fn new(version: u32) -> Result<Rules, String> {
        let bits = match version {
            1 => 13,
            2 => 14,
            3 | 4 => 15,
            _ => 16,
        };
        let handled = (1u64 << bits) - 1;
        let network = if version >= 4 { TCP } else { 0 };
        let scopes = if version >= 6 { SCOPES } else { 0 };
        let rules = Ruleset { files: handled, network, scopes };
        let size: usize = if version >= 6 {
            24
        } else if version >= 4 {
            16
        } else {
            8
        };
        let descriptor =
            check(unsafe { syscall(CREATE_RULESET, &rules, size, 0 as c_long) }, "landlock_create_ruleset")?;
        Ok(Rules { descriptor: descriptor as c_int, handled })
    }

    /// Allow something below a path; one that does not exist needs no rule.
    pub fn allow(&self, path: &Path, access: Access) -> Result<(), String> {
        let Ok(about) = std::fs::metadata(path) else {
            return Ok(());
        };
        let is_directory = about.mode() & 0o170000 == 0o040000;
        let kinds = if is_directory { u64::MAX } else { OF_FILES };
        let name =
            CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| "a path with a zero byte".to_string())?;
        let parent = check(c_long::from(unsafe { open(name.as_ptr(), O_PATH_CLOEXEC) }), &path.display().to_string())?;
        let rule = Beneath { rights: access.rights() & self.handled & kinds, parent: parent as c_int };
        let added = unsafe { syscall(ADD_RULE, c_long::from(self.descriptor), PATH_BENEATH, &rule, 0 as c_long) };
        unsafe { close(parent as c_int) };
        check(added, &format!("landlock_add_rule for {}", path.display())).map(|_| ())
    }

    /// From here on only what was allowed can be done, by this process and everything it starts.
    pub fn enforce(self) -> Result<(), String> {
        check(unsafe { syscall(RESTRICT_SELF, c_long::from(self.descriptor), 0 as c_long) }, "landlock_restrict_self")?;
        unsafe { close(self.descriptor) };
        Ok(())
    }
}

/// Nothing started from here on gains rights by being executed. Landlock and the filter ask for it.
pub fn no_new_privileges() -> Result<(), String> {
    let zero: usize = 0;
    check(c_long::from(unsafe { prctl(PR_SET_NO_NEW_PRIVS, 1usize, zero, zero, zero) }), "PR_SET_NO_NEW_PRIVS")
        .map(|_| ())
}
