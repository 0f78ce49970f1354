// Makes two connected sockets, which can carry descriptors.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn makes_a_pair_of_sockets() {
        std::os::unix::net::UnixStream::pair().unwrap();
    }
}
