// A macro that refuses its input with a message of its own.
macro_rules! power {
    ($x:expr, 0) => { 1 };
    ($x:expr, 1) => { $x };
    ($x:expr, 2) => { $x * $x };
    ($x:expr, $n:tt) => { compile_error!(concat!("no power of ", stringify!($n))) };
}

fn cube(x: i32) -> i32 {
    power!(x, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cubes() {
        assert_eq!(cube(2), 8);
        assert_eq!(power!(3, 2), 9);
    }
}
