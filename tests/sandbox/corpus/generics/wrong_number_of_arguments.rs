// Generic arguments: one too many, and a const where a type belongs.
struct Wrapper<T>(T);

fn make() -> Wrapper<i32, i32> {
    Wrapper(1)
}

fn other() -> Option<3> {
    None
}

#[test]
fn makes() {
    assert_eq!(make().0, 1);
}
