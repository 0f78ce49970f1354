// Functions, types, methods, fields and paths that do not exist.
struct User {
    name: String,
}

fn greet(user: &User) -> String {
    let title = user.titel.clone();
    format_name(&title, user.name.to_capital())
}

fn load() -> Result<User, LoadError> {
    std::files::read("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets() {
        assert_eq!(greet(&User { name: "ann".into() }), "Ann");
    }
}
