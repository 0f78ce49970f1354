// Writes and reads a temporary file, and removes it.
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

fn save(path: &Path, lines: &[&str]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    lines.iter().try_for_each(|line| writeln!(file, "{line}"))
}

fn load(path: &Path) -> io::Result<Vec<String>> {
    io::BufReader::new(fs::File::open(path)?).lines().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str) -> PathBuf {
        std::env::temp_dir().join(name)
    }

    #[test]
    fn round_trip() -> io::Result<()> {
        let path = temporary("round_trip.txt");
        save(&path, &["one", "two"])?;
        assert_eq!(load(&path)?, ["one", "two"]);
        fs::remove_file(path)
    }

    #[test]
    fn missing() {
        assert_eq!(load(&temporary("missing.txt")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
