//! A line-mode chat.

fn main() {}
