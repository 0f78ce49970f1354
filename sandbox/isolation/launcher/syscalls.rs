//! The system calls that a guest may make: their numbers on x86-64 and on AArch64, -1 where one has no such call.
//!
//! From the kernel's tables (asm/unistd_64.h, asm-generic/unistd.h). Calls that depend on their arguments are in
//! `filter`. Whatever is in neither place is refused.

pub type Call = (&'static str, i32, i32);

/// What a compiled test needs: files, memory, time, threads' locks, signals to itself. `fchmod` reaches only files that
/// could be opened, which is Landlock's business; copying a file needs it.
#[rustfmt::skip]
pub const RUN: &[Call] = &[
    ("read", 0, 63), ("write", 1, 64), ("readv", 19, 65), ("writev", 20, 66), ("pread64", 17, 67), ("pwrite64", 18, 68),
    ("preadv", 295, 69), ("pwritev", 296, 70), ("preadv2", 327, 286), ("pwritev2", 328, 287), ("close", 3, 57),
    ("lseek", 8, 62), ("open", 2, -1), ("openat", 257, 56), ("creat", 85, -1), ("stat", 4, -1), ("fstat", 5, 80),
    ("lstat", 6, -1), ("newfstatat", 262, 79), ("statx", 332, 291), ("access", 21, -1), ("faccessat", 269, 48),
    ("faccessat2", 439, 439), ("readlink", 89, -1), ("readlinkat", 267, 78), ("getcwd", 79, 17), ("chdir", 80, 49),
    ("fchdir", 81, 50), ("mkdir", 83, -1), ("mkdirat", 258, 34), ("rmdir", 84, -1), ("unlink", 87, -1),
    ("unlinkat", 263, 35), ("rename", 82, -1), ("renameat", 264, 38), ("renameat2", 316, 276), ("truncate", 76, 45),
    ("ftruncate", 77, 46), ("fallocate", 285, 47), ("fsync", 74, 82), ("fdatasync", 75, 83), ("getdents64", 217, 61),
    ("statfs", 137, 43), ("fstatfs", 138, 44), ("fadvise64", 221, 223), ("copy_file_range", 326, 285),
    ("sendfile", 40, 71), ("dup", 32, 23), ("dup2", 33, -1), ("dup3", 292, 24), ("pipe", 22, -1), ("pipe2", 293, 59),
    ("ioctl", 16, 29), ("umask", 95, 166), ("select", 23, -1), ("pselect6", 270, 72), ("poll", 7, -1),
    ("ppoll", 271, 73), ("epoll_create1", 291, 20), ("epoll_ctl", 233, 21), ("epoll_wait", 232, -1),
    ("epoll_pwait", 281, 22), ("eventfd2", 290, 19), ("timerfd_create", 283, 85), ("timerfd_settime", 286, 86),
    ("timerfd_gettime", 287, 87), ("mmap", 9, 222), ("mprotect", 10, 226), ("munmap", 11, 215), ("mremap", 25, 216),
    ("madvise", 28, 233), ("mincore", 27, 232), ("brk", 12, 214), ("membarrier", 324, 283), ("rt_sigaction", 13, 134),
    ("rt_sigprocmask", 14, 135), ("rt_sigreturn", 15, 139), ("rt_sigpending", 127, 136), ("rt_sigtimedwait", 128, 137),
    ("rt_sigsuspend", 130, 133), ("sigaltstack", 131, 132), ("restart_syscall", 219, 128), ("pause", 34, -1),
    ("nanosleep", 35, 101), ("gettimeofday", 96, 169), ("time", 201, -1), ("times", 100, 153), ("getitimer", 36, 102),
    ("getpid", 39, 172), ("getppid", 110, 173), ("gettid", 186, 178), ("getuid", 102, 174), ("geteuid", 107, 175),
    ("getgid", 104, 176), ("getegid", 108, 177), ("getresuid", 118, 148), ("getresgid", 120, 150),
    ("getgroups", 115, 158), ("getpgrp", 111, -1), ("uname", 63, 160), ("sysinfo", 99, 179), ("getrusage", 98, 165),
    ("getrlimit", 97, 163), ("sched_yield", 24, 124), ("getcpu", 309, 168), ("getrandom", 318, 278), ("futex", 202, 98),
    ("set_robust_list", 273, 99), ("set_tid_address", 218, 96), ("rseq", 334, 293), ("arch_prctl", 158, -1),
    ("execve", 59, 221), ("exit", 60, 93), ("exit_group", 231, 94), ("wait4", 61, 260), ("waitid", 247, 95),
    ("fchmod", 91, 52),
];

/// What compilers, linkers and cargo need besides: children, links, modes, times and locks of files, the launcher's own
/// calls, since cargo starts the tests through it, and without conditions what `filter` allows to tests with some.
#[rustfmt::skip]
pub const COMPILE: &[Call] = &[
    ("fork", 57, -1), ("vfork", 58, -1), ("link", 86, -1), ("linkat", 265, 37), ("symlink", 88, -1),
    ("symlinkat", 266, 36), ("chmod", 90, -1), ("fchmodat", 268, 53), ("utimensat", 280, 88),
    ("setrlimit", 160, 164), ("capset", 126, 91), ("seccomp", 317, 277), ("landlock_create_ruleset", 444, 444),
    ("landlock_add_rule", 445, 445), ("landlock_restrict_self", 446, 446), ("memfd_create", 319, 279),
    ("tgkill", 234, 131), ("flock", 73, 32), ("clock_gettime", 228, 113), ("clock_getres", 229, 114),
    ("clock_nanosleep", 230, 115), ("getpgid", 121, 155), ("getsid", 124, 156), ("sched_getaffinity", 204, 123),
    ("sched_getparam", 143, 121), ("sched_getscheduler", 145, 120),
    ("sendmsg", 46, 211), ("recvmsg", 47, 212), ("sendto", 44, 206), ("recvfrom", 45, 207),
];
