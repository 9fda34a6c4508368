//! The laboratory of the plane against the theory that it shows.

mod lab {
    mod law;
    mod numbers;
    mod run;
    mod walks;
}
