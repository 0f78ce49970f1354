// Channels: bounded, unbounded, closed on either side.
use std::sync::mpsc::{channel, sync_channel, Receiver, RecvError};
use std::thread;

fn numbers(n: u32) -> Receiver<u32> {
    let (send, receive) = sync_channel(1);
    thread::spawn(move || (0..n).try_for_each(|i| send.send(i)));
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all() {
        assert_eq!(numbers(4).iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn some() {
        assert_eq!(numbers(1_000_000).iter().take(2).sum::<u32>(), 1);
    }

    #[test]
    fn closed() {
        let (send, receive) = channel::<u8>();
        drop(send);
        assert_eq!(receive.recv(), Err(RecvError));
    }
}
