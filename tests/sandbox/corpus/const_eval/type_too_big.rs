// A type that no machine can hold, made by a generic that only the tests use.
fn size<const N: usize>() -> usize {
    std::mem::size_of::<[[u64; N]; N]>()
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn small() {
        assert_eq!(size::<4>(), 128);
    }

    #[test]
    fn huge() {
        assert_ne!(size::<0xffff_ffff_ffff>(), 0);
    }
}
