// Changes the mode of a device that it may open (to what it is, so that a success does no harm).
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: root

#[cfg(test)]
mod tests {
    #[test]
    fn changes_the_mode_of_a_device() {
        let device = std::fs::File::open("/dev/null").unwrap();
        device.set_permissions(device.metadata().unwrap().permissions()).unwrap();
    }
}
