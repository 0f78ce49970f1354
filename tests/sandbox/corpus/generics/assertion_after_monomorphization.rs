// A const assertion in a generic that only a test instantiates badly: no check sees it before code is made.
struct Ring<const N: usize> {
    data: [u8; N],
}

impl<const N: usize> Ring<N> {
    const POWER_OF_TWO: () = assert!(N.is_power_of_two(), "the capacity must be a power of two");

    fn new() -> Self {
        let () = Self::POWER_OF_TWO;
        Ring { data: [0; N] }
    }

    fn mask(&self) -> usize {
        self.data.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight() {
        assert_eq!(Ring::<8>::new().mask(), 7);
    }

    #[test]
    fn nine() {
        assert_eq!(Ring::<9>::new().mask(), 8);
    }
}
