// A shift by the whole width: refused for a constant, a panic for a variable.
fn high(x: u32, by: u32) -> u32 {
    x << by
}

#[cfg(test)]
mod tests {
    use super::high;

    #[test]
    fn shifts() {
        assert_eq!(high(1, 31), 0x8000_0000);
    }

    #[test]
    fn too_far() {
        assert_eq!(high(1, 32), 0);
    }
}
