// More references to references than the recursion limit lets a method call take away.
fn f(x: &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&str) -> usize {
    x.len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!("a".len(), 1);
    }
}
