// A cache in a thread_local and one in a OnceLock.
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

thread_local! {
    static CACHE: RefCell<HashMap<u64, u64>> = RefCell::new(HashMap::new());
}

static SQUARES: OnceLock<Vec<u64>> = OnceLock::new();

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    if let Some(known) = CACHE.with(|c| c.borrow().get(&n).copied()) {
        return known;
    }
    let value = fib(n - 1) + fib(n - 2);
    CACHE.with(|c| c.borrow_mut().insert(n, value));
    value
}

fn is_square(n: u64) -> bool {
    SQUARES.get_or_init(|| (0..100).map(|i| i * i).collect()).binary_search(&n).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety() {
        assert_eq!(fib(90), 2_880_067_194_370_816_120);
    }

    #[test]
    fn squares() {
        assert!(is_square(144));
        assert!(!is_square(145));
    }
}
