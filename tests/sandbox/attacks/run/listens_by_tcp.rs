// Waits for calls by TCP.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn listens_by_tcp() {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    }
}
