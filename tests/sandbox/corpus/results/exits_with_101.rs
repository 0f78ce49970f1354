// A function ends the process with the code of a failed test.
fn stop_if(bad: bool) {
    if bad {
        eprintln!("fatal");
        std::process::exit(101);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on() {
        stop_if(false);
    }

    #[test]
    fn stops() {
        stop_if(true);
    }
}
