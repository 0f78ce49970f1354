// An index out of bounds that clippy sees and rustc's own lint sees too.
fn fifth() -> u8 {
    let xs = [1, 2, 3, 4];
    xs[4]
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic]
    fn panics() {
        super::fifth();
    }
}
