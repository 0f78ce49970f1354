// The order in which things are dropped.
use std::cell::RefCell;

struct Noisy<'a>(&'a str, &'a RefCell<Vec<String>>);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0.to_owned());
    }
}

fn run(log: &RefCell<Vec<String>>) {
    let _a = Noisy("a", log);
    let _ = Noisy("now", log);
    let b = Noisy("b", log);
    {
        let _c = Noisy("c", log);
    }
    drop(b);
    let _d = (Noisy("d1", log), Noisy("d2", log));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order() {
        let log = RefCell::new(vec![]);
        run(&log);
        assert_eq!(log.into_inner().join(" "), "now c b d1 d2 a");
    }
}
