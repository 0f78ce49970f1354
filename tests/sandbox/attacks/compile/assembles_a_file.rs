// Has the assembler take a file outside into the program.
// protected: build_error (Could not find incbin file)
// control: passed

std::arch::global_asm!(".globl stolen", "stolen:", ".incbin \"OUTSIDE/secret\"");

extern "C" {
    static stolen: [u8; 7];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_secret() {
        assert_eq!(unsafe { &stolen }, b"hunter2");
    }
}
