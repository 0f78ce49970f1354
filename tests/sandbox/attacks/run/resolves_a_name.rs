// Asks for the address of a name.
// protected: test_failed (unwrap())
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn resolves_a_name() {
        use std::net::ToSocketAddrs;
        assert!("localhost:80".to_socket_addrs().unwrap().count() > 0);
    }
}
