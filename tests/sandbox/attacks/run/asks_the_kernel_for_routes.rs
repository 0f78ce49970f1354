// Makes a netlink socket, through which the kernel tells of the host's network.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn socket(family: i32, kind: i32, protocol: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_the_kernel_for_routes() {
        assert!(unsafe { socket(16, 3, 0) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
