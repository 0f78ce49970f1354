// A panic hook, set by one test and removed again.
use std::panic;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static SEEN: AtomicU32 = AtomicU32::new(0);

fn counted(f: impl FnOnce() + panic::UnwindSafe) -> u32 {
    let old = panic::take_hook();
    panic::set_hook(Box::new(|_| {
        SEEN.fetch_add(1, SeqCst);
    }));
    let _ = panic::catch_unwind(f);
    panic::set_hook(old);
    SEEN.load(SeqCst)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn counts() {
        assert_eq!(counted(|| panic!("a")), 1);
        assert_eq!(counted(|| ()), 1);
    }
}
