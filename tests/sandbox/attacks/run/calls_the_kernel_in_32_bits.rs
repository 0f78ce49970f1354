// Makes a system call of another architecture, which has other numbers: the process number.
// protected: test_failed
// control: passed
// phases: test
// needs: x86_64 ia32

#[cfg(test)]
mod tests {
    #[test]
    fn calls_the_kernel_in_32_bits() {
        let answer: i32;
        unsafe {
            std::arch::asm!("int 0x80", inlateout("eax") 20i32 => answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
        }
        assert_eq!(answer, std::process::id() as i32);
    }
}
