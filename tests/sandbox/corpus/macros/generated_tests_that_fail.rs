// Generated tests: some fail, one is ignored, one has to panic.
fn cube(x: i8) -> i8 {
    x * x * x
}

macro_rules! check {
    ($name:ident, $x:expr, $y:expr $(, #[$attr:meta])*) => {
        #[test]
        $(#[$attr])*
        fn $name() {
            assert_eq!(cube($x), $y, "cube of {}", $x);
        }
    };
}

check!(two, 2, 8);
check!(three, 3, 28);
check!(five, 5, 125);
check!(six, 6, 0, #[should_panic(expected = "multiply with overflow")]);
check!(seven, 7, 0, #[ignore = "too large"]);
