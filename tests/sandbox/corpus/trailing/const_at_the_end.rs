// Another keyword at the very end, with no test module.
#[test]
fn three() {
    assert_eq!(1 + 2, 3);
}

const
