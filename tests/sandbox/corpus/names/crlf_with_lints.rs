// Such lines, with warnings and a docs block.
/// Returns.
///
/// Three.
fn f() -> u8 {
    let mut x = 3;
    return x;
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
