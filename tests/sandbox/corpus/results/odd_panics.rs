// Panics with a payload that is no text, and one that is raised again.
use std::panic::{catch_unwind, panic_any, resume_unwind};

fn fail(code: i32) -> i32 {
    if code != 0 {
        panic_any(code);
    }
    code
}

fn again(code: i32) -> i32 {
    match catch_unwind(|| fail(code)) {
        Ok(n) => n,
        Err(payload) => resume_unwind(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panic() {
        assert_eq!(again(0), 0);
    }

    #[test]
    fn payload() {
        let payload = catch_unwind(|| again(3)).unwrap_err();
        assert_eq!(payload.downcast_ref::<i32>(), Some(&3));
    }

    #[test]
    #[should_panic]
    fn raised() {
        again(4);
    }

    #[test]
    #[should_panic(expected = "4")]
    fn raised_without_text() {
        again(4);
    }
}
