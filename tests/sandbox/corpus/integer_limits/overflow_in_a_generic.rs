// An overflow that does not depend on the type, in a generic that nobody uses.
fn width<T: Into<u64>>(x: T) -> u64 {
    let shift = 64;
    x.into() << shift
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing() {
        assert_eq!(1 + 1, 2);
    }
}
