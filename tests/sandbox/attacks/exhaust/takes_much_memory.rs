// Takes more memory at once than there is.
// protected: out_of_memory
// control: passed
// phases: test
// limits: memory_mb=512
// number: 700, control 10

#[cfg(test)]
mod tests {
    #[test]
    fn takes_much_memory() {
        let memory = vec![1u8; NUMBER << 20];
        assert_eq!(memory[1 << 20], 1);
    }
}
