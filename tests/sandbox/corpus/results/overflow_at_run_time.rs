// An overflow that only the tests bring about.
fn factorial(n: u8) -> u8 {
    (1..=n).product()
}

fn sum(xs: &[u8]) -> u8 {
    let mut total = 0;
    for x in xs {
        total += x;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small() {
        assert_eq!(factorial(5), 120);
        assert_eq!(sum(&[1, 2, 3]), 6);
    }

    #[test]
    fn too_large() {
        assert_eq!(factorial(6), 208);
    }

    #[test]
    #[should_panic(expected = "attempt to add with overflow")]
    fn too_much() {
        sum(&[200, 100]);
    }
}
