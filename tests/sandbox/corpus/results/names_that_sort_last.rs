// Tests whose names sort after most others.
fn identity<T>(x: T) -> T {
    x
}

#[cfg(test)]
mod zzzz {
    use super::identity;

    #[test]
    fn zzzzzzzzzz() {
        assert_eq!(identity(1), 1);
    }

    mod r#match {
        #[test]
        fn r#type() {
            assert!(super::identity(true));
        }
    }
}

#[test]
fn žluťoučký() {
    assert_eq!(identity('ž'), 'ž');
}
