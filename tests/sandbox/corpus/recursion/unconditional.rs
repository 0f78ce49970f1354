// A function that calls itself always, which nobody calls; rustc warns.
fn forever(n: u64) -> u64 {
    forever(n + 1) + 1
}

fn display(n: u64) -> String {
    n.to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn shows() {
        assert_eq!(super::display(3), "3");
    }
}
