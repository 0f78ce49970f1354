// Takes memory in small pieces until there is none.
// protected: out_of_memory
// control: passed
// phases: test
// limits: memory_mb=512
// number: 10000, control 100

#[cfg(test)]
mod tests {
    #[test]
    fn takes_memory_bit_by_bit() {
        let pieces: Vec<_> = (0..NUMBER).map(|_| vec![1u8; 1 << 16]).collect();
        assert_eq!(pieces[0][0], 1);
    }
}
