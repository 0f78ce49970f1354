// A closure that calls itself through a function that takes it.
fn fix(f: &dyn Fn(&dyn Fn(u64) -> u64, u64) -> u64, x: u64) -> u64 {
    f(&|y| fix(f, y), x)
}

fn factorial(n: u64) -> u64 {
    fix(&|this, n| if n < 2 { 1 } else { n * this(n - 1) }, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small() {
        assert_eq!(factorial(0), 1);
        assert_eq!(factorial(10), 3_628_800);
    }

    #[test]
    #[should_panic(expected = "overflow")]
    fn too_large() {
        factorial(21);
    }
}
