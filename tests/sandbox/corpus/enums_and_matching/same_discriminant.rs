// Two variants with one discriminant.
#[repr(i8)]
#[derive(Clone, Copy)]
enum Sign {
    Minus = -1,
    Zero,
    None = 0,
    Plus = 1,
}

fn number(s: Sign) -> i8 {
    s as i8
}

#[test]
fn minus() {
    assert_eq!(number(Sign::Minus), -1);
}
