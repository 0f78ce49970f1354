// The bad instance stands in a function that nothing calls: a build refuses it all the same, a check does not.
struct Limit<const N: usize>;

impl<const N: usize> Limit<N> {
    const OK: bool = {
        assert!(N < 10);
        true
    };
}

fn nobody_calls_this() -> bool {
    Limit::<11>::OK
}

fn within<const N: usize>() -> bool {
    Limit::<N>::OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five() {
        assert!(within::<5>());
    }
}
