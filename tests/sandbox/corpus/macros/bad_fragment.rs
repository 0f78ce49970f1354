// A macro whose definition is wrong: a fragment that does not exist, and a repetition that does not match.
macro_rules! wrong {
    ($x:expression) => { $x };
    ($($y:expr),*) => { $y };
}

fn f() -> i32 {
    wrong!(1, 2)
}

#[test]
fn t() {
    assert_eq!(f(), 1);
}
