// Nothing but a test module, which is empty.
#[cfg(test)]
mod tests {}
