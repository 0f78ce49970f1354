// Lints refuse a loop that never loops and one that cannot end where it should.
fn first_even(xs: &[i32]) -> Option<i32> {
    for &x in xs {
        if x % 2 == 0 {
            return Some(x);
        } else {
            return None;
        }
    }
    None
}

fn steps() -> Vec<i32> {
    (5..0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_first() {
        assert_eq!(first_even(&[2, 3]), Some(2));
        assert_eq!(first_even(&[]), None);
        assert!(steps().is_empty());
    }
}
