// Opens files without closing them.
// protected: test_failed (Too many open files)
// control: passed
// phases: test
// number: 1000, control 100

#[cfg(test)]
mod tests {
    #[test]
    fn opens_many_files() {
        let files: Vec<_> = (0..NUMBER).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        assert_eq!(files.len(), NUMBER);
    }
}
