// Calls a server at a path outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves called:unix
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn connects_to_a_unix_socket() {
        std::os::unix::net::UnixStream::connect("OUTSIDE/socket").unwrap();
    }
}
