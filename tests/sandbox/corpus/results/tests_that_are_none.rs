// The attribute of a test on things that are no tests.
struct Counter(u32);

impl Counter {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }

    #[test]
    fn in_an_impl() {
        assert_eq!(Counter(0).next(), 1);
    }
}

#[test]
struct NotAFunction;

#[test]
fn with_argument(x: u32) {
    assert_eq!(Counter(x).next(), x + 1);
}

#[test]
async fn asynchronous() {}
