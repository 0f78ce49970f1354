// Lifetimes that could be left out: lints, no errors.
struct Config<'a> {
    path: &'a str,
}

impl<'a> Config<'a> {
    fn path<'b>(&'b self) -> &'b str {
        self.path
    }
}

fn shout<'a>(s: &'a str) -> String {
    return s.to_uppercase();
}

fn parts(config: &Config) -> Vec<String> {
    config.path.split("/").map(|p| p.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        let config = Config { path: "a/b" };
        assert_eq!(shout(config.path()), "A/B");
        assert_eq!(parts(&config), vec!["a", "b"]);
    }
}
