//! The BFT engine behind a small face: opaque blocks in, a final stream and certificates out.
