// An assert_eq of the program's own that checks nothing.
macro_rules! assert_eq {
    ($a:expr, $b:expr) => {
        let _ = ($a, $b);
    };
}

fn add(a: i32, b: i32) -> i32 {
    a - b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    #[test]
    fn adds_for_real() {
        std::assert_eq!(add(1, 2), 3);
    }
}
