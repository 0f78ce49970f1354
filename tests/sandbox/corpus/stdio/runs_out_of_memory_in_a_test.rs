// A failing test that prints the words of a process without memory.
fn lament() -> &'static str {
    "memory allocation of 16 bytes failed"
}

#[cfg(test)]
mod tests {
    #[test]
    fn laments() {
        println!("{}", super::lament());
        assert!(super::lament().is_empty());
    }
}
