// Tests that start another program, which they may not, and a thread, which they may.
use std::io;
use std::process::Command;
use std::thread;

fn shell(line: &str) -> io::Result<String> {
    let output = Command::new("sh").arg("-c").arg(line).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn in_threads(n: usize) -> usize {
    let handles: Vec<_> = (0..n).map(|i| thread::spawn(move || i)).collect();
    handles.into_iter().map(|h| h.join().unwrap()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo() {
        assert_eq!(shell("echo hi").unwrap(), "hi");
    }

    #[test]
    fn many_threads() {
        assert_eq!(in_threads(50), 1225);
    }

    #[test]
    fn arguments() {
        assert_eq!(std::env::args().count(), 2);
        assert!(std::env::current_exe().is_ok());
    }
}
