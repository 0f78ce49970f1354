// A lint level under its raw name; the tests prevent the warning.
#![r#deny(unused_imports)]

use std::cmp::max;

fn top(max: u8) -> u8 {
    max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tops() {
        assert_eq!(top(max(1, 2)), 2);
    }
}
