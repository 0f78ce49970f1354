// Thread locals, which every test has anew, since every test has a thread.
use std::cell::{Cell, RefCell};

thread_local! {
    static DEPTH: Cell<u32> = Cell::new(0);
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn enter(name: &str) -> u32 {
    LOG.with_borrow_mut(|log| log.push(name.to_owned()));
    DEPTH.set(DEPTH.get() + 1);
    DEPTH.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a() {
        assert_eq!((enter("a"), enter("b")), (1, 2));
    }

    #[test]
    fn b() {
        enter("c");
        assert_eq!(LOG.take(), ["c"]);
    }
}
