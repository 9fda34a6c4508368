//! The tests of the library and the command line, one program: each of its parts would else be linked to burn by itself. What measures
//! the memory of its own process stands beside it, in `tests/streaming.rs`.

mod branch;
mod classifier;
mod command_line;
mod eval;
mod eval_network;
mod export;
mod folders;
mod forward;
mod guidance;
mod kinds;
mod lab;
mod lab_classifier;
mod lab_learn;
mod laws;
mod layers;
mod models;
mod network;
mod noise;
mod objective;
mod pipelines;
mod precision;
mod quality;
mod replay;
mod schedulers;
mod selftest;
mod session;
mod start;
mod tokenizer;
mod train;
mod walk;
