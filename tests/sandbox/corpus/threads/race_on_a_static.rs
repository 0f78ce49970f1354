// A static that is not safe to share.
use std::cell::RefCell;

static LOG: RefCell<Vec<u32>> = RefCell::new(Vec::new());

fn log(n: u32) {
    LOG.borrow_mut().push(n);
}

#[cfg(test)]
mod tests {
    #[test]
    fn logs() {
        super::log(1);
    }
}
