// An overflow that only one instance of a generic has.
fn shifted<const N: u32>() -> u32 {
    1u32 << N
}

#[cfg(test)]
mod tests {
    use super::shifted;

    #[test]
    fn fits() {
        assert_eq!(shifted::<31>(), 1 << 31);
    }

    #[test]
    #[should_panic]
    fn too_far() {
        shifted::<32>();
    }
}
