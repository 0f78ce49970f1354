// Default where nothing says of what.
fn empty() -> bool {
    let x = Default::default();
    let y = x;
    std::mem::size_of_val(&y) == 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_empty() {
        assert!(super::empty());
    }
}
