// The test attribute on a struct, on a const and on a method.
#[test]
struct Case;

impl Case {
    #[test]
    fn method() {}
}

#[test]
const N: u8 = 3;
