// Fails a lint, so that the sandbox builds it once more after its tests, and in them removes its own source.
// protected: untrusted
// control: untrusted

fn equal(a: u8) -> bool {
    a == a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_its_source() {
        std::fs::remove_dir_all("src").unwrap();
        assert!(equal(1));
    }
}
