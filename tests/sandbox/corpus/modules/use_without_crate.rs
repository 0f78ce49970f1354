// An absolute path as in the edition of 2015.
mod util {
    pub fn clamp(x: i32) -> i32 {
        x.clamp(0, 10)
    }
}

mod app {
    use util::clamp;

    pub fn run(x: i32) -> i32 {
        clamp(x)
    }
}

#[test]
fn runs() {
    assert_eq!(app::run(12), 10);
}
