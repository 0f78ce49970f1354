// A static makes the bad instance, so that a build fails where a check does not.
struct Checked<const N: usize>;

impl<const N: usize> Checked<N> {
    const SMALL: usize = {
        assert!(N < 100, "too large");
        N
    };

    fn get() -> usize {
        Self::SMALL
    }
}

static LOOKUP: [fn() -> usize; 2] = [Checked::<7>::get, Checked::<700>::get];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first() {
        assert_eq!(LOOKUP[0](), 7);
    }
}
