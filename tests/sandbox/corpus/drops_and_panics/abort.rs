// A test that aborts.
fn give_up() -> ! {
    eprintln!("giving up");
    std::process::abort()
}

#[cfg(test)]
mod tests {
    #[test]
    fn aborts() {
        super::give_up();
    }
}
