// Calls a server that has a name and no path.
// protected: test_failed (PermissionDenied)
// control: passed, leaves called:abstract
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn connects_to_an_abstract_socket() {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixStream};
        UnixStream::connect_addr(&SocketAddr::from_abstract_name("ABSTRACT").unwrap()).unwrap();
    }
}
