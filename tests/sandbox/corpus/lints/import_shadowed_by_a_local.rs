// An import that only the tests use, and a variable of its name.
use std::mem::swap;

fn sorted(a: u8, b: u8) -> (u8, u8) {
    let swap = a > b;
    if swap { (b, a) } else { (a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts() {
        let (mut a, mut b) = (1, 2);
        swap(&mut a, &mut b);
        assert_eq!(sorted(a, b), (1, 2));
    }
}
