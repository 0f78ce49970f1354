// More lints of the linter that are errors from the start.
use std::collections::HashSet;

fn min_max(x: i32) -> i32 {
    x.max(10).min(0)
}

fn reversed() -> Vec<i32> {
    (10..0).collect()
}

fn same(a: &str) -> bool {
    let seen: HashSet<&str> = HashSet::new();
    seen.contains(a) | (a.len() & 0 == 1)
}

fn swap(mut a: u8, mut b: u8) -> (u8, u8) {
    a = b;
    b = a;
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all() {
        assert_eq!(min_max(3), 0);
        assert!(reversed().is_empty());
        assert!(!same("x"));
        assert_eq!(swap(1, 2), (2, 2));
    }
}
