//! Tests of the embedded store: the conformance suite for both variants, and what only a file has.

mod differential;
mod disk;
mod faults;
mod fixtures;
mod kill;
mod opening;
mod upkeep;

mod file {
    crate::conformance_tests!(crate::embedded::tests::fixtures::file);
    crate::conformance_tests_of_time!(crate::embedded::tests::fixtures::file);
}

mod memory {
    crate::conformance_tests!(crate::embedded::tests::fixtures::memory);
    crate::conformance_tests_of_time!(crate::embedded::tests::fixtures::memory);
}
