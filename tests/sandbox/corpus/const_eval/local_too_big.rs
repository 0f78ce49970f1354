// A local variable whose generic type is too big, in a function that only the tests instantiate.
fn zeros<const N: usize>() -> usize {
    let grid = [[0u8; N]; N];
    grid.len()
}

#[cfg(test)]
mod tests {
    use super::zeros;

    #[test]
    fn huge() {
        assert_eq!(zeros::<0xffff_ffff_ffff>(), 3);
    }
}
