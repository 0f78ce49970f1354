// Calls a server by TCP.
// protected: test_failed (PermissionDenied)
// control: passed, leaves called:tcp
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn connects_by_tcp() {
        std::net::TcpStream::connect("127.0.0.1:TCP").unwrap();
    }
}
