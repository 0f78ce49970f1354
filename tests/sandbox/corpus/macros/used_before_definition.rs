// A macro that is used above its definition.
fn area() -> u32 {
    square!(4)
}

macro_rules! square {
    ($x:expr) => {
        $x * $x
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn sixteen() {
        assert_eq!(super::area(), square!(4));
    }
}
