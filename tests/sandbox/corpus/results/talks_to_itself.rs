// A server and a client on the loopback interface, in one test.
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn echo_once(listener: TcpListener) -> io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    stream.write_all(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || echo_once(listener));
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"x")?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        assert_eq!(&byte, b"x");
        server.join().unwrap()
    }
}
