// Becomes root in a namespace of its own, where much of the kernel can be reached.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: namespaces

extern "C" {
    fn unshare(flags: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_user_namespace() {
        assert_eq!(unsafe { unshare(0x1000_0000) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
