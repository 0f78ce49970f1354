// An import that only the tests use, with a field of the same name.
use std::cmp::max;

struct Range {
    min: i32,
    max: i32,
}

fn width(range: &Range) -> i32 {
    range.max - range.min
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        let range = Range { min: 1, max: max(2, 3) };
        assert_eq!(width(&range), 2);
    }
}
