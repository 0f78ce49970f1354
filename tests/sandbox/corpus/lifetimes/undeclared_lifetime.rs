// Lifetimes that nobody declared.
struct Holder {
    text: &'a str,
}

fn pick(h: &'b Holder) -> &'b str {
    h.text
}

#[test]
fn picks() {
    assert_eq!(pick(&Holder { text: "x" }), "x");
}
