// A module in a file that does not exist, before tests that would pass.
mod shapes;

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(1 + 2, 3);
    }
}
