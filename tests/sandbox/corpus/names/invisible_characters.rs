// Text that runs from right to left by invisible characters, which rustc refuses.
fn is_admin(user: &str) -> bool {
    user == "user‮ ⁦// only for admins⁩ ⁦"
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody() {
        assert!(!super::is_admin("root"));
    }
}
