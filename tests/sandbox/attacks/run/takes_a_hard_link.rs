// Gives a file outside a second name in its own project, to change it there.
// protected: test_failed (code: )
// control: passed, leaves changed:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn takes_a_hard_link() {
        std::fs::hard_link("OUTSIDE/secret", "second").unwrap();
        std::fs::write("second", "x").unwrap();
    }
}
