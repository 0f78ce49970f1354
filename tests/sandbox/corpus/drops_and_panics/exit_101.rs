// A test that ends the process with the code of a failed run.
#[cfg(test)]
mod tests {
    #[test]
    fn leaves() {
        std::process::exit(101);
    }
}
