// A test module in a file that does not exist.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests;
