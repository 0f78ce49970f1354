// An import under a raw name, used without it and in the tests.
use std::cmp::{r#max, r#min};

fn clamp(x: u8) -> u8 {
    max(x, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamps() {
        assert_eq!(clamp(min(1, 2)), 3);
    }
}
