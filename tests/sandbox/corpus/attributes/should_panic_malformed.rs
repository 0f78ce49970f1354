// A should_panic that is not well formed.
fn check(x: u32) -> u32 {
    x
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(message = "too large")]
    fn one() {
        super::check(1);
    }
}
