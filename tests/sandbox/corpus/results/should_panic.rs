// should_panic with and without a message.
fn checked_div(a: i32, b: i32) -> i32 {
    if b == 0 {
        panic!("division of {a} by zero");
    }
    a / b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides() {
        assert_eq!(checked_div(7, 2), 3);
    }

    #[test]
    #[should_panic]
    fn panics() {
        checked_div(1, 0);
    }

    #[test]
    #[should_panic(expected = "division of 5 by")]
    fn panics_with_a_message() {
        checked_div(5, 0);
    }

    #[test]
    #[should_panic = "by zero"]
    fn panics_in_the_short_form() {
        checked_div(9, 0);
    }
}
