// A panic inside a closure that a test catches, and one that it does not.
use std::panic;

fn retry<T>(times: u32, f: impl Fn(u32) -> Option<T>) -> Option<T> {
    (0..times).find_map(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn third_time_lucky() {
        assert_eq!(retry(5, |n| (n == 2).then_some("ok")), Some("ok"));
    }

    #[test]
    fn caught() {
        let result = panic::catch_unwind(|| retry(1, |_| -> Option<u8> { panic!("inside") }));
        assert!(result.is_err());
    }

    #[test]
    fn not_caught() {
        assert_eq!(retry(3, |n| if n == 1 { panic!("at {n}") } else { None::<u8> }), None);
    }
}
