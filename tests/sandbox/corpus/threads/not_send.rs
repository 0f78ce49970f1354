// What may not go to another thread goes there.
use std::rc::Rc;
use std::thread;

fn send(shared: Rc<u32>) -> u32 {
    thread::spawn(move || *shared).join().unwrap()
}

#[cfg(test)]
mod tests {
    #[test]
    fn sends() {
        assert_eq!(super::send(super::Rc::new(1)), 1);
    }
}
