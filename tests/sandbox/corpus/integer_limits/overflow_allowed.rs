// The lint is allowed, so that the panic comes at run time.
#[allow(arithmetic_overflow)]
fn bad() -> i32 {
    i32::MAX + 1
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "attempt to add with overflow")]
    fn panics() {
        super::bad();
    }
}
