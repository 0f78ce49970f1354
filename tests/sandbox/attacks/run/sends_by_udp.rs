// Sends to a server by UDP.
// protected: test_failed (PermissionDenied)
// control: passed, leaves called:udp
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn sends_by_udp() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(socket.send_to(b"x", "127.0.0.1:UDP").unwrap(), 1);
    }
}
