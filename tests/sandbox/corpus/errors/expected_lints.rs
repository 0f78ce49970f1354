// Expectations: one is met, two are not.
#[expect(unused_variables)]
fn first(a: i32, b: i32) -> i32 {
    a
}

#[expect(unsafe_code)]
#[expect(unused_mut, reason = "not needed any more")]
fn second(b: i32) -> i32 {
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both() {
        assert_eq!(first(1, 2) + second(2), 3);
    }
}
