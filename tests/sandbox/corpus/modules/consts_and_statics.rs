// Constants, statics and constant functions across modules.
mod limits {
    pub const MAX: usize = square(4);
    pub static NAMES: [&str; 3] = ["low", "mid", "high"];

    const fn square(n: usize) -> usize {
        n * n
    }

    pub mod derived {
        use super::{square, MAX};
        pub const HUGE: usize = square(MAX);
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};

static CALLS: AtomicUsize = AtomicUsize::new(0);

fn name(n: usize) -> &'static str {
    CALLS.fetch_add(1, Ordering::SeqCst);
    limits::NAMES[(n * 3 / limits::MAX).min(2)]
}

#[cfg(test)]
mod tests {
    use super::{limits::derived::HUGE, *};

    #[test]
    fn names() {
        assert_eq!([name(0), name(8), name(99)], ["low", "mid", "high"]);
        assert!(CALLS.load(Ordering::SeqCst) >= 3);
    }

    #[test]
    fn huge() {
        assert_eq!(HUGE, 256);
    }
}
