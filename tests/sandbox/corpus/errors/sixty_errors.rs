// More errors than a verdict keeps.
macro_rules! sum_of {
    ($($name:ident)*) => { 0 $(+ $name)* };
}

fn total() -> i32 {
    sum_of!(a00 a01 a02 a03 a04 a05 a06 a07 a08 a09 a10 a11 a12 a13 a14 a15 a16 a17 a18 a19)
        + sum_of!(b00 b01 b02 b03 b04 b05 b06 b07 b08 b09 b10 b11 b12 b13 b14 b15 b16 b17 b18 b19)
        + sum_of!(c00 c01 c02 c03 c04 c05 c06 c07 c08 c09 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19)
}

#[cfg(test)]
mod tests {
    #[test]
    fn totals() {
        assert_eq!(super::total(), d00);
    }
}
