// Attributes that are only for a crate, inside the test module.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #![allow(unused)]
    #![type_length_limit = "8"]

    #[test]
    fn three() {
        let x = 1;
        assert_eq!(super::f(), 3);
    }
}
