// Atomics, OnceLock, Once and LazyLock in statics that the tests share, one after the other.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Once, OnceLock};

static CALLS: AtomicUsize = AtomicUsize::new(0);
static START: Once = Once::new();
static NAME: OnceLock<String> = OnceLock::new();
static TABLE: LazyLock<Vec<usize>> = LazyLock::new(|| (0..3).collect());

fn call() -> usize {
    START.call_once(|| CALLS.store(10, Ordering::Relaxed));
    CALLS.fetch_add(1, Ordering::Relaxed)
}

fn name() -> &'static str {
    NAME.get_or_init(|| TABLE.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first() {
        assert_eq!(call(), 10);
    }

    #[test]
    fn b_second() {
        assert_eq!(call(), 11);
        assert_eq!(name(), "012");
    }
}
