// A failing test with 90 KB of output.
fn line(n: usize) -> String {
    format!("{n:08} {}", "x".repeat(80))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_large() {
        for n in 0..1000 {
            println!("{}", super::line(n));
        }
        assert_eq!(super::line(1).len(), 88);
    }

    #[test]
    fn b_small() {
        assert_eq!(super::line(1).len(), 89);
    }
}
