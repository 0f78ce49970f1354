// i128 and u128 at their edges, with every kind of arithmetic.
fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn checked(a: i128) -> [Option<i128>; 3] {
    [a.checked_neg(), a.checked_sub(1), a.checked_mul(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gcds() {
        assert_eq!(gcd(u128::MAX, u128::from(u64::MAX)), u128::from(u64::MAX));
    }

    #[test]
    fn edges() {
        assert_eq!(checked(i128::MIN), [None, None, None]);
        assert_eq!(i128::MAX.wrapping_add(1), i128::MIN);
        assert_eq!(i128::MIN.overflowing_neg(), (i128::MIN, true));
        assert_eq!(i128::MAX.to_string(), "170141183460469231731687303715884105727");
    }
}
