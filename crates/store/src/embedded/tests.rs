//! Tests of the embedded store: the conformance suite for both variants, and what only a file has.

mod fixtures;

mod file {
    //! The suite on a file.
    crate::conformance_tests!(crate::embedded::tests::fixtures::file);
    crate::conformance_tests_of_time!(crate::embedded::tests::fixtures::file);
}

mod memory {
    //! The suite in memory.
    crate::conformance_tests!(crate::embedded::tests::fixtures::memory);
    crate::conformance_tests_of_time!(crate::embedded::tests::fixtures::memory);
}
