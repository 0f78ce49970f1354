// An array that one instance indexes out of bounds by a const parameter, in an inline constant.
const NAMES: [&str; 3] = ["a", "b", "c"];

fn name<const N: usize>() -> &'static str {
    const { NAMES[N] }
}

fn first() -> &'static str {
    name::<0>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(first(), "a");
        assert_eq!(name::<3>(), "");
    }
}
