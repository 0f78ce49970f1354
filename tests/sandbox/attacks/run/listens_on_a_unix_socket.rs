// Waits for calls at a path of its own.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn listens_on_a_unix_socket() {
        std::os::unix::net::UnixListener::bind("socket").unwrap();
    }
}
