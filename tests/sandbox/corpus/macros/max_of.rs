// A recursive macro.
macro_rules! max_of {
    ($x:expr) => { $x };
    ($x:expr, $($rest:expr),+ $(,)?) => {{
        let rest = max_of!($($rest),+);
        if $x > rest { $x } else { rest }
    }};
}

fn largest(a: i32, b: i32, c: i32) -> i32 {
    max_of!(a, b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three() {
        assert_eq!(largest(1, 9, 4), 9);
    }

    #[test]
    fn of_one() {
        assert_eq!(max_of!(7), 7);
        assert_eq!(max_of!(1, 2, 3, 4,), 4);
    }
}
