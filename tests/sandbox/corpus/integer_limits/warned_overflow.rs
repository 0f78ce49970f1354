// The overflow lint as a warning: it builds, and says so only when it is built.
#[warn(arithmetic_overflow)]
fn bad() -> u8 {
    255u8 + 1
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic]
    fn panics() {
        super::bad();
    }
}
