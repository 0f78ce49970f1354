// An impl lacks a required method.
trait Greeter {
    fn hello(&self) -> String;
    fn goodbye(&self) -> String;
}

struct Polite;

impl Greeter for Polite {
    fn hello(&self) -> String {
        "Good morning".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_hello() {
        assert_eq!(Polite.hello(), "Good morning");
    }
}
