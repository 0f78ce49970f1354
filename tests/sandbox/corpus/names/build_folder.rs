// What is in the folder of a build, as a test finds it.
fn entries(path: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .map(|found| found.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn sources() {
        assert_eq!(entries("src"), ["main.rs"]);
    }

    #[test]
    fn marks_of_a_cache() {
        assert!(entries("target").contains(&"CACHEDIR.TAG".to_owned()));
    }
}
