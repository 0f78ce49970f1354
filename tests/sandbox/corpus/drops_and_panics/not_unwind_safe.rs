// A closure that may not cross a panic.
use std::cell::RefCell;
use std::panic::catch_unwind;

fn run(log: &RefCell<u8>) -> bool {
    catch_unwind(|| *log.borrow_mut() += 1).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn runs() {
        assert!(super::run(&super::RefCell::new(1)));
    }
}
