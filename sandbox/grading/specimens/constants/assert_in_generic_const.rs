// A const assert in a generic that only a test instantiates badly: it builds, and its tests do not compile.
struct Chunk<const N: usize>([u8; N]);

impl<const N: usize> Chunk<N> {
    const OK: () = assert!(N > 0, "a chunk needs at least one byte");

    fn new() -> Self {
        let () = Self::OK;
        Chunk([0; N])
    }

    fn size(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one() {
        assert_eq!(Chunk::<1>::new().size(), 1);
    }

    #[test]
    fn none() {
        assert_eq!(Chunk::<0>::new().size(), 0);
    }
}
