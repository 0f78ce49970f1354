// Drop runs in reverse order of declaration.
use std::cell::RefCell;
use std::rc::Rc;

struct Noisy {
    name: &'static str,
    log: Rc<RefCell<Vec<&'static str>>>,
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.log.borrow_mut().push(self.name);
    }
}

fn run() -> Vec<&'static str> {
    let log = Rc::new(RefCell::new(Vec::new()));
    {
        let _first = Noisy { name: "first", log: Rc::clone(&log) };
        let second = Noisy { name: "second", log: Rc::clone(&log) };
        let _third = Noisy { name: "third", log: Rc::clone(&log) };
        drop(second);
    }
    let order = log.borrow().clone();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_except_for_the_explicit_one() {
        assert_eq!(run(), vec!["second", "third", "first"]);
    }
}
